#!/bin/sh
# A real SDK, a real Collector, a real broker, and Callboard at the end.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
packages=$here/../../e2e/otel-js
# shellcheck source=tests/e2e/otel-js/install.sh
. "$packages/install.sh"
# Not while another script runs it.
cmp -s "$here/../sdk.mjs" sdk.mjs || cp "$here/../sdk.mjs" .
exec python3 -B "$here/../collector.py"
