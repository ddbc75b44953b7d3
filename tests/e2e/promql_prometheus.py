"""The same samples in Prometheus and in Callboard, the same expressions to both.

Prometheus gets them as blocks, by promtool; Callboard by OTLP, as gauges of an
empty resource, so that a series has exactly the labels of its points.
"""
import http.client
import math
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from promql_api import Api
from promql_expressions import Expressions
from running import Running, Tap

BEGIN = 1736928000  # seconds; 2025-01-15T08:00:00Z
MINUTES = 110
INTERVAL = 15
NIGHTLY = bool(os.environ.get("NIGHTLY"))
QUERIES = 200000 if NIGHTLY else 4000
SECONDS = 600 if NIGHTLY else 25
DEPTH = 4 if NIGHTLY else 3


# ---- samples ----


def quarters(rng, low, high):
    """Multiples of 1/4, whose sums are exact."""
    return rng.randrange(low * 4, high * 4) / 4


def gauge(rng, gaps):
    value, missing = quarters(rng, -50, 200), 0
    for _ in range(MINUTES * 60 // INTERVAL):
        value += quarters(rng, -10, 11) if rng.random() < 0.7 else 0
        if gaps and rng.random() < 0.01:
            missing = rng.randrange(2, 60)
        missing -= 1
        yield None if missing > 0 else value


def counter(rng, resets, gaps):
    value, missing = 100000 + quarters(rng, 0, 1000), 0
    for at in range(MINUTES * 60 // INTERVAL):
        value += quarters(rng, 0, 20) if rng.random() < 0.8 else 0
        if resets and at > 60 and rng.random() < 0.02:
            value = quarters(rng, 0, 5)
        if gaps and rng.random() < 0.01:
            missing = rng.randrange(2, 60)
        missing -= 1
        yield None if missing > 0 else value


def odd(rng):
    for value in gauge(rng, True):
        draw = rng.random()
        yield (math.nan if draw < 0.05 else math.inf if draw < 0.08
               else -math.inf if draw < 0.1 else value)


def all_series(rng):
    """Pairs of labels and values, one value per interval."""
    for name, make in (("g", lambda: gauge(rng, True)), ("d", lambda: gauge(rng, False)),
                       ("c_total", lambda: counter(rng, False, True)),
                       ("r_total", lambda: counter(rng, True, False))):
        for a in "123":
            for b in "12":
                if rng.random() < 0.9:
                    yield {"__name__": name, "a": a, "b": b}, list(make())
    for a in "12":
        yield {"__name__": "odd", "a": a}, list(odd(rng))
        yield {"__name__": "only", "a": a, "team": "t" + a}, list(gauge(rng, False))
    for b in "12":
        yield {"__name__": "info", "b": b, "team": "x"}, [1] * (MINUTES * 60 // INTERVAL)
    for a in "12":
        buckets = [0.0] * 5
        columns = [[] for _ in buckets]
        for _ in range(MINUTES * 60 // INTERVAL):
            grown = sorted(rng.randrange(50) for _ in buckets)
            for i, by in enumerate(grown):
                buckets[i] += by
                columns[i].append(100000 * (i + 1) + buckets[i])
        for bound, column in zip(("0.1", "0.5", "1", "5", "+Inf"), columns):
            yield {"__name__": "h_bucket", "a": a, "le": bound}, column


def sample_ms(at):
    return BEGIN * 1000 + 7100 + at * INTERVAL * 1000


def number(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)


def open_metrics(series):
    lines = []
    for labels, values in sorted(series, key=lambda s: s[0]["__name__"]):
        text = ",".join(f'{k}="{v}"' for k, v in labels.items() if k != "__name__")
        lines += [f'{labels["__name__"]}{{{text}}} {number(value)} {sample_ms(at) / 1000:.3f}'
                  for at, value in enumerate(values) if value is not None]
    return "\n".join(lines) + "\n# EOF\n"


def otlp_number(value):
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def otlp(labels, values):
    attributes = [{"key": k, "value": {"stringValue": v}}
                  for k, v in labels.items() if k != "__name__"]
    points = [{"timeUnixNano": str(sample_ms(at) * 1000000), "asDouble": otlp_number(value),
               "attributes": attributes}
              for at, value in enumerate(values) if value is not None]
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": labels["__name__"], "gauge": {"dataPoints": points}}]}]}]}


# ---- the two servers ----


class Prometheus:
    def __init__(self, series):
        self.folder = tempfile.mkdtemp(prefix="callboard-prometheus-")
        with open(os.path.join(self.folder, "samples"), "w") as file:
            file.write(open_metrics(series))
        with open(os.path.join(self.folder, "prometheus.yml"), "w") as file:
            file.write("{}\n")
        data = os.path.join(self.folder, "data")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics",
                        os.path.join(self.folder, "samples"), data],
                       check=True, stdout=subprocess.DEVNULL)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(os.path.join(self.folder, "said"), "w") as said:
            self.process = subprocess.Popen(
                ["prometheus", "--config.file", os.path.join(self.folder, "prometheus.yml"),
                 "--storage.tsdb.path", data, "--storage.tsdb.retention.time=100y",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"],
                stdout=said, stderr=said)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder)


def has_samples(api, count):
    """Waits until all samples of the metric d are there."""
    for _ in range(200):
        try:
            answer = api.ask("query", query="sum(count_over_time(d[1d]))",
                             time=BEGIN + MINUTES * 60)["data"]["result"]
            if answer and float(answer[0]["value"][1]) == count:
                return True
        except (OSError, http.client.HTTPException, KeyError, ValueError):
            api.connection.close()
        time.sleep(0.1)
    return False


# ---- comparing ----


def series_of(answer):
    """Values by labels and time."""
    data = answer["data"]
    if data["resultType"] in ("scalar", "string"):
        return {(): {data["result"][0]: data["result"][1]}}
    return {tuple(sorted(one["metric"].items())):
            dict(map(tuple, one["values"] if "values" in one else [one["value"]]))
            for one in data["result"]}


def near(a, b):
    x, y = float(a), float(b)
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    return x == y or abs(x - y) <= 1e-9 * max(abs(x), abs(y), 1)


def difference(ours, theirs):
    """What is wrong, or nothing."""
    if ours["status"] != theirs["status"]:
        return f"ours: {ours.get('error', 'ok')}; theirs: {theirs.get('error', 'ok')}"
    if ours["status"] == "error":
        return None
    a, b = series_of(ours), series_of(theirs)
    if a.keys() != b.keys():
        return f"series: ours only {sorted(a.keys() - b.keys())[:3]}, " \
               f"theirs only {sorted(b.keys() - a.keys())[:3]}"
    for labels, values in a.items():
        if values.keys() != b[labels].keys():
            return f"times of {labels}: {sorted(values.keys() ^ b[labels].keys())[:5]}"
        for at, value in values.items():
            if not near(value, b[labels][at]):
                return f"{labels} at {at}: ours {value}, theirs {b[labels][at]}"
    return None


def asked(rng):
    """Path and times of a query."""
    start = BEGIN + 60 * rng.randrange(15, 60) + 3
    if rng.random() < 0.5:
        return "query", {"time": start}
    return "query_range", {"start": start, "step": rng.choice((30, 60, 90, 420)),
                           "end": start + 60 * rng.randrange(5, 50)}


def ours_says(expression):
    """Names that Prometheus 3 has changed."""
    return expression.replace("holt_winters", "double_exponential_smoothing")


def compare(tap, ours, theirs, rng):
    """Asks both until time is up."""
    made, end = Expressions(rng), time.monotonic() + SECONDS
    counts = {"same": 0, "empty": 0, "failed": 0}
    for number_of in range(QUERIES):
        if time.monotonic() > end:
            break
        expression = made.vector(rng.randrange(1, DEPTH + 1))
        path, times = asked(rng)
        want = theirs.ask(path, query=expression, **times)
        got = ours.ask(path, query=ours_says(expression), **times)
        wrong = difference(got, want)
        if wrong:
            tap.check(False, f"{expression} {times}", wrong)
        elif want["status"] == "error":
            counts["failed"] += 1
        else:
            counts["same" if want["data"]["result"] else "empty"] += 1
        if tap.bad > 20:
            break
    print("#", counts)
    tap.check(tap.bad == 0, f"{number_of + 1} expressions have the values of Prometheus")
    tap.check(counts["same"] > (number_of + 1) / 3, "a third of them at least has a result", counts)


def main():
    tap = Tap()
    seed = int(os.environ.get("SEED", "1"))
    print(f"# SEED={seed}")
    rng = random.Random(seed)
    # No two series have the same value, or topk might take either.
    series = [(labels, [None if v is None else v + k / 1024 for v in values])
              for k, (labels, values) in enumerate(all_series(rng))]
    count = sum(v is not None for labels, values in series for v in values
                if labels["__name__"] == "d")
    prometheus = Prometheus(series)
    try:
        with Running() as server:
            for labels, values in series:
                if server.send("/v1/metrics", otlp(labels, values)) != 200:
                    sys.exit("not ok 1 - the samples were not taken")
            ours, theirs = Api(server.port), Api(prometheus.port, "")
            if tap.check(has_samples(ours, count), "the samples are here") and \
                    tap.check(has_samples(theirs, count), "and in Prometheus"):
                compare(tap, ours, theirs, rng)
    finally:
        prometheus.stop()
    tap.exit()


main()
