"""OTLP/gRPC by real clients: what is sent over gRPC is found as if it had been
sent over HTTP; statuses, details and texts as grpcio shows them.
"""
import base64
import hashlib
import os
import socket
import ssl
import subprocess
import threading
import time

import grpc
from google.rpc import error_details_pb2, status_pb2
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callboard import NS, Server, Tap, new_folder, otlp_proto, rfc3339, seeded, span, spans_request, stamped, wait_until

tap = Tap()
RNG = seeded()
EXPORT = "/opentelemetry.proto.collector.%s.v1.%sService/Export"
METHODS = {"traces": EXPORT % ("trace", "Trace"), "logs": EXPORT % ("logs", "Logs"),
           "metrics": EXPORT % ("metrics", "Metrics")}
LABELS = {"openchoreo.dev/namespace": "acme", "openchoreo.dev/project": "py",
          "openchoreo.dev/component": "cart", "openchoreo.dev/environment": "test"}


class Failed(Exception):
    """A call's status, text, details and trailers."""

    def __init__(self, error):
        super().__init__(f"{error.code()}: {error.details()}")
        self.code = error.code().value[0]
        self.text = error.details()
        self.metadata = dict(error.trailing_metadata() or ())
        self.initial = dict(error.initial_metadata() or ())
        self.retry = None
        packed = self.metadata.get("grpc-status-details-bin")
        self.status = status_pb2.Status.FromString(packed) if packed else None
        for detail in self.status.details if self.status else ():
            info = error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                self.retry = info.retry_delay.seconds


def call(port, method, body, timeout=20, metadata=(), compression=None, options=()):
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        try:
            return channel.unary_unary(method)(body, timeout=timeout, metadata=metadata,
                                               compression=compression)
        except grpc.RpcError as error:
            raise Failed(error) from None


def refused(*args, **more):
    try:
        call(*args, **more)
    except Failed as error:
        return error
    return None


# ---- the same through both ports ----


def make_signals():
    """Spans, log records and metrics of the SDK."""
    resource = Resource({"service.name": "cart", "k8s.pod.name": "cart-1", **LABELS})
    spans, logs, reader = InMemorySpanExporter(), InMemoryLogRecordExporter(), InMemoryMetricReader()
    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    tracer = tracing.get_tracer("test", "1.0")
    logging = LoggerProvider(resource=resource)
    logging.add_log_record_processor(SimpleLogRecordProcessor(logs))
    with tracer.start_as_current_span("GET /carts/{id}", kind=trace.SpanKind.SERVER, attributes={
            "http.request.method": "GET", "http.route": "/carts/{id}", "app.text": "ä € 🎭"}) as root:
        with tracer.start_as_current_span("SELECT", kind=trace.SpanKind.CLIENT,
                                          attributes={"db.system.name": "postgresql"}):
            pass
        root.set_status(trace.StatusCode.ERROR, "boom")
        now = time.time_ns()
        logging.get_logger("test").emit(LogRecord(
            timestamp=now, observed_timestamp=now, severity_number=SeverityNumber.ERROR,
            severity_text="ERROR", body="cart 7 not found", attributes={"app.item": 7}))
    meter = MeterProvider(resource=resource, metric_readers=[reader]).get_meter("test")
    meter.create_counter("app.count").add(3, {"a": "b"})
    meter.create_histogram("app.work", "s").record(0.7)
    return spans.get_finished_spans(), logs.get_finished_logs(), reader.get_metrics_data()


def ask_all(server):
    scope = {"namespace": "acme", "project": "py", "component": "cart", "environment": "test"}
    now = time.time()
    where = {"searchScope": scope, "startTime": rfc3339(int(now - 600) * NS),
             "endTime": rfc3339(int(now + 600) * NS)}
    traces = server.ask("/api/v1alpha1/traces/query", where)
    answers = [traces, server.ask("/api/v1/logs/query", where)]
    for one in traces["traces"]:
        answers.append(server.ask(f"/api/v1alpha1/traces/{one['traceId']}/spans/query", where))
    page = server.ask("/api/v1/components/acme/py/cart")
    answers.append({key: page.get(key) for key in ("endpoints", "dependencies", "signals")})
    return answers


def without_times(value):
    """What an answer says about itself is left out."""
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in ("tookMs", "generatedAt")}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def same_as_over_http():
    signals = make_signals()
    for grpc_way, http_way, name in (
            (None, None, "plain"), (grpc.Compression.Gzip, Compression.Gzip, "gzip")):
        over_grpc, over_http = Server(new_folder()), Server(new_folder())
        target = {"endpoint": f"127.0.0.1:{over_grpc.grpc_port}", "insecure": True}
        url = f"http://127.0.0.1:{over_http.otlp_port}/v1/"
        outcomes = []
        for g, h, path, data in zip((GrpcSpans, GrpcLogs, GrpcMetrics), (HttpSpans, HttpLogs, HttpMetrics),
                                    ("traces", "logs", "metrics"), signals):
            for exporter in (g(**target, compression=grpc_way),
                             h(endpoint=url + path, compression=http_way)):
                outcomes.append(exporter.export(data).name)
                exporter.shutdown()
        tap.same(outcomes, ["SUCCESS"] * 6, f"{name}: the SDK exports three signals over both")
        seen, wanted = without_times(ask_all(over_grpc)), without_times(ask_all(over_http))
        tap.check(wanted[0]["total"] == 1 and wanted[1]["total"] == 1, f"{name}: HTTP stored them", wanted)
        tap.same(seen, wanted, f"{name}: what was sent over gRPC is found as over HTTP")
        counters = over_grpc.counters()
        for signal in ("traces", "logs", "metrics"):
            tap.same(counters[f'otlp_requests_total{{signal="{signal}",transport="grpc"}}'], 1,
                     f"{name}: {signal} requests are counted by transport")
        tap.same([over_grpc.stop(), over_http.stop()], [0, 0], f"{name}: both end well")


# ---- statuses ----


def batch(count=10, name="GET /x"):
    now = time.time_ns()
    return otlp_proto("traces", spans_request(stamped("cart"), [
        span(RNG, now, name=name) for _ in range(count)]))


def statuses(server):
    port, path = server.grpc_port, METHODS["traces"]
    tap.same(call(port, path, b""), b"", "an empty message is accepted")
    tap.same(call(port, path, batch(), compression=grpc.Compression.Gzip), b"", "gzip is accepted")
    error = refused(port, path, b"\xff\xff")
    tap.check(error and error.code == 3 and error.status.code == 3 and error.retry is None
              and error.status.message == error.text, "malformed: 3 and details", str(error))
    error = refused(port, "/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export", b"")
    tap.check(error and error.code == 12, "an unknown method: 12", str(error))
    error = refused(port, path, b"", compression=grpc.Compression.Deflate)
    tap.check(error and error.code == 12 and "gzip" in error.text, "deflate: 12", str(error))
    for name in ("", "opentelemetry.proto.collector.trace.v1.TraceService"):
        answer = call(port, "/grpc.health.v1.Health/Check", b"\n" + bytes([len(name)]) + name.encode())
        tap.same(answer, b"\x08\x01", f"health of {name!r}: serving")
    error = refused(port, "/grpc.health.v1.Health/Check", b"\n\x01x")
    tap.check(error and error.code == 5, "health of an unknown service: 5", str(error))


def sizes():
    server = Server(new_folder(), "--max-body", "8MiB")
    big = [("grpc.max_send_message_length", -1)]
    path = METHODS["traces"]
    for length in (1, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, (8 << 20) - 1, 8 << 20):
        # A request with one unknown field fills the message.
        head = b"\x82\x06" if length > 4 else b""
        body = b""
        if length > 8:
            room = length - 2
            for width in range(1, 5):
                if room - width < 1 << 7 * width:
                    break
            rest, size = room - width, bytearray()
            for i in range(width):
                size.append((rest >> 7 * i & 0x7F) | (0x80 if i < width - 1 else 0))
            body = head + bytes(size) + bytes(rest)
        error = refused(server.grpc_port, path, body if length > 8 else b"\x00", options=big)
        good = error is None if length > 8 else error and error.code == 3
        tap.check(good and (length <= 8 or len(body) == length), f"a message of {length} bytes", str(error))
    began = time.monotonic()
    error = refused(server.grpc_port, path, bytes((8 << 20) + 1), options=big)
    tap.check(error and error.code == 3 and error.retry is None and str(8 << 20) in error.text
              and str((8 << 20) + 1) in error.text and time.monotonic() - began < 5,
              "a byte more than the limit: 3, both sizes in the text", str(error))
    error = refused(server.grpc_port, path, bytes(20 << 20), compression=grpc.Compression.Gzip, options=big)
    tap.check(error and error.code == 3 and error.retry is None, "too large when inflated: 3", str(error))
    wait_until(lambda: server.counter("ingest_memory_bytes") < 100_000, 10)
    tap.same(server.stop(), 0, "the server ends well")


# ---- credentials and TLS ----


def make_token(name):
    """A token (access/token.h) and its line for the file of --tokens."""
    def base64url(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    begin = "cbt_" + "".join(RNG.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(8)) \
        + "_" + base64url(RNG.randbytes(32))
    token = begin + base64url(hashlib.sha256(begin.encode()).digest()[:3])
    return token, hashlib.sha256(token.encode()).hexdigest()


def private_file(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(text)
    return path


def make_pair(folder):
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    os.chmod(key, 0o600)
    return cert, key


def credentials():
    folder = new_folder()
    (writer, writer_hash), (reader, reader_hash) = make_token("w"), make_token("r")
    tokens = private_file(os.path.join(folder, "tokens.yaml"), f"""tokens:
  - {{name: ci, sha256: {writer_hash}, role: ingest, namespace: acme}}
  - {{name: eye, sha256: {reader_hash}, role: viewer, namespace: acme}}
""")
    server = Server(os.path.join(folder, "data"), "--auth", "required", "--tokens", tokens)
    port, path = server.grpc_port, METHODS["traces"]
    with_token = [("authorization", f"Bearer {writer}")]
    tap.same(call(port, path, batch(), metadata=with_token), b"", "a token with the role ingest may send")
    wrong = [("authorization", f"Bearer {writer[:-1]}x")]
    for metadata, code, name in (((), 16, "no credential"), (wrong, 16, "a wrong token"),
                                 (with_token * 2, 16, "two tokens"),
                                 ([("authorization", f"Bearer {reader}")], 7, "a token that may only read")):
        error = refused(port, path, batch(), metadata=metadata)
        tap.check(error and error.code == code and error.status.code == code and error.retry is None
                  and writer not in error.text, f"{name}: {code}", str(error))
    error = refused(port, "/x.Y/Z", b"")
    tap.check(error and error.code == 16, "without a credential nobody learns which methods there are: 16", str(error))
    tap.same(call(port, "/grpc.health.v1.Health/Check", b""), b"\x08\x01", "health needs no credential")
    began = time.monotonic()
    error = refused(port, path, bytes(3 << 20))
    tap.check(error and error.code == 16 and time.monotonic() - began < 5, "3 MiB without a credential: 16 at once",
              str(error))
    other = otlp_proto("traces", spans_request(stamped("cart", namespace="evil"), [span(RNG, time.time_ns())]))
    answer = call(port, path, other, metadata=with_token)
    tap.check(b"evil" in answer, "records stamped with another namespace: partial success", answer)
    tap.same(server.stop(), 0, "the server ends well")


def encrypted():
    folder = new_folder()
    cert, key = make_pair(folder)
    server = Server(os.path.join(folder, "data"), "--grpc-tls-cert", cert, "--grpc-tls-key", key)
    with open(cert, "rb") as file:
        trusted = grpc.ssl_channel_credentials(file.read())
    body = batch(3000)
    with grpc.secure_channel(f"localhost:{server.grpc_port}", trusted) as channel:
        method = channel.unary_unary(METHODS["traces"])
        tap.same([method(one, timeout=20) for one in (b"", batch(), body)], [b""] * 3,
                 f"TLS: messages up to {len(body)} bytes are accepted")
    calls = []

    def send():
        with grpc.secure_channel(f"localhost:{server.grpc_port}", trusted) as one:
            for _ in range(20):
                calls.append(one.unary_unary(METHODS["traces"])(batch(200), timeout=20))
    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.same(calls, [b""] * 80, "TLS: four channels at once")
    error = refused(server.grpc_port, METHODS["traces"], b"", timeout=3)
    tap.check(error and error.code in (4, 14), "TLS: a plain client is not served", str(error))
    for protocols, name in ((["http/1.1"], "another ALPN"), (None, "no ALPN")):
        context = ssl.create_default_context(cafile=cert)
        if protocols:
            context.set_alpn_protocols(protocols)
        try:
            with socket.create_connection(("127.0.0.1", server.grpc_port), timeout=5) as plain:
                with context.wrap_socket(plain, server_hostname="localhost") as one:
                    one.settimeout(5)
                    one.sendall(b"x")
                    good = one.recv(100) == b""
        except (OSError, ssl.SSLError):
            good = True
        tap.check(good, f"TLS: {name} is refused")
    tap.same(server.stop(), 0, "TLS: the server ends well")


def main():
    same_as_over_http()
    server = Server(new_folder())
    statuses(server)
    tap.same(server.stop(), 0, "the server ends well")
    sizes()
    credentials()
    encrypted()
    tap.end()


main()
