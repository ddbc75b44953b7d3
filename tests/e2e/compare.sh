#!/bin/sh
# What differs between two windows.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" compare.py
