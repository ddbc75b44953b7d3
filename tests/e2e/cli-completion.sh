#!/bin/sh
# Words completed by the scripts of bash, zsh and fish, in these shells.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" cli_completion.py
