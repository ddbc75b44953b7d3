#!/bin/sh
# Dependencies, blast radius and capacity of the simulated shop.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" graph.py
