"""How long tenant b waits while tenant a floods, against a quiet run.

    CALLBOARD=build/release/callboard python3 tests/bench/tenant_floods.py

Prints one line for each flood of tests/e2e/tenant_floods.py; SECONDS=10 each.
Meant for a machine with nothing else to do: two processors are shared by the
server, the flood and b itself.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from tenant_floods import FLOODS, percentile, run_floods, serve  # noqa: E402

SECONDS = float(os.environ.get("SECONDS", "10"))


def main():
    server, tokens, _ = serve()
    run_floods(server, tokens, [], 2)  # warm
    quiet = None
    print("| flood | sending p50, ms | p99, ms | of quiet | page p99, ms | not 200 |\n|---|---|---|---|---|---|")
    for names in [[]] + [[name] for name in FLOODS] + [list(FLOODS)]:
        good = run_floods(server, tokens, names, SECONDS)
        p99 = percentile(good.waits, .99)
        quiet = quiet or p99
        title = names[0] if len(names) == 1 else "all at once" if names else "none"
        refused = sum(count for status, count in good.statuses.items() if status != 200)
        print(f"| {title} | {percentile(good.waits, .5):.1f} | {p99:.1f} | {p99 / quiet:.1f} x | "
              f"{percentile(good.page_waits, .99):.1f} | {refused} |", flush=True)
    server.stop()


if __name__ == "__main__":
    main()
