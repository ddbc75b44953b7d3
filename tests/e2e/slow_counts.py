"""Figures of answers, held against slow counts of the records that were sent:
two namespaces, two environments, gateways, a queue, a database; windows that
begin and end in the middle of a minute. The counts here are loops over a list
of what was sent, and share nothing with the server.
"""
import collections
import urllib.parse

from callboard import (NS, Server, Tap, log, logs_request, new_folder, rfc3339, seeded, span, spans_request, stamped)

tap = Tap()
rng = seeded()
MS = 1_000_000
T0 = 1741600800 * NS  # 2025-03-10T10:00:00Z
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
CLEAN = (T0 + 900 * NS, T0 + 1800 * NS)
UNCLEAN = (T0 + 917 * NS + 123 * MS, T0 + 1733 * NS + 987 * MS)


class Sent:
    """What was sent, as plain records."""

    def __init__(self):
        self.spans, self.logs, self.requests = [], [], collections.defaultdict(list)

    def span(self, owner, trace, parent, kind, at, took, name, error=False, **attrs):
        """owner: (namespace, project, component, environment)."""
        one = span(rng, at, trace, None, parent["id"] if parent else None, kind, took, name, error, **attrs)
        known = {"id": one["spanId"], "trace": trace, "parent": parent, "kind": kind, "owner": owner, "at": at, "took": took,
                 "error": error, "name": name}
        self.spans.append(known)
        self.requests[owner].append(one)
        return known

    def log(self, owner, at, body, severity, **more):
        self.logs.append({"owner": owner, "at": at, "body": body, "severity": severity})
        self.requests[owner, "logs"].append(log(at, body, severity, **more))

    def send(self, server):
        """In an order of time, as collectors do: a minute each."""
        for owner in list(self.requests):
            signal, make, key = ("logs", logs_request, "timeUnixNano") if owner[-1] == "logs" else \
                ("traces", spans_request, "endTimeUnixNano")
            who = owner[0] if signal == "logs" else owner
            rows = sorted(self.requests[owner], key=lambda one: int(one[key]))
            resource = stamped(who[2], who[1], who[0], who[3])
            for first in range(0, len(rows), 500):
                status = server.send(signal, make(resource, rows[first:first + 500])).status
                assert status == 200, status


WEB, CART, STOCK, MAIL = [("acme", "shop", name, "production") for name in ("web", "cart", "stock", "mail")]
LEDGER = ("acme", "shop", "ledger", "production")
STAGING, PAY = ("acme", "shop", "stock", "staging"), ("globex", "bank", "pay", "production")


def call(sent, owner, callee, parent, at, route, fails):
    """A client span and the server span below it."""
    took = rng.randrange(2, 30) * MS
    client = sent.span(owner, parent["trace"], parent, CLIENT, at, took, "GET", fails, http__request__method="GET",
                       server__address=callee[2], url__full=f"http://{callee[2]}{route}")
    return sent.span(callee, parent["trace"], client, SERVER, at + MS // 2, took - MS, f"GET {route}", fails, http__route=route)


def request(sent, at):
    trace = rng.randbytes(16).hex()
    root = sent.span(WEB, trace, None, SERVER, at, rng.randrange(40, 90) * MS, "GET /buy", rng.random() < 0.03, http__route="/buy")
    if rng.random() < 0.5:
        cart = call(sent, WEB, CART, root, at + 2 * MS, "/cart", rng.random() < 0.1)
        sent.span(CART, trace, cart, CLIENT, at + 3 * MS, MS // 3, "SELECT carts", rng.random() < 0.02, db__system__name="postgresql",
                  db__namespace="carts", server__address="db.internal", db__operation__name="SELECT")
        for i in range(rng.randrange(3)):
            call(sent, CART, STOCK, cart, at + (4 + i) * MS, "/stock", rng.random() < 0.05)
        if rng.random() < 0.1:
            call(sent, CART, STAGING, cart, at + 8 * MS, "/stock", False)
        if rng.random() < 0.3:
            call(sent, CART, PAY, cart, at + 9 * MS, "/pay", rng.random() < 0.2)
    if rng.random() < 0.25:
        posted = sent.span(WEB, trace, root, PRODUCER, at + 20 * MS, MS, "orders send", messaging__system="kafka",
                           messaging__destination__name="orders", messaging__operation__type="send")
        sent.span(MAIL, trace, posted, CONSUMER, at + 500 * MS, 5 * MS, "orders process", rng.random() < 0.1,
                  messaging__system="kafka", messaging__destination__name="orders", messaging__operation__type="process")


def records():
    sent = Sent()
    for _ in range(2400):
        request(sent, T0 + rng.randrange(1800 * NS))
    for _ in range(3000):
        at = T0 + rng.randrange(1800 * NS)
        owner = rng.choice((WEB, CART, STOCK, PAY, STAGING))
        body, severity = rng.choice(((f"order {rng.randrange(10**6)} placed in {rng.randrange(99)} ms", 9),
                                     (f"cache of {rng.randrange(999)} entries is cold", 13),
                                     (f"payment {rng.randrange(10**6)} refused", 17)))
        sent.log(owner, at, body, severity)
    return sent


def ask(server, route, window, **given):
    path = f"/api/v1/{route}?" + urllib.parse.urlencode(
        {"namespace": "acme", "startTime": rfc3339(window[0]), "endTime": rfc3339(window[1]), **given})
    return server.ask(path)


def within(one, window):
    """A span counts when it starts."""
    return window[0] <= one["at"] < window[1]


def near(seen, wanted, name, within_=0.0):
    """The same, or at most so many apart."""
    tap.check(abs(seen - wanted) <= within_ + 1e-6 * max(1, abs(wanted)), name, f"{seen}, counted {wanted}")


# ---- components, dependencies ----


def served(sent, owner, window):
    return [one for one in sent.spans if one["owner"] == owner and one["kind"] in (SERVER, CONSUMER) and within(one, window)]


def check_components(server, sent, window, what, slack):
    answer = ask(server, "components", window, project="shop")
    for owner in (WEB, CART, STOCK, STAGING):
        row = next(c for c in answer["components"] if c["component"] == owner[2] and c["environment"] == owner[3])
        counted = served(sent, owner, window)
        near(row["requestCount"], len(counted), f"{what}: requests of {owner[2:]}", slack)
        errors = sum(one["error"] for one in counted)
        near(row["errorRatio"] * row["requestCount"], errors, f"{what}: failed requests of {owner[2:]}", slack)
        seconds = (window[1] - window[0]) / NS
        near(row["requestRate"], len(counted) / seconds, f"{what}: rate of {owner[2:]}", slack / seconds)


def calls(sent, window):
    """(source, target) -> spans of the caller."""
    found = collections.defaultdict(list)
    below = {one["parent"]["id"]: one for one in sent.spans if one["parent"]}
    for one in sent.spans:
        if one["kind"] == CLIENT and within(one, window):
            other = below.get(one["id"])
            found[one["owner"], other["owner"] if other else "carts"].append(one)
        if one["kind"] == PRODUCER and within(one, window):
            found[one["owner"], "orders"].append(one)
        if one["kind"] == CONSUMER and within(one, window):
            found["orders", one["owner"]].append(one)
        if one["kind"] == SERVER and not one["parent"] and within(one, window):
            found["intranet", one["owner"]].append(one)
    return found


def node_name(node):
    if node["kind"] == "component":
        return node["namespace"], node["project"], node["component"], node["environment"]
    return node.get("name")


def check_dependencies(server, sent, window, what, slack):
    answer = ask(server, "dependencies", window, project="shop", depth=8, limit=1000)
    nodes = {node["id"]: node_name(node) for node in answer["nodes"]}
    seen = {(nodes[edge["source"]], nodes[edge["target"]]): edge for edge in answer["edges"]}
    counted = calls(sent, window)
    tap.same({str(k) for k in seen}, {str(k) for k in counted}, f"{what}: edges")
    for pair, spans in counted.items():
        if pair not in seen:
            continue
        edge, name = seen[pair], f"{what}: {pair[0][2] if len(pair[0]) == 4 else pair[0]} to {pair[1][2:] if len(pair[1]) == 4 else pair[1]}"
        near(edge["requestCount"], len(spans), name + ": calls", slack)
        near((edge["errorRatio"] or 0) * edge["requestCount"], sum(one["error"] for one in spans), name + ": failed calls", slack)
        mean = sum(one["took"] for one in spans) / len(spans) / 1e9
        near(edge["latency"]["mean"], mean, name + ": mean latency", mean * (0.001 if slack == 0 else 0.05))
        mismatch = len(pair[0]) == 4 and len(pair[1]) == 4 and pair[0][3] != pair[1][3]
        tap.same(edge.get("drift") == "environmentMismatch", mismatch, name + ": environments")
    tap.same(answer["summary"]["environmentMismatches"], 1, f"{what}: one edge leads into another environment")


# ---- blast radius ----


def check_blast(server, sent, window):
    """The part of the requests of each component with a request of stock below them."""
    for target in (STOCK, CART, PAY, STAGING):
        given = dict(zip(("namespace", "project", "component", "environment"), target))
        answer = server.ask("/api/v1/blast-radius?" + urllib.parse.urlencode(
            {**given, "startTime": rfc3339(window[0]), "endTime": rfc3339(window[1]), "depth": 8}))
        passing = set()
        for one in sent.spans:
            if one["owner"] == target and one["kind"] == SERVER:
                at = one
                while at:
                    passing.add(at["id"])
                    at = at["parent"]
        for caller in (WEB, CART):
            row = next((c for c in answer["callers"] if node_name(c) == caller), None)
            requests = served(sent, caller, window)
            share = sum(one["id"] in passing for one in requests) / len(requests)
            if caller == target:
                continue
            tap.check(row is not None, f"{target[2:]}: {caller[2]} is a caller", answer["callers"])
            near(row["share"], share, f"{target[2:]}: share of {caller[2]}", 0.002)
        users = [one for one in sent.spans if one["owner"] == WEB and one["kind"] == SERVER and within(one, window)]
        near(answer["summary"]["userRequestShare"], sum(one["id"] in passing for one in users) / len(users),
             f"{target[2:]}: share of users' requests", 0.002)
        tap.same(answer["summary"]["method"], "traces", f"{target[2:]}: counted in traces")


def check_few(server):
    """Too few requests for a sample: calls per request, at most 1, which is never below the share."""
    sent, start = Sent(), T0 + 7 * 86400 * NS
    web, cart = ("acme", "few", "web", "production"), ("acme", "few", "cart", "production")
    passing = calls_made = 0
    for i in range(60):
        at, trace, n = start + i * NS, rng.randbytes(16).hex(), rng.choice((0, 0, 0, 1, 2))
        root = sent.span(web, trace, None, SERVER, at, 50 * MS, "GET /", http__route="/")
        for k in range(n):
            call(sent, web, cart, root, at + k * MS, "/cart", False)
        passing, calls_made = passing + (n > 0), calls_made + n
    sent.send(server)
    answer = ask(server, "blast-radius", (start, start + 120 * NS), project="few", component="cart")
    tap.same(answer["summary"]["method"], "series", "few requests: shares come from series")
    near(answer["callers"][0]["share"], min(1, calls_made / 60), "few requests: calls per request")
    tap.check(answer["callers"][0]["share"] >= passing / 60 - 1e-9, "few requests: an upper estimate", (answer["callers"], passing))
    near(answer["callers"][0]["callsPerRequest"], calls_made / 60, "few requests: callsPerRequest")


# ---- logs ----


def whole_minutes(window):
    return window[0] % (60 * NS) == window[1] % (60 * NS) == 0


LEVELS = {9: "INFO", 13: "WARN", 17: "ERROR"}


def pattern_of(body):
    return " ".join("<*>" if word.isdigit() else word for word in body.split())


def check_patterns(server, sent, window, what, slack, **filters):
    answer = ask(server, "logs/patterns", window, project="shop", limit=200, **filters)
    words = filters.get("searchPhrase", "")
    before = (2 * window[0] - window[1], window[0])
    mine = [one for one in sent.logs if one["owner"][0] == "acme" and words in one["body"]]
    now = [one for one in mine if within(one, window)]
    near(answer["total"], len(now), f"{what}: all records", slack)
    for level in LEVELS.values():
        wanted = sum(LEVELS[one["severity"]] == level for one in now)
        if wanted:
            near(answer["levels"].get(level, 0), wanted, f"{what}: {level}", slack)
    near(sum(v for bar in answer["histogram"]["bars"] for k, v in bar.items() if k != "timestamp"), len(now), f"{what}: bars", slack)
    tap.same({p["template"] for p in answer["patterns"]}, {pattern_of(one["body"]) for one in now}, f"{what}: patterns")
    for row in answer["patterns"]:
        ones = [one for one in now if pattern_of(one["body"]) == row["template"]]
        earlier = [one for one in mine if within(one, before) and pattern_of(one["body"]) == row["template"]]
        name = f"{what}: {row['template'][:12]}"
        near(row["count"], len(ones), name + ": count", slack)
        if row.get("countBefore") is not None:
            near(row["countBefore"], len(earlier), name + ": count before", slack if whole_minutes(window) else 12)
        near(row["share"], len(ones) / len(now), name + ": share", 0.001 if slack == 0 else 0.01)
        tap.same(row["componentCount"], len({one["owner"][2:] for one in ones}), name + ": components")
        first, last = min(one["at"] for one in ones), max(one["at"] for one in ones)
        tap.check(row["firstSeen"][:16] <= rfc3339(first)[:16] and row["lastSeen"][:16] >= rfc3339(last)[:16],
                  name + ": first and last", f"{row['firstSeen']} {row['lastSeen']}, sent {rfc3339(first)} {rfc3339(last)}")


# ---- two windows ----


def check_compare(server, sent, window, base, what, slack):
    answer = ask(server, "compare", window, project="shop", baseStartTime=rfc3339(base[0]), baseEndTime=rfc3339(base[1]))
    for owner in (WEB, CART, STOCK, STAGING):
        row = next(c for c in answer["components"] if c["component"] == owner[2] and c["environment"] == owner[3])
        for figures, times in ((row, window), (row["base"], base)):
            counted = served(sent, owner, times)
            near(figures["requestCount"], len(counted), f"{what}: requests of {owner[2:]}", slack)
            near((figures["errorRatio"] or 0) * figures["requestCount"], sum(one["error"] for one in counted),
                 f"{what}: failed ones of {owner[2:]}", slack)


# ---- a trace as a tree ----


def random_trace(size):
    """Spans of one component, in milliseconds: children that overlap, end after their parent, or begin after it."""
    spans = [{"id": rng.randbytes(8).hex(), "parent": None, "start": 0, "end": 4000, "children": []}]
    while len(spans) < size:
        parent = rng.choice(spans[-12:] if rng.random() < 0.7 else spans)
        length = parent["end"] - parent["start"]
        start = parent["start"] + int(length * rng.uniform(0, 1.1))
        one = {"id": rng.randbytes(8).hex(), "parent": parent, "start": start, "end": start + int(length * rng.uniform(0, 0.8)),
               "children": []}
        parent["children"].append(one)
        spans.append(one)
    return spans


def is_waited_for(parent, child):
    return child["start"] < parent["end"]


def slow_self(one):
    """Millisecond by millisecond."""
    return sum(not any(c["start"] <= at < c["end"] for c in one["children"] if is_waited_for(one, c))
               for at in range(one["start"], one["end"]))


def slow_path(one, start, end, own):
    """The rule of docs/query-api.md, read backward from the end."""
    at = end
    while at > start:
        ended = [(min(c["end"], end), -max(c["start"], start), c) for c in one["children"] if is_waited_for(one, c) and
                 max(c["start"], start) < min(c["end"], end) <= at]
        if not ended:
            break
        until, minus, child = max(ended, key=lambda e: e[:2])
        own[one["id"]] = own.get(one["id"], 0) + at - until
        slow_path(child, -minus, until, own)
        at = -minus
    own[one["id"]] = own.get(one["id"], 0) + at - start


def check_traces(server):
    for size in (5, 30, 200, 200, 200):
        spans, trace = random_trace(size), rng.randbytes(16).hex()
        sent = [span(rng, T0 + one["start"] * MS, trace, one["id"], one["parent"] and one["parent"]["id"], 1,
                     (one["end"] - one["start"]) * MS, name=f"step {i % 9}") for i, one in enumerate(spans)]
        assert server.send("traces", spans_request(stamped("deep"), sent)).status == 200
        tree = server.ask(f"/api/v1/traces/{trace}?limit=10000")
        seen, path = {one["spanId"]: one for one in tree["spans"]}, {}
        slow_path(spans[0], 0, 4000, path)
        wrong = [(one["start"], one["end"], seen[one["id"]]["selfTimeNs"] / MS, slow_self(one)) for one in spans
                 if seen[one["id"]]["selfTimeNs"] != slow_self(one) * MS]
        tap.check(not wrong, f"{size} spans: self times", wrong[:5])
        wrong = [(one["start"], one["end"], seen[one["id"]]["criticalPathNs"] / MS, path.get(one["id"], 0)) for one in spans
                 if seen[one["id"]]["criticalPathNs"] != path.get(one["id"], 0) * MS]
        tap.check(not wrong, f"{size} spans: the critical path", wrong[:5])
        near(tree["components"][0]["selfTimeNs"], sum(map(slow_self, spans)) * MS, f"{size} spans: sum of self times")
        groups = collections.Counter(one["name"] for one in sent)
        tap.check(all(r["count"] <= groups[r["spanName"]] for r in tree["repeated"]), f"{size} spans: repeated calls", tree["repeated"])


def check_found(server, sent, window):
    """Groups of traces, with exact percentiles."""
    answer = ask(server, "traces", window, project="shop", component="web", limit=100, sortBy="duration")
    roots = [one for one in sent.spans if one["owner"] == WEB and one["kind"] == SERVER and within(one, window)]
    near(answer["summary"]["total"], len(roots), "traces of web")
    ends = collections.defaultdict(int)
    for one in sent.spans:
        ends[one["trace"]] = max(ends[one["trace"]], one["at"] + one["took"])
    took = sorted((ends[one["trace"]] - one["at"] for one in roots), reverse=True)
    tap.same([one["durationNs"] for one in answer["traces"]], took[:100], "the slowest traces")
    failed = {one["trace"] for one in sent.spans if one["error"] and one["owner"] == WEB}  # of spans in the scope
    near(sum(g["count"] for g in answer["summary"]["groups"] if g["status"] == "error"),
         sum(one["trace"] in failed for one in roots), "failed traces, by groups", len(roots) if answer["summary"]["groupCount"] > 20 else 0)


# ---- changes ----


def check_changes(server):
    """An operation, a call and a pattern that begin at a known second; an event that repeats."""
    day, begun = T0 + 86400 * NS, T0 + 86400 * NS + 2437 * NS
    sent = Sent()
    for second in range(0, 3600):
        at = day + second * NS
        for route in ["/cart"] + ["/new"] * (at >= begun):
            trace = rng.randbytes(16).hex()
            root = sent.span(CART, trace, None, SERVER, at, 20 * MS, f"GET {route}", http__route=route)
            if route == "/new":
                call(sent, CART, LEDGER, root, at + MS, "/entries", False)
        if at >= begun and second % 7 == 0:
            sent.log(CART, at, f"payment {second} refused again", 17)
        else:
            sent.log(CART, at, f"order {second} placed", 9)
    sent.send(server)
    times = [begun + at * NS for at in (0, 61, 125, 400)]
    for at in times:
        body = log(at, "Back-off restarting failed container main in pod cart-pod", 13, attributes=[
            {"key": key, "value": {"stringValue": value}} for key, value in (
                ("k8s.event.reason", "BackOff"), ("k8s.event.name", "cart-pod.17"), ("k8s.namespace.name", "dp-acme"))])
        resource = {**stamped("cart", environment="production"), "k8s.object.kind": "Pod", "k8s.object.name": "cart-pod"}
        assert server.send("logs", logs_request(resource, [body])).status == 200
    answer = ask(server, "changes", (day + 1800 * NS, day + 3600 * NS), project="shop", component="cart")
    rows = {(row["kind"], row.get("reason")): row for row in answer["changes"]}
    for kind, first in (("operation", begun), ("callee", begun), ("log-pattern", begun)):
        row = next((row for row in answer["changes"] if row["kind"] == kind), None)
        if tap.check(row is not None, f"changes: {kind} appeared", answer["changes"]):
            tap.same(row["timestamp"][:16], rfc3339(first)[:16], f"changes: {kind}: the minute")
    row = next((row for row in answer["changes"] if row.get("reason") == "BackOff"), None)
    if tap.check(row is not None, "changes: the event", rows):
        tap.same((row["count"], row["timestamp"][:19], row["lastSeen"][:19]),
                 (len(times), rfc3339(times[0])[:19], rfc3339(times[-1])[:19]), "changes: count, first and last of the event")
    near(answer["total"], sum(k["count"] for k in answer["kinds"]), "changes: kinds add up")


def main():
    sent = records()
    server = Server(new_folder())
    sent.send(server)
    for window, what, slack in ((CLEAN, "whole minutes", 0), (UNCLEAN, "parts of minutes", 12)):
        check_components(server, sent, window, what, slack)
        check_dependencies(server, sent, window, what, slack)
        check_patterns(server, sent, window, what, slack)
        check_patterns(server, sent, window, what + ", a phrase", 0, searchPhrase="e")
        base = (window[0] - 600 * NS, window[0] - 60 * NS)
        check_compare(server, sent, window, base, what, slack)
    check_blast(server, sent, (T0, T0 + 1800 * NS))
    check_few(server)
    check_found(server, sent, CLEAN)
    check_traces(server)
    check_changes(server)
    server.stop()
    tap.end()


main()
