# Installs the OpenTelemetry SDK into $OUT/e2e/otel-js, where it stays, and goes
# there. To be sourced; packages is the folder of package.json. One script installs
# it at a time.
cache=${OUT:?}/e2e/otel-js
mkdir -p "$cache"
exec 9>"$cache.lock"
flock 9
cp "${packages:?}/package.json" "$packages/package-lock.json" "$cache" || exit 1
cd "$cache" || exit 1
if ! cmp -s package-lock.json installed-lock.json; then
    npm ci --no-audit --no-fund --loglevel=error >npm.log 2>&1 || {
        cat npm.log
        echo "not ok 1 - the OpenTelemetry SDK could not be installed with npm"
        exit 1
    }
    cp package-lock.json installed-lock.json
fi
exec 9>&-
