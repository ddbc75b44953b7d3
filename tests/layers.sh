#!/bin/sh
# Which module may include which module's headers. A header in include/ belongs
# to the folder that holds the .c of the same name; one without a .c (slice.h,
# record.h) is vocabulary that everybody may use. A header in a module's folder
# is private to that module. Headers of libraries stay in the folders that wrap
# them. The table is docs/architecture.md, The folders.
set -u
cd "$(dirname "$0")/.." || exit 1

modules="base access proto journal block series store clickhouse registry metrics promql correlate partition cause http grpc ingest query analysis costs prometheus tempo grafana mcp cli daemon"
status=0

complain() {
    echo "$1: $2 must not include $3 (docs/architecture.md, The folders)" >&2
    status=1
}

for file in include/*.h base/*.[ch] access/*.[ch] proto/*.[ch] journal/*.[ch] block/*.[ch] \
    series/*.[ch] store/*.[ch] clickhouse/*.[ch] registry/*.[ch] metrics/*.[ch] correlate/*.[ch] partition/*.[ch] cause/*.[ch] http/*.[ch] grpc/*.[ch] ingest/*.[ch] \
    query/*.[ch] promql/*.[ch] analysis/*.[ch] costs/*.[ch] prometheus/*.[ch] tempo/*.[ch] grafana/*.[ch] \
    mcp/*.[ch] cli/*.[ch] daemon/*.[ch]; do
    [ -e "$file" ] || continue
    module=${file%%/*}
    if [ "$module" = include ]; then # judged as the module it belongs to
        name=${file##*/}
        for owner in $modules; do
            [ -e "$owner/${name%.h}.c" ] && module=$owner
        done
    fi
    case $module in
    base) may="base" may_use="curl/ pcre2.h" ;;
    access) may="access base" may_use="jansson.h gnutls/ curl/ yaml.h sqlite3.h" ;;
    proto) may="proto base" may_use="otlp.pb-c.h" ;;
    journal) may="journal base" may_use="libdeflate.h" ;;
    block) may="block base" may_use="zstd.h" ;;
    series) may="series block base" may_use="zstd.h" ;;
    store) may="store series block journal base" may_use="sqlite3.h" ;;
    clickhouse) may="clickhouse store series block journal access base" \
        may_use="curl/ zstd.h" ;;
    registry) may="registry access store base" may_use="jansson.h" ;;
    correlate) may="correlate registry access store base" may_use="" ;;
    partition) may="partition correlate registry access store base" may_use="" ;;
    http) may="http access base" may_use="microhttpd.h gnutls/ libdeflate.h" ;;
    grpc) may="grpc http access base" may_use="nghttp2/ gnutls/" ;;
    ingest) may="ingest grpc http access proto base" \
        may_use="libdeflate.h zstd.h librdkafka/" ;;
    metrics) may="metrics base" may_use="" ;;
    cause) may="cause metrics registry access store base" may_use="" ;;
    query) may="query http cause metrics correlate registry access store journal base" \
        may_use="jansson.h" ;;
    promql) may="promql metrics base" may_use="" ;;
    prometheus) may="prometheus promql query http metrics correlate registry access store base" \
        may_use="jansson.h" ;;
    tempo) may="tempo query http registry access store proto base" \
        may_use="jansson.h otlp.pb-c.h" ;;
    grafana) may="grafana query http cause metrics correlate registry access store base" \
        may_use="jansson.h" ;;
    analysis) may="analysis query http cause metrics correlate registry access store base" \
        may_use="jansson.h" ;;
    costs) may="costs query http metrics correlate registry access store base" \
        may_use="jansson.h yaml.h" ;;
    mcp) may="mcp query http registry access base" may_use="jansson.h" ;;
    cli) may="cli access base" may_use="jansson.h curl/ yaml.h" ;;
    daemon) may=$modules may_use="yaml.h jansson.h curl/" ;;
    include) may="base" may_use="" ;; # a vocabulary header
    esac
    for name in $(sed -n 's/^#include "\(.*\)\.h".*/\1/p' "$file"); do
        for owner in $modules; do
            case " $may " in *" $owner "*) continue ;; esac
            if [ -e "$owner/$name.c" ] && [ -e "include/$name.h" ] ||
                [ -e "$owner/$name.h" ]; then
                complain "$file" "$module" "$name.h of $owner"
            fi
        done
    done
    for name in $(sed -n 's/^#include [<"]\(.*\)[>"].*/\1/p' "$file"); do
        case $name in
        jansson.h | sqlite3.h | zstd.h | microhttpd.h | libdeflate.h | yaml.h | \
            *.pb-c.h | protobuf-c/* | librdkafka/* | curl/* | gnutls/* | nghttp2/* | pcre2.h) ;;
        *) continue ;;
        esac
        allowed=no
        for one in $may_use; do
            case $name in "$one"*) allowed=yes ;; esac
        done
        [ $allowed = yes ] || complain "$file" "$module" "$name"
    done
done
exit $status
