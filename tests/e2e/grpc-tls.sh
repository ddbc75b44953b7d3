#!/bin/sh
# TLS of the OTLP/gRPC port with grpcio: client certificates, a pair that is
# replaced, slow handshakes; its lines in the audit.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/e2e/grpc/install.sh
. "$here/grpc/install.sh"
exec "$venv/bin/python" -B "$here/grpc_tls.py"
