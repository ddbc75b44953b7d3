#!/bin/sh
# Real clients of Prometheus' API against the real binary: promtool, the npm
# packages prometheus-query and codemirror-promql, client_golang; and Prometheus
# itself, asked the same. The first run installs and builds them in
# $OUT/e2e/prometheus-clients.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cache=${OUT:?}/e2e/prometheus-clients
# shellcheck source=tests/kafka/common.sh
. "$here/../../kafka/common.sh"

packages() {
    cp "$here/package.json" "$here/package-lock.json" "$cache" && cd "$cache" &&
        again 300 npm ci --no-audit --no-fund --loglevel=error
}

compile() {
    cp "$here/go.mod" "$here/go.sum" "$here/main.go" "$cache" && cd "$cache" && newer_go && again 300 go mod download &&
        again 600 env CGO_ENABLED=0 go build -p 2 -buildvcs=false -o client-go .
}

mkdir -p "$cache" || exit 1
if ! cat "$here/package-lock.json" "$here/go.mod" "$here/main.go" | cmp -s - "$cache/built"; then
    if ! (packages && compile) >"$cache/build.log" 2>&1; then
        tail -n 20 "$cache/build.log"
        echo "not ok 1 - the clients could not be fetched and built"
        exit 1
    fi
    cat "$here/package-lock.json" "$here/go.mod" "$here/main.go" >"$cache/built"
fi
cp "$here/clients.mjs" "$cache" || exit 1
cd "$here/.." || exit 1
export PYTHONPATH=.
python3 -B prometheus-clients/clients.py "$cache"
first=$?
python3 -B prometheus-clients/differ.py && exit $first
