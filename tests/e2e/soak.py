"""All three signals and questions about them, for long, at half the speed that
this machine reaches: memory and files stay what they are, nothing is lost.

Fifteen seconds; ten minutes with NIGHTLY=1; SOAK=60 says how many. The median
of the last fifth of the time is compared with that of the second, for in the
first the tables fill.
"""
import collections
import os
import statistics
import threading
import time

from callboard import (NS, Client, Server, Tap, double, export, field, is_sanitized, new_folder,
                       number, rfc3339, scope, stamped, text_attr)

MIB = 1 << 20
NIGHTLY = bool(os.environ.get("NIGHTLY"))
SECONDS = float(os.environ.get("SOAK", "600" if NIGHTLY else "15"))
FULL_SPEED = min(5.0, SECONDS / 5)  # seconds to find out what that is
PER_REQUEST = 500
LIMIT = 256
# What the second fifth may lack yet: in a short run heads and caches still fill.
MARGIN = 32 * MIB if SECONDS >= 300 else 96 * MIB
COMPONENTS = 20

tap = Tap()
check, same = tap.check, tap.same

# ---- what is sent: in these bodies, numbers count up and times are now ----

TRACE, ID = b"@@@@@@@@@@@@@@@@", b"########"
NOW = b"~~~~~~~~"


def one_span(i):
    return field(2, field(1, TRACE) + field(2, ID) + field(5, "GET /items/{id}") + number(6, 2) +
                 b"\x39" + NOW + b"\x41" + NOW + text_attr(9, "http.request.method", "GET") +
                 text_attr(9, "http.route", "/items/{id}") + text_attr(9, "user", f"user-{i}"))


def one_log(i):
    return field(2, b"\x09" + NOW + number(2, 9) +
                 field(5, field(1, b"item " + ID + b" was put into cart %d" % i)))


def one_metric(i):
    return field(2, field(1, "app.level") +
                 field(5, field(1, b"\x19" + NOW + double(4, float(i)) + text_attr(7, "series", str(i)))))


ONE = {"traces": one_span, "logs": one_log, "metrics": one_metric}


class Body:
    """Requests of one signal and component, each with numbers of its own."""

    def __init__(self, signal, component):
        of = field(1, b"".join(text_attr(1, k, v) for k, v in stamped(component).items()))
        body = field(1, of + field(2, b"".join(ONE[signal](i) for i in range(PER_REQUEST))))
        self.text = body.replace(b"%", b"%%").replace(TRACE, b"%016d").replace(ID, b"%08d")
        self.count = self.text.count(b"%016d") + self.text.count(b"%08d")
        self.at = 0

    def next(self):
        first, self.at = self.at, (self.at + self.count) % 10_000_000
        text = self.text % tuple(range(first, first + self.count))
        return text.replace(NOW, time.time_ns().to_bytes(8, "little"))


class Sender(threading.Thread):
    """Sends one signal at a pace: requests in a second, as many as go at first."""

    def __init__(self, server, signal):
        super().__init__(daemon=True)
        self.server, self.signal = server, signal
        self.pace, self.over = None, False
        self.taken = self.refused = 0
        self.wrong = []

    def run(self):
        bodies = [Body(self.signal, f"soak-{i}") for i in range(COMPONENTS)]
        turn, due = 0, time.monotonic()
        with Client(self.server.otlp_port, 60) as client:
            while not self.over:
                body = bodies[turn % COMPONENTS].next()
                turn += 1
                self.send(client, body)
                if self.pace:
                    due = max(due + 1 / self.pace, time.monotonic() - 1)
                    time.sleep(max(0, due - time.monotonic()))

    def send(self, client, body):
        """Until it is taken, as an exporter does."""
        while not self.over:
            try:
                status = export(None, self.signal, body, client=client).status
            except OSError as error:
                self.wrong.append(str(error))
                self.over = True
                return
            if status == 200:
                self.taken += 1
                return
            self.refused += 1
            if status != 503:
                self.wrong.append(status)
            time.sleep(0.05)


# ---- what is watched ----


def questions(server, began):
    """What people ask, about the last minutes; about single traces, the last
    seconds: in longer there are more than a question may hold in memory."""
    now = time.time_ns()
    window = {"startTime": rfc3339(max(began, now - 300 * NS)), "endTime": rfc3339(now)}
    short = {"startTime": rfc3339(now - 5 * NS), "endTime": rfc3339(now)}
    component = f"soak-{now % COMPONENTS}"
    asked = {"searchScope": scope(component), "limit": 100}
    page = f"/api/v1/components/acme/shop/{component}?environment=test&startTime={{startTime}}&endTime={{endTime}}"
    return [("health", server.query("/health").status), ("page", server.query(page.format(**window)).status),
            ("logs", server.query("/api/v1/logs/query", {**window, **asked}).status),
            ("traces", server.query("/api/v1alpha1/traces/query", {**short, **asked}).status)]


def watch(server, senders, seconds, began):
    """Memory and files, twice a second; what is asked in between is answered."""
    memory, files, statuses = [], [], collections.Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.running() and not any(s.over for s in senders):
        statuses.update(questions(server, began))
        memory.append(server.memory("VmRSS"))
        files.append(len(os.listdir(f"/proc/{server.pid}/fd")))
        time.sleep(0.5)
    return memory, files, statuses


def fifth(samples, which):
    return statistics.median(samples[len(samples) * (which - 1) // 5:len(samples) * which // 5])


def counted(server, began):
    """Requests that the derived series have, of all components."""
    window = {"startTime": rfc3339(began - 60 * NS), "endTime": rfc3339(time.time_ns() + 60 * NS)}
    return sum(server.ask(f"/api/v1/components/acme/shop/soak-{i}?environment=test"
                          "&startTime={startTime}&endTime={endTime}".format(**window))["summary"]["requestCount"]
               for i in range(COMPONENTS))


def check_nothing_lost(server, senders, began, when):
    counters = server.counters()
    taken = {s.signal: s.taken * PER_REQUEST for s in senders}
    same({signal: int(counters[f'stored_records{{stream="{signal}"}}']) for signal in taken}, taken,
         f"{when}: every record that was acknowledged is in a block, once")
    same(counted(server, began), taken["traces"], f"{when}: every span is counted once")


def main():
    folder, began = new_folder(), time.time_ns()
    server = Server(folder, "--memory-limit", f"{LIMIT}MiB", "--seal-age", "2s")
    senders = [Sender(server, signal) for signal in ONE]
    for sender in senders:
        sender.start()
    time.sleep(FULL_SPEED)
    for sender in senders:
        sender.pace = max(1.0, sender.taken / FULL_SPEED / 2)
    memory, files, statuses = watch(server, senders, SECONDS, began)
    for sender in senders:
        sender.over = True
        sender.join(60)

    speed = " ".join(f"{s.signal} {s.pace * PER_REQUEST:,.0f}/s" for s in senders)
    print(f"# {SECONDS:.0f} s, half speed: {speed}", flush=True)
    print(f"# taken: {' '.join(f'{s.signal} {s.taken * PER_REQUEST:,}' for s in senders)}, "
          f"requests refused {sum(s.refused for s in senders)}", flush=True)
    wrong = [w for s in senders for w in s.wrong]
    check(not wrong and server.running(), "all requests are taken, or refused with 503", (wrong[:5], server.log()[-500:]))
    check({status for _, status in statuses} == {200}, "all questions are answered", statuses)
    early, late = fifth(memory, 2), fifth(memory, 5)
    check(is_sanitized() or late <= early + MARGIN,
          f"memory stays: {early / MIB:.0f} MiB in the second fifth, {late / MIB:.0f} MiB in the last")
    most = server.memory()
    check(is_sanitized() or most < LIMIT * MIB, f"and is never more than {most // MIB} MiB of {LIMIT}")
    early, late = fifth(files, 2), fifth(files, 5)
    check(late <= early + 8, f"files stay: {early:.0f} and {late:.0f}")

    same(server.stop(60), 0, "SIGTERM ends it with status 0")
    server = Server(folder, "--memory-limit", f"{LIMIT}MiB")
    check_nothing_lost(server, senders, began, "after a restart")
    same(server.stop(), 0, "and it ends with status 0")
    tap.end()


main()
