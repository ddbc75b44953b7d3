#!/bin/sh
# Exactly once, with several instances that are killed, under faults of Kafka
# and ClickHouse: half a minute of them, or FAULT_SECONDS.
exec python3 -B "$(dirname "$0")/../partitions.py"
