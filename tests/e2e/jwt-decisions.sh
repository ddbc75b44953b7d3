#!/bin/sh
# Decisions of OpenChoreo's authorization service about what is read by its id,
# while it is away, and about environments.
cd "$(dirname "$0")" || exit 1
for python in python3 /usr/bin/python3; do
    "$python" -c 'import cryptography' 2>/dev/null && exec "$python" -B jwt_decisions.py
done
echo "not ok 1 - no python3 with cryptography; see tests/setup.sh"
exit 1
