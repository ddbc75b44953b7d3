#!/bin/sh
# TLS and SASL, with right and wrong passwords.
exec python3 -B "$(dirname "$0")/../secure.py"
