#!/bin/sh
# Bad input against the real binary: section 7 of the design, row by row.
exec python3 -B "$(dirname "$0")/bad_input.py"
