"""Windows that do not begin with the fault, and faults that are neighbours: of
the shop (with traces) and of metrics alone; the baseline is chosen.

  late       the window begins some minutes after the fault did
  neighbours a fault of 4 minutes, 4 quiet ones, another fault until the end
"""
import os
import random
import subprocess
import time

import worlds

MIN = 60
# Minutes after the onset, and of the window.
LATE = ((2, 5), (6, 5), (6, 10), (10, 15), (12, 2), (20, 5), (20, 10))
# Minutes from and until; the faults are from 30 to 34 and from 38 on.
NEIGHBOURS = ((25, 40), (26, 41), (28, 43), (30, 45), (32, 45), (36, 44))
PAIRS = (("cpu", "code"), ("code", "network"), ("queue", "cpu"), ("pool", "dead-host"),
         ("network", "timeouts"), ("dead-pods", "pool"), ("timeouts", "code"),
         ("retry-storm", "queue"), ("neighbour", "disk-full"), ("dead-host", "neighbour"))
ONSET = 42  # minutes after the start of a long run
FIRST_DAY = 300  # the other runs of the shop are before


def long_cases(seed, number):
    """Metrics alone: 45 minutes of health, 35 of a fault."""
    rng, out = random.Random(seed * 77), []
    times = {"before": 45 * MIN, "during": 35 * MIN}
    services = [c for c in worlds.SHOP if c not in worlds.STORES]
    for kind in worlds.FAULTS:
        culprit = rng.choice(services if kind in ("delay", "loss") else sorted(worlds.SHOP))
        out.append(worlds.shop_case(kind, culprit, seed, number + len(out),
                                    rng.choice((5, 15, 30)), **times))
    for kind in ("wave", "batch", "sawtooth"):
        out.append(worlds.shop_case(kind, None, seed, number + len(out), 15, **times))
    for kind in ("cpu", "mem", "delay", "code"):
        out.append(worlds.sdk_case(kind, rng.choice(services), seed, number + len(out),
                                   rng.choice((15, 30, 60)), **times))
    for kind in ("rush", "rollout"):
        out.append(worlds.sdk_case(kind, None, seed, number + len(out), 30, **times))
    for case in out:
        case.id, case.project = f"long-{case.id}", f"{case.project}-long"
    return out


def play(bench, server, kind, seed, start, *times):
    subprocess.run([os.path.join(bench.OUT, "shopgen"), "--otlp", server.otlp, "--kind", kind,
                    "--seed", str(seed), "--start", bench.rfc3339(start), "--rate", "5",
                    "--pods", "2", "--no-pace", "--quiet", *times], check=True)


def load(bench, server, data, cases):
    """Sends what the data directory does not hold; the days of the shop's runs."""
    path = os.path.join(data, "windows")
    done = open(path).read().split() if os.path.exists(path) else []
    days, sent = {}, len(done)

    def once(key, send):
        nonlocal sent
        if key not in done:
            send()
            sent += 1
            with open(path, "a") as f:
                f.write(key + "\n")

    for i, kind in enumerate([*bench.SHOP, *bench.QUIET]):
        start = days[kind] = bench.shop_day(FIRST_DAY + i)
        once(f"late-{kind}", lambda: play(
            bench, server, kind, 30 + i, start, "--duration", "72m", "--fault", f"{ONSET}m"))
    for i, (first, second) in enumerate(PAIRS):
        start = days[first, second] = bench.shop_day(FIRST_DAY + 100 + i)

        def send_pair():
            play(bench, server, first, 60 + i, start, "--duration", "38m", "--fault", "30m",
                 "--fault-end", "34m")
            play(bench, server, second, 80 + i, start + 38 * MIN * 10**9, "--duration", "8m",
                 "--fault", "10s")
        once(f"pair-{first}-{second}", send_pair)
    for case in cases:
        once(case.id, lambda: bench.send_world(server, case))
    if sent > len(done):
        time.sleep(8)  # until calls without an answer are settled
    return days


def ask(bench, server, scope, start, end):
    return server.cause({"searchScope": scope, "startTime": bench.rfc3339(start),
                         "endTime": bench.rfc3339(end)})


def first_of(answer):
    return answer["suspects"][0]["component"] if answer["suspects"] else None


def measure(bench, server, data, seeds):
    cases = [c for seed in seeds for c in long_cases(seed, 600 + 20 * seed)]
    days = load(bench, server, data, cases)
    bench.declare(server, cases)
    right, named, seconds = {}, {}, []
    shop = {"namespace": "acme", "project": "shop"}

    def note(title, answer, took, culprits):
        seconds.append(took)
        if culprits:
            right.setdefault(title, []).append(first_of(answer) in culprits)
        else:
            named.setdefault(title.split(",")[0], []).append(answer["found"])

    for after, length in LATE:
        title = f"{after} min late, {length} min long"
        for kind in [*bench.SHOP, *bench.QUIET]:
            start = days[kind] + (ONSET + after) * MIN * 10**9
            note(f"traces, {title}", *ask(bench, server, shop, start,
                                          start + length * MIN * 10**9), bench.SHOP.get(kind))
        for case in cases:
            start = (case.window[0] + after * MIN) * 10**9
            scope = {"namespace": "default", "project": case.project, "environment": "bench"}
            note(f"metrics, {title}", *ask(bench, server, scope, start,
                                           start + length * MIN * 10**9),
                 case.culprit and [case.culprit])
    for begin, end in NEIGHBOURS:
        for pair in PAIRS:
            answer, took = ask(bench, server, shop, days[pair] + begin * MIN * 10**9,
                               days[pair] + end * MIN * 10**9)
            note(f"neighbours, minutes {begin} to {end}", answer, took, bench.SHOP[pair[1]])
            if begin <= 30:  # all of the first fault is in the window
                right.setdefault("the earlier incident is listed", []).append(
                    len(answer["otherIncidents"]) > 0)
    print("--- windows that do not begin with the fault, baseline chosen")
    for title, list_ in right.items():
        print(f"  {title:<36} {sum(list_)} of {len(list_)}")
    for title, list_ in named.items():
        print(f"  quiet {title:<30} named {sum(list_)} of {len(list_)}")
    seconds.sort()
    print(f"  seconds median {seconds[len(seconds) // 2]:.3f} max {seconds[-1]:.3f}")
