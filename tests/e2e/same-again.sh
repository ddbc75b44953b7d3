#!/bin/sh
# The same request again, as after a lost answer: stored and counted once.
exec python3 -B "$(dirname "$0")/same_again.py"
