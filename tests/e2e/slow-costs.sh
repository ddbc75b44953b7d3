#!/bin/sh
# Costs, recommendations and capacity held against slow sums of what was sent.
cd "$(dirname "$0")" || exit 1
exec python3 -B slow_costs.py
