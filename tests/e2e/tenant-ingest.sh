#!/bin/sh
# Tenants with equal names, pods and bytes, and tenants that lie.
exec python3 -B "$(dirname "$0")/tenant_ingest.py"
