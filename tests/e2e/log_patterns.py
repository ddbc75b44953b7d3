"""GET /api/v1/logs/patterns: counts of patterns, of a search, and its records."""
import analysis_kit as kit
from running import Running, Tap


def scope_of(scope, start, end):
    return {"searchScope": scope, "startTime": kit.at(start), "endTime": kit.at(end)}


def search(server, scope, start, end, **more):
    """All records that match, page by page."""
    records, cursor = [], {}
    while cursor is not None:
        _, answer = server.ask_json("POST", "/api/v1/logs/query",
                                    {**scope_of(scope, start, end), "limit": 1000, **more, **cursor})
        records += answer["logs"]
        cursor = {"cursor": answer["nextCursor"]} if "nextCursor" in answer else None
    return records


def whole(tap, server):
    scope = {**kit.SCOPE, "component": "inventory"}
    answer = kit.ask(server, "logs/patterns", 30, 40, scope, limit=200)
    records = search(server, scope, 30, 40)
    tap.same(round(answer["total"]), len(records), "counts of series are those of the records")
    tap.same(round(sum(p["count"] for p in answer["patterns"])), len(records), "patterns add up")
    tap.same({k: round(v) for k, v in answer["levels"].items()},
             {level: sum(r["level"] == level for r in records) for level in {r["level"] for r in records}},
             "by level, too")
    bars = sum(v for b in answer["histogram"]["bars"] for k, v in b.items() if k != "timestamp")
    tap.same(round(bars), len(records), "and so do the bars")
    tap.check(all("example" in p for p in answer["patterns"]), "each pattern has an example", answer["patterns"])
    new = [p for p in answer["patterns"] if p["new"] and p["level"] == "ERROR"]
    tap.check(new, "the errors of the fault are new", answer["patterns"])


def part(tap, server):
    answer = kit.ask(server, "logs/patterns", 30, 40, searchPhrase="stock of product", logLevels="ERROR")
    records = search(server, kit.SCOPE, 30, 40, searchPhrase="stock of product", logLevels=["ERROR"])
    tap.same((answer["total"], answer["examined"], answer["truncated"]), (len(records), len(records), False),
             "a search counts the lines that match")
    tap.same(answer["patterns"][0]["components"][0]["component"], "inventory", "with who logs them")
    tap.same([e["log"] for e in answer["examples"]], [r["log"] for r in records[:5]], "the newest are the examples")
    same = kit.ask(server, "logs/patterns", 30, 40, logLevels="ERROR")
    ids = {p["templateId"]: p["template"] for p in same["patterns"]}
    tap.same(ids.get(answer["patterns"][0]["templateId"]), answer["patterns"][0]["template"],
             "a pattern has one id, however it is counted")
    trace = answer["patterns"][0]["example"]["traceId"]
    of_trace = kit.ask(server, "logs/patterns", 30, 40, traceId=trace)
    tap.same(of_trace["total"], len(search(server, kit.SCOPE, 30, 40, traceId=trace)), "the lines of a trace")
    none = kit.ask(server, "logs/patterns", 30, 40, searchPhrase="no such words")
    tap.same(none["empty"]["reason"], "filter", "a search that finds nothing says so")


def many(tap, server):
    answer = kit.ask(server, "logs/patterns", 0, 40, searchPhrase="level=info")
    all_ = kit.ask(server, "logs/patterns", 0, 40, logLevels="INFO")
    tap.same((answer["truncated"], answer["examined"]), (True, 20000), "of many lines the newest are read")
    tap.same((answer["total"], answer["levels"]["INFO"]), (round(all_["total"]), round(all_["total"])),
             "and all are counted")
    tap.same(sum(v for b in answer["histogram"]["bars"] for k, v in b.items() if k != "timestamp"), answer["total"],
             "in the bars, too")
    tap.check(abs(sum(p["share"] for p in kit.ask(server, "logs/patterns", 0, 40, searchPhrase="level=info",
                                                  limit=200)["patterns"]) - 1) < 1e-6, "shares are of those that were read")


def main():
    tap = Tap()
    with Running() as server:
        kit.play(server, "--duration", "40m", "--fault", "30m", "--rate", "3")
        whole(tap, server)
        part(tap, server)
        many(tap, server)
        kit.check_empty(tap, server, "logs/patterns")
    tap.exit()


main()
