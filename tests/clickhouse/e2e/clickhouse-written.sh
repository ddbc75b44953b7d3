#!/bin/sh
# What is written into ClickHouse, read with SQL: columns of the Collector's
# exporter and ours, each block once whatever happens to its INSERTs.
exec python3 -B "$(dirname "$0")/../written_rows.py"
