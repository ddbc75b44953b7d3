"""The component page and the list of components, held against slow counts of the
records that were sent: one endpoint or operation, latencies of each step, slow
and failed traces of each step, sparklines, figures of the time before, callees
by endpoint, log errors, pods and the last change.
"""
import collections
import math
import urllib.parse

from callboard import (NS, Server, Tap, gauge, log, logs_request, metrics_request, new_folder, rfc3339, seeded, span, spans_request, stamped)

tap = Tap()
rng = seeded()
MS, MINUTE = 1_000_000, 60 * NS
T0 = 1741600800 * NS  # 2025-03-10T10:00:00Z
SERVER, CLIENT, CONSUMER = 2, 3, 5
WINDOW = (T0 + 30 * MINUTE, T0 + 60 * MINUTE)
BEFORE = (T0, T0 + 30 * MINUTE)
STEP = 5 * MINUTE
READS = "process orders"
# Operation: route, a call that it makes, the share that fails. One more operation, of another endpoint, reads a queue.
OPERATIONS = {"GET /a": ("/a", ("stock", "/level"), 0.1), "GET /b": ("/b", ("stock", "/reserve"), 0.02),
              "POST /c": ("/c", ("pay", "/charge"), 0.3), "GET /rare": ("/rare", None, 0)}


def record(sent, owner, trace, parent, kind, at, took, name, error, **attrs):
    one = span(rng, at, trace, None, parent and parent["id"], kind, took, name, error, **attrs)
    known = {"id": one["spanId"], "trace": trace, "owner": owner, "at": at, "took": took, "error": error, "name": name, "kind": kind}
    sent["spans"].append(known)
    sent["requests"][owner].append(one)
    return known


def request(sent, at, name):
    route, callee, share = OPERATIONS[name]
    trace, method = rng.randbytes(16).hex(), name.split()[0]
    took = int(math.exp(rng.uniform(math.log(2e6), math.log(8e8))))
    root = record(sent, "api", trace, None, SERVER, at, took, name, rng.random() < share, http__route=route, http__request__method=method)
    if callee:
        client = record(sent, "api", trace, root, CLIENT, at + MS, took // 2, "GET", False, http__request__method="GET",
                        server__address=callee[0], url__full=f"http://{callee[0]}{callee[1]}")
        record(sent, callee[0], trace, client, SERVER, at + MS, took // 3, f"GET {callee[1]}", False, http__route=callee[1],
               http__request__method="GET")


def message(sent, at):
    record(sent, "api", rng.randbytes(16).hex(), None, CONSUMER, at, rng.randrange(MS, 40 * MS), READS, rng.random() < 0.5,
           messaging__system="kafka", messaging__destination__name="orders", messaging__operation__type="process")


def records():
    sent = {"spans": [], "requests": collections.defaultdict(list), "logs": []}
    for _ in range(1500):
        request(sent, T0 + rng.randrange(60 * MINUTE), rng.choice(("GET /a", "GET /a", "GET /b", "POST /c")))
    request(sent, WINDOW[0] + 7 * MINUTE, "GET /rare")
    for _ in range(200):
        message(sent, T0 + rng.randrange(60 * MINUTE))
    for _ in range(600):
        severity = rng.choice((9, 13, 17, 21))
        sent["logs"].append({"at": T0 + rng.randrange(60 * MINUTE), "severity": severity})
    return sent


def send(server, sent):
    for owner, spans in sent["requests"].items():
        rows = sorted(spans, key=lambda one: int(one["endTimeUnixNano"]))
        for first in range(0, len(rows), 500):
            assert server.send("traces", spans_request(stamped(owner), rows[first:first + 500])).status == 200
    rows = [log(one["at"], f"word of level {one['severity']}", one["severity"]) for one in sorted(sent["logs"], key=lambda o: o["at"])]
    assert server.send("logs", logs_request(stamped("api"), rows)).status == 200


def send_pods(server):
    """Two pods in the window, one before it; two versions, one after the other."""
    for pod, at in (("api-1", T0 + 5 * MINUTE), ("api-2", WINDOW[0] + 2 * MINUTE), ("api-3", WINDOW[0] + 3 * MINUTE)):
        resource = {**stamped("api"), "k8s.pod.name": pod}
        memory = [gauge("container.memory.working_set", at + i * MINUTE, 1000 + i) for i in range(3)]
        assert server.send("metrics", metrics_request(resource, memory)).status == 200
    for version, at in (("1.0.0", T0 + MINUTE), ("1.1.0", WINDOW[0] + 11 * MINUTE), ("1.2.0", WINDOW[0] + 19 * MINUTE)):
        one = span(rng, at, rng.randbytes(16).hex(), None, None, 1, MS, "start")
        assert server.send("traces", spans_request({**stamped("api"), "service.version": version}, [one])).status == 200
    # A part of the last rollout, and, of another component, a change of its own.
    for owner, images in (("api", ("r/api:1", "r/api:2")), ("pay", ("r/pay:1", "r/pay:2"))):
        for image, at in zip(images, (T0 + MINUTE, WINDOW[0] + 21 * MINUTE)):
            one = span(rng, at, rng.randbytes(16).hex(), None, None, 1, MS, "start")
            more = {"service.version": "1.2.0" if at > WINDOW[0] else "1.0.0"} if owner == "api" else {}
            resource = {**stamped(owner), **more, "container.image.name": image.split(":")[0], "container.image.tags": image.split(":")[1]}
            assert server.send("traces", spans_request(resource, [one])).status == 200


def page(server, window=WINDOW, **given):
    return server.ask("/api/v1/components/acme/shop/api?" + urllib.parse.urlencode(
        {"startTime": rfc3339(window[0]), "endTime": rfc3339(window[1]), "step": "5m", **given}))


def served(sent, window, operation=None, owner="api"):
    """operation: its name, or a list of names."""
    names = [operation] if isinstance(operation, str) else operation
    return [one for one in sent["spans"] if one["owner"] == owner and one["kind"] != CLIENT and window[0] <= one["at"] < window[1] and
            (names is None or one["name"] in names)]


def near(seen, wanted, name, most=1e-6):
    tap.check(seen is not None and abs(seen - wanted) <= most * max(1, abs(wanted)), name, f"{seen}, counted {wanted}")


def check_figures(row, ones, earlier, what):
    near(row["requestCount"], len(ones), f"{what}: requests")
    near(row["previous"]["requestCount"], len(earlier), f"{what}: requests before")
    if ones:
        near(row["errorRatio"], sum(one["error"] for one in ones) / len(ones), f"{what}: errors")
        near(row["latency"]["mean"], sum(one["took"] for one in ones) / len(ones) / NS, f"{what}: mean", 1e-3)
    if earlier:
        near(row["previous"]["errorRatio"], sum(one["error"] for one in earlier) / len(earlier), f"{what}: errors before")


def steps(window=WINDOW, step=STEP):
    return [(at, at + step) for at in range(window[0], window[1], step)]


def check_heat(sent, answer, operation, what):
    heat, times = answer["series"]["latencyBuckets"], steps()
    bounds = heat["bounds"]
    if operation == []:
        tap.same((bounds, heat["counts"], heat["failed"]), ([], [[]] * len(times), [0] * len(times)), f"{what}: no requests")
        return
    tap.same([t[:19] for t in heat["timestamps"]], [rfc3339(t[0])[:19] for t in times], f"{what}: steps")
    tap.same((len(bounds), {len(row) for row in heat["counts"]}), (25, {24}), f"{what}: 24 buckets")
    factors = {round(math.log2(b / a) * 8) for a, b in zip(bounds, bounds[1:])}
    tap.check(len(factors) == 1, f"{what}: one factor", bounds)
    counted = []
    for time in times:
        row = [0] * 24
        for one in served(sent, time, operation):
            row[max(0, next(i for i in range(24) if one["took"] / NS <= bounds[i + 1]))] += 1
        counted.append(row)
    tap.same(heat["counts"], counted, f"{what}: requests by latency")
    tap.same(heat["failed"], [sum(one["error"] for one in served(sent, t, operation)) for t in times], f"{what}: failed of each step")


def check_exemplars(sent, answer, operation, what):
    shown = answer["traces"]["exemplars"]
    tap.same([one["timestamp"] for one in shown], sorted(one["timestamp"] for one in shown), f"{what}: oldest first")
    for time in steps():
        ones = served(sent, time, operation)
        mine = [one for one in shown if rfc3339(time[0]) <= one["timestamp"] < rfc3339(time[1])]
        slow, failed = ([one for one in mine if one["failed"] == is_failed] for is_failed in (False, True))
        good = [one for one in ones if not one["error"]]
        longest = max(good, key=lambda one: one["took"]) if good else None
        tap.same([(one["traceId"], one["operation"]) for one in slow], [(longest["trace"], longest["name"])] if longest else [],
                 f"{what}, {rfc3339(time[0])[11:16]}: the slowest good one")
        tap.same(len(failed), min(1, len(ones) - len(good)), f"{what}, {rfc3339(time[0])[11:16]}: one failed")
        for one in failed:
            same = [s for s in ones if s["trace"] == one["traceId"] and s["error"]]
            tap.check(same and abs(same[0]["took"] / NS - one["duration"]) < 1e-9, f"{what}: it failed", one)


def check_spark(sent, row, operation, what):
    spark = row["spark"]
    tap.same((spark["stepSeconds"], len(spark["requestRate"])), (300, 6), f"{what}: six steps")
    for i, time in enumerate(steps()):
        ones = served(sent, time, operation)
        if not ones:
            continue
        near(spark["requestRate"][i] * 300, len(ones), f"{what}: requests of step {i}")
        near(spark["errorRate"][i] * 300, sum(one["error"] for one in ones), f"{what}: failed of step {i}")
        took = sorted(one["took"] / NS for one in ones)
        tap.check(took[int(len(took) * 0.9)] / 1.1 <= spark["p99"][i] <= took[-1] * 1.0001, f"{what}: p99 of step {i}",
                  (spark["p99"][i], took[-5:]))


def check_page(server, sent):
    more = {"heat": "true", "exemplars": "true", "spark": 6}
    whole = page(server, **more)
    first, second = whole["endpoints"]
    tap.same((first["endpoint"], second["endpoint"]), ("http", "messaging"), "both endpoints, most requests first")
    tap.same({row["operation"] for row in first["operations"]}, set(OPERATIONS), "all operations")
    for given, operation in (({}, None), ({"operation": "GET /a"}, "GET /a"), ({"operation": "POST /c", "endpoint": "http"}, "POST /c"),
                             ({"operation": "GET /rare"}, "GET /rare"), ({"endpoint": "http"}, list(OPERATIONS)),
                             ({"endpoint": "messaging"}, READS), ({"operation": "GET /a", "endpoint": "messaging"}, [])):
        answer, what = page(server, **more, **given), ", ".join(given.values()) or "all"
        check_figures(answer["summary"], served(sent, WINDOW, operation), served(sent, BEFORE, operation), what)
        rates = {cell["timestamp"][:19]: cell["value"] for cell in answer["series"]["requestRate"]}
        for time in steps():
            near(rates.get(rfc3339(time[0])[:19], 0) * 300, len(served(sent, time, operation)), f"{what}: {rfc3339(time[0])[11:16]}")
        check_heat(sent, answer, operation, what)
        check_exemplars(sent, answer, operation, what)
        tap.same(answer["endpoints"], whole["endpoints"], f"{what}: endpoints stay whole")
    for row in first["operations"] + second["operations"]:
        name = row["operation"]
        check_figures(row, served(sent, WINDOW, name), served(sent, BEFORE, name), f"row of {name}")
        check_spark(sent, row, name, f"row of {name}")
    for row, names in ((first, list(OPERATIONS)), (second, READS)):
        check_figures(row, served(sent, WINDOW, names), served(sent, BEFORE, names), f"row of {row['endpoint']}")
        check_spark(sent, row, names, f"row of {row['endpoint']}")
    for given in ({"operation": "GET /none"}, {"endpoint": "none"}):
        answer = page(server, **more, **given)
        tap.same((answer["summary"]["requestCount"], answer["series"]["requestRate"], answer["series"]["latencyBuckets"]["bounds"],
                  answer["traces"]), (0, [], [], {"slowest": [], "failed": [], "exemplars": []}), f"{given}: nothing")
    bare = page(server)
    tap.check("latencyBuckets" not in bare["series"] and "exemplars" not in bare["traces"] and "spark" not in bare["endpoints"][0],
              "nothing of it unless asked for", bare.keys())


def check_callees(server, sent):
    answer = page(server)
    seen = {row["component"]: row for row in answer["callees"]}
    tap.same(set(seen), {"stock", "pay"}, "callees, each once")
    for name, row in seen.items():
        now, earlier = served(sent, WINDOW, owner=name), served(sent, BEFORE, owner=name)
        near(row["requestCount"], len(now), f"{name}: calls", 0.01)
        near(row["previous"]["requestCount"], len(earlier), f"{name}: calls before", 0.01)
        near(sum(one["requestCount"] for one in row["endpoints"]), row["requestCount"], f"{name}: its endpoints add up")
        counts = [one["requestCount"] for one in row["endpoints"]]
        tap.same(counts, sorted(counts, reverse=True), f"{name}: most calls first")
    tap.same(page(server, endpoint="messaging")["callees"], [], "no calls of the other endpoint")
    tap.same(page(server, endpoint="http")["callees"], answer["callees"], "all calls are of the first")


def check_list(server, sent):
    def ask(**given):
        answer = server.ask("/api/v1/components?" + urllib.parse.urlencode(
            {"namespace": "acme", "project": "shop", "startTime": rfc3339(WINDOW[0]), "endTime": rfc3339(WINDOW[1]), **given}))
        return {row["component"]: row for row in answer["components"]}

    rows = ask(details="true", spark=6)

    def errors(window):
        return sum(one["severity"] >= 17 and window[0] <= one["at"] < window[1] for one in sent["logs"])
    near(rows["api"]["logErrors"], errors(WINDOW), "log errors")
    near(rows["api"]["previous"]["logErrors"], errors(BEFORE), "log errors before")
    for i, time in enumerate(steps()):
        near(rows["api"]["spark"]["logErrorRate"][i] * 300, errors(time), f"log errors of step {i}")
    check_spark(sent, rows["api"], None, "in the list")
    tap.same((rows["api"]["pods"], rows["stock"]["pods"]), (2, 0), "pods in the window")
    change = rows["api"].get("lastChange", {})
    tap.same((change.get("kind"), change.get("to"), change.get("timestamp", "")[:16]),
             ("version", "1.2.0", rfc3339(WINDOW[0] + 19 * MINUTE)[:16]), "the last change")
    kinds = [one["kind"] for one in page(server)["changes"]]
    tap.check("image" in kinds and kinds[0] != "version", "a rollout has a version and an image", kinds)
    change = rows["pay"].get("lastChange", {})
    tap.same((change.get("kind"), change.get("timestamp", "")[:16]), ("image", rfc3339(WINDOW[0] + 21 * MINUTE)[:16]), "no version: the image")
    tap.check("lastChange" not in rows["stock"] and rows["stock"]["logErrors"] == 0, "nothing of another", rows["stock"])
    bare = ask(spark=6)["api"]
    tap.check(not {"logErrors", "pods", "lastChange"} & set(bare) and "logErrorRate" not in bare["spark"] and
              "logErrors" not in bare["previous"], "no details unless asked for", bare)


def check_refusals(server):
    for given, name in (({"heat": "1"}, "heat"), ({"exemplars": "yes"}, "exemplars"), ({"spark": "121"}, "spark"), ({"spark": "x"}, "spark")):
        answer = server.query("/api/v1/components/acme/shop/api?" + urllib.parse.urlencode(given))
        tap.check(answer.status == 400 and name in answer.body.decode(), f"{given} is refused", answer.body)
    answer = server.query("/api/v1/components?details=2")
    tap.check(answer.status == 400 and "details" in answer.body.decode(), "details=2 is refused", answer.body)


def main():
    sent = records()
    server = Server(new_folder())
    send(server, sent)
    send_pods(server)
    check_page(server, sent)
    check_callees(server, sent)
    check_list(server, sent)
    check_refusals(server)
    server.stop()
    tap.end()


main()
