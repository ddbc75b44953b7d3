#!/bin/sh
# OTLP receivers that hand to Kafka (--ingest-to kafka), with a real broker.
set -u
tests=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
here=$tests/e2e packages=$tests/e2e/otel-js
# shellcheck source=tests/e2e/grpc/install.sh
. "$here/grpc/install.sh"
# shellcheck source=tests/e2e/otel-js/install.sh
. "$packages/install.sh"
# Not while another script runs it.
cmp -s "$tests/kafka/sdk.mjs" sdk.mjs || cp "$tests/kafka/sdk.mjs" .
exec "$venv/bin/python" -B "$tests/kafka/ingest_to.py"
