"""Two tenants in one server see nothing of each other through the APIs of
Grafana, Prometheus and Tempo, and through MCP.

As in tenants.py: each read is asked by a subject of one namespace (all of it,
one project, one component, or one action only), of a server with the data of two
tenants and of one that only ever had this tenant's. Both answers are the same
bytes, and no word of the other tenant is in them, whether the question is about
the subject's own names or about the other tenant's.

READS has every route of these APIs, so that tests/unit/query/test_route.c can
tell which one has been forgotten here.
"""
import json
import re
from urllib.parse import urlencode

from callboard import NS, Tap, attributes, rfc3339, wait_until
from tenants_kit import MINUTES, START, Tenant, World, difference, has_word, tokens_of
from tenants_mcp import SILENT as SILENT_MCP, VARYING as MCP_VARYING, is_of_now, mcp_reads, tools_asked

tap = Tap()
END = START + MINUTES * 60 * NS


class Wide(Tenant):
    """Also words in names of metrics, keys of attributes, units and descriptions,
    exemplars, events, links, scopes, and peers of another project."""

    def make(self):
        super().make()
        self.metric, self.key, self.unit = self.word(), self.word(), self.word()
        for minute in range(MINUTES):
            at = START + minute * 60 * NS
            self.add("metrics", self.metrics(at, minute))
            if minute % 5 == 0:
                self.add("traces", self.rich_trace(at + 40 * NS))

    def metrics(self, at, minute):
        def point(**more):
            return {"startTimeUnixNano": str(at - 60 * NS), "timeUnixNano": str(at), **more}

        def metric(name, kind, points, unit="s", **more):
            return {"name": name, "unit": unit, "description": self.word(),
                    kind: {"dataPoints": points, **more}}

        sent = attributes({self.key: self.word(), "pool": "p"})
        trace, ids = self.spans[minute * 6]
        exemplar = {"timeUnixNano": str(at), "asDouble": 0.3, "traceId": trace, "spanId": ids[0],
                    "filteredAttributes": attributes({"user": self.word()})}
        list_ = [
            metric("jobs", "sum", [point(asInt="7", attributes=sent)], aggregationTemporality=1, isMonotonic=True),
            metric("queue." + self.metric, "gauge", [point(asDouble=minute)]),
            metric("odd", "gauge", [point(asDouble=1.5)], unit=self.unit),
            metric("http.server.request.duration", "histogram", [
                point(count="4", sum=1.0, bucketCounts=["1", "2", "1"], explicitBounds=[0.1, 0.5],
                      attributes=sent, exemplars=[exemplar])], aggregationTemporality=1),
            metric("rpc.server.duration", "exponentialHistogram", [
                point(count="3", sum=2.0, scale=3, zeroCount="0", positive={"offset": 1, "bucketCounts": ["1", "2"]},
                      attributes=sent, exemplars=[exemplar])], aggregationTemporality=1),
        ]
        return json.dumps({"resourceMetrics": [
            {"resource": {"attributes": attributes(self.resource(component, project, **{self.key: self.word()}))},
             "scopeMetrics": [{"scope": {"name": "e2e"}, "metrics": list_}]}
            for component, project in (("cart", "shop"), ("ledger", "bank"))]}).encode()

    def rich_trace(self, at):
        own, parent = self.span_id(), self.span_id()
        spans = [{"traceId": f"{77:032x}", "spanId": id_, "parentSpanId": "" if id_ == parent else parent,
                  "name": self.word(), "kind": 2, "startTimeUnixNano": str(at), "endTimeUnixNano": str(at + NS),
                  "attributes": attributes({self.key: self.word(), "server.address": "cart"}),
                  "status": {"code": 2, "message": self.word()}, "traceState": f"a={self.word()}",
                  "events": [{"timeUnixNano": str(at), "name": self.word(),
                              "attributes": attributes({"e." + self.key: self.word()})}],
                  "links": [{"traceId": f"{78:032x}", "spanId": self.span_id(),
                             "attributes": attributes({"l." + self.key: self.word()})}]}
                 for id_ in (parent, own)]
        return json.dumps({"resourceSpans": [
            {"resource": {"attributes": attributes(self.resource(component, project))},
             "scopeSpans": [{"scope": {"name": self.word(), "attributes": attributes({"s." + self.key: "x"})},
                             "spans": [one]}]}
            for one, component, project in zip(spans, ("cart", "ledger"), ("shop", "bank"))]}).encode()


# ---- every read ----

RANGE = {"start": START // NS, "end": END // NS}
RESERVED = ("__name__", "job", "instance", "component", "project", "namespace", "environment", "endpoint", "peer_component",
            "peer_name", "peer_endpoint", "peer_kind", "client", "server", "template", "template_id", "host_name", "le")


def get(path, **params):
    return (path + ("?" + urlencode(params, doseq=True) if params else ""), None)


def expressions(t):
    own = f'{{namespace="{t.namespace}"}}'
    return ['{__name__=~".+"}', 'count by (__name__) ({__name__=~".+"})', own, "target_info", "absent(target_info)",
            'callboard_call_requests_total{direction="out"}', 'callboard_call_errors_total{direction="in"}',
            '{__name__=~"callboard_call_duration_seconds_count|traces_service_graph_.*"}',
            "sum by (client, server) (increase(traces_service_graph_request_total[30m]))",
            "topk(3, callboard_log_records_total)", "count_values('v', jobs_seconds_total)",
            f'{{"queue.{t.metric}"}}', f'{{__name__=~"queue_{t.metric}.*"}}', f'jobs_seconds_total{{{t.key}=~".+"}}',
            f'count by ({t.key}) (target_info)', "histogram_quantile(0.9, http_server_request_duration_seconds_bucket)",
            "rate(rpc_server_duration_seconds[5m])",
            'group by (component) (target_info) * on (component) group_left (host_name) target_info']


def prometheus_reads(path):
    base = "/prometheus/api/v1/" + path
    selectors = {"query": lambda e: get(base, query=e, time=END // NS - 120),
                 "query_range": lambda e: get(base, query=e, step=60, **RANGE),
                 "query_exemplars": lambda e: get(base, query=e, **RANGE),
                 "series": lambda e: get(base, **RANGE, **{"match[]": e}),
                 "labels": lambda e: get(base, **RANGE, **{"match[]": e})}
    make = selectors[path]
    if path in ("query", "query_range"):
        return lambda t: [make(e) for e in expressions(t)]
    few = ['{__name__=~".+"}', "target_info", '{__name__=~"callboard.*|traces.*"}']
    more = [] if path == "series" else [get(base, **RANGE), get(base)]
    return lambda t: more + [make(e) for e in few + [f'{{namespace="{t.namespace}"}}', f'{{{t.key}=~".+"}}']]


def post_of(make):
    """The same by POST, of which the first question is enough."""
    return lambda t: [(path.split("?")[0], path.split("?")[1].encode()) for path, _ in make(t)[-2:] if "?" in path]


def payloads(t):
    return [{}, {"namespace": t.namespace}, {"component": "cart"}, {"namespace": t.namespace, "project": "bank"},
            {"component": t.metric}, {"component": f"{t.namespace}|cart"}, {"endpoint": ".*"}]


TARGETS = {
    "requests": [{"by": ["namespace", "component", "endpoint", "operation"]}, {"by": ["caller"], "direction": "in"},
                 {"by": ["callee"], "direction": "out", "project": "shop"}],
    "errors": [{"by": "caller", "direction": "in"}], "error_ratio": [], "latency": [{"by": ["callee"], "direction": "out"}],
    "latency_heatmap": [], "usage": [{"by": "pod"}], "restarts": [],
    "series": [{"name": "jobs", "by": "{key}"}, {"name": "queue.{metric}"}, {"name": "odd"}, {"name": ""},
               {"name": "http.server.request.duration", "function": "quantile"}],
    "log_volume": [{"search": "order"}], "logs": [{"search": "{namespace}"}, {"trace_id": f"{100:032x}"}], "log_templates": [],
    "traces": [{"status": "error"}], "trace_scatter": [],
    "trace": [{"trace_id": f"{n:032x}"} for n in (77, 100, 8, 99999)],
    "topology": [{"external": "true", "declared": "true", "gateways": "true"}, {"component": "ledger"}],
    "components": [], "changes": [], "events": [{"warnings": "true"}],
    "cause": [{"project": "shop"}], "cause_evidence": [{"project": "shop"}], "cause_summary": [{"project": "shop"}],
    "callboard": [],
}


def grafana_body(**more):
    return {"range": {"from": rfc3339(START), "to": rfc3339(END)}, "maxDataPoints": 30, "intervalMs": 60000, **more}


def targets_of(t):
    def filled(payload):
        return {k: v.format(key=t.key, metric=t.metric, namespace=t.namespace) if isinstance(v, str) else v
                for k, v in payload.items()}

    for target, own in TARGETS.items():
        for payload in payloads(t) + [filled(one) for one in own]:
            yield {"refId": "A", "target": target, "payload": payload}


def adhoc(t):
    for key, op, value in (("namespace", "=", t.namespace), (t.key, "=~", ".+"), ("host.name", "!=", "x"),
                           ("k8s.pod.uid", "=", "uid-of-bank-ledger"), (t.key, "!=", t.metric)):
        yield [{"key": key, "operator": op, "value": value}]


def grafana_query(t):
    yield from (("/grafana/query", grafana_body(targets=[one])) for one in targets_of(t))
    yield ("/grafana/query", grafana_body(targets=[dict(one, refId=f"R{i}") for i, one in enumerate(targets_of(t))][:40]))
    yield ("/grafana/query", grafana_body(targets=[{"refId": "A", "target": "requests", "type": "table"}], format="rows"))
    for filters in adhoc(t):
        for target in ("requests", "series", "logs", "traces", "events"):
            yield ("/grafana/query", grafana_body(adhocFilters=filters, targets=[
                {"refId": "A", "target": target, "payload": {"name": "jobs", "by": "component"}}]))


LISTS = ("namespaces", "projects", "environments", "components", "endpoints", "operations", "versions", "pods", "levels",
         "series")


def grafana_lists(path):
    def make(t):
        texts = [*LISTS, *(f"{kind}({t.namespace})" for kind in LISTS), f"components({t.namespace}, bank)", "components(bank)",
                 "operations(component=ledger)", f"series({t.metric})", "logs", "topology", "nothing", ""]
        for text in texts:
            yield (path, {"target": text} if path.endswith("search") else {"payload": {"target": text}})
    return make


SCOPE = ("namespace", "project", "environment", "component", "endpoint", "operation")


def grafana_options(t):
    for target, names in (("requests", SCOPE + ("by",)), ("series", SCOPE + ("name", "by")), ("logs", SCOPE + ("level",)),
                          ("topology", SCOPE), ("cause", SCOPE)):
        for name in names:
            for payload in ({}, {"namespace": t.namespace}, {"project": "bank"}):
                yield ("/grafana/metric-payload-options", {"metric": target, "name": name, "payload": payload})


def grafana_tags(path):
    keys = ("namespace", "project", "component", "endpoint", "operation", "version", "pod", "host.name", "k8s.pod.uid",
            "callboard.namespace")
    return lambda t: [(path, grafana_body(key=key)) for key in (*keys, t.key)]


def searches(t):
    queries = ("{}", "{ status = error }", f'{{ span.{t.key} =~ ".+" }}', f'{{ resource.namespace = "{t.namespace}" }}',
               f'{{ .{t.key} != nil }}', '{ resource.component = "ledger" }', "{ } >> { }", "{} | count() > 1",
               "{} | by(resource.component)", f'{{ event.e.{t.key} != nil }}', "{ rootServiceName = \"front\" }",
               "{ } | select(resource.host.name, span.endpoint, event:name, instrumentation:name)", "{ trace:id = \"4d\" }",
               "{ nestedSetParent = -1 }", '{ link:traceID = "4e" }', "{ traceDuration > 10ms }", "{ name =~ \"w.*\" }")
    return [get("/tempo/api/search", q=q, limit=500, spss=0, **RANGE) for q in queries] + [
        get("/tempo/api/search", tags=tags, limit=500, **RANGE) for tags in ("", "component=cart", f"namespace={t.namespace}")]


def tags(version):
    base = f"/tempo/api/{version}search/tags"
    return lambda t: [get(base, **RANGE)] + [get(base, scope=scope, q=q, **RANGE) for q in ("", '{ resource.component = "ledger" }')
                                             for scope in ("resource", "span", "event", "link", "instrumentation", "intrinsic")]


def tag_values(version):
    names = ("resource.namespace", "resource.component", "resource.host.name", ".host.name", "name", "rootName",
             "rootServiceName", "event:name", "instrumentation:name", "span.endpoint", "span.operation", "statusMessage",
             "callboard.peer.component", "span.callboard.peer.component", "resource.callboard.namespace", "status",
             "trace:id", "link:traceID", "span:id", "host.name", "component")
    return lambda t: [get(f"/tempo/api/{version}search/tag/{name}/values", **RANGE)
                      for name in (*names, t.key, "." + t.key, "event.e." + t.key)]


def traces(version):
    return lambda t: [get(f"/tempo/api/{version}traces/{n:x}", **more) for n in (77, 78, 100, 130, 8, 7, 99999) for more in ({}, RANGE)]


# Route -> requests: (path, body), for this tenant. None: tells nothing of what is stored.
READS = {
    "POST /mcp": mcp_reads,
    "GET /prometheus/api/v1/query": prometheus_reads("query"),
    "POST /prometheus/api/v1/query": post_of(prometheus_reads("query")),
    "GET /prometheus/api/v1/query_range": prometheus_reads("query_range"),
    "POST /prometheus/api/v1/query_range": post_of(prometheus_reads("query_range")),
    "GET /prometheus/api/v1/query_exemplars": prometheus_reads("query_exemplars"),
    "POST /prometheus/api/v1/query_exemplars": post_of(prometheus_reads("query_exemplars")),
    "GET /prometheus/api/v1/labels": prometheus_reads("labels"),
    "POST /prometheus/api/v1/labels": post_of(prometheus_reads("labels")),
    "GET /prometheus/api/v1/series": prometheus_reads("series"),
    "POST /prometheus/api/v1/series": post_of(prometheus_reads("series")),
    "GET /prometheus/api/v1/label/{}/values": lambda t: [
        get(f"/prometheus/api/v1/label/{name}/values", **range_) for name in (*RESERVED, t.key) for range_ in (RANGE, {})],
    "GET /prometheus/api/v1/metadata": lambda t: [get("/prometheus/api/v1/metadata", **more) for more in (
        {}, {"limit": 3}, {"metric": "jobs_seconds_total"}, {"metric": f"queue_{t.metric}_seconds"}, {"metric": "odd"})],
    "GET /prometheus/api/v1/rules": None,
    "GET /prometheus/api/v1/alerts": None,
    "GET /prometheus/api/v1/targets": None,
    "GET /prometheus/api/v1/targets/metadata": None,
    "GET /prometheus/api/v1/alertmanagers": None,
    "GET /prometheus/api/v1/status/buildinfo": None,
    "GET /prometheus/api/v1/status/config": None,
    "GET /prometheus/api/v1/status/flags": None,
    "GET /prometheus/-/ready": None,
    "GET /prometheus/-/healthy": None,
    "GET /tempo/api/echo": None,
    "GET /tempo/api/status/buildinfo": None,
    "GET /tempo/api/status/version": None,
    "GET /tempo/api/traces/{}": traces(""),
    "GET /tempo/api/v2/traces/{}": traces("v2/"),
    "GET /tempo/api/search": searches,
    "GET /tempo/api/search/tags": tags(""),
    "GET /tempo/api/v2/search/tags": tags("v2/"),
    "GET /tempo/api/search/tag/{}/values": tag_values(""),
    "GET /tempo/api/v2/search/tag/{}/values": tag_values("v2/"),
    "GET /grafana": None,
    "GET /grafana/": None,
    "POST /grafana/query": grafana_query,
    "POST /grafana/metrics": lambda t: [("/grafana/metrics", {}), ("/grafana/metrics", {"payload": {"namespace": t.namespace}})],
    "POST /grafana/metric-payload-options": grafana_options,
    "POST /grafana/variable": grafana_lists("/grafana/variable"),
    "POST /grafana/search": grafana_lists("/grafana/search"),
    "POST /grafana/tag-keys": lambda t: [("/grafana/tag-keys", {}), ("/grafana/tag-keys", grafana_body())],
    "POST /grafana/tag-values": grafana_tags("/grafana/tag-values"),
    "POST /grafana/annotations": lambda t: [
        ("/grafana/annotations", grafana_body(annotation={"name": "x", "query": q}))
        for q in ("", "events", "cause", json.dumps({"target": "changes", "namespace": t.namespace}))],
}

# The place of a record in the order of arrival, in the id of a log line or a change.
VARYING = re.compile(rb'"(?:18[0-9a-f]{14}-)?0000000[0-9a-f]{9}"')


# What is summed in another order may differ in its last digits.
LONG = re.compile(rb"\d+\.\d{9,}(?:e[-+]?\d+)?")


def plain(answer):
    return LONG.sub(lambda found: b"%.9g" % float(found.group()), MCP_VARYING.sub(b"", VARYING.sub(b"", answer.body)))


def part_of(route, body):
    """A route, of /query with one target with its name."""
    if route == "POST /mcp":
        return f"{route} {body['method']} {body['params'].get('name', '')}"
    if route == "POST /grafana/query" and isinstance(body, dict) and len(body["targets"]) == 1:
        return route + " " + body["targets"][0]["target"]
    return route


def compare(state, both, alone, tenant, other, who):
    """Every read by this subject, about itself and about the other, of both servers."""
    wrong, own = [], 0
    for about in (tenant, other):
        for route, make in READS.items():
            for path, body in make(about) if make else []:
                method = route.split(" ")[0]
                kind = "application/x-www-form-urlencoded" if isinstance(body, bytes) else "application/json"
                sent = body if isinstance(body, bytes) or body is None else json.dumps(body)
                seen, wanted = (w.request(w.server.query_port, method, path, sent, who, kind) for w in (both, alone))
                asked = f"{route} {path} {body}"
                given = set(re.findall(r"w[0-9a-f]{14}", asked))
                if found := has_word(seen.body, other.words - given):
                    wrong.append(f"{asked} has the word {found} of the other tenant: {seen.body[:300]}")
                elif not is_of_now(body) and (seen.status, plain(seen)) != (wanted.status, plain(wanted)):
                    wrong.append(f"{asked} differs:\n{seen.status} {difference(plain(seen), plain(wanted))}")
                if about is tenant and has_word(seen.body, tenant.words - given):
                    TELLING.setdefault(who, set()).add(part_of(route, body))
                own += 1
    tap.check(not wrong, f"{state}: {who} sees what is its own, in {own} answers", f"{len(wrong)} wrong\n" + "\n".join(wrong[:6]))


TELLING = {}
# Have names of components, levels or templates only.
SILENT = {*SILENT_MCP, "POST /grafana/metrics", *(f"POST /grafana/query {one}" for one in (
    "callboard", "latency_heatmap", "restarts", "error_ratio", "errors", "latency", "log_volume", "log_templates",
    "cause_summary", "cause_evidence"))}


def tells_its_own(tenant):
    """The words are found where they are: answers are not empty."""
    parts = {part_of(route, body) for route, make in READS.items() if make for _, body in make(tenant)}
    missing = parts - TELLING["own-" + tenant.name] - SILENT
    tap.check(not missing, f"own-{tenant.name} is told its own words", repr(missing))


def asks_every_tool(both, tenant):
    body = both.ask("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}, "own-" + tenant.name).body
    there = {tool["name"] for tool in json.loads(body)["result"]["tools"]}
    tap.check(there == tools_asked(tenant), "every tool is asked", repr(there ^ tools_asked(tenant)))


def main():
    tenants = [Wide("a"), Wide("b")]
    for tenant in tenants:
        tenant.catalog_, tenant.alert_ = tenant.catalog(), tenant.alert()
    few = {action: {"actions": [action + ":view"]} for action in ("logs", "metrics", "traces", "events")}
    tokens = tokens_of(tenants, cart={"role": "viewer", "project": "shop", "component": "cart"}, **few)
    both, alone = World(tenants, tokens), {tenant.name: World([tenant], tokens) for tenant in tenants}
    worlds = [both, *alone.values()]

    def check(state, *kinds_of):
        for tenant, other, kinds in zip(tenants, tenants[::-1], kinds_of):
            for kind in kinds:
                compare(state, both, alone[tenant.name], tenant, other, f"{kind}-{tenant.name}")

    asks_every_tool(both, tenants[0])
    check("at first", ("own", "shop", "cart", *few), ("own",))
    for tenant in tenants:
        tells_its_own(tenant)
    for world in worlds:
        world.server.stop()
        world.start("--seal-age", "1s")
        tap.check(wait_until(lambda w=world: w.blocks() > 0, 20), "it is in blocks")
    check("in blocks", ("own",), ("shop",))
    for world in worlds:
        world.server.stop()
    tap.end()


main()
