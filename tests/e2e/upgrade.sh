#!/bin/sh
# Data directories of earlier versions are opened: every answer stays the same.
exec python3 -B "$(dirname "$0")/upgrade.py" "$@"
