"""Data directories that earlier versions left behind after kill -9, with what
their queries answered: tests/golden/folders/NAME.tar.xz and NAME.json.

    upgrade.sh              opens a copy of each and asks again
    upgrade.sh --make NAME  makes a new one with CALLBOARD and SHOPGEN

A directory holds twelve components with a rollout and a fault, a catalogue, a
root-cause report, retracted calls and requests, spans that wait for the other
span of their call, and a journal that is not committed.

Where a member of our own API is renamed, NAME.json is adapted; a value that
differs is an error.
"""
import json
import os
import subprocess
import sys
import tarfile
import time

from callboard import (NS, Server, Tap, new_folder, rfc3339, seeded, span, spans_request, stamped, wait_until)

FOLDERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "folders")
START_NS = 1_736_928_000 * NS  # 2025-01-15T08:00:00Z
WINDOW = {"startTime": rfc3339(START_NS), "endTime": rfc3339(START_NS + 600 * NS)}
TIMES = "&".join(f"{name}={value}" for name, value in WINDOW.items())
SCOPE = {"namespace": "acme", "project": "shop"}
COMPONENTS = ["frontend", "checkout", "cart", "inventory", "caller", "callee", "app"]
OPTIONS = ["--edge-wait", "2s"]

tap = Tap()

# ---- making a directory ----


class Calls:
    """Pairs of spans that arrive in two requests."""

    def __init__(self):
        self.rng = seeded()
        self.second = []

    def pair(self, server, components, kinds, routes):
        """The first span now; the second with send_second()."""
        spans = [span(self.rng, START_NS + 60 * NS, kind=kind, server__address="callee", http__route=route)
                 for kind, route in zip(kinds, routes)]
        child = kinds.index(2) if 3 in kinds else 0
        spans[child]["parentSpanId"] = spans[1 - child]["spanId"]
        spans[1]["traceId"] = spans[0]["traceId"]
        send(server, components[0], spans[0])
        self.second.append((components[1], spans[1]))

    def both_kinds(self, server, count, name):
        for _ in range(count):
            self.pair(server, ("caller", "callee"), (3, 2), (f"/{name}", f"/{name}"))
            self.pair(server, ("app", "app"), (2, 2), (f"/{name}/lower", f"/{name}/upper"))

    def send_second(self, server):
        for component, one in self.second:
            send(server, component, one)
        self.second = []


def send(server, component, one):
    server.send("traces", spans_request(stamped(component, environment="production"), [one]))


def play(server, *options):
    subprocess.run([os.environ["SHOPGEN"], "--otlp", f"127.0.0.1:{server.otlp_port}", "--no-pace", "--quiet",
                    "--rate", "1", "--pods", "1", "--rollout", "3m", "--fault", "6m", "--start", WINDOW["startTime"],
                    *options], check=True, timeout=60)


def page_of(server, component):
    return server.ask(f"/api/v1/components/acme/shop/{component}?{TIMES}")


def called_names(server):
    return [callee.get("component") for callee in page_of(server, "caller")["callees"]]


def analyze(server):
    alert = {"id": "alert", "value": 5, "timestamp": rfc3339(START_NS + 590 * NS),
             "rule": {"name": "errors", "description": "of checkout", "severity": "critical",
                      "source": {"type": "metric", "metric": "errors"},
                      "condition": {"window": "5m", "interval": "1m", "operator": "gt", "threshold": 1}}}
    started = server.ask("/api/v1alpha1/rca-agent/analyze", {**SCOPE, "component": "checkout",
                                                             "environment": "production", "alert": alert})
    wait_until(lambda: [report["status"] for report in reports(server)] == ["completed"], 20)
    return started["report_id"]


def reports(server):
    """Those of this hour."""
    now = time.time_ns()
    times = f"startTime={rfc3339(now - 3600 * NS)}&endTime={rfc3339(now + 60 * NS)}"
    path = "/api/v1/rca-agent/reports?namespace=acme&project=shop&environment=production"
    return server.ask(f"{path}&{times}")["reports"]


def make(name):
    folder = new_folder()
    server = Server(folder, *OPTIONS)
    server.query("/api/v1/catalog", {"components": [{**SCOPE, "name": "cart", "displayName": "The cart"}]}, "PUT")
    calls = Calls()
    play(server, "--duration", "8m")
    calls.both_kinds(server, 5, "early")
    wait_until(lambda: called_names(server) == [None], 20)
    calls.send_second(server)
    wait_until(lambda: called_names(server) == ["callee"], 20)
    report = analyze(server)
    server.stop()  # commits
    server = Server(folder, "--edge-wait", "5m")
    calls.both_kinds(server, 3, "late")
    server.stop()  # with spans that wait
    server = Server(folder, "--edge-wait", "5m")
    play(server, "--duration", "30s", "--seed", "2")
    server.kill()  # with a journal
    os.remove(os.path.join(folder, "callboard.db.reserve"))
    with tarfile.open(os.path.join(FOLDERS, name + ".tar.xz"), "w:xz", preset=9) as tar:
        for file in sorted(os.listdir(folder)):
            tar.add(os.path.join(folder, file), file)
    with open(os.path.join(FOLDERS, name + ".json"), "w") as file:
        json.dump({"report": report, "answers": answers_of(folder, report)}, file, indent=1, sort_keys=True)


# ---- asking ----


def questions(server, report):
    """Name of each question and its answer."""
    scoped = {**WINDOW, "searchScope": SCOPE}
    yield "catalog", server.ask("/api/v1/catalog")
    yield "components", server.ask(f"/api/v1/components?namespace=acme&{TIMES}&limit=100")
    for name in COMPONENTS:
        yield "page of " + name, page_of(server, name)
        for metric in ("http", "resource"):
            yield f"{metric} metrics of {name}", server.ask("/api/v1/metrics/query", {
                **WINDOW, "metric": metric, "step": "1m", "searchScope": {**SCOPE, "component": name}})
    yield "topology", server.ask("/api/v1alpha1/metrics/runtime-topology",
                                 {**WINDOW, "searchScope": {**SCOPE, "environment": "production"}})
    yield "events", server.ask("/api/v1/events/query", {**scoped, "limit": 1000})
    yield "errors", server.ask("/api/v1/logs/query", {**scoped, "logLevels": ["ERROR"], "limit": 20})
    yield "logs", server.ask("/api/v1/logs/query", {**scoped, "sortOrder": "asc", "limit": 20,
                                                    "includeAttributes": True})
    traces = server.ask("/api/v1alpha1/traces/query", {**scoped, "limit": 10})
    yield "traces", traces
    yield "failed traces", server.ask("/api/v1alpha1/traces/query", {**scoped, "limit": 10, "errorsOnly": True})
    trace = traces["traces"][0]["traceId"]
    yield "spans", server.ask(f"/api/v1alpha1/traces/{trace}/spans/query", {**scoped, "includeAttributes": True})
    # What the report was made from; later versions draw other conclusions.
    cause = server.ask("/api/v1/cause", scoped)
    yield "cause", {name: cause[name] for name in ("baseline", "changes", "read")}
    yield "report", server.ask("/api/v1/rca-agent/reports/" + report)


UNSTABLE = {"tookMs", "generatedAt"}


def stable(value):
    """Without what differs at each run; lists sorted, since the order of equal counts is not defined."""
    if isinstance(value, dict):
        return {name: stable(member) for name, member in value.items() if name not in UNSTABLE}
    if isinstance(value, list):
        return sorted((stable(member) for member in value), key=lambda member: json.dumps(member, sort_keys=True))
    if isinstance(value, float):
        return float("%.9g" % value)
    return value


def answers_of(folder, report):
    """Of calls that waited, once --edge-wait is over."""
    server = Server(folder, *OPTIONS)
    wait_until(lambda: len(called_names(server)) > 1, 20)
    answers = {name: stable(answer) for name, answer in questions(server, report)}
    tap.same(server.stop(), 0, "it ends with status 0")
    return answers


def in_order_of(old, new):
    """New items each beside the old one that they equal; what equals none keeps its order."""
    rest = list(new)
    equal = []
    for was in old:
        at = next((i for i, now in enumerate(rest) if not any(differences(was, now))), None)
        equal.append(None if at is None else rest.pop(at))
    return [rest.pop(0) if now is None else now for now in equal]


def differences(old, new, path=""):
    """Members that later versions answer besides are none."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old):
            yield from differences(old.get(name), new.get(name), f"{path}.{name}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (was, now) in enumerate(zip(old, in_order_of(old, new))):
            yield from differences(was, now, f"{path}[{i}]")
    elif old != new:
        yield f"{path}: {old} -> {new}"


def upgrade(name):
    folder = new_folder()
    with tarfile.open(os.path.join(FOLDERS, name + ".tar.xz")) as tar:
        tar.extractall(folder)
    with open(os.path.join(FOLDERS, name + ".json")) as file:
        saved = json.load(file)
    for again in ("", ", again after a clean stop"):
        seen = answers_of(folder, saved["report"])
        for question, wanted in saved["answers"].items():
            found = list(differences(wanted, seen.get(question)))
            tap.check(not found, f"{name}: {question}{again}", found[:10])


def main():
    if sys.argv[1:2] == ["--make"]:
        make(sys.argv[2])
        return
    for file in sorted(os.listdir(FOLDERS)):
        if file.endswith(".tar.xz"):
            upgrade(file.removesuffix(".tar.xz"))
    tap.end()


main()
