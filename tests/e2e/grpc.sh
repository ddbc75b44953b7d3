#!/bin/sh
# OTLP/gRPC on its port: real clients, statuses, frames by hand, drain, kill -9.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/e2e/grpc/install.sh
. "$here/grpc/install.sh"
exec "$venv/bin/python" -B "$here/grpc_clients.py"
