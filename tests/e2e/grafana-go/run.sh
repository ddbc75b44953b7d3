#!/bin/sh
# Answers as Grafana's backend reads them, with its SDK in Go, against the
# telemetry of the shop. The first run fetches and builds it in
# $OUT/e2e/grafana-go.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cache=${OUT:?}/e2e/grafana-go
# shellcheck source=tests/kafka/common.sh
. "$here/../../kafka/common.sh"

sources() {
    cat "$here"/go.mod "$here"/go.sum "$here"/*.go "$here"/*.proto
}

compile() {
    rm -f "$cache"/*.go && cp "$here"/go.mod "$here"/go.sum "$here"/*.go "$here"/*.proto "$cache" && cd "$cache" && newer_go &&
        again 300 go mod download && again 600 env CGO_ENABLED=0 go build -p 2 -buildvcs=false -o grafana-go .
}

mkdir -p "$cache" || exit 1
if ! sources | cmp -s - "$cache/built"; then
    if ! (compile) >"$cache/build.log" 2>&1; then
        tail -n 20 "$cache/build.log"
        echo "not ok 1 - Grafana's SDK could not be fetched and built"
        exit 1
    fi
    sources >"$cache/built"
fi
DASHBOARDS=$here/../../../dashboards SHOP=$here/../../shop
export DASHBOARDS SHOP
exec node "$here/../grafana/demo.mjs" "$cache/grafana-go"
