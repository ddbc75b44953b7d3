"""Tenants that send the same names, pods, addresses, trace ids and bytes, and
tenants that lie: what comes in stays its sender's, also after kill -9, a
restart and late labels."""
import json
import os
import random
import subprocess

from access_kit import make_token, row, write_tokens
import callboard
from callboard import NS, Server, Tap, any_value, export, new_folder, proto_fields, span

NOW = (int(__import__("time").time()) // 60 - 3) * 60 * NS
SPELLINGS = [
    "openchoreo.dev/{}",
    "k8s.pod.labels.openchoreo.dev/{}",
    "k8s.pod.label.openchoreo.dev/{}",
    "kubernetes.labels.openchoreo_dev/{}",
    "kubernetes.pod_labels.openchoreo.dev/{}",
    "label_openchoreo_dev_{}",
    "openchoreo_dev_{}",
]


# ---- tokens ----


GRANTS = {
    "acme": [{"role": "ingest", "namespace": "acme"}],
    "evil": [{"role": "ingest", "namespace": "evil"}],
    "shop": [{"role": "ingest", "namespace": "acme", "project": "shop"}],
    "over": [{"role": "ingest", "namespace": "acme"}],
    "two": [{"role": "ingest", "namespace": "acme"}, {"role": "ingest", "namespace": "beta"}],
    "platform": [{"role": "ingest", "namespace": "*"}],
    "root": [{"role": "admin", "namespace": "*"}],
}
TOKENS = {name: make_token() for name in GRANTS}


def write_grants(path):
    write_tokens(path, [row(TOKENS[name], name, grants=grants, **({"stamp": "override"} if name == "over" else {}))
                        for name, grants in GRANTS.items()])


def start(folder):
    return Server(folder, "--auth", "required", "--tokens", folder + ".tokens", "--audit", folder + ".audit")


class Bearer(callboard.Client):
    """A connection with a token."""

    def __init__(self, port, name):
        super().__init__(port)
        self.name = name

    def request(self, method, path, body=None, headers=None):
        headers = dict(headers or {}, Authorization="Bearer " + TOKENS[self.name])
        return super().request(method, path, body, headers)


# ---- requests ----


def attrs(values):
    return [{"key": key, "value": {"kvlistValue": {"values": attrs(value)}}
             if isinstance(value, dict) else any_value(value)} for key, value in values.items()]


def span_rows(count, **more):
    rng = random.Random(7)  # the same trace and span ids for everybody
    return [span(rng, NOW + i, **more) for i in range(count)]


def log_rows(count, own=None):
    return [{"timeUnixNano": str(NOW + i), "observedTimeUnixNano": str(NOW + i),
             "severityNumber": 9, "body": {"stringValue": f"line {i}"},
             "attributes": attrs(own or {})} for i in range(count)]


def request_of(signal, parts):
    """parts: (resource attributes, records)"""
    names = {"traces": ("resourceSpans", "scopeSpans", "spans"),
             "logs": ("resourceLogs", "scopeLogs", "logRecords"),
             "metrics": ("resourceMetrics", "scopeMetrics", "metrics")}[signal]
    return {names[0]: [{"resource": {"attributes": attrs(resource)},
                        names[1]: [{names[2]: records}]} for resource, records in parts]}


def gauge(count, own=None):
    return [{"name": "queue", "unit": "1", "gauge": {"dataPoints": [
        {"timeUnixNano": str(NOW + i * NS), "asDouble": i, "attributes": attrs(own or {})}
        for i in range(count)]}}]


ROWS = {"traces": span_rows, "logs": log_rows, "metrics": gauge}
NOUNS = {"traces": "spans", "logs": "log records", "metrics": "data points"}


def send(server, who, signal, parts, encoding="proto"):
    """(status, rejected, message)"""
    with Bearer(server.otlp_port, who) as client:
        answer = export(server.otlp_port, signal, request_of(signal, parts), encoding,
                        client=client)
    if encoding == "json":
        partial = json.loads(answer.body or b"{}").get("partialSuccess", {})
        rejected = [value for key, value in partial.items() if key.startswith("rejected")]
        return answer.status, int(rejected[0]) if rejected else 0, partial.get("errorMessage", "")
    rejected, text = 0, ""
    for number, value in proto_fields(answer.body):
        for inner, content in proto_fields(value):
            if inner == 1:
                rejected = content
            else:
                text = content.decode()
    return answer.status, rejected, text


# ---- answers ----


def ask(server, path, body=None):
    with Bearer(server.query_port, "root") as client:
        answer = client.request("POST" if body else "GET", path,
                                json.dumps(body) if body else None,
                                {"Content-Type": "application/json"})
    return json.loads(answer.body) if answer.status == 200 else {"status": answer.status,
                                                                  "body": str(answer.body)}


def seen(server):
    """Components and records of both namespaces."""
    out = {}
    for namespace in ("acme", "evil", "default", "beta"):
        answer = ask(server, f"/api/v1/components?namespace={namespace}")
        names = sorted((c["project"], c["component"]) for c in answer["components"])
        logs = ask(server, "/api/v1/logs/query", {
            **callboard.around(), "searchScope": {"namespace": namespace}, "limit": 1000})
        counts = {}
        for row in logs["logs"]:
            labels = row.get("metadata", {})
            key = labels.get("componentName") or ""
            counts[key] = counts.get(key, 0) + 1
        out[namespace] = (names, counts)
    return out


def counter(server, name):
    with Bearer(server.query_port, "root") as client:
        text = client.request("GET", "/metrics").body.decode()
    return sum(float(line.split()[-1]) for line in text.splitlines()
               if line.startswith("callboard_" + name))


# ---- the tests ----

tap = Tap()
POD = {"k8s.pod.uid": "uid-1", "k8s.pod.name": "web-0", "k8s.namespace.name": "team",
       "k8s.pod.ip": "10.0.0.9", "host.name": "node-1", "container.id": "c0ffee"}
APP = dict(POD, **{"service.name": "web"})
folder = new_folder()
write_grants(folder + ".tokens")
server = start(folder)


def same_bytes_twice():
    for signal, rows in ROWS.items():
        parts = [(APP, rows(5)), (POD, rows(3))]
        for who in ("acme", "evil", "acme"):
            tap.same(send(server, who, signal, parts)[:2], (200, 0), f"{signal} of {who}")
    tap.same(counter(server, "duplicate_requests_total"), 3,
             "only the same tenant's request is a duplicate")
    state = seen(server)
    tap.same(state["acme"], state["evil"], "two tenants with the same bytes have the same")
    tap.same(state["acme"], ([("default", "web")], {"web": 5, "": 3}), "and have all of it")
    tap.same(state["default"], ([], {}), "and nothing is in the default namespace")


def lies():
    before, refused = counter(server, "records_foreign_total"), 0
    for signal, rows in ROWS.items():
        for encoding in ("proto", "json"):
            for spelling in SPELLINGS:
                key = spelling.format("namespace")
                parts = [({"service.name": "liar", key: "acme"}, rows(2)),
                         ({"service.name": "honest", key: "evil"}, rows(3))]
                want = (200, 2, f"2 of 5 {NOUNS[signal]}: namespace acme is not that of this "
                                "credential (evil)")
                tap.same(send(server, "evil", signal, parts, encoding), want,
                         f"{signal} in {encoding} with {key}")
                refused += 2
    parts[0][1][0]["name"] = "again"
    lie = (signal, parts, encoding)
    repeats = counter(server, "duplicate_requests_total")
    for again in ("first", "again", "and again"):
        tap.same(send(server, "evil", *lie), want, f"the same answer: {again}")
        refused += 2
    tap.same(counter(server, "duplicate_requests_total") - repeats, 2, "to the same request")
    for signal in ("logs", "metrics"):
        parts = [({"service.name": "agent"}, ROWS[signal](4, {
            "openchoreo.dev/namespace": "acme", "openchoreo.dev/component": "web"}))]
        tap.same(send(server, "evil", signal, parts)[:2], (200, 4), f"labels on {signal}")
        refused += 4
    fluent = [({"service.name": "agent"}, log_rows(1, {"kubernetes": {
        "pod_name": "p", "labels": {"openchoreo.dev/namespace": "acme"}}}))]
    tap.same(send(server, "evil", "logs", fluent)[:2], (200, 1), "labels in fluent-bit's map")
    refused += 1
    tap.same(counter(server, "records_foreign_total") - before, refused, "all are counted")
    tap.check("namespace acme is not that of this credential" in server.log(), "and logged")
    tap.same(server.log().count("refused records"), 1, "once a minute")
    names = [name for _, name in seen(server)["evil"][0]]
    tap.check("honest" in names and "liar" not in names,
              "the rest is stored", str(names))
    return lie, want


def uids():
    stamped = {"openchoreo.dev/project": "shop", "openchoreo.dev/project-uid": "p-1",
               "openchoreo.dev/component": "cart", "openchoreo.dev/component-uid": "c-1"}
    tap.same(send(server, "acme", "logs", [(stamped, log_rows(1))])[:2], (200, 0), "uids")
    for key, value in (("component-uid", "c-1"), ("project-uid", "p-1")):
        for spelling in SPELLINGS:
            lie = {"service.name": "liar", spelling.format(key): value}
            tap.same(send(server, "evil", "traces", [(lie, span_rows(1))])[:2], (200, 1),
                     f"a lie in {spelling.format(key)}")


def other_senders():
    tap.same(send(server, "shop", "logs", [({"openchoreo.dev/project": "other"}, log_rows(1)),
                                           ({"service.name": "till"}, log_rows(1))]),
             (200, 1, "1 of 2 log records: project other is not that of this credential (shop)"),
             "a project that is fixed")
    tap.check(("shop", "till") in seen(server)["acme"][0], "what stamps none is in it")
    lie = {"openchoreo.dev/namespace": "evil", "openchoreo.dev/component": "moved"}
    tap.same(send(server, "over", "logs", [(lie, log_rows(1))])[:2], (200, 0), "override")
    state = seen(server)
    tap.check(("default", "moved") in state["acme"][0] and
              ("default", "moved") not in state["evil"][0], "makes it the token's", str(state))
    good = {"openchoreo.dev/namespace": "beta", "openchoreo.dev/component": "b"}
    tap.same(send(server, "two", "logs", [(good, log_rows(1)), (lie, log_rows(1))]),
             (200, 1, "1 of 2 log records: namespace evil is not one of this credential"),
             "a collector of two namespaces")
    tap.same(send(server, "platform", "logs", [(dict(lie, **{
        "openchoreo.dev/component": "daemon"}), log_rows(1))])[:2], (200, 0), "one of all")
    tap.check(("default", "daemon") in seen(server)["evil"][0], "may stamp what it likes")


def late(component, pod):
    """Labels that come after the records, from acme: evil's pod stays."""
    labels = dict(pod, **{"openchoreo.dev/project": "late", "openchoreo.dev/component": component})
    before = seen(server)
    tap.same(send(server, "acme", "traces", [(labels, span_rows(1))])[:2], (200, 0),
             f"acme stamps {component}")
    after = seen(server)
    tap.check(after["acme"][1].get(component, 0) > 0 and
              after["acme"][1].get("", 0) < before["acme"][1].get("", 0),
              f"{component}: its records are re-tagged", str(after["acme"]))
    tap.same(after["evil"], before["evil"], f"{component}: those of the other tenant are not")


same_bytes_twice()
other = {"k8s.pod.uid": "uid-2", "x": "2"}
for who_ in ("acme", "evil"):
    send(server, who_, "logs", [(other, log_rows(2))])
lie_, answer_ = lies()
uids()
other_senders()
late("early", POD)
state_ = seen(server)
server.kill()
server = start(folder)
tap.same(seen(server), state_, "after kill -9 and replay all is as before")
tap.check(counter(server, "journal_replayed_entries_total") > 0, "entries were replayed")
tap.same(send(server, "evil", *lie_), answer_, "a request that was refused has the same answer")
tap.same(counter(server, "duplicate_requests_total"), 1, "it is known")
late("replayed", other)
state_ = seen(server)
server.stop()
server = start(folder)
tap.same(seen(server), state_, "after a restart, too")
tap.same(send(server, "evil", "logs", [({"openchoreo.dev/component-uid": "c-1"},
                                       log_rows(1))])[:2], (200, 1), "uids are remembered")
for who_ in ("acme", "evil"):
    tap.same(send(server, who_, "traces", [(APP, span_rows(1, duration_ns=5))])[:2], (200, 0),
             f"known resources of {who_}")
tap.same(seen(server), state_, "known resources keep their identity")


# ---- deleting a tenant ----


def callboard_tenant(*arguments):
    return subprocess.run([os.environ["CALLBOARD"], "tenant", *arguments], capture_output=True, text=True)


def trace(server):
    """Which components the spans of everybody's trace are of."""
    found = ask(server, "/api/v1alpha1/traces/query", {
        "searchScope": {"namespace": "evil"}, "startTime": callboard.rfc3339(NOW - NS),
        "endTime": callboard.rfc3339(NOW + 60 * NS)})
    return found["total"]


def deleted():
    before = seen(server)
    tap.check(before["evil"][0] and trace(server) > 0, "evil has components and traces")
    done = callboard_tenant("delete", "evil", "--data-dir", folder)
    tap.check(done.returncode == 0 and done.stdout.startswith("Namespace evil is deleted: components "),
              "callboard tenant delete", str(done))
    gone = seen(server)
    tap.check(not gone["evil"][0] and not any(gone["evil"][1].values()) and trace(server) == 0,
              "nothing of it is found", str(gone["evil"]))
    tap.same(gone["acme"], before["acme"], "the other tenant has all that it had")
    done = callboard_tenant("delete", "evil", "--data-dir", folder)
    tap.check(done.returncode == 1 and "nothing is stored of namespace evil" in done.stderr, "twice", str(done))
    tap.same(callboard_tenant("remove", "evil", "--data-dir", folder).returncode, 2, "a verb that there is not")
    audit = [json.loads(line) for line in open(folder + ".audit")]
    lines = [(line["result"], line["resource"].get("namespace")) for line in audit
             if line.get("http", {}).get("method") == "DELETE"]
    tap.same(lines, [("success", "evil"), ("failure", "evil")], "both are in the audit")
    refused = [line for line in audit if line["result"] == "denied" and line["action"] == "telemetry:write"]
    tap.check(refused and all(line["actor"]["type"] == "token" and line["source_ip"] == "127.0.0.1" and line["metadata"]["reason"].startswith("records stamp")
                              for line in refused), "records that were refused, too", str(refused[:2]))
    return gone


gone_ = deleted()
server.kill()
server = start(folder)
tap.same(seen(server), gone_, "after kill -9 and replay")
server.stop()
server = start(folder)
tap.same(seen(server), gone_, "after a restart, too")
tap.same(trace(server), 0, "nor is a trace of it")
tap.same(send(server, "evil", "logs", [(APP, log_rows(1))])[:2], (200, 0), "it sends again")
new_ = seen(server)
tap.check(sum(new_["evil"][1].values()) == 1, "only what it sent now is found", str(new_["evil"]))
tap.same(new_["acme"], gone_["acme"], "and acme's is acme's")
server.stop()
tap.end()
