"""How long tenant b waits while tenant a floods, against a quiet run.

    CALLBOARD=build/release/callboard python3 tests/bench/tenant_floods.py

Prints one line for each flood of tests/e2e/tenant_floods.py; SECONDS=10 each.

Server, floods and b share the processors and the disk with whatever else runs,
so a wait alone does not say whose fault it is. "Server ran" is the processor
time of the server's busiest thread while b waited: what the server did for b
and, before it, for others. The rest of a wait is for a processor or the disk.
TMPDIR=/dev/shm leaves the disk out.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from tenant_floods import FLOODS, Good, percentile, run_floods, serve  # noqa: E402

SECONDS = float(os.environ.get("SECONDS", "10"))


def run_times(pid):
    """Seconds on a processor of each thread."""
    times = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                times[thread] = int(file.read().split()[0]) / 1e9
        except OSError:  # it has ended
            pass
    return times


class Watched(Good):
    """Tenant b, with what the server did while it waited to send."""

    def __init__(self, server, tokens):
        super().__init__(server, tokens)
        self.pid, self.ran = server.pid, []

    def timed(self, waits, work):
        before = run_times(self.pid)
        status = super().timed(waits, work)
        if waits is self.waits:
            after = run_times(self.pid)
            self.ran.append(max(after[thread] - before.get(thread, 0) for thread in after))
        return status


def main():
    server, tokens, _ = serve()
    run_floods(server, tokens, [], 2)  # warm
    quiet = None
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, data in {os.environ.get('TMPDIR', '/tmp')}")
    print("| flood | sending p50, ms | p99, ms | of quiet | server ran p50, ms | p99, ms | page p99, ms | not 200 |\n"
          "|---|---|---|---|---|---|---|---|")
    for names in [[]] + [[name] for name in FLOODS] + [list(FLOODS)]:
        good = run_floods(server, tokens, names, SECONDS, Watched(server, tokens))
        p99 = percentile(good.waits, .99)
        quiet = quiet or p99
        title = names[0] if len(names) == 1 else "all at once" if names else "none"
        refused = sum(count for status, count in good.statuses.items() if status != 200)
        print(f"| {title} | {percentile(good.waits, .5):.1f} | {p99:.1f} | {p99 / quiet:.1f} x | "
              f"{percentile(good.ran, .5):.2f} | {percentile(good.ran, .99):.2f} | "
              f"{percentile(good.page_waits, .99):.1f} | {refused} |", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")
    server.stop()


if __name__ == "__main__":
    main()
