"""TLS on both HTTP ports with clients of OpenSSL: versions, ALPN, client
certificates, pairs that are replaced while requests run, handshakes that never
end. The audit. That no secret is where others can read it, and mode bits.
"""
import http.client
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time
import warnings

from callboard import DidNotStart, Server, Tap, is_sanitized, log, logs_request, new_folder, otlp_json, stamped
from certificates import Authority

tap = Tap()
warnings.simplefilter("ignore", DeprecationWarning)  # of old versions, which are asked for
TOKEN = "cbt_k3v9x2ab_" + "S3cretOfTheTest" * 3
TLS = ssl.TLSVersion


def ask(port, context, path="/health", body=None, method=None, headers=None, timeout=20):
    client = http.client.HTTPSConnection("localhost", port, context=context, timeout=timeout)
    try:
        client.request(method or ("POST" if body else "GET"), path, body, headers or {})
        answer = client.getresponse()
        return answer.status, answer.read()
    finally:
        client.close()


def refused(port, context):
    """No answer: the handshake fails, or with TLS 1.3 the first read."""
    try:
        ask(port, context)
        return False
    except (ssl.SSLError, ConnectionError, http.client.HTTPException, OSError):
        return True


def wait_for(condition, seconds=10):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def copy(pair, to):
    """Certificate first, then the key: for a moment they do not fit."""
    for source, target in zip(pair, to):
        with open(source, "rb") as file:
            data = file.read()
        with open(target, "wb") as file:
            file.write(data)
        os.chmod(target, 0o600)
        time.sleep(0.05)


def serial_of(port, context):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as s:
            return s.getpeercert()["serialNumber"], s.version(), s.selected_alpn_protocol()


def versions(authority, server):
    for port, name in ((server.query_port, "query"), (server.otlp_port, "otlp")):
        for version, works in ((TLS.TLSv1, False), (TLS.TLSv1_1, False), (TLS.TLSv1_2, True), (TLS.TLSv1_3, True)):
            context = authority.context(least=version, most=version)
            if works:
                tap.same(serial_of(port, context)[1], version.name.replace("_", "."), f"{name}: {version.name} is taken")
            else:
                tap.check(refused(port, context), f"{name}: {version.name} is refused")
        for offered, wanted in ((None, None), (["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (["h2"], None)):
            tap.same(serial_of(port, authority.context(alpn=offered))[2], wanted, f"{name}: of ALPN {offered}: {wanted}")
        weak = authority.context(most=TLS.TLSv1_2)
        weak.set_ciphers("NULL:aNULL:RC4:3DES:@SECLEVEL=0")
        tap.check(refused(port, weak), f"{name}: weak ciphers are refused")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try:
                seen = plain.recv(100)
            except ConnectionError:
                seen = b""
            tap.check(not seen.startswith(b"HTTP"), f"{name}: plain HTTP is not answered", seen)
    stranger = ssl.create_default_context()
    tap.check(refused(server.query_port, stranger), "a client that does not trust the authority refuses")
    body = otlp_json("logs", logs_request(stamped("tls"), [log(time.time_ns(), "x" * 100) for _ in range(20000)]))
    tap.same(ask(server.otlp_port, authority.context(), "/v1/logs", body, headers={"Content-Type": "application/json"})[0],
             200, f"an export of {len(body) // 1000} KB")
    tap.check(len(ask(server.query_port, authority.context(), "/api/v1/openapi.yaml")[1]) > 0, "a large answer")


def client_certificates(authority, folder):
    other = Authority(new_folder(), "stranger")
    pair = authority.server("server")
    server = Server(new_folder(), "--tls-cert", pair[0], "--tls-key", pair[1], "--tls-client-ca", authority.file,
                    "--otlp-tls-clients", "required")
    right = authority.issue("client", san="URI:spiffe://acme/ci,DNS:ci.acme.example", usage="clientAuth")
    cases = (("right", right, True),
             ("right, for both purposes", authority.issue("both", usage="serverAuth,clientAuth"), True),
             ("of a stranger", other.issue("client", usage="clientAuth"), False),
             ("expired", authority.issue("old", usage="clientAuth", begin=-9, end=-1), False),
             ("not valid yet", authority.issue("early", usage="clientAuth", begin=1, end=9), False),
             ("of a server", authority.server("another"), False))
    for version in (TLS.TLSv1_2, TLS.TLSv1_3):
        for name, client, good in cases:
            for port, port_name in ((server.query_port, "query"), (server.otlp_port, "otlp")):
                context = authority.context(client, most=version)
                path = "/health" if port_name == "query" else "/v1/logs"
                try:
                    seen = ask(port, context, path)[0]
                except (OSError, http.client.HTTPException) as error:
                    seen = type(error).__name__
                tap.check((seen in (200, 405)) == good and (good or not isinstance(seen, int)),
                          f"{port_name}, {version.name}: a certificate that is {name}", seen)
        none = authority.context(most=version)
        tap.same(ask(server.query_port, none)[0], 200, f"query, {version.name}: optional, none")
        tap.check(refused(server.otlp_port, none), f"otlp, {version.name}: required, none")
    counted = ask(server.query_port, authority.context(), "/metrics")[1].decode()
    tap.check('callboard_tls_handshakes_total{outcome="certificate"} 0' not in counted and
              'callboard_tls_handshakes_total{outcome="certificate"}' in counted, "refused certificates are counted")
    # curl, as an operator tries it.
    ran = subprocess.run(["curl", "-sS", "--cacert", authority.file, "--cert", right[0], "--key", right[1],
                          f"https://localhost:{server.query_port}/health"], capture_output=True, text=True, timeout=20)
    tap.check(ran.returncode == 0 and "status" in ran.stdout, "curl with a certificate", ran)
    files = {"CALLBOARD_CA_FILE": authority.file, "CALLBOARD_CERT_FILE": right[0], "CALLBOARD_KEY_FILE": right[1]}
    for name, more, works in (("without its authority", {}, False), ("with its files", files, True)):
        ran = subprocess.run([os.environ["CALLBOARD"], "cause", "shop", "--server", f"https://localhost:{server.query_port}"],
                             capture_output=True, text=True, timeout=20, env={**os.environ, **more})
        tap.check(("there is no project shop" in ran.stderr) == works, f"the command line {name}", ran)
    tap.same(server.stop(), 0, "it ends with status 0")


def reload_under_load(authority, folder):
    used = (os.path.join(folder, "used.pem"), os.path.join(folder, "used.key"))
    pairs = [authority.server(f"pair{i}") for i in range(3)]
    copy(pairs[0], used)
    server = Server(new_folder(), "--tls-cert", used[0], "--tls-key", used[1])
    context = authority.context()
    errors, count, over = [], [0], threading.Event()

    def load():
        while not over.is_set():
            try:
                if ask(server.query_port, context)[0] != 200:
                    errors.append("not 200")
                count[0] += 1
            except Exception as error:  # all that can go wrong is to be seen
                errors.append(repr(error))

    def kept():
        client = http.client.HTTPSConnection("localhost", server.query_port, context=context, timeout=20)
        while not over.is_set():
            try:
                client.request("GET", "/health")
                client.getresponse().read()
                count[0] += 1
                time.sleep(0.01)
            except Exception as error:
                errors.append(repr(error))
                return
        client.close()

    threads = [threading.Thread(target=t) for t in (load, load, kept)]
    for thread in threads:
        thread.start()
    before = serial_of(server.query_port, context)[0]
    seen = set()
    for turn in range(6):
        copy(pairs[(turn + 1) % 3], used)
        if turn % 2:
            os.kill(server.pid, signal.SIGHUP)
        wait_for(lambda: serial_of(server.query_port, context)[0] not in (before, None), 5)
        before = serial_of(server.query_port, context)[0]
        seen.add(before)
    over.set()
    for thread in threads:
        thread.join()
    tap.check(not errors and count[0] > 50, f"{count[0]} requests while the pair was replaced 6 times: none failed", errors[:3])
    tap.same(len(seen), 3, "each pair was used")
    server_note = lambda: json.loads(ask(server.query_port, context)[1])
    for name, spoil, reason in (
            ("half of a certificate", lambda: open(used[0], "w").write(open(pairs[1][0]).read()[:300]), "not PEM"),
            ("no certificate", lambda: os.remove(used[0]), "does not exist"),
            ("a key of another pair", lambda: copy((pairs[0][0], pairs[1][1]), used), "do not belong together"),
            ("a key that others can read", lambda: (copy(pairs[1], used), os.chmod(used[1], 0o644)), "others can read"),
            ("an expired certificate", lambda: copy(authority.server("expired", begin=-9, end=-1), used), "has expired")):
        spoil()
        noted = wait_for(lambda: reason in server.log().split("\n", 1)[-1] and reason in json.dumps(server_note()))
        tap.check(noted, f"{name}: logged, and noted in /health", (server.log()[-500:], server_note()))
        tap.same(serial_of(server.query_port, context)[0], before, f"{name}: the old pair is used on")
        times = server.log().count(reason)
        time.sleep(2.2)
        tap.same(server.log().count(reason), times, f"{name}: logged once")
        copy(pairs[2], used)
        tap.check(wait_for(lambda: "TLS" not in json.dumps(server_note())), f"{name}: mended, and the note is gone",
                  server_note())
        before = serial_of(server.query_port, context)[0]
    text = ask(server.query_port, context, "/metrics")[1].decode()
    left = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("callboard_tls_certificate_expires")]
    tap.check(left and all(29 * 86400 < value <= 30 * 86400 for value in left), "the gauge of the days that are left", left)
    tap.same(server.stop(), 0, "it ends with status 0")


def bad_starts(authority, folder):
    cert, key = authority.server("start")
    other = authority.server("start2")
    locked = os.path.join(folder, "locked.key")
    subprocess.run(["openssl", "pkey", "-in", key, "-aes128", "-passout", "pass:x", "-out", locked], check=True, capture_output=True)
    os.chmod(locked, 0o600)
    seen = os.path.join(folder, "seen.key")
    with open(seen, "w") as file:
        file.write(open(key).read())
    os.chmod(seen, 0o644)
    for name, options, reason in (
            ("no key", ("--tls-cert", cert), "needs its key"),
            ("no certificate", ("--query-tls-key", key), "needs its key"),
            ("a key of another", ("--tls-cert", cert, "--tls-key", other[1]), "do not belong together"),
            ("a key with a passphrase", ("--tls-cert", cert, "--tls-key", locked), "without a passphrase"),
            ("a key that others can read", ("--tls-cert", cert, "--tls-key", seen), "others can read"),
            ("no such file", ("--tls-cert", cert, "--tls-key", "/no/such/key"), "does not exist"),
            ("no authorities", ("--tls-cert", cert, "--tls-key", key, "--tls-clients", "required"), "need their authorities"),
            ("authorities that are a key", ("--tls-cert", cert, "--tls-key", key, "--tls-client-ca", key), "not PEM with certificates"),
            ("a network, tokens and no TLS", ("--auth", "required", "--query", "0.0.0.0:0"), "plain text"),
            ("another word", ("--tls-cert", cert, "--tls-key", key, "--tls-clients", "maybe"), "required")):
        try:
            Server(new_folder(), *options).kill()
            tap.check(False, f"start with {name}")
        except DidNotStart as error:
            tap.check(error.code == 1 and reason in error.log, f"start with {name}: refused, and why", error.log)
    server = Server(new_folder(), "--auth", "required", "--query", "0.0.0.0:0", "--tls", "off")
    tap.same(server.stop(), 0, "--tls off says it aloud")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def stalled(authority):
    pair = authority.server("stalled")
    server = Server(new_folder(), "--tls-cert", pair[0], "--tls-key", pair[1])
    context = authority.context()
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x42" * 100  # the first part of one
    idle = []
    for i in range(1000):
        s = socket.create_connection(("127.0.0.1", server.otlp_port), timeout=10)
        s.sendall(hello if i % 2 else hello[:3])
        idle.append(s)
    begin = time.monotonic()
    time.sleep(1)
    before = cpu_seconds(server.pid)
    time.sleep(1)
    used = cpu_seconds(server.pid) - before
    tap.check(used < 0.3, "1,000 half handshakes keep no processor busy", used)
    body = otlp_json("logs", logs_request(stamped("tls"), [log(time.time_ns(), "x")]))
    slowest, failed = 0, 0
    while time.monotonic() - begin < 5:
        at = time.monotonic()
        try:
            failed += ask(server.otlp_port, context, "/v1/logs", body, headers={"Content-Type": "application/json"})[0] != 200
        except OSError:
            failed += 1
        slowest = max(slowest, time.monotonic() - at)
        time.sleep(0.05)
    tap.check(failed == 0 and slowest < 2, "beside 1,000 half handshakes a client is served", (failed, slowest))
    memory = server.memory("VmRSS") >> 20
    tap.check(memory < 200 or is_sanitized(), "in little memory", memory)

    def is_closed(s):
        s.setblocking(False)
        try:
            return s.recv(1000) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    tap.check(wait_for(lambda: all(is_closed(s) for s in idle[::50]), 20), "and they are ended after ten seconds")
    took = time.monotonic() - begin
    tap.check(5 < took < 20, "not earlier, not much later", took)

    def failures():
        text = ask(server.query_port, context, "/metrics")[1].decode()
        return sum(int(line.split()[-1]) for line in text.splitlines()
                   if line.startswith('callboard_tls_handshakes_total{outcome="failed"}'))

    tap.check(wait_for(lambda: failures() >= 900), "and counted", failures())
    tap.same(server.stop(), 0, "it ends with status 0")


def lines_of(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def audit_and_secrets(authority, folder):
    pair = authority.server("audit")
    path = os.path.join(folder, "audit.log")
    data = new_folder()
    os.rmdir(data)  # it is created by the server
    server = Server(data, "--tls-cert", pair[0], "--tls-key", pair[1], "--audit", path, "--audit-reads", "yes",
                    "--log-level", "debug")
    context = authority.context()
    bearer = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json", "User-Agent": "tests/1 \x1b[31m"}
    catalog = json.dumps({"components": [{"namespace": "acme", "project": "shop", "name": "cart"}]})
    status, text = ask(server.query_port, context, "/api/v1/catalog", catalog, "PUT", {"Content-Type": "application/json"})
    tap.check(status == 200, "a catalogue is put", text)
    ask(server.query_port, context, "/api/v1/components?namespace=acme", headers={"Content-Type": "application/json"})
    for _ in range(50):
        ask(server.query_port, context, "/health", headers={"Host": "evil.example"})
    body = otlp_json("logs", logs_request(stamped("tls"), [log(time.time_ns(), "x")]))
    ask(server.otlp_port, context, "/v1/logs", body, headers={"Content-Type": "application/json"})
    lines = lines_of(path)
    by = lambda **wanted: [line for line in lines if all(line.get(k) == v for k, v in wanted.items())]
    changes = by(category="management", result="success")
    tap.check(len(changes) == 1 and changes[0]["action"] == "catalog:update" and changes[0]["http"] ==
              {"method": "PUT", "path": "/api/v1/catalog"} and changes[0]["source_ip"] == "127.0.0.1", "a change is one line", lines)
    reads = by(category="access")
    tap.check(any(line["http"]["path"] == "/api/v1/components" and line["resource"].get("namespace") == "acme"
                  for line in reads), "so is a read, with its scope", reads)
    denied = by(result="denied")
    tap.check(len(denied) == 1 and denied[0]["metadata"]["status"] == 421, "50 refusals of one source are one line at once", denied)
    tap.check(wait_for(lambda: sum(line["metadata"].get("count", 1) for line in lines_of(path)
                                   if line["result"] == "denied") == 50, 15), "and one with their number", lines_of(path))
    os.rename(path, path + ".1")
    os.kill(server.pid, signal.SIGHUP)
    tap.check(wait_for(lambda: os.path.exists(path)), "opened again on SIGHUP")
    # Secrets: sent in every way, and looked for everywhere.
    basic = {"Authorization": "Basic " + __import__("base64").b64encode(b"u:" + TOKEN.encode()).decode()}
    for headers in (bearer, basic):
        headers = {k: v for k, v in headers.items() if k != "User-Agent"}
        ask(server.query_port, context, "/api/v1/components", headers=headers)
        ask(server.otlp_port, context, "/v1/logs", body, headers={"Content-Type": "application/json", **headers})
        ask(server.query_port, context, "/api/v1/catalog", "{", "PUT", {"Content-Type": "application/json", **headers})
    metrics = ask(server.query_port, context, "/metrics")[1]
    cmdline = open(f"/proc/{server.pid}/cmdline", "rb").read()
    tap.check(b"--tls-key" in cmdline, "the command line names the key's file")
    modes = {}
    server.stop()
    for root, folders, files in os.walk(data):
        for name in [root, *[os.path.join(root, f) for f in folders + files]]:
            modes[os.path.relpath(name, data)] = stat.S_IMODE(os.lstat(name).st_mode)
    tap.check(all(mode == (0o700 if os.path.isdir(os.path.join(data, name)) else 0o600) for name, mode in modes.items())
              and len(modes) > 2, "data folder 0700, files 0600", {k: oct(v) for k, v in modes.items()})
    tap.check(all(stat.S_IMODE(os.stat(p).st_mode) == 0o600 for p in (path, path + ".1")), "the audit 0600")
    places = {"metrics": metrics, "cmdline": cmdline, "log": server.log().encode()}
    for name in (path, path + ".1", *[os.path.join(data, name) for name in modes]):
        if os.path.isfile(name):
            places[os.path.basename(name)] = open(name, "rb").read()
    secrets = [TOKEN.encode(), basic["Authorization"][6:].encode()]
    secrets += [line for line in open(pair[1], "rb").read().splitlines() if line and not line.startswith(b"-")]
    found = [(place, secret) for place, data_ in places.items() for secret in secrets if secret in data_]
    tap.check(not found, f"no secret in {len(places)} places", found)


def audit_of_changes(folder):
    """What a change was about: scope and name, of the head, the body or the object; files that are read again; heads."""
    path, limits, tokens = (os.path.join(folder, name) for name in ("changes.log", "limits.yaml", "tokens.yaml"))

    def write(name, text):
        with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)

    def lines(action):
        return [line for line in lines_of(path) if line.get("action") == action]

    write(limits, "defaults: {recordsPerSecond: 1000}\n")
    write(tokens, "tokens: []\n")
    server = Server(new_folder(), "--audit", path, "--limits", limits, "--tokens", tokens)
    made = server.query("/api/v1/access/tokens", {"name": "ci", "role": "ingest", "namespace": "acme", "project": "shop"})
    tap.same(made.status, 200, "a token is made")
    token = json.loads(made.body)["id"]
    tap.same(lines("access:admin")[-1]["resource"], {"namespace": "acme", "project": "shop", "name": token},
             "its line has the scope of the body, and its id")
    tap.check(json.loads(made.body)["token"] not in open(path).read(), "and not the token")
    for turn, (way, method) in enumerate((("/rotate", "POST"), ("", "DELETE"))):
        server.query(f"/api/v1/access/tokens/{token}{way}", {} if way else None, method)
        tap.same(lines("access:admin")[-1]["resource"], {"name": token}, f"{method} of a token: its id")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    scope = {"namespace": "acme", "project": "shop", "environment": "test", "component": "cart"}
    asked = server.query("/api/v1alpha1/rca-agent/analyze", {**scope, "alert": {"id": "a1", "value": 1, "timestamp": now}})
    tap.same(asked.status, 200, "an analysis is asked for")
    report = json.loads(asked.body)["report_id"]
    tap.same(lines("rcareport:update")[-1]["resource"], {**scope, "name": report}, "its line has the scope of the body and the report")
    changed = server.query(f"/api/v1/rca-agent/reports/{report}", {"appliedIndices": []}, "PUT")
    tap.same(changed.status, 200, "a report is changed")
    del scope["component"]  # the analysis may have seen the whole project
    tap.same(lines("rcareport:update")[-1]["resource"], {**scope, "name": report}, "its line has the scope of the report, and its name")
    tap.check(all(line["actor"]["type"] == "system" and line["resource"]["name"] in (limits, tokens) and line["result"] == "success"
                  for line in lines("limits:reload") + lines("tokens:reload")), "files that were read: the program's lines", lines_of(path))
    for action, name, good, bad in (("limits:reload", limits, "defaults: {recordsPerSecond: 5}\n", "defaults: {nonsense: 5}\n"),
                                    ("tokens:reload", tokens, "tokens: []\n\n", "tokens: [{name: x}]\n")):
        for text, wanted in ((bad, "failure"), (good, "success")):
            count = len(lines(action))
            write(name, text)
            tap.check(wait_for(lambda: len(lines(action)) > count), f"{action}: a line", lines_of(path)[-3:])
            last = lines(action)[-1]
            tap.check(last["result"] == wanted and ("reason" in last["metadata"]) == (wanted == "failure"), f"{action}: {wanted}", last)
            time.sleep(1.2)
            tap.same(len(lines(action)), count + 1, f"{action}: one line")
    def head(text):
        with socket.create_connection(("127.0.0.1", server.query_port), timeout=10) as s:
            s.sendall(text)
            s.settimeout(10)
            while s.recv(1000):
                pass

    bad = b"POST /api/v1/logs/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    for _ in range(20):
        head(bad)
    refusals = lambda: [line for line in lines_of(path) if "exclude each other" in line["metadata"].get("reason", "")]
    tap.check(len(refusals()) == 1 and refusals()[0]["result"] == "denied" and refusals()[0]["metadata"]["status"] == 400 and
              refusals()[0]["http"]["path"] == "/api/v1/logs/query", "a dangerous head is in the audit, once", refusals())
    tap.check(wait_for(lambda: sum(line["metadata"].get("count", 1) for line in refusals()) == 20, 15), "and the others as a number", refusals())
    tap.same(server.stop(), 0, "it ends with status 0")


def unwritable_audit(authority, folder):
    server = Server(new_folder(), "--audit", "/dev/full")
    put = lambda: server.query("/api/v1/catalog", json.dumps({"components": []}), "PUT")
    put()  # its line is lost
    answer = put()
    tap.check(answer.status == 503 and b"audit" in answer.body, "without an audit no change", (answer.status, answer.body))
    tap.check("audit" in json.dumps(server.health()), "noted in /health", server.health())
    tap.same(server.query("/api/v1/components").status, 200, "reads go on")
    tap.same(server.counter("audit_lost_lines_total") > 0, True, "lost lines are counted")
    server.stop()


def main():
    folder = new_folder()
    authority = Authority(folder)
    pair = authority.server("first")
    server = Server(new_folder(), "--tls-cert", pair[0], "--tls-key", pair[1])
    versions(authority, server)
    tap.same(server.stop(), 0, "it ends with status 0")
    bad_starts(authority, folder)
    client_certificates(authority, folder)
    reload_under_load(authority, folder)
    stalled(authority)
    audit_and_secrets(authority, folder)
    audit_of_changes(folder)
    unwritable_audit(authority, folder)
    tap.end()


main()
