#!/usr/bin/env python3
"""make bench-cause: how often the culprit of labelled faults is found.

The cases of FAULTS (a folder with labels.json, score.py and one folder of
OTLP/JSON lines per case; default ../shared/data/faults beside the repository)
are sent through the real OTLP port into one data directory, each has its own
project. Then POST /api/v1/cause is asked once per case and setting, and the
answers are scored with the score.py of that folder. The same with faults of
the shop (shopgen --kind), and with systems that send no spans (worlds.py),
these beside two simple methods on the same numbers.

  bench_cause.py [--faults DIR] [--data DIR] [--explain] [--misses]
                 [--setting NAME]... [--cases ID,...]
                 [--only shop|faults|worlds|windows|speed]
                 [--worlds KIND]... [--held-out]

--data keeps the data directory: what it holds is not sent again.
"""
import argparse
import glob
import http.client
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

import check_sentences
import bench_windows
import cause_speed
import sent_records
import worlds
import worlds_calm
import worlds_cloud
import worlds_nodes
import worlds_pods
import worlds_rollout
import worlds_traced

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
OUT = os.environ.get("OUT", os.path.join(ROOT, "build/release"))
SIGNALS = ("metrics", "traces", "logs")
LATE = 60 * 10**9

# name: (baseline of the labels, window moved by so many ns)
SETTINGS = {
    "given": (True, 0),
    "no baseline": (False, 0),
    "60 s late": (True, LATE),
    "60 s early": (True, -LATE),
}


# Kinds of the shop's faults, and who is to blame; one may be known by two
# names where both are true. The quiet ones have nobody.
SHOP = {
    "cpu": ["inventory"], "leak": ["recommend"], "disk-full": ["orders-db"],
    "queue": ["shipping"], "bad-version": ["checkout"],
    "dead-host": ["api.bank.example"], "retry-storm": ["inventory"],
    "pool": ["cart"], "timeouts": ["users-db"], "neighbour": ["search"],
    "network": ["payment"], "code": ["users"], "dead-pods": ["catalog"],
}
QUIET = ["night", "rush", "rollout", "outlier", "always-failing", "nothing"]
SEEDS = 5
# Kinds of worlds, all but the traced without spans: who makes them, the number of the first case,
# seeds that were looked at while the method was made, and others.
WORLDS = {
    "mixed": (worlds, 0, (1, 2, 3), (11, 12, 13, 14, 15)),
    "rollout": (worlds_rollout, 1700, range(1, 11), range(11, 21)),
    "nodes": (worlds_nodes, 2000, range(1, 11), range(11, 21)),
    "cloud": (worlds_cloud, 3000, range(1, 6), range(11, 16)),
    "pods": (worlds_pods, 2500, range(21, 29), range(51, 61)),
    "calm": (worlds_calm, 2300, range(1, 6), range(11, 16)),
    "traced": (worlds_traced, 0, range(21, 25), range(11, 15)),
}


def rfc3339(ns):
    t = datetime.fromtimestamp(ns // 10**9, timezone.utc)
    return f"{t:%Y-%m-%dT%H:%M:%S}.{ns % 10**9:09d}Z"


class Server:
    def __init__(self, data, port):
        self.otlp, self.query = f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"
        self.process = subprocess.Popen(
            [os.path.join(OUT, "callboard"), "serve", "--data-dir", data,
             "--edge-wait", "5s", "--otlp-http", self.otlp, "--otlp-grpc", "",
             "--query", self.query,
             "--retention-traces", "0", "--retention-logs", "0",
             "--retention-metrics", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.get("/health")
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("the server does not answer")

    def get(self, path):
        c = http.client.HTTPConnection(self.query, timeout=60)
        c.request("GET", path)
        return c.getresponse().read()

    def cause(self, question):
        c = http.client.HTTPConnection(self.query, timeout=60)
        begin = time.monotonic()
        c.request("POST", "/api/v1/cause", json.dumps(question),
                  {"Content-Type": "application/json"})
        reply = c.getresponse()
        body = reply.read()
        seconds = time.monotonic() - begin
        if reply.status != 200:
            sys.exit(f"{reply.status} {body[:400]!r}")
        return json.loads(body), seconds

    def stop(self):
        self.process.terminate()
        self.process.wait()


def post(connection, signal, body, what):
    """Until it is taken: 503 says that it is to be sent again."""
    for _ in range(600):
        connection.request("POST", "/v1/" + signal, body,
                           {"Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != 503:
            break
        time.sleep(0.1)
    if reply.status != 200 or b"rejected" in text:
        sys.exit(f"{what}: {reply.status} {text[:300]!r}")


def send_case(server, folder):
    connection = http.client.HTTPConnection(server.otlp, timeout=120)
    for signal in SIGNALS:
        for path in glob.glob(os.path.join(folder, signal + ".jsonl.zst")):
            text = subprocess.run(["zstd", "-dcq", path], check=True,
                                  stdout=subprocess.PIPE).stdout
            for line in text.splitlines():
                post(connection, signal, line, path)


def load(server, faults, cases, data):
    done_path = os.path.join(data, "loaded")
    done = set()
    if os.path.exists(done_path):
        done = set(open(done_path).read().split())
    for case in cases:
        if case["id"] not in done:
            send_case(server, os.path.join(faults, case["id"]))
            with open(done_path, "a") as f:
                f.write(case["id"] + "\n")


def question(case, given, moved):
    window, base = case["window"], case["baseline"]
    q = {"searchScope": {"namespace": "default", "project": case["project"],
                         "environment": case["environment"]},
         "startTime": rfc3339(window["start_ns"] + moved),
         "endTime": rfc3339(window["end_ns"] + moved)}
    if given:
        # A baseline must end before the window: one that is early ends early.
        end = min(base["end_ns"], window["start_ns"] + moved)
        q["baseline"] = {"startTime": rfc3339(base["start_ns"]),
                         "endTime": rfc3339(end)}
    return q


def result(answer, seconds):
    suspects, indicators = [], []
    for s in answer["suspects"]:
        suspects.append([s["component"], s["score"]])
        for e in s["evidence"]:
            indicators.append({"component": s["component"],
                               "class": e["class"], "kind": e["kind"],
                               "nats": e["score"], "detail": e["text"]})
    return {"components": suspects, "indicators": indicators,
            "seconds": seconds}


def explain(case, r):
    print(f"{case['id']}  injected: {case['culprit']['component']} "
          f"{case['fault_type']} ({case['indicator']['raw']})")
    for name, value in r["components"][:4]:
        print(f"   {value:6.2f} {name}")
        for i in r["indicators"]:
            if i["component"] == name:
                print(f"          {i['nats']:6.2f} {i['kind']:<9} "
                      f"{i['class']:<8} {i['detail'][:600]}")


TOLD = {"answers": 0, "sentences": 0, "wrong": 0}


def sentences(what, answer, raw):
    """Each is compared with what was sent."""
    TOLD["answers"] += 1
    for place, text, problem in check_sentences.check(answer, raw):
        TOLD["sentences"] += 1
        TOLD["wrong"] += problem is not None
        if problem:
            print(f"  wrong: {what}, {place}: {text[:200]}\n         {problem}")


RAW = {}


def raw_of_case(faults, case_id):
    def read(signal):
        for path in glob.glob(os.path.join(faults, case_id, signal + ".jsonl.zst")):
            text = subprocess.run(["zstd", "-dcq", path], check=True,
                                  stdout=subprocess.PIPE).stdout
            for line in text.splitlines():
                yield json.loads(line)
    if case_id not in RAW:
        RAW[case_id] = sent_records.raw_of_otlp(read)
    return RAW[case_id]


def measure(server, score, labels, name, options):
    given, moved = SETTINGS[name]
    results = {}
    for case in labels["cases"]:
        answer, seconds = server.cause(question(case, given, moved))
        sentences(case["id"], answer, raw_of_case(options.faults, case["id"]))
        r = result(answer, seconds)
        results[case["id"]] = r
        if options.explain:
            explain(case, r)
    table, misses, times, absent = score.evaluate(labels, results, options.by)
    print(f"--- {name}")
    score.show(table, times, absent)
    if options.misses:
        for m in misses:
            print("  %-20s %-28s %-15s rank %-5s first: %s" % (
                m[0], m[1], m[2], m[3], ", ".join(map(str, m[4]))))


def bodies_of(case):
    """Signals and export requests of a world, as OTLP/JSON."""
    if hasattr(case, "spans"):
        return list(worlds_traced.bodies(case))
    return ([("metrics", b) for b in worlds.requests_of(case)] +
            [("logs", b) for b in worlds.logs_of(case)])


def send_world(server, case):
    connection = http.client.HTTPConnection(server.otlp, timeout=120)
    for signal, body in bodies_of(case):
        post(connection, signal, body, case.id)


def raw_of_world(case):
    """What check_sentences compares with: a world's calls are declared."""
    bodies = bodies_of(case)
    raw = sent_records.raw_of_otlp(
        lambda signal: (json.loads(b) for s, b in bodies if s == signal))
    raw.graph = case.graph
    return raw


def declare(server, cases):
    """What calls what, where no call is seen."""
    components = [{"namespace": "default", "project": case.project, "name": c,
                   "dependencies": [{"component": d} for d in case.graph[c]]}
                  for case in cases for c in case.graph]
    c = http.client.HTTPConnection(server.query, timeout=60)
    c.request("PUT", "/api/v1/catalog", json.dumps({"components": components}),
              {"Content-Type": "application/json"})
    reply = c.getresponse()
    body = reply.read()
    if reply.status >= 300:
        sys.exit(f"catalog: {reply.status} {body[:300]!r}")


def world_answer(server, case, given):
    start, end = case.window
    q = {"searchScope": {"namespace": "default", "project": case.project,
                         "environment": "bench"},
         "startTime": rfc3339(start * 10**9), "endTime": rfc3339(end * 10**9)}
    if given:
        q["baseline"] = {"startTime": rfc3339(case.baseline[0] * 10**9),
                         "endTime": rfc3339(case.baseline[1] * 10**9)}
    return server.cause(q)


def ranks_table(rows):
    """rows: (group, rank or None); prints AS@1, AS@3, Avg@5 of each group."""
    groups = {}
    for group, rank in rows:
        groups.setdefault(group, []).append(rank or 99)
    for group, ranks in groups.items():
        n = len(ranks)
        at = [sum(r <= k for r in ranks) / n for k in range(1, 6)]
        print(f"  {group:<34} n {n:>3}  AS@1 {at[0]:.3f}  AS@3 {at[2]:.3f}  "
              f"Avg@5 {sum(at) / 5:.3f}")


def rank_of(case, ranked):
    return ranked.index(case.culprit) + 1 if case.culprit in ranked else None


def indicators(case):
    return ("code", "errors") if hasattr(case, "spans") else (worlds.indicator(case.kind),)


def measure_worlds(server, data, options, kind, seeds, title):
    maker, first, _, _ = WORLDS[kind]
    cases = []
    for seed in seeds:
        cases += maker.cases(seed, first + (100 if kind == "mixed" else 10) * seed)
    done_path = os.path.join(data, "worlds")
    done = open(done_path).read().split() if os.path.exists(done_path) else []
    for case in cases:
        if case.id not in done:
            send_world(server, case)
            with open(done_path, "a") as f:
                f.write(case.id + "\n")
    declare(server, cases)
    rows, named, times, right, told = [], {}, [], [], []
    for case in cases:
        raw = raw_of_world(case)
        for given in (True, False):
            answer, seconds = world_answer(server, case, given)
            sentences(case.id, answer, raw)
            times.append(seconds)
            ranked = [s["component"] for s in answer["suspects"]]
            if case.culprit is None:
                key = f"{case.world} {case.kind}"
                named.setdefault(key, []).append(answer["found"])
                wrong = answer["found"]
            else:
                how = "given" if given else "chosen"
                rank = rank_of(case, ranked)
                told.append(answer["found"])
                rows.append((f"{case.world}, baseline {how}", rank))
                if given:
                    rows.append((f"  {case.world} {case.kind}", rank))
                first = answer["suspects"][0]["evidence"] if ranked else []
                right.append(rank == 1 and first != [] and
                             first[0]["class"] in indicators(case))
                wrong = rank != 1 or not answer["found"]
            if wrong and options.explain:
                print(case.id, case.style, case.step, "given" if given else "")
                explain_suspects(answer, case.culprit)
        for name, score_of in worlds.BASELINES.items():
            if case.culprit and case.series:
                rows.append((f"{case.world}, {name}", rank_of(
                    case, worlds.ranking(case, score_of))))
    print(f"--- worlds, {kind}, {title}: seeds {list(seeds)}")
    ranks_table(sorted(rows, key=lambda r: r[0].strip()))
    if right:
        print(f"  right indicator {sum(right)} of {len(right)}, a cause is named in "
              f"{sum(told)}")
    for kind, found in named.items():
        print(f"  quiet {kind:<16} named {sum(found)} of {len(found)}")
    times.sort()
    print(f"  seconds median {times[len(times) // 2]:.3f} max {times[-1]:.3f}")


def explain_suspects(answer, culprit):
    for i, s in enumerate(answer["suspects"]):
        if i > 2 and s["component"] != culprit:
            continue
        print(f"   {i + 1:>2} {s['score']:6.2f} {s['component']}")
        for e in s["evidence"][:5]:
            print(f"      {e['score']:6.2f} {e['kind']:<9} {e['class']:<8} "
                  f"{e['text'][:120]}")


def measure_faults(server, data, options):
    labels_path = os.path.join(options.faults, "labels.json")
    if not os.path.exists(labels_path):
        print(f"no labelled faults in {options.faults}: left out")
        return
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location(
        "score", os.path.join(options.faults, "score.py"))
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    with open(labels_path) as f:
        labels = json.load(f)
    if options.cases:
        labels["cases"] = [c for c in labels["cases"] if any(
            c["id"].startswith(p) for p in options.cases.split(","))]
    load(server, options.faults, labels["cases"], data)
    if not options.load_only:
        for name in options.setting or SETTINGS:
            measure(server, score, labels, name, options)


def shop_day(number):
    """Runs do not see each other: one a day."""
    return 1704067200 * 10**9 + number * 86400 * 10**9


class Played:
    """Was a run sent to this data directory before? It is noted."""

    def __init__(self, data):
        self.path = os.path.join(data, "played")

    def __call__(self, run):
        known = os.path.exists(self.path) and run in open(self.path).read().split()
        with open(self.path, "a") as f:
            f.write(run + "\n")
        return known


def play_shop(server, data, runs):
    done_path = os.path.join(data, "played")
    done = open(done_path).read().split() if os.path.exists(done_path) else []
    for number, (kind, seed) in enumerate(runs):
        if f"{kind}-{seed}" in done:
            continue
        subprocess.run(
            [os.path.join(OUT, "shopgen"), "--otlp", server.otlp, "--kind",
             kind, "--seed", str(seed), "--start", rfc3339(shop_day(number)),
             "--duration", "26m", "--fault", "20m", "--rate", "6", "--pods",
             "3", "--no-pace", "--quiet"], check=True)
        with open(done_path, "a") as f:
            f.write(f"{kind}-{seed}\n")
    if len(done) < len(runs):
        time.sleep(8)  # until calls without an answer are settled


def measure_shop(server, data, options):
    runs = [(kind, seed) for kind in [*SHOP, *QUIET]
            for seed in range(1, SEEDS + 1)]
    play_shop(server, data, runs)
    found, named, times = {}, {}, []
    for number, (kind, seed) in enumerate(runs):
        start = shop_day(number) + 20 * 60 * 10**9
        answer, seconds = server.cause({
            "searchScope": {"namespace": "acme", "project": "shop"},
            "startTime": rfc3339(start),
            "endTime": rfc3339(start + 5 * 60 * 10**9)})
        times.append(seconds)
        first = answer["suspects"][0]["component"] if answer["found"] else None
        if kind in SHOP:
            found[kind] = found.get(kind, 0) + (first in SHOP[kind])
        else:
            named[kind] = named.get(kind, 0) + answer["found"]
        if options.explain and (first not in SHOP.get(kind, [None])):
            print(kind, seed)
            for s in answer["suspects"][:4]:
                print(f"   {s['score']:6.2f} {s['component']}")
                for e in s["evidence"][:4]:
                    print(f"      {e['score']:6.2f} {e['kind']:<9} "
                          f"{e['class']:<8} {e['text'][:170]}")
    print("--- shop")
    for kind, n in found.items():
        print(f"{kind:<16} {n}/{SEEDS} first")
    for kind, n in named.items():
        print(f"{kind:<16} {n}/{SEEDS} where a cause is named")
    total = sum(found.values()) / len(found) / SEEDS
    times.sort()
    print(f"AS@1 {total:.3f}, named though quiet {sum(named.values())}, "
          f"seconds median {times[len(times) // 2]:.3f} max {times[-1]:.3f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", default=os.path.join(
        ROOT, "../shared/data/faults"))
    parser.add_argument("--data")
    parser.add_argument("--port", type=int, default=4928)
    parser.add_argument("--cases")
    parser.add_argument("--by", default="system")
    parser.add_argument("--setting", action="append", choices=SETTINGS)
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--only", choices=("shop", "faults", "worlds", "windows", "speed"))
    parser.add_argument("--worlds", action="append", choices=WORLDS)
    parser.add_argument("--held-out", action="store_true",
                        help="score the seeds that nobody looked at")
    parser.add_argument("--load-only", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callboard-cause-") as scratch:
        data = options.data or scratch
        os.makedirs(data, exist_ok=True)
        server = Server(data, options.port)
        try:
            if options.only in (None, "shop"):
                measure_shop(server, data, options)
            if options.only in (None, "worlds"):
                for kind in options.worlds or WORLDS:
                    _, _, seen, unseen = WORLDS[kind]
                    measure_worlds(server, data, options, kind, seen, "looked at")
                    if options.held_out or not options.only:
                        measure_worlds(server, data, options, kind, unseen,
                                       "not looked at")
            if options.only in (None, "windows"):
                bench_windows.measure(sys.modules[__name__], server, data, (21, 22))
            if options.only in (None, "speed"):
                cause_speed.measure(server, OUT, rfc3339, shop_day(0), Played(data))
            if options.only in (None, "faults"):
                measure_faults(server, data, options)
            print("--- sentences: %(wrong)d of %(sentences)d are wrong, in "
                  "%(answers)d answers" % TOLD)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
