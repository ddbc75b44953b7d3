"""Several instances over one broker and one database, under faults: each record
is stored once, and what is derived counts each once.

A producer sends calls between two components (the two spans of a call in
messages of their own), log records and points all the time. Meanwhile instances
are killed, stopped and continued as zombies, and started again; answers of
ClickHouse are lost and its connections cut; broker and ClickHouse are killed.
At the end the tables hold what was sent, by counts made here: spans, log
records, points, requests, errors and calls of each minute.

FAULT_SECONDS (30; 600 with NIGHTLY=1), INSTANCES (3), SEED may be given.
"""
import collections
import os
import signal
import threading
import time

import kit
import kafka
from callboard import (NS, DidNotStart, Server, Tap, attributes, log, logs_request, metrics_request, new_folder,
                       otlp_proto, seeded, spans_request, stamped, wait_until)

SECONDS = int(os.environ.get("FAULT_SECONDS", "600" if os.environ.get("NIGHTLY") else "30"))
INSTANCES = int(os.environ.get("INSTANCES", "3"))
PARTITIONS = 3
EDGE_WAIT = 5
TAKEOVER = 60  # seconds, on a busy machine too, until nothing of a killed instance waits; make bench measures it

tap = Tap()
rng = seeded()


class Load(threading.Thread):
    """Sends until it is ended, and counts what it sent."""

    def __init__(self, broker):
        super().__init__(daemon=True)
        self.producer = kafka.Producer(broker)
        self.random = type(rng)(rng.getrandbits(64))
        self.ended = threading.Event()
        self.error = None
        self.number = 0
        self.later = []  # (when, what to send)
        self.spans = self.logs = self.points = self.letters = 0
        self.requests = collections.Counter()  # (component, minute)
        self.errors = collections.Counter()
        self.calls = collections.Counter()

    def send(self, kind, body, key):
        self.producer.send(kafka.TOPICS[kind], body, key=key)

    def span(self, component, trace, span, parent, kind, start_ns, failed, **attrs):
        one = {"traceId": trace, "spanId": span, "name": "GET /items", "kind": kind,
               "startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(start_ns + self.random.randrange(1, 10**8)),
               "attributes": attributes({"http.request.method": "GET", **attrs,
                                         "http.response.status_code": "#500" if failed else "#200"})}
        if parent:
            one["parentSpanId"] = parent
        if failed:
            one["status"] = {"code": 2}
        self.spans += 1
        return otlp_proto("traces", spans_request(stamped(component), [one]))

    def call(self):
        """front serves a request and calls cart; each message has one span."""
        self.number += 1
        trace, now = f"{self.number:032x}", time.time_ns()
        ids = [f"{self.number * 4 + i:016x}" for i in range(3)]
        failed = self.random.random() < 0.2
        minute = now // (60 * NS)
        bodies = [
            self.span("front", trace, ids[0], None, 2, now, failed, **{"http.route": "/buy"}),
            self.span("front", trace, ids[1], ids[0], 3, now, failed, **{"server.address": "elsewhere.example"}),
            self.span("cart", trace, ids[2], ids[1], 2, now, failed, **{"http.route": "/items"})]
        self.random.shuffle(bodies)
        for body in bodies:
            self.later.append((time.monotonic() + self.random.choice((0, 0, 0, 1)), "traces", body, trace.encode()))
        for component in ("front", "cart"):
            self.requests[component, minute] += 1
            self.errors[component, minute] += failed
        self.calls[minute] += 1

    def records(self):
        self.number += 1
        now = time.time_ns()
        if self.random.random() < 0.05:
            self.letters += 1
            self.send("logs", b"\x01no telemetry %d" % self.number, str(self.number).encode())
        elif self.random.random() < 0.5:
            count = self.random.randrange(1, 20)
            self.logs += count
            self.send("logs", otlp_proto("logs", logs_request(stamped("cart"), [
                log(now + i, f"record {self.number} {i}") for i in range(count)])), str(self.number).encode())
        else:
            self.points += 1
            self.send("metrics", otlp_proto("metrics", metrics_request(stamped("cart"), [
                {"name": "queue.length", "gauge": {"dataPoints": [
                    {"timeUnixNano": str(now), "asDouble": float(self.number)}]}}])), str(self.number).encode())

    def send_due(self, everything=False):
        now = time.monotonic()
        due = [one for one in self.later if everything or one[0] <= now]
        self.later = [one for one in self.later if one not in due]
        for _, kind, body, key in due:
            self.send(kind, body, key)

    def run(self):
        try:
            while not self.ended.is_set():
                self.call()
                if self.random.random() < 0.5:
                    self.records()
                self.send_due()
                time.sleep(self.random.expovariate(40))
        except kafka.Unavailable as error:
            self.error = error

    def end(self):
        self.ended.set()
        self.join()
        if self.error:
            raise self.error
        self.send_due(everything=True)
        self.producer.close()


# ---- faults ----


class Faults:
    def __init__(self, rig):
        self.rig = rig
        self.done = collections.Counter()
        self.down = {}  # instance -> when it is started again

    def running(self):
        return [one for one in self.rig.instances if one not in self.down and one.running()]

    def start_again(self, everything=False):
        for one, when in list(self.down.items()):
            if everything or time.monotonic() >= when:
                self.start(one)
                del self.down[one]

    def start(self, one):
        """Who starts while ClickHouse is away ends, and is started again, as by systemd."""
        for left in range(20, -1, -1):
            try:
                one.start()
                return
            except DidNotStart:
                if left == 0:
                    raise
                self.rig.database.proxy.clear()
                time.sleep(0.5)

    def kill(self):
        one = rng.choice(self.running())
        one.kill()
        self.down[one] = time.monotonic() + rng.uniform(0, 4)

    def stop(self):
        """Gracefully: its partitions move in the middle of blocks."""
        one = rng.choice(self.running())
        one.stop()
        self.down[one] = time.monotonic() + rng.uniform(0, 2)

    def zombie(self):
        """It sleeps longer than its session lasts, and goes on as if it were the owner."""
        process = rng.choice(self.running()).server.child
        process.send_signal(signal.SIGSTOP)
        time.sleep(rng.uniform(3, 5))
        process.send_signal(signal.SIGCONT)

    def answers(self):
        kind = rng.choice(("lost_answer", "cut_request", "cut_answer", "refuse", "readonly", "slow"))
        self.rig.database.proxy.set(kind, match="INSERT", count=rng.randrange(1, 6), seed=rng.getrandbits(16))

    def database(self):
        self.rig.database.kill()
        time.sleep(rng.uniform(0, 3))
        self.rig.database.start()

    def broker(self):
        self.rig.broker.kill()
        time.sleep(rng.uniform(0, 2))
        self.rig.broker.start()

    def run(self, seconds):
        kinds = [self.kill] * 3 + [self.stop, self.zombie] + [self.answers] * 4 + [self.database, self.broker]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            fault = rng.choice(kinds)
            if fault in (self.kill, self.stop, self.zombie) and not self.running():
                fault = self.answers
            fault()
            self.done[fault.__name__] += 1
            time.sleep(rng.uniform(0, 3))
            self.start_again()
        self.start_again(everything=True)
        self.rig.database.proxy.clear()


# ---- what is stored ----


def derived(rig, metric, component, more=""):
    return {int(minute): int(count) for minute, count in rig.sql(
        "SELECT intDiv(toUnixTimestamp(Time), 60) - 1, sum(Count) + sum(Value) FROM callboard_series "
        f"WHERE Metric = '{metric}' AND Component = '{component}' {more} GROUP BY 1 ORDER BY 1")}


def calls_of(rig):
    """Without those that were taken back."""
    peer = "AND Attributes['peer.kind'] = 'component'"
    counted = collections.Counter(derived(rig, "callboard.edge.out.duration", "front", peer))
    counted.subtract(derived(rig, "callboard.edge.back.out.duration", "front", peer))
    return {minute: count for minute, count in counted.items() if count}


def of(counter, component):
    return {minute: count for (one, minute), count in counter.items() if one == component and count}


def check(rig, load):
    tap.same(rig.sql("SELECT count(), uniqExact(TraceId, SpanId) FROM otel_traces")[0],
             [load.spans, load.spans], "each span is stored once")
    tap.same(rig.sql("SELECT count(), uniqExact(Body) FROM otel_logs")[0], [load.logs, load.logs],
             "each log record is stored once")
    tap.same(rig.sql("SELECT count(), uniqExact(Value) FROM otel_metrics_gauge")[0], [load.points, load.points],
             "each point is stored once")
    tap.same(rig.sql("SELECT count() FROM callboard_dead_letters")[0], [load.letters],
             "each message that is no telemetry is a dead letter once")
    for component in ("front", "cart"):
        tap.same(derived(rig, "callboard.endpoint.duration", component), of(load.requests, component),
                 f"requests of {component} by minute")
        tap.same(derived(rig, "callboard.endpoint.errors", component), of(load.errors, component),
                 f"errors of {component} by minute")
    wanted = {minute: count for minute, count in load.calls.items() if count}
    wait_until(lambda: calls_of(rig) == wanted, 30)
    tap.same(calls_of(rig), wanted, "calls of front to cart by minute")


def takeover(rig):
    """Seconds from kill -9 of an instance until nothing waits in its partitions."""
    one = rig.running()[0]
    one.kill()
    began = time.monotonic()
    time.sleep(0.5)
    limit = 60
    # A moment in which the rest of a second waits is no lag.
    wait_until(lambda: 0 <= rig.behind() < 100 and sum(other.partitions() for other in rig.running())
               == PARTITIONS * 3, limit)
    took = time.monotonic() - began
    one.start()
    return took


def check_refusals():
    """Options that do not go together are refused with a reason."""
    for options, reason in (
            (("--store", "clickhouse=http://127.0.0.1:1/x"), "--kafka-brokers"),
            (("--store", "elsewhere"), "clickhouse=URL"),
            (("--store", "clickhouse=http://127.0.0.1:1/x", "--kafka-brokers", "127.0.0.1:1", "--ingest-to", "journal"),
             "journal is for a store in --data-dir")):
        try:
            Server(new_folder(), *options).kill()
            seen = "it started"
        except DidNotStart as error:
            seen = str(error)
        tap.check(reason in seen, f"refused: {' '.join(options)}", seen)


def main():
    check_refusals()
    rig = kit.Installation(INSTANCES, "--edge-wait", f"{EDGE_WAIT}s", partitions=PARTITIONS, proxied=True)
    faults = Faults(rig)
    for one in rig.instances:
        faults.start(one)
    load = Load(rig.broker)
    load.start()
    faults.run(SECONDS)
    tap.check(wait_until(lambda: 0 <= rig.behind() < 100, 60), "it catches up after the faults", rig.behind())
    took = takeover(rig)
    print(f"# faults: {dict(faults.done)}; takeover after kill -9: {took:.1f} s")
    tap.check(took < TAKEOVER, "a killed instance's partitions are taken over", took)
    load.end()
    tap.check(rig.settled(120), "all is stored in the end", rig.behind())
    print(f"# {load.spans} spans, {load.logs} log records, {load.points} points")
    check(rig, load)
    codes = rig.stop()
    tap.check(all(code == 0 for code in codes), "they stop in order", codes)


if __name__ == "__main__":
    kit.run_tests(tap, main)
