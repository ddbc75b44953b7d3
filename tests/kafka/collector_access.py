"""The Collector's exporters for OTLP over gRPC and HTTP with TLS and a token from
a file, by the configuration in docs/access.md: a right token is accepted, a
wrong one is refused and what it came with is dropped, a new one in the file is
used without a restart, and so is a client certificate.
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from callboard import Server, Tap, export, log, logs_request, new_folder, wait_until
from certificates import Authority

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


def write_token(path, token):
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token)
    os.rename(path + ".new", path)


def over_socket(server, path):
    return subprocess.run(["curl", "-sSf", "--unix-socket", os.path.join(server.folder, "admin.sock"),
                           "http://localhost" + path], check=True, capture_output=True, text=True).stdout


def create(server, *arguments):
    return subprocess.run([os.environ["CALLBOARD"], "token", "create", *arguments, "--data-dir", server.folder],
                          check=True, capture_output=True, text=True).stdout.strip()


def counter(server, name):
    for line in over_socket(server, "/metrics").splitlines():
        if line.startswith("callboard_" + name + " "):
            return float(line.split()[-1])
    raise AssertionError(f"no counter {name}")


def found(server, component):
    answer = json.loads(over_socket(server, "/api/v1/components?namespace=acme"))
    return component in [one["component"] for one in answer["components"]]


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
    first = create(server, "first", "--role", "ingest", "--namespace", "acme")
    wrong = first[:-1] + ("A" if first[-1] != "A" else "B")
    file = os.path.join(folder, "ingest.token")
    write_token(file, first)
    collector = Collector(server, exporter, authority, file)
    name = "col-" + exporter.replace("_", "-")
    try:
        tap.check(collector.send(name) and wait_until(lambda: found(server, name), 10),
                  f"{exporter}: with a token it is of the token's namespace", collector.said())
        write_token(file, wrong)
        unknown = 'auth_total{kind="token",outcome="unknown"}'
        before = counter(server, unknown)
        collector.child.poll()
        refreshed = wait_until(lambda: "refresh" in collector.said().lower(), 5)
        time.sleep(0 if refreshed else 1)
        collector.send(name + "-wrong")
        tap.check(wait_until(lambda: shown in collector.said() and "Dropping data" in collector.said(), 10),
                  f"{exporter}: a wrong token: it shows {shown} and drops the data", collector.said())
        time.sleep(7)  # its first retry would be within 7.5 seconds
        tap.same(counter(server, unknown) - before, 1, f"{exporter}: and does not send it again")
        write_token(file, create(server, "second", "--role", "ingest", "--namespace", "acme"))
        time.sleep(1)
        tap.check(collector.send(name + "-again") and wait_until(lambda: found(server, name + "-again"), 10),
                  f"{exporter}: a new token in the file is used without a restart", collector.said())
        tap.check(not found(server, name + "-wrong"), f"{exporter}: nothing of what was refused is there")
    finally:
        collector.stop()


def by_certificate(authority, pair):
    folder = new_folder()
    grants, empty = os.path.join(folder, "grants.yaml"), os.path.join(folder, "empty.token")
    write_token(grants, "grants:\n  - {certificate: 'spiffe://acme/ci', roles: [ingest], namespace: acme}\n")
    write_token(empty, "-")
    server = Server(os.path.join(folder, "data"), "--auth", "required", "--grants", grants, "--tls-cert", pair[0],
                    "--tls-key", pair[1], "--tls-client-ca", authority.file, "--tls-clients", "required")
    client = authority.issue("client", san="URI:spiffe://acme/ci", usage="clientAuth", cn="ci")
    for exporter in ("otlp_grpc", "otlp_http"):
        collector = Collector(server, exporter, authority, empty, client)
        name = "cert-" + exporter.replace("_", "-")
        try:
            tap.check(collector.send(name) and wait_until(lambda: found(server, name), 10),
                      f"{exporter}: with a client certificate", collector.said())
        finally:
            collector.stop()
    tap.same(server.stop(), 0, "the server ends well")


authority = Authority(new_folder())
pair = authority.server("server")
server = Server(os.path.join(new_folder(), "data"), "--auth", "required", "--tls-cert", pair[0], "--tls-key", pair[1])
by_token(server, "otlp_grpc", authority, "Unauthenticated")
by_token(server, "otlp_http", authority, "401")
tap.same(server.stop(), 0, "the server ends well")
by_certificate(authority, pair)
tap.end()
