#!/bin/sh
# Two tenants in one server: each sees what it would see in one of its own.
exec python3 -B "$(dirname "$0")/tenants.py"
