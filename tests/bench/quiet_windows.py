"""Quiet windows of real systems: parts of the labelled cases before the fault.

No cause may be named in them. Each case is asked several times, with and
without a baseline. Copies of the cases, each a project of its own, lose a part
of their telemetry at the start of the window, as an outage of an agent, a
collector or a setting would take it; nothing else happens to the system.
"""
import hashlib
import json

S = 10**9
INFO_END = 13  # severity number of WARN


def part_of(text, parts):
    return hashlib.sha256(text.encode()).digest()[0] % parts


# What is lost from the start of the window on: outage: (signal, pod, record)
# -> bool. A node has one of three pods.
OUTAGES = {
    "logs-stop": lambda signal, pod, r: signal == "logs",
    "logs-node": lambda signal, pod, r: signal == "logs" and part_of(pod, 3) == 0,
    "logs-level": lambda signal, pod, r:
        signal == "logs" and r.get("severityNumber", 9) < INFO_END,
    "logs-sampled": lambda signal, pod, r:
        signal == "logs" and part_of(r.get("traceId", ""), 2) == 0,
    "traces-sampled": lambda signal, pod, r:
        signal == "traces" and part_of(r["traceId"], 4) > 0,
    "traces-stop": lambda signal, pod, r: signal == "traces",
    "traces-node": lambda signal, pod, r: signal == "traces" and part_of(pod, 3) == 0,
    "metrics-stop": lambda signal, pod, r: signal == "metrics",
}


def stretches(case):
    """(name, window, baseline or None): times in which nothing is wrong."""
    start, end = case["baseline"]["start_ns"], case["baseline"]["end_ns"]
    length = end - start
    if length < 100 * S:
        return
    third, half = start + 2 * length // 3, start + length // 2
    yield "last third", (third, end), (start, third)
    yield "last half", (half, end), (start, half)
    yield "last minute", (end - 60 * S, end), (start, end - 60 * S)
    yield "no baseline", (third, end), None
    # A component's first pods: the history begins with the window.
    yield "history short", (half, end), (half - 40 * S, half)


def cut_of(case):
    """Where an outage begins: the window of "last half"."""
    start, end = case["baseline"]["start_ns"], case["baseline"]["end_ns"]
    return start + (end - start) // 2


def outage_project(case, outage):
    return f"{case['project']}--{outage}"


def records_of(signal, scope):
    """Lists of records, and where their time stands."""
    if signal == "traces":
        return [(scope["spans"], "endTimeUnixNano", "startTimeUnixNano")]
    if signal == "logs":
        return [(scope["logRecords"], "timeUnixNano", "timeUnixNano")]
    return [(m[kind]["dataPoints"], "timeUnixNano", "timeUnixNano")
            for m in scope["metrics"] for kind in ("gauge", "sum", "histogram")
            if kind in m]


def copy_of(case, outage, signal, line):
    """The request of a case in its copy; None: nothing is left of it."""
    body = json.loads(line)
    lost, cut, until = OUTAGES[outage], cut_of(case), case["baseline"]["end_ns"]
    top, scopes = {"traces": ("resourceSpans", "scopeSpans"),
                   "logs": ("resourceLogs", "scopeLogs"),
                   "metrics": ("resourceMetrics", "scopeMetrics")}[signal]
    # Traces of other projects have other ids.
    mark = f"{list(OUTAGES).index(outage) + 1:02x}"
    kept = 0
    for resource in body[top]:
        pod = ""
        for attribute in resource["resource"]["attributes"]:
            value = attribute["value"]
            if attribute["key"] == "openchoreo.dev/project":
                value["stringValue"] = outage_project(case, outage)
            if attribute["key"] == "k8s.pod.name":
                pod = value["stringValue"]
        for scope in resource[scopes]:
            for records, ended, began in records_of(signal, scope):
                records[:] = [
                    r for r in records if int(r[ended]) < until and
                    not (int(r[began]) >= cut and lost(signal, pod, r))]
                for r in records:
                    if r.get("traceId"):
                        r["traceId"] = mark + r["traceId"][2:]
                kept += len(records)
    return json.dumps(body) if kept else None


def question(case, project, window, baseline, rfc3339):
    q = {"searchScope": {"namespace": "default", "project": project,
                         "environment": case["environment"]},
         "startTime": rfc3339(window[0]), "endTime": rfc3339(window[1])}
    if baseline:
        q["baseline"] = {"startTime": rfc3339(baseline[0]),
                         "endTime": rfc3339(baseline[1])}
    return q


def questions(case, rfc3339):
    """(kind, name, question) of each quiet window of a case."""
    for name, window, baseline in stretches(case):
        yield "calm hour", name, question(case, case["project"], window,
                                          baseline, rfc3339)
        if name == "last half":
            for outage in OUTAGES:
                yield outage, name, question(
                    case, outage_project(case, outage), window, baseline, rfc3339)
    # The same window from where the outage begins, and from earlier on.
    start, end = case["baseline"]["start_ns"], case["baseline"]["end_ns"]
    if end - start >= 100 * S:
        cut = cut_of(case)
        early = cut - (end - cut) // 2
        for outage in OUTAGES:
            yield outage, "in the window", question(
                case, outage_project(case, outage), (early, end), (start, early),
                rfc3339)
