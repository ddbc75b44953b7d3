"""Tools and verbs where there is little to tell: an empty store, one with a
single signal, one name in two environments, projects and namespaces, odd names,
times before what is kept. What is said is true, says why and what next.
"""
import time

from cli_kit import run
from mcp_client import Mcp
from running import Running, Tap

NS = 10**9
NOW = int(time.time())
LOGS, TRACES, METRICS = "logs", "traces", "metrics"
ODD = ["a/b/c", "acme/shop/cart", "with space", "日本語 ünï", "x" * 255, "..", "%2F?&#", "a\"b'c", "-n", "a+b"]
# Of each tool: its arguments, and the signals without which it has nothing.
TOOLS = {
    "search_logs": ({}, {LOGS}), "find_traces": ({}, {TRACES}), "compare_windows": ({}, {LOGS, TRACES}),
    "what_changed": ({}, {LOGS, TRACES, METRICS}), "get_dependencies": ({}, {TRACES}), "get_blast_radius": ({}, {TRACES}),
    "get_capacity": ({}, {TRACES}), "get_component": ({}, None), "explain_incident": ({}, None)}
VERBS = {
    ("logs", "--patterns"): {LOGS}, ("traces", "--summary"): {TRACES}, ("compare",): {LOGS, TRACES}, ("topology",): {TRACES},
    ("blast-radius",): {TRACES}, ("capacity",): {TRACES}, ("changes",): {LOGS, TRACES, METRICS}, ("logs",): {LOGS},
    ("traces",): {TRACES}, ("events",): set(), ("component",): None}

test = Tap()


def resource(component, project="shop", namespace="acme", environment="production"):
    names = {"namespace": namespace, "project": project, "component": component, "environment": environment}
    return {"attributes": [{"key": f"openchoreo.dev/{key}", "value": {"stringValue": value}} for key, value in names.items()]}


def send(server, signal, owner, count=20):
    at = (NOW - 700) * NS  # in no cell that is not over
    if signal == LOGS:
        body = {"resourceLogs": [{"resource": owner, "scopeLogs": [{"logRecords": [
            {"timeUnixNano": str(at + i), "severityNumber": 9, "body": {"stringValue": f"hello {i}"}} for i in range(count)]}]}]}
    elif signal == TRACES:
        mine = abs(hash(str(owner))) % 2**60
        body = {"resourceSpans": [{"resource": owner, "scopeSpans": [{"spans": [
            {"traceId": f"{mine + i:032x}", "spanId": f"{i + 1:016x}", "name": "GET /x", "kind": 2,
             "startTimeUnixNano": str(at + i), "endTimeUnixNano": str(at + NS)} for i in range(count)]}]}]}
    else:
        body = {"resourceMetrics": [{"resource": owner, "scopeMetrics": [{"metrics": [{"name": "container.cpu.usage", "gauge": {
            "dataPoints": [{"timeUnixNano": str(at + i * 5 * NS), "asDouble": 0.1} for i in range(count)]}}]}]}]}
    assert server.send(f"/v1/{signal}", body) == 200


def check_empty_store(server):
    mcp = Mcp(server)
    for tool in (*TOOLS, "list_components"):
        answer, _ = mcp.call(tool, **({"project": "shop"} if tool == "explain_incident" else {"component": "cart"}))
        test.check("nothing has been received" in answer, f"empty store, {tool}: nothing has been received", answer)
    answer, _ = mcp.call("list_components")
    test.check(answer["empty"]["message"] and answer["next"].startswith("Nothing here"), "empty store: the list says so", answer)
    for verb in VERBS:
        code, out, error = run(verb[0], "shop/cart", *verb[1:], "-s", f"127.0.0.1:{server.port}")
        test.check(code == 5 and not out and "nothing was sent yet" in error, f"empty store, {verb}: nothing was sent yet", error)


def check_tool(mcp, signal, tool, needs, arguments):
    answer, _ = mcp.call(tool, **arguments)
    if not test.check(isinstance(answer, dict) and answer.get("next"), f"only {signal}, {tool}: answers, and says what next", answer):
        return
    has = needs is None or signal in needs
    empty = answer.get("empty")
    test.check(has == (empty is None), f"only {signal}, {tool}: {'something' if has else 'nothing, and why'}", answer)
    if empty:
        test.check(empty["reason"] == "never" and "never sent" in empty["message"] and "lastSeen" not in empty,
                   f"only {signal}, {tool}: it was never sent", empty)
    if tool not in ("compare_windows", "explain_incident"):
        test.same(answer["next"].startswith("Nothing here"), not has, f"only {signal}, {tool}: Nothing here")


def check_one_signal(server, signal):
    send(server, signal, resource("cart"))
    mcp = Mcp(server)
    for tool, (arguments, needs) in TOOLS.items():
        scope = {"project": "shop"} if tool == "explain_incident" else {"component": "cart"}
        check_tool(mcp, signal, tool, needs, {**scope, **arguments})
    for verb, needs in VERBS.items():
        code, out, error = run(verb[0], "shop/cart", *verb[1:], "-s", f"127.0.0.1:{server.port}")
        has = needs is None or signal in needs
        test.check((code, bool(out), bool(error)) == ((0, True, False) if has else (5, False, True)),
                   f"only {signal}, {verb}: {'something' if has else 'says why not'}", code, out, error)


def check_same_names(server):
    """20 of each in four places: no answer mixes them."""
    places = [("acme", "shop", "production"), ("acme", "shop", "staging"), ("acme", "bank", "production"), ("globex", "shop", "production")]
    for i, (namespace, project, environment) in enumerate(places):
        for signal in (LOGS, TRACES, METRICS):
            send(server, signal, resource("cart", project, namespace, environment), 10 * (i + 1))
    mcp = Mcp(server)
    answer, _ = mcp.call("search_logs", component="cart")
    test.check("acme" in answer and "globex" in answer, "two namespaces: which there are", answer)
    answer, _ = mcp.call("search_logs", component="cart", namespace="acme")
    test.check("bank" in answer and "shop" in answer, "two projects: which there are", answer)
    for i, (namespace, project, environment) in enumerate(places):
        scope = {"namespace": namespace, "project": project, "environment": environment}
        name, count = "/".join(scope.values()), 10 * (i + 1)
        logs, _ = mcp.call("search_logs", **scope, component="cart")
        traces, _ = mcp.call("find_traces", **scope, component="cart", limit=100)
        page, _ = mcp.call("get_component", **scope, component="cart")
        test.same((logs["total"], traces["total"], round(page["summary"]["requestCount"])), (count, count, count), f"{name}: its own")
        code, out, error = run("logs", "cart", "-n", namespace, "-p", project, "-e", environment, "--limit", "all", "-o", "jsonl", "-s",
                               f"127.0.0.1:{server.port}")
        test.same((code, len(out.splitlines())), (0, count), f"{name}: its own lines")
    both, _ = mcp.call("search_logs", namespace="acme", project="shop", component="cart")
    test.same(both["total"], 30, "without an environment, both")
    answer, _ = mcp.call("get_capacity", namespace="acme", project="shop", component="cart")
    test.check("production" in answer and "staging" in answer, "capacity of two environments: which there are", answer)
    code, _, error = run("capacity", "acme/shop/cart", "-s", f"127.0.0.1:{server.port}")
    test.check(code == 2 and "production" in error and "staging" in error, "the verb says so, too", error)


def check_odd_names(server):
    for name in ODD:
        send(server, LOGS, resource(name))
        send(server, TRACES, resource(name))
    mcp, address = Mcp(server), f"127.0.0.1:{server.port}"
    listed, _ = mcp.call("list_components", limit=100)
    test.same({one["component"] for one in listed["components"]}, set(ODD), "names are listed as sent")
    for name in ODD:
        for scope in ({"component": name}, {"component": "shop/" + name}, {"component": "acme/shop/" + name},
                      {"component": name, "project": "shop", "namespace": "acme"}):
            answer, _ = mcp.call("get_component", **scope)
            test.check(isinstance(answer, dict) and answer["component"]["component"] == name, f"{str(scope)[:60]}: found", answer)
            answer, _ = mcp.call("search_logs", **scope)
            test.check(isinstance(answer, dict) and answer["total"] == 20, f"{str(scope)[:60]}: its records", answer)
        for verb in ("component", "logs", "blast-radius", "topology", "changes"):
            code, out, error = run(verb, "-n", "acme", "-p", "shop", f"--component={name}", "-s", address)
            test.check(code == 0 and out, f"{verb} of {name[:20]}", error)
    send(server, LOGS, resource("y" * 300))
    listed, _ = mcp.call("list_components", limit=100)
    long = next(one["component"] for one in listed["components"] if one["component"].startswith("y"))
    answer, _ = mcp.call("search_logs", component=long)
    test.check(len(long) == 255 and answer["total"] == 20, "300 characters: cut to 255, and found so", answer)


def check_retention(server):
    send(server, LOGS, resource("cart"))
    mcp = Mcp(server)
    for start, end, said in (("now-3h", "now-2h", True), ("now-61m", "now-50m", True), ("now-50m", "now-40m", False)):
        answer, _ = mcp.call("search_logs", component="cart", start=start, end=end)
        test.same("the server keeps log records for 1h" in answer["empty"]["message"], said, f"{start} to {end}: what is kept")
    code, _, error = run("logs", "shop/cart", "--patterns", "--since", "3h", "--until", "2h", "-s", f"127.0.0.1:{server.port}")
    test.check(code == 5 and "keeps log records for 1h" in error, "the verb says so, too", error)


def main():
    with Running() as server:
        check_empty_store(server)
    for signal in (LOGS, TRACES, METRICS):
        with Running() as server:
            check_one_signal(server, signal)
    with Running() as server:
        check_same_names(server)
    with Running() as server:
        check_odd_names(server)
    with Running("--retention-logs", "1h") as server:
        check_retention(server)
    test.exit()


main()
