#!/bin/sh
# Who may ask what: every route with every kind of credential.
exec python3 -B "$(dirname "$0")/access.py"
