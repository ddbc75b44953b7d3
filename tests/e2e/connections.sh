#!/bin/sh
# Connections that are many, slow or never done: others are served.
exec python3 -B "$(dirname "$0")/connections.py"
