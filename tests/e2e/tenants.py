"""Two tenants in one server see nothing of each other.

Two namespaces send the same shop: equal names of projects, components, pods,
pod uids, trace ids, alert ids, templates. What differs are random words, in
attributes, texts, ids of spans and the names of the namespaces. Then each read
of the query API is asked by a subject of one namespace, of this server and of
one that only ever had this namespace:

  - no word of the other tenant is in an answer
  - but for times like tookMs, and since when the server runs, both answers are the same bytes

and again after kill -9 with replay, once all is in blocks, and after a
restart; and for a subject that may see one project only.

READS has every route, so that tests/unit/query/test_route.c can tell which one
has been forgotten here.
"""
import json
import re

from callboard import NS, Server, Tap, rfc3339, wait_until
from tenants_kit import MINUTES, START, Tenant, World, difference, has_word, tokens_of

tap = Tap()

# ---- every read ----

TIMES = {"startTime": rfc3339(START - NS), "endTime": rfc3339(START + MINUTES * 60 * NS)}
QUERY = "startTime={startTime}&endTime={endTime}".format(**TIMES)
# Its steps are over: the rates of one that is not depend on the moment they are read.
PAST = f"startTime={TIMES['startTime']}&endTime={rfc3339(START + (MINUTES - 10) * 60 * NS)}"


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
    # The same for everyone, and without anyone's data.
    "GET /ui": lambda t: [],
    "GET /ui/": lambda t: [("/ui/", None)],
    "GET /ui/{}": lambda t: [("/ui/component", None)],
    "GET /ui/assets/{}": lambda t: [],
    "GET /metrics": lambda t: None,
    "GET /api/v1/dead-letters": lambda t: None,
    "GET /.well-known/oauth-protected-resource": lambda t: [],
    "GET /.well-known/oauth-protected-resource/mcp": lambda t: [],
    "GET /api/v1/access/me": lambda t: [("/api/v1/access/me", None)],
    "GET /api/v1/session": lambda t: [("/api/v1/session", None)],
    "GET /api/v1/status": lambda t: [("/api/v1/status", None)],
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
    "GET /api/v1/changes": lambda t: [
        (f"/api/v1/changes?namespace={t.namespace}&{QUERY}", None),
        (f"/api/v1/changes?namespace={t.namespace}&project=shop&component=cart&{QUERY}", None),
        (f"/api/v1/changes?{QUERY}", None)],
    "GET /api/v1/logs/patterns": lambda t: [
        (f"/api/v1/logs/patterns?namespace={t.namespace}&{QUERY}{more}", None)
        for more in ("", "&searchPhrase=order", "&logLevels=ERROR&examples=50", f"&traceId={own_spans(t)[0]}")],
    "GET /api/v1/compare": lambda t: [
        (f"/api/v1/compare?namespace={t.namespace}&{more}endTime={TIMES['endTime']}&startTime={mid}", None)
        for more in ("", "project=shop&component=cart&", "project=shop&component=none&")
        for mid in (rfc3339(START + 20 * 60 * NS),)],
    "GET /api/v1/logs/tail": lambda t: [
        ("/api/v1/logs/tail?lines=1000", None),
        (f"/api/v1/logs/tail?namespace={t.namespace}&project=shop&startTime={TIMES['startTime']}"
         "&includeAttributes=true&logLevels=ERROR,WARN", None)],
    "POST /api/v1/logs/histogram": lambda t: [
        ("/api/v1/logs/histogram", in_scope(t, step="1m")),
        ("/api/v1/logs/histogram", in_scope(t, searchPhrase="order", logLevels=["INFO"]))],
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
    "GET /api/v1/traces": lambda t: [
        (f"/api/v1/traces?{QUERY}", None),
        (f"/api/v1/traces?namespace={t.namespace}&status=error&sortBy=duration&limit=1000&{QUERY}", None)],
    "GET /api/v1/traces/{}": lambda t: [
        *((f"/api/v1/traces/{trace}?attributes=all", None) for trace, _ in (own_spans(t), own_spans(t, 0))),
        (f"/api/v1/traces/{own_spans(t)[0]}?namespace={t.namespace}&logs=1000", None)],
    "POST /api/v1/metrics/query": lambda t: [
        ("/api/v1/metrics/query", in_scope(t, metric="http", step="1m")),
        ("/api/v1/metrics/query", in_scope(t, metric="resource", step="1m"))],
    "POST /api/v1alpha1/metrics/runtime-topology": lambda t: [
        *(("/api/v1alpha1/metrics/runtime-topology", in_scope(t, includeDeclared=True, perEndpoint=each))
          for each in (False, True)),
        ("/api/v1alpha1/metrics/runtime-topology",
         {**TIMES, "limit": 2, "searchScope": {"namespace": t.namespace, "environment": "test"}})],
    "GET /api/v1/components": lambda t: [
        (f"/api/v1/components?{QUERY}", None),
        (f"/api/v1/components?namespace={t.namespace}&limit=1&{QUERY}", None),
        (f"/api/v1/components?usage=true&spark=20&{PAST}", None)],
    "GET /api/v1/components/{}/{}/{}": lambda t: [
        (f"/api/v1/components/{t.namespace}/shop/{c}?{QUERY}", None) for c in ("front", "cart", "none")],
    "GET /api/v1/dependencies": lambda t: [
        (f"/api/v1/dependencies?namespace={t.namespace}&project=shop{more}&{QUERY}", None)
        for more in ("", "&component=front&depth=8", "&component=cart&direction=callers", "&component=none")],
    "GET /api/v1/blast-radius": lambda t: [
        (f"/api/v1/blast-radius?namespace={t.namespace}&project=shop&component={c}&depth=8&{QUERY}", None)
        for c in ("front", "cart", "none")],
    "GET /api/v1/capacity": lambda t: [
        (f"/api/v1/capacity?namespace={t.namespace}&project=shop&component={c}&{QUERY}", None)
        for c in ("front", "cart", "none")],
    "GET /api/v1/incidents": lambda t: [
        (f"/api/v1/incidents?{QUERY}", None),
        *((f"/api/v1/incidents?namespace={t.namespace}{more}&{QUERY}", None)
          for more in ("", "&project=shop&component=cart", "&project=none"))],
    "GET /api/v1/unassigned": lambda t: [
        (f"/api/v1/unassigned?{QUERY}", None), (f"/api/v1/unassigned?namespace={t.namespace}&{QUERY}", None)],
    "POST /api/v1/cause": lambda t: [
        ("/api/v1/cause", in_scope(t, startTime=rfc3339(START + 20 * 60 * NS)))],
    "GET /api/v1/cause": lambda t: [(f"/api/v1/cause?namespace={t.namespace}&project=shop&{QUERY}", None)],
    "POST /api/v1alpha1/rca-agent/analyze": lambda t: [("/api/v1alpha1/rca-agent/analyze", t.alert_)],
    "GET /api/v1/rca-agent/reports": lambda t: [
        (f"/api/v1/rca-agent/reports?namespace={t.namespace}&project=shop&environment=test&{QUERY}", None)],
    "POST /api/v1/rca-agent/reports": lambda t: [
        ("/api/v1/rca-agent/reports", in_scope(t, startTime=rfc3339(START + 20 * 60 * NS)))],
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
    "GET /api/v1/costs": lambda t: [
        (f"/api/v1/costs?{QUERY}&groupBy={by}", None)
        for by in ("component", "project", "environment", "namespace")],
    "GET /api/v1alpha1/costs/namespaces/{}/environments/{}": lambda t: [
        (f"/api/v1alpha1/costs/namespaces/{t.namespace}/environments/{e}?{QUERY}{more}", None)
        for e in ("test", "none") for more in ("", "&granularity=1h", "&project=shop&component=cart")],
    "GET /api/v1alpha1/costs/namespaces/{}/environments/{}/recommendations": lambda t: [
        (f"/api/v1alpha1/costs/namespaces/{t.namespace}/environments/test/recommendations?{QUERY}", None)],
    "GET /api/v1alpha1/platform-logs": lambda t: [],
    "POST /api/v1alpha1/platform-logs/query": lambda t: [],
    "GET /api/v1alpha1/platform-logs/filter-values": lambda t: [],
    "POST /api/v1alpha1/audit-logs/query": lambda t: [],
    "POST /api/v1alpha1/audit-logs/filter-values": lambda t: [],
    "POST /api/v1alpha1/delivery-insights/dora/query": lambda t: [],
    "POST /api/v1alpha1/delivery-insights/dora/deployments/query": lambda t: [],
}

# Times of the server, and the place of a record in the order of arrival.
VARYING = re.compile(rb'"startTime":"[^"]*","uptimeSeconds":\d+,|"(tookMs|firstSeen|generatedAt|nextCursor|total_duration)":("[^"]*"|[\d.]+),?')
NOW = re.compile(rb'("status":"healthy","timestamp":)"[^"]*"')


def plain(answer):
    return NOW.sub(rb"\1", VARYING.sub(b"", answer.body))


def reads(tenant):
    for route, make in READS.items():
        method, pattern = route.split(" ")
        asked = make(tenant)
        for path, body in [(pattern.replace("{}", "x"), None)] if asked is None else asked:
            yield route, method, path, body, asked is None


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
    tokens = tokens_of(tenants)
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
