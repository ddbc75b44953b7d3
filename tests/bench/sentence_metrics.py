"""Sentences about metrics, against the points that were sent: a usual value has to
lie among those of the baseline, the other among those of the window.
"""
import re

from sent_records import Raw
from sentence_numbers import MIN, SCALES, inside, quantile


def combined(raw, metric, component):
    """Series of a metric as a reader of a dashboard would have them: of each pod,
    and of each set of labels and all together; of the component, else of
    anyone."""
    own = [k for k in raw.series if k[2] == metric and k[0] == component]
    keys = own or [k for k in raw.series if k[2] == metric]
    for k in keys:
        yield k, [raw.series[k]]
    groups = {}
    for k in keys:
        for g in (k[:2], k[0], "all") + tuple(("label", x) for x in k[5]):
            groups.setdefault(g, []).append(raw.series[k])
    for g, lists in groups.items():
        if len(lists) > 1:
            yield (keys[0][0], g, metric, keys[0][3], keys[0][4], ()), lists


def failed_label(labels):
    for name, value in labels:
        text = str(value)
        if (re.fullmatch(r"5\d\d|SERVER_ERROR", text) or (name == "error.type" and text) or
                (name == "rpc.grpc.status_code" and text != "0")):
            return True
    return False


def steps(lists, shape, want):
    """[(ns, value)] of a set of series: want is value, rate or mean."""
    if shape == "gauge":
        out = {}
        for points in lists:
            for t, v in points:
                out.setdefault(t, []).append(v)
        return [(t, sum(v) / len(v)) for t, v in sorted(out.items())]
    table = {}
    for points in lists:
        for (t0, a), (t1, b) in zip(points, points[1:]):
            if shape == "histogram":
                if b[0] < a[0]:
                    a = (0, 0)
                d = (b[0] - a[0], b[1] - a[1])
            else:
                d = ((b - a) if b >= a else b, 0)
            row = table.setdefault(t1, [0, 0, 0])
            row[0] += d[0]
            row[1] += d[1]
            row[2] = max(row[2], (t1 - t0) / 1e9)
    if shape == "histogram" and want == "mean":
        return [(t, r[1] / r[0]) for t, r in sorted(table.items()) if r[0] > 0]
    return [(t, r[0] / r[2]) for t, r in sorted(table.items()) if r[2] > 0]


# Gauges that count the failures of an interval, and what they are of.
FAILURES_OF = {"5XXError": "RequestCount", "HTTPCode_Target_5XX_Count": "RequestCount",
               "Errors": "Invocations", "FaultCount": "TotalCount",
               "ThrottledRequests": "ConsumedReadCapacityUnits"}


def failed_gauges(raw, metric, component):
    """Of gauges: a share, what is available, failures beside requests."""
    for key, points in raw.series.items():
        if key[0] != component or key[2] != metric or key[4] != "gauge":
            continue
        if metric in FAILURES_OF:
            of = dict(raw.series.get(key[:2] + (FAILURES_OF[metric],) + key[3:], ()))
            yield [(t, v / of[t]) for t, v in points if of.get(t)]
        else:
            scale = .01 if key[3] in ("%", "Percent") else 1
            yield [(t, 1 - v * scale if metric == "availability" else v * scale)
                   for t, v in points]


def failed_shares(raw, metric, component):
    yield from failed_gauges(raw, metric, component)
    keys = [k for k in raw.series if k[2] == metric and k[0] == component]
    keys = keys or [k for k in raw.series if k[2] == metric]
    groups = {}
    for k in keys:
        for g in (k[:2], k[0], "all") + tuple(("label", x) for x in k[5]):
            groups.setdefault(g, []).append(k)
    for group in groups.values():
        bad, all_ = {}, {}
        for k in group:
            for t, v in steps([raw.series[k]], k[4], "rate"):
                all_[t] = all_.get(t, 0) + v
                if failed_label(k[5]):
                    bad[t] = bad.get(t, 0) + v
        if bad:
            yield [(t, bad.get(t, 0) / n) for t, n in sorted(all_.items()) if n > 0]


def bins(points, width):
    """Neighbouring points together, as a chart of a few points has them."""
    out = {}
    for t, v in points:
        out.setdefault(t // width, []).append(v)
    return [(k * width, sum(v) / len(v)) for k, v in sorted(out.items())]


def fits(points, before, now, periods, rounding):
    """Is `before` usual, and `now` what a part of the window has?"""
    w, b = periods.window, periods.baseline
    for width in (1, max(10 * 10**9, (w[1] - w[0]) // 12)):
        grouped = bins(points, width)
        usual = [v for t, v in grouped if t <= b[1] + width]
        window = [v for t, v in grouped if w[0] - width < t <= w[1] + MIN]
        late = [v for t, v in grouped if w[1] - (w[1] - w[0]) * .4 < t <= w[1] + MIN]
        if not usual and before == 0:
            usual = [0]  # what fails is counted only once it does
        if not usual or not window:
            continue
        lately = [v for t, v in grouped if 2 * w[0] - w[1] < t <= w[0]]
        ranges = [(quantile(part, .2), quantile(part, .8)) for part in (usual, lately) if part]
        low, high = min(min(window), quantile(late or window, 0)), max(window)

        def within(x, low, high):
            room = rounding * abs(x) + 1e-9
            return low - room <= x <= high + room
        if any(within(before, *r) for r in ranges) and within(now, low, high):
            return True
    return False


def metric_values(text):
    number, unit = re.match(r"([\d.]+)(.*)", text).groups()
    return float(number), unit.strip()


def metric_problem(raw, periods, component, metric, before, now, want):
    seen = False
    a, unit_a = metric_values(before)
    b, unit_b = metric_values(now)
    if not unit_b.endswith("illion"):
        unit_a = unit_a or unit_b
    unit_a, unit_b = unit_a.split(" per ")[0], unit_b.split(" per ")[0]
    a *= SCALES.get(unit_a, 1)
    b *= SCALES.get(unit_b, 1)
    if want == "failed":
        lists = [(1, p) for p in failed_shares(raw, metric, component)]
    else:
        lists = []
        for key, group in combined(raw, metric, component):
            kind = "mean" if key[4] == "histogram" else "rate"
            lists.append((unit_scale(key[3], metric, unit_b), steps(group, key[4], kind)))
    lists = [[(t, v * scale) for t, v in points] for scale, points in lists]
    for points in lists:
        seen = True
        if fits(points, a, b, periods, .03):
            return None
    # A new pod has no history: what is usual is what the others have.
    old = [l for l in lists if l and l[0][0] <= periods.baseline[1]]
    new = [l for l in lists if l and l[0][0] > periods.baseline[1]]
    if any(fits([p for p in x if p[0] <= periods.baseline[1]] + y, a, b, periods, .03)
           for x in old for y in new):
        return None
    return "its points do not show it" if seen else "there is no such metric"


def calls_between(raw, how, other, component):
    """What a caller tells of its calls to one component, or to any."""
    caller, callee = (other, component) if how == "calls from" else (component, other)

    def names(labels):
        return [str(x).split(".")[0] for _, x in labels]
    return Raw((), {k: v for k, v in raw.series.items()
                    if (k[0] == caller and (callee in names(k[5]) or caller == callee)) or
                    (caller in names(k[5]) and callee in names(k[5]))})


def traffic_problem(raw, periods, component, metric, times):
    """From points that are near enough to the middle of either period."""
    for key, group in combined(raw, metric, component):
        points = steps(group, key[4], "rate")
        usual = [v for t, v in points if t <= periods.baseline[1]]
        window = [v for t, v in points if inside(periods.window, t)]
        if usual and window and quantile(usual, .5) > 0:
            low, high = (quantile(window, q) / quantile(usual, .5) for q in (.25, 1))
            if low * .8 <= times <= high * 1.2:
                return None
    return "its requests do not show it"


def unit_scale(unit, metric, told):
    """To seconds, bytes, cores or shares, as the unit that is told."""
    if told in ("ms", "s", "min", "h", "\xb5s", "ns"):
        return {"ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60, "Milliseconds": 1e-3}.get(
            unit, 1e-3 if not unit and "milliseconds" in metric else 1)
    if told == "%":
        return .01 if unit in ("%", "Percent") else 1
    if told in ("cores", "core"):
        return {"m{cpu}": 1e-3, "n{cpu}": 1e-9}.get(unit, 1)
    return {"kBy": 1e3, "MBy": 1e6, "MiBy": 2**20, "KiBy": 1024}.get(unit, 1)


LIMITS = {
    "CPU": [("k8s.pod.cpu_limit_utilization", None), ("k8s.container.cpu_limit_utilization", None),
            ("container.cpu.usage", "k8s.container.cpu_limit")],
    "memory": [("k8s.pod.memory_limit_utilization", None),
               ("k8s.container.memory_limit_utilization", None),
               ("container.memory.working_set", "k8s.container.memory_limit")],
    "heap": [("jvm.memory.used", "jvm.memory.limit")],
    "disk": [("container.filesystem.usage", "container.filesystem.capacity"),
             ("k8s.pod.filesystem.usage", "k8s.pod.filesystem.capacity"),
             ("system.filesystem.utilization", None)],
    "connections": [("db.client.connection.count", "db.client.connection.max"),
                    ("db.client.connections.usage", "db.client.connections.max")],
}


def limit_problem(raw, periods, component, title, before, now):
    seen = False
    for used, total in LIMITS.get(title, []):
        for key, points in raw.series.items():
            if key[0] != component or key[2] != used:
                continue
            bound = 1
            if total:
                limits = [p for k, p in raw.series.items()
                          if k[0] == component and k[2] == total and k[1] == key[1]]
                if not limits:
                    continue
                bound = limits[0][-1][1]
            seen = True
            got = [(t, v / bound) for t, v in points]
            for shift in (0, .0051):
                if fits(got, before + shift - shift, now, periods, .03 + shift / max(now, .01)):
                    return None
    return "its points do not show it" if seen else "no usage and limit in the data"
