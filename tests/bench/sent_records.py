"""What was sent, as plain records: spans, log lines and the points of each series,
read from OTLP/JSON export requests. Nothing of the server is used for that.
"""


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
