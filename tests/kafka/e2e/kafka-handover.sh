#!/bin/sh
# What moves to another instance when one is killed, and back.
exec python3 -B "$(dirname "$0")/../handover.py"
