"""Tempo's HTTP API over random traces: in memory, and again out of blocks."""
import json
import time
import urllib.parse

import decoded
import naive
import spans as make
from callboard import Server, Tap, new_folder, seeded

PROTOBUF = {"Accept": "application/protobuf"}
START, END = make.T0 // 10**9 - 60, make.T0 // 10**9 + 60


def get(server, path, accept=None, **params):
    query = "?" + urllib.parse.urlencode(params) if params else ""
    return server.query("/tempo" + path + query, headers=accept)


def by_id(tap, server, traces):
    wrong = []
    for trace_id, groups in traces.items():
        wanted = decoded.normal(decoded.sent(groups))
        v1 = get(server, f"/api/traces/{trace_id}", PROTOBUF)
        v2 = get(server, f"/api/v2/traces/{trace_id}", PROTOBUF, start=START, end=END)
        j1 = get(server, f"/api/traces/{trace_id.lstrip('0')}")
        j2 = get(server, f"/api/v2/traces/{trace_id}", {"Accept": "application/json"})
        seen = [decoded.from_protobuf(v1.body), decoded.from_protobuf(decoded.fields_of(v2.body)[1][0]),
                decoded.from_json(json.loads(j1.body)["batches"]),
                decoded.from_json(json.loads(j2.body)["trace"]["resourceSpans"])]
        for way, data in zip(("v1", "v2", "v1 JSON", "v2 JSON"), seen):
            if decoded.normal(data) != wanted:
                wrong.append((way, trace_id, data, decoded.sent(groups)))
        types = [answer.headers["Content-Type"] for answer in (v1, v2, j1, j2)]
        if types != ["application/protobuf"] * 2 + ["application/json"] * 2:
            wrong.append(types)
    tap.check(not wrong, "opentelemetry-proto decodes each trace as it was sent", str(wrong[:1]))
    answer = get(server, "/api/traces/" + "7" * 32, PROTOBUF)
    tap.same((answer.status, answer.body), (404, b"trace not found"), "a trace that is not there")
    tap.same(get(server, "/api/v2/traces/" + "7" * 32).status, 404, "the same in version 2")
    tap.same([get(server, f"/api/traces/{text}").status for text in ("xyz", "1" * 33)], [400, 400],
             "ids that are none")


def check_search(tap, server, traces, query, **params):
    answer = get(server, "/api/search", q=query, start=START, end=END, limit=1000, spss=0, **params)
    if answer.status != 200:
        tap.check(False, query, f"{answer.status} {answer.body}")
        return
    found = json.loads(answer.body)
    seen = {t["traceID"]: (t["spanSets"][0]["matched"], sorted(s["spanID"] for s in t["spanSets"][0]["spans"]))
            for t in found["traces"]}
    wanted = naive.search(traces, query)
    starts = [int(t["startTimeUnixNano"]) for t in found["traces"]]
    good = seen == {t: (len(ids), ids) for t, ids in wanted.items()}
    tap.check(good and starts == sorted(starts, reverse=True)
              and found["metrics"]["completedJobs"] == found["metrics"]["totalJobs"],
              f"{query} ({len(wanted)} traces)", {"seen": seen, "wanted": wanted} if not good else found["metrics"])


def searches(tap, server, traces):
    for query in naive.QUERIES:
        check_search(tap, server, traces, query)
    answer = json.loads(get(server, "/api/search", start=START, end=END).body)
    tap.same(len(answer["traces"]), min(20, len(traces)), "20 traces unless the limit says otherwise")
    sets = [s for t in answer["traces"] for s in t["spanSets"]]
    tap.check(all(len(s["spans"]) == min(3, s["matched"]) for s in sets), "three spans of each", sets[:2])
    first = answer["traces"][0]
    groups = traces[first["traceID"]]
    count = sum(len(s["spans"]) for g in groups for s in g["scopeSpans"])
    tap.same(sum(s["spanCount"] for s in first["serviceStats"].values()), count, "serviceStats count all spans")
    tagged = json.loads(get(server, "/api/search", tags='service.name=cart0 name="GET /"', start=START, end=END,
                            limit=1000).body)
    wanted = naive.search(traces, '{ resource.service.name = "cart0" && name = "GET /" }')
    tap.same(sorted(t["traceID"] for t in tagged["traces"]), sorted(wanted), "search by tags")


REFUSED = [
    ('{ span.x = "a" ', "column 15: expected }"),
    ('{ foo = "a" }', "column 3: foo is not known here"),
    ('{ status = 2 }', "column 10: a status is compared with a integer"),
    ('{ name =~ "(" }', "invalid regular expression"),
    ('{} | rate()', "column 6: metrics of traces"),
    ('{} | frobnicate()', "column 6: expected {"),
    ('{ .a = "b" } extra', "column 14: expected | or the end"),
    ('{ span.x = "a }', "closing quote"),
    ('', None),
]


def refusals(tap, server):
    for query, why in REFUSED:
        answer = get(server, "/api/search", q=query)
        text = answer.body.decode()
        if why is None:
            tap.same(answer.status, 200, "an empty query is all traces")
        else:
            tap.check(answer.status == 400 and why in text
                      and answer.headers["Content-Type"].startswith("text/plain"), f"refused: {query}", text)
    for params in ({"minDuration": "x"}, {"start": "x"}, {"limit": "x"}, {"start": 10, "end": 5}):
        tap.same(get(server, "/api/search", **params).status, 400, f"refused: {params}")


def wait_for_blocks(server):
    for _ in range(300):
        if server.counter("memtable_bytes") == 0:
            return
        time.sleep(0.1)


def main():
    tap, rng = Tap(), seeded()
    server = Server(new_folder(), "--seal-age", "3s", "--retention-traces", "0")
    traces = {}
    for number in range(1, 31):
        trace_id = ("0" * 16 if number % 3 == 0 else "ab" * 8) + f"{number:016x}"
        traces[trace_id] = make.trace(rng, trace_id, rng.randrange(4, 20), "cart")
        answer = server.send("traces", {"resourceSpans": traces[trace_id]}, encoding="json")
        assert answer.status == 200, answer
    for part in ("memory", "blocks"):
        print(f"# from {part}", flush=True)
        by_id(tap, server, traces)
        searches(tap, server, traces)
        wait_for_blocks(server)
    refusals(tap, server)
    tap.same(get(server, "/api/echo").body, b"echo", "echo")
    tap.same(server.stop(), 0, "stops")
    tap.end()


if __name__ == "__main__":
    main()
