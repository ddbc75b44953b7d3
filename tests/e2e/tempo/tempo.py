"""Tempo's HTTP API over random traces: in memory, and again out of blocks."""
import json
import os
import subprocess
import time
import urllib.parse

import decoded
import naive
import spans as make
from callboard import Server, Tap, new_folder, proto_fields, seeded

PROTOBUF = {"Accept": "application/protobuf"}
START, END = make.T0 // 10**9 - 60, make.T0 // 10**9 + 60


def get(server, path, accept=None, **params):
    query = "?" + urllib.parse.urlencode(params) if params else ""
    return server.query("/tempo" + path + query, headers=accept)


def by_id(tap, server, traces):
    wrong = []
    for trace_id, groups in traces.items():
        wanted = decoded.normal(decoded.sent(groups))
        v1 = get(server, f"/api/traces/{trace_id}", PROTOBUF)
        v2 = get(server, f"/api/v2/traces/{trace_id}", PROTOBUF, start=START, end=END)
        j1 = get(server, f"/api/traces/{trace_id.lstrip('0')}")
        j2 = get(server, f"/api/v2/traces/{trace_id}", {"Accept": "application/json"})
        seen = [decoded.from_protobuf(v1.body), decoded.from_protobuf(dict(proto_fields(v2.body))[1]),
                decoded.from_json(json.loads(j1.body)["batches"]),
                decoded.from_json(json.loads(j2.body)["trace"]["resourceSpans"])]
        for way, data in zip(("v1", "v2", "v1 JSON", "v2 JSON"), seen):
            if decoded.normal(data) != wanted:
                wrong.append((way, trace_id, data, decoded.sent(groups)))
        types = [answer.headers["Content-Type"] for answer in (v1, v2, j1, j2)]
        if types != ["application/protobuf"] * 2 + ["application/json"] * 2:
            wrong.append(types)
    tap.check(not wrong, "opentelemetry-proto decodes each trace as it was sent", str(wrong[:1]))
    answer = get(server, "/api/traces/" + "7" * 32, PROTOBUF)
    tap.same((answer.status, answer.body), (404, b"trace not found"), "a trace that is not there")
    tap.same(get(server, "/api/v2/traces/" + "7" * 32).status, 404, "the same in version 2")
    tap.same([get(server, f"/api/traces/{text}").status for text in ("xyz", "1" * 33)], [400, 400],
             "ids that are none")


def check_search(tap, server, traces, query, **params):
    answer = get(server, "/api/search", q=query, start=START, end=END, limit=1000, spss=0, **params)
    if answer.status != 200:
        tap.check(False, query, f"{answer.status} {answer.body}")
        return
    found = json.loads(answer.body)
    seen = {t["traceID"]: (t["spanSets"][0]["matched"], sorted(s["spanID"] for s in t["spanSets"][0]["spans"]))
            for t in found["traces"]}
    wanted = naive.search(traces, query)
    starts = [int(t["startTimeUnixNano"]) for t in found["traces"]]
    good = seen == {t: (len(ids), ids) for t, ids in wanted.items()}
    tap.check(good and starts == sorted(starts, reverse=True)
              and found["metrics"]["completedJobs"] == found["metrics"]["totalJobs"],
              f"{query} ({len(wanted)} traces)", {"seen": seen, "wanted": wanted} if not good else found["metrics"])


def searches(tap, server, traces):
    for query in naive.QUERIES:
        check_search(tap, server, traces, query)
    answer = json.loads(get(server, "/api/search", start=START, end=END).body)
    tap.same(len(answer["traces"]), min(20, len(traces)), "20 traces unless the limit says otherwise")
    sets = [s for t in answer["traces"] for s in t["spanSets"]]
    tap.check(all(len(s["spans"]) == min(3, s["matched"]) for s in sets), "three spans of each", sets[:2])
    first = answer["traces"][0]
    groups = traces[first["traceID"]]
    count = sum(len(s["spans"]) for g in groups for s in g["scopeSpans"])
    tap.same(sum(s["spanCount"] for s in first["serviceStats"].values()), count, "serviceStats count all spans")
    tagged = json.loads(get(server, "/api/search", tags='service.name=cart0 name="GET /"', start=START, end=END,
                            limit=1000).body)
    wanted = naive.search(traces, '{ resource.service.name = "cart0" && name = "GET /" }')
    tap.same(sorted(t["traceID"] for t in tagged["traces"]), sorted(wanted), "search by tags")


REFUSED = [
    ('{ span.x = "a" ', "column 15: expected }"),
    ('{ foo = "a" }', "column 3: foo is not known here"),
    ('{ status = 2 }', "column 10: a status is compared with a integer"),
    ('{ name =~ "(" }', "invalid regular expression"),
    ('{} | rate()', "column 6: metrics of traces"),
    ('{} | frobnicate()', "column 6: expected {"),
    ('{ .a = "b" } extra', "column 14: expected | or the end"),
    ('{ span.x = "a }', "closing quote"),
    ('', None),
]


def refusals(tap, server):
    for query, why in REFUSED:
        answer = get(server, "/api/search", q=query)
        text = answer.body.decode()
        if why is None:
            tap.same(answer.status, 200, "an empty query is all traces")
        else:
            tap.check(answer.status == 400 and why in text
                      and answer.headers["Content-Type"].startswith("text/plain"), f"refused: {query}", text)
    for params in ({"minDuration": "x"}, {"start": "x"}, {"limit": "x"}, {"start": 10, "end": 5}):
        tap.same(get(server, "/api/search", **params).status, 400, f"refused: {params}")


def tags(tap, server, traces):
    every = [s for groups in traces.values() for s in naive.Trace(groups).spans]
    wanted = {
        "resource": {k for s in every for k in s.resource} | {"namespace", "project", "component", "environment"},
        "span": {k for s in every for k in s.attrs} | {"endpoint", "operation"},
        "event": {a["key"] for s in every for e in s.raw["events"] for a in e["attributes"]},
        "link": {a["key"] for s in every for e in s.raw["links"] for a in e["attributes"]},
        "instrumentation": {a["key"] for s in every for a in s.scope.get("attributes", [])}}
    window = {"start": START, "end": END}
    found = json.loads(get(server, "/api/v2/search/tags", **window).body)
    seen = {scope["name"]: set(scope["tags"]) for scope in found["scopes"]}
    tap.check("status" in seen.pop("intrinsic") and seen == wanted, "names of tags by scope", seen)
    only = json.loads(get(server, "/api/v2/search/tags", scope="span", **window).body)["scopes"]
    tap.same([(s["name"], set(s["tags"])) for s in only], [("span", wanted["span"])], "those of one scope")
    flat = json.loads(get(server, "/api/search/tags", **window).body)["tagNames"]
    tap.same(flat, sorted(set().union(*wanted.values()), key=str.encode), "names in version 1")

    def values(tag, version="/v2", **more):
        path = f"/api{version}/search/tag/{urllib.parse.quote(tag, safe='')}/values"
        return json.loads(get(server, path, **window, **more).body)["tagValues"]

    services = sorted({s.resource["service.name"] for s in every})
    tap.same(values("resource.service.name"), [{"type": "string", "value": v} for v in services], "values of a tag")
    tap.same(values("service.name", ""), services, "in version 1")
    tap.same(values("resource.service.name", q='{ resource.service.name = "cart1" }'),
             [{"type": "string", "value": "cart1"}], "narrowed by a query")
    tap.same(values("resource.service.name", q="{ resource.service.name = }"),
             [{"type": "string", "value": v} for v in services], "a query that is not finished narrows nothing")
    numbers = {v for s in every for v in s.every("b.c", "span")
               if isinstance(v, int) and not isinstance(v, bool)}
    tap.same({int(v["value"]) for v in values("span.b.c") if v["type"] == "int"}, numbers, "values have types")
    routes = {v for s in every for v in s.every("k with blank", "span") if isinstance(v, str) and v}
    for tag in ('span."k with blank"', "span.k with blank"):
        tap.same({v["value"] for v in values(tag) if v["type"] == "string"}, routes, f"values of {tag}")
    tap.same([v["value"] for v in values("status")], ["error", "ok", "unset"], "values of status")
    tap.same({v["type"] for v in values("kind")}, {"keyword"}, "values of kind are keywords")
    tap.same({v["value"] for v in values("name")}, {s.name for s in every}, "values of name")
    tap.same({v["value"] for v in values("event:name")}, {e["name"] for s in every for e in s.raw["events"]},
             "values of event:name")
    tap.same({v["value"] for v in values("rootServiceName")},
             {naive.Trace(g).root.resource["service.name"] for g in traces.values()}, "values of rootServiceName")
    tap.same(values("resource.not/there"), [], "a tag with a slash that nothing has")
    tap.same(get(server, "/api/v2/search/tags", scope="x").status, 400, "an unknown scope")
    for path in ("/api/status/buildinfo", "/api/status/version"):
        tap.same(get(server, path).status, 200, path)
    for path in ("/api/metrics/query_range", "/api/metrics/query", "/api/metrics/summary"):
        tap.same(get(server, path, q="{} | rate()").status, 404, path)


def wait_for_blocks(server):
    for _ in range(300):
        if server.counter("memtable_bytes") == 0:
            return
        time.sleep(0.1)


def stamped(rng, trace_id, namespace, number):
    groups = make.trace(rng, trace_id, 4, namespace)[:1]
    for key, text in (("namespace", namespace), ("project", "shop"), ("component", "cart"), ("environment", "prod")):
        groups[0]["resource"]["attributes"].append({"key": f"openchoreo.dev/{key}", "value": {"stringValue": text}})
    for scope in groups[0]["scopeSpans"]:
        for span in scope["spans"]:
            span["spanId"] = f"{number:08x}{span['spanId'][8:]}"
            span.pop("parentSpanId", None)
            span["attributes"].append({"key": "tenant", "value": {"stringValue": namespace}})
    return groups


def tenants(tap, rng):
    """Two tenants with the same trace id, and their tokens."""
    server = Server(new_folder(), "--auth", "required", "--auth-ingest", "none")
    trace_id = "5e" * 16
    sent = {name: stamped(rng, trace_id, name, i + 1) for i, name in enumerate(("acme", "globex"))}
    for groups in sent.values():
        server.send("traces", {"resourceSpans": groups}, encoding="json")
    tokens = {name: subprocess.run(
        [os.environ["CALLBOARD"], "token", "create", name, "--role", role, "--namespace", name, "--data-dir",
         server.folder], check=True, capture_output=True, text=True).stdout.strip()
        for name, role in (("acme", "viewer"), ("globex", "viewer"), ("other", "viewer"), ("sender", "ingest"))}

    def ask(name, path, **more):
        return get(server, path, {"Authorization": f"Bearer {tokens[name]}", **more.pop("accept", {})}, **more)

    window = {"start": START, "end": END}
    for name, groups in sent.items():
        wanted = decoded.normal(decoded.sent(groups))
        answer = ask(name, f"/api/traces/{trace_id}", accept=PROTOBUF)
        tap.check(answer.status == 200 and decoded.normal(decoded.from_protobuf(answer.body)) == wanted,
                  f"{name} sees its own spans of the trace", answer)
        found = json.loads(ask(name, "/api/search", q="{ .tenant != nil }", **window).body)["traces"]
        tap.same([(t["traceID"], t["spanSets"][0]["matched"]) for t in found], [(trace_id, len(wanted))],
                 f"{name} finds them")
        other = "acme" if name == "globex" else "globex"
        for query in (f'{{ .tenant = "{other}" }}', f'{{ resource.namespace = "{other}" }}'):
            tap.same(json.loads(ask(name, "/api/search", q=query, **window).body)["traces"], [], "and no others")
        values = json.loads(ask(name, "/api/v2/search/tag/span.tenant/values", **window).body)["tagValues"]
        tap.same(values, [{"type": "string", "value": name}], "values of tags are its own")
        values = json.loads(ask(name, "/api/v2/search/tag/resource.namespace/values", **window).body)["tagValues"]
        tap.same(values, [{"type": "string", "value": name}], "our labels, too")
    tap.same(ask("other", f"/api/traces/{trace_id}").status, 404, "a third tenant finds no such trace")
    tap.same(json.loads(ask("other", "/api/search", q="{}", **window).body)["traces"], [], "and nothing by a search")
    tap.same(ask("sender", f"/api/traces/{trace_id}").status, 403, "who only sends may not read")
    tap.same(get(server, "/api/search").status, 401, "a credential is required")
    server.stop()


def main():
    tap, rng = Tap(), seeded()
    server = Server(new_folder(), "--seal-age", "3s", "--retention-traces", "0")
    traces = {}
    for number in range(1, 31):
        trace_id = ("0" * 16 if number % 3 == 0 else "ab" * 8) + f"{number:016x}"
        traces[trace_id] = make.trace(rng, trace_id, rng.randrange(4, 20), "cart")
        answer = server.send("traces", {"resourceSpans": traces[trace_id]}, encoding="json")
        assert answer.status == 200, answer
    for part in ("memory", "blocks"):
        print(f"# from {part}", flush=True)
        by_id(tap, server, traces)
        searches(tap, server, traces)
        tags(tap, server, traces)
        wait_for_blocks(server)
    refusals(tap, server)
    tenants(tap, rng)
    tap.same(get(server, "/api/echo").body, b"echo", "echo")
    tap.same(server.stop(), 0, "stops")
    tap.end()


if __name__ == "__main__":
    main()
