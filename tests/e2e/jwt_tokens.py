"""JWT: issuer, grants, rotation, faults, decisions. See jwt.sh."""
import collections
import concurrent.futures
import os
import re
import socket
import time

from callboard import Client, DidNotStart, Server, Tap, new_folder
from issuer import Evaluate, Issuer, Key, b64

tap = Tap()
LIST = "/api/v1/components?namespace=acme"
LOGS = "/api/v1/logs/query"
GRANTS = """
grants:
  - {claim: groups, value: devs, roles: [viewer], namespace: acme}
  - {claim: realm_access/roles, value: sender, role: ingest, namespace: acme}
  - {claim: sub, value: root, roles: [admin], namespace: "*"}
"""


def scope(**names):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    start = time.gmtime(time.time() - 600)
    return {"startTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", start),
            "endTime": now, "searchScope": names}


def write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def start(idp, *options, grants=GRANTS):
    folder = new_folder()
    more = []
    if grants is not None:
        write(folder + "/grants.yaml", grants)
        more = ["--grants", folder + "/grants.yaml"]
    server = Server(folder + "/data", "--auth", "required",
                    "--jwks-url", idp.url + "/certs",
                    "--jwt-issuer", idp.issuer, "--jwt-audience", "callboard",
                    *more, *options)
    server.grants_path = folder + "/grants.yaml"
    return server


def status(server, token, path=LIST, body=None):
    return server.query(path, body,
                        headers={"Authorization": f"Bearer {token}"}).status


def admin(server, path):
    """The answer to the user of the server, who may see all."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(server.folder + "/admin.sock")
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                       "Connection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(65536), b"")).decode()


def until(wanted, seconds, ask):
    end = time.monotonic() + seconds
    while (seen := ask()) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    return seen


def counts(server):
    """Requests by credential and outcome."""
    found = re.findall(r'callboard_auth_total\{kind="(\w+)",outcome="(\w+)"\} (\d+)', admin(server, "/metrics"))
    return collections.Counter({(kind, outcome): int(count) for kind, outcome, count in found})


def test_claims(idp, server):
    devs = idp.token(groups=["qa", "devs"])
    now = int(time.time())
    tap.same(server.query(LIST).status, 401, "no credential")
    for key in idp.keys:
        tap.same(status(server, idp.token(key, groups="devs")), 200,
                 f"{key.alg}: a viewer of acme reads acme")
    tap.same(status(server, devs, LIST.replace("acme", "evil")), 403,
             "another namespace")
    tap.same(status(server, devs, LOGS, scope(namespace="acme")), 200,
             "a scope in the body")
    tap.same(status(server, devs, LOGS, scope(namespace="evil")), 403,
             "another one in the body")
    tap.same(status(server, devs, "/metrics"), 403, "no operator")
    tap.same(status(server, idp.token()), 403, "a good token without grants")
    tap.same(status(server, idp.token(sub="root"), "/metrics"), 200,
             "an administrator by sub")
    before = counts(server)
    status(server, devs)
    status(server, devs, "/metrics")
    tap.same(counts(server) - before, {("jwt", "ok"): 2, ("jwt", "denied"): 1},
             "one that may and one that may not, counted")
    for name, outcome, token in (
            ("expired", "claims", idp.token(groups="devs", exp=now - 60)),
            ("of another audience", "claims", idp.token(groups="devs", aud="account")),
            ("of another issuer", "unknown", idp.token(groups="devs", iss="https://x")),
            ("not valid yet", "claims", idp.token(groups="devs", nbf=now + 600)),
            ("tampered", "signature", devs[:-6] + "AAAAAA"),
            ("unsigned", "unknown", devs.rsplit(".", 1)[0] + ".")):
        before = counts(server)
        tap.same(status(server, token), 401, f"{name}: 401")
        tap.same(counts(server) - before, {("jwt", outcome): 1}, f"{name}: counted as {outcome}")
    sender = idp.token(realm_access={"roles": ["sender"]})
    with Client(server.otlp_port) as client:
        answer = client.request(
            "POST", "/v1/logs", b"{}", {"Content-Type": "application/json",
                                        "Authorization": f"Bearer {sender}"})
        tap.same(answer.status, 200, "a sender writes")
    tap.same(status(server, sender), 403, "and does not read")


def test_grants_file(idp, server):
    token = idp.token(groups="devs")
    write(server.grants_path, GRANTS.replace("devs", "others"))
    tap.same(until(403, 5, lambda: status(server, token)), 403,
             "grants that were taken away")
    write(server.grants_path, GRANTS.replace("viewer", "king"))
    time.sleep(1.5)
    tap.same(status(server, idp.token(groups="others")), 200,
             "a broken file keeps what was loaded")
    tap.check("grants.yaml cannot be used" in admin(server, "/health"),
              "and is noted", admin(server, "/health"))
    write(server.grants_path, GRANTS)
    tap.same(until(200, 5, lambda: status(server, token)), 200,
             "grants that are back")
    tap.check("grants.yaml" not in admin(server, "/health"),
              "and are not noted")
    tap.check(f'callboard_jwks_age_seconds{{issuer="{idp.issuer}"}} ' in
              admin(server, "/metrics"), "the age of the keys")


def test_rotation(idp, server):
    """A new key while 100 requests a second run."""
    started = time.monotonic()
    time.sleep(max(0.0, idp.seen[0][0] + 10.5 - started))
    old, new = idp.token(groups="devs"), Key("new")
    seen = []
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for i in range(300):
            if i == 100:
                idp.keys.append(new)
            token = old if i < 100 else idp.token(new, groups="devs")
            seen.append(pool.submit(status, server, token))
            time.sleep(0.01)
    seen = [one.result() for one in seen]
    tap.check(set(seen) <= {200, 503}, "rotation: none fails but with 503",
              {code: seen.count(code) for code in set(seen)})
    tap.check(seen.count(200) > 290, "rotation: nearly all are answered")


def test_unknown_kids(idp, server):
    count = 20_000
    token = idp.token(groups="devs")
    tap.same(status(server, token), 200, "a token that is known")
    before, began = len(idp.seen), time.monotonic()
    body = idp.token(Key("x", "ES256"), groups="devs").split(".", 1)[1]
    codes = {}
    with Client(server.query_port) as client:
        for i in range(count):
            if time.monotonic() - began > 10:
                break
            head = b64({"alg": "ES256", "kid": f"k{i}"})
            code = client.request(
                "GET", LIST, None,
                {"Authorization": f"Bearer {head}.{body}"}).status
            codes[code] = codes.get(code, 0) + 1
    tap.check(len(idp.seen) - before <= 2, "unknown kids: at most 2 fetches",
              len(idp.seen) - before)
    tap.check(set(codes) <= {401, 429, 503}, "all of them are refused", codes)
    tap.same(status(server, token), 200, "the known one is served meanwhile")


def test_faults():
    """No keys at the start: 503, and 200 once the issuer is well."""
    for fault in ("slow", "5xx", "big", "redirect", "html", "empty"):
        idp = Issuer([Key("k", "ES256")])
        idp.fault = fault
        server = start(idp)
        token = idp.token(groups="devs")
        tap.same(status(server, token), 503, f"keys {fault}: 503")
        idp.fault = None
        tap.same(until(200, 10, lambda: status(server, token)), 200,
                 f"keys {fault}: 200 afterwards")
        server.stop()
        idp.stop()


def test_start():
    idp = Issuer([Key("k", "ES256")])
    url = ["--jwks-url", idp.url]
    for name, options in {
            "no issuer": [*url, "--jwt-audience", "any"],
            "no audience": [*url, "--jwt-issuer", "x"],
            "not a URL": ["--jwks-url", "/etc/passwd", "--jwt-issuer", "x",
                          "--jwt-audience", "any"],
            "decisions without an issuer": ["--authz-url", idp.url]}.items():
        try:
            Server(new_folder(), "--auth", "required", *options).kill()
            tap.check(False, f"start with {name} is refused")
        except DidNotStart as error:
            tap.check(error.code not in (None, 0) and "level=error" in
                      error.log, f"start with {name} is refused", error.log)


def test_decisions():
    idp = Issuer([Key("k", "ES256")])
    control = Evaluate(lambda q: q["resource"]["hierarchy"]["namespace"] ==
                       "acme" and q["resource"]["id"] != "secret")
    server = start(idp, "--authz-url", control.url + "/", grants=None)
    token = idp.token(groups=["devs"])
    good = scope(namespace="acme", project="shop", environment="prod")
    tap.same(status(server, token, LOGS, good), 200, "decision: yes")
    question = control.questions()[0][0]
    tap.same(question, {
        "subject_context": {"type": "user", "entitlement_claim": "groups",
                            "entitlement_values": ["devs"]},
        "resource": {"type": "project", "id": "shop", "hierarchy":
                     {"namespace": "acme", "project": "shop"}},
        "action": "logs:view",
        "context": {"resource": {"environment": "acme/prod"}}},
        "the question is OpenChoreo's")
    tap.same(control.seen[0][3].get("Authorization"), "Bearer " + token,
             "it has the caller's token")
    for _ in range(10):
        status(server, token, LOGS, good)
    tap.same(len(control.seen), 1, "a decision is kept")
    tap.same(status(server, token, LOGS, scope(namespace="evil")), 403,
             "decision: no")
    tap.same(status(server, token, LIST), 200, "decision about the head")
    tap.same(status(server, token, LIST + "&project=secret"), 403,
             "decision about the head: no")
    tap.same(status(server, token, "/metrics"), 403,
             "what the service does not know is not asked")
    before = len(control.seen)
    star = [scope(namespace="*"), scope(namespace="acme", project="*"),
            scope(namespace="acme", project="shop", component="*"),
            scope(namespace="acme", project="shop", environment="*")]
    tap.same([status(server, token, LOGS, body) for body in star], [403] * 4,
             "\"*\" in a scope: 403")
    tap.same(status(server, token, LIST + "&project=*"), 403,
             "\"*\" in a parameter: 403")
    tap.same(len(control.seen) - before, 0,
             "\"*\" is no name: the service is not asked")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        before = len(control.seen)
        codes = list(pool.map(lambda _: status(
            server, token, LOGS, scope(namespace="acme", project="p2")),
            range(20)))
        tap.same(set(codes), {200}, "20 equal questions")
        tap.same(len(control.seen) - before, 1, "share one call")
    for fault in ("5xx", "html", "empty", "big", "redirect", "slow"):
        control.fault = fault
        other = scope(namespace="acme", project=f"p-{fault}")
        tap.same(status(server, token, LOGS, other), 503,
                 f"decision {fault}: 503")
    control.fault = "401"
    tap.same(status(server, token, LOGS, scope(namespace="acme", project="z")),
             401, "the service refuses the token: 401")
    tap.same(status(server, token, LOGS, good), 200,
             "what was decided holds meanwhile")
    tap.same(server.stop(), 0, "stops")


def main():
    idp = Issuer([Key("k1"), Key("k2", "ES256")])
    server = start(idp)
    test_claims(idp, server)
    test_grants_file(idp, server)
    test_rotation(idp, server)
    test_unknown_kids(idp, server)
    server.stop()
    test_start()
    test_decisions()
    test_faults()
    tap.end()


if __name__ == "__main__":
    main()
