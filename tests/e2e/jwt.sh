#!/bin/sh
# JWT of an identity provider with faults, grants by claims, and decisions of
# OpenChoreo's authorization service.
cd "$(dirname "$0")" || exit 1
for python in python3 /usr/bin/python3; do
    "$python" -c 'import cryptography' 2>/dev/null && exec "$python" -B jwt_tokens.py
done
echo "not ok 1 - no python3 with cryptography; see tests/setup.sh"
exit 1
