"""Log records and Kubernetes events as real senders send them, from OTLP to the
answers: shippers' records, event receivers, workflows, releases, levels, trace
ids, words of a search, links from a trace."""
import json

from running import Running, Tap

T0 = 1736928000 * 10**9  # 2025-01-15T08:00:00Z
WINDOW = {"startTime": "2025-01-15T08:00:00Z",
          "endTime": "2025-01-15T09:00:00Z", "sortOrder": "asc"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
STAMP = {"openchoreo.dev/namespace": "acme", "openchoreo.dev/project": "shop"}


def value(v):
    if isinstance(v, bool):
        return {"boolValue": v}
    if isinstance(v, str):
        return {"stringValue": v}
    if isinstance(v, int):
        return {"intValue": str(v)}
    if isinstance(v, list):
        return {"arrayValue": {"values": [value(x) for x in v]}}
    return {"kvlistValue": {"values": attributes(v)}}


def attributes(d):
    return [{"key": k, "value": value(v)} for k, v in d.items()]


class Sender:
    def __init__(self, server):
        self.server, self.count = server, 0

    def logs(self, resource, *records):
        """Each record: body, attributes, further members."""
        out = []
        for body, attrs, more in records:
            self.count += 1
            out.append({"timeUnixNano": str(T0 + self.count * 10**6),
                        "attributes": attributes(attrs), **more})
            if body is not None:
                out[-1]["body"] = value(body)
        self.server.send("/v1/logs", {"resourceLogs": [
            {"resource": {"attributes": attributes(resource)},
             "scopeLogs": [{"logRecords": out}]}]})

    def ask(self, what, scope, **more):
        _, answer = self.server.ask_json(
            "POST", f"/api/v1/{what}/query",
            {**WINDOW, "searchScope": scope, **more})
        return answer[what]

    def texts(self, scope, **more):
        return [x["log"] for x in self.ask("logs", scope, **more)]


def scope(component):
    return {"namespace": "acme", "project": "shop", "component": component}


def run(task=None):
    return {"namespace": "acme", "workflowRunName": "run",
            **({"taskName": task} if task else {})}


def stamped(component, **more):
    return {**STAMP, "openchoreo.dev/component": component, **more}


def shippers(send, tap):
    pod = {"pod_name": "a-7f", "namespace_name": "dp", "container_name": "main"}
    whole = {"log": "whole\n", "stream": "stderr",
             "kubernetes": {**pod, "labels": stamped("a")}}
    send.logs({}, (whole, {}, {}), ("nested", {"kubernetes": pod}, {}),
              ("dotted", {f"kubernetes.{k}": v for k, v in pod.items()}, {}),
              ("joined", {f"kubernetes_{k}": v for k, v in pod.items()}, {}),
              (json.dumps({**whole, "log": "as text"}), {}, {}))
    found = send.ask("logs", scope("a"))
    tap.check([x["log"] for x in found] ==
              ["whole", "nested", "dotted", "joined", "as text"],
              "a shipper's records are the component's", found)
    tap.check(all((x["metadata"].get("podName"),
                   x["metadata"].get("podNamespace"),
                   x["metadata"].get("containerName")) == ("a-7f", "dp", "main")
                  for x in found), "their pod and container are shown", found)


def workflows(send, tap):
    def step(pod, container, node, line):
        return ({"log": line, "stream": "stdout", "kubernetes": {
            "pod_name": pod, "namespace_name": "workflows-acme",
            "container_name": container, "annotations": {
                "workflows.argoproj.io/node-name": node}}}, {}, {})

    send.logs({}, step("run-1", "main", "run[0].build", "building"),
              step("run-1", "wait", "run[0].build", "waiting"),
              step("run-1", "init", "run[0].build", "starting"),
              step("run-2", "main", "run.scan", "scanning"))
    tap.check(send.texts(run()) == ["building", "scanning"],
              "a workflow's logs are without init and wait", send.texts(run()))
    tap.check(send.texts(run("build")) == ["building"],
              "a step is found inside the name of its node")
    # the layout of the k8s events receiver, and the other way round
    space, pod = {"k8s.namespace.name": "workflows-acme"}, {
        "k8s.object.kind": "Pod", "k8s.object.name": "run-1"}
    event = {"severityNumber": 9, "severityText": "Normal"}
    send.logs(pod, ("one", {**space, "k8s.event.reason": "Pulled"}, event))
    send.logs(space, ("two", {**pod, "k8s.event.reason": "Started"}, event))
    seen = [(e["message"], e["reason"]) for e in send.ask("events", run())]
    tap.check(seen == [("one", "Pulled"), ("two", "Started")],
              "events of a workflow, the namespace in either place", seen)


def objects(send, tap):
    def event(kind, **more):
        return {"type": kind, "object": {
            "kind": "Event", "metadata": {"name": "b.1"}, "type": "Warning",
            "reason": "Unhealthy", **more}}

    about = {"kind": "Pod", "namespace": "dp", "name": "b-1"}
    send.logs(stamped("b", **{"k8s.namespace.name": "dp",
                              "k8s.pod.name": "b-1"}), ("up", {}, {}))
    old = event("ADDED", message="old", involvedObject=about)
    new = event("MODIFIED", note="new", regarding=about, series={"count": 4})
    send.logs({"k8s.namespace.name": "dp"}, (old, {}, {}), (new, {}, {}),
              (new["object"], {}, {}),
              (event("DELETED", note="gone", regarding=about), {}, {}))
    seen = [(e["message"], e["type"], e["reason"],
             e["metadata"].get("objectName"))
            for e in send.ask("events", scope("b"))]
    tap.check(seen == [(m, "Warning", "Unhealthy", "b-1")
                       for m in ("old", "new", "new")],
              "Event objects, watched and pulled, are events of the component "
              "of their pod; a deleted one is none", seen)


def releases(send, tap):
    message = json.dumps({"componentReleaseName": "c-5d9", "commit": "1a2b3c4",
                          "phase": "Failed", "failureReason": "no image"})
    send.logs(stamped("c", **{"k8s.object.kind": "Deployment",
                              "k8s.object.name": "c"}),
              (message, {"k8s.event.reason": "DeploymentFailed"},
               {"severityNumber": 13, "severityText": "Warning"}),
              ("scaled", {"k8s.event.reason": "ScalingReplicaSet"},
               {"severityNumber": 9, "severityText": "Normal"}))
    _, page = send.server.ask_json(
        "GET", "/api/v1/components/acme/shop/c?startTime="
        f"{WINDOW['startTime']}&endTime={WINDOW['endTime']}")
    seen = {c["kind"]: c for c in page["changes"]}
    failed = seen.get("release", {})
    tap.check((failed.get("type"), failed.get("commit"), failed.get("phase")) ==
              ("Warning", "1a2b3c4", "Failed")
              and failed["message"][0] != "{"
              and seen.get("kubernetes", {}).get("type") == "Normal",
              "a release is a change with commit and phase", seen)
    some = send.ask("events", scope("c"), reasons=["DeploymentFailed", "Other"])
    tap.check([e["reason"] for e in some] == ["DeploymentFailed"],
              "events by reasons", some)


def texts(send, tap):
    send.logs(stamped("d"), (None, {"k": "v"}, {"eventName": "app.crash"}),
              ("\x1b[31mERROR\x1b[0m x", {}, {}), ("fail: A[0]", {}, {}),
              ('{"level":50,"dd.trace_id":"9532127138774266268"}', {}, {}),
              ("ÉCHEC 1", {}, {}), ("no error found", {"TraceId": TRACE}, {}))
    found = send.ask("logs", scope("d"), includeAttributes=True)
    tap.check((found[0]["log"], found[0]["eventName"], found[0]["attributes"]) ==
              ("app.crash", "app.crash", {"k": "v"}),
              "an event by name is shown", found[0])
    tap.check([x["level"] for x in found] == ["INFO", "ERROR", "ERROR", "ERROR",
                                             "INFO", "INFO"],
              "levels from the text", found)
    tap.check(found[3].get("traceId") == 16 * "0" + TRACE[16:]
              and found[5].get("traceId") == TRACE, "trace ids elsewhere")
    tap.check(send.texts(scope("d"), traceId=TRACE) == ["no error found"],
              "a trace leads to its log")
    tap.check(send.texts(scope("d"), searchWords=["échec"]) == ["ÉCHEC 1"],
              "words fold case beyond ASCII")


def main():
    tap = Tap()
    with Running() as server:
        for part in (shippers, workflows, objects, releases, texts):
            part(Sender(server), tap)
    tap.exit()


if __name__ == "__main__":
    main()
