"""Are the sentences of a cause report true? Each is read back into what it
claims, and the claim is computed again from the raw data of the world: spans,
log lines and points as they were sent. Nothing of the server is used for that.

  check(answer, Raw) -> [(place, sentence, problem or None)]

A sentence of a form that is not known here is a problem, too: a new form needs
its check. Counts of a whole period have to be equal; "about" and "sampled" allow
for the minutes at the edges of a period and for the sample; metrics are told as
the usual value and one that a quarter of the window exceeds, so they have to lie
among the points of the baseline, and in the upper part of those of the window.
"""
import math
import re
from datetime import datetime, timezone

MIN = 60 * 10**9
SCALES = {"ns": 1e-9, "\xb5s": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600,
          "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "%": .01,
          "core": 1, "cores": 1, "million": 1e6, "billion": 1e9,
          "trillion": 1e12, "B/s": 1, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9}
NUMBER = r"[\d.]+(?:%|(?: [^\W\d_]+(?:/s)?)?)"


class Span:
    __slots__ = ("trace", "id", "parent_id", "component", "name", "operation",
                 "kind", "start", "end", "failed", "peer", "parent", "request")


class Raw:
    """What was sent. spans: of all components. series: (component, pod, metric,
    unit, shape, labels): [(ns, value)], as the senders count. logs: (ns,
    component, severity, body, span id). graph: who calls whom, if declared."""

    def __init__(self, spans=(), series=None, logs=(), graph=None, changes=()):
        self.spans, self.series, self.logs = list(spans), series or {}, list(logs)
        self.graph, self.changes = graph or {}, list(changes)
        by_id = {(s.trace, s.id): s for s in self.spans}
        self.traces = {}
        for s in self.spans:
            s.parent = by_id.get((s.trace, s.parent_id)) if s.parent_id else None
            self.traces.setdefault(s.trace, []).append(s)
        for s in self.spans:
            at, depth = s, 0
            while (at.kind not in (2, 5) and at.parent and depth < 100 and
                   at.parent.component == at.component):
                at, depth = at.parent, depth + 1
            s.request = at
        self.by_id = by_id
        self.starts = {t: min(s.start for s in l) for t, l in self.traces.items()}


def value_of(any_value):
    return next(iter(any_value.values()), "")


def attributes_of(holder):
    return {a["key"]: value_of(a["value"]) for a in holder.get("attributes", [])}


COMPONENT = "openchoreo.dev/component"


def raw_of_otlp(read):
    """read(signal): the export requests of a signal, as OTLP/JSON objects."""
    spans, series, logs, seen = [], {}, [], set()
    for body in read("traces"):
        for holder in body["resourceSpans"]:
            component = attributes_of(holder["resource"]).get(COMPONENT)
            for scope in holder["scopeSpans"]:
                for sent in scope["spans"]:
                    if (sent["traceId"], sent["spanId"]) not in seen:
                        seen.add((sent["traceId"], sent["spanId"]))
                        spans.append(span_of(component, sent))
    for body in read("metrics"):
        for holder in body["resourceMetrics"]:
            of = attributes_of(holder["resource"])
            for scope in holder["scopeMetrics"]:
                for m in scope["metrics"]:
                    take_points(series, of, m)
    for body in read("logs"):
        for holder in body["resourceLogs"]:
            component = attributes_of(holder["resource"]).get(COMPONENT)
            for scope in holder["scopeLogs"]:
                for r in scope["logRecords"]:
                    logs.append((int(r.get("timeUnixNano") or r["observedTimeUnixNano"]),
                                 component, r.get("severityNumber", 0),
                                 value_of(r.get("body", {"": ""})),
                                 (r.get("traceId"), r.get("spanId"))))
    series = of_pods(series)
    for points in series.values():
        points.sort()
    from_zero(series)
    return Raw(spans, series, logs)


def pod_name(of):
    return next((of[name] for name in ("k8s.pod.name", "k8s.pod.uid", "service.instance.id",
                                       "container.id", "host.name") if of.get(name)), None)


def of_pods(series):
    """An agent that knows only the pod speaks for the pod's component."""
    owners = {pod: component for component, pod, *_ in series if component and pod}
    out = {}
    for key, points in series.items():
        component = key[0] or owners.get(key[1])
        out.setdefault((component,) + key[1:], []).extend(points)
    return out


def from_zero(series):
    """A counter that appears later than others of its pod has counted from 0."""
    times = {}
    for key, points in series.items():
        times.setdefault(pod_of(key), set()).update(t for t, _ in points)
    for key, points in series.items():
        before = [t for t in times[pod_of(key)] if t < points[0][0]]
        if key[4] != "gauge" and before:
            points.insert(0, (max(before), (0, 0) if key[4] == "histogram" else 0))


def pod_of(key):
    return key[0], key[1], tuple(x for x in key[5] if "pod" in x[0])


def span_of(component, sent):
    s, of = Span(), attributes_of(sent)
    s.trace, s.id, s.parent_id = sent["traceId"], sent["spanId"], sent.get("parentSpanId")
    s.component, s.name, s.kind = component, sent["name"], sent.get("kind", 0)
    s.operation = s.name
    if of.get("rpc.method"):
        s.operation = of["rpc.service"] + "/" + of["rpc.method"]
    elif of.get("http.route") and s.kind == 2:
        s.operation = of["http.request.method"] + " " + of["http.route"]
    s.start, s.end = int(sent["startTimeUnixNano"]), int(sent["endTimeUnixNano"])
    code = int(of.get("http.response.status_code", of.get("http.status_code", 0)) or 0)
    s.failed = (sent.get("status", {}).get("code") == 2 or
                code >= (500 if s.kind == 2 else 400))
    s.peer = of.get("server.address") or of.get("net.peer.name") or of.get("peer.service")
    return s


def take_points(series, of, metric):
    for shape in ("gauge", "sum", "histogram"):
        for p in metric.get(shape, {}).get("dataPoints", []):
            labels = tuple(attributes_of(p).items())
            value = ((float(p["count"]), p["sum"]) if shape == "histogram" else
                     float(p.get("asDouble", p.get("asInt", 0))))
            series.setdefault((of.get(COMPONENT), pod_name(of), metric["name"],
                               metric.get("unit", ""), shape, labels), []).append(
                (int(p["timeUnixNano"]), value))


def ns_of(text):
    head, _, rest = text.rstrip("Z").partition(".")
    t = datetime.strptime(head, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(t.timestamp()) * 10**9 + int((rest + "000000000")[:9])


class Periods:
    def __init__(self, answer):
        w, b = answer["window"], answer["baseline"]
        self.window = ns_of(w["startTime"]), ns_of(w["endTime"])
        self.baseline = ns_of(b["startTime"]), ns_of(b["endTime"])
        self.sampled = 0

    def judged(self, text):
        """The window, or from where the sentence says."""
        m = re.search(r" \(counted from (\d\d):(\d\d):(\d\d) on\)", text)
        if not m:
            return self.window
        day = self.window[1] // (86400 * 10**9) * 86400 * 10**9
        at = day + sum(int(m[i]) * f for i, f in ((1, 3600), (2, 60), (3, 1))) * 10**9
        return max(self.window[0], at), self.window[1]


def inside(period, ns):
    return period[0] <= ns < period[1]


def minutes(period, outer):
    a, b = period
    if outer:
        return a // MIN * MIN, -(-b // MIN) * MIN
    return -(-a // MIN) * MIN, b // MIN * MIN


# ---- counts of requests ----

def served(raw, component, operation, period):
    got = [s for s in raw.spans if s.component == component and s.kind in (2, 5)
           and s.operation == operation and inside(period, s.start)]
    return sum(s.failed for s in got), len(got)


def served_alone(raw, component, operation, period):
    """Of requests that fail only those in which no call fails."""
    got = [s for s in raw.spans if s.component == component and s.kind in (2, 5)
           and s.operation == operation and inside(period, s.start)]
    return sum(s.failed and not any(c.failed for c in calls_in(raw, s)) for s in got), len(got)


def called(raw, peer, period):
    got = [s for s in raw.spans if s.peer == peer and s.kind in (3, 4)
           and inside(period, s.start)]
    return sum(s.failed for s in got), len(got)


def share_problem(text, count, period):
    """text: "3 of 6", "about 3 of 6", "7.2% of 13240", "0.04%", "none"."""
    about = text.startswith("about ")  # of what was looked at
    text = text.replace("about ", "")
    inner, outer = count(minutes(period, False)), count(minutes(period, True))
    exact = count(period)
    aligned = inner == outer
    if text == "none":
        return None if exact[1] == 0 else f"{exact} in the data"
    m = re.match(r"([\d.]+)%(?: of (\d+))?$", text)
    if m:
        low, high = shares(inner, outer, exact)
        told = float(m[1]) / 100
        if not low - 5e-3 * low - 1e-9 <= told <= high + 5e-3 * high + 1e-9:
            return f"{low:.5f} to {high:.5f} in the data"
        if m[2] and not inner[1] * .999 - 1 <= int(m[2]) <= outer[1] * 1.001 + 1:
            return f"{inner[1]} to {outer[1]} in the data"
        return None
    m = re.match(r"(\d+) of (\d+)$", text)
    if not m:
        return "not understood"
    k, n = int(m[1]), int(m[2])
    if about or not aligned:
        room = 2 + .2 * k if about else 0
        good = (inner[0] - room <= k <= max(1, outer[0]) + room and
                inner[1] <= n <= max(1, outer[1]))
        return None if good else f"{inner} to {outer} in the data"
    return None if (k, n) == exact else f"{exact} in the data"


def shares(*counts):
    all_shares = [k / n for k, n in counts if n] or [0]
    inner, outer = counts[0], counts[1]
    if outer[1]:  # what lies at the edges may all fail, or all go well
        edge_k, edge_n = outer[0] - inner[0], outer[1] - inner[1]
        all_shares.append(inner[0] / max(1, inner[1] + edge_n - edge_k))
        all_shares.append((inner[0] + edge_k) / max(1, inner[1] + edge_k))
    return min(all_shares), max(all_shares)


# ---- durations ----

def quantile(values, q):
    values = sorted(values)
    at = q * (len(values) - 1)
    low = int(at)
    return values[low] + (at - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def seconds(text):
    number, unit = re.match(r"([\d.]+) ?(.*)", text).groups()
    return float(number) * SCALES[unit]


def own_time(raw, s):
    """A request less the calls of others that are in it."""
    until, busy = s.start, 0
    for c in sorted(calls_in(raw, s), key=lambda c: c.start):
        a, b = max(c.start, until), min(c.end, s.end)
        if b > a:
            busy += b - a
            until = b
    return max(0, s.end - s.start - busy)


def children(raw):
    if not hasattr(raw, "children"):
        raw.children = {}
        for s in raw.spans:
            if s.parent:
                raw.children.setdefault(id(s.parent), []).append(s)
    return raw.children


def calls_in(raw, s, depth=0):
    table = children(raw)
    for c in table.get(id(s), []):
        remote = (c.component != s.component or (c.kind == 3 and c.failed) or
                  any(g.component != c.component for g in table.get(id(c), [])))
        if remote:
            yield c
        elif depth < 50:
            yield from calls_in(raw, c, depth + 1)


def median_problem(told, values, what, sampled=False):
    """told in seconds, values in ns; a sample of a few moments in which a fault
    is or is not may have any of them as its median."""
    if len(values) < 1:
        return f"no {what} in the data"
    width = .48 if sampled else min(.49, 2.5 / math.sqrt(len(values)) + .02)
    low = quantile(values, .5 - width) / 1e9
    high = quantile(values, .5 + width) / 1e9
    low, high = min(low, max(0, low)), max(high, 0)
    return None if low * .995 - 1e-6 <= told <= high * 1.005 + 1e-6 else (
        f"median {quantile(values, .5) / 1e9:.4f} s ({low:.4f} to {high:.4f})")


def gaps(raw, caller, callee, period):
    return [(s.parent.end - s.parent.start) - (s.end - s.start) for s in raw.spans
            if s.component == callee and s.parent and s.kind in (2, 5)
            and s.parent.component == caller and s.parent.kind == 3
            and inside(period, raw.starts[s.trace])]


# ---- events inside requests ----

def source_of(text):
    for m in re.finditer(r"(?<![\w.])([A-Za-z_$][\w$.\-/]*)[#:]\d{1,5}(?=[\s:\]\u2026]|$)", text):
        if "." in m[1]:
            return m[0].rstrip(":")
    return None


def inner(text):
    """The message of a line that is itself JSON or logfmt."""
    m = re.search(r""" msg=| message=|"message":|"msg":|"log":""", text)
    return text[m.end():].strip('" ') if m else text


def line_key(text):
    """The statement of a log line: its place in the source, or its words."""
    words = re.split(r"""[\s\[\](){}<>"',;=|]+""", text)
    return source_of(text) or tuple(
        "" if re.search(r"\d", w) else w for w in words if w)[:8]


def events_of(raw, component, operation, period):
    """Per trace: the events of requests to an operation, as (is call, key, is
    error)."""
    table = {}
    for s in raw.spans:
        r = s.request
        if (r.component != component or r.operation != operation or
                not inside(period, raw.starts[s.trace])):
            continue
        events = table.setdefault(s.trace, set())
        if r is not s:
            error = s.failed or "error" in s.name.lower() or "exception" in s.name.lower()
            events.add(("call", s.operation or s.name, error))
    for ns, c, severity, body, span in raw.logs:
        s = raw.by_id.get(span)
        if not s or s.trace not in table:
            continue
        r = s.request
        if r.component == component and r.operation == operation and not 13 <= severity < 17:
            for key in {line_key(body), line_key(inner(body))}:
                table[s.trace].add(("log", key, severity >= 17))
    return table


def shown_key(text):
    words = re.split(r"""[\s\[\](){}<>"',;=|]+""", text.rstrip("\u2026"))
    masks = ("id", "number", "address", "e-mail", "secret")
    return source_of(text) or tuple(
        "" if re.search(r"\d", w) or w in masks else w for w in words if w)


def same_key(shown, key):
    if isinstance(shown, str) or isinstance(key, str):
        return shown == key
    n = min(len(shown), len(key))
    return n > 0 and all(a == b or not a or not b for a, b in zip(shown[:n - 1], key))


def event_problem(raw, periods, component, operation, clause, text):
    m = re.match(r"(?:logs (?P<error>error )?\"(?P<line>.*)\"(?: no more:)?|call (?P<call>.+?) "
                 r"(?P<verb>fails|succeeds|is made|is not made any more:)) in (?:only )?"
                 r"(?P<now>[\d.%]+ of \d+) (?P<part>sampled )?traces?, "
                 r"(?P<was>[\d.]+ of \d+|[\d.]+%|none) before"
                 r"(?: \(after (?P<after>.*)\))?$", clause)
    if not m:
        return "not understood"
    for told, period in ((m["now"], periods.judged(text)), (m["was"], periods.baseline)):
        table = events_of(raw, component, operation, period)
        after = m["after"]

        def has(events, what, is_line, error):
            key = shown_key(what) if is_line else what
            return any(kind == ("log" if is_line else "call") and bad == error and
                       (same_key(key, k) if is_line else k == key)
                       for kind, k, bad in events)
        n = k = 0
        for events in table.values():
            if after and not has(events, after.strip('"'), after.startswith('"'), False):
                continue
            n += 1
            if m["line"] is not None:
                k += has(events, m["line"], True, bool(m["error"]))
            else:
                k += has(events, m["call"], False, m["verb"] == "fails")
        problem = sample_problem(told, k, n, m["part"])
        if problem:
            return problem
    return None


def sample_problem(told, k, n, sampled):
    m = re.match(r"([\d.]+)%(?: of (\d+))?$", told)
    if told == "none":
        return None if n == 0 or sampled else f"{k} of {n} in the data"
    if m:
        told_share, size = float(m[1]) / 100, int(m[2] or 1000)
    else:
        a, b = map(int, re.match(r"(\d+) of (\d+)$", told).groups())
        if not sampled:
            return None if (a, b) == (k, n) else f"{k} of {n} in the data"
        if b > n:
            return f"only {n} in the data"
        told_share, size = a / max(1, b), max(1, b)
    share = k / n if n else 0
    room = 3.5 * math.sqrt(max(share * (1 - share), .02) / max(1, min(size, n))) + 1 / size
    return None if abs(share - told_share) <= room else f"{k} of {n} in the data"


# ---- metrics ----

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


# ---- sentences ----

def evidence_problem(raw, periods, component, e, text=None):
    text = text if text is not None else e["text"]
    body = re.sub(r" \(counted from \d\d:\d\d:\d\d on\)", "", text)
    body = re.sub(r", in (a new pod|new pods)$", "", body)
    op = e.get("operation")
    if e["kind"] == "change" or e.get("class") in ("change", "event"):
        return change_problem(raw, periods, component, body)
    if op and body.startswith(op + ": "):
        problems = [event_problem(raw, periods, component, op, clause, text)
                    for clause in re.split(r"; (?=logs (?:error )?\"|call )", body[len(op) + 2:])]
        return next((p for p in problems if p), None)
    m = re.match(r"(.+?) fails by itself, without a failed call, in (.+?) requests?, "
                 r"(.+) before$", body)
    if m:
        def alone(p):
            return served_alone(raw, component, m[1], p)
        return (share_problem(m[2], alone, periods.judged(text)) or
                share_problem(m[3], alone, periods.baseline))
    m = re.match(r"(.+?) fails in (.+?) requests?, (.+) before$", body)
    if m and not body.startswith("fails in"):
        who, name = component, m[1]
        count = ((lambda p: called(raw, name, p)) if name == component else
                 (lambda p: served(raw, who, name, p)))
        return (share_problem(m[2], count, periods.judged(text)) or
                share_problem(m[3], count, periods.baseline))
    m = re.match(r"calls take (%s), (%s) before$" % (NUMBER, NUMBER), body)
    if m:
        for told, period in ((m[1], periods.judged(text)), (m[2], periods.baseline)):
            values = [s.end - s.start for s in raw.spans if s.peer == component
                      and s.kind in (3, 4) and inside(minutes(period, True), s.start)]
            problem = bucket_problem(seconds(told), values)
            if problem:
                return problem
        return None
    m = re.match(r"(.+?) calls? get no answer, (.+) before$", body)
    if m:
        return None  # of calls: silence_problem in the shop's own check
    m = re.match(r"(.*) takes (%s) itself, (%s) before( \(of a sample\))?$" % (NUMBER, NUMBER), body)
    if m:
        for told, period in ((m[2], periods.judged(text)), (m[3], periods.baseline)):
            values = [own_time(raw, s) for s in raw.spans if s.component == component
                      and s.operation == m[1] and s.kind in (2, 5)
                      and inside(period, raw.starts[s.trace])]
            problem = median_problem(seconds(told), values, "requests", m[4])
            if problem:
                return problem
        return None
    m = re.match(r"calls (from|to) (.+) take (%s) in transit, (%s) before "
                 r"\((\d+) of (\d+)( sampled)? above (%s)\)$" % (NUMBER, NUMBER, NUMBER), body)
    if m:
        ends = (m[2], component) if m[1] == "from" else (component, m[2])
        now = gaps(raw, *ends, periods.judged(text))
        usual = gaps(raw, *ends, periods.baseline)
        k, n, limit = int(m[5]), int(m[6]), seconds(m[8])
        above = sum(g > limit * 1e9 for g in now)
        share = above / len(now) if now else 0
        if m[7] and k <= above and n <= len(now):
            return (median_problem(seconds(m[3]), now, "calls", True) or
                    median_problem(seconds(m[4]), usual, "calls", True))
        if n > len(now) or abs(share - k / n) > 3.5 * math.sqrt(
                max(share * (1 - share), .02) / n) + 1 / n:
            return f"{above} of {len(now)} above in the data"
        return (median_problem(seconds(m[3]), now, "calls") or
                median_problem(seconds(m[4]), usual, "calls"))
    m = (re.match(r"(\w+) rose from ([\d.]+)% to ([\d.]+)% of its limit$", body))
    if m:
        return limit_problem(raw, periods, component, m[1], float(m[2]) / 100, float(m[3]) / 100)
    m = re.match(r"(\w+) at ([\d.]+)% of its limit, ([\d.]+)% before$", body)
    if m:
        return limit_problem(raw, periods, component, m[1], float(m[3]) / 100, float(m[2]) / 100)
    m = re.match(r"fails in (.+) of requests, (.+) before \((.+)\)$", body)
    if m:
        return metric_problem(raw, periods, component, m[3], m[2], m[1], "failed")
    m = re.match(r"(?:its calls take|takes) (%s), (%s) before \((.+)\)$" % (NUMBER, NUMBER), body)
    if m:
        return metric_problem(raw, periods, component, m[3], m[2], m[1], "value")
    m = re.match(r"([\d.]+%) of (calls from|its calls to) (.+) fail, ([\d.]+%) before "
                 r"\((.+)\)$", body)
    if m:
        return metric_problem(calls_between(raw, m[2], m[3], component), periods, None, m[5],
                              m[4], m[1], "failed")
    m = re.match(r"(calls from|its calls to) (.+) take (%s), (%s) before"
                 r"(?:, though it answers as usual)? \((.+)\)$" % (NUMBER, NUMBER), body)
    if m:
        return metric_problem(calls_between(raw, m[1], m[2], component), periods, None, m[5],
                              m[4], m[3], "value")
    m = re.match(r"gets about ([\d.]+) times as many requests as before, and its callers "
                 r"(?:do not send more|send ([\d.]+) times as many) \((.+)\)$", body)
    if m:
        return traffic_problem(raw, periods, component, m[3], float(m[1]))
    m = re.match(r"logs \"(.*)\" ([\d.]+) times? a minute, ([\d.]+) before$", body)
    if m:
        return line_rate_problem(raw, periods, component, m[1], float(m[3]), float(m[2]))
    m = re.match(r"(.+?) (rose|fell) from (%s) to (%s)(?: per second)?(?: \((.+)\))?$"
                 % (NUMBER, NUMBER), body)
    if m:
        return metric_problem(raw, periods, component, m[5] or m[1], m[3], m[4], "value")
    return "not understood"


def bucket_problem(told, values):
    """From buckets of an exponential histogram: some percent off."""
    if not values:
        return "no calls in the data"
    width = min(.49, 2 / math.sqrt(len(values)) + .05)
    low, high = quantile(values, .5 - width) / 1e9, quantile(values, .5 + width) / 1e9
    return None if low * .9 <= told <= high * 1.1 else f"{low:.4f} to {high:.4f} s"


def change_problem(raw, periods, component, text):
    if not raw.changes:
        return None
    return None if any(c == component and t in text for c, t in raw.changes) else (
        "there is no such change")


def line_rate_problem(raw, periods, component, template, before, now):
    pattern = re.compile("^" + ".*".join(
        re.escape(p) for p in re.sub(r"<[*\w-]*>", "\0", template).split("\0")))
    w, b = periods.window, periods.baseline
    table = {}
    for ns, c, severity, body, _ in raw.logs:
        if c == component and severity >= 17 and pattern.match(body):
            table[ns // MIN] = table.get(ns // MIN, 0) + 1
    usual = [table.get(t, 0) for t in range(max(b[0], b[1] - 30 * MIN) // MIN, b[1] // MIN)]
    window = [table.get(t, 0) for t in range(w[0] // MIN, -(-w[1] // MIN))]
    if not usual:
        return "no minutes before"
    good = (quantile(usual, .3) - .06 <= before <= quantile(usual, .7) + .06 and
            min(window) <= now * 1.06 and now <= max(window) * 1.06)
    return None if good else f"{quantile(usual, .5)} before, {window} in the window"


# ---- users ----

def entries(raw):
    """Requests that no component sent."""
    return [s for s in raw.spans if s.kind == 2 and s.parent is None]


def is_more(k1, n1, k2, n2, least):
    """Log-likelihood ratio of two proportions against one."""
    def part(k, n, p):
        return k * math.log(p) + (n - k) * math.log(1 - p)
    if n1 < 3 or n2 == 0 or k2 * n1 <= k1 * n2:
        return False
    share = (k1 + k2 + .5) / (n1 + n2 + 1)
    a, b, c, d = k1 + .5, n1 + 1, k2 + .5, n2 + 1
    return (part(a, b, a / b) + part(c, d, c / d) -
            part(a + c - .5, b + d - 1, share)) >= least


def suffering(raw, periods, suspect, least):
    """Operations of entries that fail or wait more than before, of the traces
    that pass the suspect."""
    passing = {s.trace for s in raw.spans if s.component == suspect}
    table = {}
    for s in entries(raw):
        if s.trace in passing:
            for i, p in enumerate((periods.baseline, periods.window)):
                if inside(p, s.start):
                    table.setdefault((s.component, s.operation), ([], []))[i].append(s)
    for key, (before, now) in table.items():
        if is_more(sum(s.failed for s in before), len(before),
                   sum(s.failed for s in now), len(now), least):
            yield key, "fails"
        if len(before) >= 3 and now:
            limit = quantile([s.end - s.start for s in before], .95) + 5e6
            if is_more(sum(s.end - s.start > limit for s in before), len(before),
                       sum(s.end - s.start > limit for s in now), len(now), least):
                yield key, "is slow"


def impact_problem(raw, periods, answer, text):
    suspects = answer["suspects"]
    suspect = suspects[0]["component"] if suspects else None
    if "no effect on users was found" in text or text == "":
        if raw.spans and answer["found"]:
            hurt = list(suffering(raw, periods, suspect, 8))
            if hurt:
                return f"users suffer: {hurt[:2]}"
        return None
    if "not known" in text and "the worst is" not in text:
        hurt = list(suffering(raw, periods, suspect, 8)) if raw.spans else []
        return f"users suffer: {hurt[:2]}" if hurt else None
    m = re.match(r"(?:which component .* the worst is )?([^:]+): (.*)", text)
    component, rest = m[1], m[2]
    if not raw.spans:
        return evidence_problem(raw, periods, component, {"kind": "metric"}, rest)
    rest = re.sub(r"; \d+ more operations? suffers?$", "", rest)
    through = re.search(r" that pass (.+?) \(", rest)
    rest = re.sub(r" that pass .+? \(", " (", rest)
    m = re.match(r"(.+?) (?:fails in (?P<f>.+?) requests? \((?P<fb>.+?) before\))?(?:, and )?"
                 r"(?:takes longer than (?P<limit>%s) in (?P<s>.+?) requests? \((?P<sb>.+?) before\))?$" % NUMBER, rest)
    if not m:
        return evidence_problem(raw, periods, component, {"kind": "metric"}, rest)
    since = answer["suspects"][0].get("onset") if answer["found"] else None
    start = periods.window[0]
    if since and ns_of(since) // MIN * MIN > start and ns_of(since) // MIN * MIN + MIN <= periods.window[1]:
        start = ns_of(since) // MIN * MIN
    window = minutes((start, periods.window[1]), False)
    base = minutes(periods.baseline, False)
    keep = None
    if through:
        keep = {s.trace for s in raw.spans if s.component == through[1]}
    found = [s for s in raw.spans if s.component == component and s.operation == m[1]
             and s.kind == 2 and (keep is None or s.trace in keep)]
    now = [s for s in found if inside(window, s.start)]
    before = [s for s in found if inside(base, s.start)]
    parts = []
    if m["f"]:
        parts += [(m["f"], sum(s.failed for s in now), len(now)),
                  (m["fb"], sum(s.failed for s in before), len(before))]
    if m["s"]:
        limit = seconds(m["limit"]) * 1e9
        parts.append((m["s"], sum(s.end - s.start > limit for s in now), len(now)))
        parts.append((("about " if m["s"].startswith("about") else "") + m["sb"],
                      sum(s.end - s.start > limit for s in before), len(before)))
    for told, k, n in parts:
        about = told.startswith("about ") or through is not None
        told = told.replace("about ", "")
        told = re.sub(r"% of$", "%", told)
        problem = sample_problem(told, k, n, about)
        if problem and not about and re.match(r"[\d.]+%", told):
            share = float(re.match(r"[\d.]+", told)[0]) / 100
            problem = None if abs(share - k / max(1, n)) <= .005 * share + 1e-9 else problem
        if problem:
            return f"{told}: {problem}"
    return None


# ---- an answer ----

def times_problem(answer, periods):
    for s in answer["suspects"]:
        for e in s["evidence"] + [s]:
            if e.get("onset") and ns_of(e["onset"]) >= periods.window[1]:
                return f"{e['onset']} is not before the end of the window"
    return None


def form_problem(text):
    if re.search(r"\d[eE][+-]\d|\bnan\b|\binf\b|(?<![\w.:/<-])-\d", text):
        return "a number that nobody reads"
    if re.search(r"\b1 (requests|operations|calls|times)\b", text):
        return "plural"
    m = re.search(r"(?:rose|fell) from (\S+)(?: \w+)? to (\S+)", text)
    if m and m[1] == m[2] and "kB" not in text and "MB" not in text:
        return "from and to are the same"
    if re.search(r"[\w.+-]+@[\w-]+\.\w+|eyJ[\w-]{8}|\d{13,}|password=(?!<)", text):
        return "a value that is to be hidden"
    return None


def check(answer, raw):
    periods, out = Periods(answer), []
    by_text = {}
    for s in answer["suspects"]:
        for e in s["evidence"]:
            by_text[s["component"], e["text"]] = e
            problem = evidence_problem(raw, periods, s["component"], e)
            out.append((s["component"], e["text"], problem or form_problem(e["text"])))
    summary = answer["summary"]
    known = {t for _, t in by_text}
    for name in ("cause", "firstFailure"):
        text = summary.get(name)
        if not text:
            continue
        rest = text
        component = answer["suspects"][0]["component"] if answer["suspects"] else ""
        parts = [t for c, t in by_text if t in rest]
        problem = form_problem(text)
        if answer["found"] and not parts:
            problem = "it is not the text of any evidence"
        if name == "firstFailure" and f", {component}: " not in text and "as a caller" not in text:
            problem = "another component without a reason"
        if "nobody seems to suffer" in text and raw.spans:
            hurt = [h for c in {s.component for s in raw.spans}
                    for h in suffering(raw, periods, c, 12)]
            problem = problem or (f"users suffer: {hurt[:2]}" if hurt else None)
        out.append((name, text, problem))
    text = summary.get("impact", "")
    out.append(("impact", text, impact_problem(raw, periods, answer, text) or form_problem(text)))
    for step in answer["path"]:
        text = step.get("symptom")
        if text and (step["component"], text) not in by_text:
            problem = evidence_problem(raw, periods, step["component"],
                                       {"kind": "path", "operation": (re.match(r"(.+?): (?:logs|call) ", text) or [None, None])[1]}, text)
            out.append(("path " + step["component"], text, problem))
    for x in answer["excluded"]:
        text = x["reason"]
        ok = any(text.startswith(t) for t in known) or text.startswith("changed; no other")
        out.append(("excluded " + x["component"], text, None if ok else "not a text of evidence"))
    for log in answer["logs"]:
        out.append(("log", log["log"], log_problem(raw, periods, answer, log) or
                    form_problem(log["log"])))
    out.append(("times", "onset", times_problem(answer, periods)))
    return out


def log_problem(raw, periods, answer, log):
    if not log["log"]:
        return "empty"
    component = answer["suspects"][0]["component"]
    key = shown_key(log["log"])
    got = [0, 0]
    for ns, c, severity, body, _ in raw.logs:
        if c == component and severity >= 13 and (same_key(key, line_key(body)) or
                                                  same_key(key, line_key(inner(body)))):
            got[0] += inside(periods.baseline, ns)
            got[1] += inside(periods.window, ns)
    if not raw.logs:
        return None
    good = ((log["countBefore"], log["count"]) == tuple(got) or
            sum(got) > 900 and log["count"] <= got[1])
    return None if good else f"{got[1]}, {got[0]} before in the data"
