#!/bin/sh
# The Python SDK, over HTTP and gRPC, meets recordsPerSecond and loses nothing.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/e2e/grpc/install.sh
. "$here/grpc/install.sh"
PYTHONPATH=$here exec "$venv/bin/python" -B "$here/limits.py"
