#!/bin/sh
# PromQL against Prometheus itself: the same samples in both, the same random
# expressions to both. NIGHTLY=1 asks for more, SEED=n repeats a run.
cd "$(dirname "$0")" || exit 1
. ./python.inc
for tool in prometheus promtool; do
    if ! command -v $tool >/dev/null; then
        echo "not ok 1 - no $tool; see tests/setup.sh"
        exit 1
    fi
done
exec "$python" promql_prometheus.py
