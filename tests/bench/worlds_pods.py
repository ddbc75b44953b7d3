"""Pods that come and go, as other senders tell of them: metrics only.

Each case is a system of its own: components, calls, numbers of pods. A bad
version of one component comes in one of the ways in which versions come:

  replace   all pods at once
  rolling   one pod after the other, over minutes
  canary    one new pod beside the old ones, with less traffic
  stateful  the pods keep their names; version and start time are new

The pod is told by k8s.pod.name, by service.instance.id, or by a label of each
point ("pod", "instance"), with a version or without one. Processes that start
are slow, busy and small for a while. The window begins before or after the
version comes. A good version of another component often comes at the same time.

The quiet ones: good versions, pods added and removed with the load, nodes that
are drained.
"""
import math
import random

from worlds import START, Case, Noise, rates_of, text

WAYS = ("replace", "rolling", "canary", "stateful")
FAULTS = ("errors", "few errors", "slow", "cpu")
SHAPES = ("histograms", "prometheus", "gauges", "micrometer")
QUIET = ("good", "autoscale", "drain")
WORDS = ("alder", "birch", "cedar", "doum", "elm", "fir", "gum", "hazel", "iroko", "juniper", "kauri",
         "larch", "maple", "nutmeg", "oak", "pine")


def system(rng):
    """name: (calls per request, own ms, CPU seconds per request), callers first."""
    names = rng.sample(WORDS, rng.randint(7, 14))
    out = {}
    for i, name in enumerate(names):
        below = names[i + 1:]
        calls = {d: rng.choice((1, 1, 1, .5, .3, 2)) for d in
                 rng.sample(below, min(len(below), rng.choice((0, 1, 1, 2, 3)) if i else 3))}
        out[name] = (calls, rng.uniform(2, 30), rng.uniform(.0004, .004))
    called = {d for v in out.values() for d in v[0]}
    for name in names[1:]:
        if name not in called:
            out[names[0]][0][name] = .6
    return out


class Pod:
    def __init__(self, number, name, born, bad=False, share=1.0):
        self.number, self.name, self.born, self.bad, self.share = number, name, born, bad, share
        self.good = self.failed = self.seconds = self.failed_seconds = self.cpu = 0.0
        self.level = 1.0
        self.gone = None


class Play:
    def __init__(self, case, rng, culprit, fault, way, quiet):
        self.case, self.rng, self.culprit, self.fault, self.way, self.quiet = \
            case, rng, culprit, fault, way, quiet
        self.noise, self.tour = Noise(rng.random()), case.tour
        self.rates, self.order = rates_of(self.tour, {next(iter(self.tour)): 1})
        self.number = 0
        self.base = rng.uniform(8, 60)
        self.warm_s = rng.choice((0, 30, 60, 90))
        self.warm_factor = rng.uniform(1.5, 5)
        self.pods = {c: [] for c in self.tour}
        for c in self.tour:
            for i in range(rng.choice((1, 2, 2, 3, 4))):
                self.pods[c].append(self.new_pod(c, case.start - rng.randint(3600, 90000)))
        self.status = rng.choice((("http.response.status_code", 200, 500), ("status", "200", "503"),
                                  ("code", "200", "500"), ("response_code", "200", "502"),
                                  ("outcome", "SUCCESS", "SERVER_ERROR"),
                                  ("rpc.grpc.status_code", 0, 14), ("error.type", None, "timeout")))
        self.plan = []  # (time, what)

    def new_pod(self, c, born, bad=False, share=1.0, name=None):
        self.number += 1
        pod = Pod(self.number, name or f"{c}-{self.case.id}-{self.number}", born, bad, share)
        pod.level = self.rng.uniform(.92, 1.08)  # nodes differ
        self.case.started[c, pod.number] = born
        self.case.pod_names[c, pod.number] = pod.name
        return pod

    def release(self, c, bad, t, way, step):
        """Plans it: (when, pod that goes, pod that comes)."""
        old = list(self.pods[c])
        if way == "canary":
            self.plan.append((t, c, None, bad, self.rng.choice((.3, .6, 1))))
            return
        gap = self.rng.choice((30, 60, 90)) if way in ("rolling", "stateful") else 0
        for i, pod in enumerate(old):
            self.plan.append((t + i * gap, c, pod, bad, 1.0))

    def carry_out(self, t, step):
        for entry in [e for e in self.plan if e[0] <= t]:
            self.plan.remove(entry)
            _, c, old, bad, share = entry
            keep = old is not None and self.way == "stateful"
            new = self.new_pod(c, t - step, bad, share, old.name if keep else None)
            if old is not None:
                self.pods[c].remove(old)
            self.pods[c].append(new)
            if bad is not None and self.case.with_version:
                self.case.versions[c, new.number] = "v2"

    def autoscale(self, t, hit, c, more):
        if more and t >= hit and len(self.pods[c]) < 6 and (t - hit) % 60 < self.case.step:
            self.pods[c].append(self.new_pod(c, t - self.case.step))
        if not more and t >= hit and len(self.pods[c]) > 1 and (t - hit) % 120 < self.case.step:
            self.pods[c].pop(0)

    def step(self, t, step, hit):
        load = self.base * (1 + .1 * self.noise.walk("load", .05) + .1 * math.sin(t / 900))
        if self.quiet == "autoscale" and t >= hit:
            load *= 1 + (.8 if self.more else -.5) * min(1, (t - hit) / 120)
        total, broken = {}, {}
        for c in self.order:
            calls, own_ms, cost = self.tour[c]
            below = sum(x * total[d] for d, x in calls.items())
            bad = 1 - math.prod(1 - min(1, x) * broken[d] for d, x in calls.items())
            wanted = load * self.rates[c] * step
            shares = sum(p.share for p in self.pods[c])
            seen = []
            for p in self.pods[c]:
                own = own_ms / 1000 * self.noise.tail(.1) * p.level
                cpu, memory, failing = 1.0, 1.0, .001 if self.rng.random() < .2 else 0
                young = t - p.born < self.warm_s
                if young:
                    own, cpu, memory = own * self.warm_factor, cpu * 3, .5
                strength = self.case.strength
                if p.bad and self.fault == "errors":
                    failing = min(.95, .6 * strength)
                elif p.bad and self.fault == "few errors":
                    failing = .08 * strength
                elif p.bad and self.fault == "slow":
                    own = own * 2 + .12 * strength
                elif p.bad and self.fault == "cpu":
                    cpu, own = cpu * 10 * strength, own * 4 + .03
                failing = 1 - (1 - failing) * (1 - bad)
                asked = wanted * p.share / shares
                asked = max(0, round(self.rng.gauss(asked, asked ** .5)))
                failed = sum(self.rng.random() < failing for _ in range(asked)) \
                    if asked < 60 else round(asked * failing)
                cores = (cost * asked / step + .004) * cpu * self.noise.tail(.15) * p.level
                p.cpu += cores * step
                p.good, p.failed = p.good + asked - failed, p.failed + failed
                p.seconds += (asked - failed) * (own + below)
                p.failed_seconds += failed * (own + below)
                seen.append((asked, own + below, failing))
                self.tell(c, p, t, cores, 2e8 * memory * p.level, own + below, asked / step,
                          failed / step)
            n = sum(s[0] for s in seen) or 1
            total[c] = sum(s[0] * s[1] for s in seen) / n
            broken[c] = sum(s[0] * s[2] for s in seen) / n

    def tell(self, c, p, t, cores, memory, seconds, rate, failed_rate):
        case, key = self.case, self.status
        label = ((case.pod_label, p.name),) if case.pod_label else ()

        def put(metric, unit, value, shape="gauge", labels=()):
            case.put(c, metric, unit, t, value, p.number, shape, tuple(labels) + label)

        if case.style == "gauges":
            put("cpu_usage_cores", "", round(cores, 5))
            put("rss_bytes", "", round(memory))
            put("latency_avg", "s", round(seconds, 5))
            put("latency_p99", "s", round(seconds * 2.6 * self.noise.tail(.1), 5))
            put("throughput", "", round(rate, 3))
            if failed_rate or case.zeros:
                put("failures_per_second", "", round(failed_rate, 4))
            return
        if case.style == "histograms":
            put("process.cpu.time", "s", p.cpu, "sum")
            put("process.memory.usage", "By", round(memory))
        else:
            put("process_cpu_seconds_total", "", p.cpu, "sum")
            put("process_resident_memory_bytes", "", round(memory))
        for value, n, total in ((key[1], p.good, p.seconds), (key[2], p.failed, p.failed_seconds)):
            labels = ((key[0], value),) if value is not None else ()
            if not n:
                continue
            if case.style == "histograms":
                put("http.server.request.duration", "s", (n, total), "histogram", labels)
            elif case.style == "micrometer":
                put("http_server_requests_seconds", "", (n, total), "histogram", labels)
            else:
                put("http_requests_total", "", n, "sum", labels)
                put("http_request_duration_seconds", "", (n, total), "histogram", labels)


def tells(case):
    """The attributes of a resource, as this case's senders put them."""
    def attributes(component, pod, infra):
        name = case.pod_names[component, pod]
        out = [text("service.name", component), text("openchoreo.dev/project", case.project),
               text("openchoreo.dev/component", component),
               text("openchoreo.dev/environment", "bench")]
        if case.with_version:
            out.append(text("service.version", case.versions.get((component, pod), "v1")))
        if not case.pod_label:
            out.append(text(case.pod_attribute, name))
        return out
    return attributes


def pods_case(shape, fault, way, seed, number, quiet=None):
    rng = random.Random(f"pods {shape} {fault} {way} {quiet} {seed}")
    step = rng.choice((10, 15, 30, 60))
    tour = system(rng)
    names = list(tour)
    case = Case("pods", quiet or f"{fault.replace(' ', '-')}-{way}", None, seed, number, shape, step)
    culprit = rng.choice(names)
    case.culprit = None if quiet else culprit
    case.id = f"pods-{shape}-{quiet or fault.replace(' ', '-')}-{way}-{culprit}-{seed}"
    case.project = f"worlds--{case.id}"
    case.tour, case.pod_names, case.strength = tour, {}, rng.uniform(.6, 1.4)
    case.with_version = rng.random() < .6
    case.pod_label = rng.choice((None, None, "pod", "instance")) if way != "stateful" else None
    case.pod_attribute = rng.choice(("k8s.pod.name", "service.instance.id"))
    case.zeros = rng.random() < .5
    case.graph = {c: sorted(v[0]) for c, v in tour.items()} if rng.random() < .5 else {}
    case.tells = tells(case)
    before, during = 1800, rng.choice((300, 600, 900))
    hit = case.start + before + rng.choice((-200, -60, 0, 45, during // 4))
    play = Play(case, rng, culprit, fault, way, quiet)
    play.more = rng.random() < .5
    if quiet in (None, "good"):
        play.release(culprit, quiet is None, hit, way, step)
        others = [c for c in names if c != culprit]
        if rng.random() < .6:
            play.release(rng.choice(others), False, hit, rng.choice(WAYS[:2]), step)
    if quiet == "drain":
        for c in rng.sample(names, len(names) // 2):
            play.plan.append((hit, c, play.pods[c][0], None, 1.0))
    scaled = rng.sample(names, 2)
    for t in range(case.start, case.start + before + during, step):
        play.carry_out(t, step)
        if quiet == "autoscale":
            for c in scaled:
                play.autoscale(t, hit, c, play.more)
        play.step(t, step, hit)
    case.window = (case.start + before, case.start + before + during)
    case.baseline = (case.start, case.start + before - 60)
    return case


def cases(seed, number):
    """Each shape with a fault and a way, and three quiet ones."""
    rng = random.Random(f"pods {seed}")
    out = []
    for i, shape in enumerate(SHAPES):
        for k in range(2):
            out.append(pods_case(shape, FAULTS[(i + k + seed) % 4], WAYS[(i + 3 * k + seed // 4) % 4], seed,
                                 number + len(out)))
    for quiet in QUIET:
        out.append(pods_case(rng.choice(SHAPES), None, rng.choice(WAYS), seed, number + len(out), quiet))
    return out
