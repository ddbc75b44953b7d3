#!/bin/sh
# ClickHouse on loopback for tests: the engine (chdb) behind shim.py.
#
#   server.sh fetch              the engine, with pip, into the cache
#   server.sh start DIR PORT [OPTION...]   starts, waits until it answers; the
#                                options are shim.py's
#   server.sh stop DIR           SIGTERM and wait
#   server.sh kill DIR           SIGKILL
#
# The cache is $OUT/e2e/clickhouse (OUT: build/release). DIR holds data/, log, pid.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
venv=${OUT:-$here/../../build/release}/e2e/clickhouse

# shellcheck source=tests/kafka/common.sh
. "$here/../kafka/common.sh"

fetch() {
    cmp -s "$here/requirements.txt" "$venv/installed.txt" && return
    mkdir -p "${venv%/*}" && rm -rf "$venv"
    if ! python3 -m venv "$venv" >"$venv.log" 2>&1 ||
        ! again 300 "$venv/bin/pip" install --quiet --disable-pip-version-check \
            --no-deps --require-hashes -r "$here/requirements.txt" >>"$venv.log" 2>&1; then
        tail -n 20 "$venv.log" >&2
        say "pip could not fetch the engine"
        return 1
    fi
    cp "$here/requirements.txt" "$venv/installed.txt"
}

start() {
    fetch || return 1
    dir=$1 port=$2
    shift 2
    mkdir -p "$dir"
    TZ=UTC "$venv/bin/python" -B "$here/shim.py" "$dir/data" "$port" "$@" >>"$dir/log" 2>&1 </dev/null &
    echo $! >"$dir/pid"
    answers "$dir" 90 curl -sf -o /dev/null "http://127.0.0.1:$port/ping"
}

case ${1:-} in
fetch) fetch ;;
start)
    shift
    start "$@"
    ;;
stop) end TERM "$2" ;;
kill) end KILL "$2" ;;
*)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
