#!/bin/sh
# The skills of skills/: their calls, on the shop with its fault.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" skills.py
