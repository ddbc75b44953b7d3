"""SDK -> Collector -> Kafka -> Callboard: what was sent is what is found.

The Collector writes one component's signals as otlp_proto and another's as
otlp_json into the same topics, traces keyed by trace id, the rest by resource.
"""
import json
import subprocess

import kafka
from callboard import DidNotStart, Tap, around, find_logs, find_spans, scope, wait_until

TRACES = 400
tap = Tap()


def send(port, component):
    done = subprocess.run(["node", "sdk.mjs", f"http://127.0.0.1:{port}", component, str(TRACES)],
                          stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(done.stdout)


def listed(server, component):
    return server.ask("/api/v1alpha1/traces/query", {
        **around(), "limit": 1000, "searchScope": scope(component)})


def logs_of(server, component):
    return find_logs(server, component, logLevels=["WARN"])


def check_traces(server, component, sent):
    def whole(answer):
        return answer["total"] == TRACES and all(t["spanCount"] == 2 for t in answer["traces"])
    wait_until(lambda: whole(listed(server, component)), 30)
    tap.same({t["traceId"]: (t["spanCount"], t["rootSpanId"], t["hasErrors"])
              for t in listed(server, component)["traces"]},
             {t["traceId"]: (2, t["root"], t["failed"]) for t in sent["traces"]},
             f"{component}: {TRACES} traces, each with its two spans, its root and its error")
    one = sent["traces"][TRACES // 2]
    spans = find_spans(server, component, one["traceId"], includeAttributes=True)["spans"]
    found = {s["spanId"]: s for s in spans}
    tap.same(set(found), {one["root"], one["child"]}, f"{component}: the spans of a trace by id")
    tap.same(found.get(one["root"], {}).get("attributes"), sent["attributes"],
             f"{component}: every attribute comes back with its type")
    tap.same(found.get(one["child"], {}).get("parentSpanId"), one["root"], f"{component}: child and parent")


def check_logs(server, component, sent):
    wait_until(lambda: logs_of(server, component)["total"] >= TRACES, 30)
    tap.same(sorted(e["log"] for e in logs_of(server, component)["logs"]),
             sorted(t["text"] for t in sent["traces"]), f"{component}: {TRACES} log records, each once")
    one = find_logs(server, component, searchPhrase=f"item 7 of {component}")
    tap.same(one["total"], 1, f"{component}: one is found by its text")


def memory_of(server, component):
    answer = server.ask("/api/v1/metrics/query", {
        **around(), "step": "1m", "metric": "resource", "searchScope": scope(component)})
    return [round(p["value"]) for p in answer["memoryUsage"]], [p["value"] for p in answer["cpuUsage"]]


def check_metrics(server, component):
    wait_until(lambda: memory_of(server, component)[0], 30)
    tap.same(memory_of(server, component), ([1048576], [0.25]), f"{component}: gauges")


def check_keys(broker):
    """A trace lies in one partition, and so does a resource."""
    homes = {}
    for line in broker.kcat("-C", "-t", "otlp_spans", "-o", "beginning", "-e", "-f", "%p %k\n").decode().split("\n"):
        if line:
            partition, key = line.split(" ")
            homes.setdefault(key, set()).add(partition)
    tap.check(len(homes) == 2 * TRACES and all(len(p) == 1 and len(k) == 32 for k, p in homes.items())
              and len(set.union(*homes.values())) > 1,
              "the Collector wrote one key per trace, over all partitions", list(homes.items())[:5])


def main():
    try:
        broker = kafka.Broker().start().make_topics()
        collector = kafka.Collector(broker).start()
        reader = kafka.Instance(broker, "callboard").start()
    except (kafka.Unavailable, DidNotStart) as error:
        tap.check(False, "broker, Collector and Callboard start", str(error))
        tap.end()
    components = {"over-proto": collector.proto_port, "over-json": collector.json_port}
    sent = {component: send(port, component) for component, port in components.items()}
    for when in ("from the broker", "after a restart"):
        print(f"# {when}")
        for component in components:
            check_traces(reader.server, component, sent[component])
            check_logs(reader.server, component, sent[component])
            check_metrics(reader.server, component)
        tap.same(reader.counted("kafka_dead_letters_total"), 0, "no dead letters")
        tap.same(reader.stop(), 0, "SIGTERM ends it with status 0")
        reader.start()
    check_keys(broker)
    tap.end()


main()
