#!/bin/sh
# Records out of Kafka under faults of every kind: each is there once.
exec python3 -B "$(dirname "$0")/../exactly_once.py"
