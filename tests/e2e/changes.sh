#!/bin/sh
# What changed in a scope.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" changes.py
