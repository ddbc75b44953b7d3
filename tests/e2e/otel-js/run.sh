#!/bin/sh
# The OpenTelemetry JavaScript SDK against the real binary: traces, logs and
# metrics as http/protobuf, http/json and grpc, gzip on and off; then with TLS,
# tokens and client certificates.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
packages=$here
# shellcheck source=tests/e2e/otel-js/install.sh
. "$here/install.sh"
cp "$here/test.mjs" "$here/credentials.mjs" .
node test.mjs
first=$?
node credentials.mjs && exit $first
