"""GET /api/v1/logs/tail, as `callboard logs -f` uses it: records that are up to
an hour late, blocks of a tenth of a second, kill -9 and stops of the server,
answers that are thrown away. Every record that was accepted is seen once, by
every client. Requests that wait hold no worker, and the server stops at once.
"""
import json
import socket
import threading
import time
import urllib.parse

from callboard import (NS, Client, Server, Tap, log, logs_request, new_folder, rfc3339, scope, seeded, stamped,
                       wait_until)

tap = Tap()
rng = seeded()
TAIL = "/api/v1/logs/tail"


def query(**values):
    return TAIL + "?" + urllib.parse.urlencode(values, doseq=True)


class Sender(threading.Thread):
    """Numbered records in requests of a few; accepted ones are remembered."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world, self.stop = world, threading.Event()
        self.accepted, self.unknown, self.next = set(), set(), 0

    def run(self):
        while not self.stop.is_set():
            some = list(range(self.next, self.next + rng.randrange(1, 20)))
            self.next = some[-1] + 1
            now = time.time_ns()
            logs = [log(now - rng.choice([0, 0, 1, 3600]) * NS, f"line {i}", rng.choice([9, 17])) for i in some]
            try:
                request = logs_request(stamped(rng.choice(["cart", "front"])), logs)
                answer = self.world.server.send("logs", request)
                (self.accepted if answer.status == 200 else self.unknown).update(some)
            except OSError:
                self.unknown.update(some)
                time.sleep(0.02)
            time.sleep(rng.uniform(0, 0.02))


class Follower(threading.Thread):
    """Asks with its last cursor; now and then an answer is lost."""

    def __init__(self, world, cursor, **more):
        super().__init__(daemon=True)
        self.world, self.more, self.cursor = world, more, cursor
        self.seen, self.errors, self.caught_up = [], [], False
        self.stop = threading.Event()

    def run(self):
        while not self.stop.is_set():
            try:
                with Client(self.world.server.query_port) as client:
                    answer = client.request("GET", query(cursor=self.cursor, **self.more))
            except OSError:
                time.sleep(0.02)
                continue
            if answer.status != 200:
                if answer.status != 503:
                    self.errors.append((answer.status, answer.body[:200]))
                continue
            if rng.random() < 0.2:
                continue
            found = json.loads(answer.body)
            self.seen += [int(row["log"].split()[1]) for row in found["logs"]]
            self.cursor = found["nextCursor"]
            self.caught_up = not found["more"]


class World:
    def __init__(self):
        self.folder = new_folder()
        self.start()

    def start(self):
        self.server = Server(self.folder, "--seal-age", "100ms", "--query-workers", "2")

    def restart(self):
        if rng.random() < 0.7:
            self.server.kill()
        else:
            self.server.stop()
        self.start()


def follow_over_restarts():
    world = World()
    first = world.server.ask(query(lines=0))["nextCursor"]
    sender = Sender(world)
    followers = [Follower(world, first, limit=7), Follower(world, first, wait=2, limit=1000),
                 Follower(world, first, wait=1, logLevels="ERROR", namespace="acme")]
    for thread in [sender, *followers]:
        thread.start()
    for _ in range(8):
        time.sleep(rng.uniform(0.3, 1.0))
        world.restart()
    sender.stop.set()
    sender.join()
    for follower in followers[:2]:
        wait_until(lambda: sender.accepted <= set(follower.seen), 30)
    time.sleep(1.5)
    for follower in followers:
        follower.stop.set()
    for follower in followers:
        follower.join(10)
    for name, follower in zip(["few at a time", "waiting"], followers):
        seen = set(follower.seen)
        tap.check(len(sender.accepted) > 200 and not sender.accepted - seen,
                  f"{name}: no accepted record is lost over kills", sorted(sender.accepted - seen)[:10])
        tap.check(len(seen) == len(follower.seen), f"{name}: and none is seen twice")
        tap.check(seen <= sender.accepted | sender.unknown, f"{name}: nor one that was not sent")
        tap.same(follower.errors, [], f"{name}: no request was refused")
    errors = set(followers[2].seen)
    tap.check(errors and errors <= set(followers[0].seen) and len(errors) == len(followers[2].seen),
              "with a filter: some of them, each once")
    rows = world.server.ask("/api/v1/logs/query", {
        "startTime": rfc3339(time.time_ns() - 7200 * NS), "endTime": rfc3339(time.time_ns() + NS),
        "limit": 1000, "logLevels": ["ERROR"], "searchScope": {"namespace": "acme"}})
    wanted = {int(row["log"].split()[1]) for row in rows["logs"]}
    tap.check(wanted <= errors, "with a filter: all that logs/query has", sorted(wanted - errors)[:10])
    whole = world.server.ask(query(startTime=rfc3339(time.time_ns() - 7200 * NS), limit=1000))
    tap.same([row["log"] for row in whole["logs"]][:100], [f"line {i}" for i in followers[0].seen[:100]],
             "from a time on: in the same order")
    world.server.stop()


def waiting():
    server = Server(new_folder(), "--query-workers", "2", "--seal-age", "100ms")
    cursor = server.ask(query(lines=0))["nextCursor"]
    answers = []

    def wait(seconds):
        with Client(server.query_port, timeout=40) as client:
            begin = time.monotonic()
            answer = client.request("GET", query(cursor=cursor, wait=seconds))
            answers.append((answer.status, json.loads(answer.body), time.monotonic() - begin))

    threads = [threading.Thread(target=wait, args=(20,)) for _ in range(30)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    begin = time.monotonic()
    server.ask("/api/v1/logs/query", {"startTime": rfc3339(time.time_ns() - NS), "endTime": rfc3339(time.time_ns()),
                                      "searchScope": scope()})
    took = time.monotonic() - begin
    tap.check(took < 2, "thirty requests that wait keep no query from two workers", took)
    tap.same(answers, [], "and none was answered yet")
    server.send("logs", logs_request(stamped("cart"), [log(time.time_ns() - 3600 * NS, "late")]))
    for thread in threads:
        thread.join(15)
    tap.same({(status, tuple(row["log"] for row in body["logs"])) for status, body, _ in answers}, {(200, ("late",))},
             "a record answers all of them")
    tap.check(all(took < 10 for *_, took in answers), "at once", sorted(took for *_, took in answers)[-3:])
    cursor = answers[0][1]["nextCursor"]
    answers.clear()
    wait(1)
    tap.check(0.9 < answers[0][2] < 5 and answers[0][1]["logs"] == [], "without one it ends after its time", answers)

    answers.clear()
    threads = [threading.Thread(target=wait, args=(3,)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    codes = [status for status, *_ in answers]
    tap.check(codes.count(200) == 32 and codes.count(429) == 8, "thirty-two of one client may wait", codes)

    gone = [socket.create_connection(("127.0.0.1", server.query_port)) for _ in range(32)]
    for connection in gone:
        connection.sendall(f"GET {query(cursor=cursor, wait=30)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    time.sleep(0.5)
    answers.clear()
    wait(1)
    for connection in gone:
        connection.close()
    time.sleep(2)
    wait(1)
    tap.same([status for status, *_ in answers], [429, 200], "who has left does not wait")

    answers.clear()
    threads = [threading.Thread(target=wait, args=(20,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    begin = time.monotonic()
    server.stop()
    tap.check(time.monotonic() - begin < 8, "the server stops while some wait", time.monotonic() - begin)
    for thread in threads:
        thread.join(10)
    tap.same([status for status, *_ in answers], [200] * 5, "which are answered")


def hostile():
    server, other = Server(new_folder()), Server(new_folder())
    server.send("logs", logs_request(stamped("cart"), [log(time.time_ns(), "one")]))
    good = server.ask(query())["nextCursor"]
    foreign = other.ask(query())["nextCursor"]
    wrong = [query(cursor=c) for c in ("x", good[:-1], good[:-2] + ("00" if good[-2:] != "00" else "11"), "0" * 66,
                                       good.replace("01", "02", 1), "\u00e9" * 33, foreign)]
    wrong += [query(**{name: value}) for name, value in (
        ("limit", 0), ("limit", 1001), ("limit", "-1"), ("wait", 31), ("wait", "1s"), ("lines", 1001), ("since", "x"),
        ("since", "-5m"), ("startTime", "yesterday"), ("logLevels", "ERROR,LOUD"), ("traceId", "12"), ("spanId", "zz"),
        ("attr", "novalue"), ("attr", "=x"), ("attr", ["k=v"] * 65), ("searchWords", ",".join("a" * 99)),
        ("includeAttributes", "yes"))]
    wrong.append(query(component="cart"))
    for path in wrong:
        answer = server.query(path)
        tap.check(answer.status == 400 and json.loads(answer.body)["message"], f"400: {path[:80]}", answer)
    for path in (query(cursor=good, attr=["a=b=c", "x="]), query(lines=0), query(since="24h", limit=1),
                 query(searchPhrase="%00\n\u00e9"), query(startTime="1970-01-01T00:00:00Z")):
        tap.same(server.query(path).status, 200, f"200: {path[:80]}")
    server.stop()
    other.stop()


follow_over_restarts()
waiting()
hostile()
tap.end()
