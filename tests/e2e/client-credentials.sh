#!/bin/sh
# Senders and clients with TLS and credentials, set up as in docs/access.md.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/e2e/grpc/install.sh
. "$here/grpc/install.sh"
exec "$venv/bin/python" -B "$here/client_credentials.py"
