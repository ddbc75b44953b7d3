"""The same contract where credentials are required: the client brings an API
token, or a JWT of an identity provider; and what it sees without one."""
import os
import subprocess
import tempfile

from contract import LOGS, ORIGIN, PARTS, PRODUCTION, body, check, tap
from issuer import Issuer, Key
from running import Running

OPTIONS = ("--cors-origins", "http://other.example, " + ORIGIN,
           "--auth", "required", "--auth-ingest", "none")
GRANTS = """grants:
  - {claim: groups, value: portal, roles: [viewer], namespace: "*"}
  - {claim: groups, value: beta, roles: [viewer], namespace: beta}
"""


def create(server, namespace):
    return subprocess.run(
        [os.environ["CALLBOARD"], "token", "create", "portal", "--role",
         "viewer", "--namespace", namespace, "--data-dir",
         os.path.join(server.folder, "data")],
        check=True, capture_output=True, text=True).stdout.strip()


def refusals(server, other):
    """Without a credential, with a wrong one, and with one of `other`."""
    right = server.credential
    for credential, status, title, error in (
            (None, 401, "unauthorized", "MISSING_TOKEN"),
            ("Bearer a.b.c", 401, "unauthorized", "INVALID_TOKEN"),
            (other, 403, "forbidden", None)):
        server.credential = credential
        seen, answer = server.ask_json("POST", LOGS, body())
        check(seen == status and answer["title"] == title and
              answer["errorCode"] == "" and answer.get("error") == error,
              f"{title} {error}: {status}", seen, answer)
        _, headers, _ = server.ask("POST", LOGS, body(), {"Origin": ORIGIN})
        check(headers.get("access-control-allow-origin") == ORIGIN,
              f"{title} {error}: the portal can read it", headers)
    seen, answer = server.ask_json("POST", LOGS, body(
        {**PRODUCTION, "namespace": "beta"}))
    check(seen == 200 and answer["logs"] == [],
          "but in its own namespace it may ask", seen, answer)
    server.credential = right


def run(server, credential, other):
    server.credential = credential
    server.play()
    for part in PARTS:
        part(server)
    refusals(server, other)


def by_token():
    print("# with an API token")
    with Running(*OPTIONS) as server:
        run(server, "Bearer " + create(server, "*"),
            "Bearer " + create(server, "beta"))


def by_jwt():
    print("# with a JWT")
    provider = Issuer([Key("k1"), Key("k2", "ES256")])
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as grants:
        grants.write(GRANTS)
        grants.flush()
        with Running(*OPTIONS, "--grants", grants.name, "--jwks-url",
                     provider.url + "/certs", "--jwt-issuer", provider.issuer,
                     "--jwt-audience", "callboard") as server:
            token = lambda group: "Bearer " + provider.token(groups=[group])
            run(server, token("portal"), token("beta"))
    provider.stop()


by_token()
by_jwt()
tap.exit()
