#!/bin/sh
# Cases in the language of Prometheus' expression tests, end to end: their
# samples over OTLP, their queries over HTTP.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" promql_cases.py "$@"
