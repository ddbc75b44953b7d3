#!/bin/sh
# docs/openapi.yaml against the running server.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" openapi_check.py
