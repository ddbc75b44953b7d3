#!/bin/sh
# What goes wrong around the program: signals, disks, damaged files, others
# that hold its port or its folder; and what changes while it runs.
exec python3 -B "$(dirname "$0")/trouble.py"
