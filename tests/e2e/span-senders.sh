#!/bin/sh
# Single spans as real senders send them.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" span_senders.py
