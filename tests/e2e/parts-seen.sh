#!/bin/sh
# What a subject with a part of the grants sees of traces, comparisons, graphs and costs.
exec python3 -B "$(dirname "$0")/parts_seen.py"
