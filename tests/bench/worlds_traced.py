"""Worlds of traces in which few requests fail, and surely so.

A ticket office in spans: who is called by whom and how often, own times with
heavy tails, pods, tenants, databases without spans of their own. A fault makes

  few      1 to 3 % of the requests to one operation fail
  rare     an operation that hardly anybody asks for fails always
  pod      one pod of several fails in a few percent of its requests
  tenant   all requests of one tenant fail in one operation
  retried  a few percent fail, and the caller asks again, with success

while something else is slower than before, by chance or because of a batch.
The quiet ones fail as often as before, or once in a rare operation by chance.
"""
import json
import random

DAY = 86400
START = 1357002000  # every case has a day of its own, long ago

# component: {operation: (own ms, [(share of requests, callee, operation)])}
# A callee in STORES has no spans: the caller's CLIENT span is all there is.
OFFICE = {
    "gateway": {
        "GET /events": (3, [(1, "events", "ListEvents"), (.5, "venues", "GetVenue")]),
        "GET /seats": (3, [(1, "seating", "FreeSeats")]),
        "POST /bookings": (5, [(1, "accounts", "Check"), (1, "booking", "Reserve")]),
        "GET /account": (2, [(1, "accounts", "Get")]),
    },
    "events": {"ListEvents": (8, [(1, "events-sql", "SELECT"), (.3, "ranking", "Score")])},
    "ranking": {"Score": (12, [(1, "features", "GET")])},
    "venues": {"GetVenue": (4, [(.4, "venues-sql", "SELECT")])},
    "seating": {"FreeSeats": (9, [(1, "seats-sql", "SELECT")]),
                "Hold": (6, [(1, "seats-sql", "UPDATE")])},
    "accounts": {"Get": (3, [(1, "people-sql", "SELECT")]),
                 "Check": (2, [(1, "people-sql", "SELECT")])},
    "booking": {"Reserve": (14, [(1, "seating", "Hold"), (1, "tariff", "Quote"),
                                 (.9, "cashier", "Charge"), (.9, "notes", "Send")])},
    "tariff": {"Quote": (5, [(1, "tariff-sql", "SELECT"), (.02, "vouchers", "Redeem"),
                             (.3, "taxes", "Rate")])},
    "vouchers": {"Redeem": (7, [(1, "tariff-sql", "SELECT")])},
    "taxes": {"Rate": (3, [])},
    "cashier": {"Charge": (20, [(1, "cards.example", "POST")])},
    "notes": {"Send": (6, [])},
}
STORES = {"events-sql": "postgresql", "venues-sql": "postgresql", "seats-sql": "postgresql",
          "people-sql": "mysql", "tariff-sql": "mysql", "features": "redis",
          "cards.example": None}
MIX = (("GET /events", .45), ("GET /seats", .3), ("POST /bookings", .17), ("GET /account", .08))
# Who may fail: reached by enough requests; rare ones are reached by few.
FEW = (("events", "ListEvents"), ("venues", "GetVenue"), ("seating", "FreeSeats"),
       ("accounts", "Get"), ("booking", "Reserve"), ("tariff", "Quote"), ("ranking", "Score"))
RARE = (("vouchers", "Redeem"),)
KINDS = ("few", "rare", "pod", "tenant", "retried")
QUIET = ("constant", "by-chance")


class Case:
    def __init__(self, kind, culprit, seed, number):
        self.world, self.kind, self.culprit, self.seed = "traced", kind, culprit, seed
        self.id = f"traced-{kind}-{culprit or 'none'}-{seed}"
        self.project = f"worlds--{self.id}"
        self.start = START + number * DAY
        self.graph, self.series, self.style, self.step = {}, {}, "spans", 60
        self.spans, self.lines = {}, {}  # (minute, component, pod): [record]


class Play:
    def __init__(self, case, rng, target, share, logs, late_ms, slow):
        self.case, self.rng, self.target, self.share = case, rng, target, share
        self.logs, self.late_ms, self.slow = logs, late_ms, slow
        self.pods = {c: rng.choice((1, 2, 3)) for c in OFFICE}
        if case.kind == "pod":
            self.pods[target[0]] = 3
        self.tenants = [f"t{rng.randrange(10**4):04d}" for _ in range(30)]
        self.ill = False
        self.seen = self.failed = 0

    def id(self, size):
        return f"{self.rng.getrandbits(size * 8):0{size * 2}x}"

    def own(self, component, ms):
        ms *= self.rng.lognormvariate(0, .25)
        if self.rng.random() < .01:
            ms *= self.rng.uniform(2, 8)
        if self.ill and component == self.slow and self.rng.random() < .5:
            ms += self.late_ms
        return ms / 1000

    def breaks(self, component, operation, pod, tenant):
        if (component, operation) != self.target:
            return self.rng.random() < .0002
        kind = self.case.kind
        if kind == "constant":
            return self.rng.random() < self.share
        if not self.ill:
            return False
        self.seen += 1
        if kind == "by-chance":
            return self.seen == 2
        if kind == "rare":
            return True
        if kind == "tenant":
            return tenant == self.tenants[0]
        if kind == "pod":
            return pod == 0 and self.rng.random() < 3 * self.share
        return self.rng.random() < self.share

    def span(self, component, pod, trace, parent, span, kind, name, t, end, attributes, bad):
        record = {"traceId": trace, "spanId": span, "name": name, "kind": kind,
                  "startTimeUnixNano": str(round(t * 1e6) * 1000),
                  "endTimeUnixNano": str(round(end * 1e6) * 1000),
                  "attributes": [{"key": k, "value": {"stringValue": v}}
                                 for k, v in attributes.items()]}
        if parent:
            record["parentSpanId"] = parent
        if bad:
            record["status"] = {"code": 2}
        self.case.spans.setdefault((int(t) // 60, component, pod), []).append(record)

    def serve(self, component, operation, trace, parent, t, tenant):
        """Plays one request; when it ends, and whether it fails."""
        pod = self.rng.randrange(self.pods[component])
        ms, calls = OFFICE[component][operation]
        mine, now = self.id(8), t + self.own(component, ms) * .6
        bad = self.breaks(component, operation, pod, tenant)
        if bad and self.logs:
            self.case.lines.setdefault((int(t) // 60, component, pod), []).append(
                {"timeUnixNano": str(round(now * 1e6) * 1000), "severityNumber": 17,
                 "traceId": trace, "spanId": mine,
                 "body": {"stringValue": f"{operation} gave up: index {self.rng.randrange(900)} "
                                         "is not in the table"}})
        for share, callee, asked in calls:
            if bad or self.rng.random() >= share:
                continue
            now, bad = self.call(component, pod, callee, asked, trace, mine, now, tenant)
        end = now + self.own(component, ms) * .4
        attributes = {"tenant.id": tenant}
        if component == "gateway":
            attributes.update({"http.request.method": operation.split()[0],
                               "http.route": operation.split()[1],
                               "http.response.status_code": "500" if bad else "200"})
        else:
            attributes.update({"rpc.system": "grpc", "rpc.service": component,
                               "rpc.method": operation})
        self.span(component, pod, trace, parent, mine, 2, operation, t, end, attributes, bad)
        return end, bad

    def call(self, component, pod, callee, asked, trace, parent, t, tenant):
        for attempt in range(2 if self.case.kind == "retried" else 1):
            mine = self.id(8)
            if callee in STORES:
                end, bad = t + self.own(callee, 2 if STORES[callee] else 30), False
                attributes = {"db.system.name": STORES[callee], "db.namespace": callee,
                              "server.address": callee} if STORES[callee] else {
                    "http.request.method": asked, "server.address": callee}
            else:
                end, bad = self.serve(callee, asked, trace, mine, t + .0005, tenant)
                end += .0005
                attributes = {"rpc.system": "grpc", "rpc.service": callee, "rpc.method": asked}
            self.span(component, pod, trace, parent, mine, 3, asked, t, end, attributes, bad)
            t = end
            if not bad:
                break
        return t, bad


def traced_case(kind, seed, number, before=1500, during=600):
    rng = random.Random(f"traced {kind} {seed}")
    target = rng.choice(RARE if kind in ("rare", "by-chance") else FEW)
    quiet = kind in QUIET
    case = Case(kind, None if quiet else target[0], seed, number)
    others = sorted(set(OFFICE) - {target[0], "gateway"})
    play = Play(case, rng, target, rng.uniform(.012, .03), rng.random() < .5,
                rng.uniform(7, 15), None if quiet else rng.choice(others))
    rate = rng.uniform(5, 8)
    t, hit, end = float(case.start), case.start + before, case.start + before + during
    while t < end:
        play.ill = t >= hit
        pick, operation = rng.random(), None
        for operation, share in MIX:
            pick -= share
            if pick < 0:
                break
        tenant = rng.choice(play.tenants)
        if kind == "tenant" and rng.random() > .6 and tenant == play.tenants[0]:
            tenant = play.tenants[1]
        play.serve("gateway", operation, play.id(16), None, t, tenant)
        t += rng.expovariate(rate)
    case.window, case.baseline = (hit, end), (case.start, hit - 60)
    return case


def cases(seed, number):
    return [traced_case(kind, seed, number + i) for i, kind in enumerate(KINDS + QUIET)]


# ---- as OTLP/JSON ----

def resource(case, component, pod):
    name = f"{component}-{case.id}-{pod}"
    values = {"service.name": component, "service.version": "3.2.0",
              "k8s.namespace.name": "worlds", "k8s.pod.name": name, "k8s.pod.uid": name,
              "openchoreo.dev/project": case.project, "openchoreo.dev/component": component,
              "openchoreo.dev/environment": "bench"}
    return {"attributes": [{"key": k, "value": {"stringValue": v}} for k, v in values.items()]}


def bodies(case):
    """Signals and export requests, a minute each."""
    for signal, table, outer, inner, records in (
            ("traces", case.spans, "resourceSpans", "scopeSpans", "spans"),
            ("logs", case.lines, "resourceLogs", "scopeLogs", "logRecords")):
        for minute in sorted({key[0] for key in table}):
            yield signal, json.dumps({outer: [
                {"resource": resource(case, c, pod), inner: [{records: rows}]}
                for (m, c, pod), rows in sorted(table.items(), key=lambda r: r[0])
                if m == minute]})
