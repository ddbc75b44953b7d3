# Installs Grafana's packages into $OUT/e2e/grafana, where they stay, and goes
# there. To be sourced; packages is the folder of package.json.
cache=${OUT:?}/e2e/grafana
mkdir -p "$cache"
cp "${packages:?}/package.json" "$packages/package-lock.json" "$cache" || exit 1
cd "$cache" || exit 1
# --ignore-scripts: none is needed. --legacy-peer-deps: React is there once, for
# both versions of @grafana/data.
if ! cmp -s package-lock.json installed-lock.json; then
    npm ci --no-audit --no-fund --ignore-scripts --legacy-peer-deps \
        --loglevel=error >npm.log 2>&1 || {
        cat npm.log
        echo "not ok 1 - Grafana's packages could not be installed with npm"
        exit 1
    }
    cp package-lock.json installed-lock.json
fi
