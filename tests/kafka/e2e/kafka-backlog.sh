#!/bin/sh
# A backlog larger than the memory, and messages that want too much of it.
exec python3 -B "$(dirname "$0")/../backlog.py"
