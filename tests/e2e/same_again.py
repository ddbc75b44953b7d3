"""A sender that lost an answer sends the same request again: it is acknowledged
and counted once, whatever lies between the two; and what is not the same
request is not taken for it.
"""
import threading
import time

from callboard import (NS, Server, Tap, around, export, gauge, log, logs_request, metrics_request, new_folder,
                       otlp_json, otlp_proto, scope, seeded, span, spans_request, stamped)

tap = Tap()
rng = seeded()
REPEATED = "duplicate_requests_total"


def request_of(kind, name, times, **more):
    """One request with a record for each time."""
    if kind == "traces":
        return spans_request(stamped(name), [span(rng, t, kind=2, **more) for t in times])
    if kind == "logs":
        return logs_request(stamped(name), [log(t, f"line {i}", **more) for i, t in enumerate(times)])
    return metrics_request(stamped(name), [gauge("jobs", t, i, **more) for i, t in enumerate(times)])


def accepted(server, kind):
    return int(server.counter(f'records_accepted_total{{signal="{kind}"}}'))


def stored(server, name):
    """Spans and log records found, those in memory included."""
    now = time.time_ns()
    found = server.ask("/api/v1/logs/query", {**around(now), "searchScope": scope(name), "limit": 1000})["total"]
    traces = server.ask("/api/v1alpha1/traces/query", {**around(now), "searchScope": scope(name), "limit": 1000})
    return found + sum(t["spanCount"] for t in traces["traces"])


def once(server, kind, name, body, copies=2, encoding="proto", between=lambda server: server):
    """Sends body again and again; true if it counted once, and the answers
    were the same. The server that is there in the end."""
    repeated = server.counter(REPEATED)
    first = export(server.otlp_port, kind, body, encoding)
    server = between(server)
    if server.counter(REPEATED) < repeated:
        repeated = 0
    rest = [export(server.otlp_port, kind, body, encoding) for _ in range(copies - 1)]
    same = all(r.status == first.status == 200 and r.body == first.body for r in rest)
    return same and server.counter(REPEATED) - repeated == copies - 1, server


def every_signal(server):
    now = time.time_ns()
    for encoding, encode in (("proto", otlp_proto), ("json", otlp_json)):
        for kind in ("traces", "logs", "metrics"):
            before = accepted(server, kind)
            body = encode(kind, request_of(kind, f"{kind}-{encoding}", [now, now + 1, now + 2]))
            good, _ = once(server, kind, "", body, 3, encoding)
            tap.check(good and accepted(server, kind) - before == 3,
                      f"{kind} in {encoding}, three times: counted once", (good, accepted(server, kind) - before))
            if kind != "metrics":
                tap.same(stored(server, f"{kind}-{encoding}"), 3, f"{kind} in {encoding}: stored once")


def observed(server):
    """A log record that has nothing but the time at which it was observed."""
    records = [{**log(0, "x"), "observedTimeUnixNano": str(time.time_ns())}]
    good, _ = once(server, "logs", "", otlp_json("logs", logs_request(stamped("observed"), records)), 3, "json")
    tap.check(good, "a log record with an observed time only: counted once")
    tap.same(stored(server, "observed"), 1, "and stored once")


def compressed(server):
    """What matters are the bytes after inflating."""
    body = otlp_proto("traces", request_of("traces", "packed", [time.time_ns()]))
    for compress in (None, "gzip", None):
        tap.same(export(server.otlp_port, "traces", body, compress=compress).status, 200, f"compressed: {compress}")
    tap.same(stored(server, "packed"), 1, "sent plain and in gzip: stored once")


def partial(server):
    now = time.time_ns()
    spans = [span(rng, now), span(rng, now)]
    spans[0]["traceId"] = "0" * 32
    body = otlp_json("traces", spans_request(stamped("partial"), spans))
    good, _ = once(server, "traces", "partial", body, encoding="json")
    answer = export(server.otlp_port, "traces", body, "json")
    tap.check(good and b"rejectedSpans" in answer.body, "a partial success is answered the same again", answer.body)
    tap.same(stored(server, "partial"), 1, "and stored once")


def at_once(server):
    body = otlp_proto("logs", request_of("logs", "at-once", [time.time_ns() + i for i in range(500)]))
    answers = []
    senders = [threading.Thread(target=lambda: answers.append(export(server.otlp_port, "logs", body).status))
               for _ in range(12)]
    for s in senders:
        s.start()
    for s in senders:
        s.join()
    tap.same(answers, [200] * 12, "twelve copies at once: all acknowledged")
    tap.same(stored(server, "at-once"), 500, "and stored once")


def not_the_same(server):
    now = time.time_ns()
    cases = {
        "without a time": [0],
        "one of them without a time": [now, 0],
        "far in the future": [now + 5 * 3600 * NS],
    }
    for name, times in cases.items():
        component = name.replace(" ", "-")
        body = otlp_proto("logs", request_of("logs", component, times))
        for _ in range(2):
            export(server.otlp_port, "logs", body)
        tap.same(stored(server, component), 2 * len(times), f"records {name}: each request counts")
    records = [log(now, "a"), log(now + 1, "b")]
    for order in (records, records[::-1]):
        export(server.otlp_port, "logs", otlp_proto("logs", logs_request(stamped("order"), order)))
    tap.same(stored(server, "order"), 4, "other bytes are another request")
    before = server.counter(REPEATED)
    for _ in range(3):
        tap.same(export(server.otlp_port, "traces", b"{}", "json").status, 200, "an empty request")
    tap.same(server.counter(REPEATED), before, "is nothing that could come again")


def restarts():
    options = ["--journal-max", "8MiB"]
    server = Server(new_folder(), *options, "--seal-age", "5m")

    def killed(server):
        server.kill()
        return Server(server.folder, *options, "--seal-age", "5m")

    def stopped(server):
        tap.same(server.stop(), 0, "a clean stop")
        return Server(server.folder, *options, "--seal-age", "100ms")

    def flushed_and_killed(server):
        """Out of the journal before the kill."""
        for i in range(300):
            server.send("logs", request_of("logs", "others", [time.time_ns() + i]))
        time.sleep(1.5)
        return killed(server)

    for between in (killed, stopped, flushed_and_killed, killed):
        for kind in ("traces", "logs"):
            name = f"{between.__name__}-{kind}-{server.pid}"
            body = otlp_proto(kind, request_of(kind, name, [time.time_ns(), time.time_ns() + 1]))
            good, server = once(server, kind, name, body, 3, between=between)
            tap.check(good, f"{kind} again after: {between.__name__}")
            tap.same(stored(server, name), 2, "stored once")
    tap.same(server.stop(), 0, "it ends with status 0")


def main():
    server = Server(new_folder())
    every_signal(server)
    observed(server)
    compressed(server)
    partial(server)
    at_once(server)
    not_the_same(server)
    tap.same(server.stop(), 0, "it ends with status 0")
    restarts()
    tap.end()


main()
