#!/bin/sh
# The programs of tests/clickhouse/unit/, which need a ClickHouse.
exec python3 -B "$(dirname "$0")/../programs.py" "$@"
