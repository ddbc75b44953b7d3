#!/bin/sh
# Moves an embedded store into ClickHouse, with the export killed in the middle.
exec python3 -B "$(dirname "$0")/../export_check.py"
