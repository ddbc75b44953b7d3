#!/bin/sh
# A table of resources that is full: identities of later senders, over kill -9.
exec python3 -B "$(dirname "$0")/full_table.py"
