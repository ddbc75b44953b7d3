#!/bin/sh
# callboard cause in the terminal; reports that outlive a restart.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" cause.py
