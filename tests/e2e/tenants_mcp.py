"""What a subject of one namespace asks through MCP, for tenants_grafana.py."""
import re

from callboard import NS, rfc3339
from tenants_kit import MINUTES, START

TIMES = {"start_time": rfc3339(START), "end_time": rfc3339(START + MINUTES * 60 * NS)}

# Also inside the text of a result, where quotes are escaped.
VARYING = re.compile(rb'\\?"startTime\\?":\\?"[^"\\]*\\?",\\?"uptimeSeconds\\?":\d+,|\\?"(tookMs|nextCursor|generatedAt|firstSeen|\w+Ago)\\?":(\\?"[^"\\]*\\?"|[\d.]+),?')

# Have no words of what is stored, or only names of components.
SILENT = {"POST /mcp tools/list ", *(f"POST /mcp prompts/get {name}" for name in ("investigate_component", "incident_summary")),
          *(f"POST /mcp tools/call {name}" for name in (
              "query_resource_metrics", "query_http_metrics", "query_workflow_logs", "query_workflow_events",
              "query_costs", "query_recommendations", "get_status"))}


def is_of_now(body):
    """Its times are those of the moment: two answers are never the same."""
    return isinstance(body, dict) and body.get("method") == "resources/read"


def call(name, **arguments):
    return ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}})


def scopes(t):
    return [{"namespace": t.namespace}, {"namespace": t.namespace, "project": "shop"},
            {"namespace": t.namespace, "project": "bank", "component": "ledger"},
            {"namespace": t.namespace, "project": "shop", "component": "cart", "environment": "test"}]


def component_reads(t, scope, times):
    """Of a component, of one whose name is nearly right, and of one of the other project."""
    for component in ("shop/cart", "shop/catr", "bank/ledger", "bank/leger", t.catalog_["components"][1]["name"]):
        one = {"component": component, **scope, **times}
        yield call("get_component", **one)
        for name in ("get_dependencies", "get_blast_radius"):
            yield call(name, **one, depth=8)
        yield call("get_capacity", **one)
        for name in ("find_traces", "search_logs", "compare_windows", "what_changed"):
            yield call(name, **one)
    yield call("get_blast_radius", component="shop/cart", endpoint="htp", **scope, **times)


def project_reads(scope, times):
    for project in ("shop", "bank", "shpo"):
        for name in ("explain_incident", "find_traces", "search_logs", "compare_windows", "what_changed", "get_dependencies",
                     "list_incidents"):
            yield call(name, project=project, **scope, **times)
    for name in ("list_components", "find_traces", "search_logs", "compare_windows", "what_changed", "get_dependencies"):
        yield call(name, **scope, **times)
        yield call(name, environment="tset", **scope, **times)
    yield call("list_unassigned", **scope, **times)
    yield call("get_status")


def task_reads(t, trace):
    times = {"start": TIMES["start_time"], "end": TIMES["end_time"], "detail": "full"}
    for scope in ({}, {"namespace": t.namespace[:-1]}):
        yield from component_reads(t, scope, times)
        yield from project_reads(scope, times)
        for one in (trace, f"{77:032x}", f"{99999:032x}"):
            yield call("get_trace", trace_id=one, detail="full", **scope)
    yield call("find_traces", sort="duration", status="error", **times)
    yield call("search_logs", trace_id=trace, **times)
    yield call("what_changed", limit=1, **times)
    for query in ("sum by (namespace, project, component) (rate(callboard_requests_total[5m]))",
                  '{__name__=~".+"}', f'{{namespace="{t.namespace}"}}', "no_such_metric"):
        yield call("query_metrics", query=query, **times)


def resource_reads(t):
    for uri in ("callboard://components", f"callboard://components/{t.namespace}/shop/cart",
                f"callboard://components/{t.namespace}/bank/ledger", f"callboard://components/{t.namespace}/shop/catr"):
        yield ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}})
    for name in ("investigate_component", "incident_summary"):
        yield ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {
            "name": name, "arguments": {"component": "shop/cart", "project": "shop"}}})


def tools_asked(t):
    return {body["params"]["name"] for _, body in mcp_reads(t) if body["method"] == "tools/call"}


def mcp_reads(t):
    yield ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
    trace, spans = t.spans[25 * 6]
    for scope in scopes(t):
        for name in ("query_component_logs", "query_component_events", "query_traces"):
            yield call(name, limit=1000, **scope, **TIMES)
        for name in ("query_resource_metrics", "query_http_metrics"):
            yield call(name, step="1m", **scope, **TIMES)  # steps that are over
        for one in (trace, f"{77:032x}", f"{8:032x}"):
            yield call("query_trace_spans", trace_id=one, **scope, **TIMES)
    for name in ("query_workflow_logs", "query_workflow_events"):
        yield call(name, namespace=t.namespace, workflow_run_name="build", **TIMES)
    yield from task_reads(t, trace)
    yield from resource_reads(t)
    for name in ("query_costs", "query_recommendations"):
        for environment in ("test", "tset"):
            yield call(name, namespace=t.namespace, environment=environment, **TIMES)
    for one in spans:
        yield call("get_span_details", trace_id=trace, span_id=one)
