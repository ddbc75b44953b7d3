"""Worlds of a cloud's monitoring: a graph that somebody has declared, and per
node one point a minute or five: requests, latency, faults, errors.

Not all is as it should be. Load balancers and gateways stand in the graph and
have metrics, which are those of their targets; some stand in it as leaves, for
nobody knows their targets. One call of the graph is missing. Traffic steps
between baseline and window, and the numbers of a caller that waits for many are
larger than those of the cause.
"""
import math
import random

from worlds import DAY, Case, Noise, rates_of

# name: (calls per request, own latency in ms)
BANK = {
    "portal": ({"api-gw": 1}, 8),
    "api-gw": ({"accounts-lb": .6, "transfers-lb": .3, "cards-lb": .4, "statements": .2}, 1),
    "accounts-lb": ({"accounts": 1}, 1),
    "transfers-lb": ({"transfers": 1}, 1),
    "cards-lb": ({"cards": 1}, 1),
    "accounts": ({"accounts-table": 2, "limits": 1}, 14),
    "transfers": ({"accounts": 1, "fraud": 1, "ledger-fn": 1, "outbox": 1}, 25),
    "cards": ({"cards-table": 1, "tokens": 1}, 12),
    "statements": ({"ledger-sql": 3, "render": 1}, 40),
    "fraud": ({"model": 1, "cards-table": 1}, 18),
    "ledger-fn": ({"ledger-sql": 2}, 9),
    "limits": ({"limits-cache": 1}, 3),
    "tokens": ({"keys": 1}, 6),
    "render": ({}, 60),
    "model": ({}, 35),
    "outbox": ({}, 4),
    "keys": ({}, 5),
    "accounts-table": ({}, 4),
    "cards-table": ({}, 4),
    "ledger-sql": ({}, 7),
    "limits-cache": ({}, 1),
}
PROXIES = ("api-gw", "accounts-lb", "transfers-lb", "cards-lb")
STORES = ("accounts-table", "cards-table", "ledger-sql", "limits-cache")
FAULTS = ("slow", "failing", "high traffic", "starved")


def declared(rng, culprit):
    """The graph as its owner knows it."""
    graph = {c: sorted(v[0]) for c, v in BANK.items()}
    for proxy in rng.sample(PROXIES[1:], 2):  # leaves, beside their targets
        target = graph[proxy][0]
        graph[proxy] = []
        for calls in graph.values():
            if proxy in calls:
                calls.append(target)
    edges = [(c, d) for c in graph for d in graph[c] if c not in PROXIES and d != culprit]
    caller, callee = rng.choice(edges)
    graph[caller].remove(callee)
    return graph


def node_case(fault, culprit, seed, number, step):
    """fault None: traffic steps, nothing is wrong."""
    rng = random.Random(f"nodes {fault} {culprit} {seed}")
    kind = (fault or "step").replace(" ", "-")
    case = Case("nodes", kind, culprit if fault else None, seed, number, "node", step)
    case.graph = declared(rng, culprit)
    noise = Noise(rng.random())
    rates, order = rates_of(BANK, {"portal": 1})
    factor = {c: rng.uniform(.5, 2) for c in BANK}
    strength, base = rng.uniform(.7, 1.5), rng.uniform(600, 5000) * step / 60
    before, during = (6 * 3600, 1800) if step == 300 else (2 * 3600, 900)
    hit, moved = case.start + before, rng.choice((1, 1, .6, 1.7))
    for t in range(case.start, hit + during, step):
        ill = fault is not None and t >= hit
        load = base * (1 + .3 * math.sin(t * 2 * math.pi / DAY)) * (1 + noise.walk("load", .03, .2))
        load *= moved if t >= hit - 300 else 1
        total, broken = {}, {}
        for c in order:
            calls, own = BANK[c]
            own *= factor[c] * noise.tail(.06) * (1 + noise.walk(c, .02, .1))
            bad, asked = (.002 * rng.random() if rng.random() < .2 else 0), load * rates[c]
            at = ill and c == culprit
            if at and fault == "slow":
                own += 150 * strength
            if at and fault == "failing":
                bad += .25 * strength
            if at and fault == "high traffic":
                asked, own, bad = asked * 6, own * (4 + strength), bad + .04 * strength
            if at and fault == "starved":
                own *= 6 * strength
            good = 1 - bad
            for d, x in calls.items():
                good *= 1 - broken[d] * min(1, x)
            broken[c] = 1 - good
            total[c] = own + sum(x * total[d] for d, x in calls.items())
            if rng.random() < .01:
                continue
            failed = round(asked * broken[c])
            case.put(c, "latency.average", "s", t, total[c] / 1000)
            case.put(c, "latency.p95", "s", t, total[c] / 1000 * 2 * noise.tail(.08))
            case.put(c, "requests", "", t, round(asked * noise.tail(.02)))
            case.put(c, "faults", "", t, failed if c not in PROXIES else round(failed * .98))
            if c not in STORES and c not in PROXIES:
                cpu = .2 + .3 * rng.random()
                case.put(c, "cpu.utilization", "1", t,
                         min(1, cpu * 3) if at and fault == "starved" else cpu)
    case.window = (hit, hit + during)
    case.baseline = (case.start, hit - 600)
    return case


def cases(seed, number):
    rng = random.Random(f"nodes {seed}")
    inner = [c for c in BANK if c not in PROXIES and c != "portal"]
    out = [node_case(fault, rng.choice([c for c in inner if c not in STORES] if fault == "starved"
                                       else inner), seed, number + i, rng.choice((60, 300)))
           for i, fault in enumerate(FAULTS)]
    out.append(node_case(None, rng.choice(inner), seed, number + len(FAULTS), rng.choice((60, 300))))
    return out
