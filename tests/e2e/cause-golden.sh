#!/bin/sh
# Root-cause reports of made faults against golden ones.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" cause_golden.py
