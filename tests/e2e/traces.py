"""GET /api/v1/traces and /api/v1/traces/{traceId}: the simulated shop, traces
made by hand (parallel and asynchronous calls, wrong clocks, missing parents,
cycles, one id in two namespaces, 50,000 spans), and values that nobody should
send. In memory and, after a restart, in blocks.
"""
import json
import os
import subprocess
import time
import urllib.parse

from callboard import (NS, Server, Tap, log, logs_request, new_folder, rfc3339, seeded, span, spans_request,
                       stamped)

tap = Tap()
rng = seeded()
MS = 1_000_000
NOW = time.time_ns() // NS * NS - 60 * NS
SHOPGEN = os.environ.get("SHOPGEN", "build/debug/shopgen")
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5


def path(trace, **values):
    return f"/api/v1/traces/{trace}?" + urllib.parse.urlencode(values, doseq=True)


def find(**values):
    values = {"startTime": rfc3339(NOW - 3600 * NS), "endTime": rfc3339(NOW + 600 * NS), **values}
    return "/api/v1/traces?" + urllib.parse.urlencode(values, doseq=True)


class Trace:
    """Spans by name; times are milliseconds after NOW."""

    def __init__(self, at_ms=0):
        self.id, self.ids, self.at, self.parts = rng.randbytes(16).hex(), {}, NOW + at_ms * MS, []

    def id_of(self, name):
        return self.ids.setdefault(name, rng.randbytes(8).hex())

    def add(self, name, component, start, end, parent=None, kind=1, namespace="acme", **more):
        one = span(rng, self.at + int(start * MS), self.id, self.id_of(name), self.id_of(parent) if parent else None,
                   kind, int((end - start) * MS), name=more.pop("called", name), **more)
        self.parts.append((stamped(component, namespace=namespace), one))
        return one

    def send(self, server):
        for resource, one in rng.sample(self.parts, len(self.parts)):
            assert server.send("traces", spans_request(resource, [one])).status == 200
        return self.id


def by_name(tree):
    return {one["spanName"]: one for one in tree["spans"]}


def shop(server):
    subprocess.run([SHOPGEN, "--otlp", f"127.0.0.1:{server.otlp_port}", "--start", rfc3339(NOW - 1200 * NS),
                    "--duration", "10m", "--rate", "5", "--fault", "5m", "--no-pace", "--quiet"], check=True)


def shop_traces(server):
    found = server.ask(find(namespace="acme", project="shop", status="error", limit=1000,
                            startTime=rfc3339(NOW - 1200 * NS), endTime=rfc3339(NOW - 600 * NS)))
    tap.check(found["summary"]["groups"] and found["traces"], "failed traces of the shop are found")
    worst = found["summary"]["groups"][0]
    tap.check(worst["status"] == "error" and worst["failing"]["component"] == "inventory",
              "the largest group of failed ones failed in inventory", worst)
    tap.check(sum(g["count"] for g in found["summary"]["groups"]) == found["summary"]["examined"] or
              found["summary"]["groupCount"] > 20, "groups add up")
    for trace in [t["traceId"] for t in found["traces"][:20]]:
        tree = server.ask(path(trace))
        root = tree["summary"]["rootDurationNs"]
        wrong = [s for s in tree["spans"] if s["selfTimeNs"] > s["durationNs"] or s["criticalPathNs"] > s["durationNs"]]
        if (sum(s["criticalPathNs"] for s in tree["spans"]) != root or wrong or not tree["errors"] or
                len(tree["spans"]) != tree["summary"]["spanCount"] or not tree["summary"]["logCount"]):
            tap.check(False, "a failed trace of the shop", tree)
            return
    tap.check(True, "each failed trace has an origin, log records, and a path as long as its root")


def slowest(server):
    """In parts of the window, as the list of all has it."""
    for start in (0, 300, 600):
        window = {"startTime": rfc3339(NOW - 1200 * NS), "endTime": rfc3339(NOW - (600 + start) * NS)}
        question = {**window, "searchScope": {"namespace": "acme"}, "limit": 1000}
        all_, answer = [], server.ask("/api/v1alpha1/traces/query", question)
        while True:
            all_ += answer["traces"]
            if "nextCursor" not in answer:
                break
            answer = server.ask("/api/v1alpha1/traces/query", {**question, "cursor": answer["nextCursor"]})
        wanted = sorted((t["durationNs"] for t in all_), reverse=True)[:50]
        found = server.ask(find(namespace="acme", sortBy="duration", limit=50, **window))
        tap.same([t["durationNs"] for t in found["traces"]], wanted, f"the slowest of {len(all_)} traces, exactly")
        tap.check(found["exact"] and found["summary"]["total"] == len(all_), "and it says so", found["summary"]["total"])
        filtered = server.ask(find(namespace="acme", minDuration="10ms", maxDuration="20ms", limit=1000, **window))
        tap.check(all(10 * MS <= t["durationNs"] <= 20 * MS for t in filtered["traces"]), "durations filter")


def shapes(server):
    calls = Trace()
    calls.add("root", "web", 0, 100, kind=SERVER)
    calls.add("a", "web", 10, 60, "root", CLIENT)
    calls.add("b", "cart", 20, 50, "a", SERVER, error=True)
    calls.add("c", "web", 20, 90, "root", CLIENT)
    for i in range(24):
        calls.add(f"q{i}", "cart", 21 + i, 21.5 + i, "b", CLIENT, called="SELECT items", db__system="postgresql")
    calls.add("send", "web", 92, 93, "root", PRODUCER)
    calls.add("receive", "mail", 150, 250, "send", CONSUMER)
    calls.send(server)
    ids = {"traceId": calls.id, "spanId": calls.id_of("b")}
    server.send("logs", logs_request(stamped("cart"), [
        log(calls.at + 30 * MS, "no such item", 17, **ids), log(calls.at + 22 * MS, "reading", 9, **ids),
        log(calls.at + 25 * MS, "of no span", 9, traceId=calls.id)]))
    return calls, odd(server)


def odd(server):
    """A clock that is ahead, parents that are missing or below themselves."""
    one = Trace(5000)
    one.add("root", "web", 0, 100, kind=SERVER)
    one.add("call", "web", 10, 90, "root", CLIENT)
    one.add("served", "cart", 1015, 1085, "call", SERVER)
    one.add("inner", "cart", 1020, 1040, "served")
    one.add("lost", "cart", 200, 210, "nobody")
    one.add("x", "cart", 300, 310, "y")
    one.add("y", "cart", 305, 315, "x")
    one.send(server)
    return one


def check_shapes(server, when, calls, strange):
    tree = server.ask(path(calls.id, attributes="db.system"))
    spans = by_name(tree)
    tap.same((tree["summary"]["root"]["spanName"], tree["summary"]["spanCount"], tree["summary"]["errorCount"],
              tree["summary"]["rootDurationNs"], tree["summary"]["durationNs"]), ("root", 30, 1, 100 * MS, 250 * MS),
             f"{when}: the summary")
    tap.same({name: spans[name]["selfTimeNs"] // MS for name in ("root", "a", "b", "c", "send", "receive")},
             {"root": 19, "a": 20, "b": 18, "c": 70, "send": 1, "receive": 100}, f"{when}: self times")
    tap.same({name: spans[name]["criticalPathNs"] // MS for name in ("root", "a", "c", "send", "receive")},
             {"root": 29, "a": 0, "c": 70, "send": 1, "receive": 0}, f"{when}: the critical path")
    tap.check(spans["receive"].get("asynchronous") and not spans["c"].get("asynchronous"),
              f"{when}: what is consumed is not waited for")
    tap.same([(r["spanName"], r["count"], r["totalNs"], r["parent"]["spanName"]) for r in tree["repeated"]],
             [("SELECT items", 24, 12 * MS, "b")], f"{when}: 24 equal calls")
    tap.same([(e["spanName"], e["component"], e["reachesRoot"], e["path"]) for e in tree["errors"]],
             [("b", "cart", False, [])], f"{when}: the origin of the error")
    tap.same([(row["log"], row["offsetNs"] // MS) for row in spans["b"]["logs"]],
             [("reading", 22), ("no such item", 30)], f"{when}: log records at their span, by time")
    tap.same([row["log"] for row in tree["logs"]], ["of no span"], f"{when}: and those of no span")
    tap.same(spans["SELECT items"]["attributes"], {"db.system": "postgresql"}, f"{when}: an attribute")
    few = server.ask(path(calls.id, limit=5, logs=1))
    tap.check(len(few["spans"]) == 5 and "b" in by_name(few) and few["omitted"]["spans"] == 25,
              f"{when}: of five spans, the origin is one", few["spans"])
    tap.same([row["log"] for one in few["spans"] for row in one.get("logs", [])], ["no such item"],
             f"{when}: of one log record, the error")
    below = server.ask(path(calls.id, spanId=calls.id_of("b")))
    tap.check(len(below["spans"]) == 25 and below["spans"][0]["spanName"] == "b", f"{when}: one span and what is below")

    tree = server.ask(path(strange.id))
    spans = by_name(tree)
    tap.same([(s["component"], s["parentComponent"], s["offsetNs"] // MS) for s in tree["clockSkew"]],
             [("cart", "web", 1000)], f"{when}: a clock that is a second ahead")
    tap.same((spans["served"]["offsetNs"] // MS, spans["call"]["selfTimeNs"] // MS, spans["inner"]["criticalPathNs"] // MS),
             (1015, 10, 20), f"{when}: shown as sent, computed without")
    tap.check(spans["[missing span]"]["missing"] and spans["lost"]["orphan"] and spans["lost"]["depth"] == 1,
              f"{when}: a missing parent")
    tap.check(spans["x"].get("parentCycle") and spans["y"]["depth"] == 1, f"{when}: a cycle is cut")
    tap.same(len(tree["remarks"]), 4, f"{when}: all of it is said")


def two_namespaces(server):
    one, other = Trace(7000), Trace(7000)
    one.id = other.id
    one.add("mine", "web", 0, 10)
    other.add("theirs", "web", 5, 20, namespace="globex")
    one.send(server)
    other.send(server)
    for question, name in (({}, "mine"), ({"namespace": "acme"}, "mine"), ({"namespace": "globex"}, "theirs")):
        tree = server.ask(path(one.id, **question))
        tap.same([s["spanName"] for s in tree["spans"]], [name], f"one id in two namespaces: {question}")
    tap.same(server.ask(path(one.id)).get("otherNamespaces"), ["globex"], "the other one is named")
    tap.same(server.query(path(one.id, namespace="initech")).status, 404, "a third has none")


def over_namespaces(server):
    """A gateway that is nobody's calls a component, which calls one of another namespace."""
    trace = Trace(8000)
    trace.add("cart", "cart", 10, 90, "gateway", SERVER)
    trace.add("other", "bank", 20, 30, "cart", SERVER, namespace="globex")
    gateway = trace.add("gateway", "-", 0, 100, None, SERVER)
    trace.parts[-1] = ({"service.name": "gateway"}, gateway)
    trace.add("stranger", "web", 0, 1, namespace="initech")
    trace.send(server)
    server.send("logs", logs_request(stamped("bank", namespace="globex"), [
        log(trace.at + 25 * MS, "paid", traceId=trace.id, spanId=trace.id_of("other"))]))
    tree = server.ask(path(trace.id))
    tap.same([(s["spanName"], s.get("namespace"), s["depth"]) for s in tree["spans"]],
             [("gateway", None, 0), ("cart", "acme", 1), ("other", "globex", 2)], "a trace over namespaces is whole")
    tap.same((tree["namespace"], tree.get("otherNamespaces"), tree["summary"]["logCount"]), ("default", ["initech"], 1),
             "with its log records; what only has its id is another trace")
    tree = server.ask(path(trace.id, namespace="acme"))
    tap.same([s["spanName"] for s in tree["spans"]], ["[missing span]", "cart"], "of one namespace, if asked for it")


def large(server):
    """The largest that is read, and one span more."""
    trace, root = rng.randbytes(16).hex(), rng.randbytes(8).hex()
    spans, parents = [span(rng, NOW + 9000 * MS, trace, root, None, SERVER, 60000 * MS, name="large")], [root]
    for i in range(50000):
        spans.append(span(rng, NOW + 9000 * MS + i * MS, trace, None, rng.choice(parents[-50:]), 1, MS,
                          name=f"step {i % 50}"))
        if i % 10 == 0:
            parents.append(spans[-1]["spanId"])
    spans[-2]["status"] = {"code": 2}
    for i in range(0, len(spans), 2000):
        assert server.send("traces", spans_request(stamped("batch"), spans[i:i + 2000])).status == 200
    return trace


def check_large(server, when, trace):
    begin = time.monotonic()
    tree = server.ask(path(trace))
    took = time.monotonic() - begin
    tap.check(tree["summary"]["spanCount"] == 50000 and tree["omitted"]["unreadSpans"] == 1,
              f"{when}: 50,001 spans: all but one are read", tree["omitted"])
    tap.check(len(tree["spans"]) <= 1000 and tree["errors"], f"{when}: a thousand are shown")
    tap.check(took < 20, f"{when}: in time", took)
    sum_ = sum(s["durationNs"] for s in tree["criticalPath"])
    tap.check(len(tree["criticalPath"]) == 20 or sum_ == tree["summary"]["rootDurationNs"], f"{when}: the path", sum_)
    answer = server.query(path(trace, attributes="all", limit=10000))
    tap.check(answer.status == 200, f"{when}: with attributes", answer.body[:200])


def hostile(server, trace):
    for one in ("x" * 32, "0" * 33, "%00", "g", "-1"):
        tap.same(server.query(path(one)).status, 400, f"400: trace id {one}")
    tap.same(server.query(path("00ff")).status, 404, "404: an id that is not there")
    for name, value in (("limit", "0"), ("limit", "10001"), ("limit", "x"), ("logs", "1001"), ("logs", "-1"),
                        ("spanId", "12"), ("spanId", "g" * 16), ("attributes", ",".join("k" * 65))):
        tap.same(server.query(path(trace, **{name: value})).status, 400, f"400: {name}={value[:20]}")
    tap.same(server.query(path(trace, spanId="f" * 16)).status, 404, "404: a span that is not there")
    for name, value in (("sortBy", "size"), ("status", "ok"), ("minDuration", "fast"), ("maxDuration", "-1s"),
                        ("limit", "1001"), ("attr", "x"), ("startTime", "now-1h"), ("endTime", "x"),
                        ("startTime", rfc3339(NOW + 900 * NS)), ("component", "cart")):
        tap.same(server.query(find(**{name: value})).status, 400, f"400: {name}={value[:20]}")
    for question in ({"attr": ["a=b", "c="]}, {"operation": "\u0000\n'\"<"}, {"project": "%"}, {"endpoint": "x" * 4000}):
        answer = server.query(find(**question))
        tap.check(answer.status == 200 and json.loads(answer.body)["traces"] == [], f"200: {str(question)[:60]}")
    empty = server.ask(find(namespace="acme", project="shop", component="carr"))["empty"]
    tap.check(empty["reason"] and empty["message"], "nothing found says why", empty)


def both(server, when, made):
    calls, strange, big = made
    check_shapes(server, when, calls, strange)
    check_large(server, when, big)
    shop_traces(server)
    slowest(server)


folder = new_folder()
server = Server(folder, "--seal-age", "1h")
shop(server)
made = (*shapes(server), large(server))
both(server, "in memory", made)
two_namespaces(server)
over_namespaces(server)
hostile(server, made[0].id)
server.stop()
server = Server(folder)
both(server, "in blocks", made)
server.stop()
tap.end()
