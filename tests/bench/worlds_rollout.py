"""Worlds in which a bad version is rolled out, by metrics alone.

A version comes with new pods, which have no history of their own. The same
faults are told in five shapes, as five kinds of senders tell them:

  sdk      histograms of OpenTelemetry's SDKs, server and client side
  prom     counters and histograms as Prometheus exporters name them
  gauges   rates and quantiles somebody has computed, one gauge per pod
  mesh     a sidecar's counters, with source and destination as labels
  caller   the bad component reports CPU and memory only; its callers' client
           metrics name it by server.address

In half of the cases another component gets a good version at the same time.
"""
import random

from worlds import Case, Noise, rates_of

# name: (calls per request, own latency in ms, CPU seconds per request)
TOUR = {
    "gate": ({"finder": 1, "booking": .3, "profile": .4}, 5, .001),
    "finder": ({"flights": 1, "hotels": 1, "quotes": 1}, 9, .002),
    "flights": ({"flights-sql": 1}, 6, .001),
    "hotels": ({"hotels-sql": 1}, 7, .001),
    "quotes": ({"currency": 2}, 4, .002),
    "currency": ({}, 2, .0005),
    "booking": ({"charge": 1, "seats": 1, "letters": .5, "profile": 1}, 12, .003),
    "charge": ({"bank-link": 1}, 8, .001),
    "bank-link": ({}, 20, .0005),
    "seats": ({"flights-sql": 1}, 5, .001),
    "profile": ({"profile-sql": 1}, 4, .001),
    "letters": ({}, 6, .001),
    "flights-sql": ({}, 2, .002),
    "hotels-sql": ({}, 2, .002),
    "profile-sql": ({}, 1, .001),
}
STORES = ("flights-sql", "hotels-sql", "profile-sql")
SHAPES = ("sdk", "prom", "gauges", "mesh", "caller")
FAULTS = ("errors", "few errors", "slow", "cpu", "leak")


class Pod:
    """What one pod counts since it began."""

    def __init__(self, number, bad=False):
        self.number, self.bad = number, bad
        self.served = {}  # status: [count, seconds]
        self.called = {}  # (callee, status): [count, seconds]
        self.cpu = 0.0


def count(table, key, number, seconds):
    row = table.setdefault(key, [0, 0.0])
    row[0] += number
    row[1] += number * seconds


def _split(rng, asked, failing):
    failed = sum(rng.random() < failing for _ in range(asked)) \
        if asked < 60 else round(asked * failing)
    return asked - failed, failed


class Rollout:
    """One case while it is played."""

    def __init__(self, case, rng, fault, culprit, fine):
        self.case, self.rng, self.fault, self.culprit, self.fine = case, rng, fault, culprit, fine
        self.noise = Noise(rng.random())
        self.rates, self.order = rates_of(TOUR, {"gate": 1})
        self.factor = {c: rng.uniform(.6, 1.8) for c in TOUR}
        self.pods = {c: [Pod(i) for i in range(1 if c in STORES else rng.choice((2, 2, 3)))]
                     for c in TOUR}
        self.next = 10
        self.base, self.strength = rng.uniform(15, 60), rng.uniform(.7, 1.4)
        self.canary = rng.random() < .4  # one pod of the bad version beside the old

    def release(self, component, bad, t):
        pods = self.pods[component]
        new = [Pod(self.next + i, bad) for i in range(1 if bad and self.canary else len(pods))]
        self.next += len(new)
        self.pods[component] = pods + new if bad and self.canary else new
        for pod in new:
            self.case.versions[component, pod.number] = "2.0.0"
            self.case.started[component, pod.number] = t

    def behaviour(self, pod, component, since):
        """Own seconds, CPU and memory factors and share of failures of a pod."""
        ms = TOUR[component][1] * self.factor[component] * self.noise.tail(.1)
        cpu = memory = 1.0
        failing = .001 if self.rng.random() < .2 else 0
        if pod.bad:
            if self.fault == "errors":
                failing = min(.95, .7 * self.strength)
            elif self.fault == "few errors":
                failing, ms = .12 * self.strength, ms * 1.1
            elif self.fault == "slow":
                ms = ms * 3 + 150 * self.strength
            elif self.fault == "cpu":
                cpu, ms = 12 * self.strength, ms * 3
            else:
                memory, ms = 1 + since / 150 * self.strength, ms * (1 + since / 200)
        return ms / 1000, cpu, memory, failing

    def step(self, t, step, since):
        load = self.base * (1 + .1 * self.noise.walk("load", .05))
        total, broken = {}, {}
        for c in self.order:
            calls = TOUR[c][0]
            below = sum(x * total[d] for d, x in calls.items())
            bad = 1.0
            for d, x in calls.items():
                bad *= 1 - min(1, x) * broken[d]
            seen = []
            for pod in self.pods[c]:
                own, cpu, memory, failing = self.behaviour(pod, c, since)
                failing = 1 - (1 - failing) * bad
                asked = load * self.rates[c] * step / len(self.pods[c])
                asked = max(0, round(self.rng.gauss(asked, asked ** .5)))
                good, failed = _split(self.rng, asked, failing)
                count(pod.served, 200, good, own + below)
                count(pod.served, 500, failed, own + below)
                for d, x in calls.items():
                    good, failed = _split(self.rng, round(asked * x), broken[d])
                    count(pod.called, (d, 200), good, total[d])
                    count(pod.called, (d, 500), failed, total[d])
                cores = (TOUR[c][2] * asked / step + .004) * cpu * self.noise.tail(.15)
                pod.cpu += cores * step
                seen.append((own + below, failing))
                TELL[self.case.style](self.case, c, pod, t, cores,
                                      1.2e8 * self.factor[c] * memory, own + below, asked / step,
                                      failing)
            total[c] = sum(s[0] for s in seen) / len(seen)
            broken[c] = sum(s[1] for s in seen) / len(seen)


def tell_resources(case, c, pod, t, memory):
    case.put(c, "container.cpu.time", "s", t, pod.cpu, pod.number, "sum", (), True)
    case.put(c, "container.memory.usage", "By", t, memory, pod.number, "gauge", (), True)


def tell_client(case, c, pod, t):
    for (callee, status), (n, seconds) in pod.called.items():
        if n:
            case.put(c, "http.client.request.duration", "s", t, (n, seconds), pod.number, "histogram",
                     (("server.address", f"{callee}.tour.svc.cluster.local"), ("server.port", 8080),
                      ("http.response.status_code", status)))


def tell_sdk(case, c, pod, t, cores, memory, seconds, rate, failing):
    tell_resources(case, c, pod, t, memory)
    if c in STORES:
        return
    for status, (n, total) in pod.served.items():
        if n:
            case.put(c, "http.server.request.duration", "s", t, (n, total), pod.number, "histogram",
                     (("http.route", "/v1"), ("http.response.status_code", status)))
    tell_client(case, c, pod, t)


def tell_prom(case, c, pod, t, cores, memory, seconds, rate, failing):
    case.put(c, "process_cpu_seconds_total", "", t, pod.cpu, pod.number, "sum")
    case.put(c, "process_resident_memory_bytes", "", t, memory, pod.number)
    if c in STORES:
        return
    for status, (n, total) in pod.served.items():
        if n:
            labels = (("method", "GET"), ("code", str(status)))
            case.put(c, "http_requests_total", "", t, n, pod.number, "sum", labels)
            case.put(c, "http_request_duration_seconds", "", t, (n, total), pod.number,
                     "histogram", labels)


def tell_gauges(case, c, pod, t, cores, memory, seconds, rate, failing):
    for name, value in (("cpu_cores", cores), ("mem_bytes", memory)):
        case.put(c, name, "", t, round(value, 5), pod.number)
    if c not in STORES:
        for name, value in (("latency_p50", seconds), ("latency_p95", seconds * 2.1),
                            ("request_rate", rate), ("error_rate", failing * rate)):
            case.put(c, name, "", t, round(value, 5), pod.number)


def tell_mesh(case, c, pod, t, cores, memory, seconds, rate, failing):
    tell_resources(case, c, pod, t, memory)
    for (callee, status), (n, total) in pod.called.items():
        if n:
            labels = (("source_workload", c), ("destination_workload", callee),
                      ("reporter", "source"), ("response_code", str(status)))
            case.put(c, "istio_requests_total", "", t, n, pod.number, "sum", labels)
            case.put(c, "istio_request_duration_milliseconds", "", t, (n, total * 1000), pod.number,
                     "histogram", labels)


def tell_caller(case, c, pod, t, cores, memory, seconds, rate, failing):
    if c == case.culprit:
        tell_resources(case, c, pod, t, memory)
    else:
        tell_sdk(case, c, pod, t, cores, memory, seconds, rate, failing)


TELL = {"sdk": tell_sdk, "prom": tell_prom, "gauges": tell_gauges, "mesh": tell_mesh,
        "caller": tell_caller}


def rollout_case(shape, fault, culprit, seed, number, before=1200, during=600):
    """fault None: the version is good, nothing is wrong."""
    rng = random.Random(f"rollout {shape} {fault} {seed}")
    step = rng.choice((10, 15, 30))
    case = Case("rollout", f"{shape}-{(fault or 'good').replace(' ', '-')}", culprit if fault else None,
                seed, number, shape, step)
    others = [c for c in TOUR if c not in STORES and c != culprit]
    fine = rng.choice(others) if rng.random() < .5 else None
    play = Rollout(case, rng, fault, culprit, fine)
    hit = case.start + before + rng.choice((0, 0, 30, 120))
    released = False
    for t in range(case.start, case.start + before + during, step):
        if t >= hit and not released:
            play.release(culprit, fault is not None, t - step)
            if fine:
                play.release(fine, False, t - step)
            released = True
        play.step(t, step, max(0, t - hit))
    case.window = (case.start + before, case.start + before + during)
    case.baseline = (case.start, case.start + before - 60)
    return case


def cases(seed, number):
    """One case of each shape, and a good rollout."""
    rng = random.Random(f"rollouts {seed}")
    services = [c for c in TOUR if c not in STORES]
    out = []
    for i, shape in enumerate(SHAPES):
        # The gate has no caller that could tell of it.
        among = [c for c in services if c != "gate"] if shape in ("mesh", "caller") else services
        out.append(rollout_case(shape, FAULTS[(i + seed) % len(FAULTS)], rng.choice(among), seed,
                                number + i))
    out.append(rollout_case(rng.choice(SHAPES), None, rng.choice(services), seed, number + len(SHAPES)))
    return out
