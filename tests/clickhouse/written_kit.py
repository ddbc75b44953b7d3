"""Requests for write_block, and the rows that the Collector's exporter would make
of them: an independent reading, in Python. And rows of ClickHouse, read."""
import base64
import json
import math
import os
import struct
import subprocess
from decimal import Decimal

import kit
import callboard

WRITE_BLOCK = os.path.join(os.environ["OUT"], "tests/clickhouse/write_block")
MINUTE = 60_000_000_000
NOW = 1_767_225_600_000_000_000  # 2026-01-01
KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
STATUSES = ("Unset", "Ok", "Error")


# ---- values as Go writes them ----


def go_float(value, nested=False):
    if math.isnan(value) or math.isinf(value):
        word = "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
        return f'"{word}"' if nested else "json: unsupported value: " + word
    digits, _, exponent = f"{value!r}".partition("e")
    size = abs(value)
    if size != 0 and (size < 1e-6 or size >= 1e21):
        if not exponent:
            mantissa = f"{value:.17e}"
            for places in range(17):
                if float(f"{value:.{places}e}") == value:
                    mantissa = f"{value:.{places}e}"
                    break
            digits, _, exponent = mantissa.partition("e")
        digits = digits.removesuffix(".0")
        number = int(exponent)
        return f"{digits}e{'-' if number < 0 else '+'}{abs(number):0{1 if number < 0 else 2}d}"
    if exponent:
        digits = format(Decimal(repr(value)), "f")
    return digits.removesuffix(".0")


def go_json(value):
    """The text inside JSON."""
    (kind, inner), = value.items() if value else (("none", None),)
    if kind == "none":
        return "null"
    if kind == "boolValue":
        return "true" if inner else "false"
    if kind == "intValue":
        return str(int(inner))
    if kind == "doubleValue":
        return go_float(inner, True)
    if kind == "bytesValue":
        return '"' + base64.b64encode(inner).decode() + '"'
    if kind == "arrayValue":
        return "[" + ",".join(go_json(v) for v in inner["values"]) + "]"
    if kind == "kvlistValue":
        return "{" + ",".join(json.dumps(kv["key"], ensure_ascii=False) + ":" + go_json(kv.get("value", {}))
                              for kv in inner["values"]) + "}"
    return json.dumps(inner, ensure_ascii=False)


def go_text(value):
    (kind, inner), = value.items() if value else (("none", None),)
    if kind == "none":
        return b""
    if kind == "stringValue":
        return inner if isinstance(inner, bytes) else inner.encode()
    if kind == "doubleValue":
        return go_float(inner).encode()
    if kind == "bytesValue":
        return base64.b64encode(inner)
    return go_json(value).encode()


def pairs(attributes):
    return [[a["key"] if isinstance(a["key"], bytes) else a["key"].encode(), go_text(a.get("value", {}))]
            for a in attributes]


# ---- rows out of RowBinary ----


class Reader:
    """Values of RowBinary by the names of their types."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at:self.at + count]
        if len(piece) != count:
            raise EOFError("the row is cut")
        self.at += count
        return piece

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def value(self, kind):
        name, _, inside = kind.partition("(")
        inside = inside[:-1]
        formats = {"UInt8": "<B", "Bool": "<?", "Int8": "<b", "UInt32": "<I", "Int32": "<i", "DateTime": "<I",
                   "UInt64": "<Q", "Int64": "<q", "Float64": "<d", "DateTime64": "<q"}
        if name in formats:
            return struct.unpack(formats[name], self.take(struct.calcsize(formats[name])))[0]
        if name == "String":
            return self.take(self.varint())
        if name in ("LowCardinality", "SimpleAggregateFunction"):
            return self.value(inside if name == "LowCardinality" else inside.split(", ", 1)[1])
        parts = split_types(inside)
        if name == "Array":
            return [self.value(parts[0]) for _ in range(self.varint())]
        if name == "Map":
            return [[self.value(part) for part in parts] for _ in range(self.varint())]
        if name == "Tuple":
            return [self.value(part) for part in parts]
        raise ValueError(kind)


def split_types(text):
    parts, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(text[begin:i].strip())
            begin = i + 1
    return parts + [text[begin:].strip()]


def table_rows(db, table, order="1"):
    """All rows, as dictionaries by column."""
    columns = db.rows(f"SELECT name, type FROM system.columns WHERE table = '{table}' AND database = "
                      "currentDatabase() ORDER BY position")
    names = ", ".join("`" + name + "`" for name, _ in columns)
    reader = Reader(db.sql(f"SELECT {names} FROM {table} ORDER BY {order} FORMAT RowBinary"))
    rows = []
    while reader.at < len(reader.data):
        rows.append({name: reader.value(kind) for name, kind in columns})
    return rows


# ---- writing ----


class Writer:
    def __init__(self, db):
        self.db, self.folder, self.files = db, callboard.new_folder(), 0

    def file(self, data):
        self.files += 1
        path = os.path.join(self.folder, f"{self.files}.bin")
        with open(path, "wb") as out:
            out.write(data)
        return path

    def request(self, signal, offset, request):
        name = {"spans": "traces"}.get(signal, signal)
        return f"{signal}:{offset}:{self.file(callboard.otlp_proto(name, request))}"

    def write(self, token, *items, url=None):
        done = subprocess.run([WRITE_BLOCK, url or self.db.url(), token, str(NOW), *items], capture_output=True,
                              timeout=300, check=False)
        return (done.stdout.decode().strip() or done.stderr.decode().strip())


# ---- requests ----

NAN, INF = float("nan"), float("inf")
EVERY_TYPE = [
    {"key": "text", "value": {"stringValue": "GET /"}},
    {"key": "not.utf8", "value": {"stringValue": b"\xff\xfe\x00z"}},
    {"key": "empty.text", "value": {"stringValue": ""}},
    {"key": "yes", "value": {"boolValue": True}}, {"key": "no", "value": {"boolValue": False}},
    {"key": "least", "value": {"intValue": -2**63}}, {"key": "most", "value": {"intValue": 2**63 - 1}},
    {"key": "half", "value": {"doubleValue": 0.5}}, {"key": "whole", "value": {"doubleValue": 7.0}},
    {"key": "tiny", "value": {"doubleValue": 5e-324}}, {"key": "small", "value": {"doubleValue": 1.5e-7}},
    {"key": "huge", "value": {"doubleValue": 1.7976931348623157e308}},
    {"key": "e20", "value": {"doubleValue": 1e20}}, {"key": "e21", "value": {"doubleValue": 1e21}},
    {"key": "minus.zero", "value": {"doubleValue": -0.0}},
    {"key": "nan", "value": {"doubleValue": NAN}}, {"key": "inf", "value": {"doubleValue": INF}},
    {"key": "minus.inf", "value": {"doubleValue": -INF}},
    {"key": "bytes", "value": {"bytesValue": b"\x00\x01\xff"}}, {"key": "no.bytes", "value": {"bytesValue": b""}},
    {"key": "nothing", "value": {}},
    {"key": "list", "value": {"arrayValue": {"values": [
        {"intValue": 1}, {"stringValue": "a\"\\\n\u00e9"}, {"doubleValue": 2.0}, {}, {"bytesValue": b"\x7f"},
        {"arrayValue": {"values": []}}]}}},
    {"key": "map", "value": {"kvlistValue": {"values": [
        {"key": "z", "value": {"intValue": 3}}, {"key": "a", "value": {"kvlistValue": {"values": []}}}]}}},
]
TYPES = b"sssbbii" + b"d" * 11 + b"yyea6;isdeya0;m2;im0;"
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}},
                           {"key": "host.cpus", "value": {"intValue": 8}},
                           {"key": "note", "value": {"stringValue": b"\xffnot utf8"}}]}
SCOPE = {"name": "lib", "version": "1.2", "attributes": [{"key": "s", "value": {"intValue": 1}}],
         "droppedAttributesCount": 2}
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def scope_group(member, records):
    return {"scope": SCOPE, member: records, "schemaUrl": "https://scope"}


def spans_request(spans):
    return {"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [scope_group("spans", spans)],
                               "schemaUrl": "https://resource"}]}


def make_spans():
    plain = {"traceId": TRACE, "spanId": SPAN, "name": "GET /", "kind": 2, "startTimeUnixNano": NOW - 5,
             "endTimeUnixNano": NOW - 2}
    full = dict(plain, spanId="00f067aa0ba902b7", parentSpanId=SPAN, kind=3, traceState="a=b", flags=0x301,
                attributes=EVERY_TYPE, droppedAttributesCount=4, droppedEventsCount=5, droppedLinksCount=6,
                events=[{"timeUnixNano": NOW - 4, "name": "exception", "attributes": EVERY_TYPE,
                         "droppedAttributesCount": 9},
                        {"timeUnixNano": 0, "name": ""}, {"timeUnixNano": 2**64 - 1, "name": "far"}],
                links=[{"traceId": TRACE, "spanId": SPAN, "traceState": "c=d", "attributes": EVERY_TYPE,
                        "flags": 1}],
                status={"message": "broke", "code": 2})
    many = dict(plain, spanId="00000000000000aa", kind=1,
                attributes=[{"key": f"key.{i}", "value": {"stringValue": "v" * i}} for i in range(256)])
    large = dict(plain, spanId="00000000000000bb", kind=5, status={"code": 1},
                 attributes=[{"key": "k" * 256, "value": {"stringValue": "x" * 65536}}])
    old = dict(plain, spanId="00000000000000cc", startTimeUnixNano=1_000_000_000, endTimeUnixNano=2_000_000_000)
    return [plain, full, many, large, old]


def expected_span(span):
    events, links = span.get("events", []), span.get("links", [])
    return {
        "Timestamp": span["startTimeUnixNano"], "TraceId": span["traceId"].encode(),
        "SpanId": span["spanId"].encode(), "ParentSpanId": span.get("parentSpanId", "").encode(),
        "TraceState": span.get("traceState", "").encode(), "SpanName": span["name"].encode(),
        "SpanKind": KINDS[span["kind"]].encode(), "ServiceName": b"checkout",
        "ResourceAttributes": pairs(RESOURCE["attributes"]), "ScopeName": b"lib", "ScopeVersion": b"1.2",
        "SpanAttributes": pairs(span.get("attributes", [])),
        "Duration": span["endTimeUnixNano"] - span["startTimeUnixNano"],
        "StatusCode": STATUSES[span.get("status", {}).get("code", 0)].encode(),
        "StatusMessage": span.get("status", {}).get("message", "").encode(),
        "Events.Timestamp": [min(e["timeUnixNano"], 2**63 - 1) for e in events], "Events.Name": [e["name"].encode() for e in events],
        "Events.Attributes": [pairs(e.get("attributes", [])) for e in events],
        "Links.TraceId": [link["traceId"].encode() for link in links],
        "Links.SpanId": [link["spanId"].encode() for link in links],
        "Links.TraceState": [link["traceState"].encode() for link in links],
        "Links.Attributes": [pairs(link["attributes"]) for link in links],
        "Links.Flags": [link["flags"] for link in links],
        "Namespace": b"acme", "Project": b"shop", "Component": b"checkout", "Environment": b"test",
        "Endpoint": b"http", "Operation": span["name"].encode(),
        "Failed": span.get("status", {}).get("code") == 2, "Flags": span.get("flags", 0), "Corrected": 0,
        "DroppedAttributes": span.get("droppedAttributesCount", 0),
        "DroppedEvents": span.get("droppedEventsCount", 0), "DroppedLinks": span.get("droppedLinksCount", 0),
        "ScopeSchemaUrl": b"https://scope", "ScopeAttributes": [[b"s", b"1"]], "ScopeTypes": b"2;i",
    }


def differing(row, wanted):
    """Members that are not as wanted; a NaN equals a NaN."""
    def same(a, b):
        if isinstance(a, float) and isinstance(b, float):
            return a == b or (math.isnan(a) and math.isnan(b))
        if isinstance(a, list) and isinstance(b, list):
            return len(a) == len(b) and all(map(same, a, b))
        return a == b
    return {k: (row.get(k), v) for k, v in wanted.items() if not same(row.get(k), v)}



NAMES = {"Namespace": b"acme", "Project": b"shop", "Component": b"checkout", "Environment": b"test"}


def logs_request(logs):
    return {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [scope_group("logRecords", logs)],
                              "schemaUrl": "https://resource"}]}


def make_logs():
    bodies = [{"stringValue": "payment declined"}, {"stringValue": b"\xff not utf8"}, {"stringValue": ""},
              {"intValue": 2**63 - 1}, {"doubleValue": NAN}, {"boolValue": True}, {"bytesValue": b"\x00\x01"},
              {"arrayValue": {"values": [{"intValue": 1}, {"stringValue": "x"}]}},
              {"stringValue": "\u017ftrange \u212a"}, {"stringValue": "x" * 262144}]
    logs = [{"timeUnixNano": NOW - 100 - i, "body": body, "severityNumber": 9 + i % 16, "severityText": "Info"}
            for i, body in enumerate(bodies)]
    logs[0].update(attributes=EVERY_TYPE, droppedAttributesCount=3, flags=0x101, traceId=TRACE, spanId=SPAN,
                   eventName="device.crash", observedTimeUnixNano=NOW - 50)
    logs[1]["eventName"] = "event"
    del logs[2]["severityNumber"]
    return logs


BODY_TYPES = [b"", b"", b"", b"i", b"d", b"b", b"y", b"a2;i", b"s", b""]


def expected_log(log, body_type):
    severity = log.get("severityNumber", 0)
    return {
        "Timestamp": log["timeUnixNano"], "TimestampTime": log["timeUnixNano"] // 10**9,
        "TraceId": log.get("traceId", "").encode(), "SpanId": log.get("spanId", "").encode(),
        "TraceFlags": log.get("flags", 0) & 0xff, "SeverityText": b"Info", "SeverityNumber": severity,
        "ServiceName": b"checkout", "Body": go_text(log["body"]), "ResourceSchemaUrl": b"https://resource",
        "ResourceAttributes": pairs(RESOURCE["attributes"]), "ScopeSchemaUrl": b"https://scope",
        "ScopeName": b"lib", "ScopeVersion": b"1.2", "ScopeAttributes": [[b"s", b"1"]],
        "LogAttributes": pairs(log.get("attributes", [])), "EventName": log.get("eventName", "").encode(),
        **NAMES, "Level": (severity - 1) // 4 + 1 if severity else 0,
        "ObservedTimestamp": log.get("observedTimeUnixNano", NOW), "BodyType": body_type,
        "ScopeTypes": b"2;i", "DroppedAttributes": log.get("droppedAttributesCount", 0), "Corrected": 0,
        "AttributeTypes": b"3;" + TYPES if "attributes" in log else b"", "Flags": log.get("flags", 0),
    }


POINT_ATTRIBUTES = [{"key": "route", "value": {"stringValue": "/"}}, {"key": "code", "value": {"intValue": 200}}]
EXEMPLARS = [{"timeUnixNano": NOW - 7, "asDouble": 0.25, "traceId": TRACE, "spanId": SPAN,
              "filteredAttributes": EVERY_TYPE}, {"timeUnixNano": NOW - 6, "asInt": 3}]


def point(place, **more):
    return {"startTimeUnixNano": NOW - MINUTE, "timeUnixNano": NOW - place, "attributes": POINT_ATTRIBUTES, **more}


def make_metrics():
    """By table: the member of the metric, its more, its points."""
    buckets = dict(count=6, sum=1.5, bucketCounts=[1, 2, 3], explicitBounds=[0.1, INF], min=0.0, max=9.0)
    exponential = dict(count=9, sum=-2.5, scale=-3, zeroCount=2, zeroThreshold=0.001,
                       positive={"offset": -5, "bucketCounts": [1, 0, 3]}, negative={"offset": 7, "bucketCounts": [3]},
                       min=-8.0, max=8.0)
    return {
        "gauge": ("gauge", {}, [point(1, asDouble=0.5, exemplars=EXEMPLARS), point(2, asInt=-2**63),
                                point(3, asDouble=NAN), point(4, asDouble=-INF), point(5, flags=1)]),
        "sum": ("sum", {"aggregationTemporality": 2, "isMonotonic": 1},
                [point(1, asInt=2**63 - 1), point(2, asDouble=1e308, exemplars=EXEMPLARS)]),
        "histogram": ("histogram", {"aggregationTemporality": 1},
                      [point(1, exemplars=EXEMPLARS, **buckets), point(2, count=0)]),
        "exponential_histogram": ("exponentialHistogram", {"aggregationTemporality": 1},
                                  [point(1, exemplars=EXEMPLARS, **exponential), point(2, count=0)]),
        "summary": ("summary", {}, [point(1, count=3, sum=6.0, quantileValues=[
            {"quantile": 0.5, "value": 1.0}, {"quantile": 1.0, "value": INF}]), point(2, count=2**63)]),
    }


def metrics_request(metrics):
    made = [{"name": f"m.{table}", "description": "what", "unit": "s", member: {"dataPoints": points, **more}}
            for table, (member, more, points) in metrics.items()]
    return {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": [scope_group("metrics", made)],
                                 "schemaUrl": "https://resource"}]}


def expected_values(table, one):
    if table in ("gauge", "sum"):
        is_int = "asInt" in one
        return {"Value": float(one.get("asInt", one.get("asDouble", 0.0))), "IsInt": is_int,
                "IntValue": one.get("asInt", 0)}
    present = ("sum" in one) + 2 * ("min" in one) + 4 * ("max" in one)
    wanted = {"Count": one["count"], "Sum": one.get("sum", 0.0), "Present": present}
    if table == "summary":
        values = one.get("quantileValues", [])
        return {**wanted, "ValueAtQuantiles.Quantile": [v["quantile"] for v in values],
                "ValueAtQuantiles.Value": [v["value"] for v in values]}
    wanted.update(Min=one.get("min", 0.0), Max=one.get("max", 0.0))
    if table == "histogram":
        return {**wanted, "BucketCounts": one.get("bucketCounts", []), "ExplicitBounds": one.get("explicitBounds", [])}
    none = {"offset": 0, "bucketCounts": []}
    positive, negative = one.get("positive", none), one.get("negative", none)
    return {**wanted, "Scale": one.get("scale", 0), "ZeroCount": one.get("zeroCount", 0),
            "ZeroThreshold": one.get("zeroThreshold", 0.0),
            "PositiveOffset": positive["offset"], "PositiveBucketCounts": positive["bucketCounts"],
            "NegativeOffset": negative["offset"], "NegativeBucketCounts": negative["bucketCounts"]}


def expected_point(table, more, one):
    exemplars = one.get("exemplars", [])
    wanted = {
        "ResourceAttributes": pairs(RESOURCE["attributes"]), "ResourceSchemaUrl": b"https://resource",
        "ScopeName": b"lib", "ScopeVersion": b"1.2", "ScopeAttributes": [[b"s", b"1"]], "ScopeDroppedAttrCount": 2,
        "ScopeSchemaUrl": b"https://scope", "ServiceName": b"checkout", "MetricName": f"m.{table}".encode(),
        "MetricDescription": b"what", "MetricUnit": b"s", "Attributes": pairs(POINT_ATTRIBUTES),
        "StartTimeUnix": NOW - MINUTE, "TimeUnix": one["timeUnixNano"], "Flags": one.get("flags", 0),
        "AttributeTypes": b"si", **NAMES, **expected_values(table, one)}
    if table != "summary":
        wanted.update({
            "Exemplars.FilteredAttributes": [pairs(e.get("filteredAttributes", [])) for e in exemplars],
            "Exemplars.TimeUnix": [e["timeUnixNano"] for e in exemplars],
            "Exemplars.Value": [float(e.get("asInt", e.get("asDouble"))) for e in exemplars],
            "Exemplars.SpanId": [e.get("spanId", "0" * 16).encode() for e in exemplars],
            "Exemplars.TraceId": [e.get("traceId", "0" * 32).encode() for e in exemplars]})
    if table not in ("gauge", "summary"):
        wanted["AggregationTemporality"] = more["aggregationTemporality"]
    return wanted
