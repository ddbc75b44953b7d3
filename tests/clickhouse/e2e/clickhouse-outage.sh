#!/bin/sh
# One instance whose ClickHouse does not answer: what its operator sees.
exec python3 -B "$(dirname "$0")/../outage.py"
