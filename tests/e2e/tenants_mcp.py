"""What a subject of one namespace asks through MCP, for tenants_grafana.py."""
import re

from callboard import NS, rfc3339
from tenants_kit import MINUTES, START

TIMES = {"start_time": rfc3339(START), "end_time": rfc3339(START + MINUTES * 60 * NS)}

# Also inside the text of a result, where quotes are escaped.
VARYING = re.compile(rb'\\?"(tookMs|nextCursor|generatedAt|firstSeen|\w+Ago)\\?":(\\?"[^"\\]*\\?"|[\d.]+),?')

# Have no words of what is stored, or only names of components.
SILENT = {"POST /mcp tools/list ", *(f"POST /mcp tools/call {name}" for name in (
    "query_resource_metrics", "query_http_metrics", "query_costs", "query_recommendations", "query_workflow_logs",
    "query_workflow_events"))}


def call(name, **arguments):
    return ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}})


def scopes(t):
    return [{"namespace": t.namespace}, {"namespace": t.namespace, "project": "shop"},
            {"namespace": t.namespace, "project": "bank", "component": "ledger"},
            {"namespace": t.namespace, "project": "shop", "component": "cart", "environment": "test"}]


def task_reads(t, trace):
    times = {"start": TIMES["start_time"], "end": TIMES["end_time"], "detail": "full"}
    component = {"component": "shop/cart", "environment": "test"}
    for scope in ({}, {"namespace": t.namespace}):
        yield call("list_components", **scope, **times)
        yield call("get_component", **component, **scope, **times)
        yield call("explain_incident", project="shop", **scope, **times)
        for name in ("compare_windows", "what_changed", "search_logs", "find_traces", "get_dependencies", "get_blast_radius",
                     "get_capacity"):
            yield call(name, **component, **scope, **times)
        for one in (trace, f"{77:032x}"):
            yield call("get_trace", trace_id=one, detail="full", **scope)
    yield call("query_metrics", query="sum by (namespace, project, component) (rate(callboard_requests_total[5m]))", **times)


def mcp_reads(t):
    yield ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
    trace, spans = t.spans[25 * 6]
    for scope in scopes(t):
        for name in ("query_component_logs", "query_component_events", "query_traces"):
            yield call(name, limit=1000, **scope, **TIMES)
        for name in ("query_resource_metrics", "query_http_metrics"):
            yield call(name, step="1m", **scope, **TIMES)
        for one in (trace, f"{77:032x}", f"{8:032x}"):
            yield call("query_trace_spans", trace_id=one, **scope, **TIMES)
    for name in ("query_workflow_logs", "query_workflow_events"):
        yield call(name, namespace=t.namespace, workflow_run_name="build", **TIMES)
    yield from task_reads(t, trace)
    for name in ("query_costs", "query_recommendations"):
        yield call(name, namespace=t.namespace, environment="test", **TIMES)
    for one in spans:
        yield call("get_span_details", trace_id=trace, span_id=one)
