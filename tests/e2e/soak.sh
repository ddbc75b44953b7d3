#!/bin/sh
# Half speed for long: memory and files stay what they are, nothing is lost.
exec python3 -B "$(dirname "$0")/soak.py"
