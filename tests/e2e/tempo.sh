#!/bin/sh
# Tempo's HTTP API: traces by id, search, tags.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# opentelemetry-proto is among the packages of the gRPC clients.
# shellcheck source=tests/e2e/grpc/install.sh
. "$here/grpc/install.sh"
cd "$here/tempo" || exit 1
PYTHONPATH=$here exec "$venv/bin/python" -B tempo.py
