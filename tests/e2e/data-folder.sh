#!/bin/sh
# The data folder: what is missing or damaged in it is said; who may read it.
exec python3 -B "$(dirname "$0")/data_folder.py"
