#!/bin/sh
# What tools and verbs say where there is little: an empty store, one signal
# only, names that repeat or are odd, windows before what is kept.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" edges.py
