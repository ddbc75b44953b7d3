#!/bin/sh
# Suites of tests/e2e/ that hold for any engine, on ClickHouse.
exec python3 -B "$(dirname "$0")/../contract.py" "$@"
