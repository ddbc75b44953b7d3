"""OpenChoreo's control plane alone decides (--authz-url without --grants): what
is read by its id, parts of a page, reports; while it is away; environments. See
jwt-decisions.sh."""
import json
import os
import re
import signal
import threading
import time

from callboard import NS, Tap, rfc3339, seeded, span, spans_request, stamped
from issuer import Evaluate, Issuer, Key
from jwt_tokens import LOGS, admin, scope, start, status

tap = Tap()
NOW = time.time_ns() // NS * NS
rng = seeded()
TRACE, ID, OTHER = "ab" * 16, "cd" * 8, "ef" * 8
SPAN = f"/api/v1alpha1/traces/{TRACE}/spans/"
REPORTS = "/api/v1/rca-agent/reports/"


class Allowed:
    """(action, namespace) pairs that are allowed; more may be added."""

    def __init__(self, *pairs):
        self.pairs = set(pairs)
        self.control = Evaluate(self.decide)

    def decide(self, question):
        names = question["resource"]["hierarchy"]
        return (question["action"], names["namespace"]) in self.pairs


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def ask(server, token, path, body=None, method=None):
    return server.query(path, body, method, bearer(token))


def open_server(idp, control, *options):
    server = start(idp, "--authz-url", control.url, "--auth-ingest", "none",
                   *options, grants=None)
    for namespace, one in ("acme", ID), ("evil", OTHER):
        server.send("traces", spans_request(
            stamped("cart", namespace=namespace),
            [span(rng, NOW - 60 * NS, trace_id=TRACE, span_id=one)]))
    return server


def test_span(idp, server, allowed):
    allowed.pairs = {("traces:view", "acme")}
    token = idp.token(groups=["devs"], jti="span")
    tap.same(ask(server, token, SPAN + ID).status, 200,
             "a span by its id: the service allows its component")
    question = allowed.control.questions()[-1][0]
    tap.same((question["action"], question["resource"]["hierarchy"]),
             ("traces:view", {"namespace": "acme", "project": "shop",
                              "component": "cart"}),
             "it was asked about the span's own component")
    hidden = ask(server, token, SPAN + OTHER)
    absent = ask(server, token, SPAN + "12" * 8)
    tap.same((hidden.status, hidden.body), (404, absent.body),
             "a span that may not be seen is like one that is not there")
    body = scope(namespace="acme", project="shop", environment="test")
    tap.same(ask(server, token, SPAN + ID, body).status, 200,
             "the same with a scope")
    tap.same(ask(server, token, SPAN + OTHER, body).status, 404,
             "and of another namespace")
    allowed.control.fault = "5xx"
    other = idp.token(groups=["devs"], jti="span2")
    tap.same(ask(server, other, SPAN + ID).status, 503,
             "the service is away: 503")
    tap.check("does not answer" in admin(server, "/health"),
              "the service is away: noted")
    allowed.control.fault = None
    count = re.search(r"callboard_authz_duration_seconds_count (\d+)",
                      admin(server, "/metrics"))
    tap.same(int(count[1]) if count else None, len(allowed.control.seen),
             "the time of each call is counted")


def alert(component="cart"):
    return {"namespace": "acme", "project": "shop", "environment": "test",
            "component": component,
            "alert": {"id": "a1", "timestamp": rfc3339(NOW), "value": 3,
                      "rule": {"name": "errors"}}}


def test_reports(idp, server, allowed):
    allowed.pairs = {("rcareport:update", "acme"), ("rcareport:view", "acme")}
    token = idp.token(groups=["devs"], jti="report")
    answer = ask(server, token, "/api/v1alpha1/rca-agent/analyze", alert())
    if not tap.same(answer.status, 200, "a report is made"):
        return
    path = REPORTS + json.loads(answer.body)["report_id"]
    tap.same(ask(server, token, path).status, 200, "a report by its id")
    tap.same(ask(server, token, path, {"appliedIndices": []}, "PUT").status,
             200, "it is changed")
    chat = {"reportId": path.rsplit("/", 1)[1],
            "messages": [{"role": "user", "content": "Why?"}]}
    tap.same(ask(server, token, "/api/v1alpha1/rca-agent/chat", chat).status,
             200, "and talked about")
    allowed.pairs = {("rcareport:view", "acme")}
    reader = idp.token(groups=["devs"], jti="reader")
    tap.same(ask(server, reader, path, {"appliedIndices": []}, "PUT").status,
             403, "who may only see it may not change it: 403")
    allowed.pairs = {("rcareport:update", "acme")}
    writer = idp.token(groups=["devs"], jti="writer")
    tap.same(ask(server, writer, path, {"appliedIndices": []}, "PUT").status,
             404, "who may not see it: 404")
    tap.same(ask(server, writer, path).status, 404, "also to read it")
    tap.same(ask(server, writer, "/api/v1alpha1/rca-agent/chat", chat).status,
             404, "or to talk about it")
    allowed.control.fault = "html"
    tap.same(ask(server, idp.token(groups=["devs"], jti="away"), path).status,
             503, "the service is away: 503")
    allowed.control.fault = None


def call(server, token, name, **arguments):
    """A call of a tool of MCP: its text, and whether that is an error."""
    answer = ask(server, token, "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                                         "params": {"name": name, "arguments": arguments}})
    result = json.loads(answer.body).get("result") or {"content": [{"text": answer.body.decode()}], "isError": None}
    return result["content"][0]["text"], result["isError"]


def test_tools(idp, server, allowed):
    allowed.pairs = {("traces:view", "acme")}
    token = idp.token(groups=["devs"], jti="mcp")
    tap.check(ID in call(server, token, "get_span_details", trace_id=TRACE, span_id=ID)[0],
              "a tool waits for the service, as its route does")
    text, wrong = call(server, token, "get_span_details", trace_id=TRACE, span_id=OTHER)
    tap.check(wrong and "not found" in text, "a tool finds nothing that may not be seen", text)
    times = {"start_time": "now-1h", "end_time": "now"}
    text, wrong = call(server, idp.token(groups=["devs"], jti="mcp2"), "query_traces", namespace="acme", project="shop",
                       component="cart", **times)
    tap.check(not wrong and TRACE in text, "a tool with a scope, which the service allows", text)
    text, wrong = call(server, token, "query_traces", namespace="evil", **times)
    tap.check(wrong and "may not do traces:view" in text, "and one that it does not", text)
    allowed.control.fault = "5xx"
    text, wrong = call(server, idp.token(groups=["devs"], jti="mcp3"), "query_traces", namespace="acme", **times)
    allowed.control.fault = None
    tap.check(wrong and "503" in text, "the service is away: an error that a model can read", text)


def test_page(idp, server, allowed):
    page = (f"/api/v1/components/acme/shop/cart?startTime="
            f"{rfc3339(NOW - 600 * NS)}&endTime={rfc3339(NOW)}")
    allowed.pairs = {("metrics:view", "acme"), ("traces:view", "acme")}
    answer = ask(server, idp.token(groups=["devs"], jti="page"), page)
    tap.same(answer.status, 200, "a component's page")
    tap.same(json.loads(answer.body).get("withheld"),
             ["logTemplates", "changes"],
             "withheld is only what the service refuses")


def test_stop(idp):
    """A decision is under way: the server ends all the same."""
    allowed = Allowed()
    server = open_server(idp, allowed.control)
    allowed.control.fault = "slow"
    token = idp.token(groups=["devs"])
    seen = []

    def question(project):
        try:
            seen.append(status(server, token, LOGS, scope(
                namespace="acme", project=project)))
        except OSError:
            seen.append(0)

    threads = [threading.Thread(target=question, args=(f"p{i}",))
               for i in range(12)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    os.kill(server.pid, signal.SIGTERM)
    tap.same(server.child.wait(20), 0, "stops while decisions are awaited")
    tap.check(time.monotonic() - began < 10, "in time")
    for thread in threads:
        thread.join()
    tap.check(set(seen) <= {0, 503}, "none of them is allowed", seen)


class Stale:
    """A yes lives on for --authz-stale, and without it for a minute."""

    def __init__(self, idp, wanted, *options):
        self.allowed = Allowed(("logs:view", "acme"))
        self.server = open_server(idp, self.allowed.control, *options)
        self.token = idp.token(groups=["devs"], exp=int(time.time()) + 3600)
        self.wanted, self.name = wanted, " ".join(options) or "without stale"
        tap.same(self.ask("shop"), 200, f"{self.name}: yes")
        self.asked = time.monotonic()
        self.allowed.control.fault = "5xx"
        tap.same(self.ask("shop"), 200, f"{self.name}: a yes is kept")

    def ask(self, project):
        return status(self.server, self.token, LOGS,
                      scope(namespace="acme", project=project))

    def end(self):
        time.sleep(max(0, self.asked + 61 - time.monotonic()))
        for _ in range(2):
            tap.same(self.ask("shop"), self.wanted,
                     f"{self.name}: {self.wanted} after a minute")
        tap.same(self.ask("p2"), 503,
                 f"{self.name}: what was never asked is 503")
        self.server.stop()


def test_environments(idp):
    """A rule about the plain name is that of a ClusterEnvironment."""
    def decide(question):
        return question.get("context", {}).get("resource", {}).get(
            "environment") == "prod"

    for value, wanted in ("no", 403), ("yes", 200):
        control = Evaluate(decide)
        server = start(idp, "--authz-url", control.url,
                       "--authz-cluster-environments", value, grants=None)
        token = idp.token(groups=["devs"])
        tap.same(status(server, token, LOGS, scope(
            namespace="acme", project="shop", environment="prod")), wanted,
            f"--authz-cluster-environments {value}: {wanted}")
        tap.same(len(control.questions()[0]), 2 if value == "yes" else 1,
                 "all of one question is one call")
        server.stop()


def main():
    idp = Issuer([Key("k", "ES256")])
    stale = [Stale(idp, 200, "--authz-stale", "10m"), Stale(idp, 503)]
    allowed = Allowed()
    server = open_server(idp, allowed.control)
    test_span(idp, server, allowed)
    test_reports(idp, server, allowed)
    test_tools(idp, server, allowed)
    test_page(idp, server, allowed)
    tap.same(server.stop(), 0, "stops")
    test_environments(idp)
    test_stop(idp)
    for one in stale:
        one.end()
    tap.end()


main()
