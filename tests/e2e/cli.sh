#!/bin/sh
# Verbs of the command line: outputs, exit codes, contexts, a pseudo-terminal.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" cli.py
