#!/bin/sh
# The Collector sends over OTLP/gRPC and OTLP/HTTP with TLS, tokens and client certificates.
exec python3 -B "$(dirname "$0")/../collector_access.py"
