"""Where keys come from: several issuers, files, https, rotation, an issuer that
is away; OpenChoreo's variables; metadata; client certificates. See
jwt-issuers.sh."""
import http.client
import json
import os
import ssl
import time

from callboard import DidNotStart, Server, Tap, new_folder
from certificates import Authority
from issuer import Issuer, Key
from jwt_tokens import GRANTS, LIST, admin, start, status, until, write

tap = Tap()
METADATA = "/.well-known/oauth-protected-resource"


def test_several():
    """Each token by the keys, the audience and the issuer of its own."""
    one, two = Issuer([Key("k", "ES256")]), Issuer([Key("k", "ES256")])
    folder = new_folder()
    write(folder + "/grants.yaml", GRANTS)
    server = Server(
        folder + "/data", "--auth", "required", "--grants",
        folder + "/grants.yaml", "--jwks-url", f"{one.url},{two.url}",
        "--jwt-issuer", f"{one.issuer},{two.issuer}",
        "--jwt-audience", "callboard,other", "--base-url",
        "https://callboard.example/")
    tap.same(status(server, one.token(groups="devs")), 200, "issuer 1")
    tap.same(status(server, two.token(groups="devs", aud="other")), 200,
             "issuer 2, with its own audience")
    tap.same(status(server, two.token(groups="devs")), 401,
             "issuer 2 with the audience of 1")
    tap.same(status(server, two.token(groups="devs", iss=one.issuer)), 401,
             "issuer 1 by a key of 2, of the same kid")
    for path in (METADATA, METADATA + "/mcp"):
        answer = server.query(path)
        tap.same((answer.status, json.loads(answer.body)), (200, {
            "resource_name": "Callboard",
            "resource": "https://callboard.example/mcp",
            "authorization_servers": [one.issuer, two.issuer],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["openid", "profile", "email"]}), "metadata, to strangers")
    for path in ("/mcp", "/api/v1/components"):
        answer = server.query(path)
        tap.same((answer.status, answer.headers.get("WWW-Authenticate")), (
            401, f'Bearer resource_metadata="https://callboard.example{METADATA}", scope="openid profile email"'),
            f"401 of {path} says where the metadata are")
    server.stop()
    server = start(one)
    tap.same(server.query(METADATA).status, 404, "no metadata without a URL")
    server.stop()
    for url in ("callboard.example", "https://", "https://a?b", "ftp://a"):
        try:
            Server(new_folder(), "--base-url", url).kill()
            tap.check(False, f"--base-url {url} is refused")
        except DidNotStart as error:
            tap.check("--base-url" in error.log, f"--base-url {url} is refused",
                      error.log)


def test_file():
    """Read again when it changes; a key that is taken out is refused."""
    idp = Issuer([Key("a", "ES256"), Key("b", "ES256")])
    folder = new_folder()
    path = folder + "/jwks.json"
    both = json.dumps({"keys": [key.jwk() for key in idp.keys]})
    write(path, both)
    write(folder + "/grants.yaml", GRANTS)
    server = Server(folder + "/data", "--auth", "required", "--grants",
                    folder + "/grants.yaml", "--jwks-url", "file:" + path,
                    "--jwt-issuer", idp.issuer, "--jwt-audience", "callboard")
    a, b = (idp.token(key, groups="devs") for key in idp.keys)
    tap.same(until(200, 3, lambda: status(server, a)), 200, "file: key a")
    tap.same(status(server, b), 200, "file: key b")
    write(path, json.dumps({"keys": [idp.keys[0].jwk()]}))
    tap.same(until(401, 5, lambda: status(server, b)), 401,
             "a token of a key that was taken out, though it was known")
    tap.same(status(server, a), 200, "the other key stays")
    write(path, both[:40])
    time.sleep(1.5)
    tap.same(status(server, a), 200, "a broken file keeps the keys")
    tap.check(f"the keys at file:{path} cannot be read" in
              admin(server, "/health"), "and is noted",
              admin(server, "/health"))
    write(path, both)
    tap.same(until(200, 5, lambda: status(server, b)), 200, "whole again")
    tap.same(len(idp.seen), 0, "nothing was fetched")
    server.stop()


def test_https():
    """TLS of the issuer is verified by --jwks-ca."""
    ca = Authority(new_folder(), "issuer-ca")
    other = Authority(new_folder(), "other-ca")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ca.server("idp"))
    idp = Issuer([Key("k", "ES256")])
    idp.server.socket = context.wrap_socket(idp.server.socket, server_side=True)
    idp.url = idp.url.replace("http:", "https:")
    for name, options, wanted in (
            ("its authority", ["--jwks-ca", ca.file], 200),
            ("another authority", ["--jwks-ca", other.file], 503),
            ("those of the system", [], 503)):
        server = start(idp, *options)
        token = idp.token(groups="devs")
        tap.same(until(wanted, 5, lambda: status(server, token)), wanted,
                 f"https verified by {name}: {wanted}")
        server.stop()


def credentials(server, context=None):
    """The kinds that GET /api/v1/session names."""
    made = http.client.HTTPSConnection("localhost", server.query_port, context=context) if context else \
        http.client.HTTPConnection("localhost", server.query_port)
    made.request("GET", "/api/v1/session")
    kinds = json.loads(made.getresponse().read())["credentials"]
    made.close()
    return kinds


def test_certificates():
    """A client certificate has the grants of the rows with its name."""
    ca = Authority(new_folder())
    folder = new_folder()
    cert, key = ca.server("server")
    write(folder + "/grants.yaml", """
grants:
  - {certificate: "spiffe://acme/ci", role: viewer, namespace: acme}
  - {certificate: "spiffe://acme/ci", role: operator, namespace: "*"}
  - {claim: sub, value: "spiffe://acme/claim", role: admin, namespace: "*"}
""")
    server = Server(folder + "/data", "--auth", "required", "--grants",
                    folder + "/grants.yaml", "--tls-cert", cert, "--tls-key",
                    key, "--tls-client-ca", ca.file, "--tls-clients",
                    "optional")

    def ask(pair, path):
        client = http.client.HTTPSConnection(
            "localhost", server.query_port, context=ca.context(pair))
        client.request("GET", path)
        answer = client.getresponse().status
        client.close()
        return answer

    def client(name):
        return ca.issue(name, san=f"URI:spiffe://acme/{name}",
                        usage="clientAuth")

    known = client("ci")
    tap.same(credentials(server, ca.context()), ["token", "certificate"], "credentials: no issuer, so no JWT; certificates of the grants")
    tap.same(ask(known, LIST), 200, "certificate: its namespace")
    tap.same(ask(known, LIST.replace("acme", "evil")), 403,
             "certificate: another one")
    tap.same(ask(known, "/metrics"), 200, "certificate: its second row")
    for name in "claim", "ci2", "cI":
        tap.same(ask(client(name), LIST), 401,
                 f"certificate {name}: no row, like none")
    tap.same(ask(None, LIST), 401, "no certificate")
    write(folder + "/grants.yaml", "grants: []\n")
    tap.same(until(401, 5, lambda: ask(known, LIST)), 401,
             "certificate: its rows were taken out")
    server.stop()


def test_away():
    """The keys that are known outlive the issuer."""
    idp = Issuer([Key("k", "ES256")])
    server = start(idp)
    tap.same(credentials(server), ["token", "jwt"], "credentials: JWTs of an issuer; plain HTTP has no certificates")
    tap.same(until(200, 5, lambda: status(server, idp.token(groups="devs"))),
             200, "an issuer that answers")
    idp.stop()
    time.sleep(0.2)
    tap.same(status(server, idp.token(groups="devs", jti="new")), 200,
             "it is away: its keys are used")
    tap.check(status(server, idp.token(Key("x", "ES256"), groups="devs"))
              in (401, 503), "an unknown key is refused")
    tap.same(status(server, idp.token(groups="devs", jti="later")), 200,
             "and the known ones stay")
    server.stop()


def test_environment():
    """The variables of OpenChoreo's Observer."""
    idp = Issuer([Key("k", "ES256")])
    names = {"JWKS_URL": idp.url, "JWT_ISSUER": idp.issuer,
             "JWT_AUDIENCE": "callboard", "AUTHZ_SERVICE_URL": idp.url,
             "OBSERVER_BASE_URL": "https://observer.example"}
    os.environ.update(names)
    server = Server(new_folder(), "--auth", "required")
    tap.same(until(403, 5, lambda: status(server, idp.token(), "/metrics")),
             403, "JWKS_URL, JWT_ISSUER, JWT_AUDIENCE: known, without a grant")
    status(server, idp.token(groups=["devs"]), LIST)
    tap.check(any("/authz/evaluates" in seen[2] for seen in idp.seen),
              "AUTHZ_SERVICE_URL is asked")
    tap.same(json.loads(server.query(METADATA).body)["resource"],
             "https://observer.example/mcp", "OBSERVER_BASE_URL")
    server.stop()
    for name in names:
        del os.environ[name]
    os.environ["JWT_DISABLED"] = "true"
    server = Server(new_folder())
    tap.same(server.query("/metrics").status, 200, "JWT_DISABLED: --auth none")
    server.stop()
    del os.environ["JWT_DISABLED"]
    for name in ("JWKS_URL_TLS_INSECURE_SKIP_VERIFY",
                 "AUTHZ_TLS_INSECURE_SKIP_VERIFY"):
        os.environ[name] = "true"
        try:
            Server(new_folder()).kill()
            tap.check(False, f"{name} ends the start")
        except DidNotStart as error:
            tap.check(name in error.log, f"{name} ends the start", error.log)
        del os.environ[name]


def main():
    test_several()
    test_file()
    test_https()
    test_certificates()
    test_away()
    test_environment()
    tap.end()


main()
