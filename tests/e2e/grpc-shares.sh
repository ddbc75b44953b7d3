#!/bin/sh
# What one sender over gRPC can take from the others.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/e2e/grpc/install.sh
. "$here/grpc/install.sh"
exec "$venv/bin/python" -B "$here/grpc_shares.py"
