#!/bin/sh
# Native histograms and exemplars, from OTLP to Prometheus' API.
exec python3 -B "$(dirname "$0")/prometheus_histograms.py" "$@"
