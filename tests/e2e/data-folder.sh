#!/bin/sh
# The data directory: missing or damaged files are reported; file modes.
exec python3 -B "$(dirname "$0")/data_folder.py"
