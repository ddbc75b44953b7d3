#!/bin/sh
# HTTP/2 frames by hand against the gRPC port; drain and kill -9 under load.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/e2e/grpc/install.sh
. "$here/grpc/install.sh"
exec "$venv/bin/python" -B "$here/grpc_frames.py"
