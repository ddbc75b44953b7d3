"""Who may ask what. The matrix is made from the route tables in the source: each
route with no, a malformed, an unknown, an expired, a revoked and a right
credential, the right and another action, in its own namespace, in another and in
all. Whatever is refused is refused in the shape of its family, and no byte of
the data of another namespace is in any answer. Then the life of a token: made by
the command line over the socket, listed, rotated, revoked, in a file that
changes; and what is wrong with starts.
"""
import base64
import hashlib
import http.client
import json
import os
import re
import secrets
import stat
import subprocess
import time

from access_kit import admin, ask, make_token, row, write_tokens
from callboard import NS, DidNotStart, Server, Tap, new_folder, wait_until
from route_tables import read_routes

tap = Tap()
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SECRET = "word" + secrets.token_hex(8)
NOW = time.time_ns() // NS * NS

# ---- the routes ----

def read_actions():
    with open(os.path.join(TOP, "include", "grant.h")) as file:
        return dict(re.findall(r'X\((ACTION_\w+),\s*"([a-z:]+)"', file.read()))


ACTIONS = read_actions()
ROUTES = read_routes("query", "analysis", "costs", "ingest")  # mcp: answers of JSON-RPC


def path_of(path, scope):
    if scope == "PATH":
        return "/api/v1/components/acme/shop/cart"
    if scope == "PATH_SPACE":
        path = path.replace("{}", "acme", 1)
    if scope == "QUERY":
        path += "?namespace=acme&project=shop"
    if scope == "NARROWED":
        path += "?namespace=acme"
    for part in ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"):
        path = path.replace("{}", part, 1)
    return path


def body_of(method, path, scope):
    if method == "GET" or method == "DELETE":
        return None
    if path.startswith("/v1/"):
        return "{}"
    names = {"namespace": "acme", "project": "shop", "component": "cart"}
    body = {"searchScope": names, "startTime": "2026-01-01T00:00:00Z", "endTime": "2030-01-01T00:00:00Z"}
    if "rca-agent" in path or path == "/api/v1/cause":
        body.update(names)
    if path.endswith("/metrics/query"):
        body["metric"] = "resource"
    return json.dumps(body)


# ---- the shape of a refusal ----

OURS = {"title", "errorCode", "message", "detail", "error"}


def shape_is_right(route, status, headers, text, error):
    """What is wrong with it; None: nothing."""
    method, path, _, _, folder = route
    try:
        body = json.loads(text)
    except ValueError:
        return "not JSON: " + text
    if headers.get("Retry-After"):
        return "Retry-After"
    if (headers.get("WWW-Authenticate") == "Bearer") != (status == 401):
        return "WWW-Authenticate"
    if folder == "ingest":
        wanted = {401: 16, 403: 7}[status]
        return None if body.get("code") == wanted and body.get("message") else text
    if not set(body) <= OURS or body.get("title") != {401: "unauthorized", 403: "forbidden"}[status]:
        return text
    if status == 401 and (body.get("error") != error or body["message"] != "missing or invalid authentication token"):
        return text
    if status == 403 and "may not do" not in body["message"]:
        return text
    if "rca-agent" in path and body.get("detail") != body["message"]:
        return "no detail: " + text
    return None


def port_of(server, route):
    return server.otlp_port if route[4] == "ingest" else server.query_port


def check_refused(server, route, what, status, error=None, token=None, header=None):
    method, path, _, scope, _ = route
    seen, headers, text = ask(port_of(server, route), method, path_of(path, scope), body_of(method, path, scope),
                              token=token, header=header, group=what)
    problem = None if seen == status else f"{seen} {text}"
    problem = problem or shape_is_right(route, seen, headers, text, error)
    if SECRET in text:
        problem = "the data of another: " + text
    if problem or VERBOSE:
        tap.check(not problem, f"{method} {path} {what}", problem)
    return not problem


VERBOSE = bool(os.environ.get("VERBOSE"))


def other_action(action):
    return next(a for a in ACTIONS.values() if a != ACTIONS[action])


class Matrix:
    def __init__(self):
        self.folder = new_folder()
        self.file = os.path.join(new_folder(), "tokens.yaml")
        self.rows = []
        self.tokens = {}
        for action in ACTIONS.values():
            for space in ("acme", "beta", "*"):
                self.tokens[action, space] = self.add(action + " " + space, actions=[action], namespace=space)
        self.expired = self.add("old", role="admin", namespace="*", expires="2024-01-01T00:00:00Z")
        write_tokens(self.file, self.rows)
        self.server = Server(self.folder, "--auth", "required", "--tokens", self.file)
        status, made = admin(self.server, "POST", "/api/v1/access/tokens", {"name": "gone", "role": "admin", "namespace": "*"})
        self.revoked = made["token"]
        admin(self.server, "DELETE", "/api/v1/access/tokens/" + made["id"])

    def add(self, name, **members):
        token = make_token()
        self.rows.append(row(token, name, **members))
        return token

    def send_data(self):
        def attr(key, value):
            return {"key": key, "value": {"stringValue": value}}
        trace = {"resourceSpans": [{"resource": {"attributes": [
            attr("service.name", "cart"), attr("openchoreo.dev/namespace", "acme"),
            attr("openchoreo.dev/project", "shop"), attr("openchoreo.dev/component", "cart")]},
            "scopeSpans": [{"spans": [{
                "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": SECRET, "kind": 2,
                "startTimeUnixNano": str(NOW - NS), "endTimeUnixNano": str(NOW),
                "attributes": [attr("http.request.method", "GET"), attr("http.route", "/" + SECRET)]}]}]}]}
        status, _, text = ask(self.server.otlp_port, "POST", "/v1/traces", json.dumps(trace),
                              token=self.tokens["telemetry:write", "acme"])
        tap.check(status == 200, "a span is taken with a token of its namespace", text)
        path = "/api/v1alpha1/traces/0af7651916cd43dd8448eb211c80319c/spans/b7ad6b7169203331"
        status, _, text = ask(self.server.query_port, "GET", path, None, token=self.tokens["traces:view", "acme"])
        tap.check(status == 200 and SECRET in text, "and shown to its namespace", text)

    def check_credentials(self, route):
        good = check_refused(self.server, route, "without a credential", 401, "MISSING_TOKEN")
        good &= check_refused(self.server, route, "Bearer alone", 401, "MISSING_TOKEN", header="Bearer")
        good &= check_refused(self.server, route, "malformed", 401, "INVALID_TOKEN", header="Bearer cbt_x")
        good &= check_refused(self.server, route, "another scheme", 401, "INVALID_TOKEN", header="Digest x")
        good &= check_refused(self.server, route, "unknown", 401, "INVALID_TOKEN", token=make_token())
        good &= check_refused(self.server, route, "expired", 401, "INVALID_TOKEN", token=self.expired)
        good &= check_refused(self.server, route, "revoked", 401, "INVALID_TOKEN", token=self.revoked)
        return good

    def check_action(self, route):
        method, path, action, scope, folder = route
        good = True
        for space in ("acme", "*"):
            good &= check_refused(self.server, route, f"another action in {space}", 403,
                                  token=self.tokens[other_action(action), space])
        if scope in ("QUERY", "NARROWED", "PATH", "PATH_SPACE"):
            good &= check_refused(self.server, route, "in another namespace", 403,
                                  token=self.tokens[ACTIONS[action], "beta"])
        if scope == "NONE":
            good &= check_refused(self.server, route, "in one namespace only", 403,
                                  token=self.tokens[ACTIONS[action], "acme"])
        return good

    def check_right(self, route):
        """The right one is let in; that of another namespace sees nothing."""
        method, path, action, scope, _ = route
        good = True
        for space in ("*", "acme", "beta"):
            if space != "*" and scope == "NONE" or space == "beta" and scope in ("QUERY", "NARROWED", "PATH", "PATH_SPACE"):
                continue
            status, _, text = ask(port_of(self.server, route), method, path_of(path, scope),
                                  body_of(method, path, scope), token=self.tokens[ACTIONS[action], space])
            let_in = status not in (401, 403) and (status < 500 or status == 501)
            problem = None
            if space != "beta" and not let_in:
                problem = f"{status} {text}"
            elif space == "beta" and (SECRET in text or status >= 500 and status != 501):
                problem = f"{status} {text}"
            elif space == "beta" and scope == "BODY" and status == 200 and "access" not in path:
                problem = f"answered a scope that is not its own: {text}"
            if problem or VERBOSE:
                good &= tap.check(not problem, f"{method} {path} with the right action in {space}", problem)
        return good

    def run(self):
        self.send_data()
        for route in ROUTES:
            method, path, action, scope, _ = route
            if action == "ACTION_OPEN":
                status, _, text = ask(self.server.query_port, method, path, None)
                # There is no issuer, and no such page; the way to the page is one step.
                served = 404 if "oauth" in path or "{}" in path else 302 if path == "/ui" else 200
                tap.check(status == served and "notes" not in text, f"{method} {path} is open", text)
                continue
            good = self.check_credentials(route)
            if action != "ACTION_ANY":
                good &= self.check_action(route) & self.check_right(route)
            tap.check(good, f"{method} {path}: {action} {scope}")

    def check_strangers(self):
        port = self.server.query_port
        seen = {ask(port, method, path, None)[0] for method, path in
                (("GET", "/nothing"), ("DELETE", "/api/v1/catalog"), ("GET", "/openapi.yaml"), ("GET", "/api/v1/logs/query"))}
        tap.check(seen == {401}, "without a credential nobody learns which paths and methods there are", seen)
        token = self.tokens["system:view", "*"]
        tap.same(ask(port, "GET", "/nothing", None, token=token)[0], 404, "who is known does")
        tap.same(ask(port, "DELETE", "/api/v1/catalog", None, token=token)[0], 405, "and of methods, too")
        path = "/api/v1/components?namespace=acme&namespace=beta"
        tap.same(ask(port, "GET", path, None, token=self.tokens["metrics:view", "acme"])[0], 400, "a scope twice is refused")

    def check_forms(self):
        port, token = self.server.query_port, self.tokens["system:view", "*"]
        basic = base64.b64encode(f"anyone:{token}".encode()).decode()
        for header in (f"bearer {token}", f"BEARER {token}", f"Basic {basic}", f"basic {basic}"):
            status, _, text = ask(port, "GET", "/metrics", None, header=header)
            tap.check(status == 200 and "callboard_auth_total" in text, f"{header.split()[0]} is understood", text[:300])
        for header in (token, "Bearer" + token, "Token " + token, "Basic " + token):
            tap.same(ask(port, "GET", "/metrics", None, header=header, group="forms")[0], 401, f"{header[:8]}... is not")
        changed = token[:-1] + ("A" if token[-1] != "A" else "B")
        one = ask(port, "GET", "/metrics", None, token=changed, group="forms")
        other = ask(port, "GET", "/metrics", None, token=make_token(), group="forms")
        tap.same(one[2], other[2], "a mistyped token and an unknown one are refused in the same words")

    def check_keep_alive(self):
        client = http.client.HTTPConnection("127.0.0.1", self.server.otlp_port, timeout=10)
        for size in (10, 64 * 1024):
            client.request("POST", "/v1/traces", b"x" * size, {"Content-Type": "application/x-protobuf"})
            answer = client.getresponse()
            text = answer.read()
            tap.check(answer.status == 401 and answer.headers.get("Content-Type") == "application/x-protobuf" and
                      text[:2] == b"\x08\x10" and not answer.will_close,
                      f"a refused body of {size} bytes leaves the connection open", (answer.status, text))
        client.close()

    def check_flood(self):
        port, seen = self.server.query_port, []
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=("127.0.200.1", 0))
        for _ in range(150):
            client.request("GET", "/metrics", None, {"Authorization": "Bearer cbt_x"})
            answer = client.getresponse()
            answer.read()
            seen.append(answer.status)
        tap.check(set(seen) == {401, 429} and seen[0] == 401, "too many wrong credentials of an address are 429", seen)
        client.request("GET", "/metrics", None, {"Authorization": "Bearer " + self.tokens["system:view", "*"]})
        answer = client.getresponse()
        text = answer.read().decode()
        tap.check(answer.status == 200, "a right one from there is not slowed down", answer.status)
        tap.check(re.search(r'auth_total\{kind="none",outcome="throttled"\} [1-9]', text), "and it is counted")
        log = self.server.log()
        tap.check(log.count("\n") < 60, "nothing is logged for each of them", log[-2000:])
        tap.check(not any(t in log for t in list(self.tokens.values()) + [self.revoked]), "no token is in the log")


def check_file(matrix):
    """The file is read again within a second; a broken one changes nothing."""
    server, port = matrix.server, matrix.server.query_port

    def status(token):
        return ask(port, "GET", "/api/v1/access/me", None, token=token, group=secrets.token_hex(4))[0]
    token = make_token()
    write_tokens(matrix.file, matrix.rows + [row(token, "new", role="viewer", namespace="acme")])
    tap.check(wait_until(lambda: status(token) == 200, 10), "a token that is added to the file is taken")
    with open(matrix.file, "a") as file:
        file.write("  - {name: broken, rol: x}\n")
    tap.check(wait_until(lambda: "the tokens file cannot be used" in server.log(), 10), "a broken file is an error in the log")
    tap.same(status(token), 200, "and what was read before stays")
    notes = admin(server, "GET", "/health")[1]
    tap.check("--tokens" in str(notes), "/health says so to the operator", notes)
    write_tokens(matrix.file, matrix.rows)
    tap.check(wait_until(lambda: status(token) == 401, 10), "a token that is taken out is refused")


def callboard(*arguments, token=None, data=None, text=None):
    environment = dict(os.environ)
    environment.pop("CALLBOARD_TOKEN_FILE", None)
    if token:
        path = os.path.join(new_folder(), "token")
        with open(path, "w") as file:
            file.write(token + "\n")
        os.chmod(path, 0o600)
        environment["CALLBOARD_TOKEN_FILE"] = path
    done = subprocess.run([os.environ["CALLBOARD"], *arguments] + (["--data-dir", data] if data else []),
                          env=environment, input=text, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def check_command(matrix):
    server, folder = matrix.server, matrix.server.folder
    remote = ("--server", f"127.0.0.1:{server.query_port}")
    mode = stat.S_IMODE(os.stat(os.path.join(folder, "admin.sock")).st_mode)
    tap.same(oct(mode), "0o600", "the socket is for its user only")
    code, out, _ = callboard("token", "create", "boss", "--role", "admin", "--namespace", "acme", data=folder)
    boss = out.strip()
    tap.check(code == 0 and re.fullmatch(r"cbt_[a-z2-7]{8}_[\w-]{47}", boss), "token create prints a token", out)
    code, out, err = callboard("token", "list", *remote)
    tap.check(code == 3 and "CALLBOARD_TOKEN_FILE" in err, "without a token: exit 3 and what to set", err)
    code, out, err = callboard("token", "create", "spy", "--role", "viewer", "--namespace", "beta", *remote, token=boss)
    tap.check(code == 3 and "more rights than the credential" in err, "who administers a namespace gives nothing of another", err)
    code, out, err = callboard("token", "create", "ci", "--role", "ingest", "--namespace", "acme", "--expires", "90d",
                               *remote, token=boss)
    ci = out.strip()
    tap.check(code == 0 and ci.startswith("cbt_"), "but for his own", err)
    code, out, err = callboard("token", "list", *remote, token=boss)
    tap.check(code == 0 and ci[4:12] in out and "ci" in out and ci[13:] not in out and "beta" not in out,
              "he lists his own, without secrets", out)
    tap.check(re.search(r"(?m)^ID +NAME +EXPIRES +LAST USED +FROM +GRANTS$", out)
              and re.search(rf"(?m)^{ci[4:12]} +ci +\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ +never +database +ingest acme$", out),
              "as a table, times to the second", out)
    code, out, err = callboard("token", "list", *remote, token=ci[:-1] + ("A" if ci[-1] != "A" else "B"))
    tap.check(code == 3 and "does not accept the token in" in err, "a wrong token: exit 3, and it says which", err)
    code, out, err = callboard("token", "create", data=folder)
    tap.check(code == 2 and "takes a name" in err and len(err) < 200, "what is left out is said in one line", err)
    code, out, err = callboard("tenants", data=folder)
    tap.check(code == 0 and out.startswith("NAMESPACE"), "tenants asks the socket, without a token", err)
    code, out, err = callboard("tenants", *remote, token=boss)
    tap.check(code == 0 and out.startswith("NAMESPACE"), "and the port, with one", err)
    code, out, err = callboard("token", "rotate", ci[4:12], "--overlap", "1h", *remote, token=boss)
    fresh = out.strip()
    tap.check(code == 0 and fresh.startswith("cbt_") and fresh != ci, "rotate prints another", err)
    for token in (ci, fresh):
        tap.same(ask(server.query_port, "GET", "/api/v1/access/me", None, token=token)[0], 200, "both hold for a while")
    tap.same(callboard("token", "revoke", ci[4:12], *remote, token=boss)[0], 0, "revoke")
    tap.same(ask(server.query_port, "GET", "/api/v1/access/me", None, token=ci)[0], 401, "on the next request it is refused")
    code, out, err = callboard("token", "hash", "ci", "--role", "ingest", "--namespace", "acme", text=fresh + "\n")
    tap.check(code == 0 and hashlib.sha256(fresh.encode()).hexdigest() in out and fresh not in out, "hash", out)
    tap.same(callboard("token", "hash", text=fresh[:-1] + "\n")[0], 1, "hash of half a token")
    code, out, err = callboard("cause", "shop", "--namespace", "acme", *remote, token=ci)
    tap.same(code, 3, "other verbs send the token, too")
    server.kill()
    matrix.server = Server(folder, "--auth", "required", "--tokens", matrix.file)
    tap.same(ask(matrix.server.query_port, "GET", "/api/v1/access/me", None, token=fresh)[0], 200, "a token outlives kill -9")
    tap.same(ask(matrix.server.query_port, "GET", "/api/v1/access/me", None, token=ci)[0], 401, "and its end, too")
    names = [os.path.join(folder, n) for n in os.listdir(folder)]
    held = [n for n in names if not stat.S_ISSOCK(os.stat(n).st_mode) and fresh[13:].encode() in open(n, "rb").read()]
    tap.check(not held, "no file holds the text of a token", held)


def check_starts():
    folder = new_folder()
    path = os.path.join(folder, "tokens.yaml")
    for what, rows, mode in (("broken", ["  - {name: x}\n"], 0o600), ("that others can read", [], 0o644),
                             ("that the group can write", [], 0o660)):
        write_tokens(path, rows, mode)
        try:
            Server(new_folder(), "--auth", "required", "--tokens", path).kill()
            tap.check(False, f"a tokens file {what} ends the start")
        except DidNotStart as error:
            tap.check(error.code == 1, f"a tokens file {what} ends the start", error.log)
    for options, word in ((("--query", "0.0.0.0:0"), "--auth required"),
                          (("--query", "0.0.0.0:0", "--auth", "required"), "--tls off"),
                          (("--auth", "maybe"), "--auth")):
        try:
            Server(new_folder(), *options).kill()
            tap.check(False, f"{options} is refused")
        except DidNotStart as error:
            tap.check(word in error.log, f"{options} is refused and says why", error.log)
    server = Server(new_folder(), "--auth", "required", "--auth-ingest", "none")
    tap.same(ask(server.otlp_port, "POST", "/v1/traces", "{}")[0], 200, "--auth-ingest none opens the OTLP port")
    tap.same(ask(server.query_port, "GET", "/metrics", None)[0], 401, "and not the other")
    server.kill()


def check_tables():
    """Nothing that the file of the API names is missing from the matrix."""
    missing, path = [], None
    known = {(method, re.sub(r"{[^}]*}", "{}", path)) for method, path, _, _, _ in ROUTES}
    with open(os.path.join(TOP, "docs", "openapi.yaml")) as file:
        for line in file:
            if line.startswith("components:"):
                break
            found = re.match(r"  (/\S*):$", line)
            path = re.sub(r"{[^}]*}", "{}", found.group(1)) if found else path
            found = re.match(r"    (get|put|post|delete):$", line)
            if found and (found.group(1).upper(), path) not in known:
                missing.append((found.group(1), path))
    tap.check(not missing, "all operations of openapi.yaml are rows of a table", missing)


check_tables()
tap.check(len(ROUTES) > 40 and all(r[2] == "ACTION_OPEN" or r[2] == "ACTION_ANY" or r[2] in ACTIONS for r in ROUTES),
          "the tables of routes are read", ROUTES)
matrix = Matrix()
matrix.run()
matrix.check_strangers()
matrix.check_forms()
matrix.check_keep_alive()
check_file(matrix)
check_command(matrix)
matrix.check_flood()
matrix.server.stop()
check_starts()
tap.end()
