"""Two tenants in one server see nothing of each other.

Two namespaces send the same shop: equal names of projects, components, pods,
pod uids, trace ids, alert ids, templates. What differs are random words, in
attributes, texts, ids of spans and the names of the namespaces. Then each read
of the query API is asked by a subject of one namespace, of this server and of
one that only ever had this namespace:

  - no word of the other tenant is in an answer
  - but for times like tookMs both answers are the same bytes

and again after kill -9 with replay, once all is in blocks, and after a
restart; and for a subject that may see one project only.

READS has every route, so that tests/unit/query/test_route.c can tell which one
has been forgotten here.
"""
import hashlib
import http.client
import json
import os
import re
import time

from access_kit import make_token
from callboard import (NS, TYPES, Server, Tap, attributes, gauge, log, logs_request, metrics_request,
                       new_folder, otlp_proto, rfc3339, seeded, span, spans_request, wait_until)

tap = Tap()
rng = seeded()
START = time.time_ns() // (60 * NS) * 60 * NS - 30 * 60 * NS
MINUTES = 30


def word():
    return "w" + rng.randbytes(7).hex()


# ---- tokens ----


def tokens_file(folder, rows):
    path = os.path.join(folder, "tokens.yaml")
    with open(path, "w") as file:
        os.chmod(path, 0o600)
        file.write("tokens:\n")
        for name, (token, grant) in rows.items():
            row = {"name": name, "sha256": hashlib.sha256(token.encode()).hexdigest(), **grant}
            file.write(f"  - {json.dumps(row)}\n")
    return path


# ---- what a tenant sends ----


class Tenant:
    def __init__(self, name):
        self.name = name
        self.namespace = word()
        self.words = {self.namespace}
        self.spans = []
        self.requests = []
        self.make()

    def word(self):
        self.words.add(word_ := word())
        return word_

    def span_id(self):
        """Random, and looked for like all words."""
        self.words.add(id_ := rng.randbytes(8).hex())
        return id_

    def resource(self, component, project="shop", version="1", **more):
        prefix = "k8s.pod.labels.openchoreo.dev/"
        return {prefix + "namespace": self.namespace, prefix + "project": project,
                prefix + "component": component, prefix + "environment": "test",
                "k8s.pod.name": f"{component}-pod", "k8s.namespace.name": "dp",
                "k8s.pod.uid": f"uid-of-{project}-{component}", "k8s.container.name": "main",
                "service.name": component, "service.version": version, "host.name": self.word(), **more}

    def add(self, signal_name, request):
        self.requests.append((signal_name, request))

    def make(self):
        front, cart = self.resource("front"), self.resource("cart")
        ledger = self.resource("ledger", "bank")
        for minute in range(MINUTES):
            self.minute(minute, front, cart, ledger)
        later = dict(cart, **{"service.version": "2"})
        self.add("traces", spans_request(later, [span(rng, START + (MINUTES - 1) * 60 * NS, span_id=self.span_id(),
                                                      trace_id=f"{7:032x}", name=self.word())]))
        self.add("logs", logs_request(cart, [
            log(START + 25 * 60 * NS, f"Back-off {self.word()}", 13,
                attributes=attributes({"k8s.event.reason": "BackOff", "k8s.object.kind": "Pod",
                                       "k8s.object.name": "cart-pod", "k8s.event.name": self.word()}))]))
        # Without labels, and the same bytes from both.
        plain_ = {"service.name": "plain", "k8s.pod.uid": "uid-of-plain"}
        self.add("logs", logs_request(plain_, [log(START + 120 * NS + n, f"the same {n}") for n in range(3)]))
        self.add("traces", spans_request(plain_, [
            {"traceId": f"{8:032x}", "spanId": f"{9:016x}", "name": "same", "kind": 2,
             "startTimeUnixNano": str(START + 120 * NS), "endTimeUnixNano": str(START + 121 * NS)}]))
        run = {"k8s.namespace.name": "workflows-" + self.namespace, "k8s.pod.name": "build-1"}
        self.add("logs", logs_request(run, [log(START + 60 * NS, f"step {self.word()}")]))

    def minute(self, minute, front, cart, ledger):
        at = START + minute * 60 * NS
        broken = minute >= 22
        spans = {"front": [], "cart": [], "ledger": []}
        logs = []
        for i in range(6):
            trace = f"{1000 * minute + i + 100:032x}"  # equal ones for both
            ids = [self.span_id() for _ in range(5)]
            begin = at + i * 9 * NS + 1000
            self.spans.append((trace, ids))
            slow = 900_000_000 if broken else 0
            bad = broken and i % 2 == 0
            spans["front"] += [
                span(rng, begin, trace, ids[0], duration_ns=slow + 30_000_000, error=bad,
                     **{"user.id": self.word()}),
                span(rng, begin + 1000, trace, ids[1], ids[0], kind=3, duration_ns=slow + 20_000_000,
                     name="GET", error=bad, **{"server.address": "cart"})]
            spans["cart"] += [
                span(rng, begin + 2000, trace, ids[2], ids[1], duration_ns=slow + 10_000_000, error=bad,
                     **{"order.id": self.word()}),
                span(rng, begin + 3000, trace, ids[3], ids[2], kind=3, duration_ns=5_000_000,
                     name="GET", **{"server.address": "ledger"})]
            spans["ledger"].append(
                span(rng, begin + 4000, trace, ids[4], ids[3], duration_ns=2_000_000,
                     **{"account": self.word()}))
            logs.append(log(begin + 5000, f"order {self.word()} failed" if bad else f"order {self.word()} done",
                            17 if bad else 9, traceId=trace, spanId=ids[2],
                            attributes=attributes({"order": self.word()})))
        for name, resource in (("front", front), ("cart", cart), ("ledger", ledger)):
            self.add("traces", spans_request(resource, spans[name]))
        self.add("logs", logs_request(cart, logs))
        self.add("metrics", metrics_request(cart, [
            gauge("container.cpu.usage", at, 0.9 if broken else 0.1, **{"pool": self.word()}),
            gauge("container.memory.working_set", at, 1e8)]))

    def catalog(self):
        return {"components": [
            {"namespace": self.namespace, "project": "shop", "name": "cart", "uid": self.word(),
             "endpoints": [{"name": "http", "type": "HTTP", "port": 8080, "basePath": "/" + self.word()}],
             "dependencies": [{"project": "bank", "component": "ledger"}]},
            {"namespace": self.namespace, "project": "shop", "name": self.word()}]}

    def alert(self):
        return {"namespace": self.namespace, "project": "shop", "environment": "test", "component": "cart",
                "alert": {"id": "a1", "timestamp": rfc3339(START + 29 * 60 * NS), "value": 3,
                          "rule": {"name": "errors", "description": self.word()}}}


# ---- a server, and who asks it ----


class World:
    """A server with the data of some tenants."""

    def __init__(self, tenants, tokens):
        self.folder = new_folder()
        self.tokens = tokens
        self.file = tokens_file(new_folder(), tokens)
        self.start()
        for step in zip(*(t.requests for t in tenants)):
            for tenant, (signal_name, request) in zip(tenants, step):
                answer = self.request(self.server.otlp_port, "POST", f"/v1/{signal_name}",
                                      otlp_proto(signal_name, request), "write-" + tenant.name,
                                      TYPES["proto"])
                assert answer.status == 200 and b"rejected" not in answer.body, answer
        for tenant in tenants:
            for path, body, method in (
                    (f"/api/v1/catalog?namespace={tenant.namespace}", tenant.catalog_, "PUT"),
                    ("/api/v1alpha1/rca-agent/analyze", tenant.alert_, "POST")):
                answer = self.ask(method, path, body, "own-" + tenant.name)
                assert answer.status == 200, answer

    def start(self, *more):
        self.server = Server(self.folder, "--auth", "required", "--tokens", self.file, *more)

    def request(self, port, method, path, body, who, kind="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(method, path, body, {"Content-Type": kind,
                                                "Authorization": "Bearer " + self.tokens[who][0]})
        answer = connection.getresponse()
        answer.body = answer.read()
        connection.close()
        return answer

    def ask(self, method, path, body, who):
        return self.request(self.server.query_port, method, path,
                            None if body is None else json.dumps(body), who)

    def blocks(self):
        text = self.ask("GET", "/metrics", None, "operator").body.decode()
        return sum(float(n) for n in re.findall(r"^callboard_stored_blocks\{\S+ (\d+)", text, re.M))


# ---- every read ----

TIMES = {"startTime": rfc3339(START - NS), "endTime": rfc3339(START + MINUTES * 60 * NS)}
QUERY = "startTime={startTime}&endTime={endTime}".format(**TIMES)


def in_scope(tenant, **more):
    return {**TIMES, "searchScope": {"namespace": tenant.namespace, "project": "shop", "environment": "test"},
            **more}


def report_path(tenant):
    return f"/api/v1/rca-agent/reports/a1_{(START + 29 * 60 * NS) // NS}"


def own_spans(tenant, minute=25):
    return tenant.spans[minute * 6]


# Route as in query/query_routes.c -> requests: (path, body), for this tenant.
# None: of administrators, refused. []: not served, or compared elsewhere.
READS = {
    "GET /": lambda t: [("/", None)],
    "GET /health": lambda t: [("/health", None)],
    "GET /openapi.yaml": lambda t: [("/openapi.yaml", None)],
    "GET /metrics": lambda t: None,
    "GET /api/v1/dead-letters": lambda t: None,
    "GET /.well-known/oauth-protected-resource": lambda t: [],
    "GET /api/v1/access/me": lambda t: [("/api/v1/access/me", None)],
    "GET /api/v1/access/tokens": lambda t: None,
    "POST /api/v1/access/tokens": lambda t: None,
    "POST /api/v1/access/tokens/{}/rotate": lambda t: None,
    "DELETE /api/v1/access/tokens/{}": lambda t: None,
    "GET /api/v1/access/tenants": lambda t: [],  # figures of use: tenant_floods.py
    "DELETE /api/v1/access/tenants/{}": lambda t: None,  # tenant_ingest.py
    "GET /api/v1/catalog": lambda t: [("/api/v1/catalog", None)],
    "PUT /api/v1/catalog": lambda t: [(f"/api/v1/catalog?namespace={t.namespace}", t.catalog_)],
    "POST /api/v1/logs/query": lambda t: [
        ("/api/v1/logs/query", in_scope(t, limit=1000)),
        ("/api/v1/logs/query", in_scope(t, searchPhrase="order", includeAttributes=True)),
        ("/api/v1/logs/query", in_scope(t, logLevels=["ERROR"], limit=0)),
        ("/api/v1/logs/query", in_scope(t, traceId=own_spans(t)[0])),
        ("/api/v1/logs/query", {**TIMES, "searchScope": {"namespace": t.namespace}, "searchPhrase": "the same"}),
        ("/api/v1/logs/query", {**TIMES, "searchScope": {"namespace": t.namespace, "workflowRunName": "build"}})],
    "POST /api/v1/events/query": lambda t: [
        ("/api/v1/events/query", in_scope(t, includeAttributes=True)),
        ("/api/v1/events/query", {**TIMES, "reasons": ["BackOff", "VersionChanged"]})],
    "POST /api/v1alpha1/traces/query": lambda t: [
        ("/api/v1alpha1/traces/query", in_scope(t, limit=1000)),
        ("/api/v1alpha1/traces/query", in_scope(t, errorsOnly=True, sortOrder="asc"))],
    "POST /api/v1alpha1/traces/{}/spans/query": lambda t: [
        *((f"/api/v1alpha1/traces/{trace}/spans/query", in_scope(t, includeAttributes=True))
          for trace, _ in (own_spans(t), own_spans(t, 0))),
        (f"/api/v1alpha1/traces/{8:032x}/spans/query", {**TIMES, "searchScope": {"namespace": t.namespace}})],
    "GET /api/v1alpha1/traces/{}/spans/{}": lambda t: [
        (f"/api/v1alpha1/traces/{own_spans(t)[0]}/spans/{id_}", None) for id_ in own_spans(t)[1]],
    "POST /api/v1alpha1/traces/{}/spans/{}": lambda t: [
        (f"/api/v1alpha1/traces/{own_spans(t)[0]}/spans/{id_}", in_scope(t)) for id_ in own_spans(t)[1]],
    "POST /api/v1/metrics/query": lambda t: [
        ("/api/v1/metrics/query", in_scope(t, metric="http", step="1m")),
        ("/api/v1/metrics/query", in_scope(t, metric="resource", step="1m"))],
    "POST /api/v1alpha1/metrics/runtime-topology": lambda t: [
        ("/api/v1alpha1/metrics/runtime-topology", in_scope(t, includeDeclared=True, perEndpoint=each))
        for each in (False, True)],
    "GET /api/v1/components": lambda t: [
        (f"/api/v1/components?{QUERY}", None),
        (f"/api/v1/components?namespace={t.namespace}&limit=1&{QUERY}", None)],
    "GET /api/v1/components/{}/{}/{}": lambda t: [
        (f"/api/v1/components/{t.namespace}/shop/{c}?{QUERY}", None) for c in ("front", "cart", "none")],
    "POST /api/v1/cause": lambda t: [
        ("/api/v1/cause", in_scope(t, startTime=rfc3339(START + 20 * 60 * NS)))],
    "GET /api/v1/cause": lambda t: [(f"/api/v1/cause?namespace={t.namespace}&project=shop&{QUERY}", None)],
    "POST /api/v1alpha1/rca-agent/analyze": lambda t: [("/api/v1alpha1/rca-agent/analyze", t.alert_)],
    "GET /api/v1/rca-agent/reports": lambda t: [
        (f"/api/v1/rca-agent/reports?namespace={t.namespace}&project=shop&environment=test&{QUERY}", None)],
    "GET /api/v1/rca-agent/reports/{}": lambda t: [(report_path(t), None)],
    "PUT /api/v1/rca-agent/reports/{}": lambda t: [(report_path(t), {"appliedIndices": []})],
    "POST /api/v1alpha1/rca-agent/chat": lambda t: [
        ("/api/v1alpha1/rca-agent/chat", {"reportId": report_path(t).rsplit("/", 1)[1],
                                          "messages": [{"role": "user", "content": "Why?"}]})],
    "POST /api/v1alpha1/alerts/query": lambda t: [],
    "POST /api/v1alpha1/alerts/webhook": lambda t: [],
    "POST /api/v1alpha1/alerts/sources/{}/rules": lambda t: [],
    "GET /api/v1alpha1/alerts/sources/{}/rules/{}": lambda t: [],
    "PUT /api/v1alpha1/alerts/sources/{}/rules/{}": lambda t: [],
    "DELETE /api/v1alpha1/alerts/sources/{}/rules/{}": lambda t: [],
    "POST /api/v1alpha1/incidents/query": lambda t: [],
    "PUT /api/v1alpha1/incidents/{}": lambda t: [],
    "GET /api/v1alpha1/costs/namespaces/{}/environments/{}": lambda t: [],
    "GET /api/v1alpha1/costs/namespaces/{}/environments/{}/recommendations": lambda t: [],
    "GET /api/v1alpha1/platform-logs": lambda t: [],
    "POST /api/v1alpha1/platform-logs/query": lambda t: [],
    "GET /api/v1alpha1/platform-logs/filter-values": lambda t: [],
    "POST /api/v1alpha1/audit-logs/query": lambda t: [],
    "POST /api/v1alpha1/audit-logs/filter-values": lambda t: [],
    "POST /api/v1alpha1/delivery-insights/dora/query": lambda t: [],
    "POST /api/v1alpha1/delivery-insights/dora/deployments/query": lambda t: [],
}

# Times of the server, and the place of a record in the order of arrival.
VARYING = re.compile(rb'"(tookMs|firstSeen|generatedAt|nextCursor|total_duration)":("[^"]*"|[\d.]+),?')
NOW = re.compile(rb'("status":"healthy","timestamp":)"[^"]*"')


def plain(answer):
    return NOW.sub(rb"\1", VARYING.sub(b"", answer.body))


def reads(tenant):
    for route, make in READS.items():
        method, pattern = route.split(" ")
        asked = make(tenant)
        for path, body in [(pattern.replace("{}", "x"), None)] if asked is None else asked:
            yield route, method, path, body, asked is None


def has_word(body, words):
    text = body.decode(errors="replace").lower()
    return next((w for w in words if w in text), None)


def compare(state, both, alone, tenant, other, who):
    """Every read by this subject, of both servers."""
    wrong = []
    for route, method, path, body, refused in reads(tenant):
        seen, wanted = both.ask(method, path, body, who), alone.ask(method, path, body, who)
        if refused and seen.status != 403:
            wrong.append(f"{route} is {seen.status}, not 403")
        if who.startswith("own-") and "the same" in json.dumps(body) and json.loads(seen.body)["total"] != 3:
            wrong.append(f"{seen.body[:300]} has not three records that are the same as the other's")
        if who.startswith("own-") and not refused and seen.status != 200:
            wrong.append(f"{route} {path} is {seen.status}: {seen.body[:200]}")
        if found := has_word(seen.body, other.words):
            wrong.append(f"{route} {path} has the word {found} of the other tenant")
        if (seen.status, plain(seen)) != (wanted.status, plain(wanted)):
            wrong.append(f"{route} {path} {body} differs:\n{seen.status} {difference(plain(seen), plain(wanted))}")
    tap.check(not wrong, f"{state}: {who} sees what is its own", "\n".join(wrong[:4]))


def difference(seen, wanted):
    at = next((i for i, (a, b) in enumerate(zip(seen, wanted)) if a != b), min(len(seen), len(wanted)))
    return f"at {at}: {seen[max(0, at - 60):at + 120]!r}, alone {wanted[max(0, at - 60):at + 120]!r}"


def foreign(state, both, tenant, other, who):
    """What is the other's, asked for by name or id: refused, or not there."""
    wrong = []
    for route, method, path, body, refused in reads(other):
        answer = both.ask(method, path, body, who)
        if found := has_word(answer.body, other.words - set(re.findall(r"w[0-9a-f]{14}", path + json.dumps(body)))):
            wrong.append(f"{route} {path} tells {found}")
        if other.namespace in path + json.dumps(body) and not refused and answer.status not in (403, 404):
            wrong.append(f"{route} {path} is {answer.status}")
    nothing = both.ask("GET", f"/api/v1alpha1/traces/{own_spans(other)[0]}/spans/{'00' * 7}01", None, who)
    for id_ in own_spans(other)[1]:
        answer = both.ask("GET", f"/api/v1alpha1/traces/{own_spans(other)[0]}/spans/{id_}", None, who)
        if (answer.status, answer.body) != (nothing.status, nothing.body):
            wrong.append(f"span {id_} is {answer.status}")
    scope = {"namespace": tenant.namespace, "project": "0b0d0000-1111-2222-3333-444455556666"}
    for page in ("next", "a cursor of the other"):
        cursor = {} if page == "next" else {"cursor": both.cursor_of[other.name]}
        answer = both.ask("POST", "/api/v1/logs/query", in_scope(tenant, limit=5, **cursor), who)
        if answer.status != 200 or has_word(answer.body, other.words):
            wrong.append(f"{page}: {answer.status}")
    answer = both.ask("POST", "/api/v1/logs/query", {**TIMES, "searchScope": scope}, who)
    wanted = 200 if who.startswith("own") else 403
    if answer.status != wanted:
        wrong.append(f"a uid of nothing is {answer.status}")
    tap.check(not wrong, f"{state}: {who} gets nothing of the other's", "\n".join(wrong[:6]))


def check_all(state, both, alone, tenants):
    for tenant, other in (tenants, tenants[::-1]):
        answer = both.ask("POST", "/api/v1/logs/query", in_scope(tenant, limit=5), "own-" + tenant.name)
        both.cursor_of[tenant.name] = json.loads(answer.body)["nextCursor"]
    for tenant, other in (tenants, tenants[::-1]):
        for who in ("own-" + tenant.name, "shop-" + tenant.name):
            compare(state, both, alone[tenant.name], tenant, other, who)
            foreign(state, both, tenant, other, who)


def project_only(both, tenant):
    """Of another project of its own namespace: no names."""
    bank = {w for _, request in tenant.requests for w in words_of_bank(request)}
    wrong = []
    for route, method, path, body, _ in reads(tenant):
        answer = both.ask(method, path, body, "shop-" + tenant.name)
        if found := has_word(answer.body, bank):
            wrong.append(f"{route} {path} tells {found}")
    trace, ids = own_spans(tenant)
    answer = json.loads(both.ask("POST", f"/api/v1alpha1/traces/{trace}/spans/query", in_scope(tenant),
                                 "shop-" + tenant.name).body)
    names = {s["spanId"]: s["spanName"] for s in answer["spans"]}
    if names.get(ids[4]) != "hidden" or names.get(ids[3]) == "hidden":
        wrong.append(f"spans {names}")
    tap.check(not wrong, f"shop-{tenant.name} sees no word of the bank", "\n".join(wrong[:6]))


TELLING = {"GET /api/v1/catalog", "POST /api/v1/logs/query", "POST /api/v1/events/query", "POST /api/v1/cause",
           "POST /api/v1alpha1/traces/query", "POST /api/v1alpha1/traces/{}/spans/query",
           "GET /api/v1alpha1/traces/{}/spans/{}", "POST /api/v1alpha1/traces/{}/spans/{}",
           "POST /api/v1alpha1/metrics/runtime-topology", "GET /api/v1/components",
           "GET /api/v1/components/{}/{}/{}", "GET /api/v1/rca-agent/reports/{}"}


def tells_its_own(both, tenant):
    """The words are found where they are: answers are not empty."""
    telling = {route for route, method, path, body, _ in reads(tenant)
               if has_word(both.ask(method, path, body, "own-" + tenant.name).body, tenant.words)}
    cause = json.loads(both.ask("POST", "/api/v1/cause", in_scope(tenant, startTime=rfc3339(START + 20 * 60 * NS)),
                                "own-" + tenant.name).body)
    tap.check(TELLING <= telling and cause["found"], f"own-{tenant.name} is told its own words",
              f"not by {TELLING - telling}, {cause['summary']}")


def administrator(both, tenant, other):
    """Of one namespace: its tokens only, and not the counters of the server."""
    who = "admin-" + tenant.name
    tokens = both.ask("GET", "/api/v1/access/tokens", None, who)
    names = re.findall(r'"name":"([^"]*)"', tokens.body.decode())
    wrong = [name for name in names if not name.endswith("-" + tenant.name)]
    if tokens.status != 200 or not names or wrong or has_word(tokens.body, other.words):
        wrong.append(f"{tokens.status} {tokens.body[:500]}")
    wrong += [path for path in ("/metrics", "/api/v1/dead-letters", "/api/v1alpha1/platform-logs")
              if both.ask("GET", path, None, who).status != 403]
    tap.check(not wrong, f"{who} sees no tokens of others", repr(wrong))


def words_of_bank(request):
    for part in request.get("resourceSpans", []):
        text = json.dumps(part)
        if '"bank"' in text:
            yield from set(re.findall(r"w[0-9a-f]{14}", text)) - {SPACES[0], SPACES[1]}


def again(world, how, *options):
    how(world.server)
    world.start(*options)


def main():
    for tenant in tenants:
        tenant.catalog_, tenant.alert_ = tenant.catalog(), tenant.alert()
    tokens = {"operator": (make_token(), {"role": "admin", "namespace": "*"})}
    for tenant in tenants:
        tokens["write-" + tenant.name] = (make_token(), {"role": "ingest", "namespace": tenant.namespace})
        tokens["own-" + tenant.name] = (make_token(), {"role": "editor", "namespace": tenant.namespace})
        tokens["admin-" + tenant.name] = (make_token(), {"role": "admin", "namespace": tenant.namespace})
        tokens["shop-" + tenant.name] = (make_token(), {"role": "editor", "namespace": tenant.namespace,
                                                        "project": "shop"})
    both = World(tenants, tokens)
    both.cursor_of = {}
    alone = {tenant.name: World([tenant], tokens) for tenant in tenants}
    worlds = [both, *alone.values()]
    check_all("at first", both, alone, tenants)
    for tenant in tenants:
        project_only(both, tenant)
        tells_its_own(both, tenant)
    for tenant, other in (tenants, tenants[::-1]):
        administrator(both, tenant, other)
    for world in worlds:
        again(world, Server.kill)
    check_all("after kill -9", both, alone, tenants)
    for world in worlds:
        again(world, Server.stop, "--seal-age", "1s")
        tap.check(wait_until(lambda w=world: w.blocks() > 0, 20), "it is in blocks")
    check_all("in blocks", both, alone, tenants)
    for world in worlds:
        again(world, Server.stop)
    check_all("after a restart", both, alone, tenants)
    tap.end()


tenants = [Tenant("a"), Tenant("b")]
SPACES = [t.namespace for t in tenants]
main()
