#!/bin/sh
# The Collector sends over OTLP/gRPC, in each compression that it has.
exec python3 -B "$(dirname "$0")/../collector_grpc.py"
