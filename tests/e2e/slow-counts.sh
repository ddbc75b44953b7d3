#!/bin/sh
# Figures of answers held against slow counts of the records that were sent.
cd "$(dirname "$0")" || exit 1
exec python3 -B slow_counts.py
