"""Cases in the language of Prometheus' expression tests (promql_test_language.py),
in promql/*.test, against the server as a client sees it: samples of `load` go in
over OTLP with an empty resource, queries over /prometheus/api/v1 by GET and POST.
What is evaluated at an instant is also evaluated over a range around it.

Each `clear` begins another section, whose samples lie in another year and are
sent in another way: gauges or sums, doubles or integers, JSON or protobuf, all
at once or one request per time, forwards or backwards.
"""
import collections
import glob
import math
import os
import re
import sys
import time

import callboard
from promql_api import Api
from promql_test_language import STALE, Eval, Load, parse, same

YEAR = 31536000
FIRST = 946684800  # 2000-01-01
SECONDS = 60


# ---- samples ----


def point(value, at_ms, attributes, whole):
    one = {"timeUnixNano": str(at_ms * 1000000), "attributes": attributes}
    if value is STALE:
        return {**one, "flags": 1}
    if whole and math.isfinite(value) and value == int(value) and abs(value) < 2**53 and \
            not (value == 0 and math.copysign(1, value) < 0):
        return {**one, "asInt": str(int(value))}
    return {**one, "asDouble": value}


def json_point(one):
    """NaN and infinities are strings in JSON."""
    value = one.get("asDouble")
    if value is None or math.isfinite(value):
        return one
    return {**one, "asDouble": "NaN" if math.isnan(value)
            else "Infinity" if value > 0 else "-Infinity"}


def metrics_of(points, sums, by_json):
    """Metrics of pairs of a name and a point."""
    by_name = collections.defaultdict(list)
    for name, one in points:
        by_name[name].append(json_point(one) if by_json else one)
    kind = {"sum": {"aggregationTemporality": 2, "isMonotonic": False}} if sums else {"gauge": {}}
    key = next(iter(kind))
    return [{"name": name, key: {**kind[key], "dataPoints": list_}}
            for name, list_ in by_name.items()]


def send(server, load, base, section):
    """The samples of a load, in one of several ways."""
    sums, whole, by_json = section % 2 == 1, section % 3 == 1, section % 2 == 0
    timed = collections.defaultdict(list)
    for labels, values in load.series:
        attributes = callboard.attributes({k: v for k, v in labels.items() if k != "__name__"})
        for i, value in enumerate(values):
            if value is not None:
                at = round((base + i * load.step) * 1000)
                timed[at].append((labels["__name__"], point(value, at, attributes, whole)))
    parts = [timed[at] for at in sorted(timed)]
    if section % 4 == 3:
        parts.reverse()
    if section % 4 < 2 or len(parts) > 60:
        parts = [[one for part in parts for one in part]]
    for part in parts:
        request = callboard.metrics_request({}, metrics_of(part, sums, by_json))
        answer = server.send("metrics", request, "json" if by_json else "proto")
        if answer.status != 200:
            raise AssertionError(f"load: {answer.status} {answer.body!r}")


# ---- queries ----


def key_of(labels):
    return tuple(sorted(labels.items()))


def grid(start, step, values):
    """Milliseconds -> value, of what is there."""
    return {round((start + i * step) * 1000): v for i, v in enumerate(values) if v is not None}


def got_series(result):
    """Pairs of labels, and milliseconds -> value."""
    return [(key_of(one["metric"]),
             {round(at * 1000): float(v) for at, v in one.get("values", [one.get("value")])})
            for one in result]


def differ(got, want):
    """What is wrong between two lists of series, or nothing."""
    if len({labels for labels, _ in got}) != len(got):
        return f"labels twice: {got}"
    a, b = dict(got), dict(want)
    if a.keys() != b.keys():
        return f"only got {sorted(a.keys() - b.keys())[:4]}, only wanted {sorted(b.keys() - a.keys())[:4]}"
    for labels, samples in b.items():
        if a[labels].keys() != samples.keys():
            return f"{labels}: other times: {sorted(a[labels].keys() ^ samples.keys())[:6]}"
        for at, value in samples.items():
            if not same(a[labels][at], value):
                return f"{labels}: {a[labels][at]} instead of {value}"
    return None


def notes_wrong(case, answer):
    if case.ordered:
        return None
    for kind, wanted in case.notes.items():
        seen = answer.get(kind, [])
        if (wanted is None) == bool(seen):
            return f"{kind}: {seen}"
        if wanted and not any(wanted in text for text in seen):
            return f"{kind}: {seen} instead of {wanted}"
    return None


def error_wrong(case, answer):
    if answer["status"] != "error":
        return f"no error: {answer['data']}"
    text = answer["error"]
    if case.message and case.message not in text:
        return f"another error: {text}"
    if case.pattern and not re.search(case.pattern, text):
        return f"another error: {text}"
    return None


def instant_wrong(case, data, base):
    if case.string is not None:
        return None if data["resultType"] == "string" and data["result"][1] == case.string \
            else f"{data}"
    if case.matrix:
        start, end, step = case.matrix
        want = [(key_of(labels), grid(base + start, step, values))
                for labels, values in case.expected]
        return differ(got_series(data["result"]), want)
    if case.expected and case.expected[0][0] is None:
        return None if data["resultType"] == "scalar" and \
            same(float(data["result"][1]), case.expected[0][1][0]) else f"{data}"
    if data["resultType"] not in ("vector", "matrix"):
        return f"{data}"
    at = base + case.start
    got, want = got_series(data["result"]), [(key_of(labels), grid(at, 1, values))
                                             for labels, values in case.expected]
    if case.ordered and [labels for labels, _ in got] != [labels for labels, _ in want]:
        return f"another order: {got}"
    return differ(got, want)


def as_range_wrong(case, api, text, base):
    """The same in the middle of a range."""
    if case.ordered or "start()" in text or "end()" in text:
        return None
    at = base + case.start
    answer = api.ask("query_range", query=text, start=f"{at - 60:.3f}", end=f"{at + 60:.3f}", step=60)
    if answer["status"] != "success":
        return "as range: " + answer["error"]
    middle = round(at * 1000)
    got = [(labels, {middle: samples[middle]})
           for labels, samples in got_series(answer["data"]["result"]) if middle in samples]
    want = [(key_of(labels or {}), {middle: values[0]}) for labels, values in case.expected]
    wrong = differ(got, want)
    return wrong and "as range: " + wrong


def run(case, api, base):
    """What is wrong, or nothing."""
    text = re.sub(r"@ *([-+]?[0-9][0-9.]*)(?![0-9.]*[a-z])",
                  lambda m: f"@ {base + float(m[1]):.3f}", case.text)
    text = text.replace("BASE", str(base))
    if case.end is None:
        answer = api.ask("query", query=text, time=f"{base + case.start:.3f}")
    else:
        answer = api.ask("query_range", query=text, start=f"{base + case.start:.3f}",
                         end=f"{base + case.end:.3f}", step=case.step)
    if case.fails:
        return error_wrong(case, answer)
    if answer["status"] != "success":
        return answer["error"]
    wrong = notes_wrong(case, answer)
    if wrong:
        return wrong
    if case.end is not None:
        return differ(got_series(answer["data"]["result"]),
                      [(key_of(labels or {}), grid(base + case.start, case.step, values))
                       for labels, values in case.expected])
    wrong = instant_wrong(case, answer["data"], base)
    if wrong or answer["data"]["resultType"] not in ("scalar", "vector"):
        return wrong
    return as_range_wrong(case, api, text, base)


def run_file(tap, path, server, section):
    """The number of the next section."""
    api, bad, count = Api(server.query_port), 0, 0
    for command in parse(path):
        base = FIRST + section * YEAR
        if command == "clear":
            section += 1
        elif isinstance(command, Load):
            send(server, command, base, section)
        elif isinstance(command, Eval):
            count += 1
            wrong = run(command, api, base)
            if wrong:
                bad += 1
                print(f"# {command.place}: {command.text}\n#     {str(wrong)[:600]}")
    tap.check(bad == 0 and count > 0, f"{os.path.basename(path)}: {count} cases", f"{bad} failed")
    return section + 1


# ---- what comes before PromQL ----


def sample(at, value, start=None, **labels):
    one = {"timeUnixNano": str(round(at * 1000) * 1000000), "asDouble": value,
           "attributes": callboard.attributes(labels)}
    return {**one, "startTimeUnixNano": str(int(start) * callboard.NS)} if start else one


def as_sum(name, *points):
    return {"name": name, "sum": {"aggregationTemporality": 2, "isMonotonic": True,
                                  "dataPoints": list(points)}}


def as_gauge(name, *points):
    return {"name": name, "gauge": {"dataPoints": list(points)}}


def check_ingest(tap, server):
    """Every sample is a sample of the series that its labels say, at once."""
    api, base = Api(server.query_port), FIRST - YEAR

    def send_one(resource, *metrics):
        answer = server.send("metrics", callboard.metrics_request(resource, list(metrics)))
        tap.same(answer.status, 200, "taken: " + metrics[0]["name"])

    def see(text, wanted, name, at=base + 60):
        data = api.ask("query", query=text, time=f"{at:.3f}")["data"]["result"]
        tap.same([(one["metric"], [v for _, v in one.get("values", [one.get("value")])])
                  for one in data], wanted, name)

    send_one({}, as_gauge("ms", *[sample(base + i / 1000, i) for i in range(1000)]))
    see("count_over_time(ms[10s])", [({}, ["1000"])], "a sample each millisecond, in one request",
        base + 1)
    see("ms", [({"__name__": "ms"}, ["500"])], "and at its time", base + 0.5)
    send_one({}, as_gauge("order", sample(base + 20, 3), sample(base + 1, 1), sample(base + 10, 2)))
    send_one({}, as_gauge("order", sample(base + 5, 9), sample(base + 20, 4)))
    see("order[1m]", [({"__name__": "order"}, ["1", "9", "2", "4"])],
        "in any order; of one time the last")
    send_one({}, as_sum("a_total", sample(base + 1, 1)))
    send_one({}, as_gauge("a_total", sample(base + 10, 2)))
    see("a_total[1m]", [({"__name__": "a_total"}, ["1", "2"])], "a sum and a gauge are one series")
    send_one({}, as_sum("b", sample(base + 1, 1, __tmp="x", le="y", quantile="z", a="")))
    see("b_total", [({"__name__": "b_total", "__tmp": "x", "le": "y", "quantile": "z"}, ["1"])],
        "a monotonic sum has _total; labels are those of the point, but empty ones")
    send_one({}, as_sum("c_total", *[sample(base + i, i, start=base) for i in range(1, 31)]))
    see("round(increase(c_total[30s]))", [({}, ["30"])], "a start time is no sample, and no reset",
        base + 30)
    send_one({"service.name": "svc"}, as_gauge("named", sample(base, 1, job="mine")))
    see("sum by (job, service_name, component) (named)",
        [({"job": "mine", "service_name": "svc", "component": "svc"}, ["1"])],
        "a label of the point wins over one of the resource")
    now = time.time()
    send_one({}, as_gauge("now", sample(now, 2), sample(now - 1, 1)))
    see("now[1m]", [({"__name__": "now"}, ["1", "2"])], "what was sent now is there now", now)


def main():
    tap, begin = callboard.Tap(), time.monotonic()
    here = os.path.dirname(os.path.abspath(__file__))
    files = sys.argv[1:] or sorted(glob.glob(os.path.join(here, "promql", "*.test")))
    server, section = callboard.Server(callboard.new_folder()), 0
    for path in files:
        section = run_file(tap, path, server, section)
    check_ingest(tap, server)
    tap.check(server.stop() == 0, "the server ends well")
    tap.check(time.monotonic() - begin < SECONDS, "in time", f"{time.monotonic() - begin:.1f} s")
    tap.end()


if __name__ == "__main__":
    main()
