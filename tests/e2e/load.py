"""Senders that remember what became of each numbered request (numbered.py), and
a comparison with what the query API has: every request that is there, and the
requests counted per component, which come from derived series and would show a
span that was taken twice.
"""
import random
import threading
import time

from callboard import NS, Client, around, export
from numbered import SPANS, Numbered

PADDING = 1500  # bytes of one record that do not compress: fills the journal


class Request(Numbered):
    """One export request: what it held, and whether it was acknowledged."""

    acknowledged = False
    there = False  # found after a restart: then it must stay


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
        # A range of time for its records that no other request has.
        return Request(self.kind, n, component, time.time_ns() // 1_000_000_000 * NS + n % 10_000 * 100_000)

    def run(self):
        with Client(self.server.otlp_port) as client:
            while True:
                request = self.next_request()
                body = request.body(self.padding)
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


def compare(server, requests):
    """What is wrong with them, as texts."""
    wrong = []
    for request in requests:
        seen = request.found(server)
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
