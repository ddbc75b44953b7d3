#!/bin/sh
# What Grafana's JSON data source shows to a subject that may see a part.
exec python3 -B "$(dirname "$0")/grafana_access.py"
