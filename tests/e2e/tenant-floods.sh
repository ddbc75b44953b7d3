#!/bin/sh
# One tenant floods, another one is served.
exec python3 -B "$(dirname "$0")/tenant_floods.py"
