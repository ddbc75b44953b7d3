"""Worlds of a cloud, with another graph for each case: services, functions (an
invocation and its code), tables, queues with consumers, caches, load balancers.

The monitoring is as clouds have it: four styles of names, one point a minute or
five, few points in the window, percentiles, availability instead of failures,
rounded numbers, gaps where hardly anybody asks. The graph is as people have it:
balancers that are leaves beside their targets, targets that nobody seems to
call, calls that are missing. The traffic is what it likes to be. In half of the
cases latencies are means of a sample, hardly anybody asks, or some nodes lack a
metric.
"""
import math
import random

from worlds import DAY, Case, Noise

FAULTS = ("latency", "some-slow", "cpu-hog", "leak", "misconfigured", "throttled",
          "overload", "crash", "retried", "timeout", "queued")
WORDS = ("adopt breed chart depot event flora grain habit index joker kiosk lemon mango north "
         "olive pixel quartz river stamp trail umbra valve whale xenon yacht zebra").split()
STYLES = ("petlike", "cloudwatch", "xray", "percentiles")


class Node:
    def __init__(self, name, kind, own):
        self.name, self.kind, self.own = name, kind, own
        self.calls = {}  # name: calls per request
        self.queued = set()  # called by a queue: nobody waits
        self.tolerates = 0.0


def build(rng):
    """A graph of 12 to 30 nodes, first the entry."""
    words, nodes = rng.sample(WORDS, len(WORDS)), {}

    def add(kind, own):
        word = words.pop()
        name = {"service": f"{word}-svc", "code": f"{word}-fn-code", "function": f"{word}-fn",
                "table": f"{word}-table", "sql": f"{word}-sql", "cache": f"{word}-cache",
                "queue": f"{word}-queue", "balancer": rng.choice(
                    (f"{word}-elb", f"Servi-{word}.elb.example", f"{word}-alb"))}[kind]
        nodes[name] = Node(name, kind, own)
        return nodes[name]

    def leaf():
        kind = rng.choice(("table", "table", "sql", "cache"))
        return add(kind, {"cache": 1.2, "table": rng.uniform(3, 9), "sql": rng.uniform(4, 30)}[kind])

    def service(depth):
        if rng.random() < .3:
            front, node = add("function", rng.uniform(2, 15)), add("code", rng.uniform(10, 80))
            front.calls[node.name] = 1
        else:
            front = node = add("service", rng.uniform(4, 60))
        node.tolerates = rng.choice((0, 0, .5))
        for _ in range(rng.choice((1, 1, 2, 3)) if depth > 0 else 0):
            if len(words) > 6:
                callee = reach(depth - 1) if rng.random() < .6 else leaf()
                node.calls[callee.name] = rng.choice((.2, .5, 1, 1, 1, 2, 3))
        stores = [n for n in nodes.values() if n.kind in ("table", "sql")]
        if not node.calls and len(words) > 3 or rng.random() < .15 and stores:
            node.calls[(rng.choice(stores) if stores and rng.random() < .5 else leaf()).name] = 1
        return front

    def reach(depth):
        target = service(depth)
        how = rng.random()
        if how < .35 and len(words) > 4:
            balancer = add("balancer", rng.uniform(.5, 2))
            balancer.calls[target.name] = 1
            return balancer
        if how < .45 and len(words) > 4:
            queue = add("queue", rng.uniform(3, 12))
            queue.calls[target.name], queue.queued = 1, {target.name}
            return queue
        return target

    entry = add("service", rng.uniform(5, 40))
    for _ in range(rng.choice((2, 3, 4))):
        if len(words) > 6:
            entry.calls[reach(rng.choice((1, 2, 2, 3))).name] = rng.choice((.3, .6, 1))
    return entry, nodes


def order_of(nodes):
    """Callees first."""
    order, left = [], dict(nodes)
    while left:
        for name in sorted(left):
            if not any(d in left for d in left[name].calls):
                order.append(name)
                del left[name]
    return order


def declared(rng, nodes, culprit):
    graph = {n.name: sorted(n.calls) for n in nodes.values()}
    for n in nodes.values():
        if n.kind != "balancer":
            continue
        how, (target,) = rng.random(), n.calls
        if how < .7:  # its target is not known
            graph[n.name] = []
        if how < .4:  # but who calls both
            for calls in graph.values():
                if n.name in calls:
                    calls.append(target)
    edges = [(c, d) for c in graph for d in graph[c]
             if nodes[c].kind == "service" and d != culprit]
    if edges and rng.random() < .7:
        c, d = rng.choice(edges)
        graph[c].remove(d)
    return graph


def cloud_case(fault, kind, seed, number):
    """fault None: nothing is wrong."""
    rng = random.Random(f"cloud {kind} {seed}")
    entry, nodes = build(rng)
    order = order_of(nodes)
    inner = [n for n in order if nodes[n].kind not in ("balancer", "queue") and n != entry.name]
    if fault in ("cpu-hog", "leak", "crash", "misconfigured"):
        inner = [n for n in inner if nodes[n].kind in ("service", "code")] or inner
    if fault in ("throttled", "retried"):
        inner = [n for n in inner if nodes[n].kind in ("table", "function")] or inner
    behind_queue = {d for n in nodes.values() for d in n.queued}
    inner = [n for n in inner if n not in behind_queue] or inner
    culprit = rng.choice(inner)
    step, style = rng.choice((60, 300, 300)), rng.choice(STYLES)
    case = Case("cloud", kind, culprit if fault else None, seed, number, style, step)
    case.graph = declared(rng, nodes, culprit)
    noise, strength = Noise(rng.random()), rng.uniform(.6, 1.6)
    base = rng.choice((rng.uniform(300, 4000), rng.uniform(30, 200))) * step / 60
    sampled, lacking = rng.choice((0, 0, .1, .25)), rng.choice((0, 0, .15))
    lacks = {n: rng.choice(("latency", "requests", "failures")) for n in nodes
             if rng.random() < lacking and n != culprit}
    before, during = (rng.choice((6, 9)) * 3600, rng.choice((900, 1800))) if step == 300 else (
        2 * 3600, rng.choice((600, 900)))
    gap = rng.choice((0, 0, 6 * 3600))  # nothing was recorded, as on another day
    hit = case.start + before + gap
    moved = 1 if kind == "steady" else rng.choice((1, 1, .5, 1.6, 2.5))
    retries = rng.random() < .3
    for t in range(case.start, hit + during, step):
        if case.start + before <= t < hit - 2 * step:
            continue
        ill, since = fault is not None and t >= hit, max(0, t - hit) / during
        load = base * (1 + .3 * math.sin(t * 2 * math.pi / DAY)) * (1 + noise.walk("load", .03, .2))
        load *= moved if t >= hit - 2 * step else 1
        play(case, nodes, order, entry.name, noise, rng, t, load,
             (culprit, fault, strength, since, retries) if ill else None, sampled, lacks)
    case.window = (hit, hit + during)
    case.baseline = (case.start, case.start + before - 300)
    return case


def harm(fault, strength, since, own):
    """(added ms, part of the requests, failing share, cpu, more requests) at the culprit."""
    return {
        "latency": (120 * strength + own, 1, 0, .3, 1),
        "some-slow": (900 * strength, .3, 0, .3, 1),
        "cpu-hog": (own * 4 * strength + 30, 1, .01 * strength, .97, 1),
        "leak": (own * 3 * strength * (.4 + since), 1, .05 * strength * since, .5, 1),
        "misconfigured": (-own * .5, .5 * strength, .4 * strength, .25, 1),
        "throttled": (25 * strength, .4, .3 * strength, .3, 1),
        "overload": (own * 3 * strength + 20, 1, .06 * strength, .9, 7),
        "crash": (0, 1, .5 * strength, .3, 1),
        "retried": (0, 1, .4 * strength, .3, 1),
        "timeout": (5000, .4 * strength, 0, .3, 1),
        "queued": (100 * strength + own, 1, 0, .95, 1),
    }[fault]


def seen_by_callers(ill, ms, broken):
    """What callers of the culprit wait for it, and which share of calls fails."""
    if ill[1] == "retried":  # three times, with a pause
        return ms * (1 + broken) + 150 * broken + 300 * broken ** 2, broken ** 3
    if ill[1] == "timeout":  # after a second
        part = .4 * ill[2]
        return ms - part * 4000, part
    if ill[1] == "queued":  # before the culprit knows of it
        return ms + 150 * ill[2], broken
    return ms, broken


def play(case, nodes, order, entry, noise, rng, t, load, ill, sampled, lacks):
    """One point of each node."""
    total, broken, asked = {}, {}, dict.fromkeys(nodes, 0.0)
    tails = {}  # of a part of the requests: (part, ms)
    asked[entry] = load
    for name in reversed(order):
        n = nodes[name]
        if ill and name == ill[0]:
            asked[name] *= harm(*ill[1:4], n.own)[4]
        for d, x in n.calls.items():
            again = 1.4 if ill and d == ill[0] and (
                ill[1] == "retried" or ill[4] and ill[1] in ("misconfigured", "crash")) else 1
            asked[d] += asked[name] * x * again
    for name in order:
        n, cpu = nodes[name], .15 + .2 * rng.random()
        own = n.own * noise.tail(.07) * (1 + noise.walk(name, .02, .1))
        bad = .001 * rng.random() if rng.random() < .2 else 0
        tails[name] = 0, 0
        if ill and name == ill[0]:
            added, part, fails, cpu, _ = harm(*ill[1:4], n.own)
            own, bad = max(.3, own + added * part * noise.tail(.1)), bad + fails
            if part < 1 and added > 0:
                tails[name] = part, added
        good, waits = 1 - bad, 0
        for d, x in n.calls.items():
            if d in n.queued:
                continue
            wait, fails = total[d], broken[d]
            if ill and d == ill[0]:
                wait, fails = seen_by_callers(ill, wait, fails)
            good *= 1 - fails * min(1, x) * (1 - n.tolerates)
            waits += x * wait
            if tails[d][0]:
                tails[name] = min(1, x * tails[d][0]), tails[d][1]
        broken[name], total[name] = 1 - good, own + waits
        if asked[name] * rng.random() < 1:
            continue
        tell(case, n, noise, rng, t, asked[name], total[name] * math.exp(rng.gauss(0, sampled)),
             tails[name], broken[name], cpu, lacks.get(name))


LACKING = {"latency": ("latency", "ResponseTime", "Duration"),
           "requests": ("requests", "Count", "throughput", "Invocations"),
           "failures": ("availability", "Fault", "error", "Error", "5XX"), None: ()}


def tell(case, n, noise, rng, t, asked, ms, tail, broken, cpu, lacks):
    count = round(asked * noise.tail(.02))
    failed = sum(rng.random() < broken for _ in range(count)) if count < 300 else max(0, round(
        rng.gauss(count * broken, math.sqrt(count * broken + 1e-9))))
    mean = ms / 1000 * (1 + rng.gauss(0, .5 / math.sqrt(count + 1)))
    usual = max(.0002, mean - tail[0] * tail[1] / 1000)
    p50 = usual * .8 * noise.tail(.03) + (tail[1] / 1000 if tail[0] > .5 else 0)
    p90 = usual * 1.8 * noise.tail(.08) + (tail[1] / 1000 if tail[0] > .1 else 0)

    def put(name, unit, value):
        if not any(word in name for word in LACKING[lacks]):
            case.put(n.name, name, unit, t, value)

    if case.style == "petlike":
        put("latency.average", "s", mean)
        put("latency.p50", "s", p50)
        put("latency.p90", "s", p90)
        put("availability", "%", round(100 * (1 - failed / max(1, count)), 2))
        put("requests", "", count)
    elif case.style == "xray":
        put("ResponseTime.Average", "s", round(mean, 3))
        put("OkCount", "", count - failed)
        put("FaultCount", "", failed)
        put("TotalCount", "", count)
    elif case.style == "percentiles":
        put("latency_p50", "ms", p50 * 1000)
        put("latency_p90", "ms", p90 * 1000)
        put("error_rate", "1", failed / max(1, count))
        put("throughput", "", count / case.step)
    else:
        cloudwatch(put, n, count, failed, mean, p90, cpu)


def cloudwatch(put, n, count, failed, mean, p90, cpu):
    if n.kind == "balancer":
        put("RequestCount", "Count", count)
        put("TargetResponseTime", "Seconds", mean)
        put("HTTPCode_Target_5XX_Count", "Count", failed)
        put("HealthyHostCount", "Count", 2)
    elif n.kind in ("function", "code"):
        put("Invocations", "Count", count)
        put("Duration", "Milliseconds", mean * 1000)
        put("Errors", "Count", failed)
    elif n.kind == "table":
        put("ConsumedReadCapacityUnits", "Count", count)
        put("SuccessfulRequestLatency", "Milliseconds", mean * 1000)
        put("ThrottledRequests", "Count", failed)
    elif n.kind == "queue":
        put("NumberOfMessagesSent", "Count", count)
        put("ApproximateNumberOfMessagesVisible", "Count", round(count * .01))
    else:
        put("RequestCount", "Count", count)
        put("Latency", "Milliseconds", mean * 1000)
        put("5XXError", "Count", failed)
        put("CPUUtilization", "Percent", round(100 * min(1, cpu), 1))


def cases(seed, number):
    kinds = [(fault, fault) for fault in FAULTS] + [(None, "step"), (None, "steady")]
    return [cloud_case(*kind, seed, number + i) for i, kind in enumerate(kinds)]
