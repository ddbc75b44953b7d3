#!/bin/sh
# Incidents, senders without a component, slowest and sampled traces, the
# topology of a namespace, kept answers: held against what was sent.
cd "$(dirname "$0")" || exit 1
exec python3 -B incidents.py
