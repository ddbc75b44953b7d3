#!/bin/sh
# Grafana's own packages against the real binary. demo.mjs starts a server with
# the telemetry of the simulated shop and runs each check_*.mjs against it.
#
#   run.sh [check_x.mjs ...]     all when none is named
#
# PLUGIN_SOURCE: a folder with the source of simpod-json-datasource (optional).
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
packages=$here
# shellcheck source=tests/e2e/grafana/install.sh
. "$here/install.sh"
rm -f ./*.mjs
cp "$here"/*.mjs . || exit 1
DASHBOARDS=$here/../../../dashboards SHOP=$here/../../shop
export DASHBOARDS SHOP
exec node demo.mjs "$@"
