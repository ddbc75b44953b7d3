"""Real senders with TLS and credentials, set up as docs/access.md says: the
Python SDK over HTTP and gRPC by its environment variables, and curl. A right
credential is accepted and its namespace is that of the records; a wrong one is
refused once, not sent again and again.
"""
import json
import os
import subprocess
import time

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callboard import Tap, new_folder
from certificates import Authority
from secured import Secured, asks_for_certificates, client_pair, wrong_of

tap = Tap()
WAYS = {"HTTP": ("otlp_port", (HttpSpans, HttpLogs, HttpMetrics)),
        "gRPC": ("grpc_port", (GrpcSpans, GrpcLogs, GrpcMetrics))}


def signals(component, **labels):
    """A span, a log record and a point of the SDK."""
    resource = Resource({"service.name": component, **labels})
    spans, logs, reader = InMemorySpanExporter(), InMemoryLogRecordExporter(), InMemoryMetricReader()
    tracing, logging = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    logging.add_log_record_processor(SimpleLogRecordProcessor(logs))
    with tracing.get_tracer("t").start_as_current_span("GET /x"):
        now = time.time_ns()
        logging.get_logger("t").emit(LogRecord(timestamp=now, observed_timestamp=now, body="a line",
                                               severity_number=SeverityNumber.INFO))
    MeterProvider(resource=resource, metric_readers=[reader]).get_meter("t").create_counter("n").add(1)
    return spans.get_finished_spans(), logs.get_finished_logs(), reader.get_metrics_data()


def send(server, way, data, **environment):
    """Exports all three by the variables of the SDK; their outcomes and the seconds that it took."""
    port, exporters = WAYS[way]
    environment = {"TIMEOUT": "10", **environment}
    environment = {f"OTEL_EXPORTER_OTLP_{key}": value for key, value in environment.items() if value}
    environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"https://localhost:{getattr(server, port)}"
    os.environ.update(environment)
    began, outcomes = time.monotonic(), []
    try:
        for kind, one in zip(exporters, data):
            exporter = kind()
            outcomes.append(exporter.export(one).name)
            exporter.shutdown()
    finally:
        for key in environment:
            del os.environ[key]
    return outcomes, time.monotonic() - began


def curl(*arguments):
    """Status and text of an answer; 0 if there is none."""
    done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", *arguments], capture_output=True, text=True,
                          timeout=30)
    text, _, status = done.stdout.rpartition("\n")
    return int(status), text or done.stderr


ALL = {"traces", "logs", "metrics"}
SENT, REFUSED = ["SUCCESS"] * 3, ["FAILURE"] * 3


def tokens(server, authority):
    writer = server.token("ci", "ingest", "acme")
    moved = server.token("old", "ingest", "beta", "--stamp", "override")
    reader = server.token("eye", "viewer", "acme")
    wrong = wrong_of(writer)
    for way in WAYS:
        for blank in ("%20", " "):
            name = f"py-{way.lower()}-{'plain' if blank == ' ' else 'encoded'}"
            outcome, _ = send(server, way, signals(name), CERTIFICATE=authority.file,
                              HEADERS=f"authorization=Bearer{blank}{writer}")
            tap.same(outcome, SENT, f"{way}, a token with {blank!r}: accepted")
            tap.same(server.found("acme", name), ALL, f"{way}: all of it is of the token's namespace")
        name = f"py-{way.lower()}-moved"
        outcome, _ = send(server, way, signals(name, **{"openchoreo.dev/namespace": "acme"}),
                          CERTIFICATE=authority.file, HEADERS=f"authorization=Bearer%20{moved}")
        tap.same((outcome, server.found("beta", name), server.found("acme", name)), (SENT, ALL, set()),
                 f"{way}: --stamp override moves it")
        for token, label, what in ((wrong, ("token", "unknown"), "a wrong token"),
                                   ("", ("none", "missing"), "no token"),
                                   (reader, ("token", "denied"), "a token that only reads")):
            before = server.auth(*label)
            outcome, seconds = send(server, way, signals("never"), CERTIFICATE=authority.file,
                                    HEADERS=token and f"authorization=Bearer%20{token}")
            tap.same(outcome, REFUSED, f"{way}, {what}: refused")
            tap.same(server.auth(*label) - before, 3, f"{way}, {what}: each request is sent once")
            tap.check(seconds < 5, f"{way}, {what}: and no exporter waits", seconds)
        outcome, _ = send(server, way, signals("never"), HEADERS=f"authorization=Bearer%20{writer}", TIMEOUT="1")
        tap.same(outcome, REFUSED, f"{way}: without the authority nothing is sent")
    tap.same((server.found("acme", "never"), server.found("default", "never")), (set(), set()),
             "nothing of what was refused is there")
    return reader, wrong


def by_curl(server, authority, reader, wrong):
    url, ca = f"https://localhost:{server.query_port}", ("--cacert", authority.file)
    path = url + "/api/v1/components?namespace=acme"
    tap.same(curl(*ca, "-H", f"Authorization: Bearer {reader}", path)[0], 200, "curl, Bearer: 200")
    tap.same(curl(*ca, "-u", f"any:{reader}", path)[0], 200, "curl, Basic with the token as password: 200")
    for arguments, code in (((), "MISSING_TOKEN"), (("-H", f"Authorization: Bearer {wrong}"), "INVALID_TOKEN")):
        status, text = curl(*ca, *arguments, path)
        tap.check(status == 401 and json.loads(text)["error"] == code, f"curl: 401, {code}", text)
    operator = server.token("prometheus", "operator", "*")
    status, text = curl(*ca, "-H", f"Authorization: Bearer {operator}", url + "/metrics")
    tap.check(status == 200 and "callboard_auth_total" in text, "the header of a scrape: 200", text)
    tap.same(curl(*ca, "-H", f"Authorization: Bearer {reader}", url + "/metrics")[0], 403, "a viewer's scrape: 403")
    before = server.auth("token", "denied")
    body = {"startTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T01:00:00Z",
            "searchScope": {"namespace": "beta", "project": "shop"}}
    status, text = curl(*ca, "-H", f"Authorization: Bearer {reader}", "-H", "Content-Type: application/json",
                        "-d", json.dumps(body), url + "/api/v1/logs/query")
    tap.same((status, server.auth("token", "denied") - before), (403, 1), "a scope in the body that is denied is counted")
    tap.same(curl(path)[0], 0, "curl without the authority: no answer")


def certificates(authority, pair):
    server = asks_for_certificates(authority, pair, "ingest, viewer")
    client, other = client_pair(authority), client_pair(authority, "other")
    for way in WAYS:
        for files, what, outcome, there in ((client, "a client certificate", SENT, ALL),
                                            (other, "a certificate without grants", REFUSED, set()),
                                            (("", ""), "no certificate", REFUSED, set())):
            name = f"cert-{way}-{outcome[0]}".lower()
            seen, seconds = send(server, way, signals(name), CERTIFICATE=authority.file, CLIENT_CERTIFICATE=files[0],
                                 CLIENT_KEY=files[1], TIMEOUT="10" if files[0] else "1")
            tap.same((seen, server.found("acme", name)), (outcome, there), f"{way}: {what}")
    url = f"https://localhost:{server.query_port}/api/v1/components"
    asked = lambda files: curl("--cacert", authority.file, "--cert", files[0], "--key", files[1], url)
    tap.same(asked(client)[0], 200, "curl with a client certificate: 200")
    status, text = asked(other)
    tap.check(status == 401, "curl with one that is in no row: as without a credential, 401", (status, text))
    status, text = curl("--cacert", authority.file, "--cert", client[0], "--key", client[1],
                        url.replace("/api/v1/components", "/metrics"))
    tap.same((status, server.auth("certificate", "denied")), (403, 1),
             "what the certificate's grants do not cover: 403, counted")
    tap.same(curl("--cacert", authority.file, url)[0], 0, "curl without one: no answer")
    tap.same(server.stop(), 0, "the server ends well")


def main():
    authority = Authority(new_folder())
    pair = authority.server("server")
    server = Secured(pair)
    by_curl(server, authority, *tokens(server, authority))
    tap.same(server.stop(), 0, "the server ends well")
    certificates(authority, pair)
    tap.end()


main()
