"""What clients of OpenChoreo's Observer API rely on: its portal, its command
line tool, its agent. Shapes are the business of openapi_check.py; here stand
the traps: what is absent, empty, echoed, in which unit, in which order."""
import datetime
import json
import re

from running import END, START, Running, Tap

ORIGIN = "https://portal.example:7007"
LOGS, EVENTS = "/api/v1/logs/query", "/api/v1/events/query"
METRICS = "/api/v1/metrics/query"
TOPOLOGY = "/api/v1alpha1/metrics/runtime-topology"
TRACES = "/api/v1alpha1/traces/query"
TIME = {"startTime": START, "endTime": END}
SHOP = {"namespace": "acme", "project": "shop"}
PRODUCTION = {**SHOP, "environment": "production"}
SECOND = 10**9

tap = Tap()
check = tap.check


def body(scope=None, **members):
    return {**TIME, "searchScope": scope or PRODUCTION, **members}


def spans_path(trace_id):
    return f"/api/v1alpha1/traces/{trace_id}/spans/query"


def nanoseconds(text):
    """Of a time that must be UTC and end in Z, as a parser reads it that keeps
    nine digits."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?Z",
                         text)
    if not found:
        raise ValueError(text)
    whole = datetime.datetime.fromisoformat(found[1] + "+00:00")
    return int(whole.timestamp()) * SECOND + int((found[2] or "").ljust(9, "0"))


def texts(value, key=""):
    """Every text in an answer, with the name it goes by."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from texts(member, name)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, key)
    elif isinstance(value, str):
        yield key, value


# ---- 1: CORS ----

def cors(server):
    preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers":
                 "authorization,content-type,x-openchoreo-direct"}
    status, got, data = server.ask("OPTIONS", LOGS, None, preflight)
    check(status == 204 and data == b"", "a preflight is 204 without a body",
          status, data)
    check(got.get("access-control-allow-origin") == ORIGIN and
          got.get("access-control-allow-credentials") == "true",
          "it echoes the exact origin and allows credentials", got)
    allowed = got.get("access-control-allow-headers", "").lower()
    check(all(h in allowed for h in (
        "authorization", "content-type", "x-openchoreo-direct")),
        "it allows the headers the portal sends", got)
    methods = got.get("access-control-allow-methods", "")
    check(all(m in methods for m in ("GET", "POST", "PUT")),
          "it allows the methods of the API", got)
    status, got, _ = server.ask("POST", LOGS, body(), {"Origin": ORIGIN})
    check(status == 200 and
          got.get("access-control-allow-origin") == ORIGIN and
          "origin" in got.get("vary", "").lower(),
          "an answer can be read by that origin, and varies by it", got)
    status, got, _ = server.ask("POST", LOGS, {}, {"Origin": ORIGIN})
    check(status == 400 and got.get("access-control-allow-origin") == ORIGIN,
          "so can an error", status, got)
    for origin in (ORIGIN + "/", ORIGIN.upper(), "https://portal.example",
                   "null"):
        _, got, _ = server.ask("OPTIONS", LOGS, None,
                               {**preflight, "Origin": origin})
        check("access-control-allow-origin" not in got,
              f"origin {origin} gets no permission", got)


# ---- 2, 3: times; nothing is not an error ----

def times_and_nothing(server):
    for path, members in ((LOGS, {}), (EVENTS, {}), (TRACES, {}),
                          (METRICS, {"metric": "http"}),
                          (METRICS, {"metric": "resource"}), (TOPOLOGY, {})):
        status, answer = server.ask_json("POST", path, body(**members))
        times = [v for k, v in texts(answer)
                 if k.endswith("Time") or k in ("timestamp", "generatedAt")]
        good = status == 200 and times
        for text in times:
            try:
                nanoseconds(text)
            except ValueError:
                good = False
        check(good, f"times of {path} {members} are UTC and end in Z",
              times[:3])

        scopes = {"namespace": {**PRODUCTION, "namespace": "nobody"},
                  "component": {**PRODUCTION, "component": "nobody"}}
        for what, scope in scopes.items():
            status, nothing = server.ask_json("POST", path,
                                              body(scope, **members))
            lists = [v for v in nothing.values() if isinstance(v, list)]
            check(status == 200 and lists and not any(lists) and
                  None not in nothing.values() and
                  set(nothing) == set(answer) - {"nextCursor",
                                                 "totalIsLowerBound"} and
                  nothing.get("total", 0) == 0,
                  f"an unknown {what} is 200 and empty: {path} {members}",
                  status, nothing)
    status, answer = server.ask_json("POST", spans_path("ab" * 16), body())
    check(status == 200 and answer["spans"] == [] and answer["total"] == 0,
          "an unknown trace is 200 and empty", status, answer)


# ---- 4, 15: limits, unknown members, pages ----

def pages(server):
    for path, key in ((LOGS, "logs"), (EVENTS, "events")):
        _, with_default = server.ask_json("POST", path, body())
        status, with_zero = server.ask_json("POST", path, body(limit=0))
        check(status == 200 and with_zero[key] == with_default[key] and
              len(with_zero[key]) == min(100, with_zero["total"]) > 0,
              f"limit 0 is the default for {key}", status)
    for limit in (0, -1, 1001):
        status, answer = server.ask_json("POST", TRACES, body(limit=limit))
        check(status == 400 and answer["errorCode"] == "OBS-V1-T-06",
              f"limit {limit} is refused for traces", status, answer)
    status, _ = server.ask_json("POST", LOGS, body(limit=1001))
    check(status == 400, "limit 1001 is refused for logs", status)
    for path, members in ((LOGS, {}), (TRACES, {}), (TOPOLOGY, {}),
                          (METRICS, {"metric": "http"})):
        status, _ = server.ask_json("POST", path, body(
            {**PRODUCTION, "isolation": "strict"}, colour={"a": [None]},
            **members))
        check(status == 200, f"unknown members do not hurt: {path}", status)

    logs = page_through(server, "asc")
    total = server.ask_json("POST", LOGS, body(limit=1))[1]["total"]
    check(total == min(len(logs), 1000) > 500,
          "paging by the last timestamp meets every record once",
          len(logs), total)
    check(logs == sorted(logs, key=lambda e: nanoseconds(e["timestamp"])),
          "in order of time")
    back = page_through(server, "desc")
    key = [(nanoseconds(e["timestamp"]), e["log"]) for e in logs]
    check(sorted(key) == sorted((nanoseconds(e["timestamp"]), e["log"])
                                for e in back),
          "and backwards the same ones", len(back), len(logs))
    follow_by_millisecond(server, logs)


def page_through(server, order):
    """A client that parses timestamps, keeps nanoseconds and passes over what it
    has seen; descending it steps one nanosecond back. (One that passes the text
    on needs none of this: tests/e2e/paging.py.)"""
    found, seen, window = [], set(), dict(TIME)
    while True:
        _, page = server.ask_json("POST", LOGS, {
            **body(), **window, "limit": 211, "sortOrder": order})
        fresh = [e for e in page["logs"]
                 if (nanoseconds(e["timestamp"]), e["log"], e.get("spanId"))
                 not in seen]
        seen |= {(nanoseconds(e["timestamp"]), e["log"], e.get("spanId"))
                 for e in fresh}
        found += fresh
        if not fresh:
            return found
        last = page["logs"][-1]["timestamp"]
        if order == "asc":
            window["startTime"] = last
        else:
            second, rest = divmod(nanoseconds(last) + 1, SECOND)
            window["endTime"] = datetime.datetime.fromtimestamp(
                second, datetime.timezone.utc).strftime(
                    "%Y-%m-%dT%H:%M:%S") + f".{rest:09}Z"


def follow_by_millisecond(server, logs):
    """occ logs --follow: start is the last timestamp and a millisecond."""
    last = logs[len(logs) // 2]["timestamp"]
    second, rest = divmod(nanoseconds(last) + 10**6, SECOND)
    start = datetime.datetime.fromtimestamp(
        second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    start += f".{rest:09}Z"
    _, page = server.ask_json("POST", LOGS, {
        **body(), "startTime": start, "limit": 1000, "sortOrder": "asc"})
    want = [e for e in logs
            if nanoseconds(e["timestamp"]) >= nanoseconds(start)]
    same = [{**e, "timestamp": nanoseconds(e["timestamp"])}
            for e in page["logs"]] == [
                {**e, "timestamp": nanoseconds(e["timestamp"])}
                for e in want[:1000]]
    check(page["total"] == min(len(want), 1000) and same,
          "following by a millisecond neither repeats nor loses",
          page["total"], len(want))
    whole = {"startTime": START, "endTime": START[:-3] + "09Z"}
    status, page = server.ask_json("POST", LOGS, {**body(), **whole})
    check(status == 200 and page["total"] > 0, "whole-second times will do",
          status)


# ---- 5: metadata ----

def metadata(server):
    _, answer = server.ask_json("POST", LOGS, body(limit=1000))
    need = {"componentName", "projectName", "environmentName",
            "namespaceName", "podName", "podNamespace", "containerName"}
    check(all(need <= set(e["metadata"]) for e in answer["logs"]),
          "log entries of a component have names and pod",
          answer["logs"][:1])
    uid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
    check(all(uid.fullmatch(v) for k, v in texts(answer)
              if k.endswith("Uid")), "UIDs are UUIDs")

    def text(key, value):
        return {"key": key, "value": {"stringValue": value}}

    def entry(attributes, line):
        at = str(nanoseconds(START) + SECOND)
        return {"resource": {"attributes": attributes},
                "scopeLogs": [{"logRecords": [{
                    "timeUnixNano": at, "body": {"stringValue": line}}]}]}

    named = [text("openchoreo.dev/" + k, v) for k, v in (
        ("namespace", "acme"), ("project", "lab"), ("component", "probe"),
        ("environment", "production"), ("component-uid", "not-a-uuid"))]
    build = [text("k8s.namespace.name", "workflows-acme"),
             text("k8s.pod.name", "cart-build-42-build-123")]
    status = server.send("/v1/logs", {"resourceLogs": [
        entry(named, "level=error here"), entry(build, "step 1 of 2")]})
    check(status == 200, "a build's log and a strange UID are taken", status)
    _, answer = server.ask_json("POST", LOGS, body(
        {"namespace": "acme", "project": "lab"}))
    check(answer["total"] == 1 and
          "componentUid" not in answer["logs"][0]["metadata"],
          "a UID that is no UUID is left out", answer)
    check(answer["logs"] and answer["logs"][0]["level"] == "ERROR",
          "a level that stands in the text is found", answer)
    _, answer = server.ask_json("POST", LOGS, body(
        {"namespace": "acme", "workflowRunName": "cart-build-42"}))
    check(answer["logs"] == [{"timestamp": "2025-01-15T08:00:01Z",
                              "log": "step 1 of 2"}] and
          answer["total"] == 1,
          "log entries of a workflow run are time and text only", answer)
    for scope in ({"namespace": "acme", "workflowRunName": "x",
                   "project": "shop"},
                  {"namespace": "acme", "component": "cart"},
                  {"namespace": "  "}):
        status, answer = server.ask_json("POST", LOGS, body(scope))
        check(status == 400 and answer["errorCode"] == "",
              f"scope {scope} is refused", status, answer)
    check(server.ask_json("POST", LOGS, body(
        {"namespace": "acme", "component": "cart"}))[1]["message"] ==
        "searchScope.project is required when searchScope.component is "
        "provided", "a missing project is said in the words clients know")
    status, answer = server.ask_json("POST", LOGS, body(
        {k: f" {v} " for k, v in PRODUCTION.items()}))
    check(status == 200 and answer["total"] > 0, "scopes are trimmed")


def levels(server):
    total, few = 0, {"endTime": START[:-3] + "30Z"}  # totals end at 1000
    for level, shown in (("DEBUG", {"DEBUG"}), ("INFO", {"INFO"}),
                         ("WARN", {"WARN"}), ("ERROR", {"ERROR", "FATAL"})):
        _, answer = server.ask_json("POST", LOGS, body(
            SHOP, logLevels=[level], limit=1000) | few)
        check({e["level"] for e in answer["logs"]} <= shown,
              f"filter {level} shows what is {level}", answer["logs"][:1])
        total += answer["total"]
    _, answer = server.ask_json("POST", LOGS, body(SHOP) | few)
    check(total == answer["total"] > 0, "the four filters are all there is",
          total, answer["total"])


# ---- 6, 11, 12: traces and spans ----

def traces(server):
    checkout = {**PRODUCTION, "component": "checkout"}
    _, answer = server.ask_json("POST", TRACES, body(
        checkout, limit=1000, includeAttributes=False))
    check(answer["total"] == len(answer["traces"]) > 100 and
          {t["rootComponent"] for t in answer["traces"]} == {"web"},
          "traces that merely pass through a component are listed",
          answer["total"])
    starts = [nanoseconds(t["startTime"]) for t in answer["traces"]]
    check(starts == sorted(starts, reverse=True), "newest first")
    check(all(nanoseconds(t["endTime"]) - nanoseconds(t["startTime"]) ==
              t["durationNs"] for t in answer["traces"]),
          "duration is end less start")
    failed = next(t for t in answer["traces"] if t["hasErrors"])
    trace_id = failed["traceId"]
    check(re.fullmatch("[0-9a-f]{32}", trace_id) is not None,
          "trace ids are 32 digits in lower case", trace_id)

    # What the portal asks: limit 1000, no includeAttributes.
    status, answer = server.ask_json("POST", spans_path(trace_id),
                                     body(checkout, limit=1000))
    spans = answer["spans"]
    check(status == 200 and len(spans) == answer["total"] ==
          failed["spanCount"], "all spans of a trace, limit 1000", status)
    check(not any("attributes" in s or "resourceAttributes" in s
                  for s in spans), "attributes only when asked for")
    check(all(set(s["status"]) <= {"code", "message"} and
              s["status"]["code"] in ("ok", "error", "unset")
              for s in spans) and
          any(s["status"]["code"] == "error" for s in spans),
          "status is an object with a code in lower case")
    check(all(s.get("parentSpanId") != "" and s.get("spanKind") != ""
              for s in spans) and
          sum("parentSpanId" not in s for s in spans) == 1,
          "what is empty is left out")
    status, upper = server.ask_json("POST", spans_path(trace_id.upper()),
                                    body(checkout, limit=1000))
    check(status == 200 and upper["spans"] == spans,
          "trace ids in upper case will do", status)
    status, upper = server.ask_json(
        "POST", spans_path("".join(f"%{ord(c):02X}" for c in trace_id)),
        body(checkout, limit=1000))
    check(status == 200 and upper["spans"] == spans,
          "and escaped ones", status)
    status, answer = server.ask_json("POST", spans_path(trace_id), body(
        checkout, limit=1000, includeAttributes=True))
    check(status == 200 and all("attributes" in s and "resourceAttributes" in s
                                for s in answer["spans"]),
          "attributes when asked for")
    check(any(type(s["attributes"].get("http.response.status_code")) is int
              for s in answer["spans"]), "with their own types")
    one_span(server, trace_id, failed["rootSpanId"], answer["spans"])


def one_span(server, trace_id, span_id, spans):
    path = f"/api/v1alpha1/traces/{trace_id}/spans/{span_id}"
    listed = next(s for s in spans if s["spanId"] == span_id)
    status, got = server.ask_json("GET", path)
    check(status == 200 and got == listed,
          "GET of a span is the span itself, with attributes", status)
    status, posted = server.ask_json("POST", path,
                                     {"searchScope": PRODUCTION})
    check(status == 200 and posted == got, "POST of it is the same", status)
    status, upper = server.ask_json("GET", path.replace(
        trace_id, trace_id.upper()).replace(span_id, span_id.upper()))
    check(status == 200 and upper == got, "in upper case, too", status)
    missing = f"/api/v1alpha1/traces/{trace_id}/spans/{'0' * 15}1"
    for method, ask in (("GET", None), ("POST", {"searchScope": PRODUCTION})):
        status, answer = server.ask_json(method, missing, ask)
        check(status == 404 and answer["errorCode"] == "OBS-V1-T-07" and
              answer["title"] == "notFound",
              f"{method} of an unknown span is 404 OBS-V1-T-07", status,
              answer)
    status, answer = server.ask_json("POST", path, {
        "searchScope": {"namespace": "nobody"}})
    check(status == 404, "POST of a span outside of the scope is 404", status)


# ---- 8, 9: units and grids ----

def metrics(server):
    step, length = 60, 1200
    first = nanoseconds(START)
    _, http = server.ask_json("POST", METRICS, body(metric="http", step="1m"))
    for name in ("requestCount", "unsuccessfulRequestCount"):
        times = [nanoseconds(p["timestamp"]) for p in http[name]]
        check(times == [first + i * step * SECOND
                        for i in range(length // step)],
              f"{name} is on a constant grid without holes", len(times))
    check(0 in [p["value"] for p in http["unsuccessfulRequestCount"]],
          "a rate of nothing is zero, not missing")
    _, topology = server.ask_json("POST", TOPOLOGY, body())
    # What queues bring is work, too, but no request of metric http.
    served = sum(n["metrics"]["requestCount"] for n in topology["nodes"]
                 if n.get("component") not in (None, "email", "shipping"))
    rates = sum(p["value"] for p in http["requestCount"]) * step
    check(served > 1000 and abs(served - rates) < 1,
          "counts are rates in metrics and totals in the topology", served,
          rates)
    check(all(abs(a["value"] + b["value"] - c["value"]) < 1e-9
              for a, b, c in zip(http["successfulRequestCount"],
                                 http["unsuccessfulRequestCount"],
                                 http["requestCount"])),
          "successful and unsuccessful are all")
    check(all(0 < p["value"] < 1 for p in http["meanLatency"]),
          "latencies are seconds", http["meanLatency"][:2])

    odd = {"startTime": START[:-3] + "17Z", "endTime": END}
    _, http = server.ask_json("POST", METRICS, {
        **body(metric="http", step="5m"), **odd})
    check(all(nanoseconds(p["timestamp"]) % (300 * SECOND) == 0
              for p in http["requestCount"]),
          "steps are aligned in UTC, wherever the range begins",
          http["requestCount"][:1])
    _, usage = server.ask_json("POST", METRICS, body(metric="resource"))
    check(usage["diskReadBytes"] == [] and usage["cpuUsage"],
          "series without data are empty lists", usage["diskReadBytes"])
    check(all(0 < p["value"] < 100 for p in usage["cpuUsage"]) and
          all(p["value"] > 10**6 for p in usage["memoryUsage"]),
          "CPU in cores, memory in bytes")
    for step in ("0s", "-1m", "soon", "1ms"):
        status, answer = server.ask_json("POST", METRICS, body(
            metric="http", step=step))
        check(status == 400 and "step" in answer["message"],
              f"step {step} is refused by name", status, answer)


def page(server):
    """The component page's chart is that of the metrics query, wherever the
    window begins and ends."""
    odd = {"startTime": START[:-6] + "10:30Z", "endTime": START[:-6] + "16:20Z"}
    scope = {**PRODUCTION, "component": "inventory"}
    _, http = server.ask_json("POST", METRICS, {
        "searchScope": scope, **odd, "metric": "http", "step": "3m"})
    query = "&".join(f"{k}={v}" for k, v in odd.items())
    _, answer = server.ask_json(
        "GET", "/api/v1/components/acme/shop/inventory?"
        f"environment=production&step=3m&{query}")
    check(len(http["requestCount"]) == 3 and
          http["requestCount"] == answer["series"]["requestRate"] and
          all(http[name] == answer["series"][name] for name in (
              "meanLatency", "latencyP50", "latencyP90", "latencyP99")),
          "the component page shows the same charts",
          http["requestCount"], answer["series"]["requestRate"])
    _, less = server.ask_json("POST", METRICS, {
        "searchScope": scope, **odd, "metric": "resource", "step": "3m"})
    check(less["cpuUsage"] == answer["series"]["cpuUsage"] != [],
          "of its pods, too")


def topology(server):
    _, answer = server.ask_json("POST", TOPOLOGY, body())
    kinds = {n["kind"] for n in answer["nodes"]}
    check(kinds == {"component", "gateway", "external"},
          "the topology has components, gateways and externals", kinds)
    ids = {e["id"] for e in answer["edges"]}
    check({"checkout:http->payment:grpc", "gateway:internet->web:http",
           "catalog:http->external:catalog-db"} <= ids and
          len(ids) == len(answer["edges"]),
          "edges have the ids of the convention, each once", sorted(ids))
    for member, kind in (("includeGateways", "gateway"),
                         ("includeExternal", "external")):
        _, less = server.ask_json("POST", TOPOLOGY, body(**{member: False}))
        check({n["kind"] for n in less["nodes"]} == kinds - {kind},
              f"{member} false leaves them out")
    scope = {k: v for k, v in PRODUCTION.items() if k != "environment"}
    status, answer = server.ask_json("POST", TOPOLOGY, body(scope))
    check(status == 400 and "environment" in answer["message"],
          "environment is required", status, answer)
    # Ours: without a project it is the topology of the namespace.
    scope = {k: v for k, v in PRODUCTION.items() if k != "project"}
    status, answer = server.ask_json("POST", TOPOLOGY, body(scope))
    check(status == 200 and {n.get("project") for n in answer["nodes"] if n["kind"] == "component"} >= {"shop"},
          "without a project it is that of the namespace", status, answer)


# ---- costs, as the portal and the FinOps adapter's callers read them ----

def costs(server):
    path = "/api/v1alpha1/costs/namespaces/acme/environments/production"
    window = f"startTime={START}&endTime={END}"
    uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    status, answer = server.ask_json("GET", f"{path}?{window}")
    items = answer["items"]
    check(status == 200 and len(items) > 5, "costs of the environment", status, answer)
    for item in items:
        check(all(uuid.fullmatch(item[name]) for name in ("componentUid", "environmentUid", "projectUid")) and
              all(item[name] for name in ("component", "environment", "project", "namespace")) and
              item["startTime"] == START and item["endTime"] == END and
              item["cpuCost"] > 0 and item["memoryCost"] > 0 and 0 < item["efficiency"] <= 1,
              f"an item has its names, uids, times and costs: {item['component']}", item)
    checkout = next(item for item in items if item["component"] == "checkout")
    # A request of 128 MiB for each pod, for 20 minutes.
    pods = checkout["memoryCost"] / (0.125 * 0.004237 / 3)
    check(0.9 <= pods < 5, "memory is charged by pod and hour", pods, checkout)
    _, by_uid = server.ask_json(
        "GET", f"/api/v1alpha1/costs/namespaces/acme/environments/{checkout['environmentUid']}?{window}"
        f"&projectUid={checkout['projectUid']}&componentUid={checkout['componentUid']}")
    check(by_uid["items"] == [checkout], "uids select as names do", by_uid)
    for query, text in ((f"{window}&granularity=5m", "granularity"), (f"{window}&component=cart", "project"),
                        (f"startTime={START}", "endTime"), (f"startTime={END}&endTime={START}", "endTime")):
        for route in (path, path + "/recommendations"):
            if "granularity" in query and route != path:
                continue
            status, answer = server.ask_json("GET", f"{route}?{query}")
            check(status == 400 and answer["title"] == "badRequest" and answer["errorCode"] == "" and
                  text in answer["message"], f"refused: {query}", status, answer)
    status, answer = server.ask_json("GET", f"{path}/recommendations?{window}")
    check(status == 200 and answer["items"] == [] and
          all("less than a day" in row["reason"] for row in answer["notRecommended"]),
          "nothing is recommended on twenty minutes", status, answer)
    status, answer = server.ask_json("GET", f"{path.replace('acme', 'nowhere')}?{window}")
    check(status == 200 and answer["items"] == [] and answer["empty"], "of an unknown namespace: nothing, and why", answer)


# ---- errors ----

def errors(server):
    for path, code in ((LOGS, ""), (EVENTS, ""), (METRICS, ""),
                       (TOPOLOGY, ""), (TRACES, "OBS-V1-T-06"),
                       (spans_path("ab" * 16), "OBS-V1-T-06")):
        status, _, data = server.ask("POST", path, b"{}",
                                     {"Content-Type": "text/plain"})
        answer = json.loads(data)
        check(status == 400 and answer == {
            "title": "badRequest", "errorCode": code,
            "message": "Invalid request format"},
            f"a body that is not JSON: {path}", status, answer)
        month = {**body(metric="http"), "startTime": "2024-12-01T00:00:00Z"}
        status, answer = server.ask_json("POST", path, month)
        check(status == 400 and answer["errorCode"] == code and
              "30 days" in answer["message"],
              f"more than 30 days: {path}", status, answer)
        turned = {**body(metric="http"), "startTime": END, "endTime": START}
        status, answer = server.ask_json("POST", path, turned)
        check(status == 400, f"an end before the start: {path}", status)
    exact = {**body(), "startTime": "2024-12-16T08:20:00Z"}
    status, _ = server.ask_json("POST", LOGS, exact)
    check(status == 200, "30 days exactly will do", status)
    status, answer = server.ask_json("GET", "/health")
    check(status == 200 and answer["status"] == "healthy" and
          nanoseconds(answer["timestamp"]) > 0, "health", answer)


PARTS = (cors, times_and_nothing, pages, levels, metadata, traces, metrics,
         page, topology, costs, errors)

if __name__ == "__main__":
    with Running("--cors-origins",
                 "http://other.example, " + ORIGIN) as observer:
        observer.play()
        for part in PARTS:
            part(observer)
    tap.exit()
