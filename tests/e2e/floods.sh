#!/bin/sh
# Floods of every kind: the process stays under its memory limit.
exec python3 -B "$(dirname "$0")/floods.py"
