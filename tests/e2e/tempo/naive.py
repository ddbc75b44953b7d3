"""The queries of the test, and what they mean, written down a second time as
plain Python over the dictionaries that were sent."""
import re


class Span:
    def __init__(self, span, group, scope, trace):
        self.raw, self.scope, self.trace = span, scope, trace
        self.attrs = self.values(span["attributes"])
        self.resource = self.values(group["resource"]["attributes"])
        self.name, self.kind = span["name"], span["kind"]
        self.status = span.get("status", {}).get("code", 0)
        self.message = span.get("status", {}).get("message", "")
        self.duration = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
        self.start, self.end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        self.id, self.parent = span["spanId"], span.get("parentSpanId")

    @staticmethod
    def values(attributes):
        return {a["key"]: Span.value(a["value"]) for a in attributes}

    @staticmethod
    def value(any_value):
        for key, value in any_value.items():
            if key == "intValue":
                return int(value)
            if key == "arrayValue":
                return [Span.value(item) for item in value["values"]]
            if key in ("kvlistValue", "bytesValue"):
                return {}
            return value
        return None

    def every(self, name, scope="any"):
        """The values of an attribute."""
        if scope != "resource" and name in self.attrs:
            value = self.attrs[name]
        elif scope != "span" and name in self.resource:
            value = self.resource[name]
        else:
            return []
        return value if isinstance(value, list) else [] if value is None else [value]


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def same(value, wanted):
    return type(value) is type(wanted) and value == wanted or number(value) and number(wanted) and value == wanted


def has(span, name, wanted, scope="any"):
    return any(same(value, wanted) for value in span.every(name, scope))


QUERIES = {
    "{}": lambda s: True,
    '{ name = "GET /" }': lambda s: s.name == "GET /",
    "{ status = error }": lambda s: s.status == 2,
    "{ status != error && kind = server }": lambda s: s.status != 2 and s.kind == 2,
    '{ statusMessage = "broken" }': lambda s: s.message == "broken",
    "{ duration > 50ms }": lambda s: s.duration > 50_000_000,
    "{ span:duration <= 20ms || kind = client }": lambda s: s.duration <= 20_000_000 or s.kind == 3,
    '{ resource.service.name = "cart1" }': lambda s: s.resource["service.name"] == "cart1",
    '{ resource.service.name =~ "cart[12]" && name != "query" }':
        lambda s: s.resource["service.name"] in ("cart1", "cart2") and s.name != "query",
    '{ span.a = "GET" }': lambda s: has(s, "a", "GET", "span"),
    "{ span.b.c = 200 }": lambda s: has(s, "b.c", 200, "span"),
    "{ span.b.c >= 200 }": lambda s: any(number(v) and v >= 200 for v in s.every("b.c", "span")),
    "{ .a = true }": lambda s: has(s, "a", True),
    '{ span."k with blank" = 0.5 }': lambda s: has(s, "k with blank", 0.5, "span"),
    '{ .http.route =~ "/cart.*" }': lambda s: any(isinstance(v, str) and re.fullmatch("/cart.*", v, re.S)
                                                  for v in s.every("http.route")),
    '{ span.a != nil }': lambda s: bool(s.every("a", "span")),
    '{ span.a = nil }': lambda s: not s.every("a", "span"),
    '{ !(span.a = "GET") && name = "query" }': lambda s: not has(s, "a", "GET", "span") and s.name == "query",
    '{ rootServiceName = "cart0" && kind = internal }':
        lambda s: s.trace.root.resource["service.name"] == "cart0" and s.kind == 1,
    "{ traceDuration > 1s }": lambda s: s.trace.end - s.trace.start > 10**9,
    "{ trace:duration < 990ms }": lambda s: s.trace.end - s.trace.start < 990_000_000,
    '{ event:name = "event1" }': lambda s: any(e["name"] == "event1" for e in s.raw["events"]),
    '{ instrumentation:name = "scope1" }': lambda s: s.scope["name"] == "scope1",
    '{ trace:id = "000000000000000f" || trace:id = "3" }': lambda s: int(s.raw["traceId"], 16) in (15, 3),
    '{ trace:id = "3" }': lambda s: int(s.raw["traceId"], 16) == 3,
    "{ nestedSetParent < 0 }": lambda s: not s.parent,
    "{ span.b.c + 1 > 200 }": lambda s: number((s.every("b.c", "span") or [None])[0])
        and s.every("b.c", "span")[0] + 1 > 200,
}


class Trace:
    def __init__(self, groups):
        self.spans = [Span(span, group, scope["scope"], self) for group in groups
                      for scope in group["scopeSpans"] for span in scope["spans"]]
        self.start = min(s.start for s in self.spans)
        self.end = max(s.end for s in self.spans)
        in_order = sorted(self.spans, key=lambda s: (s.start, s.id))
        self.root = next((s for s in in_order if not s.parent), in_order[0])


def search(traces, query):
    found = {}
    test = QUERIES.get(query) or (
        lambda s: s.resource["service.name"] == "cart0" and s.name == "GET /")
    for trace_id, groups in traces.items():
        ids = sorted(s.id for s in Trace(groups).spans if test(s))
        if ids:
            found[trace_id] = ids
    return found
