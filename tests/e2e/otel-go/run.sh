#!/bin/sh
# The OpenTelemetry Go SDK with TLS, tokens and client certificates. The first
# run fetches and builds it in $OUT/e2e/otel-go.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cache=${OUT:?}/e2e/otel-go
# shellcheck source=tests/kafka/common.sh
. "$here/../../kafka/common.sh"

compile() {
    cp "$here/go.mod" "$here/go.sum" "$here/main.go" "$cache" && cd "$cache" && newer_go && again 300 go mod download &&
        again 600 env CGO_ENABLED=0 go build -p 2 -buildvcs=false -o otel-go .
}

mkdir -p "$cache" || exit 1
if ! cat "$here/go.mod" "$here/main.go" | cmp -s - "$cache/built"; then
    if ! (compile) >"$cache/build.log" 2>&1; then
        tail -n 20 "$cache/build.log"
        echo "not ok 1 - the Go SDK could not be fetched and built"
        exit 1
    fi
    cat "$here/go.mod" "$here/main.go" >"$cache/built"
fi
exec python3 -B "$here/../sdk_credentials.py" go "$cache/otel-go"
