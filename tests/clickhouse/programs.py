"""Runs the programs of tests/clickhouse/unit/ with a ClickHouse at CLICKHOUSE_URL."""
import glob
import os
import subprocess
import sys

import kit

LIMIT_S = 300


def run(program, url):
    name = os.path.basename(program)
    print(f"# {name}", flush=True)
    try:
        return subprocess.run([program], env={**os.environ, "CLICKHOUSE_URL": url},
                              timeout=LIMIT_S).returncode == 0
    except subprocess.TimeoutExpired:
        print(f"not ok - {name} ended after {LIMIT_S} s", flush=True)
        return False


def main():
    chosen = sys.argv[1:] or sorted(
        path[:-2] for path in glob.glob(os.path.join(kit.HERE, "unit", "test_*.c")))
    programs = [os.path.join(os.environ["OUT"], "tests/clickhouse/unit", os.path.basename(one))
                for one in chosen]
    try:
        url = kit.Database().start().url("").rstrip("/")
    except kit.Unavailable as error:
        print(f"not ok - ClickHouse is there: {error}")
        sys.exit(1)
    good = [run(program, url) for program in programs]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
