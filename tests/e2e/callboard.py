"""What the end-to-end tests share: the real binary as a child, a client for
its two ports, OTLP requests, and TAP.

An OTLP request is written once, as the dictionary that OTLP/JSON has for it;
otlp_json() and otlp_proto() turn it into bytes. Tests that must send fast put
the bytes together with message() and friends.
"""
import atexit
import collections
import gzip
import http.client
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

NS = 1_000_000_000

# ---- results ----


class Tap:
    """Prints a line for each thing tested."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, good, name, seen=None):
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good:
            self.failed += 1
            if seen is not None:
                text = seen if isinstance(seen, str) else repr(seen)
                print("# saw: " + text[:2000].replace("\n", "\n# "), flush=True)
        return bool(good)

    def same(self, seen, wanted, name):
        return self.check(seen == wanted, name, f"{seen!r}, wanted {wanted!r}")

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}", flush=True)

    def end(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def seeded():
    """The generator of this run; SEED repeats one."""
    seed = int(os.environ.get("SEED", "1"))
    print(f"# SEED={seed}", flush=True)
    return random.Random(seed)


# ---- the server ----


def is_sanitized():
    """A build with a sanitizer takes memory of its own: no ceiling there."""
    with open(os.environ["CALLBOARD"], "rb") as file:
        data = file.read()
    return b"__asan_init" in data or b"__tsan_init" in data


_children = []
_folders = []


def _clean_up():
    for child in _children:
        if child.poll() is None:
            child.kill()
            child.wait()
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)


def _terminated(_signal, _frame):
    sys.exit(1)


atexit.register(_clean_up)
signal.signal(signal.SIGTERM, _terminated)  # the runner's timeout


def new_folder():
    folder = tempfile.mkdtemp(prefix="callboard-e2e-")
    _folders.append(folder)
    return folder


class DidNotStart(Exception):
    def __init__(self, code, log):
        super().__init__(f"callboard ended with {code}: {log[-2000:]}")
        self.code = code
        self.log = log


class Server:
    """One run of the binary on a data directory, with ports of its choice."""

    def __init__(self, folder, *options, wait=True, limits=None):
        self.folder = folder
        self.log_path = tempfile.mktemp(prefix="log-", dir=_log_folder())
        command = [os.environ["CALLBOARD"], "serve", "--data-dir", folder]
        if "--otlp-http" not in options:
            command += ["--otlp-http", "127.0.0.1:0"]
        if "--otlp-grpc" not in options:
            command += ["--otlp-grpc", "127.0.0.1:0"]
        if "--query" not in options:
            command += ["--query", "127.0.0.1:0"]
        with open(self.log_path, "wb") as log:
            self.child = subprocess.Popen(
                command + list(options), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, preexec_fn=limits)
        _children.append(self.child)
        self.pid = self.child.pid
        self.otlp_port = self.query_port = self.grpc_port = 0
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=120):
        until = time.monotonic() + seconds
        while True:
            code = self.child.poll()
            ready = re.search(
                r"otlp_port=(\d+) query_port=(\d+)(?: grpc_port=(\d+))?",
                self.log())
            if ready:
                self.otlp_port, self.query_port, self.grpc_port = (
                    int(port or 0) for port in ready.groups())
                if engine := second_engine():
                    engine.wait_taking(self.otlp_port)
                return self
            if code is not None:
                raise DidNotStart(code, self.log())
            if time.monotonic() > until:
                self.kill()
                raise DidNotStart(None, "not ready in time\n" + self.log())
            time.sleep(0.002)

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def running(self):
        return self.child.poll() is None

    def kill(self):
        self.child.kill()
        self.child.wait()

    def stop(self, seconds=120):
        """SIGTERM; the exit status, None if it had to be killed."""
        if self.child.poll() is None:
            self.child.terminate()
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def memory(self, row="VmHWM"):
        """Bytes, from /proc: VmHWM is the most it ever had."""
        with open(f"/proc/{self.pid}/status") as file:
            found = re.search(row + r":\s+(\d+) kB", file.read())
        return int(found.group(1)) * 1024 if found else 0

    # -- its ports

    def send(self, signal_name, request, encoding="proto", **more):
        """Exports a request given as a dictionary, over a new connection."""
        return export(self.otlp_port, signal_name, request, encoding, **more)

    def ask(self, path, body=None, method=None):
        """The parsed answer of the query API; raises unless it is 200."""
        answer = self.query(path, body, method)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.status} {answer.body!r}")
        return json.loads(answer.body)

    def query(self, path, body=None, method=None, headers=None):
        with Client(self.query_port) as client:
            given = {"Content-Type": "application/json"}
            given.update(headers or {})
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            return client.request(
                method or ("GET" if body is None else "POST"), path, body, given)

    def counters(self):
        """Our own counters: name with labels -> number."""
        text = self.query("/metrics").body.decode()
        found = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                found[name.removeprefix("callboard_")] = float(value)
        return found

    def counter(self, name):
        return self.counters()[name]

    def health(self):
        answer = self.query("/health")
        return answer.status, json.loads(answer.body)


def _log_folder():
    if not hasattr(_log_folder, "folder"):
        _log_folder.folder = new_folder()
    return _log_folder.folder


# ---- HTTP ----

Answer = collections.namedtuple("Answer", "status headers body")


class Client:
    """A connection that is kept."""

    def __init__(self, port, timeout=120):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        self.http.request(method, path, body, headers or {})
        answer = self.http.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def close(self):
        self.http.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


TYPES = {"proto": "application/x-protobuf", "json": "application/json"}


def export(port, signal_name, request, encoding="proto", compress=None, client=None):
    """POSTs a request (dictionary, or bytes as they are)."""
    headers = {"Content-Type": TYPES[encoding]}
    if not isinstance(request, bytes):
        encode = otlp_json if encoding == "json" else otlp_proto
        request = encode(signal_name, request)
    if compress == "gzip":
        request = gzip.compress(request, 1)
        headers["Content-Encoding"] = "gzip"
    if client:
        answer = client.request("POST", f"/v1/{signal_name}", request, headers)
    else:
        with Client(port) as one:
            answer = one.request("POST", f"/v1/{signal_name}", request, headers)
    settle()
    return answer


def second_engine():
    """tests/clickhouse/engine.py while the test runs on it, or None."""
    if "SECOND_ENGINE" not in os.environ:
        return None
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clickhouse")
    if folder not in sys.path:
        sys.path.append(folder)
    import engine
    return engine


def settle():
    """What was acknowledged is found by queries at once; on the second engine
    when it is stored, for which this waits."""
    if engine := second_engine():
        engine.settle()


# ---- protobuf ----


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, data):
    """A length-delimited field: text, bytes or a message."""
    if isinstance(data, str):
        data = data.encode()
    return varint(number << 3 | 2) + varint(len(data)) + data


def number(number_, value):
    return varint(number_ << 3) + varint(value)


def fixed64(number_, value):
    return varint(number_ << 3 | 1) + struct.pack("<Q", value)


def sfixed64(number_, value):
    return varint(number_ << 3 | 1) + struct.pack("<q", value)


def fixed32(number_, value):
    return varint(number_ << 3 | 5) + struct.pack("<I", value)


def double(number_, value):
    return varint(number_ << 3 | 1) + struct.pack("<d", value)


def text_attr(field_number, key, value):
    """A KeyValue with a string, as a field of its owner."""
    return field(field_number, field(1, key) + field(2, field(1, value)))


# name in JSON -> number, kind; a kind in capitals is a message, [..] repeated
_MESSAGES = {
    "traces": {"resourceSpans": (1, ["RESOURCE_SPANS"])},
    "logs": {"resourceLogs": (1, ["RESOURCE_LOGS"])},
    "metrics": {"resourceMetrics": (1, ["RESOURCE_METRICS"])},
    "RESOURCE_SPANS": {"resource": (1, "RESOURCE"), "scopeSpans": (2, ["SCOPE_SPANS"]),
                       "schemaUrl": (3, "text")},
    "RESOURCE_LOGS": {"resource": (1, "RESOURCE"), "scopeLogs": (2, ["SCOPE_LOGS"]),
                      "schemaUrl": (3, "text")},
    "RESOURCE_METRICS": {"resource": (1, "RESOURCE"), "scopeMetrics": (2, ["SCOPE_METRICS"]),
                         "schemaUrl": (3, "text")},
    "RESOURCE": {"attributes": (1, ["KEY_VALUE"])},
    "SCOPE": {"name": (1, "text"), "version": (2, "text"), "attributes": (3, ["KEY_VALUE"]),
              "droppedAttributesCount": (4, "varint")},
    "SCOPE_SPANS": {"scope": (1, "SCOPE"), "spans": (2, ["SPAN"]), "schemaUrl": (3, "text")},
    "SCOPE_LOGS": {"scope": (1, "SCOPE"), "logRecords": (2, ["LOG"]), "schemaUrl": (3, "text")},
    "SCOPE_METRICS": {"scope": (1, "SCOPE"), "metrics": (2, ["METRIC"]), "schemaUrl": (3, "text")},
    "KEY_VALUE": {"key": (1, "text"), "value": (2, "ANY")},
    "ANY": {"stringValue": (1, "text"), "boolValue": (2, "varint"), "intValue": (3, "varint"),
            "doubleValue": (4, "double"), "arrayValue": (5, "ARRAY"), "kvlistValue": (6, "LIST"),
            "bytesValue": (7, "text")},
    "ARRAY": {"values": (1, ["ANY"])},
    "LIST": {"values": (1, ["KEY_VALUE"])},
    "SPAN": {"traceId": (1, "hex"), "spanId": (2, "hex"), "parentSpanId": (4, "hex"),
             "traceState": (3, "text"), "name": (5, "text"), "kind": (6, "varint"),
             "startTimeUnixNano": (7, "fixed64"), "endTimeUnixNano": (8, "fixed64"),
             "attributes": (9, ["KEY_VALUE"]), "droppedAttributesCount": (10, "varint"),
             "events": (11, ["EVENT"]), "droppedEventsCount": (12, "varint"), "links": (13, ["LINK"]),
             "droppedLinksCount": (14, "varint"), "status": (15, "STATUS"), "flags": (16, "fixed32")},
    "EVENT": {"timeUnixNano": (1, "fixed64"), "name": (2, "text"), "attributes": (3, ["KEY_VALUE"]),
              "droppedAttributesCount": (4, "varint")},
    "LINK": {"traceId": (1, "hex"), "spanId": (2, "hex"), "traceState": (3, "text"),
             "attributes": (4, ["KEY_VALUE"]), "droppedAttributesCount": (5, "varint"), "flags": (6, "fixed32")},
    "STATUS": {"message": (2, "text"), "code": (3, "varint")},
    "LOG": {"timeUnixNano": (1, "fixed64"), "severityNumber": (2, "varint"),
            "severityText": (3, "text"), "body": (5, "ANY"), "attributes": (6, ["KEY_VALUE"]),
            "droppedAttributesCount": (7, "varint"), "flags": (8, "fixed32"),
            "traceId": (9, "hex"), "spanId": (10, "hex"), "observedTimeUnixNano": (11, "fixed64"),
            "eventName": (12, "text")},
    "METRIC": {"name": (1, "text"), "description": (2, "text"), "unit": (3, "text"), "gauge": (5, "GAUGE"),
               "sum": (7, "SUM"), "histogram": (9, "HISTOGRAM"), "exponentialHistogram": (10, "EXP_HISTOGRAM"),
               "summary": (11, "SUMMARY")},
    "GAUGE": {"dataPoints": (1, ["POINT"])},
    "SUM": {"dataPoints": (1, ["POINT"]), "aggregationTemporality": (2, "varint"),
            "isMonotonic": (3, "varint")},
    "HISTOGRAM": {"dataPoints": (1, ["BUCKETS"]), "aggregationTemporality": (2, "varint")},
    "EXP_HISTOGRAM": {"dataPoints": (1, ["EXP_BUCKETS"]), "aggregationTemporality": (2, "varint")},
    "SUMMARY": {"dataPoints": (1, ["QUANTILES"])},
    "POINT": {"startTimeUnixNano": (2, "fixed64"), "timeUnixNano": (3, "fixed64"),
              "asDouble": (4, "double"), "exemplars": (5, ["EXEMPLAR"]), "asInt": (6, "sfixed64"),
              "attributes": (7, ["KEY_VALUE"]), "flags": (8, "varint")},
    "BUCKETS": {"startTimeUnixNano": (2, "fixed64"), "timeUnixNano": (3, "fixed64"),
                "count": (4, "fixed64"), "sum": (5, "double"), "bucketCounts": (6, ["fixed64"]),
                "explicitBounds": (7, ["double"]), "exemplars": (8, ["EXEMPLAR"]),
                "attributes": (9, ["KEY_VALUE"]), "flags": (10, "varint"), "min": (11, "double"),
                "max": (12, "double")},
    "EXP_BUCKETS": {"attributes": (1, ["KEY_VALUE"]), "startTimeUnixNano": (2, "fixed64"),
                    "timeUnixNano": (3, "fixed64"), "count": (4, "fixed64"), "sum": (5, "double"),
                    "scale": (6, "zigzag"), "zeroCount": (7, "fixed64"), "positive": (8, "EXP_COUNTS"),
                    "negative": (9, "EXP_COUNTS"), "flags": (10, "varint"), "exemplars": (11, ["EXEMPLAR"]),
                    "min": (12, "double"), "max": (13, "double"), "zeroThreshold": (14, "double")},
    "EXP_COUNTS": {"offset": (1, "zigzag"), "bucketCounts": (2, ["varint"])},
    "QUANTILES": {"startTimeUnixNano": (2, "fixed64"), "timeUnixNano": (3, "fixed64"), "count": (4, "fixed64"),
                  "sum": (5, "double"), "quantileValues": (6, ["QUANTILE"]), "attributes": (7, ["KEY_VALUE"]),
                  "flags": (8, "varint")},
    "QUANTILE": {"quantile": (1, "double"), "value": (2, "double")},
    "EXEMPLAR": {"timeUnixNano": (2, "fixed64"), "asDouble": (3, "double"), "spanId": (4, "hex"),
                 "traceId": (5, "hex"), "asInt": (6, "sfixed64"), "filteredAttributes": (7, ["KEY_VALUE"])},
}

_SCALARS = {
    "text": field,
    "hex": lambda n, v: field(n, bytes.fromhex(v)),
    "varint": lambda n, v: number(n, int(v)),
    "zigzag": lambda n, v: number(n, int(v) << 1 ^ int(v) >> 63),
    "fixed32": lambda n, v: fixed32(n, int(v)),
    "fixed64": lambda n, v: fixed64(n, int(v)),
    "sfixed64": lambda n, v: sfixed64(n, int(v)),
    "double": lambda n, v: double(n, float(v)),
}


def message(name, values):
    """A dictionary as the protobuf message of that name."""
    members = _MESSAGES[name]
    out = []
    for key, value in values.items():
        field_number, kind = members[key]
        repeated = isinstance(kind, list)
        for item in value if repeated else [value]:
            one = kind[0] if repeated else kind
            out.append(field(field_number, message(one, item)) if one in _MESSAGES
                       else _SCALARS[one](field_number, item))
    return b"".join(out)


def otlp_proto(signal_name, request):
    return message(signal_name, request)


def otlp_json(_signal_name, request):
    return json.dumps(request).encode()


def proto_fields(data):
    """A message taken apart: (number, value) of each field; for answers."""
    at = 0

    def read_varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = read_varint()
        if tag & 7 == 0:
            yield tag >> 3, read_varint()
        elif tag & 7 == 2:
            length = read_varint()
            if at + length > len(data):
                raise ValueError("truncated")
            yield tag >> 3, data[at:at + length]
            at += length
        else:
            raise ValueError(f"wire type {tag & 7}")


# ---- requests ----


def any_value(value):
    if isinstance(value, dict):
        return value
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": value}


def attributes(values):
    return [{"key": k, "value": any_value(v)} for k, v in values.items()]


def stamped(component, project="shop", namespace="acme", environment="test", **more):
    """Resource attributes of a pod that the control plane has labelled."""
    prefix = "k8s.pod.labels.openchoreo.dev/"
    values = {prefix + "namespace": namespace, prefix + "project": project,
              prefix + "component": component, prefix + "environment": environment,
              "k8s.pod.name": f"{component}-pod", "k8s.namespace.name": "dp-" + namespace}
    values.update({key.replace("__", "."): value for key, value in more.items()})
    return values


def scope(component=None, project="shop", namespace="acme", environment="test"):
    """The searchScope that stamped() ends up in."""
    found = {"namespace": namespace, "project": project, "environment": environment}
    if component:
        found["component"] = component
    return found


def spans_request(resource, spans):
    return {"resourceSpans": [{"resource": {"attributes": attributes(resource)},
                               "scopeSpans": [{"scope": {"name": "e2e"}, "spans": spans}]}]}


def logs_request(resource, logs):
    return {"resourceLogs": [{"resource": {"attributes": attributes(resource)},
                              "scopeLogs": [{"scope": {"name": "e2e"}, "logRecords": logs}]}]}


def metrics_request(resource, metrics):
    return {"resourceMetrics": [{"resource": {"attributes": attributes(resource)},
                                 "scopeMetrics": [{"scope": {"name": "e2e"}, "metrics": metrics}]}]}


def span(rng, time_ns, trace_id=None, span_id=None, parent=None, kind=2, duration_ns=1_000_000,
         name="GET /items/{id}", error=False, **attrs):
    one = {"traceId": trace_id or rng.randbytes(16).hex(), "spanId": span_id or rng.randbytes(8).hex(),
           "name": name, "kind": kind, "startTimeUnixNano": str(time_ns),
           "endTimeUnixNano": str(time_ns + duration_ns)}
    if parent:
        one["parentSpanId"] = parent
    if kind == 2:
        attrs = {"http__request__method": "GET", "http__route": "/items/{id}", **attrs}
    if attrs:
        one["attributes"] = attributes({k.replace("__", "."): v for k, v in attrs.items()})
    if error:
        one["status"] = {"code": 2}
    return one


def log(time_ns, body, severity=9, **more):
    return {"timeUnixNano": str(time_ns), "severityNumber": severity, "body": any_value(body), **more}


def gauge(name, time_ns, value, **attrs):
    point = {"timeUnixNano": str(time_ns), "asDouble": value}
    if attrs:
        point["attributes"] = attributes(attrs)
    return {"name": name, "gauge": {"dataPoints": [point]}}


# ---- questions ----


def rfc3339(time_ns):
    seconds, rest = divmod(time_ns, NS)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"


def around(time_ns=None, minutes=60):
    """A time range that has this moment in its middle."""
    time_ns = time_ns or time.time_ns()
    reach = minutes * 60 * NS
    return {"startTime": rfc3339(time_ns - reach), "endTime": rfc3339(time_ns + reach)}


def find_logs(server, component, **more):
    return server.ask("/api/v1/logs/query",
                      {**around(), "searchScope": scope(component), "limit": 1000,
                       "sortOrder": "asc", **more})


def count_logs(server, component, **more):
    """How many there are; `total` ends at 1000."""
    question = {**around(), "searchScope": scope(component), "limit": 500, **more}
    count = 0
    while True:
        answer = server.ask("/api/v1/logs/query", question)
        count += len(answer["logs"])
        if "nextCursor" not in answer:
            return count
        question["cursor"] = answer["nextCursor"]


def find_spans(server, component, trace_id, **more):
    return server.ask(f"/api/v1alpha1/traces/{trace_id}/spans/query",
                      {**around(), "searchScope": scope(component), "limit": 1000, **more})


def wait_until(condition, seconds, pause=0.05):
    """Polls; the last result."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found or time.monotonic() > until:
            return found
        time.sleep(pause)
