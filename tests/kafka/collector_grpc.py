"""The Collector's OTLP/gRPC exporter, plain, gzip and zstd: what goes into the
Collector is found once.
"""
import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from callboard import (Server, Tap, count_logs, export, gauge, log, logs_request, metrics_request, new_folder, seeded,
                       span, spans_request, stamped, wait_until)

tap = Tap()
rng = seeded()
COLLECTOR = os.path.join(os.environ["OUT"], "e2e", "collector", "otelcol")
CONFIG = """receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{grpc}", tls: {{insecure: true}}, compression: {compression}}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
    logs: {{receivers: [otlp], exporters: [otlp_grpc]}}
    metrics: {{receivers: [otlp], exporters: [otlp_grpc]}}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def through_collector(server, compression):
    port, component = free_port(), "through-" + compression
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(CONFIG.format(port=port, grpc=server.grpc_port, compression=compression))
        config.flush()
        collector = subprocess.Popen([COLLECTOR, "--config", config.name])
        try:
            def first():
                try:
                    return export(port, "traces", spans_request(stamped(component), [
                        span(rng, time.time_ns())])).status == 200
                except OSError:
                    return False
            tap.check(wait_until(first, 30), f"{compression}: the Collector takes spans and passes them on")
            before = server.counter('records_accepted_total{signal="metrics"}')
            for n in range(50):
                export(port, "logs", logs_request(stamped(component), [log(time.time_ns(), f"line {n}")]))
                export(port, "metrics", metrics_request(stamped(component), [gauge("g", time.time_ns(), n)]))
            wait_until(lambda: count_logs(server, component) >= 50, 10)
            tap.same(count_logs(server, component), 50, f"{compression}: log records are found once")
            tap.same(server.counter('records_accepted_total{signal="metrics"}') - before, 50,
                     f"{compression}: so are points")
        finally:
            collector.terminate()
            collector.wait()


server = Server(new_folder())
for way in ("none", "gzip", "zstd"):
    through_collector(server, way)
tap.check(server.counter('otlp_requests_total{signal="logs",transport="grpc"}') >= 150, "all of it came over gRPC")
tap.same(server.stop(), 0, "the server ends well")
tap.end()
