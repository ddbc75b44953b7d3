#!/bin/sh
# The page at /ui/: its files, their headers, access, and large answers that are polled.
exec python3 -B "$(dirname "$0")/web_files.py"
