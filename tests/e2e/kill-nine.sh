#!/bin/sh
# kill -9 during load: what was acknowledged is there, once.
exec python3 -B "$(dirname "$0")/kill_nine.py"
