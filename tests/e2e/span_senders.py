"""Single spans as real senders send them, from OTLP to the answers: what failed,
sampling, URLs, an end before the start, a key given twice, a span that is longer
than the window. Each is asked in memory and again when it lies in a block."""
import re
import time

from log_senders import STAMP, T0, attributes
from running import Running, Tap

S = 10**9
WINDOW = {"startTime": "2025-01-15T07:00:00Z", "endTime": "2025-01-15T09:00:00Z"}
GET = {"http.request.method": "GET", "http.route": "/a"}


class Sender:
    def __init__(self, server):
        self.server, self.count = server, 0

    def span(self, kind=2, attrs=None, **more):
        self.count += 1
        return {"traceId": f"{self.count:032x}", "spanId": f"{self.count:016x}", "name": "name",
                "kind": kind, "startTimeUnixNano": str(T0), "endTimeUnixNano": str(T0 + 10**7),
                "attributes": attributes(GET if attrs is None else attrs), **more}

    def send(self, component, *spans, twice=()):
        resource = attributes({**STAMP, "openchoreo.dev/component": component}) + list(twice)
        self.server.send("/v1/traces", {"resourceSpans": [
            {"resource": {"attributes": resource},
             "scopeSpans": [{"scope": {"name": "x", "attributes": list(twice)}, "spans": list(spans)}]}]})
        return [s["traceId"] for s in spans]

    def ask(self, path, component, **more):
        scope = {"namespace": "acme", "project": "shop", "component": component}
        return self.server.ask_json("POST", path, {**WINDOW, "limit": 100, "searchScope": scope, **more})[1]

    def traces(self, component, **more):
        return self.ask("/api/v1alpha1/traces/query", component, **more)

    def one(self, component, trace):
        path = f"/api/v1alpha1/traces/{trace}/spans/query"
        return self.ask(path, component, includeAttributes=True)["spans"][0]

    def page(self, component):
        return self.server.ask_json("GET", f"/api/v1/components/acme/shop/{component}"
                                    f"?startTime={WINDOW['startTime']}&endTime={WINDOW['endTime']}")[1]

    def counter(self, name):
        text = self.server.ask("GET", "/metrics")[2].decode()
        return int(re.search(rf"^callboard_{re.escape(name)} (\d+)", text, re.M).group(1))


# kind, attributes, status: does it fail?
OUTCOMES = [
    (2, {**GET, "http.response.status_code": 500}, 0, True),
    (2, {**GET, "http.response.status_code": 500}, 1, False),
    (2, {**GET, "http.response.status_code": 404}, 0, False),
    (3, {"http.request.method": "GET", "http.response.status_code": 404}, 0, True),
    (2, {"http.method": "POST", "http.url": "http://h/pb.Cart/Add", "http.status_code": "200",
         "grpc.status_code": "14"}, 0, True),
    (2, {"rpc.system": "grpc", "rpc.method": "a.B/C", "rpc.grpc.status_code": 5}, 0, False),
    (3, {"rpc.system": "grpc", "rpc.method": "a.B/C", "rpc.response.status_code": "NOT_FOUND"}, 0, True),
    (2, {"method": "GET", "uri": "/x", "status": "503", "outcome": "SERVER_ERROR"}, 0, True),
    (2, {"http.method": "GET", "http.path": "/x", "error": "connection reset"}, 0, True),
    (1, {"error": True}, 0, True),
    (1, {"error": "false"}, 0, False),
    (2, GET, 2, True),
    (2, GET, 0, False),
]


def outcomes(send, tap, fresh):
    if fresh:
        send.send("o", *[send.span(kind, attrs, status={"code": code}) for kind, attrs, code, _ in OUTCOMES])
    failed = {f"{i + 1:032x}": f for i, (_, _, _, f) in enumerate(OUTCOMES)}
    found = send.traces("o")["traces"]
    tap.check({t["traceId"]: t["hasErrors"] for t in found} == failed, "hasErrors by one rule",
              failed, [(t["traceId"], t["hasErrors"]) for t in found])
    only = send.traces("o", errorsOnly=True)
    tap.check({t["traceId"] for t in only["traces"]} == {t for t, f in failed.items() if f}
              and only["total"] == sum(failed.values()), "errorsOnly by the same", only)
    shown = {t: send.one("o", t)["status"]["code"] == "error" for t in failed}
    tap.check(shown == failed, "status.code by the same", shown)
    served = [f for kind, _, _, f in OUTCOMES if kind == 2]
    ratio = send.page("o")["summary"]["errorRatio"]
    tap.check(abs(ratio - sum(served) / len(served)) < 1e-6, "the page's error ratio by the same", ratio)


def sampled(send, tap, fresh):
    if fresh:
        send.send("w", *[send.span(traceState="dd=s:1, ot=rv:0;th:c") for _ in range(10)],
                  *[send.span(traceState=s) for s in ("", "ot=th:C", "ot=p:3;r:5")])
    tap.check(send.page("w")["summary"]["requestCount"] == 50, "requests are weighed by the sender's sampling",
              send.page("w")["summary"])
    tap.check(send.traces("w")["total"] == 13, "what is listed is what came")


def urls(send, tap, fresh):
    if fresh:
        send.send("u", *[send.span(attrs={"http.method": "GET", key: text}) for key, text in (
            ("http.url", "/carts/17"), ("http.url", "cart:8080/carts/18?to=http://x/y"),
            ("http.target", "http://u:p@[::1]:80/carts/19#z"), ("url.full", "carts/20"),
            ("uri", "/carts/{id}"), ("http.path", "/carts/2f9d3c55"))])
    operations = {o["operation"] for e in send.page("u")["endpoints"] for o in e["operations"]}
    tap.check(operations == {"GET /carts/{id}"}, "one operation, however its URL is written", operations)


def times(send, tap, fresh):
    if fresh:
        before = send.counter("spans_end_before_start_total")
        send.send("t", send.span(endTimeUnixNano=str(T0 - S)))
        tap.check(send.counter("spans_end_before_start_total") == before + 1, "an end before the start is counted")
        send.send("l", send.span(endTimeUnixNano=str(T0 + 1800 * S)))
    trace = send.traces("t")["traces"][0]
    span = send.one("t", trace["traceId"])
    tap.check((trace["durationNs"], span["durationNs"], span.get("endBeforeStart")) == (0, 0, True),
              "it is kept with the duration 0 and flagged", trace, span)
    for start, end, listed in (("07:59", "08:00", 0), ("08:00", "08:01", 1), ("08:10", "08:11", 1),
                               ("08:29", "08:40", 1), ("08:31", "08:40", 0)):
        found = send.traces("l", startTime=f"2025-01-15T{start}:00Z", endTime=f"2025-01-15T{end}:00Z")
        tap.check(found["total"] == listed, f"a span from 8:00 to 8:30 and the window {start} to {end}: {listed}", found)


def twice(send, tap, fresh):
    pairs = attributes({"k": "first"}) + attributes({"k": "last"})
    if fresh:
        span = send.span(events=[{"timeUnixNano": str(T0), "name": "e", "attributes": pairs}],
                         links=[{"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": pairs}])
        span["attributes"] += pairs + [{"key": "m", "value": {"kvlistValue": {"values": pairs}}}]
        send.send("d", span, twice=pairs)
    span = send.one("d", send.traces("d")["traces"][0]["traceId"])
    seen = [span["attributes"], span["resourceAttributes"], span["attributes"]["m"],
            span["events"][0]["attributes"], span["links"][0]["attributes"]]
    tap.check([a.get("k") for a in seen] == ["last"] * 5, "of a key given twice the last value wins", span)
    totals = [send.traces("d", attributes={"k": value}).get("total") for value in ("first", "last")]
    tap.check(totals == [0, 1], "and it is the one that is found", totals)


def main():
    tap = Tap()
    with Running("--seal-age", "2s") as server:
        send = Sender(server)
        for part in (outcomes, sampled, urls, times, twice):
            part(send, tap, True)
        for _ in range(300):
            if send.counter("memtable_bytes") == 0:
                break
            time.sleep(0.1)
        tap.check(send.counter('blocks_written_total{signal="traces"}') > 0, "then all lies in blocks")
        for part in (outcomes, sampled, urls, times, twice):
            part(send, tap, False)
    tap.exit()


if __name__ == "__main__":
    main()
