#!/bin/sh
# Lists read page by page: by time, as a portal does, and by cursor.
exec python3 -B "$(dirname "$0")/paging.py"
