"""GET /api/v1/compare: steady times are the same, a fault's component is first."""
import analysis_kit as kit
from running import Running, Tap


def steady(tap, server):
    told = []
    for length in (5, 10, 15):
        for start in range(length, 31 - length, 5):
            answer = kit.ask(server, "compare", start, start + length)
            told += [(start, length, d["title"], d["significance"]) for d in answer["differences"]]
    tap.check(not told, "no difference in steady times", told)
    answer = kit.ask(server, "compare", 10, 20)
    tap.same((answer["same"], answer["summary"]), (True, "no significant difference"), "which is said")
    tap.check(answer["componentCount"] >= 8 and answer["components"][0]["component"] == "web" and
              abs(answer["components"][0]["requestRate"] / answer["components"][0]["base"]["requestRate"] - 1) < .2,
              "figures of both windows are there all the same", answer["components"][:1])


def fault(tap, server):
    answer = kit.ask(server, "compare", 30, 40)
    first = answer["differences"][0]
    tap.same(first["component"], "inventory", "the component of the fault is first")
    metrics = {d["metric"] for d in answer["differences"] if d["component"] == "inventory"}
    tap.check({"cpuUsage", "errorRatio", "recordRate"} <= metrics and
              any(m.startswith("latency") for m in metrics), "with what it shows", metrics)
    cpu = next(d for d in answer["differences"] if d["metric"] == "cpuUsage")
    tap.check(cpu["to"] > .85 * cpu["limit"], "CPU is compared with its limit", cpu)
    own = [d["component"] for d in answer["differences"]]
    tap.check(own.index("web") > own.index("inventory"), "before those that suffer", own)
    back = kit.ask(server, "compare", 20, 30, baseStartTime=kit.at(30), baseEndTime=kit.at(40))
    tap.check({d["direction"] for d in back["differences"] if d["metric"] == "errorRatio"} <= {"down", "gone"} and
              back["total"] > 0, "the other way round it gets better", back["differences"])
    one = kit.ask(server, "compare", 30, 40, {**kit.SCOPE, "component": "cart"})
    tap.check(all(d["component"] == "cart" for d in one["differences"]), "one component alone",
              one["differences"])


def main():
    tap = Tap()
    with Running() as server:
        kit.play(server, "--duration", "40m", "--fault", "30m", "--rate", "8")
        steady(tap, server)
        fault(tap, server)
        empty = kit.ask(server, "compare", 0, 10)
        tap.check(empty["baseIsEmpty"] and not empty["same"] and "base" in empty["summary"],
                  "an empty base is said", empty["summary"])
        kit.check_empty(tap, server, "compare")
    tap.exit()


main()
