"""Bad input against the real binary: each row of the design's table of bad
input, in protobuf and in JSON, and invalid HTTP requests."""
import gzip
import json
import random
import socket
import subprocess
import time

from callboard import (NS, Client, Server, Tap, any_value, around, attributes, double, export,
                       field, find_logs, find_spans, fixed64, gauge, is_sanitized, log, logs_request,
                       metrics_request, new_folder, number, otlp_proto, proto_fields, rfc3339,
                       scope, seeded, span, spans_request, stamped, text_attr, varint)

tap = Tap()
check, same = tap.check, tap.same
rng = seeded()
MIB = 1 << 20


# ---- reading answers ----


def error_of(answer, encoding):
    """code and message of a google.rpc.Status in the given encoding."""
    if encoding == "json":
        body = json.loads(answer.body)
        return body["code"], body["message"]
    found = dict(proto_fields(answer.body))
    return found[1], found[2].decode()


def is_error(answer, encoding, status, code):
    """The whole shape of a refusal."""
    wanted = "application/json" if encoding == "json" else "application/x-protobuf"
    try:
        seen = error_of(answer, encoding)
    except (ValueError, KeyError, IndexError):
        return False
    return (answer.status == status and answer.headers["Content-Type"] == wanted
            and seen[0] == code and len(seen[1]) > 0)


def partial_of(answer, encoding, member="rejectedSpans"):
    """rejected count and message of an answer, (0, "") if it has none."""
    if encoding == "json":
        part = json.loads(answer.body).get("partialSuccess", {})
        return int(part.get(member, 0)), part.get("errorMessage", "")
    part = dict(proto_fields(dict(proto_fields(answer.body)).get(1, b"")))
    return part.get(1, 0), part.get(2, b"").decode()


REFUSED = 'requests_refused_total{reason="%s"}'


class Counted:
    """How far a counter moves inside the with statement."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def __enter__(self):
        self.before = self.server.counter(self.name)
        return self

    def __exit__(self, *_):
        self.moved = self.server.counter(self.name) - self.before


def good_request(component, count=3):
    now = time.time_ns()
    return spans_request(stamped(component), [span(rng, now - i) for i in range(count)])


def stored(server, signal_name="traces"):
    return server.counter(f'records_accepted_total{{signal="{signal_name}"}}')


def raw(port, data, seconds=10, until_close=True):
    """What comes back for exactly these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as s:
        s.sendall(data)
        out = b""
        try:
            while until_close or b"\r\n\r\n" not in out:
                piece = s.recv(65536)
                if not piece:
                    break
                out += piece
        except TimeoutError:
            pass
        return out


# ---- malformed requests ----

MALFORMED_PROTO = {
    "text": b"this is not protobuf",
    "a length that goes beyond the end": b"\x0a\x7f\x01",
    "a varint without end": b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    "a field number of zero": b"\x02\x00",
    "wire type 7": b"\x0f\x00",
    "resource_spans as a varint": number(1, 5),
    "an end of group without a beginning": b"\x0c",
    "groups inside each other without end": b"\x13" * 200000,
    "a span's name as a number": field(1, field(2, field(2, number(5, 7)))),
    "a start time as a varint": field(1, field(2, field(2, number(7, 7)))),
    "an attribute's value as fixed64": field(1, field(1, field(1, field(1, "k") + fixed64(2, 1)))),
}

MALFORMED_JSON = {
    "nothing at all": b"",
    "half an object": b'{"resourceSpans":[',
    "text behind the object": b'{"resourceSpans":[]} x',
    "an array": b"[]",
    "a string": b'"resourceSpans"',
    "a wrong type": b'{"resourceSpans":"none"}',
    "a time that is no number": b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"soon"}]}]}]}',
    "a text that does not end": b'{"resourceSpans":[{"schemaUrl":"http',
    "a control character in a text": b'{"resourceSpans":[{"schemaUrl":"a\x01b"}]}',
    "arrays inside each other without end": b'{"x":' + b"[" * 200000,
}


def test_malformed(server):
    before = stored(server)
    for name, body in MALFORMED_PROTO.items():
        with Counted(server, REFUSED % "malformed") as counter:
            answer = export(server.otlp_port, "traces", body)
        check(is_error(answer, "proto", 400, 3) and counter.moved == 1,
              f"protobuf, {name}: 400 with a Status, counted", (answer, counter.moved))
    for name, body in MALFORMED_JSON.items():
        with Counted(server, REFUSED % "malformed") as counter:
            answer = export(server.otlp_port, "traces", body, "json")
        check(is_error(answer, "json", 400, 3) and counter.moved == 1,
              f"JSON, {name}: 400 with a Status, counted", (answer, counter.moved))
    same(stored(server), before, "nothing of them was stored")


def test_truncated(server):
    """Cut anywhere, a request is refused whole or was whole already."""
    for encoding in ("proto", "json"):
        name = f"cut-{encoding}"
        body = otlp_proto("traces", good_request(name)) if encoding == "proto" \
            else json.dumps(good_request(name)).encode()
        wrong = []
        with Client(server.otlp_port) as client:
            for cut in sorted(rng.sample(range(1, len(body)), 60)):
                answer = export(None, "traces", body[:cut], encoding, client=client)
                if not is_error(answer, encoding, 400, 3):
                    wrong.append((cut, answer))
        check(not wrong, f"{encoding}, cut at 60 places: 400 each time", wrong[:3])
        listed = server.ask("/api/v1alpha1/traces/query", {**around(), "searchScope": scope(name)})
        same(listed["traces"], [], f"{encoding}: and not one span of them is stored")
    gzipped = gzip.compress(otlp_proto("traces", good_request("cut-gzip")))
    for cut in (1, 10, len(gzipped) // 2, len(gzipped) - 1):
        with Client(server.otlp_port) as client:
            answer = client.request("POST", "/v1/traces", gzipped[:cut], {
                "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"})
        check(is_error(answer, "proto", 400, 3), f"gzip cut after {cut} bytes: 400", answer)
    broken = bytearray(gzipped)
    broken[-6] ^= 1  # checksum
    with Client(server.otlp_port) as client:
        answer = client.request("POST", "/v1/traces", bytes(broken), {
            "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"})
    check(is_error(answer, "proto", 400, 3), "gzip with a wrong checksum: 400", answer)


def test_types(server):
    body = otlp_proto("traces", good_request("types"))
    with Client(server.otlp_port) as client:
        for kind in ("text/plain", "application/grpc", "application/x-protobuf2", None):
            headers = {"Content-Type": kind} if kind else {}
            with Counted(server, REFUSED % "type") as counter:
                answer = client.request("POST", "/v1/traces", body, headers)
            check(is_error(answer, "json", 415, 12) and counter.moved == 1,
                  f"Content-Type {kind}: 415, counted", answer)
        for encoding, kind in (("proto", "application/x-protobuf"), ("json", "application/json")):
            for coding in ("br", "gzip, gzip", "snappy"):
                with Counted(server, REFUSED % "type") as counter:
                    answer = client.request("POST", "/v1/traces", body, {
                        "Content-Type": kind, "Content-Encoding": coding})
                check(is_error(answer, encoding, 415, 12) and counter.moved == 1,
                      f"{encoding}, Content-Encoding {coding}: 415, counted", answer)
        answer = client.request("POST", "/v1/traces", json.dumps(good_request("types")),
                                {"Content-Type": "Application/JSON ; charset=utf-8"})
        check(answer.status == 200 and answer.headers["Content-Type"] == "application/json",
              "parameters and capitals in Content-Type are fine; the answer has the bare type",
              answer)
        answer = client.request("POST", "/v1/traces", body, {
            "Content-Type": "application/x-protobuf", "Content-Encoding": "identity"})
        check(answer.status == 200 and answer.body == b"", "Content-Encoding identity; success is empty", answer)
        for name, nothing, encoding in (("protobuf", b"", "proto"), ("JSON", b"{}", "json")):
            answer = export(None, "traces", nothing, encoding, client=client)
            same((answer.status, answer.body), (200, nothing), f"{name} without telemetry is a success")


# ---- sizes ----


def zstd_bytes(data):
    return subprocess.run(["zstd", "-1", "-c", "-q"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def test_sizes(server):
    limit = 64 * MIB
    filling = text_attr(1, "x", "a" * 1000)
    with Counted(server, REFUSED % "size") as counter:
        answer = raw(server.otlp_port,
                     b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
                     b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (limit + 1))
    check(answer.startswith(b"HTTP/1.1 413") and counter.moved == 1,
          "a client that waits for 100 Continue with too much: 413 before it sends", answer)
    bodies = {"plain": (b"\0" * (limit + 1), None)}
    zeros = field(1, field(1, filling * 1000)) * 70  # inflates to about 70 MiB
    bodies["gzip bomb"] = (gzip.compress(zeros, 6), "gzip")
    bodies["zeros in gzip"] = (gzip.compress(b"\0" * (limit + MIB), 1), "gzip")
    bodies["zstd bomb"] = (zstd_bytes(zeros), "zstd")
    for encoding, kind, code in (("proto", "application/x-protobuf", 3), ("json", "application/json", 3)):
        for name, (body, coding) in bodies.items():
            if encoding == "json" and name != "gzip bomb":
                continue
            headers = {"Content-Type": kind}
            if coding:
                headers["Content-Encoding"] = coding
            with Counted(server, REFUSED % "size") as counter, Client(server.otlp_port) as client:
                answer = client.request("POST", "/v1/traces", body, headers)
            check(is_error(answer, encoding, 413, code) and counter.moved == 1,
                  f"{encoding}, {name} of {len(body)} bytes: 413, counted",
                  (answer.status, answer.headers.items(), answer.body[:100]))
    big = otlp_proto("logs", logs_request(stamped("sizes"), [log(time.time_ns(), "x" * 200000)])) * 250
    for coding, body in (("gzip", gzip.compress(big, 1)), ("zstd", zstd_bytes(big))):
        with Client(server.otlp_port) as client:
            answer = client.request("POST", "/v1/logs", body, {
                "Content-Type": "application/x-protobuf", "Content-Encoding": coding})
        same(answer.status, 200, f"{len(big) // MIB} MiB in {coding} of {len(body)} bytes are accepted")


# ---- records that are invalid one by one ----


def test_partial(server):
    now = time.time_ns()
    bad = {
        "a trace id of zeros": {"traceId": "00" * 16},
        "a trace id of 8 bytes": {"traceId": "ab" * 8},
        "a trace id that is not hex": {"traceId": "xyz"},
        "a span id of zeros": {"spanId": "00" * 8},
        "no span id": {"spanId": ""},
        "a parent id of 4 bytes": {"parentSpanId": "ab" * 4},
    }
    for encoding in ("proto", "json"):
        for name, change in bad.items():
            if encoding == "proto" and change.get("traceId") == "xyz":
                continue  # there is no such thing in protobuf
            component = f"partial-{encoding}"
            good = [span(rng, now), span(rng, now)]
            request = spans_request(stamped(component), [good[0], {**span(rng, now), **change}, good[1]])
            with Counted(server, 'records_rejected_total{signal="traces"}') as counter:
                answer = server.send("traces", request, encoding)
            rejected, why = partial_of(answer, encoding)
            check((answer.status, rejected, counter.moved) == (200, 1, 1) and "1 of 3 spans" in why,
                  f"{encoding}, {name}: 200, one rejected, with the reason", answer)
            there = [find_spans(server, component, s["traceId"])["total"] for s in good]
            same(there, [1, 1], f"{encoding}, {name}: the other two are stored")
    every = spans_request(stamped("partial"), [{**span(rng, now), "spanId": ""}] * 4)
    answer = server.send("traces", every, "json")
    same((answer.status, partial_of(answer, "json")[0]), (200, 4), "all four of four rejected: 200 still")
    # a histogram with more bounds than buckets, next to a good point
    wrong = {"name": "app.work", "histogram": {"aggregationTemporality": 2, "dataPoints": [
        {"timeUnixNano": str(now), "count": "3", "sum": 1.0, "bucketCounts": ["1", "2"],
         "explicitBounds": [1.0, 2.0, 3.0]}]}}
    for encoding in ("proto", "json"):
        request = metrics_request(stamped("partial"), [gauge("app.level", now, 1.5), wrong])
        answer = server.send("metrics", request, encoding)
        rejected, why = partial_of(answer, encoding, "rejectedDataPoints")
        check((answer.status, rejected) == (200, 1) and "1 of 2 data points" in why,
              f"{encoding}: a histogram whose buckets do not fit: 200, one rejected", answer)
    # ids of a log record that cannot be: the record stays, without them
    for encoding in ("proto", "json"):
        request = logs_request(stamped(f"ids-{encoding}"), [
            log(now, "short ids", traceId="abcd", spanId="12"),
            log(now + 1, "zero ids", traceId="00" * 16, spanId="00" * 8)])
        answer = server.send("logs", request, encoding)
        found = find_logs(server, f"ids-{encoding}")["logs"]
        check(answer.status == 200 and partial_of(answer, encoding) == (0, "")
              and [e["log"] for e in found] == ["short ids", "zero ids"]
              and not any("traceId" in e for e in found),
              f"{encoding}: log records with bad ids are kept without them", (answer, found))


# ---- times ----


def test_times(server):
    year = 365 * 24 * 3600 * NS
    for encoding in ("proto", "json"):
        component = f"times-{encoding}"
        now = time.time_ns()
        observed = now - 60 * NS
        records = [log(0, "zero"), log(0, "zero, observed", observedTimeUnixNano=str(observed)),
                   log(now + 10 * year, "future"),
                   log((1 << 64) - 1, "end of time, observed", observedTimeUnixNano=str(observed)),
                   log(now + 1800 * NS, "half an hour ahead"), log(now, "now")]
        with Counted(server, "records_timestamp_corrected_total") as counter:
            answer = server.send("logs", logs_request(stamped(component), records), encoding)
        same((answer.status, counter.moved), (200, 4), f"{encoding}: four impossible times are accepted, counted")
        found = {e["log"]: e["timestamp"] for e in find_logs(server, component)["logs"]}
        same(len(found), 6, f"{encoding}: all six are there")
        same([found.get("zero, observed", "")[:19], found.get("end of time, observed", "")[:19]],
             [rfc3339(observed)[:19]] * 2, f"{encoding}: at their observed time where they have one")
        arrived = [found.get("zero", ""), found.get("future", "")]
        check(all(rfc3339(now)[:19] <= t <= rfc3339(time.time_ns() + NS) for t in arrived),
              f"{encoding}: else at the time of arrival", found)
        same(found.get("half an hour ahead", "")[:19], rfc3339(now + 1800 * NS)[:19],
             f"{encoding}: half an hour ahead is believed")
        odd = [span(rng, now), span(rng, now + 10 * year), span(rng, now)]
        odd[0].update(startTimeUnixNano="0", endTimeUnixNano="0")
        odd[2].update(endTimeUnixNano=str((1 << 64) - 1))
        with Counted(server, "records_timestamp_corrected_total") as counter:
            answer = server.send("traces", spans_request(stamped(component), odd), encoding)
        there = [find_spans(server, component, s["traceId"])["spans"] for s in odd]
        check(answer.status == 200 and counter.moved == 3 and all(len(s) == 1 for s in there)
              and all(rfc3339(now - NS) <= s[0]["startTime"] and s[0]["endTime"] <= rfc3339(now + 60 * NS)
                      for s in there),
              f"{encoding}: spans at 0, in ten years and without end are stored at the time of arrival",
              (answer, counter.moved, there))
        with Counted(server, "spans_end_before_start_total") as counter:
            early = span(rng, now, duration_ns=-5 * NS)
            answer = server.send("traces", spans_request(stamped(component), [early]), encoding)
        there = find_spans(server, component, early["traceId"])["spans"]
        check((answer.status, partial_of(answer, encoding), counter.moved) == (200, (0, ""), 1)
              and [(s["durationNs"], s.get("endBeforeStart")) for s in there] == [(0, True)],
              f"{encoding}: a span that ends before it starts is stored with the duration 0, flagged, counted",
              (answer, counter.moved, there))
        with Counted(server, "records_timestamp_corrected_total") as counter:
            answer = server.send("metrics", metrics_request(stamped(component), [
                gauge("container.memory.usage", 0, 7.0), gauge("app.x", now + 10 * year, 1.0)]), encoding)
        seen = server.ask("/api/v1/metrics/query", {**around(minutes=5), "metric": "resource", "step": "1m",
                                                    "searchScope": scope(component)})["memoryUsage"]
        check(answer.status == 200 and counter.moved == 2 and seen and abs(seen[-1]["value"] - 7) < 1e-6,
              f"{encoding}: points as well", (answer, counter.moved, seen))


def test_old(server):
    """With a retention of one hour; spans count by their end."""
    now = time.time_ns()
    old = now - 2 * 3600 * NS
    for encoding in ("proto", "json"):
        spans = [span(rng, old), span(rng, now), span(rng, old, duration_ns=2 * 3600 * NS)]
        with Counted(server, "records_rejected_old_total") as counter:
            answer = server.send("traces", spans_request(stamped("old"), spans), encoding)
        rejected, why = partial_of(answer, encoding)
        check((answer.status, rejected, counter.moved) == (200, 1, 1) and "retention" in why,
              f"{encoding}: a span older than the retention: 200, one rejected, counted", answer)
        there = [find_spans(server, "old", s["traceId"])["total"] for s in spans]
        same(there, [0, 1, 1], f"{encoding}: the ones that ended later are stored")
    long_ago = now - 20 * 365 * 24 * 3600 * NS
    answer = server.send("logs", logs_request(stamped("old"), [log(long_ago, "back-fill")]))
    found = find_logs(server, "old", **around(long_ago))["logs"]
    check(answer.status == 200 and partial_of(answer, "proto") == (0, "") and len(found) == 1,
          "logs have no retention here: a record of 20 years ago is welcome", (answer, found))


# ---- attributes ----


def test_attributes(server):
    now = time.time_ns()
    with Counted(server, "attributes_truncated_total") as counter:
        answer = server.send("traces", spans_request(
            stamped("many"), [{**span(rng, now, trace_id="11" * 16), "attributes": attributes(
                {f"key-{i}": i for i in range(10000)})}]))
    found = find_spans(server, "many", "11" * 16, includeAttributes=True)["spans"]
    check(answer.status == 200 and counter.moved == 10000 - 256
          and len(found) == 1 and found[0]["attributes"] == {f"key-{i}": i for i in range(256)},
          "10,000 attributes: the first 256 are kept, the rest counted", (answer, counter.moved))
    answer = server.send("logs", logs_request(
        {**stamped("many"), **{f"r-{i}": "x" * 50 for i in range(10000)}}, [log(now, "many in the resource")]))
    same((answer.status, find_logs(server, "many")["total"]), (200, 1), "10,000 attributes of a resource")

    huge = "ä" * 500_000
    with Counted(server, "attributes_truncated_total") as counter:
        answer = server.send("logs", logs_request(stamped("huge"), [
            {**log(now, huge), "attributes": attributes({"big": huge, "k" * 100_000: "long key"})}]), "json")
    entry = find_logs(server, "huge", includeAttributes=True)["logs"][0]
    kept = entry["attributes"].get("big", "")
    check(answer.status == 200 and counter.moved == 3 and set(kept) == {"ä"}
          and 65000 < len(kept.encode()) <= 65536 and 262000 < len(entry["log"].encode()) <= 262144
          and all(len(k) <= 256 for k in entry["attributes"]),
          "a megabyte as value, body, key: cut between two characters, counted",
          (answer, counter.moved, len(kept.encode()), len(entry["log"].encode()), list(map(len, entry["attributes"]))))

    def nested(depth):
        value = {"stringValue": "core"}
        for i in range(depth):
            value = {"arrayValue": {"values": [value]}} if i % 2 else {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
        return value

    for encoding in ("proto", "json"):
        with Counted(server, "attributes_truncated_total") as counter:
            answer = server.send("logs", logs_request(stamped(f"deep-{encoding}"), [
                {**log(now, "deep"), "attributes": [{"key": "d", "value": nested(100)}]}]), encoding)
        found = find_logs(server, f"deep-{encoding}", includeAttributes=True)["logs"]
        check(answer.status == 200 and counter.moved >= 1 and len(found) == 1,
              f"{encoding}: a value 100 deep is cut, counted", (answer, counter.moved, found))
    value = b""
    for _ in range(10_000):
        value = field(5, field(1, value))
    answer = export(server.otlp_port, "logs", field(1, field(2, field(2, fixed64(1, now) + field(5, value)))))
    check(answer.status in (200, 400) and server.running(), "protobuf: a body 10,000 deep", answer)
    deep = b'{"arrayValue":{"values":[' * 10_000 + b"]}}" * 10_000
    answer = export(server.otlp_port, "logs",
                    b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + deep + b"}]}]}]}", "json")
    check(answer.status in (200, 400) and server.running(), "JSON: a body 10,000 deep", answer)

    def bad_text(component, data):
        resource = field(1, b"".join(text_attr(1, k, v) for k, v in stamped(component).items()))
        record = fixed64(1, now) + field(5, field(1, data)) + field(6, field(1, b"k\xff") + field(2, field(1, data)))
        return field(1, resource + field(2, field(2, record)))

    for name, data in (("half a character", b"ab\xc3"), ("a byte that never is", b"a\xffb"),
                       ("a surrogate", b"\xed\xa0\x80"), ("an overlong form", b"\xc0\xaf"), ("NUL", b"a\0b")):
        component = "text-" + name.replace(" ", "-")
        answer = export(server.otlp_port, "logs", bad_text(component, data))
        asked = server.query("/api/v1/logs/query", {**around(), "searchScope": scope(component), "includeAttributes": True})
        try:
            entries = json.loads(asked.body.decode())["logs"]
        except (ValueError, KeyError):
            entries = []
        check(answer.status == 200 and asked.status == 200 and len(entries) == 1,
              f"text with {name}: stored, and the answer is proper UTF-8", (answer, asked))


# ---- questions ----


def test_questions(server):
    base = {**around(), "searchScope": scope("web")}
    paths = {"logs": "/api/v1/logs/query", "events": "/api/v1/events/query",
             "traces": "/api/v1alpha1/traces/query", "metrics": "/api/v1/metrics/query",
             "topology": "/api/v1alpha1/metrics/runtime-topology",
             "spans": "/api/v1alpha1/traces/" + "ab" * 16 + "/spans/query"}
    everywhere = [("startTime", "yesterday"), ("startTime", 7), ("startTime", None), ("endTime", "2026-13-01T00:00:00Z"),
                  ("endTime", "2020-01-01T00:00:00Z"), ("startTime", "2020-01-01T00:00:00Z"),
                  ("searchScope", None), ("searchScope", "acme"), ("searchScope.namespace", ""),
                  ("searchScope.namespace", 3), ("searchScope.project", ""), ("searchScope.environment", ["a"])]
    pages = [("limit", -1), ("limit", 1001), ("limit", "ten"), ("limit", 1.5), ("sortOrder", "up"), ("sortOrder", 1)]
    special = {
        "logs": pages + [("logLevels", ["LOUD"]), ("logLevels", "ERROR"), ("searchPhrase", 1), ("traceId", "xy"),
                         ("spanId", "ab"), ("searchWords", [1]), ("attributes", []), ("attributes", {"k": {}}),
                         ("includeAttributes", "yes")],
        "events": pages,
        "traces": pages + [("limit", 0), ("minDuration", "long"), ("errorsOnly", 1), ("operation", 5)],
        "spans": [(k, v) for k, v in pages if v != 1001] + [("limit", 0), ("limit", 10001), ("includeAttributes", 1)],
        "metrics": [("metric", "disk"), ("metric", None), ("step", "0s"), ("step", "often"), ("step", "1us")],
        "topology": [("includeGateways", "yes"), ("includeExternal", 2), ("perEndpoint", "all"), ("includeQueueCalls", 1), ("searchScope.environment", "")],
    }
    for area, path in paths.items():
        wrong = []
        for name, value in everywhere + special[area]:
            body = json.loads(json.dumps({**base, "metric": "http"} if area == "metrics" else base))
            *outer, last = name.split(".")
            (body[outer[0]] if outer else body)[last] = value
            answer = server.query(path, body)
            try:
                said = json.loads(answer.body)
                good = (answer.status == 400 and said["title"] == "badRequest" and last in said["message"]
                        and said["errorCode"] == ("OBS-V1-T-06" if area in ("traces", "spans") else ""))
            except (ValueError, KeyError):
                good = False
            if not good:
                wrong.append((name, value, answer.status, answer.body))
        check(not wrong, f"{area}: {len(everywhere + special[area])} bad fields, 400 each, that names the field", wrong)
        for body in ("", "{", "[]", "null", '"x"', b"\xff\xfe", "{} {}", "[" * 100_000):
            answer = server.query(path, body)
            if answer.status not in (400, 413):
                check(False, f"{area}: a body that is no object", (body[:20], answer))
        same(server.query(path, base, headers={"Content-Type": "text/plain"}).status, 400, f"{area}: JSON is what is asked for")
    for path in ("/api/v1/components?startTime=x", "/api/v1/components?component=a",
                 "/api/v1/components/acme/shop/web?startTime=x", "/api/v1/components/acme/shop/web?step=x",
                 "/api/v1/components/acme/shop/web?step=0s"):
        answer = server.query(path)
        named = path.split("?")[1].split("=")[0].replace("component", "project")
        check(answer.status == 400 and named in json.loads(answer.body)["message"], f"{path}: 400 that names it", answer)
    for path, method, status in (("/api/v1/nothing", None, 404), ("/api/v1/logs/query", "GET", 405),
                                 ("/api/v1/logs/query", "DELETE", 405), ("/health", "POST", 405),
                                 ("/api/v1alpha1/traces/xyz/spans/query", "POST", 400),
                                 ("/api/v1alpha1/traces/" + "ab" * 16 + "/spans/zz", "GET", 400),
                                 ("/api/v1alpha1/traces/" + "ab" * 16 + "/spans/" + "cd" * 8, "GET", 404)):
        answer = server.query(path, base if method == "POST" else None, method)
        same(answer.status, status, f"{method or 'GET'} {path}: {status}")
    answer = server.query("/api/v1/logs/query", b"x" * (3 * MIB))
    same(answer.status, 413, "a question of 3 MiB: 413")


def test_no_data():
    server = Server(new_folder())
    base = {**around(), "searchScope": scope("nobody")}
    trace = "/api/v1alpha1/traces/" + "ab" * 16
    lists = {"/api/v1/logs/query": ["logs"], "/api/v1/events/query": ["events"], "/api/v1alpha1/traces/query": ["traces"],
             trace + "/spans/query": ["spans"], "/api/v1alpha1/metrics/runtime-topology": ["nodes", "edges"]}
    for path, names in lists.items():
        answer = server.ask(path, base)
        same([answer[n] for n in names], [[]] * len(names), f"{path} without data: 200 and empty lists")
    for metric, names in (("resource", ["cpuUsage", "memoryUsage", "networkReceiveBytes", "diskReadBytes"]),
                          ("http", ["requestCount", "successfulRequestCount", "meanLatency", "latencyP99"])):
        answer = server.ask("/api/v1/metrics/query", {**base, "metric": metric})
        same([answer[n] for n in names], [[]] * len(names), f"{metric} metrics without data: empty lists")
    same(server.ask("/api/v1/components")["components"], [], "components without data")
    page = server.ask("/api/v1/components/acme/shop/nobody?environment=test")
    check(page["endpoints"] == [] and page["callers"] == [] and page["callees"] == [], "the page of a component nobody knows", page)
    same(server.health()[0], 200, "/health is well")
    same(server.stop(), 0, "it stops with status 0")


# ---- HTTP ----


def test_http(server):
    body = otlp_proto("traces", good_request("http"))
    head = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
    with socket.create_connection(("127.0.0.1", server.otlp_port), timeout=10) as s:
        s.sendall(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        first = s.recv(1000)
        s.sendall(body)
        second = s.recv(1000)
        check(first.startswith(b"HTTP/1.1 100") and second.startswith(b"HTTP/1.1 200"),
              "Expect: 100-continue is answered, then the request", (first, second))
        pieces = [body[i:i + 7] for i in range(0, len(body), 7)]
        s.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            s.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        s.sendall(b"0\r\n\r\n")
        check(s.recv(1000).startswith(b"HTTP/1.1 200"), "the same connection takes a chunked body, 7 bytes at a time")
        slowly = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
        for at in range(0, len(slowly), 64):
            s.sendall(slowly[at:at + 64])
            time.sleep(0.001)
        check(s.recv(1000).startswith(b"HTTP/1.1 200"), "and one that comes in dribs and drabs")
        s.sendall((head + b"Content-Length: %d\r\n\r\n" % len(body) + body) * 5)
        got = b""
        while got.count(b"HTTP/1.1 200") < 5:
            piece = s.recv(10000)
            if not piece:
                break
            got += piece
        same(got.count(b"HTTP/1.1 200"), 5, "and five requests at once (pipelining)")
    before = stored(server)
    with Client(server.otlp_port) as client:
        answers = [export(None, "traces", otlp_proto("traces", good_request("http")), client=client).status for _ in range(50)]
    same((answers, stored(server) - before), ([200] * 50, 150), "fifty requests over one connection, all counted")
    with Client(server.otlp_port) as client:
        for method, path, status in (("GET", "/v1/traces", 405), ("PUT", "/v1/logs", 405), ("DELETE", "/v1/metrics", 405),
                                     ("POST", "/v1/profiles", 404), ("POST", "/", 404), ("GET", "/x", 404),
                                     ("POST", "/v1/traces/", 404)):
            answer = client.request(method, path, body if method != "GET" else None,
                                    {"Content-Type": "application/x-protobuf"})
            check(answer.status == status and (status == 404 or answer.headers["Allow"] == "POST")
                  and is_error(answer, "proto", status, 5 if status == 404 else 12), f"{method} {path}: {status}", answer)
    # a chunked body that never ends, and clients that go away in the middle
    with socket.create_connection(("127.0.0.1", server.otlp_port), timeout=20) as s:
        s.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        piece = b"100000\r\n" + b"\0" * MIB + b"\r\n"
        sent = 0
        try:
            while sent < 400:
                s.sendall(piece)
                sent += 1
            ended = s.recv(1000)
        except OSError:
            ended = b"closed"
        check(sent < 400, "a chunked body without end is cut off", (sent, ended))
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", server.otlp_port)) as s:
            s.sendall(head + b"Content-Length: 100000\r\n\r\n" + body[:rng.randrange(len(body))])
    before = stored(server)
    same((export(server.otlp_port, "traces", otlp_proto("traces", good_request("http"))).status, stored(server) - before), (200, 3),
         "after 50 clients that went away, a good request is stored")
    for name, data in (("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)),
                       ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                       ("a negative length", head + b"Content-Length: -5\r\n\r\n"),
                       ("a length that is no number", head + b"Content-Length: many\r\n\r\n"),
                       ("two lengths that differ", head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhellos"),
                       ("a head of 1 MiB", head + b"X-Long: " + b"a" * MIB + b"\r\n\r\n"),
                       ("a chunk size that is no number", head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")):
        try:
            got = raw(server.otlp_port, data, 2)
        except OSError:
            got = b""
        check(not got.startswith(b"HTTP/1.1 2") and not got.startswith(b"HTTP/1.1 5") or b" 505 " in got[:20] or b" 501 " in got[:20],
              f"{name}: refused or closed", got[:200])
    same(export(server.otlp_port, "traces", body).status, 200, "and a good request is still taken")


def test_mutations(server):
    """Altered requests: any answer is fine as long as it is one."""
    base = [(s, e, (otlp_proto(s, r) if e == "proto" else json.dumps(r).encode()))
            for s, r in (("traces", good_request("mutant")),
                         ("logs", logs_request(stamped("mutant"), [log(time.time_ns(), "a line")])),
                         ("metrics", metrics_request(stamped("mutant"), [gauge("container.cpu.usage", time.time_ns(), 1.0)])))
            for e in ("proto", "json")]
    seen = {}
    with Client(server.otlp_port) as client:
        for _ in range(1500):
            signal_name, encoding, body = rng.choice(base)
            body = bytearray(body)
            for _ in range(rng.randrange(1, 5)):
                at = rng.randrange(len(body))
                kind = rng.randrange(3)
                if kind == 0:
                    body[at] = rng.randrange(256)
                elif kind == 1:
                    del body[at:at + rng.randrange(1, 20)]
                else:
                    body[at:at] = rng.randbytes(rng.randrange(1, 20))
                body = body or bytearray(b"x")
            status = export(None, signal_name, bytes(body), encoding, client=client).status
            seen[status] = seen.get(status, 0) + 1
    check(set(seen) <= {200, 400}, f"1500 altered requests: 200 or 400 {seen}", seen)
    answers = [server.query(p, {**around(), "searchScope": scope("mutant"), **more}).status for p, more in
               (("/api/v1/logs/query", {}), ("/api/v1alpha1/traces/query", {}), ("/api/v1/metrics/query", {"metric": "resource"}),
                ("/api/v1alpha1/metrics/runtime-topology", {}))]
    same(answers, [200] * 4, "and what was stored of them can be asked for")


def main():
    folder = new_folder()
    server = Server(folder, "--retention-traces", "1h")
    for test in (test_malformed, test_truncated, test_types, test_sizes, test_partial, test_times, test_old,
                 test_attributes, test_questions, test_http, test_mutations):
        began = time.monotonic()
        try:
            test(server)
        except Exception as error:  # the next ones are worth a try
            check(False, f"{test.__name__} ended early", f"{type(error).__name__}: {error}")
            if not server.running():
                print(server.log())
                server = Server(folder, "--retention-traces", "1h")
        print(f"# {test.__name__}: {time.monotonic() - began:.1f} s")
    check(server.memory() < 256 * MIB or is_sanitized(), "all this within the memory limit", server.memory())
    records = find_logs(server, "times-proto")["total"]
    same(server.stop(), 0, "SIGTERM ends it with status 0")
    check("level=error" not in server.log(), "nothing in its log is an error", server.log()[-1500:])
    server = Server(folder, "--retention-traces", "1h")
    same(find_logs(server, "times-proto")["total"], records, "what it took is there after a restart")
    same(server.stop(), 0, "and it ends again with status 0")
    test_no_data()
    tap.end()


main()
