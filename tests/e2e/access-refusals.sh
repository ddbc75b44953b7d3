#!/bin/sh
# What is refused: headers for browsers, bodies of strangers, ends of tokens.
exec python3 -B "$(dirname "$0")/access_refusals.py"
