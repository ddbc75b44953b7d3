#!/bin/sh
# Log records as they arrive: each once, over kills and lost answers.
exec python3 -B "$(dirname "$0")/log_tail.py"
