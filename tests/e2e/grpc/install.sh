# Installs the Python packages of requirements.txt into $OUT/e2e/grpc, where they
# stay; venv is the environment that has them. To be sourced; here is tests/e2e.
# One script installs them at a time.
venv=${OUT:?}/e2e/grpc
mkdir -p "$OUT/e2e"
exec 9>"$venv.lock"
flock 9
if ! cmp -s "${here:?}/grpc/requirements.txt" "$venv/installed.txt"; then
    rm -rf "$venv"
    { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet \
        --disable-pip-version-check -r "$here/grpc/requirements.txt"; } \
        >"$venv.log" 2>&1 || {
        cat "$venv.log"
        echo "not ok 1 - the Python packages could not be installed with pip"
        exit 1
    }
    cp "$here/grpc/requirements.txt" "$venv/installed.txt"
fi
exec 9>&-
