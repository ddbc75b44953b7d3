"""Lists read page by page: by time, as OpenChoreo's portal does it
(useRuntimeLogs: the timestamp seen last comes back as startTime or endTime), and
by cursor. Hundreds of records share a time. Between the pages new records come,
the server is killed or stopped and started again, and small blocks are merged:
every record is seen once, and no client goes round in circles.
"""
import time

from callboard import (NS, Server, Tap, count_logs, log, logs_request, new_folder, rfc3339, scope, seeded, span,
                       spans_request, stamped, wait_until)

PAGE = 50
LOGS = "/api/v1/logs/query"
TRACES = "/api/v1alpha1/traces/query"

tap = Tap()
rng = seeded()
NOW = time.time_ns() // NS * NS


class World:
    """A server that is restarted now and then, and what it was sent."""

    def __init__(self):
        self.folder = new_folder()
        self.server = None
        self.sent = 0
        self.start()

    def start(self):
        self.server = Server(self.folder, "--seal-age", "100ms")

    def restart(self):
        if rng.random() < 0.5:
            self.server.kill()
        else:
            self.server.stop()
        self.start()

    def send(self, times):
        """Log records of these times, in requests of a few."""
        while times:
            part, times = times[:37], times[37:]
            logs = [log(t, f"record {self.sent + i}") for i, t in enumerate(part)]
            answer = self.server.send("logs", logs_request(stamped("cart"), logs))
            assert answer.status == 200, answer.body
            self.sent += len(part)

    def ask(self, path, **more):
        return self.server.ask(path, {
            "startTime": rfc3339(NOW - 3600 * NS), "endTime": rfc3339(NOW + 3600 * NS),
            "searchScope": scope("cart"), **more})


def by_time(world, path, key, stamp, order, disturb):
    """The client of the portal: it goes on as long as pages are full."""
    seen, more, pages = [], {}, 0
    while True:
        rows = world.ask(path, limit=PAGE, sortOrder=order, **more)[key]
        seen += rows
        pages += 1
        if len(rows) < PAGE or pages > 500:
            return seen
        more = {"endTime" if order == "desc" else "startTime": rows[-1][stamp]}
        disturb()


def by_cursor(world, path, key, _stamp, order, disturb):
    seen, more, pages = [], {}, 0
    while True:
        answer = world.ask(path, limit=PAGE, sortOrder=order, **more)
        seen += answer[key]
        pages += 1
        if "nextCursor" not in answer or pages > 500:
            return seen
        more = {"cursor": answer["nextCursor"]}
        disturb()


def numbers(rows):
    return [int(r["log"].split()[1]) for r in rows]


world = World()
TIMES = [NOW - 60 * NS + rng.choice((0, 0, 0, 1, 5 * 10**6)) for _ in range(1200)]
world.send(TIMES)


def calm():
    pass


def rough():
    if rng.random() < 0.3:
        world.restart()
    world.send([rng.choice(TIMES)])


for read in (by_time, by_cursor):
    for order in ("asc", "desc"):
        for disturb in (calm, rough):
            there = world.sent
            seen = numbers(read(world, LOGS, "logs", "timestamp", order, disturb))
            name = f"{read.__name__} {order} {disturb.__name__}"
            tap.same(sorted(n for n in seen if n < there), list(range(there)),
                     f"every record once: {name}")
            tap.same(len(seen), len(set(seen)), f"none twice: {name}")

# As many as the old rule went round in for ever: all of one time.
world.send([NOW] * 120)
seen = numbers(by_time(world, LOGS, "logs", "timestamp", "asc", calm))
tap.same(len(seen), world.sent, "records of one time end a list, too")

# A client that follows: what comes next is behind the last one it has.
last = world.ask(LOGS, limit=1000, sortOrder="asc",
                 startTime=rfc3339(NOW))["logs"][-1]["timestamp"]
seen = []
for _ in range(3):
    world.send([NOW] * 4)
    world.restart()
    rows = world.ask(LOGS, limit=1000, sortOrder="asc", startTime=last)["logs"]
    seen += numbers(rows)
    last = rows[-1]["timestamp"]
tap.same(seen, list(range(world.sent - 12, world.sent)), "a client that follows sees what is new")

# ---- traces and the spans of one ----

begin = NOW - 30 * NS
for _ in range(12):
    spans = [span(rng, begin + rng.choice((0, 1, 10**6))) for _ in range(40)]
    world.server.send("traces", spans_request(stamped("cart"), spans))
world.restart()
for read in (by_time, by_cursor):
    for order in ("asc", "desc"):
        rows = read(world, TRACES, "traces", "startTime", order, world.restart)
        ids = [r["traceId"] for r in rows]
        tap.same((len(ids), len(set(ids))), (480, 480),
                 f"every trace once: {read.__name__} {order}")

trace = "17" * 16
for part in range(8):
    spans = [span(rng, begin + i % 3, trace_id=trace) for i in range(100)]
    world.server.send("traces", spans_request(stamped("cart"), spans))
PATH = f"/api/v1alpha1/traces/{trace}/spans/query"
for read in (by_time, by_cursor):
    for order in ("asc", "desc"):
        rows = read(world, PATH, "spans", "startTime", order, world.restart)
        ids = [r["spanId"] for r in rows]
        tap.same((len(ids), len(set(ids))), (800, 800),
                 f"every span once: {read.__name__} {order}")
answer = world.ask(PATH, limit=2000)
tap.same(len(answer["spans"]), 800, "more than 1000 spans may be asked for")

tap.same(count_logs(world.server, "cart"), world.sent, "pages of another size count the same")

merged = wait_until(lambda: world.server.counter("blocks_merged_total") > 0, 20)
tap.check(merged, "blocks were merged meanwhile")
world.server.stop()
tap.end()
