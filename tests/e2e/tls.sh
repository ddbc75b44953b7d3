#!/bin/sh
# TLS of the ports: versions, client certificates, reload, slow handshakes; the
# audit; secrets and mode bits.
exec python3 -B "$(dirname "$0")/tls.py"
