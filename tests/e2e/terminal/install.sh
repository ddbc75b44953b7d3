# A terminal emulator in Python, in a virtual environment that stays; venv is
# that. To be sourced; here is tests/e2e/terminal.
venv=${OUT:?}/e2e/terminal
if ! cmp -s "${here:?}/requirements.txt" "$venv/installed.txt"; then
    rm -rf "$venv" && mkdir -p "$OUT/e2e"
    { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet \
        --disable-pip-version-check -r "$here/requirements.txt"; } \
        >"$venv.log" 2>&1 || {
        cat "$venv.log"
        echo "not ok 1 - the Python packages could not be installed with pip"
        exit 1
    }
    cp "$here/requirements.txt" "$venv/installed.txt"
fi
