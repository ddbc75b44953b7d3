#!/bin/sh
# Request heads that RFC 9112 calls dangerous, Host, Origin and CORS, on both
# ports.
exec python3 -B "$(dirname "$0")/http_heads.py"
