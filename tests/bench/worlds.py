"""Worlds that send no spans: systems whose components report metrics only.

Each case has a fault (or none: the quiet ones) in one component of a made-up
system, as series of numbers over time and as OTLP/JSON. What follows from the
fault follows along the calls: who waits for a slow component is slow, who waits
is asked less. The rest is noise as it is met in practice: heavy tails, steps,
gaps, drifts over the day, waves of load that all feel, garbage collectors.

A seed gives the same cases everywhere. bench_cause.py tells which seeds were
looked at while the method was made, and which were only scored.
"""
import json
import math
import random

DAY = 86400
START = 1420070400  # every case has a day of its own, all long ago

# name: (calls per request, own latency in ms, CPU per request, kind)
SHOP = {
    "edge": ({"items": 1.2, "baskets": .8, "people": .6, "sales": .2}, 4, .002),
    "items": ({"items-db": 1}, 3, .001),
    "baskets": ({"baskets-db": 1.5}, 6, .003),
    "people": ({"people-db": 1}, 4, .001),
    "sales": ({"people": 1, "baskets": 1, "billing": 1, "dispatch": 1,
               "sales-db": 2}, 12, .004),
    "billing": ({}, 3, .0005),
    "dispatch": ({"broker": 1}, 5, .002),
    "packing": ({"broker": 1}, 5, .001),
    "broker": ({}, 1, .0005),
    "items-db": ({}, 1, .001),
    "baskets-db": ({}, 2, .001),
    "people-db": ({}, 1, .001),
    "sales-db": ({}, 3, .002),
}
STORES = ("broker", "items-db", "baskets-db", "people-db", "sales-db")

CLINIC = {
    "site": ({"search": 1, "list": 1, "pay": .2, "history": .3}, 20, 0),
    "search": ({"search-fn": 1, "pets-table": 2}, 15, 0),
    "search-fn": ({"images": 3}, 8, 0),
    "list": ({"list-sql": 1, "search": .5}, 18, 0),
    "list-sql": ({}, 6, 0),
    "pay": ({"pay-fn": 1, "ledger": 1, "notices": 1}, 25, 0),
    "pay-fn": ({"ledger": 2}, 9, 0),
    "ledger": ({"ledger-sql": 1}, 7, 0),
    "ledger-sql": ({}, 5, 0),
    "notices": ({"mail": 1}, 11, 0),
    "mail": ({}, 30, 0),
    "history": ({"history-table": 2}, 10, 0),
    "history-table": ({}, 4, 0),
    "pets-table": ({}, 4, 0),
    "images": ({}, 9, 0),
    "status": ({"status-fn": 1}, 12, 0),
    "status-fn": ({"history-table": 1}, 6, 0),
}

FAULTS = ("cpu", "mem", "disk", "delay", "loss")
QUIET = ("wave", "sawtooth", "batch", "restart", "reset")
SLOW_FAULTS = ("slow", "missing", "leak", "misconfigured")


class Noise:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.slow = {}

    def tail(self, sd):
        """Around 1, now and then far above."""
        x = math.exp(self.r.gauss(0, sd))
        return x * self.r.uniform(2, 5) if self.r.random() < .01 else x

    def walk(self, key, sd, back=.02):
        x = self.slow.get(key, 0.0)
        x += self.r.gauss(0, sd) - back * x
        self.slow[key] = x
        return x


def rates_of(graph, roots):
    """Requests to each per request from outside."""
    rates = dict.fromkeys(graph, 0.0)
    rates.update(roots)
    order, left = [], set(graph)
    while left:
        for name in sorted(left):
            if not any(name in graph[o][0] for o in left if o != name):
                order.append(name)
                left.remove(name)
                break
    for name in order:
        for callee, share in graph[name][0].items():
            rates[callee] += rates[name] * share
    return rates, order[::-1]


class Case:
    def __init__(self, world, kind, culprit, seed, number, style, step):
        self.world, self.kind, self.culprit = world, kind, culprit
        self.seed, self.style, self.step = seed, style, step
        self.id = f"{world}-{kind}-{culprit or 'none'}-{seed}"
        self.project = f"worlds--{self.id}"
        self.start = START + number * DAY
        self.series = {}  # (component, pod, metric, unit): [(s, value)]
        self.graph, self.lines = {}, []
        self.versions = {}  # (component, pod): what its SDK reports
        self.started = {}  # (component, pod): when, if not with the case
        self.tells = None  # the attributes of a resource, if not resource()'s

    def put(self, component, metric, unit, t, value, pod=0, shape="gauge",
            labels=(), infra=False):
        """value: of a histogram its count and sum. infra: reported by who knows
        the pod only."""
        self.series.setdefault((component, pod, metric, unit, shape, labels,
                                infra), []).append((t, value))

    def log(self, component, t, severity, body):
        self.lines.append((t, component, severity, body))

    def numbers(self):
        """Component and points of each series, counters as rates."""
        for key, points in self.series.items():
            if key[4] == "gauge":
                yield key[0], points
                continue
            out = []
            for (t0, a), (t1, b) in zip(points, points[1:]):
                if key[4] == "sum":
                    out.append((t1, max(0, b - a) / (t1 - t0)))
                elif b[0] > a[0]:
                    out.append((t1, (b[1] - a[1]) / (b[0] - a[0])))
            yield key[0], out


# Of a version that is bad by one of these words.
NEW_VERSION = {"errors": "errors", "cpu": "cpu", "leak": "memory", "slow": "latency"}


def indicator(kind):
    words = [w for w in kind.split("-") if w in NEW_VERSION]
    if "-" in kind and words:
        return NEW_VERSION[words[0]]
    return {"cpu": "cpu", "mem": "memory", "disk": "disk", "missing": "errors",
            "code": "errors", "misconfigured": "errors"}.get(kind, "latency")


STYLES = {
    "semconv": {"cpu": ("k8s.pod.cpu.usage", "{cpu}"),
                "mem": ("k8s.pod.memory.working_set", "By"),
                "disk": ("k8s.pod.disk.io", "By/s"),
                "lat50": ("http.server.request.duration.p50", "s"),
                "lat90": ("http.server.request.duration.p90", "s"),
                "load": ("http.server.request.rate", "{request}/s"),
                "err": ("http.server.request.errors", "{request}/s"),
                "net": ("k8s.pod.network.transmit.rate", "By/s")},
    "plain": {"cpu": ("cpu", ""), "mem": ("mem", ""), "disk": ("diskio", ""),
              "lat50": ("latency-50", ""), "lat90": ("latency-90", ""),
              "load": ("load", ""), "err": ("error", ""), "net": ("net", "")},
    "named": {"cpu": ("{}_cpu", ""), "mem": ("{}_mem", ""),
              "disk": ("{}_disk", ""), "lat50": ("{}_lat_50", ""),
              "lat90": ("{}_lat_90", ""), "load": ("{}_load", ""),
              "err": ("{}_err", ""), "net": ("{}_net", "")},
}


def shop_case(kind, culprit, seed, number, step, before=600, during=600,
              late=0):
    """Metrics of a shop, every `step` seconds. The fault begins `late` seconds
    into the window."""
    rng = random.Random(f"{kind} {culprit} {seed}")
    style = rng.choice(sorted(STYLES))
    case = Case("shop", kind, culprit, seed, number, style, step)
    case.graph = {}
    n = Noise(rng.random())
    rates, order = rates_of(SHOP, {"edge": 1, "packing": .1})
    names = STYLES[style]
    base = rng.uniform(30, 120)
    strength = rng.uniform(.5, 1.5)
    size = {c: rng.uniform(8e7, 6e8) for c in SHOP}
    own_factor = {c: rng.uniform(.6, 1.8) for c in SHOP}
    collects = {c: rng.random() < .3 for c in SHOP}
    has_disk = rng.random() < .6
    hit = case.start + before + late
    felt = 0.0
    for k in range((before + during) // step):
        t = case.start + k * step
        ill = culprit is not None and t >= hit
        since = max(0, t - hit)
        load = base * (1 + .15 * math.sin(t / 400) + n.walk("load", .01))
        load *= n.tail(.04) / (1 + felt)
        if kind == "wave" and t >= hit:
            load *= 1 + 1.5 * min(1, since / 60)
        total = {}
        for c in order:
            calls, own, cost = SHOP[c]
            own *= own_factor[c] * n.tail(.12) * (1 + n.walk(c, .01))
            busy = load / base
            own *= 1 + .15 * max(0, busy - 1)
            at = ill and c == culprit
            cpu = cost * own_factor[c] * load * rates[c] + .004
            cpu *= n.tail(.15)
            memory = size[c] * (1 + n.walk("m" + c, .0005, .001))
            memory += 1e5 * load * rates[c] ** .5
            disk = (2e5 if c in STORES else 1e4) * n.tail(.4)
            error = load * rates[c] * (.002 if rng.random() < .1 else 0)
            if collects[c] or (kind == "sawtooth" and c == "sales"):
                memory += size[c] * .25 * (t % 170) / 170
            if at and kind == "cpu":
                cpu += rng.uniform(.6, .9) * strength
                own *= 1 + .8 * strength
            if at and kind == "mem":
                memory += size[c] * 1.2 * strength * min(1, since / 240)
                own *= 1 + .1 * strength
                cpu += .05 * strength * rng.random()
            if at and kind == "disk":
                disk += 3e7 * strength * n.tail(.3)
                own *= 1 + 1.2 * strength
                cpu += .06 * strength
            if at and kind == "delay":
                own += 60 * strength * n.tail(.1)
            if at and kind == "loss":
                slow = rng.random() < .4
                own += 200 * strength * slow * n.tail(.5) + 8 * strength
                error += .03 * strength * load * rates[c]
            if kind == "batch" and c == "packing" and t >= hit:
                cpu += .7 * n.tail(.1)
            if kind == "restart" and c == "sales" and 0 <= t - hit < 40:
                cpu, memory = cpu + .3, size[c] * .5
            total[c] = own + sum(share * total[d] for d, share in
                                 calls.items())
            if rng.random() < .02:
                continue  # not scraped
            report(case, names, c, t, {
                "cpu": round(cpu, 4), "mem": round(memory / 4096) * 4096,
                "disk": round(disk) if has_disk else None,
                "net": 900 * load * rates[c] * n.tail(.1),
                "lat50": stepped(total[c] / 1000 * n.tail(.03)),
                "lat90": stepped(total[c] / 1000 * 2.2 * n.tail(.15)),
                "load": load * rates[c], "err": error})
        usual = sum(SHOP["edge"][0].values()) * 10
        felt = .9 * felt + .1 * max(0, total["edge"] / (4 * usual) - 1)
    case.window = (case.start + before, case.start + before + during)
    case.baseline = (case.start, case.start + before - 60)
    return case


def stepped(seconds):
    """As a quantile from buckets of a histogram comes."""
    return round(seconds, 4)


def report(case, names, component, t, values):
    for key, value in values.items():
        if value is None or (component in STORES and key in
                             ("lat50", "lat90", "load", "err")):
            continue
        name, unit = names[key]
        case.put(component, name.format(component), unit, t, value)


def clinic_case(kind, culprit, seed, number, step=300):
    """Points of five minutes over eight hours, the calls are declared; the
    window is the last half hour."""
    rng = random.Random(f"{kind} {culprit} {seed}")
    case = Case("clinic", kind, culprit, seed, number, "slow", step)
    case.graph = {c: sorted(v[0]) for c, v in CLINIC.items()}
    n = Noise(rng.random())
    rates, order = rates_of(CLINIC, {"site": 1, "status": .3})
    length, during = 8 * 3600, 1800
    hit = case.start + length - during
    strength = rng.uniform(.6, 1.6)
    own_factor = {c: rng.uniform(.5, 2) for c in CLINIC}
    base = rng.uniform(800, 4000)
    for k in range(length // step):
        t = case.start + k * step
        ill, since = culprit is not None and t >= hit, t - hit
        load = base * (1 + .4 * math.sin(t * 2 * math.pi / DAY))
        load *= 1 + n.walk("load", .03, .2)
        if kind == "wave" and t >= hit:
            load *= 2
        total, good, asked = {}, {}, {}
        cut = set()
        if ill and kind == "missing":
            cut = set(CLINIC[culprit][0])
        for c in reversed(order):
            asked[c] = asked.get(c, 0) + load * {"site": 1, "status": .3
                                                 }.get(c, 0)
            for d, share in CLINIC[c][0].items():
                gone = c == culprit and d in cut
                asked[d] = asked.get(d, 0) + (0 if gone else asked[c] * share)
        for c in order:
            calls, own, _ = CLINIC[c]
            own *= own_factor[c] * n.tail(.06) * (1 + n.walk(c, .02, .1))
            at = ill and c == culprit
            own_good = 1 - (.002 * rng.random() if rng.random() < .3 else 0)
            if at and kind == "slow":
                own += 400 * strength * n.tail(.1)
            if at and kind == "leak":
                own *= 1 + 2 * strength * (1 + since / step)
                own_good -= .02 * strength * (1 + since / step)
            if at and kind == "misconfigured":
                own_good -= .4 * strength
            if at and kind == "missing":
                own_good -= .5 * strength
                own *= .6
            good[c], total[c] = own_good, own
            for d, share in calls.items():
                if not (at and d in cut):
                    total[c] += share * total[d]
                    good[c] *= 1 - (1 - good[d]) * min(1, share) * .8
            if rng.random() < .01 or asked[c] < 1:
                continue
            case.put(c, "latency.average", "s", t, total[c] / 1000)
            case.put(c, "latency.p90", "s", t,
                     total[c] / 1000 * 1.9 * n.tail(.08))
            case.put(c, "requests", "", t, round(asked[c] * n.tail(.02)))
            case.put(c, "availability", "%", t, round(100 * max(0, good[c]), 2))
    case.window = (hit, case.start + length)
    case.baseline = (case.start, hit - 60)
    return case


def log_case(kind, culprit, seed, number, before=1200, during=300):
    """Lines without traces; the calls are declared. Who calls what fails says
    so, too."""
    rng = random.Random(f"log {kind} {culprit} {seed}")
    case = Case("log", kind, culprit, seed, number, "log", 60)
    case.graph = {c: sorted(v[0]) for c, v in SHOP.items()}
    rates, order = rates_of(SHOP, {"edge": 1, "packing": .1})
    n, hit = Noise(rng.random()), case.start + before
    new = rng.random() < .6  # else it was there before, but seldom
    for t in range(case.start, case.start + before + during, 10):
        load = (1 + n.walk("load", .03)) * 4
        if t >= hit and kind in ("wave", "night"):
            load *= 3 if kind == "wave" else .1
        broken = {}
        for c in order:
            bad = .3 if c == culprit and t >= hit else 0
            bad = 1 - (1 - bad) * math.prod(
                1 - min(1, x) * broken[d] for d, x in SHOP[c][0].items())
            broken[c] = bad
            lines = round(load * min(3, rates[c]) * n.tail(.2))
            for i in range(lines):
                at = t + rng.random() * 10
                case.log(c, at, 9, f"handled request {rng.random():.6f} of "
                                   f"customer {rng.randrange(9999)}")
                if rng.random() < .01:
                    case.log(c, at, 17, f"retry {rng.randrange(99)} of lookup "
                                        "gave up")
                if kind == "always-failing" and c == "items":
                    case.log(c, at, 17, "cannot write the audit record")
                if rng.random() < .002 and not new and c == culprit:
                    case.log(c, at, 17, "unexpected null in row 17 of result")
                if rng.random() < bad:
                    own = c == culprit and rng.random() < .9
                    case.log(c, at, 17, "unexpected null in row "
                             f"{rng.randrange(99)} of result" if own else
                             "request failed: upstream answered 500")
    case.window = (hit, hit + during)
    case.baseline = (case.start, hit - 60)
    return case


class Pod:
    """What one process and its container count since they began."""

    def __init__(self, component, number):
        self.component, self.number = component, number
        self.cpu = self.moved = 0.0
        self.served = {}  # labels: [count, seconds]
        self.memory = 0.0


def sdk_case(kind, culprit, seed, number, step, before=1200, during=600,
             late=0):
    """Three pods each, with an SDK in them and an agent beside them: cumulative
    counters and histograms by route and status. A fault is in one pod, but for
    delay and code, which all have."""
    rng = random.Random(f"sdk {kind} {culprit} {seed}")
    case = Case("sdk", kind, culprit, seed, number, "sdk", step)
    n = Noise(rng.random())
    rates, order = rates_of(SHOP, {"edge": 1, "packing": .1})
    base, strength = rng.uniform(20, 80), rng.uniform(.6, 1.5)
    own_factor = {c: rng.uniform(.6, 1.8) for c in SHOP}
    pods = {c: [Pod(c, i) for i in range(1 if c in STORES else 3)]
            for c in SHOP}
    hit, next_number = case.start + before + late, 3
    for k in range((before + during) // step):
        t = case.start + k * step
        ill, since = culprit is not None and t >= hit, max(0, t - hit)
        load = base * (1 + .2 * math.sin(t / 700) + n.walk("load", .01))
        if kind == "night" and t >= hit:
            load *= .1
        if kind == "rush" and t >= hit:
            load *= 3
        if kind == "rollout" and hit <= t < hit + step:
            pods["sales"] = [Pod("sales", next_number + i) for i in range(3)]
            case.started.update({("sales", pod.number): t
                                 for pod in pods["sales"]})
        total, broken = {}, {}
        for c in order:
            calls, own, cost = SHOP[c]
            below = sum(x * total[d] for d, x in calls.items())
            bad = 1 - math.prod(1 - min(1, x) * broken[d]
                                for d, x in calls.items())
            sums = []
            for pod in pods[c]:
                at = ill and c == culprit and (
                    pod.number == 0 or kind in ("delay", "code"))
                mine = own * own_factor[c] * n.tail(.1)
                cpu = cost * own_factor[c] * load * rates[c] / len(pods[c])
                cpu = (cpu + .005) * n.tail(.15)
                memory = 1.5e8 * own_factor[c] * (1 + n.walk(
                    f"m{c}{pod.number}", .001, .01))
                failing = .0005
                if c == "sales" and kind == "rollout" and t >= hit and (
                        since < 45):
                    mine, cpu = mine * 1.3, cpu + .2
                if at and kind == "cpu":
                    cpu, mine = cpu + .8 * strength, mine * (1 + 4 * strength)
                if at and kind == "mem":
                    memory *= 1 + 2 * strength * min(1, since / 300)
                    mine *= 1 + 2 * strength * min(1, since / 300)
                if at and kind == "delay":
                    mine += 80 * strength
                if at and kind == "code":
                    failing, mine = .3 * strength, mine * .5
                failing = 1 - (1 - failing) * (1 - bad)
                asked = load * rates[c] * step / len(pods[c])
                asked = max(0, round(rng.gauss(asked, asked ** .5)))
                failed = sum(rng.random() < failing for _ in range(asked)) \
                    if asked < 50 else round(asked * failing)
                seconds = (mine + below) / 1000
                sums.append((mine + below, failing))
                pod.cpu += cpu * step
                pod.moved += asked * 900
                pod.memory = memory
                for status, part in ((200, asked - failed), (500, failed)):
                    for route, share in (("/a", .8), ("/b", .2)):
                        row = pod.served.setdefault((route, status), [0, 0.0])
                        x = round(part * share)
                        row[0] += x
                        row[1] += x * seconds * n.tail(.05)
                tell_pod(case, c, pod, t)
            total[c] = sum(x[0] for x in sums) / len(sums)
            broken[c] = sum(x[1] for x in sums) / len(sums)
    case.window = (case.start + before, case.start + before + during)
    case.baseline = (case.start, case.start + before - 60)
    return case


def tell_pod(case, c, pod, t):
    if c not in STORES:
        for (route, status), (count, seconds) in pod.served.items():
            if count:
                case.put(c, "http.server.request.duration", "s", t,
                         (count, seconds), pod.number, "histogram",
                         (("http.route", route),
                          ("http.response.status_code", status)))
    for name, unit, value, shape in (
            ("container.cpu.time", "s", pod.cpu, "sum"),
            ("container.memory.usage", "By", pod.memory, "gauge"),
            ("container.network.io", "By", pod.moved, "sum")):
        case.put(c, name, unit, t, value, pod.number, shape, (), True)


def cases(seed, number):
    """All of a seed; number: of the first."""
    rng = random.Random(seed)
    out = []
    services = [c for c in SHOP if c not in STORES]
    for kind in FAULTS:
        for culprit in rng.sample(services if kind in ("delay", "loss")
                                  else sorted(SHOP), 2):
            out.append(shop_case(kind, culprit, seed, number + len(out),
                                 rng.choice((1, 5, 5, 15)),
                                 late=rng.choice((0, 0, 200))))
    for kind in QUIET:
        out.append(shop_case(kind, None, seed, number + len(out),
                             rng.choice((5, 15))))
    for kind in ("cpu", "mem", "delay", "code"):
        for culprit in rng.sample(services, 2):
            out.append(sdk_case(kind, culprit, seed, number + len(out),
                                rng.choice((10, 15, 30, 60)),
                                late=rng.choice((0, 240))))
    for kind in ("night", "rush", "rollout"):
        out.append(sdk_case(kind, None, seed, number + len(out), 30))
    # Of who is asked twice a minute lines tell nothing.
    for culprit in rng.sample(sorted(set(SHOP) - {"packing"}), 3):
        out.append(log_case("code", culprit, seed, number + len(out)))
    for kind in ("wave", "night", "always-failing"):
        out.append(log_case(kind, None, seed, number + len(out)))
    inner = [c for c in CLINIC if CLINIC[c][0]]
    for kind in SLOW_FAULTS:
        for culprit in rng.sample(inner if kind == "missing"
                                  else sorted(CLINIC), 2):
            out.append(clinic_case(kind, culprit, seed, number + len(out)))
    out.append(clinic_case("wave", None, seed, number + len(out)))
    out.append(clinic_case("nothing", None, seed, number + len(out)))
    return out


# ---- as OTLP/JSON ----

def text(key, value):
    return {"key": key, "value": {"stringValue": value}}


def requests_of(case, seconds=60):
    """Export requests, each what came in so many seconds."""
    slots = {}
    for (component, pod, metric, unit, shape, labels, infra), points in (
            case.series.items()):
        for t, value in points:
            slots.setdefault(t // seconds, {}).setdefault(
                (component, pod, infra), {}).setdefault(
                (metric, unit, shape), []).append(
                point(case.started.get((component, pod), case.start), t, value,
                      shape, labels))
    for slot in sorted(slots):
        resources = []
        for (component, pod, infra), metrics in sorted(slots[slot].items()):
            resources.append({
                "resource": {"attributes": resource(case, component, pod,
                                                    infra)},
                "scopeMetrics": [{"metrics": [
                    {"name": name, "unit": unit, shape: data(shape, p)}
                    for (name, unit, shape), p in metrics.items()]}]})
        yield json.dumps({"resourceMetrics": resources})


def logs_of(case, seconds=60):
    slots = {}
    for t, component, severity, body in case.lines:
        slots.setdefault(int(t) // seconds, {}).setdefault(
            component, []).append(
            {"timeUnixNano": str(round(t * 1000) * 10**6),
             "severityNumber": severity, "body": {"stringValue": body}})
    for slot in sorted(slots):
        yield json.dumps({"resourceLogs": [
            {"resource": {"attributes": resource(case, c, 0, False)},
             "scopeLogs": [{"logRecords": records}]}
            for c, records in slots[slot].items()]})


def point(start, t, value, shape, labels):
    p = {"timeUnixNano": str(t * 10**9)}
    if labels:
        p["attributes"] = [
            {"key": k, "value": {"intValue": str(v)} if isinstance(v, int)
             else {"stringValue": v}} for k, v in labels]
    if shape != "gauge":
        p["startTimeUnixNano"] = str(start * 10**9)
    if shape == "histogram":
        p["count"], p["sum"] = str(value[0]), value[1]
    else:
        p["asDouble"] = value
    return p


def data(shape, points):
    if shape == "gauge":
        return {"dataPoints": points}
    out = {"dataPoints": points, "aggregationTemporality": 2}
    return out if shape == "histogram" else {**out, "isMonotonic": True}


def resource(case, component, pod, infra):
    if case.tells:
        return case.tells(component, pod, infra)
    name = f"{component}-{case.id}-{pod}"
    out = [text("k8s.namespace.name", "worlds"), text("k8s.pod.name", name),
           text("k8s.pod.uid", name)]
    # An agent knows the pod only, if something in it says who it is.
    if infra and component not in STORES:
        return out
    version = case.versions.get((component, pod), "1.0.0" if case.versions else None)
    if version:
        out.append(text("service.version", version))
    return out + [text("service.name", component),
                  text("openchoreo.dev/project", case.project),
                  text("openchoreo.dev/component", component),
                  text("openchoreo.dev/environment", "bench")]


# ---- simple methods, to compare with ----

def median(values):
    values = sorted(values)
    n = len(values)
    return (values[(n - 1) // 2] + values[n // 2]) / 2


def halves(case, points):
    return ([v for t, v in points if t <= case.baseline[1]],
            [v for t, v in points if case.window[0] <= t <= case.window[1]])


def ranking(case, score_of):
    best = {}
    for component, points in case.numbers():
        before, during = halves(case, points)
        if len(before) > 2 and during:
            best[component] = max(best.get(component, 0),
                                  score_of(before, during))
    return sorted(best, key=lambda c: -best[c])


def n_sigma(before, during):
    mean = sum(before) / len(before)
    sd = math.sqrt(sum((v - mean) ** 2 for v in before) / len(before))
    return max(abs(v - mean) for v in during) / (sd or 1e-9)


def baro(before, during):
    mid, ordered = median(before), sorted(before)
    spread = (ordered[len(ordered) * 3 // 4] - ordered[len(ordered) // 4])
    return max(abs(v - mid) for v in during) / (spread or 1e-9)


BASELINES = {"N-Sigma": n_sigma, "BARO": baro}
