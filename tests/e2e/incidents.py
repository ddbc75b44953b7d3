"""What a page asks for, held against slow counts of what was sent: incidents
with their minutes and figures, senders without a component, the slowest and a
sample of all traces, the graph of a namespace, an answer that is kept.
"""
import collections
import urllib.parse

from callboard import (NS, Server, Tap, log, logs_request, new_folder, rfc3339, seeded, span, spans_request, stamped,
                       wait_until)

tap = Tap()
rng = seeded()
MS, MIN = 1_000_000, 60 * NS
T0 = 1741600800 * NS  # 2025-03-10T10:00:00Z
MINUTES, RATE = 180, 12
WINDOW = (T0 + 60 * MIN, T0 + MINUTES * MIN)
# Of a component: what happens in which minutes.
FAULTS = {("shop", "stock"): ("errors", range(90, 101)), ("shop", "cart"): ("errors", range(91, 101)),
          ("shop", "web"): (None, ()), ("bank", "pay"): ("latency", range(95, 106)),
          ("bank", "ledger"): ("errors", range(170, MINUTES))}


def minute_of(one):
    return (int(one["startTimeUnixNano"]) - T0) // MIN


def requests(owner):
    """A steady rate; in its fault every other request fails, or takes ten times as long."""
    symptom, minutes = FAULTS[owner]
    for minute in range(MINUTES):
        for i in range(RATE):
            ill = minute in minutes
            at = T0 + minute * MIN + (i * 5 + 1) * NS + rng.randrange(NS)
            yield span(rng, at, None, None, None, 2, (50 if ill and symptom == "latency" else 5) * MS + rng.randrange(MS),
                       "GET /x", ill and symptom == "errors" and i % 2 == 0, http__route="/x")


def send_all(server):
    sent = {}
    for project, name in FAULTS:
        rows = sent[project, name] = sorted(requests((project, name)), key=lambda one: int(one["endTimeUnixNano"]))
        for first in range(0, len(rows), 500):
            assert server.send("traces", spans_request(stamped(name, project), rows[first:first + 500])).status == 200
    return sent


def get(server, path, **given):
    return server.ask(path + "?" + urllib.parse.urlencode(given))


def incidents(server, window=WINDOW, **given):
    return get(server, "/api/v1/incidents", namespace="acme", startTime=rfc3339(window[0]), endTime=rfc3339(window[1]), **given)


def figures(rows):
    failed = sum("status" in one for one in rows)
    mean = sum(int(one["endTimeUnixNano"]) - int(one["startTimeUnixNano"]) for one in rows) / len(rows) / NS
    return len(rows), failed, failed / len(rows), mean


def check_size(seen, rows, name):
    wanted = dict(zip(("requests", "failed", "errorRatio", "meanLatency"), figures(rows)))
    tap.check(all(abs(seen[key] - value) <= 1e-4 * max(1, value) for key, value in wanted.items()), name, f"{seen}, {wanted}")


def at(minute):
    return rfc3339(T0 + minute * MIN)[:19] + "Z"


def check_incidents(server, sent):
    answer = incidents(server)
    tap.same([(i["project"], i["component"], i["symptom"], i["startTime"], i.get("endTime"), i["componentCount"])
              for i in answer["incidents"]],
             [("bank", "ledger", "errors", at(170), None, 1), ("bank", "pay", "latency", at(95), at(106), 1),
              ("shop", "stock", "errors", at(90), at(101), 2)], "incidents, the latest first")
    tap.same((answer["total"], answer["judged"]["components"]), (3, 5), "how many there are, and of how many components")
    for incident in answer["incidents"]:
        for part in incident["components"]:
            owner = part["project"], part["component"]
            minutes = FAULTS[owner][1]
            tap.same((part["startTime"], part.get("endTime")),
                     (at(minutes[0]), None if minutes[-1] + 1 == MINUTES else at(minutes[-1] + 1)), f"{owner}: its minutes")
            check_size(part["during"], [one for one in sent[owner] if minute_of(one) in minutes], f"{owner}: during")
            check_size(part["usual"], [one for one in sent[owner] if minute_of(one) not in minutes], f"{owner}: usually")
    tap.same([i["component"] for i in incidents(server, symptom="latency")["incidents"]], ["pay"], "of one symptom")
    tap.same([(i["component"], i["startTime"]) for i in incidents(server, project="shop", component="cart")["incidents"]],
             [("cart", at(91))], "of one component")
    tap.same(incidents(server, project="shop", component="web")["incidents"], [], "none of another component")
    tap.same(incidents(server, (T0 + 110 * MIN, T0 + 160 * MIN))["incidents"], [], "none in the time between")
    during = incidents(server, (T0 + 93 * MIN, T0 + 98 * MIN), project="shop")["incidents"]
    tap.same([(i["startTime"], i.get("endTime")) for i in during], [(at(90), None)], "one that lasts began before the window")
    short = incidents(server, (WINDOW[0], WINDOW[1]), limit=1)
    tap.same((len(short["incidents"]), short["total"]), (1, 3), "so many are listed")
    nothing = incidents(server, (T0 - 3600 * 24 * NS, T0 - 3600 * 23 * NS))
    tap.check(nothing["judged"]["components"] == 0 and nothing["empty"]["message"], "nothing measured: why", nothing)
    for given in ({"symptom": "x"}, {"limit": "0"}, {"startTime": "y"}):
        answer = server.query("/api/v1/incidents?" + urllib.parse.urlencode(given))
        tap.check(answer.status == 400 and list(given)[0].encode() in answer.body, f"{given} is refused by name", answer.body)


def check_traces(server, sent):
    path = "/api/v1alpha1/traces/query"
    body = {"startTime": rfc3339(T0), "endTime": rfc3339(T0 + MINUTES * MIN), "searchScope": {"namespace": "acme"}}
    rows = [one for some in sent.values() for one in some]
    took = {one["traceId"]: int(one["endTimeUnixNano"]) - int(one["startTimeUnixNano"]) for one in rows}
    slow = server.ask(path, {**body, "sortBy": "duration", "limit": 40})
    tap.same([t["traceId"] for t in slow["traces"]], sorted(took, key=lambda t: (-took[t], t))[:40], "the slowest of all")
    tap.check(slow["exact"] is True, "and that is said", slow.get("exact"))
    sample = server.ask(path, {**body, "sample": True, "limit": 300})
    tap.same((sample["total"], sample["failed"], sample.get("totalIsLowerBound")),
             (len(rows), sum("status" in one for one in rows), None), "a sample: all traces are counted")
    starts = [t["startTime"] for t in sample["traces"]]
    tap.check(200 <= len(starts) <= 300 and starts == sorted(starts, reverse=True), "so many, by time", len(starts))
    tenths = collections.Counter(int(start[11:13]) * 6 + int(start[14:16]) // 10 for start in starts)
    tap.check(len(tenths) == MINUTES // 10 and max(tenths.values()) <= 4 * min(tenths.values()), "all over the window", tenths)
    tap.same(server.ask(path, {**body, "sample": True, "limit": 300})["traces"], sample["traces"], "the same ones again")
    few = server.ask(path, {**body, "sample": True, "limit": 1000,
                            "searchScope": {"namespace": "acme", "project": "bank", "component": "pay"}, "minDuration": "40ms"})
    tap.same((len(few["traces"]), few["total"], few["failed"]), (11 * RATE, 11 * RATE, 0), "all, where they are few")
    for given, word in (({"sample": 1}, "sample"), ({"sortBy": "x"}, "sortBy"), ({"sortBy": "duration", "sortOrder": "asc"},
                        "sortOrder"), ({"sample": True, "sortBy": "duration"}, "sample")):
        answer = server.query(path, {**body, **given})
        tap.check(answer.status == 400 and word.encode() in answer.body, f"{given} is refused by name", answer.body)


def check_unassigned(server):
    now = T0 + 100 * MIN
    senders = {"java": ({"service.name": "unknown_service:java", "host.name": "h{}"}, "unknownService", 3),
               "pods": ({"k8s.namespace.name": "dp", "k8s.pod.name": "x-{}", "k8s.deployment.name": "x"}, "podNotStamped", 2),
               "bare": ({"host.name": "bare{}"}, "noServiceName", 1),
               "half": ({"openchoreo.dev/namespace": "acme", "openchoreo.dev/project": "shop"}, "noComponent", 1)}
    wanted = {}
    for name, (attributes, reason, count) in senders.items():
        for i in range(count):
            resource = {key: value.format(i) for key, value in attributes.items()}
            lines = [log(now + k * MIN, f"line {k}") for k in range(3 + i)]
            assert server.send("logs", logs_request(resource, lines)).status == 200
        wanted[reason] = (count, sum(3 + i for i in range(count)), at(100), at(100 + 2 + count - 1))
    asked = {"startTime": rfc3339(T0), "endTime": rfc3339(T0 + MINUTES * MIN)}
    wait_until(lambda: get(server, "/api/v1/unassigned", **asked)["resources"] == 7, 20)
    answer = get(server, "/api/v1/unassigned", **asked)
    tap.same({s["reason"]: (s["resources"], s["records"]["logs"], s["firstSeen"], s["lastSeen"]) for s in answer["senders"]},
             wanted, "senders: resources, records, first and last minute")
    by = {s["reason"]: s for s in answer["senders"]}
    tap.same(by["podNotStamped"]["labels"]["openchoreo.dev/component"], "x", "the deployment is the name that is proposed")
    tap.check("openchoreo.dev/component=x" in by["podNotStamped"]["example"], "to copy", by["podNotStamped"]["example"])
    tap.same([s["reason"] for s in get(server, "/api/v1/unassigned", namespace="acme", **asked)["senders"]], ["noComponent"],
             "of one namespace")
    # With what is proposed it has a component.
    labels = {**by["podNotStamped"]["labels"], "k8s.namespace.name": "dp", "k8s.pod.name": "x-0"}
    assert server.send("logs", logs_request(labels, [log(now, "now it has")])).status == 200
    tap.check(wait_until(lambda: get(server, "/api/v1/unassigned", **asked)["resources"] == 6, 20),
              "labels assign what the pod sent before, too")
    tap.same(get(server, "/api/v1/unassigned", namespace="acme", startTime=rfc3339(T0 - 9 * MIN),
                 endTime=rfc3339(T0 - 5 * MIN))["empty"]["reason"], "filter", "nothing in the window: why")


def check_kept(server):
    body = {"startTime": rfc3339(T0 + 88 * MIN), "endTime": rfc3339(T0 + 101 * MIN),
            "searchScope": {"namespace": "acme", "project": "shop", "environment": "test"}}
    cause = server.ask("/api/v1/cause", body)
    tap.same((cause["suspects"][0]["namespace"], cause["suspects"][0]["project"]), ("acme", "shop"), "a suspect has whole names")
    kept = server.ask("/api/v1/rca-agent/reports", body)
    again = server.ask("/api/v1/rca-agent/reports", body)
    tap.same((kept["created"], again["created"], again["reportId"]), (True, False, kept["reportId"]), "kept once")
    report = server.ask("/api/v1/rca-agent/reports/" + kept["reportId"])
    tap.same(report["report"]["cause"], cause, "with the answer that it is made of")
    del body["searchScope"]["environment"]
    refused = server.query("/api/v1/rca-agent/reports", body)
    tap.check(refused.status == 400 and b"environment" in refused.body, "the environment is required", refused.body)


def check_topology(server):
    body = {"startTime": rfc3339(T0), "endTime": rfc3339(T0 + MINUTES * MIN),
            "searchScope": {"namespace": "acme", "environment": "test"}}
    graph = server.ask("/api/v1alpha1/metrics/runtime-topology", body)
    own = {(n["project"], n["component"]): n["metrics"]["requestCount"] for n in graph["nodes"] if n["kind"] == "component"}
    tap.same(own, {owner: MINUTES * RATE for owner in FAULTS}, "the components of all projects, with their requests")
    few = server.ask("/api/v1alpha1/metrics/runtime-topology", {**body, "limit": 2})
    tap.same((len(few["edges"]), few["summary"]["edgesLeftOut"]), (2, len(graph["edges"]) - 2), "so many edges")


def main():
    server = Server(new_folder())
    sent = send_all(server)
    wait_until(lambda: incidents(server)["judged"]["components"] == len(FAULTS), 20)
    check_incidents(server, sent)
    check_traces(server, sent)
    check_topology(server)
    check_unassigned(server)
    check_kept(server)
    server.stop()
    tap.end()


main()
