#!/bin/sh
# The OpenTelemetry JavaScript SDK against the real binary: traces, logs and
# metrics as http/protobuf and http/json, gzip on and off.
set -u
cd "$(dirname "$0")" || exit 1
cache=${OUT:?}/e2e/otel-js
mkdir -p "$cache"
cp package.json package-lock.json test.mjs "$cache"
cd "$cache" || exit 1
if ! cmp -s package-lock.json installed-lock.json; then
    npm ci --no-audit --no-fund --loglevel=error >npm.log 2>&1 || {
        cat npm.log
        echo "not ok 1 - the OpenTelemetry SDK could not be installed with npm"
        exit 1
    }
    cp package-lock.json installed-lock.json
fi
exec node test.mjs
