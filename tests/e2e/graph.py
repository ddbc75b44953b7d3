"""Dependencies, blast radius and capacity of the simulated shop: an hour in which
the request rate goes up and down, and one at a rate that was not seen before."""
import os
import subprocess

from running import Running, Tap, TOP

HOUR = "startTime=2025-01-15T08:00:00Z&endTime=2025-01-15T09:00:00Z"
CATALOG = os.path.join(TOP, "tests", "shop", "catalog.json")


def play(server, *options):
    subprocess.run(
        [os.environ["SHOPGEN"], "--otlp", f"127.0.0.1:{server.otlp_port}",
         "--start", "2025-01-15T08:00:00Z", "--duration", "60m", "--no-pace",
         "--quiet", *options], check=True, timeout=120)


def ask(server, route, component, more=""):
    path = f"/api/v1/{route}?namespace=acme&project=shop&component={component}{more}&{HOUR}"
    status, answer = server.ask_json("GET", path)
    return answer if status == 200 else {"status": status, **(answer or {})}


def named(items, component):
    return next((i for i in items if i.get("component") == component), {})


def dependencies(tap, server):
    answer = ask(server, "dependencies", "checkout", "&depth=1&direction=callees")
    names = {n.get("component") or n.get("name") for n in answer["nodes"]}
    tap.check({"checkout", "cart", "inventory", "payment", "orders", "mails",
               "email"} <= names, "callees of checkout, and behind its queue", names)
    tap.check(not any(e.get("drift") for e in answer["edges"]) and
              all(e["endpoints"] for e in answer["edges"] if e["observed"]),
              "what is declared is no drift", answer["edges"])
    answer = ask(server, "dependencies", "cehckout")
    tap.check(answer["empty"]["reason"] == "unknown" and
              answer["empty"]["similar"][0] == "checkout",
              "an unknown name has the nearest ones", answer)


def blast_radius(tap, server):
    whole = ask(server, "blast-radius", "web")["summary"]
    tap.check(whole["userRequestShare"] > 0.999, "all users come through web", whole)
    answer = ask(server, "blast-radius", "payment")
    summary, web = answer["summary"], named(answer["callers"], "web")
    tap.check(web["path"] == [f"acme/shop/{c}@production"
                              for c in ("web", "checkout", "payment")],
              "the path to the callers of callers", answer["callers"])
    tap.check(summary["method"] == "traces" and
              abs(summary["userRequestShare"] - web["share"]) < 0.005 and
              0.02 < web["share"] < 0.2, "the share is counted in traces", summary, web)
    edge = named(answer["callers"], "checkout")
    orders = ask(server, "blast-radius", "email")
    tap.check(named(orders["callers"], "checkout")["asynchronous"] and
              orders["summary"]["userRequestShare"] == 0 and edge["share"] > 0.9,
              "nobody waits for what is behind a queue", orders)


def capacity(tap, server, faster):
    answer = ask(server, "capacity", "web")
    cpu = answer["limits"][0]
    measured = ask(faster, "capacity", "web")
    rate, usage = measured["rates"]["present"], measured["limits"][0]["present"]
    wanted = cpu["idle"]["value"] + cpu["perRequestRate"]["value"] * rate
    tap.check(cpu["breaksAt"]["low"] < cpu["breaksAt"]["value"] and cpu["r2"] > 0.8,
              "the CPU limit of web breaks at a rate", cpu)
    tap.check(rate > 1.2 * answer["rates"]["most"] and abs(wanted / usage - 1) < 0.1,
              "CPU at a rate that was not seen is as the line has it",
              rate, usage, wanted, cpu)
    tap.check("not enough variation" in measured.get("notEnough", ""),
              "an even rate is not enough variation", measured)
    tap.check(answer["callees"] and answer["first"]["breaksAt"]["value"] > 0,
              "callees and what breaks first", answer)
    answer = ask(server, "capacity", "nothing")
    tap.check(answer["empty"]["reason"] == "unknown", "an unknown component", answer)


def main():
    tap = Tap()
    with Running("--catalog", CATALOG) as server, Running() as faster:
        play(server, "--rate", "10", "--swing", "0.7")
        play(faster, "--rate", "24")
        dependencies(tap, server)
        blast_radius(tap, server)
        capacity(tap, server, faster)
    tap.exit()


main()
