#!/bin/sh
# The tools for a task of a model: schemas, budget, names, times, pages.
cd "$(dirname "$0")" || exit 1
. ./python.inc
exec "$python" mcp_tools.py
