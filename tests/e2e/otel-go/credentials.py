"""The Go SDK with TLS, tokens and client certificates, by its environment
variables: accepted with a right credential, refused once with a wrong one.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from callboard import Tap, new_folder
from certificates import Authority
from secured import Secured, asks_for_certificates, client_pair, wrong_of

tap = Tap()
WAYS = {"http/protobuf": ("otlp_port", "401", "403"), "grpc": ("grpc_port", "Unauthenticated", "PermissionDenied")}


def send(server, way, component, **variables):
    """Exit status and what it said."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    variables.update(ENDPOINT=f"https://localhost:{getattr(server, WAYS[way][0])}", PROTOCOL=way)
    environment.update({"OTEL_EXPORTER_OTLP_" + key: value for key, value in variables.items()})
    environment["OTEL_SERVICE_NAME"] = component
    done = subprocess.run([os.environ["SENDER"]], env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def by_token(authority, pair):
    server = Secured(pair)
    writer, reader = server.token("ci", "ingest", "acme"), server.token("eye", "viewer", "acme")
    for way, (_, unauthenticated, denied) in WAYS.items():
        for blank in ("%20", " "):
            name = f"go-{way.replace('/', '-')}-{len(blank)}"
            seen = send(server, way, name, CERTIFICATE=authority.file, HEADERS=f"authorization=Bearer{blank}{writer}")
            tap.check(seen[0] == 0 and server.found("acme", name) == {"traces"},
                      f"{way}, a token with {blank!r}: it is of the token's namespace", seen)
        for token, label, text in ((wrong_of(writer), ("token", "unknown"), unauthenticated),
                                   ("", ("none", "missing"), unauthenticated), (reader, ("token", "denied"), denied)):
            before = server.auth(*label)
            headers = {"HEADERS": f"authorization=Bearer%20{token}"} if token else {}
            code, said = send(server, way, "never", CERTIFICATE=authority.file, **headers)
            tap.check(code == 1 and text in said, f"{way}, {label}: the exporter shows {text}", said)
            tap.same(server.auth(*label) - before, 1, f"{way}, {label}: and sends once")
    tap.same(server.found("acme", "never"), set(), "nothing of what was refused is there")
    tap.same(server.stop(), 0, "the server ends well")


def by_certificate(authority, pair):
    server = asks_for_certificates(authority, pair, "ingest")
    cert, key = client_pair(authority)
    for way in WAYS:
        name = "go-cert-" + way.replace("/", "-")
        seen = send(server, way, name, CERTIFICATE=authority.file, CLIENT_CERTIFICATE=cert, CLIENT_KEY=key)
        tap.check(seen[0] == 0 and server.found("acme", name) == {"traces"}, f"{way}: with a client certificate", seen)
    tap.same(server.stop(), 0, "the server ends well")


authority = Authority(new_folder())
pair = authority.server("server")
by_token(authority, pair)
by_certificate(authority, pair)
tap.end()
