#!/bin/sh
# The component page and the list, held against slow counts of what was sent.
cd "$(dirname "$0")" || exit 1
exec python3 -B slow_page.py
