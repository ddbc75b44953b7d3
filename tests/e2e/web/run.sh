#!/bin/sh
# The page in a real browser, against the real binary. run.mjs starts servers and
# runs each check_*.mjs; how a check is written: the head of kit.mjs.
#
#   run.sh [check_x.mjs ...]     all when none is named
#
# CHROMIUM: the browser, /usr/bin/chromium unless set. BUDGETS=strict: times are
# held against the budgets themselves, else against five times as much.
#
# Alone: it measures times.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cache=${OUT:?}/e2e/web
mkdir -p "$cache"
cp "$here/package.json" "$here/package-lock.json" "$cache" || exit 1
cd "$cache" || exit 1
if ! cmp -s package-lock.json installed-lock.json; then
    npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >npm.log 2>&1 || {
        cat npm.log
        echo "not ok 1 - the packages of the browser checks could not be installed with npm"
        exit 1
    }
    cp package-lock.json installed-lock.json
fi
rm -f ./*.mjs
cp "$here"/*.mjs . || exit 1
SHOP=$here/../../shop
export SHOP
exec node run.mjs "$@"
