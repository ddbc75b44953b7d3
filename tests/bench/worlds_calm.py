"""Windows in which nothing is wrong, and what might be taken for a cause.

  limit     usage wanders between 50 and 80 % of a container's limit
  night     traffic falls to a tenth; morning: it comes back
  logs-stop an agent goes down: the lines of all components end
  release   a component's first pods come into the window
  backup    a job reads a database's disk and uses CPU, nobody waits
  autoscale the traffic grows, and pods are added
  collector memory goes up and down to 88 % of the limit, with CPU when it is
            collected
  warm-up   a good version in new pods, which are slow in their first minute
  mix       one operation is called more often, so that the mean is slower
  scrape    the metrics of one pod in three are not read any more
"""
import math
import random

from worlds import Case, Noise, rates_of
from worlds_rollout import STORES, TOUR, Pod, count, tell_client

KINDS = ("limit", "night", "morning", "logs-stop", "release", "backup",
         "autoscale", "collector", "warm-up", "mix", "scrape")
FULL = 10 * 60  # seconds of the window


def wander(noise, key, low, high):
    """Slowly between two levels."""
    x = .5 + .5 * math.tanh(noise.walk(key, .25, .05))
    return low + (high - low) * x


def tell(case, noise, c, pod, t, step, kind, hit):
    """CPU, memory and their limits, as an agent reads them."""
    limit, memory_limit = 1.0, 512 << 20
    high = .8 if t >= hit and kind == "limit" else .62
    cpu = limit * wander(noise, f"c{c}{pod.number}", .2 if kind != "limit" else .45, high)
    memory = memory_limit * wander(noise, f"m{c}{pod.number}", .45, high)
    disk = 2e5 * noise.tail(.4)
    if kind == "collector":
        phase = (t / 40 + 3 * pod.number + len(c)) % 6 / 6
        memory = memory_limit * (.35 + .53 * phase)
        cpu += .3 if phase < .1 else 0
    if kind == "autoscale":
        cpu = min(.8, cpu * pod.busy)
    if kind == "backup" and c == "flights-sql" and t >= hit + 60:
        cpu, disk = cpu + .3, disk + 4e7
    pod.cpu += cpu * step
    for name, unit, value, shape in (
            ("container.cpu.time", "s", pod.cpu, "sum"),
            ("container.memory.working_set", "By", round(memory), "gauge"),
            ("k8s.container.cpu_limit", "{cpu}", limit, "gauge"),
            ("k8s.container.memory_limit", "By", memory_limit, "gauge"),
            ("container.disk.io.rate", "By/s", round(disk), "gauge")):
        case.put(c, name, unit, t, value, pod.number, shape, (), True)


def calm_case(kind, seed, number, step, before=1800):
    rng = random.Random(f"calm {kind} {seed}")
    case = Case("calm", kind, None, seed, number, "calm", step)
    noise = Noise(rng.random())
    rates, order = rates_of(TOUR, {"gate": 1})
    pods = {c: [Pod(i) for i in range(1 if c in STORES else 2)] for c in TOUR}
    factor = {c: rng.uniform(.6, 1.8) for c in TOUR}
    hit, base = case.start + before, rng.uniform(15, 60)
    busy = rng.choice([c for c in TOUR if c not in STORES])
    for t in range(case.start, hit + FULL, step):
        load = base * (1 + .1 * noise.walk("load", .05))
        load *= {"night": .1 if t >= hit else 1, "morning": 1 if t >= hit else .1}.get(kind, 1)
        if kind == "autoscale":
            load *= 1 + min(1.5, max(0, t - hit + 120) / 200)
        if kind == "mix" and t == hit:
            rates, _ = rates_of(dict(TOUR, gate=({**TOUR["gate"][0], "booking": .8}, 5, .001)),
                                {"gate": 1})
        if kind == "warm-up" and hit <= t < hit + step or kind == "autoscale" and \
                hit + 100 <= t < hit + 100 + step:
            for c in TOUR:
                if kind == "warm-up" and c == busy:
                    pods[c] = [Pod(10 + pod.number) for pod in pods[c]]
                elif kind == "autoscale" and c not in STORES:
                    pods[c] = pods[c] + [Pod(10 + pod.number) for pod in pods[c]]
        total = {}
        for c in order:
            if kind == "release" and c == "letters" and t < hit + 60:
                total[c] = 0
                continue
            own = TOUR[c][1] * factor[c] * noise.tail(.1) / 1000
            if kind == "warm-up" and c == busy and hit <= t < hit + 60:
                own *= 3
            total[c] = own + sum(x * total[d] for d, x in TOUR[c][0].items())
            for pod in pods[c]:
                asked = round(load * rates[c] * step / len(pods[c]))
                failed = sum(rng.random() < .0005 for _ in range(asked))
                count(pod.served, 200, asked - failed, total[c])
                count(pod.served, 500, failed, total[c])
                pod.busy = load / base * len(pods[c][:2]) / len(pods[c])
                for d, x in TOUR[c][0].items():
                    count(pod.called, (d, 200), round(asked * x), total[d])
                if c not in STORES:
                    for status, (n, seconds) in pod.served.items():
                        case.put(c, "http.server.request.duration", "s", t, (n, seconds), pod.number,
                                 "histogram", (("http.route", "/v1"),
                                               ("http.response.status_code", status)))
                    tell_client(case, c, pod, t)
                if kind == "scrape" and t >= hit and (pod.number + len(c)) % 3 == 0:
                    continue
                tell(case, noise, c, pod, t, step, kind, hit)
            if kind == "logs-stop" and t < hit + 30 or kind in ("night", "morning", "release"):
                for i in range(round(min(6, load * rates[c] * step / 20))):
                    case.log(c, t + rng.random() * step, 9,
                             f"request {rng.randrange(10**6)} of visitor {rng.randrange(999)} done")
                if rng.random() < .2:
                    case.log(c, t + rng.random(), 17, f"lookup {rng.randrange(99)} timed out once")
    case.window = (hit, hit + FULL)
    case.baseline = (case.start, hit - 60)
    return case


def cases(seed, number):
    rng = random.Random(f"calm {seed}")
    return [calm_case(kind, seed, number + i, rng.choice((15, 30))) for i, kind in enumerate(KINDS)]
