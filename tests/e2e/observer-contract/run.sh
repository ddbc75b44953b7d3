#!/bin/sh
# What clients of OpenChoreo's Observer API rely on.
cd "$(dirname "$0")/.." || exit 1
. ./python.inc
export PYTHONPATH=.
"$python" observer-contract/contract.py
first=$?
"$python" observer-contract/credentials.py && exit $first
