#!/bin/sh
# Log records and Kubernetes events as real senders send them.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" log_senders.py
