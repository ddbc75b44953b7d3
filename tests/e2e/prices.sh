#!/bin/sh
# The file of --prices, and costs as an agent asks for them.
exec python3 -B "$(dirname "$0")/prices.py"
