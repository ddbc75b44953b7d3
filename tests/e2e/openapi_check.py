"""Holds docs/openapi.yaml against a running server, in both directions.

The file is the list of tests: each operation is asked with every example of
its body and with examples of its parameters, then with bad ones made from its
schema: a required member left out, a member of a wrong type or out of its
bounds, a body that is no JSON. Each answer must have a status the file names,
its content type, and a body that its schema takes; answers are closed there
(additionalProperties, unevaluatedProperties), so a member that is not in the
file is found.

The other way round: every route in the tables of our API must be in the
file, and every member the file gives answers must occur in one at least (but
those listed in RARE).
"""
import json
import os
import re
import subprocess
import tempfile
import urllib.parse


from openapi_spec import METHODS, Spec
from route_tables import read_routes
from running import END, START, TOP, Running, Tap

# Members that this traffic does not bring about.
RARE = {
    **{"ChangeList." + name: "only of more than 2000 events" for name in ("eventsFrom", "truncated")},
    **{name + ".link": "only with --page-url" for name in ("BlastRadius", "Capacity", "Dependencies")},
    "Dependencies.empty": "only of an unknown name, see graph.sh",
    "Empty.similar": "only of an unknown name, see graph.sh",
    **{"Capacity." + name: "only of varied rates, see graph.sh"
       for name in ("first", "callees[].breaksAt", "callees[].callerRate", "callees[].headroom", "callees[].kind")},
    **{"CapacityLimit." + name: "only of varied rates, see graph.sh and test_capacity_fit.c"
       for name in ("breaksAt", "extrapolation", "guess", "headroom", "idle", "knee", "perRequestRate", "r2",
                    "trend")},
    "ChangeList.withheld": "only of a subject with a part of the grants, see test_changes.c",
    **{"ChangeRow." + name: "only of operations and log patterns that came or went, see test_changes.c"
       for name in ("endpoint", "level", "templateId")},
    "Comparison.narrowed": "only of more than 64 components",
    "Comparison.withheld": "only of a subject with a part of the grants, see test_compare.c",
    **{"Difference." + name: "only of one operation, or of calls, see test_compare.c"
       for name in ("endpoint", "operation", "peer")},
    "Empty.lastSeen": "only of what was seen before",
    **{name + ".link": "only with --page-url" for name in ("ChangeList", "Comparison", "LogPatterns")},
    **{"LogLevelCounts." + name: "no record of the shop has this level" for name in ("DEBUG", "WARN", "FATAL")},
    "FoundTraces.link": "only with --page-url",
    "TraceTree.link": "only with --page-url",
    "TraceTree.omitted.attributes": "only of a large trace, see test_trace_route.c",
    **{"FoundTraces.summary." + name: "only of many traces, see bench"
       for name in ("examinedFrom", "totalIsLowerBound")},
    **{"FoundTraces.summary.outliers[]." + name: "only where one of many is slow"
       for name in ("traceId", "rootSpanName", "rootProject", "rootComponent", "rootEnvironment", "startTime",
                    "durationNs", "medianNs", "timesMedian", "ofTraces")},
    **{"TraceTree." + name: "only of odd traces, see traces.py"
       for name in ("otherNamespaces", "withheld", "summary.logCountIsLowerBound")},
    **{"TraceTree.clockSkew[]." + name: "only of a wrong clock, see traces.py"
       for name in ("spanId", "spanName", "spanKind", "project", "component", "podName", "parentComponent",
                    "parentPodName", "offsetNs", "spanCount")},
    **{"TraceTree.repeated[]." + name: "only of equal calls, see traces.py"
       for name in ("spanId", "spanName", "spanKind", "project", "component", "parent", "count", "errorCount",
                    "totalNs", "wallNs", "percent")},
    **{"TraceTreeSpan." + name: "only of odd traces, see traces.py"
       for name in ("asynchronous", "clockOffsetNs", "duplicateId", "hidden", "links", "missing", "namespace",
                    "omittedSpans", "orphan", "parentCycle")},
    **{"DeadLetter." + name: "only with a broker, see tests/kafka"
       for name in ("bytes", "id", "offset", "partition", "reason",
                    "receivedTime", "size", "time", "topic")},
    "EventsQueryResponse.totalIsLowerBound": "only of more than 1000 events",
    "TracesQueryResponse.totalIsLowerBound": "only of more than 1000 traces",
    "TraceSpansQueryResponse.totalIsLowerBound": "only of a large trace",
    "Span.endBeforeStart": "only of a span with wrong times",
    "Span.timeCorrected": "only of a span with wrong times",
    "Health.notes": "only with a broker that is away",
    "Health.error": "only of a sick server",
    "Status.notes": "only with a broker that is away",
    "Status.error": "only of a sick server",
    **{"Status.system.kafka[]." + name: "only with a broker, see test_query_view.c"
       for name in ("topic", "partition", "signal", "lag")},
    "Status.system.kafka": "only with a broker, see test_query_view.c",
    "Subject.issuer": "only of a JWT, see jwt.sh",
    "CauseEvidence.peer": "only where a network is slow",
    "CauseResponse.impact[].through":
        "only where an operation stands for many, see test_cause_answer.c",
    **{"CauseResponse.otherIncidents[]." + name: "only of two incidents"
       for name in ("namespace", "project", "component", "startTime", "endTime", "text")},
    "IncidentComponent.endTime": "only of incidents that are over, see incidents.py",
    **{"UnassignedSender." + name: "only of senders without labels, see incidents.py"
       for name in ("attributes", "environment", "example", "firstSeen", "labels", "lastSeen", "name", "namespace", "project",
                    "reason", "records", "resources", "why")},
    **{"CauseResponse.remarks[]." + name: "only where telemetry stops"
       for name in ("startTime", "text")},
    **{"CostSummary." + name: "only without a scope, see test_cost_summary.c"
       for name in ("nodes", "unattributed", "groups[].idleCost")},
    "RcaReport.alert_context.source_metric": "only of a metric's alert",
    **{"RcaReport.result." + name: "only of a report without a cause"
       for name in ("outcome", "explanation", "recommendations."
                    "observability_recommendations[].description")},
}


class Check:
    def __init__(self, spec, server, tap):
        self.spec, self.server, self.tap = spec, server, tap
        self.path_values = {}  # instead of the file's examples; or functions

    def values(self, path, parameters):
        """Of a path and a name, of a name in any path, else the examples."""
        found = {}
        for p in parameters:
            name = p["name"]
            value = self.path_values.get((path, name), self.path_values.get(name))
            found[name] = p.get("example") if value is None else value
        return found

    def url(self, path, parameters, values):
        query = {}
        for p in parameters:
            if p["name"] not in values:
                continue
            if p["in"] == "path":
                value = values[p["name"]]
                path = path.replace("{%s}" % p["name"], urllib.parse.quote(
                    str(value() if callable(value) else value), safe=""))
            else:
                value = values[p["name"]]
                query[p["name"]] = json.dumps(value) if isinstance(value, bool) else value
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def answer(self, name, operation, method, url, body, want, headers=None):
        """Asks; true if the answer is as the file says, with status want."""
        status, got, data = self.server.ask(method.upper(), url, body, headers)
        responses = operation["responses"]
        why = []
        if status != want:
            why.append(f"status {status}, not {want}")
        if str(status) not in responses:
            why.append(f"status {status} is not in the file")
        else:
            response = self.spec.resolve(responses[str(status)])
            kind = got.get("content-type", "").split(";")[0]
            if kind not in response["content"]:
                why.append(f"content type {kind} is not in the file")
            elif kind == "application/json":
                schema = response["content"][kind]["schema"]
                value = json.loads(data)
                why += self.spec.errors(schema, value)
                self.spec.note(schema, value)
            for header in response.get("headers", {}):
                if header.lower() not in got:
                    why.append(f"header {header} is missing")
        if why:
            why += [f"{method} {url} {body}", data[:600]]
        return self.tap.check(not why, name, *why)

    def examples(self, operation):
        content = operation.get("requestBody", {}).get("content", {})
        return {name: example["value"] for name, example in
                content.get("application/json", {}).get("examples",
                                                        {}).items()}

    def good(self, path, method, operation, parameters):
        label = f"{method.upper()} {path}"
        schema = (operation.get("requestBody", {}).get("content", {})
                  .get("application/json", {}).get("schema"))
        values = self.values(path, parameters)
        few = {p["name"]: values[p["name"]] for p in parameters
               if p.get("required")}
        missing = [n for n, v in values.items() if v is None]
        self.tap.check(not missing, f"{label} has examples of its parameters",
                       missing)
        if schema is None:
            self.answer(f"{label} with all parameters", operation, method,
                        self.url(path, parameters, values), None, 200)
            if few != values:
                self.answer(f"{label} with those required", operation, method,
                            self.url(path, parameters, few), None, 200)
            return
        examples = self.examples(operation)
        self.tap.check(examples, f"{label} has an example of its body")
        for name, body in examples.items():
            self.tap.check(not self.spec.errors(schema, body),
                           f"{label}: example {name} fits its schema",
                           *self.spec.errors(schema, body))
            self.answer(f"{label}: example {name}", operation, method,
                        self.url(path, parameters, values), body, 200)
        # What we do not know is passed over, unless the file says otherwise.
        more = {**next(iter(examples.values())), "unheardOf": [1]}
        self.answer(f"{label} with a member nobody knows", operation, method,
                    self.url(path, parameters, values), more,
                    400 if self.spec.errors(schema, more) else 200)

    def bad_values(self, schema):
        """Values the schema does not take."""
        schema = self.spec.resolve(schema)
        kind = schema.get("type")
        if kind == "string":
            bad = [17, ["a"], {}]
            if "enum" in schema:
                bad.append("nonsense")
            if schema.get("format") == "date-time":
                bad += ["yesterday", "2025-01-15", "2025-02-30T00:00:00Z"]
            return bad
        if kind == "integer":
            return (["seven", 1.5] +
                    [schema[k] + by for k, by in (("maximum", 1),
                                                  ("minimum", -1))
                     if k in schema])
        if kind == "boolean":
            return ["yes", 1]
        if kind == "array":
            bad = ["text", {}]
            if "maxItems" in schema:
                bad.append(["a"] * (schema["maxItems"] + 1))
            return bad + [[v] for v in self.bad_values(schema["items"])]
        if kind == "object" or "allOf" in schema or "anyOf" in schema:
            return ["text", [1]]
        return []

    def bad(self, path, method, operation, parameters):
        label = f"{method.upper()} {path}"
        values = self.values(path, parameters)
        examples = self.examples(operation)
        body = next(iter(examples.values())) if examples else None
        for p in parameters:
            bad = []
            if "pattern" in p["schema"]:
                bad = ["zz", "-1"]
            elif p["schema"].get("format") == "date-time":
                bad = ["yesterday", "2025-13-01T00:00:00Z"]
            elif "maximum" in p["schema"]:
                bad = ["seven", p["schema"]["maximum"] + 1,
                       p["schema"].get("minimum", 0) - 1]
            for value in bad:
                url = self.url(path, parameters, {**values, p["name"]: value})
                self.answer(f"{label} with {p['name']} = {value}", operation,
                            method, url, body, 400)
        if body is None:
            return
        url = self.url(path, parameters, values)
        schema = operation["requestBody"]["content"]["application/json"][
            "schema"]
        for name, data, headers in (
                ("no JSON", b"{,", {"Content-Type": "application/json"}),
                ("nothing", b"", {"Content-Type": "application/json"}),
                ("a list", b"[]", {"Content-Type": "application/json"}),
                ("another content type", json.dumps(body).encode(),
                 {"Content-Type": "text/plain"}),
                ("no content type", json.dumps(body).encode(), {})):
            self.answer(f"{label} with {name}", operation, method, url, data,
                        400, headers)
        self.bad_members(label, operation, method, url, schema, body)

    def bad_members(self, label, operation, method, url, schema, body):
        members, required = self.spec.members(schema)
        for name in sorted(required):
            less = {k: v for k, v in body.items() if k != name}
            self.answer(f"{label} without {name}", operation, method, url,
                        less, 400)
        for name, member in members.items():
            for value in self.bad_values(member):
                self.answer(f"{label} with {name} = {json.dumps(value)[:40]}",
                            operation, method, url, {**body, name: value}, 400)
        scope = members.get("searchScope")
        if scope:
            _, required = self.spec.members(scope)
            for name in sorted(required | {"namespace"}):
                less = {k: v for k, v in body["searchScope"].items()
                        if k != name}
                self.answer(f"{label} without searchScope.{name}", operation,
                            method, url, {**body, "searchScope": less}, 400)

    def methods(self, path, parameters, known):
        values = self.values(path, parameters)
        for method in METHODS:
            if method in known:
                continue
            status, headers, data = self.server.ask(
                method.upper(), self.url(path, parameters, values), {})
            errors = self.spec.errors(
                {"$ref": "#/components/schemas/ErrorResponse"},
                json.loads(data))
            allow = {m.strip().lower()
                     for m in headers.get("allow", "").split(",")}
            self.tap.check(
                status == 405 and not errors and allow == set(known),
                f"{method.upper()} {path} is not allowed", status, headers,
                data)


def fault(check):
    """What the examples of the file do not show: the last minutes, all of the
    shop."""
    scope = "namespace=acme&project=shop&startTime=2025-01-15T08:14:00Z&endTime=" + END
    paths = check.spec.root["paths"]
    for route, query in (("changes", scope.replace("08:14", "08:05") + "&limit=1"), ("compare", scope),
                         ("logs/patterns", scope), ("changes", "namespace=acne"),
                         ("components", scope + "&usage=true&spark=5")):
        check.answer(f"{route} of the fault", paths["/api/v1/" + route]["get"], "get",
                     f"/api/v1/{route}?{query}", None, 200)
    costs = "/api/v1alpha1/costs/namespaces/{namespace}/environments/{environment}"
    for path in (costs, costs + "/recommendations"):
        check.answer(f"{path} of an unknown environment", paths[path]["get"], "get",
                     path.format(namespace="acme", environment="nowhere") + "?startTime=2025-01-14T08:00:00Z&endTime=" + END,
                     None, 200)


def pages(check):
    """The list of components five at a time is the list."""
    path = "/api/v1/components"
    operation = check.spec.root["paths"][path]["get"]
    names, cursor = [], ""
    while cursor is not None and len(names) < 100:
        url = f"{path}?limit=5&cursor={cursor}"
        check.answer(f"components behind '{cursor}'", operation, "get", url,
                     None, 200)
        _, page = check.server.ask_json("GET", url)
        names += [c["component"] for c in page["components"]]
        cursor = page.get("nextCursor")
    _, whole = check.server.ask_json("GET", path)
    check.tap.check(names == [c["component"] for c in whole["components"]]
                    and len(names) == whole["total"] > 5,
                    "pages of components are the list in parts", names)


RARE_NS = 1736928600 * 10**9  # 2025-01-15T08:10:00Z


def text(key, value):
    return {"key": key, "value": {"stringValue": value}}


def checkout():
    return [text("openchoreo.dev/" + key, value) for key, value in (
        ("namespace", "acme"), ("project", "shop"),
        ("component", "checkout"), ("environment", "production"))]


def rare_logs():
    """An event by name, the newest of the shop, and a release."""
    end = 1736929199 * 10**9
    message = json.dumps({"componentReleaseName": "checkout-5d9",
                          "commit": "1a2b3c4", "phase": "Started"})
    return {"resourceLogs": [{
        "resource": {"attributes": checkout()},
        "scopeLogs": [{"logRecords": [
            {"timeUnixNano": str(end + i * 10**6), "severityNumber": 17,
             "eventName": "unknown.product",
             "body": {"stringValue": "stock of a product unknown"}}
            for i in range(3)] + [
            {"timeUnixNano": str(RARE_NS), "severityText": "Normal",
             "body": {"stringValue": message},
             "attributes": [text("k8s.event.reason", "DeploymentStarted"),
                            text("k8s.object.kind", "Deployment")]}]}]}]}


def rare_points():
    """A day of usage of checkout before the shop begins, and a component that
    says nothing of requests and memory."""
    def series(name, value):
        return {"name": name, "gauge": {"dataPoints": [
            {"timeUnixNano": str(RARE_NS + minutes * 60 * 10**9), "asDouble": value}
            for minutes in range(-26 * 60, -60, 5)]}}
    pod = checkout() + [text("k8s.namespace.name", "old"), text("k8s.pod.name", "checkout-0")]
    return {"resourceMetrics": [
        {"resource": {"attributes": pod}, "scopeMetrics": [{"metrics": [
            series("container.cpu.usage", 0.2), series("container.memory.working_set", 2e8)]}]},
        {"resource": {"attributes": [text("openchoreo.dev/" + key, value) for key, value in (
            ("namespace", "acme"), ("project", "shop"), ("component", "ledger"),
            ("environment", "production"))]},
         "scopeMetrics": [{"metrics": [{"name": "process.cpu.time", "sum": {
             "aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [
                 {"timeUnixNano": str(RARE_NS + i * 10**9), "startTimeUnixNano": str(RARE_NS),
                  "asDouble": i} for i in range(0, 300, 30)]}}]}]}]}


def rare_spans():
    """What the shop does not send: a link, and a database that has a name and
    a host. They are checkout's, in the failed trace's time."""
    start = RARE_NS
    trace = "00000000000000000000000000000abc"
    span = {"traceId": trace, "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + 10**9)}
    return {"resourceSpans": [{
        "resource": {"attributes": checkout()},
        "scopeSpans": [{"spans": [
            {**span, "spanId": "00000000000000a1", "kind": 2,
             "name": "POST /orders",
             "attributes": [text("http.request.method", "POST"),
                            text("http.route", "/orders")],
             "status": {"code": 2},
             "links": [{"traceId": "0" * 29 + "def",
                        "spanId": "00000000000000a9",
                        "attributes": [text("why", "retry")]}]},
            {**span, "spanId": "00000000000000a2", "kind": 3,
             "parentSpanId": "00000000000000a1", "name": "SELECT orders",
             "attributes": [text("db.system.name", "postgresql"),
                            text("db.namespace", "ledger"),
                            text("server.address", "ledger.example")]},
        ]}]}]}


def new_token(server):
    return server.ask_json("POST", "/api/v1/access/tokens",
                           {"name": "one", "role": "ingest", "namespace": "acme"})[1]["id"]


def leaving(server):
    """A namespace with one span, to be deleted."""
    spans = rare_spans()
    spans["resourceSpans"][0]["resource"]["attributes"][0] = text(
        "openchoreo.dev/namespace", "leaving")
    server.send("/v1/traces", spans)
    return "leaving"


def with_tokens(spec, tap):
    """What only a subject with a token, a part of the grants or a limit sees."""
    paths = spec.root["paths"]
    limits = tempfile.NamedTemporaryFile("w", suffix=".yaml")
    limits.write("namespaces: {acme: {recordsPerSecond: 100000}}")
    limits.flush()
    with Running("--auth", "required", "--limits", limits.name) as server:
        def create(**token):
            server.credential = admin
            check.answer("a token", paths["/api/v1/access/tokens"]["post"], "post",
                         "/api/v1/access/tokens", token, 200)
            _, made = server.ask_json("POST", "/api/v1/access/tokens",
                                      {**token, "name": token["name"] + " again"})
            return "Bearer " + made["token"]
        made = subprocess.run(
            [os.environ["CALLBOARD"], "token", "create", "boss", "--role", "admin",
             "--namespace", "*", "--data-dir", os.path.join(server.folder, "data")],
            check=True, capture_output=True, text=True).stdout
        admin = "Bearer " + re.search(r"cbt_\S+", made)[0]
        check = Check(spec, server, tap)
        reader = create(name="reader", namespace="acme", actions=["metrics:view"], expires="1d")
        writer = create(name="writer", stamp="override",
                        grants=[{"roles": ["ingest"], "namespace": "acme"}])
        server.credential = writer
        tap.same(server.send("/v1/traces", rare_spans(), writer), 200, "a token sends")
        server.credential = reader
        for name, path, url in (
                ("one's own subject", "/api/v1/access/me", None),
                ("one's own use", "/api/v1/access/tenants", None),
                ("a page without logs", "/api/v1/components/{namespace}/{project}/{component}",
                 "/api/v1/components/acme/shop/checkout")):
            check.answer(name, paths[path]["get"], "get", url or path, None, 200)
        server.credential = admin
        rotate = "/api/v1/access/tokens/{tokenId}/rotate"
        check.answer("a rotated token", paths[rotate]["post"], "post",
                     rotate.format(tokenId=new_token(server)), {"overlap": "1h"}, 200)
        for path in ("/api/v1/access/tokens", "/api/v1/access/tenants"):
            check.answer("all of " + path, paths[path]["get"], "get", path, None, 200)


def main():
    spec = Spec(os.path.join(TOP, "docs", "openapi.yaml"))
    tap = Tap()

    in_file = {(method.upper(), re.sub(r"\{[^}]*\}", "{}", path))
               for path, method, _, _ in spec.operations()}
    in_code = {(method, path) for method, path, *_ in
               read_routes("query", "analysis", "costs", unserved=False)
               if not path.startswith("/ui")}  # for people, see web-files.sh
    tap.check(in_code - in_file == set() and in_code,
              "every route of the server is in the file", in_code - in_file)
    tap.check(in_file - in_code == set(),
              "every route of the file is in the server", in_file - in_code)

    catalog = os.path.join(TOP, "tests", "shop", "catalog.json")
    # An issuer whose keys are in no file: its metadata are served all the same.
    with Running("--catalog", catalog, "--base-url", "https://callboard.example",
                 "--jwks-url", "file:/nonexistent/keys.json", "--jwt-issuer",
                 "https://idp.example", "--jwt-audience", "any") as server:
        server.play()
        tap.check(server.send("/v1/traces", rare_spans()) == 200,
                  "spans with a link and a database with a host are taken")
        tap.check(server.send("/v1/metrics", rare_points()) == 200, "a day of usage is taken")
        tap.check(server.send("/v1/logs", rare_logs()) == 200,
                  "an event by name and a release are taken")
        check = Check(spec, server, tap)
        scope = {"startTime": START, "endTime": END,
                 "searchScope": {"namespace": "acme", "project": "shop"}}
        _, failed = server.ask_json("POST", "/api/v1alpha1/traces/query",
                                    {**scope, "errorsOnly": True, "limit": 1})
        analyze = spec.root["paths"]["/api/v1alpha1/rca-agent/analyze"]
        media = analyze["post"]["requestBody"]["content"]["application/json"]
        server.ask_json("POST", "/api/v1alpha1/rca-agent/analyze",
                        media["examples"]["errors"]["value"])
        check.path_values = {("/api/v1/incidents", "component"): "inventory", "traceId": failed["traces"][0]["traceId"],
                             "spanId": failed["traces"][0]["rootSpanId"],
                             "tokenId": lambda: new_token(server),
                             ("/api/v1/logs/tail", "cursor"): 
                                 server.ask_json("GET", "/api/v1/logs/tail?lines=0")[1]["nextCursor"],
                             ("/api/v1/access/tenants/{namespace}", "namespace"):
                                 lambda: leaving(server)}
        path = "/api/v1alpha1/traces/{traceId}/spans/{spanId}"
        check.answer("a span with a link", spec.root["paths"][path]["get"],
                     "get", path.format(traceId="0" * 29 + "abc",
                                        spanId="00000000000000a1"), None, 200)
        pages(check)
        fault(check)
        # First the catalogue is put, so that others find it.
        for path, method, operation, parameters in sorted(
                spec.operations(), key=lambda o: o[1] != "put"):
            check.good(path, method, operation, parameters)
            check.bad(path, method, operation, parameters)
        by_path = {}
        for path, method, _, parameters in spec.operations():
            by_path.setdefault(path, ([], parameters))[0].append(method)
        for path, (known, parameters) in by_path.items():
            if not path.endswith("/spans/query"):  # "query" is a spanId, too
                check.methods(path, parameters, known)

    with_tokens(spec, tap)
    found = {"done": set(), "missing": set()}
    for path, method, operation, _ in spec.operations():
        content = spec.resolve(operation["responses"]["200"])["content"]
        for media in content.values():
            spec.unseen(media["schema"], operation["operationId"], found)
    missing = {m for m in found["missing"] if m not in RARE}
    tap.check(not missing, "every member of the file's answers occurs",
              *sorted(missing))
    tap.exit()


if __name__ == "__main__":
    main()
