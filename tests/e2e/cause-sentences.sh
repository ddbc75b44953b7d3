#!/bin/sh
# Sentences of root-cause reports against what was sent.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" cause_sentences.py
