#!/bin/sh
# The command line on a terminal: callboard top, driven by keys, on an emulated
# terminal; callboard logs -f over restarts of the server.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/e2e/terminal/install.sh
. "$here/install.sh"
export PYTHONPATH="$here/.."
"$venv/bin/python" -B "$here/top.py"
first=$?
"$venv/bin/python" -B "$here/follow.py" && exit $first
