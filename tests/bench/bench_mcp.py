#!/usr/bin/env python3
"""Latency of calls over MCP, one after another on one connection, as an agent
makes them: bench_mcp.py [HOST:PORT] [CALLS], of a server with `make demo`'s data.
"""
import http.client
import json
import sys
import time

HOST = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9097"
CALLS = int(sys.argv[2]) if len(sys.argv) > 2 else 200
connection = http.client.HTTPConnection(HOST)
SCOPE = {"namespace": "acme", "project": "shop", "environment": "production"}
OBSERVER = {**SCOPE, "start_time": "now-30m", "end_time": "now"}
OURS = {**SCOPE, "start": "now-30m"}


def post(method, params):
    connection.request("POST", "/mcp", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}),
                       {"Content-Type": "application/json"})
    return connection.getresponse().read()


def call(name, arguments):
    return post("tools/call", {"name": name, "arguments": arguments})


def calls():
    traces = json.loads(call("query_traces", {**OBSERVER, "component": "checkout", "limit": 20}))
    trace = traces["result"]["structuredContent"]["traces"][0]["traceId"]
    one = {"component": "inventory"}
    yield "query_component_logs", {**OBSERVER, **one, "log_levels": ["ERROR"]}
    yield "query_component_events", OBSERVER
    yield "query_resource_metrics", {**OBSERVER, **one, "step": "1m"}
    yield "query_http_metrics", {**OBSERVER, **one, "step": "1m"}
    yield "query_traces", {**OBSERVER, "component": "checkout", "limit": 20}
    yield "query_trace_spans", {**OBSERVER, "trace_id": trace}
    yield "list_components", OURS
    yield "get_component", {**OURS, **one}
    yield "explain_incident", {**SCOPE, "start": "now-10m"}
    yield "compare_windows", {**OURS, **one}
    yield "what_changed", OURS
    yield "search_logs", {**OURS, **one}
    yield "find_traces", {**OURS, "component": "checkout"}
    yield "get_trace", {"trace_id": trace}
    yield "get_dependencies", {**OURS, **one}
    yield "get_blast_radius", {**OURS, **one}


def main():
    for name, arguments in calls():
        took = []
        for _ in range(CALLS):
            begin = time.perf_counter()
            answer = call(name, arguments)
            took.append((time.perf_counter() - begin) * 1000)
        took.sort()
        result = json.loads(answer).get("result")
        if not result or result["isError"]:
            print(f"{name:24} {answer[:160]}")
            continue
        tokens = len(result["content"][0]["text"]) // 4
        print(f"{name:24} p50 {took[CALLS // 2]:7.2f} ms  p99 {took[CALLS * 99 // 100]:7.2f} ms  {tokens:6} tokens")


main()
