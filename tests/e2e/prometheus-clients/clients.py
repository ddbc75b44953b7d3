"""Clients of Prometheus' API, run against a server that was fed over OTLP: with
and without credentials. What they understood of the answers is compared with
what was sent. Then answers that are larger than the server's memory for one.
"""
import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import time
import urllib.parse

from callboard import NS, Server, Tap, attributes, export, metrics_request, new_folder, stamped, wait_until

CACHE = sys.argv[1]
tap = Tap()
NOW = time.time_ns() // NS * NS
SERIES, STEPS = 80, 11000  # of the large answer


def gauge(name, values, **attrs):
    """Points a minute apart, the last one now."""
    return {"name": name, "description": "a gauge", "gauge": {"dataPoints": [
        {"timeUnixNano": str(NOW - (len(values) - 1 - i) * 60 * NS), "asDouble": value, "attributes": attributes(attrs)}
        for i, value in enumerate(values)]}}


VALUES = [1.5, 2.25, 0.1]
GAUGES = [gauge("api.gauge", VALUES, k="a"), gauge("api.gauge", [7], k="b c")]
SETS = [{"__name__": "api_gauge", "k": "a"}, {"__name__": "api_gauge", "k": "b c"}]


def feed(server, requests, token=None):
    for resource, metrics in requests:
        request = json.dumps(metrics_request(resource, metrics))
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = "Bearer " + token
        client = http.client.HTTPConnection("127.0.0.1", server.otlp_port, timeout=30)
        client.request("POST", "/v1/metrics", request, headers)
        assert client.getresponse().status == 200
        client.close()


def base(server, token=None):
    who = f"any:{token}@" if token else ""
    return f"http://{who}127.0.0.1:{server.query_port}/prometheus"


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **more)


def programs(server, *token):
    """What the packages and the Go client say."""
    for command in (["node", "clients.mjs"], ["./client-go"]):
        done = run(*command, base(server), *token, cwd=CACHE)
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout)


def ask(server, path, form=None, token=None, method=None, **headers):
    """Status and parsed body, of a GET or of a form."""
    if token:
        headers["Authorization"] = "Bearer " + token
    if form is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    client = http.client.HTTPConnection("127.0.0.1", server.query_port, timeout=60)
    client.request(method or ("GET" if form is None else "POST"), "/prometheus" + path, form, headers)
    answer = client.getresponse()
    body = answer.read()
    client.close()
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    try:
        return answer.status, json.loads(body)
    except ValueError:
        return answer.status, body


def query(server, path, **params):
    return ask(server, f"/api/v1/{path}?{urllib.parse.urlencode(params, doseq=True)}")


def close_to(seen, wanted):
    return [float(v) for v in seen] == wanted


# ---- what each client makes of it ----


def by_promtool(server, url):
    now = int(time.time())

    def promtool(*words):
        done = run("promtool", "query", *words)
        return (done.stdout + done.stderr).strip()

    said = promtool("instant", url, 'api_gauge{k="a"}')
    tap.check(said.startswith('api_gauge{k="a"} => 0.1 @['), "promtool: an instant query", said)
    said = promtool("range", f"--start={now - 600}", f"--end={now}", "--step=60s", url, 'api_gauge{k="a"}')
    tap.same([line.split(" ")[0] for line in said.splitlines()[1:4]], ["1.5", "2.25", "0.1"], "promtool: a range query")
    said = promtool("series", "--match=api_gauge", "--match=none", url)
    tap.same(said.splitlines(), ['{__name__="api_gauge", k="a"}', '{__name__="api_gauge", k="b c"}'],
             "promtool: series")
    tap.same(promtool("labels", url, "k").splitlines()[:2], ["a", "b c"], "promtool: values of a label")
    said = promtool("instant", url, "sum(")
    tap.check("bad_data: invalid parameter" in said and "parse error: unclosed left parenthesis" in said,
              "promtool: what is wrong with an expression", said)


def by_packages(seen):
    for way in ("get", "post"):
        results = seen[f"{way} instant"]["result"]
        tap.same([(one["metric"]["labels"], one["value"]["value"]) for one in results],
                 [({"k": "a"}, 0.1), ({"k": "b c"}, 7)], f"prometheus-query, {way}: a vector")
        tap.same(seen[f"{way} scalar"]["result"][1], "2", f"prometheus-query, {way}: a scalar")
        points = [point["value"] for one in seen[f"{way} range"]["result"] for point in one["values"]]
        tap.check(points and set(points) <= set(VALUES), f"prometheus-query, {way}: a range", seen[f"{way} range"])
        tap.same(len(seen[f"{way} long"]["result"]), 1, f"prometheus-query, {way}: an expression of 6 KB")
        tap.check("parse error: unclosed left parenthesis" in seen[f"{way} bad"]["failed"],
                  f"prometheus-query, {way}: what is wrong with an expression", seen[f"{way} bad"])
        tap.same(seen[f"{way} series"], [{"name": "api_gauge", "labels": {"k": "a"}}],
                 f"prometheus-query, {way}: series")
        tap.check("k" in seen[f"{way} names"], f"prometheus-query, {way}: names of labels", seen[f"{way} names"])
    tap.check(set(seen["values"]) >= {"a", "b c"}, "prometheus-query: values of a label", seen["values"])
    tap.same(seen["metadata"]["api_gauge"], [{"type": "gauge", "help": "a gauge", "unit": ""}],
             "prometheus-query: metadata")
    tap.same([seen["rules"], seen["alerts"], seen["targets"]["activeTargets"], seen["alertmanagers"]["activeAlertmanagers"]],
             [[], [], [], []], "prometheus-query: no rules, alerts, targets, Alertmanagers")
    tap.same(seen["buildinfo"]["version"], "2.55.0", "prometheus-query: the version")
    editor = seen["editor"]
    tap.same(editor["errors"], [], "codemirror-promql: no errors")
    tap.check("api_gauge" in editor["names"] and {"__name__", "k"} <= set(editor["labels"]) and
              editor["values"] == ["a", "b c"] and editor["series"] == SETS and
              "api_gauge" in editor["metadata"] and editor["flags"], "codemirror-promql: names, values, series", editor)


def by_go(seen):
    tap.check(close_to([one["value"][1] for one in seen["instant"]], [0.1]), "client_golang: a vector", seen["instant"])
    tap.same(seen["scalar"][1], "0.0000001", "client_golang: a scalar")
    tap.check(close_to([point[1] for point in seen["samples"][0]["values"]], VALUES),
              "client_golang: samples of an instant query", seen["samples"])
    tap.same(seen["series"], 2, "client_golang: a range")
    tap.check(seen["bad"]["type"] == "bad_data" and "parse error" in seen["bad"]["failed"],
              "client_golang: what is wrong with an expression", seen["bad"])
    tap.check("exceeded maximum resolution of 11,000 points" in seen["too many"]["failed"],
              "client_golang: too many steps", seen["too many"])
    tap.same([len(seen["limited"]), seen["limit warnings"]], [1, ["results truncated due to limit"]],
             "client_golang: a limit, and a warning")
    tap.check({"__name__", "k"} <= set(seen["names"]) and {"a", "b c"} <= set(seen["values"]) and seen["sets"] == SETS,
              "client_golang: names, values, series", seen)
    tap.same(seen["metadata"]["api_gauge"], [{"type": "gauge", "help": "a gauge", "unit": ""}],
             "client_golang: metadata")
    tap.same([seen["exemplars"], seen["rules"], seen["alerts"]], [[], {"groups": []}, {"alerts": []}],
             "client_golang: no exemplars, rules, alerts")
    tap.check(seen["buildinfo"]["version"] == "2.55.0" and "failed" not in seen["flags"] and
              "failed" not in seen["config"] and "failed" not in seen["targets"] and
              "failed" not in seen["alertmanagers"], "client_golang: status", seen)
    tap.check("404" in seen["tsdb"]["failed"] and "not_found" in seen["tsdb"]["detail"],
              "client_golang: what is not served is named", seen["tsdb"])


# ---- forms and answers that no client shows ----


def forms(server):
    now = str(NOW // NS)
    both = ask(server, "/api/v1/query?query=api_none&time=" + now, "query=api_gauge%7Bk%3D%22b+c%22%7D",
               **{"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"})
    tap.check(both[0] == 200 and [one["metric"]["k"] for one in both[1]["data"]["result"]] == ["b c"],
              "a parameter of the body comes before that of the URL", both)
    tap.same(ask(server, "/api/v1/labels", "match[]=api_gauge&match%5B%5D=api_other")[1]["data"][:2], ["__name__", "k"],
             "match[] may be repeated in a form")
    tap.same([one["__name__"] for one in query(server, "series", **{"match[]": ["api_gauge", "api_gauge"]})[1]["data"]],
             ["api_gauge"] * 2, "and in the URL")
    tap.same(ask(server, "/api/v1/query", '{"query":"1"}', **{"Content-Type": "application/json"})[0], 400,
             "a body that is no form is refused")
    long = "1" + "+1" * 30000
    tap.same(ask(server, "/api/v1/query", "query=" + urllib.parse.quote("(" * 8 + long + ")" * 8))[0] in (200, 400, 422),
             True, "an expression of 60 KB is read")
    tap.check("longer than" in str(ask(server, "/api/v1/query", "query=" + "1" * 70000)), "one of 70 KB is not")
    tap.same(ask(server, "/api/v1/query", "query=" + "1" * 300000)[0], 413, "nor a body of 300 KB")
    tap.same(ask(server, "/api/v1/query", method="PUT")[1]["status"], "error", "405 has the shape, too")
    tap.same(ask(server, "/-/ready"), (200, b"Prometheus Server is Ready.\n"), "it is ready")
    tap.same(ask(server, "/api/v1/query?query=1", method="HEAD"), (200, b""), "HEAD has no body")


# ---- large answers ----


def large_url():
    end = NOW // NS
    expression = urllib.parse.quote(f"api_big @ {end} * 1.1")
    return f"/prometheus/api/v1/query_range?query={expression}&start={end - STEPS + 1}&end={end}&step=1"


def large(server):
    client = http.client.HTTPConnection("127.0.0.1", server.query_port, timeout=60)
    for way in ("first", "again"):
        client.request("GET", large_url())
        answer = client.getresponse()
        body = answer.read()
        points = json.loads(body)["data"]["result"] if answer.status == 200 else []
        tap.check(len(points) == SERIES and all(len(one["values"]) == STEPS for one in points),
                  f"{len(body) >> 20} MiB arrive whole, {way} on a connection", f"{answer.status} {body[:300]}")
    client.close()
    tap.check(server.memory() < 160 << 20, "within the memory limit", server.memory())
    status, body = ask(server, large_url().removeprefix("/prometheus") + "&timeout=1ms")
    tap.check(status == 503 and body["errorType"] == "timeout", "a timeout ends it", status)
    status, body = ask(server, large_url().removeprefix("/prometheus"), **{"Accept-Encoding": "gzip"})
    tap.check(status == 200 and len(body["data"]["result"]) == SERIES, "a client that accepts gzip gets it whole")


def clients_that_leave(server):
    request = f"GET {large_url()} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    idle = server.counter("memory_used_bytes") if "memory_used_bytes" in server.counters() else None
    for _ in range(8):
        with socket.create_connection(("127.0.0.1", server.query_port)) as client:
            client.sendall(request)
            tap_start = client.recv(100)
            assert tap_start.startswith(b"HTTP/1.1 200"), tap_start
    tap.check(wait_until(lambda: query(server, "query", query="1")[0] == 200, 10), "others are answered after they left",
              idle)
    status, body = ask(server, large_url().removeprefix("/prometheus"))
    tap.check(status == 200 and len(body["data"]["result"]) == SERIES, "and a large answer, too")


def slow_client(server):
    """It reads a piece now and then: the answer goes on for longer than the time
    that a small one has, and others are answered meanwhile."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    small.connect(("127.0.0.1", server.query_port))
    small.sendall(f"GET {large_url()} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    begin, slowest = time.monotonic(), 0
    while time.monotonic() - begin < 13:
        assert small.recv(32 * 1024)
        asked = time.monotonic()
        assert query(server, "query", query="1")[0] == 200
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.05)
    got, end = b"", b""
    small.settimeout(30)
    while not end.endswith(b"\r\n0\r\n\r\n"):
        got = small.recv(1 << 20)
        if not got:
            break
        end = end[-16:] + got
    small.close()
    tap.check(end.endswith(b"]}}\r\n0\r\n\r\n"), "a client that reads slowly gets it whole", end[-60:])
    tap.check(slowest < 2, "others are answered meanwhile", slowest)


def short_of_memory():
    server = Server(os.path.join(new_folder(), "data"), "--memory-limit", "64MiB")
    feed(server, [({}, [gauge("api.big", [i], i=str(i)) for i in range(SERIES)])])
    assert wait_until(lambda: len(query(server, "query", query="api_big")[1]["data"]["result"]) == SERIES, 10)
    status, body = ask(server, large_url().removeprefix("/prometheus"))
    tap.check((status == 422 and body["errorType"] == "execution" and "memory" in body["error"]) or
              (status == 503 and body["errorType"] == "unavailable"), "without memory the reason is named", (status, body))
    tap.same(query(server, "query", query="1+1")[0], 200, "and the next one is answered")
    tap.same(server.stop(), 0, "the server ends well")


# ---- who may ask ----


def with_tokens():
    server = Server(os.path.join(new_folder(), "data"), "--auth", "required")

    def token(name, role, namespace):
        return run(os.environ["CALLBOARD"], "token", "create", name, "--role", role, "--namespace", namespace,
                   "--data-dir", server.folder).stdout.strip()

    writer, reader, other = token("w", "ingest", "*"), token("r", "viewer", "*"), token("o", "viewer", "acme")
    feed(server, [({}, GAUGES), (stamped("cart"), [gauge("api.other", [1], k="z")]),
                  (stamped("cart", namespace="evil"), [gauge("api.secret", [1], secret="hidden")])], writer)
    path = "/api/v1/query?query=api_gauge"
    assert wait_until(lambda: len(ask(server, path, token=reader)[1].get("data", {}).get("result", [])) == 2, 10)
    packages, go = programs(server, reader)
    by_packages(packages)
    by_go(go)
    by_promtool(server, base(server, reader))

    status, body = ask(server, path)
    tap.check(status == 401 and body["status"] == "error" and body["errorType"] == "unauthorized" and body["error"],
              "without a token: 401 in Prometheus' shape", (status, body))
    status, body = ask(server, path, token=writer)
    tap.check(status == 403 and body["errorType"] == "forbidden" and "metrics:view" in body["error"],
              "without the right: 403 in Prometheus' shape", (status, body))
    for url, text in ((base(server), "missing or invalid authentication token"), (base(server, writer), "metrics:view")):
        said = run("promtool", "query", "instant", url, "api_gauge")
        tap.check(said.returncode != 0 and text in said.stderr, f"promtool says: {text}", said.stderr)
    tap.same(ask(server, "/-/ready")[0], 200, "a probe needs no token")

    names = ask(server, "/api/v1/label/__name__/values", token=other)[1]["data"]
    tap.check("api_other" in names and "api_secret" not in names and "api_gauge" not in names,
              "a viewer of a namespace sees the names of its series only", names)
    for path in ("/api/v1/query?query=api_secret", "/api/v1/series?match[]=api_secret",
                 "/api/v1/label/secret/values", "/api/v1/query_exemplars?query=api_secret",
                 "/api/v1/query?query=%7B__name__%3D~%22.%2B%22%7D", "/api/v1/labels", "/api/v1/metadata",
                 "/api/v1/label/namespace/values"):
        status, body = ask(server, path, token=other)
        text = json.dumps(body)
        tap.check(status == 200 and "evil" not in text and "api_secret" not in text and "hidden" not in text and
                  '"secret"' not in text, f"and nothing of another: {path}", (status, text))
    tap.same(server.stop(), 0, "the server ends well")


def main():
    server = Server(os.path.join(new_folder(), "data"))
    feed(server, [({}, GAUGES + [gauge("api.big", [i], i=str(i)) for i in range(SERIES)])])
    assert wait_until(lambda: len(query(server, "query", query="api_gauge")[1]["data"]["result"]) == 2, 10)
    packages, go = programs(server)
    by_packages(packages)
    by_go(go)
    by_promtool(server, base(server))
    forms(server)
    large(server)
    clients_that_leave(server)
    slow_client(server)
    tap.same(server.stop(), 0, "the server ends well")
    with_tokens()
    short_of_memory()
    tap.end()


main()
