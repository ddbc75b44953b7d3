#!/bin/sh
# Traces as trees, and traces that are found and summed up.
exec python3 -B "$(dirname "$0")/traces.py"
