#!/bin/sh
# Whoever asks gets the same answer: each capability by its route, its tool and
# its verb, on data at rest. (same-again.sh: the same request sent again.)
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" same_answer.py
