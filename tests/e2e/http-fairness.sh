#!/bin/sh
# Nobody takes the place of all the others: promises, slow bodies and readers,
# idle connections, few files.
exec python3 -B "$(dirname "$0")/http_fairness.py"
