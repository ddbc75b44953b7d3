#!/bin/sh
# What clients of OpenChoreo's Observer API rely on.
cd "$(dirname "$0")/.." || exit 1
. ./python.inc
PYTHONPATH=. exec "$python" observer-contract/contract.py
