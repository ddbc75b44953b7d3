#!/bin/sh
# Log searches, by pattern.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" log_patterns.py
