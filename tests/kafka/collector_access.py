"""The Collector's exporters for OTLP over gRPC and HTTP with TLS and a token from
a file, by the configuration in docs/access.md: a right token is accepted, a
wrong one is refused and what it came with is dropped, a new one in the file is
used without a restart, and so is a client certificate.
"""
import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from callboard import Tap, export, log, logs_request, new_folder, wait_until
from certificates import Authority
from secured import Secured, asks_for_certificates, client_pair, write_private, wrong_of

tap = Tap()
COLLECTOR = os.path.join(os.environ["OUT"], "e2e", "collector", "otelcol")
CONFIG = """extensions:
  bearertokenauth: {{filename: {token}}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
  {exporter}:
    endpoint: {endpoint}
    tls: {{ca_file: {ca}{client}}}
    {auth}
service:
  extensions: [bearertokenauth]
  telemetry: {{metrics: {{level: none}}, logs: {{level: info}}}}
  pipelines:
    logs: {{receivers: [otlp], exporters: [{exporter}]}}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Collector:
    def __init__(self, server, exporter, authority, token, client=None):
        self.port = free_port()
        grpc = exporter == "otlp_grpc"
        port = server.grpc_port if grpc else server.otlp_port
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        self.config = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.config.write(CONFIG.format(
            port=self.port, exporter=exporter, ca=authority.file, token=token,
            endpoint=f"localhost:{port}" if grpc else f"https://localhost:{port}",
            client=f", cert_file: {client[0]}, key_file: {client[1]}" if client else "",
            auth="" if client else "auth: {authenticator: bearertokenauth}"))
        self.config.flush()
        self.child = subprocess.Popen([COLLECTOR, "--config", self.config.name], stdout=self.log, stderr=self.log)

    def send(self, component):
        """A log record that names no namespace; True if the Collector takes it."""
        def once():
            try:
                return export(self.port, "logs", logs_request({"service.name": component}, [
                    log(time.time_ns(), "a line")])).status == 200
            except OSError:
                return False
        return wait_until(once, 30)

    def said(self):
        with open(self.log.name) as file:
            return file.read()

    def stop(self):
        self.child.terminate()
        self.child.wait()


def by_token(server, exporter, authority, shown):
    folder = new_folder()
    first = server.token("first", "ingest", "acme")
    wrong = wrong_of(first)
    file = os.path.join(folder, "ingest.token")
    write_private(file, first)
    collector = Collector(server, exporter, authority, file)
    name = "col-" + exporter.replace("_", "-")
    try:
        tap.check(collector.send(name) and wait_until(lambda: server.found("acme", name), 10),
                  f"{exporter}: with a token it is of the token's namespace", collector.said())
        write_private(file, wrong)
        before = server.auth("token", "unknown")
        refreshed = wait_until(lambda: "refresh" in collector.said().lower(), 5)
        time.sleep(0 if refreshed else 1)
        collector.send(name + "-wrong")
        tap.check(wait_until(lambda: shown in collector.said() and "Dropping data" in collector.said(), 10),
                  f"{exporter}: a wrong token: it shows {shown} and drops the data", collector.said())
        time.sleep(7)  # its first retry would be within 7.5 seconds
        tap.same(server.auth("token", "unknown") - before, 1, f"{exporter}: and does not send it again")
        write_private(file, server.token("second", "ingest", "acme"))
        time.sleep(1)
        tap.check(collector.send(name + "-again") and wait_until(lambda: server.found("acme", name + "-again"), 10),
                  f"{exporter}: a new token in the file is used without a restart", collector.said())
        tap.check(not server.found("acme", name + "-wrong"), f"{exporter}: nothing of what was refused is there")
    finally:
        collector.stop()


def by_certificate(authority, pair):
    server = asks_for_certificates(authority, pair, "ingest")
    client = client_pair(authority)
    empty = write_private(os.path.join(new_folder(), "empty.token"), "-")
    for exporter in ("otlp_grpc", "otlp_http"):
        collector = Collector(server, exporter, authority, empty, client)
        name = "cert-" + exporter.replace("_", "-")
        try:
            tap.check(collector.send(name) and wait_until(lambda: server.found("acme", name), 10),
                      f"{exporter}: with a client certificate", collector.said())
        finally:
            collector.stop()
    tap.same(server.stop(), 0, "the server ends well")


authority = Authority(new_folder())
pair = authority.server("server")
server = Secured(pair)
by_token(server, "otlp_grpc", authority, "Unauthenticated")
by_token(server, "otlp_http", authority, "401")
tap.same(server.stop(), 0, "the server ends well")
by_certificate(authority, pair)
tap.end()
