"""Each capability by its route, its tool and its verb: the same answer, twice.

The data are at rest and their times fixed. A row is a capability; a tool or a
verb that has no row fails. OpenChoreo's tools give the very bytes of the route;
ours a shorter copy, of which each value is held against its place in the answer
of the route, and what is missing against `leftOut`. -o json of a verb is the
answer, -o wide the same values as CSV has them.
"""
import json
import os
import re
import urllib.parse

from cli_kit import run
from mcp_client import Mcp
from running import END, START, Running, Tap
from same_answer_kit import cell_differences, differences, figures_differ

FAULT = "2025-01-15T08:14:00Z"
TIMES = {"startTime": START, "endTime": END}
SCOPE = {"namespace": "acme", "project": "shop"}
COSTS = "/api/v1alpha1/costs/namespaces/acme/environments/production"
SUM = "sum by (component) (rate(callboard_requests_total[5m]))"
# These ask no server, do not end, or print no list.
WITHOUT = {"config", "completion", "token", "tenant", "tenants", "top", "help", "schema", "export"}

test = Tap()


def get(path, **given):
    return "GET", path + ("?" + urllib.parse.urlencode(given) if given else ""), None


def post(path, component=None, sort="desc", limit=100, **more):
    scope = {**SCOPE, **({"component": component} if component else {})}
    return "POST", path, {"searchScope": scope, **TIMES, "limit": limit, "sortOrder": sort, **more}


def scoped(component=None, **more):
    return {**SCOPE, **({"component": component} if component else {}), **TIMES, **more}


def with_words(given):
    """Arguments of OpenChoreo's tools."""
    return {**SCOPE, "start_time": START, "end_time": END, **given}


def rows(ids):
    """(route, tool, its arguments, verb)"""
    page = "/api/v1/components/acme/shop/checkout"
    return [
        (get("/api/v1/components", **SCOPE, **TIMES, limit=100), "list_components", {"project": "shop", "limit": 100},
         ["components", "shop", "-n", "acme", "--limit", "100"]),
        (get(page, **TIMES, step="60s"), "get_component", {"component": "shop/checkout", "step": "60s"},
         ["component", "shop/checkout", "--step", "60s"]),
        (get("/api/v1/components", **SCOPE, **TIMES, limit=100, details="true"), "list_components",
         {"project": "shop", "limit": 100, "extras": True}, ["components", "shop", "-n", "acme", "--limit", "100", "--details"]),
        (get(page, **TIMES, step="60s", endpoint="http", operation="POST /orders"), "get_component",
         {"component": "shop/checkout", "step": "60s", "endpoint": "http", "operation": "POST /orders"},
         ["component", "shop/checkout", "--step", "60s", "--endpoint", "http", "--operation", "POST /orders"]),
        (get(page, **TIMES), None, None, ["endpoints", "shop/checkout"]),
        (get("/api/v1/cause", **SCOPE, startTime=FAULT, endTime=END), "explain_incident", {"project": "shop", "start": FAULT},
         ["cause", "shop", "-n", "acme", "--since", FAULT]),
        (get("/api/v1/compare", **scoped()), None, None, ["compare", "shop"]),
        (get("/api/v1/compare", **SCOPE, startTime=FAULT, endTime=END, baseStartTime=START, baseEndTime=FAULT),
         "compare_windows", {"project": "shop", "start": FAULT, "base_start": START, "base_end": FAULT},
         ["compare", "shop", "--since", FAULT, "--base-since", START, "--base-until", FAULT]),
        (get("/api/v1/changes", **scoped(limit=100)), "what_changed", {"project": "shop", "limit": 100},
         ["changes", "shop", "--limit", "100"]),
        (get("/api/v1/incidents", **scoped(limit=100)), "list_incidents", {"project": "shop", "limit": 100},
         ["incidents", "shop", "--limit", "100"]),
        (get("/api/v1/unassigned", **TIMES, limit=100), "list_unassigned", {"limit": 100},
         ["unassigned", "--limit", "100"]),
        (get("/api/v1/status"), "get_status", {}, ["status"]),
        (get("/api/v1/logs/patterns", **scoped("inventory", examples=10)), "search_logs",
         {"component": "shop/inventory", "examples": 10}, None),
        (get("/api/v1/logs/patterns", **scoped("inventory")), None, None, ["logs", "shop/inventory", "--patterns"]),
        (get("/api/v1/traces", **scoped("checkout", sortBy="duration", limit=50)), "find_traces",
         {"component": "shop/checkout", "sort": "duration", "limit": 50},
         ["traces", "shop/checkout", "--summary", "--sort", "duration", "--limit", "50"]),
        (get(f"/api/v1/traces/{ids['trace']}", limit=1000, logs=1000), "get_trace",
         {"trace_id": ids["trace"], "limit": 1000, "logs": 1000}, None),
        (get(f"/api/v1/traces/{ids['trace']}"), None, None, ["trace", ids["trace"]]),
        (get("/api/v1/dependencies", **scoped("checkout", direction="both", depth=2)), "get_dependencies",
         {"component": "shop/checkout"}, ["topology", "shop/checkout", "--direction", "both", "--depth", "2"]),
        (get("/api/v1/blast-radius", **scoped("inventory", depth=3)), "get_blast_radius", {"component": "shop/inventory"},
         ["blast-radius", "shop/inventory", "--depth", "3"]),
        (get("/api/v1/capacity", **scoped("web")), "get_capacity", {"component": "shop/web"}, ["capacity", "shop/web"]),
        (get("/prometheus/api/v1/query_range", query=SUM, start=START, end=END, step="60s"), "query_metrics",
         {"query": SUM, "step": "60s"}, ["metrics", SUM, "--step", "60s", "--since", START]),
        (get(COSTS, **TIMES, project="shop"), "query_costs", with_words({"environment": "production"}),
         ["costs", "shop", "-n", "acme", "-e", "production"]),
        (get(COSTS + "/recommendations", **TIMES, project="shop"), "query_recommendations",
         with_words({"environment": "production"}), ["recommendations", "shop", "-n", "acme", "-e", "production"]),
        (post("/api/v1/logs/query", "inventory"), "query_component_logs", with_words({"component": "inventory"}),
         ["logs", "shop/inventory", "--limit", "100"]),
        (post("/api/v1/events/query"), "query_component_events", with_words({}), ["events", "shop", "--limit", "100"]),
        (post("/api/v1alpha1/traces/query", "checkout"), "query_traces", with_words({"component": "checkout"}),
         ["traces", "shop/checkout", "--limit", "100"]),
        (("POST", "/api/v1/logs/query", {"searchScope": {"namespace": "acme", "workflowRunName": "cart-build-42"}, **TIMES,
                                         "limit": 100, "sortOrder": "desc"}), "query_workflow_logs",
         {"namespace": "acme", "workflow_run_name": "cart-build-42", "start_time": START, "end_time": END}, None),
        (("POST", "/api/v1/events/query", {"searchScope": {"namespace": "acme", "workflowRunName": "cart-build-42"}, **TIMES,
                                           "limit": 100, "sortOrder": "desc"}), "query_workflow_events",
         {"namespace": "acme", "workflow_run_name": "cart-build-42", "start_time": START, "end_time": END}, None),
        (("POST", "/api/v1/metrics/query", {"metric": "resource", "searchScope": {**SCOPE, "component": "inventory"}, **TIMES,
                                            "step": "60s"}), "query_resource_metrics",
         with_words({"component": "inventory", "step": "60s"}), None),
        (("POST", "/api/v1/metrics/query", {"metric": "http", "searchScope": {**SCOPE, "component": "inventory"}, **TIMES,
                                            "step": "60s"}), "query_http_metrics",
         with_words({"component": "inventory", "step": "60s"}), None),
        (("POST", f"/api/v1alpha1/traces/{ids['trace']}/spans/query",
          {"searchScope": SCOPE, **TIMES, "limit": 100, "sortOrder": "desc", "includeAttributes": True}),
         "query_trace_spans", with_words({"trace_id": ids["trace"]}), None),
        (get(f"/api/v1alpha1/traces/{ids['trace']}/spans/{ids['span']}"), "get_span_details",
         {"trace_id": ids["trace"], "span_id": ids["span"]}, None),
    ]


def matrix(answer, step):
    """Prometheus' answer in the words of query_metrics."""
    def series(one):
        values = [float(value) for _, value in one["values"]]
        return {"labels": one["metric"], "min": min(values), "max": max(values), "last": values[-1],
                "points": [[f"2025-01-15T{8 + at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}Z", float(value)] for at, value in
                           ((int(at) - 1736928000, value) for at, value in one["values"])]}
    return {"series": [series(one) for one in answer["data"]["result"]], "step": step,
            **{name: answer[name] for name in ("warnings", "infos") if name in answer}}


def without_took(body):
    return re.sub(rb'"tookMs":\s?[\d.]+,?', b"", body)


def check_route(server, name, request):
    status, _, body = server.ask(*request)
    again = server.ask(*request)[2]
    test.check(status == 200, f"{name}: the route answers", request, body[:300])
    test.check(without_took(body) == without_took(again), f"{name}: twice the same bytes", body[:1000], again[:1000])
    if "ANSWERS" in os.environ: # tests/clickhouse/contract.py compares engines
        number = len(os.listdir(os.environ["ANSWERS"]))
        with open(os.path.join(os.environ["ANSWERS"], f"{number:02d}"), "w", encoding="utf-8") as file:
            json.dump({"request": request, "answer": json.loads(body)}, file)
    return body


def strip(answer):
    return {key: value for key, value in answer.items() if key != "tookMs"} if isinstance(answer, dict) else answer


def check_tool(server, tool, arguments, path, body):
    mcp = Mcp(server)
    result, _ = mcp.ask("tools/call", {"name": tool, "arguments": arguments})
    again, _ = mcp.ask("tools/call", {"name": tool, "arguments": arguments})
    if not test.check(not result.get("isError") and "content" in result, f"{tool}: answers", result):
        return
    text = result["content"][0]["text"]
    if "start_time" in arguments or tool == "get_span_details":
        test.check(without_took(text.encode()) == without_took(body), f"{tool}: the bytes of the route", text[:600], body[:600])
        test.same(strip(again["structuredContent"]), strip(result["structuredContent"]), f"{tool}: asked twice")
        return
    whole = json.loads(body)
    if tool == "query_metrics":
        whole = matrix(whole, arguments["step"])
    short, summary = result["structuredContent"], json.loads(body).get("summary", {})
    total = {"find_traces": "total", "get_trace": "spanCount"}.get(tool)
    test.check(not total or short["total"] == summary[total], f"{tool}: total is of all there are", text[-600:])
    test.check(short.get("returned", 0) == short.get("total", 0) or short["truncated"], f"{tool}: returned and total", text[-600:])
    for answer, what in ((result["structuredContent"], "concise"),
                         (mcp.call(tool, **arguments, detail="full")[0], "full")):
        part = whole
        if answer.get("returned", 0) < arguments.get("limit", 0):  # so many are asked for
            part = json.loads(server.ask("GET", re.sub(r"limit=\d+", f"limit={answer['returned']}", path))[2])
        found = differences(answer, part, left=answer.get("leftOut", []), concise=what == "concise")
        test.check(not found, f"{tool}, {what}: what the route says, and what is left out is said", *found[:6],
                   answer.get("leftOut"))
    ages = re.compile(r',?"\w+Ago":"[^"]*"')
    test.same(ages.sub("", again["content"][0]["text"]), ages.sub("", text), f"{tool}: twice the same bytes, but for ages")


def derived(trace):
    """What the waterfall computes: the middle of its axis, and the parts of the critical path by operation."""
    whole, parts = trace["summary"]["durationNs"], {}
    for step in trace["criticalPath"]:
        name = step.get("component"), step.get("spanName")
        parts[name] = parts.get(name, 0) + step["durationNs"]
    return [whole / 2e9] + [n for part in parts.values() for n in (part / 1e9, part / whole)]


def check_verb(address, verb, body):
    name = " ".join(verb[:3])
    words = [*verb, "-s", address, "--until", END, *([] if "--since" in verb else ["--since", START])]
    if verb[0] == "trace":
        words = [*verb, "-s", address]
    whole = strip(json.loads(body))
    code, text, error = run(*words, "-o", "json")
    test.same(strip(json.loads(text)) if text else error, whole, f"{name}: -o json is the answer of the route")
    test.same(without_took(run(*words, "-o", "json")[1].encode()), without_took(text.encode()), f"{name}: twice the same bytes")
    wide, rows = run(*words, "-o", "wide")[1], run(*words, "-o", "csv", text=False)[1].decode()
    if code == 5:
        return
    if verb[0] in ("component", "trace", "topology", "cause", "metrics"):
        further = derived(whole) if verb[0] == "trace" else []
        found = figures_differ(wide, whole, further)
        test.check(not found, f"{name}: the figures of the text are those of the answer", found, wide[:1500])
    else:
        found = cell_differences(wide, rows)
        test.check(not found, f"{name}: cells of the table are the values of CSV", *found[:6], wide[:800])
        test.check(rows == run(*words, "-o", "csv", text=False)[1].decode() and wide.count("\n") > 1, f"{name}: twice the same")


def still(value):
    """Without what goes on: all numbers, and times."""
    if isinstance(value, dict):
        return {key: still(one) for key, one in value.items() if key != "tookMs"}
    if isinstance(value, list):
        return [still(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return 0


def check_status(server, address):
    """The server goes on between two questions, so figures are held apart from words."""
    whole = server.ask_json("GET", "/api/v1/status")[1]
    for detail in ("concise", "full"):
        short = Mcp(server).call("get_status", detail=detail)[0]
        found = differences(still(short), still(whole), left=short.get("leftOut", []), concise=detail == "concise")
        test.check(not found, f"get_status, {detail}: what the route says", *found[:6])
    accepted = {one["signal"]: one["accepted"] for one in whole["system"]["signals"]}
    test.check(all(accepted.values()) and all("lastReceived" in one for one in whole["system"]["signals"]),
               "each signal was received, and when", whole)
    answer = json.loads(run("status", "-s", address, "-o", "json")[1])
    test.same(still(answer), still(whole), "status: -o json is the answer of the route")
    lines = run("status", "-s", address, "-o", "csv", text=False)[1].decode().splitlines()
    test.same({line.split(",")[0]: int(line.split(",")[1]) for line in lines[1:]}, accepted, "status: CSV has the signals")
    code, text, error = run("status", "-s", address)
    test.check(code == 0 and text.startswith(f"Callboard {whole['version']}, up ") and "healthy" in text, "status: in words", text, error)
    test.same(re.findall(r"^(traces|logs|metrics|derived) +", text, re.M), ["traces", "logs", "metrics", "derived"],
              "status: a row for each stream")


def check_complete(mcp, table):
    listed = set(mcp.tools())
    test.same({tool for _, tool, _, _ in table if tool}, listed, "each tool has a row here")
    text = run("--help")[1]
    verbs = set(re.findall(r"^  ([a-z-]+) {2,}\S", text.split("Verbs")[1].split("\n\n")[0], re.M))
    test.same({verb[0] for _, _, _, verb in table if verb}, verbs - WITHOUT, "each verb has a row here")
    for verb in WITHOUT & verbs - {"config"}:
        test.check("--output" not in run(verb, "--help")[1], f"{verb} prints no answer of a route with -o")


def main():
    with Running("--catalog", "../shop/catalog.json", "--page-url", "http://page.example",
                 "--edge-wait", "2s") as server:
        server.play()
        server.wait_for_calls()
        status, traces = server.ask_json("GET", "/api/v1/traces?" + urllib.parse.urlencode(scoped("checkout", limit=1)))
        trace = traces["traces"][0]["traceId"]
        span = server.ask_json("GET", f"/api/v1/traces/{trace}")[1]["spans"][0]["spanId"]
        mcp, address = Mcp(server), f"127.0.0.1:{server.port}"
        table = rows({"trace": trace, "span": span})
        check_complete(mcp, table)
        check_status(server, address)
        for request, tool, arguments, verb in table:
            if tool == "get_status":
                continue
            body = check_route(server, tool or verb[0], request)
            if "ROUTES_ONLY" in os.environ: # tools and verbs ask the routes
                continue
            if tool:
                given = dict(arguments)
                if "start_time" not in given and tool not in ("get_trace", "get_span_details"):
                    given = {"start": START, "end": END, **given}
                check_tool(server, tool, given, request[1], body)
            if verb:
                check_verb(address, verb, body)
    test.exit()


main()
