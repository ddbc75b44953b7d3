#!/bin/sh
# make demo: starts a server on the default ports and sends it the telemetry of
# a simulated shop: half an hour of history within seconds, then in real time.
# checkout 1.5.0 rolls out ten minutes before now, and five minutes before now
# inventory reaches its CPU limit. Ctrl-C ends both. Options are those of
# `callboard serve`: --query, --otlp-http and --otlp-grpc HOST:PORT for others.
set -u
out=${OUT:-build/release}
data=${DEMO_DATA:-./callboard-data/demo}
otlp=127.0.0.1:4318
query=127.0.0.1:9097
server_option=
option=
page=
for word; do
    case $option in
    --otlp-http) otlp=$word ;;
    --query) query=$word server_option=" --server $word" ;;
    esac
    option=$word
done
[ "${WEB:-}" = no ] || [ ! -f web/dist/index.html ] || page=http://$query/ui
rm -rf "$data"
mkdir -p "$data"

"$out/callboard" serve --data-dir "$data" \
    --catalog tests/shop/catalog.json --page-url "$page" "$@" &
server=$!
trap 'kill $server ${shop:-} 2>/dev/null; wait; exit 0' INT TERM

for _ in 1 2 3 4 5 6 7 8 9 10; do
    curl -fs -o /dev/null "http://$query/health" && break
    kill -0 $server 2>/dev/null || exit 1
    sleep 0.2
done
"$out/shopgen" --otlp "$otlp" --history 30m --rate 20 --rollout 20m --fault 25m --quiet &
shop=$!
sleep 3
end=$(date -u +%Y-%m-%dT%H:%M:%SZ)
start=$(date -u -d '-30 minutes' +%Y-%m-%dT%H:%M:%SZ)
[ -z "$page" ] || echo "
Open $page/ in a browser."
cat <<TXT

A simulated shop is sending telemetry. Example queries:

  curl 'http://$query/api/v1/components?namespace=acme&project=shop'
  curl 'http://$query/api/v1/components/acme/shop/checkout?environment=production'
  curl -H 'Content-Type: application/json' http://$query/api/v1/logs/query -d \\
    '{"startTime":"$start","endTime":"$end","limit":5,"logLevels":["ERROR"],
      "searchScope":{"namespace":"acme","project":"shop","component":"inventory"}}'

  $out/callboard top$server_option
  $out/callboard cause shop --since 6m$server_option
  $out/callboard component shop/inventory$server_option

An agent: claude mcp add --transport http callboard http://$query/mcp

In Grafana: a data source of type JSON with the URL http://$query/grafana and
the files of dashboards/; see docs/grafana.md.

Ctrl-C to stop.
TXT
wait $server
