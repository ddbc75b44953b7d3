#!/bin/sh
# Every window of several hours is asked for its root cause.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" cause_windows.py
