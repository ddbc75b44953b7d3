#!/bin/sh
# An OpenTelemetry Collector that writes to Kafka: otlp receiver, batch
# processor, kafka exporter, built with the Collector's own builder.
#
#   collector.sh build                  into the cache, $OUT/e2e/collector
#   collector.sh start DIR PORT BROKER  OTLP/HTTP on PORT goes to BROKER as
#                                       otlp_proto, on PORT + 1 as otlp_json,
#                                       both into the default topics
#   collector.sh stop DIR               SIGTERM and wait: what it holds is sent
#
# Traces are keyed by trace id, logs and metrics by resource. The first build
# takes about two minutes of two processors, nearly all of it compiling.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cache=${OUT:-$here/../../build/release}/e2e/collector
builder=go.opentelemetry.io/collector/cmd/builder@v0.155.0

# shellcheck source=tests/kafka/common.sh
. "$here/common.sh"

compile() {
    export GOFLAGS="-p=2 -buildvcs=false" CGO_ENABLED=0
    cd "$cache" &&
        newer_go &&
        again 300 env GOBIN="$PWD" go install "$builder" &&
        again 600 ./builder --config builder.yaml &&
        mv src/otelcol otelcol && rm -rf src builder
}

build() {
    cmp -s "$here/builder.yaml" "$cache/built.yaml" && return
    if ! command -v go >/dev/null 2>&1; then
        say "Go is missing; sh tests/setup.sh installs it"
        return 1
    fi
    mkdir -p "$cache" && cp "$here/builder.yaml" "$cache/builder.yaml"
    if ! (compile) >"$cache/build.log" 2>&1; then
        tail -n 20 "$cache/build.log" >&2
        say "the Collector could not be fetched and built"
        return 1
    fi
    mv "$cache/builder.yaml" "$cache/built.yaml"
}

# exporter NAME ENCODING BROKER COMPRESSION
exporter() {
    cat <<EOF
  kafka/$1:
    brokers: ["$3"]
    traces: {topic: otlp_spans, encoding: $2}
    metrics: {topic: otlp_metrics, encoding: $2}
    logs: {topic: otlp_logs, encoding: $2}
    partition_traces_by_id: true
    partition_metrics_by_resource_attributes: true
    partition_logs_by_resource_attributes: true
    producer: {compression: $4}
EOF
}

configure() {
    cat <<EOF
receivers:
  otlp/proto: {protocols: {http: {endpoint: "127.0.0.1:$1"}}}
  otlp/json: {protocols: {http: {endpoint: "127.0.0.1:$(($1 + 1))"}}}
processors:
  batch: {timeout: 100ms}
exporters:
$(exporter proto otlp_proto "$2" zstd)
$(exporter json otlp_json "$2" lz4)
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
EOF
    for signal in traces metrics logs; do
        for encoding in proto json; do
            cat <<EOF
    $signal/$encoding:
      receivers: [otlp/$encoding]
      processors: [batch]
      exporters: [kafka/$encoding]
EOF
        done
    done
}

start() {
    build || return 1
    mkdir -p "$1"
    configure "$2" "$3" >"$1/config.yaml"
    "$cache/otelcol" --config "$1/config.yaml" >"$1/log" 2>&1 </dev/null &
    echo $! >"$1/pid"
    answers "$1" 60 curl -sS -o "$1/answer" \
        -H 'Content-Type: application/json' -d '{}' \
        "http://127.0.0.1:$(($2 + 1))/v1/metrics"
}

case ${1:-} in
build) build ;;
start) start "$2" "$3" "$4" ;;
stop) end TERM "$2" ;;
*)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
