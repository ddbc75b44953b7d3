#!/bin/sh
# Real clients of MCP against the real binary: of npm (SDK 1, client 2 in its
# three ways to negotiate, inspector, conformance), of Python (mcp, LangChain's
# adapters). The first run installs them in $OUT/e2e/mcp.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cache=${OUT:?}/e2e/mcp
install() {
    cp "$here/package.json" "$here/package-lock.json" "$cache" && cd "$cache" &&
        npm ci --no-audit --no-fund --loglevel=error &&
        rm -rf venv && python3 -m venv venv &&
        venv/bin/pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
}
mkdir -p "$cache" || exit 1
if ! cat "$here/package-lock.json" "$here/requirements.txt" | cmp -s - "$cache/installed"; then
    if ! install >"$cache/install.log" 2>&1; then
        tail -n 20 "$cache/install.log"
        echo "not ok 1 - the clients could not be installed with npm and pip"
        exit 1
    fi
    cat "$here/package-lock.json" "$here/requirements.txt" >"$cache/installed"
fi
cp "$here/clients.mjs" "$cache" || exit 1
cd "$here/.." || exit 1
export PYTHONPATH=.
exec python3 -B mcp/drive.py "$cache"
