#!/bin/sh
# The ClickHouse of the tests itself: HTTP interface, tokens, restarts, faults.
exec python3 -B "$(dirname "$0")/../shim_check.py"
