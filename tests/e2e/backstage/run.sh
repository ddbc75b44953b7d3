#!/bin/sh
# The Backstage plugin in a real browser: the packed file in an app and a backend
# of Backstage, against the real binary with the shop. check.mjs says what is
# checked. The first time npm installs Backstage (690 MB) into $OUT/e2e/backstage.
# CHROMIUM: the browser, /usr/bin/chromium unless set.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
root=$here/../../..
cache=${OUT:?}/e2e/backstage
mkdir -p "$cache"

# A copy of web/, so that nothing is installed beside the sources.
(cd "$root" && tar -cf - --exclude=node_modules --exclude=dist web docs/openapi.yaml tests/e2e/web tests/shop/catalog.json) |
    tar -xf - -C "$cache" || exit 1
cp "$here/check.mjs" "$cache/tests/e2e/web/check_backstage.mjs" || exit 1

# install FOLDER: what its lock file names, if that has changed.
install() {
    cd "$cache/$1" || exit 1
    cmp -s package-lock.json node_modules/.installed-lock.json && return
    npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >"$cache/npm.log" 2>&1 || {
        cat "$cache/npm.log"
        echo "not ok 1 - the packages of $1 could not be installed with npm"
        exit 1
    }
    cp package-lock.json node_modules/.installed-lock.json
}
install web
install web/backstage
install tests/e2e/web

cd "$cache/web" || exit 1
{ npm run --silent schema && cd backstage && npm run --silent build && node dev/build.mjs &&
    node_modules/.bin/tsc --noEmit -p dev/tsconfig.json; } >"$cache/build.log" 2>&1 || {
    cat "$cache/build.log"
    echo "not ok 1 - plugin and app are built"
    exit 1
}
echo "ok 1 - plugin and app are built, with the types of the packed file"
SHOP=$root/tests/shop
PLUGIN=$cache/web/backstage
export SHOP PLUGIN
cd "$cache/tests/e2e/web" && exec node check_backstage.mjs
