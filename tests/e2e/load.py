"""Load whose every record is known: senders that remember what became of each
request, and a comparison with what the query API has.

What is compared of a request:
  logs     every record by its text; the total of its time range
  spans    every span by its id, and the requests counted per component,
           which come from derived series and see a span taken twice
  points   each has a power of two as value, so that the sum of them says
           which ones are there; the number of stored points says if any of
           them is there twice
"""
import random
import threading
import time

from callboard import (NS, Client, around, double, export, field, fixed64, number, rfc3339, scope,
                       stamped, text_attr)

SPANS, LOGS, POINTS = 20, 30, 25  # of one request
PADDING = 1500  # bytes of one record that do not compress: fills the journal


class Request:
    """One export request: what it held, and whether it was acknowledged."""

    def __init__(self, kind, component, number_, time_ns):
        self.kind, self.component, self.number, self.time_ns = kind, component, number_, time_ns
        self.acknowledged = False
        self.there = False  # found after a restart: then it must stay

    @property
    def trace_id(self):
        return f"{self.number + 1:032x}"

    @property
    def span_ids(self):
        return {f"{self.number * SPANS + i + 1:016x}" for i in range(SPANS)}

    @property
    def texts(self):
        return [f"request {self.number} record {i}" for i in range(LOGS)]


def resource(component):
    return field(1, b"".join(text_attr(1, k, v) for k, v in stamped(component).items()))


def span_bytes(request, padding):
    route = text_attr(9, "http.request.method", "GET") + text_attr(9, "http.route", "/items/{id}")
    spans = b"".join(
        field(2, field(1, bytes.fromhex(request.trace_id)) + field(2, bytes.fromhex(span_id)) +
              field(5, "GET /items") + number(6, 2) + fixed64(7, request.time_ns + i * 1000) +
              fixed64(8, request.time_ns + i * 1000 + 500) + route + text_attr(9, "pad", padding()))
        for i, span_id in enumerate(sorted(request.span_ids)))
    return field(1, resource(request.component) + field(2, spans))


def log_bytes(request, padding):
    logs = b"".join(
        field(2, fixed64(1, request.time_ns + i) + number(2, 9) + field(5, field(1, text)) +
              text_attr(6, "pad", padding()))
        for i, text in enumerate(request.texts))
    return field(1, resource(request.component) + field(2, logs))


def point_bytes(request, padding):
    points = b"".join(
        field(1, fixed64(3, request.time_ns) + double(4, float(1 << i)) + text_attr(7, "i", str(i)))
        for i in range(POINTS))
    metric = field(2, field(1, "container.memory.usage") + field(5, points))
    return field(1, resource(request.component) + field(2, metric))


BYTES = {"traces": span_bytes, "logs": log_bytes, "metrics": point_bytes}


class Sender(threading.Thread):
    """Sends requests of one kind over one connection until it breaks."""

    numbers = iter(range(10**9))
    lock = threading.Lock()

    def __init__(self, server, kind, round_, seed):
        super().__init__(daemon=True)
        self.server, self.kind, self.round = server, kind, round_
        self.random = random.Random(seed)
        self.requests = []
        self.compress = self.random.choice([None, None, "gzip"])
        self.other = 0  # answers that are neither 200 nor 503

    def padding(self):
        return self.random.randbytes(PADDING // 2).hex()

    def next_request(self):
        with Sender.lock:
            n = next(Sender.numbers)
        # Points have a component of their own for each request, for they are
        # looked at through its sum; the others share one a round.
        component = f"m{n}" if self.kind == "metrics" else f"k{self.round}"
        # A microsecond for each record that no other request has.
        return Request(self.kind, component, n, time.time_ns() // 1_000_000_000 * NS + n % 10_000 * 100_000)

    def run(self):
        with Client(self.server.otlp_port) as client:
            while True:
                request = self.next_request()
                body = BYTES[self.kind](request, self.padding)
                self.requests.append(request)
                try:
                    answer = export(None, self.kind, body, compress=self.compress, client=client)
                except Exception:  # killed: no answer is the whole point
                    return
                request.acknowledged = answer.status == 200
                if answer.status == 503:
                    time.sleep(0.01)
                elif answer.status != 200:
                    self.other += 1


# ---- comparing ----


def seen_of_logs(server, request):
    """1: there, 0: not there, else what is wrong."""
    until = request.time_ns + LOGS
    answer = server.ask("/api/v1/logs/query", {
        "startTime": rfc3339(request.time_ns), "endTime": rfc3339(until), "limit": 1000,
        "searchScope": scope(request.component), "sortOrder": "asc"})
    texts = [e["log"] for e in answer["logs"]]
    if answer["total"] == len(texts) and texts in ([], request.texts):
        return int(bool(texts))
    return f"logs of request {request.number}: total {answer['total']}, {texts}"


def seen_of_traces(server, request):
    answer = server.ask(f"/api/v1alpha1/traces/{request.trace_id}/spans/query", {
        **around(request.time_ns), "limit": 1000, "searchScope": scope(request.component)})
    ids = [s["spanId"] for s in answer["spans"]]
    if len(ids) == len(set(ids)) and set(ids) in (set(), request.span_ids):
        return int(bool(ids))
    return f"spans of request {request.number}: {sorted(ids)}"


def seen_of_metrics(server, request):
    answer = server.ask("/api/v1/metrics/query", {
        "startTime": rfc3339(request.time_ns - 600 * NS), "endTime": rfc3339(request.time_ns + 60 * NS),
        "step": "1m", "metric": "resource", "searchScope": scope(request.component)})["memoryUsage"]
    if not answer:
        return 0
    # Exact, but for the arithmetic of averaging a sample over its minute.
    total, wanted = answer[-1]["value"], float((1 << POINTS) - 1)
    if abs(total - wanted) < 0.01:
        return 1
    return f"points of request {request.number}: {int(total):b}"


SEEN = {"logs": seen_of_logs, "traces": seen_of_traces, "metrics": seen_of_metrics}


def compare(server, requests):
    """What is wrong with them, as texts."""
    wrong = []
    for request in requests:
        seen = SEEN[request.kind](server, request)
        if seen not in (0, 1):
            wrong.append(seen)
        elif seen == 0 and request.acknowledged:
            wrong.append(f"{request.kind} {request.number}: acknowledged and lost")
        elif seen == 0 and request.there:
            wrong.append(f"{request.kind} {request.number}: was there before and is gone")
        elif seen == 1:
            request.there = True
    return wrong


def compare_derived(server, round_, requests):
    """Requests counted for the component of a round; after compare()."""
    there = sum(r.there for r in requests if r.kind == "traces") * SPANS
    page = server.ask(f"/api/v1/components/acme/shop/k{round_}?environment=test"
                      "&startTime={startTime}&endTime={endTime}".format(**around(minutes=120)))
    counted = page["summary"]["requestCount"]
    return [] if counted == there else [f"round {round_}: {counted} requests derived, {there} spans stored"]


def start_senders(server, round_, rng, kinds=("traces", "logs", "metrics", "logs", "traces")):
    senders = [Sender(server, kind, round_, rng.getrandbits(64)) for kind in kinds]
    for sender in senders:
        sender.start()
    return senders


def join_senders(senders):
    """What they sent."""
    for sender in senders:
        sender.join(30)
    return [r for sender in senders for r in sender.requests]
