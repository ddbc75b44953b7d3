#!/bin/sh
# Two tenants, as the APIs of Grafana, Prometheus and Tempo show them.
exec python3 -B "$(dirname "$0")/tenants_grafana.py"
