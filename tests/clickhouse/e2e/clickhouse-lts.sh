#!/bin/sh
# The tables in ClickHouse 24.8, the oldest version that we support: chdb 2.1.1
# has its engine.
here=$(cd "$(dirname "$0")/.." && pwd) || exit 1
venv=${OUT:?}/e2e/clickhouse-lts
package=chdb==2.1.1
if [ ! -e "$venv/installed" ]; then
    rm -rf "$venv" && mkdir -p "$OUT/e2e"
    { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet \
        --disable-pip-version-check --no-deps "$package"; } >"$venv.log" 2>&1 || {
        if grep -q "No matching distribution" "$venv.log"; then
            echo "ok 1 - tables in ClickHouse 24.8 # SKIP no $package for this Python"
            exit 0
        fi
        cat "$venv.log"
        echo "not ok 1 - $package could not be installed with pip"
        exit 1
    }
    touch "$venv/installed"
fi
"${CALLBOARD:?}" schema print --retention-traces 7d | "$venv/bin/python" -B "$here/lts_check.py"
