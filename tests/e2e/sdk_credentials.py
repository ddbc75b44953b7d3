"""An SDK with TLS, tokens and client certificates, by its environment variables:
accepted with a right credential, refused once with a wrong one.

    sdk_credentials.py go|java COMMAND...    that sends a span
"""
import os
import subprocess
import sys

from callboard import Tap, new_folder
from certificates import Authority
from secured import Secured, asks_for_certificates, client_pair, wrong_of

tap = Tap()
LANGUAGE, COMMAND = sys.argv[1], sys.argv[2:]
PORTS = {"http/protobuf": "otlp_port", "grpc": "grpc_port"}
# What the exporters say without a right credential, and without the right to send.
TEXTS = {"go": {"http/protobuf": ("401", "403"), "grpc": ("Unauthenticated", "PermissionDenied")},
         "java": {"http/protobuf": ("HTTP status code 401", "HTTP status code 403"),
                  "grpc": ("gRPC status code 16", "gRPC status code 7")}}[LANGUAGE]


def send(server, way, component, **variables):
    """What it said."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    variables.update(ENDPOINT=f"https://localhost:{getattr(server, PORTS[way])}", PROTOCOL=way)
    environment.update({"OTEL_EXPORTER_OTLP_" + key: value for key, value in variables.items()})
    environment.update(OTEL_SERVICE_NAME=component, OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def by_token(authority, pair):
    server = Secured(pair)
    writer, reader = server.token("ci", "ingest", "acme"), server.token("eye", "viewer", "acme")
    for way, (unauthenticated, denied) in TEXTS.items():
        for blank in ("%20", " "):
            name = f"{LANGUAGE}-{way.replace('/', '-')}-{len(blank)}"
            said = send(server, way, name, CERTIFICATE=authority.file, HEADERS=f"authorization=Bearer{blank}{writer}")
            tap.check(server.found("acme", name) == {"traces"},
                      f"{way}, a token with {blank!r}: it is of the token's namespace", said)
        for token, label, text in ((wrong_of(writer), ("token", "unknown"), unauthenticated),
                                   ("", ("none", "missing"), unauthenticated), (reader, ("token", "denied"), denied)):
            before = server.auth(*label)
            headers = {"HEADERS": f"authorization=Bearer%20{token}"} if token else {}
            said = send(server, way, "never", CERTIFICATE=authority.file, **headers)
            tap.check(text in said, f"{way}, {label}: the exporter says {text}", said)
            tap.same(server.auth(*label) - before, 1, f"{way}, {label}: and sends once")
    tap.same(server.found("acme", "never"), set(), "nothing of what was refused is there")
    tap.same(server.stop(), 0, "the server ends well")


def by_certificate(authority, pair):
    server = asks_for_certificates(authority, pair, "ingest")
    cert, key = client_pair(authority)
    for way in TEXTS:
        name = f"{LANGUAGE}-cert-{way.replace('/', '-')}"
        said = send(server, way, name, CERTIFICATE=authority.file, CLIENT_CERTIFICATE=cert, CLIENT_KEY=key)
        tap.check(server.found("acme", name) == {"traces"}, f"{way}: with a client certificate", said)
    tap.same(server.stop(), 0, "the server ends well")


authority = Authority(new_folder())
pair = authority.server("server")
by_token(authority, pair)
by_certificate(authority, pair)
tap.end()
