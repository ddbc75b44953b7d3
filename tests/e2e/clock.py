"""The wall clock is set forward and back by an hour, under load: no record is
lost or stored twice, timers continue, and records within the retention are not
deleted.

The process has a clock of its own (clock_shift.c, preloaded).
"""
import os
import struct
import subprocess
import time

from callboard import (Server, Tap, export, is_sanitized, log, logs_request, new_folder, seeded,
                       span, spans_request, stamped, wait_until)
from load import compare, compare_derived, join_senders, start_senders

HOUR = 3600
tap = Tap()
check, same = tap.check, tap.same
rng = seeded()


class Clock:
    """The clock of a server; set() puts it so many seconds ahead."""

    def __init__(self):
        folder = new_folder()
        self.library = os.path.join(folder, "clock_shift.so")
        self.path = os.path.join(folder, "shift")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock_shift.c")
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", self.library, source], check=True)
        self.set(0)

    def set(self, seconds):
        mode = "r+b" if os.path.exists(self.path) else "wb"
        with open(self.path, mode) as file:
            file.write(struct.pack("<q", seconds))

    def server(self, folder, *options):
        os.environ["LD_PRELOAD"], os.environ["CLOCK_SHIFT"] = self.library, self.path
        try:
            return Server(folder, *options)
        finally:
            del os.environ["LD_PRELOAD"], os.environ["CLOCK_SHIFT"]


def call_alone(server):
    """A call without another end, which waits until its time is over."""
    one = span(rng, time.time_ns(), kind=3, server__address="api.pay.example")
    return export(server.otlp_port, "traces", spans_request(stamped("caller"), [one]))


def grows(server, name, seconds=20):
    before = server.counter(name)
    return wait_until(lambda: server.counter(name) > before, seconds)


def test_load(clock):
    folder = new_folder()
    server = clock.server(folder, "--seal-age", "500ms", "--edge-wait", "1s", "--journal-max", "16MiB",
                          "--retention-logs", "2h", "--retention-traces", "2h", "--retention-metrics", "2h")
    senders = start_senders(server, 0, rng, ("traces", "logs", "metrics"))
    # The last is not a whole hour, or records would be that far ahead of the
    # clock, and their time be corrected.
    for shift, name in ((0, "as it is"), (HOUR, "an hour ahead"), (0, "put back by an hour"),
                        (-HOUR * 9 // 10, "nearly an hour behind"), (HOUR, "two hours further"), (0, "as it is again")):
        clock.set(shift)
        acknowledged = sum(r.acknowledged for s in senders for r in s.requests)
        check(wait_until(lambda: sum(r.acknowledged for s in senders for r in s.requests) > acknowledged + 5, 20),
              f"{name}: requests are acknowledged")
        check(grows(server, 'blocks_written_total{signal="logs"}'), f"{name}: blocks are written", server.log()[-500:])
        same(call_alone(server).status, 200, f"{name}: a call comes")
    # All of the calls were of another time than this one.
    check(wait_until(lambda: server.counter("unpaired_spans") == 0, 20), "calls do not wait longer than they should",
          server.counter("unpaired_spans"))
    same(server.counter("expired_blocks_total"), 0, "nothing is deleted")
    same(server.stop(), 0, "it ends with status 0")
    requests = join_senders(senders)
    server = Server(folder)
    good = sum(r.acknowledged for r in requests)
    wrong = compare(server, requests) + compare_derived(server, 0, requests)
    check(not wrong and good > 30, f"{good} of {len(requests)} requests acknowledged, all there once", wrong[:10])
    same(server.stop(), 0, "and it ends with status 0")


def test_retention(clock):
    """The clock is a day ahead for a moment; what lies in blocks is of now."""
    clock.set(0)
    server = clock.server(new_folder(), "--seal-age", "100ms", "--retention-logs", "2h")
    blocks = 'stored_blocks{stream="logs"}'
    for n in range(3):
        server.send("logs", logs_request(stamped("young"), [log(time.time_ns(), f"young {n}")]))
        check(wait_until(lambda: server.counter(blocks) == n + 1, 20), f"block {n + 1} is written", server.counter(blocks))
    clock.set(24 * HOUR)
    time.sleep(4)  # retention looks every second
    clock.set(0)
    time.sleep(1.5)
    same((server.counter(blocks), server.counter("expired_blocks_total")), (3, 0),
         "a clock that was a day ahead for a moment: nothing is deleted")
    same(server.stop(), 0, "and it ends with status 0")
    for _ in range(2):  # the second start has not got used to it
        clock.set(24 * HOUR)
        server = clock.server(server.folder, "--seal-age", "100ms", "--retention-logs", "2h")
        server.send("logs", logs_request(stamped("later"), [log(time.time_ns() + 24 * HOUR * 10**9, "later")]))
        time.sleep(3)
        same(server.counter("expired_blocks_total"), 0, "a clock that is a day ahead after a restart: nothing is deleted")
        check("deletion by age is paused" in server.log(), "and it says so", server.log()[-500:])
        same(server.stop(), 0, "and it ends with status 0")


def main():
    if is_sanitized():
        tap.skip("the clock is put forward and back", "a sanitizer wants to be loaded first")
        tap.end()
    clock = Clock()
    test_load(clock)
    test_retention(clock)
    tap.end()


main()
