"""Real exporters send more than recordsPerSecond allows: they are told when to
come again, do, and nothing is lost. The file of limits is read again.
"""
import os
import time

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from access_kit import make_token
from callboard import Client, Server, Tap, new_folder, wait_until
from tenant_floods import accepted, bearer, tokens_file

BATCHES, SPANS, RATE = 8, 500, 250


def make_spans():
    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    for _ in range(SPANS):
        provider.get_tracer("e2e").start_span("GET /").end()
    return memory.get_finished_spans()


def refused(server, tokens, namespace):
    with Client(server.query_port) as client:
        text = client.request("GET", "/metrics", None, bearer(tokens["operates"])).body.decode()
    start = f'callboard_tenant_requests_refused_total{{namespace="{namespace}",reason="rate"}} '
    return sum(int(line[len(start):]) for line in text.splitlines() if line.startswith(start))


def main():
    tap, folder = Tap(), new_folder()
    tokens = {name: make_token() for name in ("http", "grpc", "operates")}
    path = tokens_file(folder, [(tokens["http"], "ingest", "http"), (tokens["grpc"], "ingest", "grpc"),
                                (tokens["operates"], "operator", "*")])
    limits = os.path.join(folder, "limits.yaml")
    with open(limits, "w") as file:
        file.write(f"defaults: {{recordsPerSecond: {RATE}}}\n")
    server = Server(os.path.join(folder, "data"), "--auth", "required", "--tokens", path, "--limits", limits)
    exporters = {
        "http": HttpExporter(f"http://127.0.0.1:{server.otlp_port}/v1/traces", headers=bearer(tokens["http"])),
        "grpc": GrpcExporter(f"127.0.0.1:{server.grpc_port}", insecure=True,
                             headers=(("authorization", "Bearer " + tokens["grpc"]),)),
    }
    for name, exporter in exporters.items():
        began = time.monotonic()
        results = [exporter.export(make_spans()) for _ in range(BATCHES)]
        took = time.monotonic() - began
        tap.same(results, [SpanExportResult.SUCCESS] * BATCHES, f"{name}: every batch is stored in the end")
        tap.same(accepted(server, tokens, name), BATCHES * SPANS, f"{name}: nothing is lost")
        tap.check(refused(server, tokens, name) > 0, f"{name}: it was told to wait")
        print(f"# {name}: {took:.1f} s for {BATCHES * SPANS} spans")
        exporter.shutdown()

    with open(limits, "w") as file:
        file.write("defaults: {recordsPerSecond: fast}\n")

    def health():
        with Client(server.query_port) as client:
            return client.request("GET", "/health", None, bearer(tokens["operates"])).body.decode()

    tap.check(wait_until(lambda: "not a number: fast" in health(), 10), "a broken file is noted in /health", health())
    with open(limits, "w") as file:
        file.write("defaults: {recordsPerSecond: 0}\n")
    tap.check(wait_until(lambda: "limits" not in health(), 10), "a good one is taken", health())
    tap.same(server.stop(), 0, "a clean stop")
    tap.end()


if __name__ == "__main__":
    main()
