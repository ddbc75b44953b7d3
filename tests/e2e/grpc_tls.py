"""TLS of the OTLP/gRPC port with grpcio: one pair for all ports, client
certificates and what they may do, a pair that is replaced while requests run,
handshakes that never end. Refusals over gRPC in the audit.
"""
import http.client
import json
import os
import socket
import ssl
import threading
import time

import grpc

from callboard import DidNotStart, Server, Tap, log, logs_request, new_folder, otlp_proto, stamped, wait_until
from certificates import Authority

tap = Tap()
EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
HEALTH = "/grpc.health.v1.Health/Check"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def private(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    return path


def channel(server, authority, pair=None, port=None):
    given = {"private_key": read(pair[1]), "certificate_chain": read(pair[0])} if pair else {}
    return grpc.secure_channel(f"localhost:{port or server.grpc_port}", grpc.ssl_channel_credentials(read(authority.file), **given),
                               options=[("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)])


def export(server, authority, body=b"", pair=None, metadata=(), method=EXPORT):
    """OK, or the name of the status."""
    with channel(server, authority, pair) as one:
        try:
            return "OK" if one.unary_unary(method)(body, timeout=10, metadata=metadata) is not None else None
        except grpc.RpcError as error:
            return error.code().name


def ask(server, authority, path, pair=None, headers=None):
    client = http.client.HTTPSConnection("localhost", server.query_port, context=authority.context(pair), timeout=20)
    client.request("GET", path, headers=headers or {})
    answer = client.getresponse()
    return answer.status, answer.read()


def body_of(namespace="acme"):
    return otlp_proto("logs", logs_request(stamped("tls", namespace=namespace), [log(time.time_ns(), "x")]))


def all_ports(authority):
    pair = authority.server("all")
    server = Server(new_folder(), "--tls-cert", pair[0], "--tls-key", pair[1])
    tap.same(export(server, authority, body_of()), "OK", "one pair for all ports: gRPC")
    tap.same(ask(server, authority, "/health")[0], 200, "one pair for all ports: query")
    client = http.client.HTTPSConnection("localhost", server.otlp_port, context=authority.context(), timeout=20)
    client.request("POST", "/v1/logs", body_of(), {"Content-Type": "application/x-protobuf"})
    tap.same(client.getresponse().status, 200, "one pair for all ports: OTLP/HTTP")
    said = [next(word for word in line.split() if "://" in word) for line in server.log().splitlines()
            if "://" in line and line.startswith("  ")]
    said = [address for address in said if not address.endswith("/ui/")] # there where the page was built
    tap.same(said, [f"https://127.0.0.1:{server.otlp_port}", f"https://127.0.0.1:{server.grpc_port}",
                    f"https://127.0.0.1:{server.query_port}/api/v1/components"], "the start message says https of all three")
    text = ask(server, authority, "/metrics")[1].decode()
    tap.same(sorted(line.split('"')[1] for line in text.splitlines() if line.startswith("callboard_tls_certificate_expires")),
             ["grpc", "otlp", "query"], "each port has its gauge of the certificate")
    for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
        try:
            with socket.create_connection(("127.0.0.1", server.grpc_port), timeout=10) as plain:
                with authority.context(least=version, most=version, alpn=["h2"]).wrap_socket(plain, server_hostname="localhost") as s:
                    good = s.selected_alpn_protocol() == "h2"
        except (ssl.SSLError, OSError):
            good = False
        tap.same(good, works, f"{version.name} over gRPC")
    tap.same(server.stop(), 0, "it ends with status 0")
    server = Server(new_folder(), "--tls-cert", pair[0], "--tls-key", pair[1], "--tls", "off", "--otlp-grpc", "127.0.0.2:0")
    tap.check(f"http://127.0.0.2:{server.grpc_port}" in server.log(), "--tls off and another address: the start message says so", server.log())
    tap.same(server.stop(), 0, "it ends with status 0")


def starts(authority):
    cert, key = authority.server("start")
    tls = ("--tls-cert", cert, "--tls-key", key)
    required = ("--auth", "required", "--otlp-grpc", "0.0.0.0:0")
    for name, options, reason in (
            ("loopback, and gRPC on all addresses", ("--otlp-grpc", "0.0.0.0:0"), "not a loopback address"),
            ("loopback, TLS, and gRPC on all addresses", ("--otlp-grpc", "0.0.0.0:0", *tls), "not a loopback address"),
            ("tokens in plain text over gRPC", required, "plain text over the network"),
            ("TLS for the other ports only", (*required, "--query-tls-cert", cert, "--query-tls-key", key), "(grpc port)")):
        try:
            Server(new_folder(), *options).kill()
            tap.check(False, f"start with {name}")
        except DidNotStart as error:
            tap.check(error.code == 1 and reason in error.log, f"start with {name}: refused, and why", error.log)
    for name, options in (("TLS", (*required, *tls)), ("--tls off", (*required, "--tls", "off")),
                          ("no credentials on the OTLP ports", (*required, "--auth-ingest", "none"))):
        tap.same(Server(new_folder(), *options).stop(), 0, f"start with {name}: works")


def client_certificates(authority, folder):
    stranger = Authority(new_folder(), "stranger")
    pair = authority.server("server")
    grants = private(os.path.join(folder, "grants.yaml"), "grants:\n"
                     "  - {certificate: spiffe://acme/ci, role: ingest, namespace: acme}\n"
                     "  - {certificate: reader.acme.example, role: viewer, namespace: acme}\n")
    audit = os.path.join(folder, "audit.log")
    server = Server(new_folder(), "--tls-cert", pair[0], "--tls-key", pair[1], "--tls-client-ca", authority.file,
                    "--grpc-tls-clients", "required", "--auth", "required", "--grants", grants, "--audit", audit)
    writer = authority.issue("ci", san="URI:spiffe://acme/ci,DNS:ci.acme.example", usage="clientAuth")
    reader = authority.issue("reader", san="DNS:reader.acme.example", usage="clientAuth")
    for name, client, wanted in (
            ("that may send", writer, "OK"),
            ("that may only read", reader, "PERMISSION_DENIED"),
            ("without grants", authority.issue("other", usage="clientAuth"), "UNAUTHENTICATED"),
            ("of another authority", stranger.issue("ci", san="URI:spiffe://acme/ci", usage="clientAuth"), "UNAVAILABLE"),
            ("that has expired", authority.issue("old", san="URI:spiffe://acme/ci", usage="clientAuth", begin=-9, end=-1), "UNAVAILABLE"),
            ("of a server", authority.server("another"), "UNAVAILABLE"),
            ("that is none", None, "UNAVAILABLE")):
        tap.same(export(server, authority, body_of(), client), wanted, f"a client certificate {name}: {wanted}")
    with channel(server, authority, writer) as one:
        answer = one.unary_unary(EXPORT)(body_of("evil"), timeout=10)
    tap.check(b"evil" in answer, "records of another namespace than the certificate's: partial success", answer)
    tap.same(export(server, authority, b"", writer, method=HEALTH), "OK", "health with a certificate")
    tap.same(export(server, authority, b"", writer, metadata=[("authorization", "Bearer wrong")]), "UNAUTHENTICATED",
             "a wrong token beside a certificate is refused")
    tap.same(export(server, authority, b"", writer, metadata=[("authorization", "Bearer wrong")]), "UNAUTHENTICATED", "twice")
    lines = [json.loads(line) for line in read(audit).splitlines()]
    seen = [(line["result"], line["actor"].get("id") or line["actor"].get("name"), line["metadata"].get("reason")) for line in lines
            if line.get("http", {}).get("path") == EXPORT]
    tap.check(("denied", "reader.acme.example", "the grants do not cover it") in [(r, a, w) for r, a, w in seen],
              "the audit has who was denied over gRPC", lines)
    wrong = [line for line in lines if line["metadata"].get("reason") == "INVALID_TOKEN"]
    tap.check(len(wrong) == 1 and wrong[0]["result"] == "unauthenticated" and wrong[0]["metadata"]["status"] == 401 and
              wrong[0]["source_ip"] == "127.0.0.1" and "grpc-python" in wrong[0]["user_agent"] and
              wrong[0]["action"] == "telemetry:write", "and who was not authenticated, once", lines)
    tap.check(b"wrong" not in read(audit), "without the credential")
    tap.same(server.stop(), 0, "it ends with status 0")


def trust_changes(authority, folder):
    pair = authority.server("trust")
    ca = os.path.join(folder, "trusted.pem")
    private(ca, read(authority.file).decode())
    server = Server(new_folder(), "--tls-cert", pair[0], "--tls-key", pair[1], "--tls-client-ca", ca)
    other = Authority(new_folder(), "new")
    with channel(server, authority, authority.issue("kept", usage="clientAuth")) as one:
        send = one.unary_unary(EXPORT)
        send(b"", timeout=10)
        private(ca, read(other.file).decode())

        def status():
            try:
                send(b"", timeout=10)
                return "OK"
            except grpc.RpcError as error:
                return error.code().name

        tap.check(wait_until(lambda: status() != "OK", 10), "an open connection ends with its authority")
        tap.same([status(), status()], ["UNAUTHENTICATED"] * 2, "as a wrong credential, each time")
        private(ca, read(authority.file).decode() + read(other.file).decode())
        tap.check(wait_until(lambda: status() == "OK", 10), "until the authority is trusted again")
    tap.same(server.stop(), 0, "it ends with status 0")


def serial_of(server, authority):
    with socket.create_connection(("127.0.0.1", server.grpc_port), timeout=10) as plain:
        with authority.context(alpn=["h2"]).wrap_socket(plain, server_hostname="localhost") as s:
            return s.getpeercert()["serialNumber"]


def reload_under_load(authority, folder):
    used = (os.path.join(folder, "used.pem"), os.path.join(folder, "used.key"))
    pairs = [authority.server(f"grpc{i}") for i in range(3)]

    def use(pair):
        for source, target in zip(pair, used):
            private(target, read(source).decode())
            time.sleep(0.05)

    use(pairs[0])
    server = Server(new_folder(), "--grpc-tls-cert", used[0], "--grpc-tls-key", used[1])
    errors, count, over = [], [0], threading.Event()

    def load(kept):
        body = body_of()
        one = channel(server, authority)
        while not over.is_set():
            try:
                one.unary_unary(EXPORT)(body, timeout=20)
                count[0] += 1
            except grpc.RpcError as error:
                errors.append(str(error))
            if not kept:
                one.close()
                one = channel(server, authority)
        one.close()

    threads = [threading.Thread(target=load, args=(kept,)) for kept in (False, False, True)]
    for thread in threads:
        thread.start()
    seen = {serial_of(server, authority)}
    for turn in range(4):
        before = serial_of(server, authority)
        use(pairs[(turn + 1) % 3])
        tap.check(wait_until(lambda: serial_of(server, authority) != before, 10), f"the pair is replaced, {turn + 1}")
        seen.add(serial_of(server, authority))
    over.set()
    for thread in threads:
        thread.join()
    tap.check(not errors and count[0] > 20, f"{count[0]} requests over gRPC meanwhile: none failed", errors[:3])
    tap.same(len(seen), 3, "each pair was used")
    tap.same(server.stop(), 0, "it ends with status 0")


def stalled(authority):
    pair = authority.server("stalled")
    server = Server(new_folder(), "--tls-cert", pair[0], "--tls-key", pair[1])
    idle = []
    for i in range(300):
        s = socket.create_connection(("127.0.0.1", server.grpc_port), timeout=10)
        s.sendall((b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x42" * 100)[:3 if i % 2 else None])
        idle.append(s)
    ticks = lambda: sum(int(n) for n in read(f"/proc/{server.pid}/stat").rsplit(b")", 1)[1].split()[11:13])
    time.sleep(0.5)
    before = ticks()
    time.sleep(1)
    tap.check(ticks() - before < 30, "300 half handshakes keep no processor busy", ticks() - before)
    tap.same(export(server, authority, body_of()), "OK", "beside them a client is served")
    for s in idle[::30]:
        s.settimeout(20)

    def ended(s):
        try:
            return s.recv(1000) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    tap.check(all(ended(s) for s in idle[::30]), "they are ended")
    tap.check(wait_until(lambda: any(line.startswith('callboard_tls_handshakes_total{outcome="failed"}') and int(line.split()[-1]) >= 300
                                     for line in ask(server, authority, "/metrics")[1].decode().splitlines()), 10), "and counted")
    tap.same(server.stop(), 0, "it ends with status 0")


def main():
    folder = new_folder()
    authority = Authority(folder)
    all_ports(authority)
    starts(authority)
    client_certificates(authority, folder)
    trust_changes(authority, folder)
    reload_under_load(authority, folder)
    stalled(authority)
    tap.end()


main()
