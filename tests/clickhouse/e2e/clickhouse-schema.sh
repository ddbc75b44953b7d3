#!/bin/sh
# callboard schema print and apply.
exec python3 -B "$(dirname "$0")/../schema_check.py"
