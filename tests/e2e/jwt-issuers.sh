#!/bin/sh
# Where the keys of JWT issuers come from, and what is told about them.
cd "$(dirname "$0")" || exit 1
for python in python3 /usr/bin/python3; do
    "$python" -c 'import cryptography' 2>/dev/null && exec "$python" -B jwt_issuers.py
done
echo "not ok 1 - no python3 with cryptography; see tests/setup.sh"
exit 1
