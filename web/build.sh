#!/bin/sh
# Builds the page that the program serves at /ui/.
#
#   sh web/build.sh          web/dist from its sources, if they have changed
#   sh web/build.sh try      the same; where that is not possible, it says so and
#                            is no error: the program is built without a page
#   sh web/build.sh check    types, lint, format, unit tests and build, as TAP
#
# Node.js 18 or newer and npm are needed, for the unit tests 20.19, and npm's
# registry the first time.
# WEB=no: nothing is built, and the program has no page.
set -u
cd "$(dirname "$0")" || exit 1

log=$(mktemp)
trap 'rm -f "$log"' EXIT

newer_than() {
    find . \( -name node_modules -o -path ./dist \) -prune -o -type f \
        ! -name schema.d.ts ! -name '*.test.*' -newer "$1" -print
}
is_built() { [ -f dist/index.html ] && [ -z "$(newer_than dist/index.html)" ]; }

# is_node MAJOR [MINOR]: Node.js is that or newer.
is_node() {
    node -e 'const [a, b] = process.versions.node.split(".").map(Number);
        const [major, minor = 0] = process.argv.slice(1).map(Number);
        process.exit(a > major || (a === major && b >= minor) ? 0 : 1)' "$@" 2>/dev/null
}
has_node() { command -v npm >/dev/null 2>&1 && is_node 18; }

# What the lock file names, if it has changed since.
install() {
    if ! has_node; then
        echo "Node.js 18 or newer and npm are needed" >"$log"
        return 1
    fi
    [ node_modules/.callboard -nt package-lock.json ] ||
        { npm ci --workspace=ui --workspace=page --include-workspace-root \
            --no-audit --no-fund >"$log" 2>&1 && touch node_modules/.callboard; }
}

build() {
    install && npm run --silent build >"$log" 2>&1
}

# step NAME COMMAND...
step() {
    name=$1
    shift
    if "$@" >"$log" 2>&1; then
        echo "ok $count - $name"
    else
        cat "$log"
        echo "not ok $count - $name"
        failed=1
    fi
    count=$((count + 1))
}

check() {
    failed=0 count=1
    step "libraries are installed" install
    [ $failed -eq 0 ] || exit 1
    step "types of the API are made from openapi.yaml" npm run --silent schema
    for part in types lint format; do
        step "$part" npm run --silent $part
    done
    # What runs them, vite and vitest, is newer than Debian 12's.
    if is_node 20 19; then
        step "unit" npm run --silent unit
    else
        echo "ok $count - unit # SKIP Node.js 20.19 or newer is needed for them, not $(node --version)"
        count=$((count + 1))
    fi
    step "build" npm run --silent build
    exit $failed
}

if [ "${WEB:-}" = no ]; then
    [ "${1:-}" = try ] || echo "ok 1 - the page # SKIP WEB=no"
    exit 0
fi
case ${1:-} in
check) check ;;
try)
    is_built || build && exit 0
    echo "web: callboard is built without its page, or with an old one:" \
        "$(grep -v '^npm error *$' "$log" | head -n 1) (WEB=no: never built)"
    ;;
*)
    is_built || build || {
        cat "$log" >&2
        exit 1
    }
    ;;
esac
