"""Suites of tests/e2e/ that hold for any engine, unchanged, against servers that
keep their records in ClickHouse: the contract with OpenChoreo's Observer, the
page of a component, golden reports of causes, Grafana, MCP, and that route, tool
and verb answer the same."""
import os
import sys
import time

import engine
import kit

SUITES = ("observer-contract/run.sh", "cause-golden.sh", "grafana/run.sh", "mcp/run.sh", "same-answer.sh")


def main():
    scripts = [os.path.join(kit.HERE, "..", "e2e", one) for one in sys.argv[1:] or SUITES]
    try:
        second = engine.Engine()
    except kit.Unavailable as error:
        print(f"not ok - broker and ClickHouse are there: {error}")
        sys.exit(1)
    codes = []
    for script in scripts:
        began = time.monotonic()
        print(f"# {os.path.relpath(script, kit.HERE)}", flush=True)
        codes.append(second.run(script))
        print(f"# took {time.monotonic() - began:.0f} s", flush=True)
    sys.exit(1 if any(codes) else 0)


if __name__ == "__main__":
    main()
