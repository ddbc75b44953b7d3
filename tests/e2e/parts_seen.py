"""What a subject with a part of the grants sees on the routes of analysis/ and
costs/: of one project, of one component, without an action, of another
namespace. One trace goes from shop/web over bank/ledger to shop/cart, so that
hidden spans lie between those that may be seen.
"""
import json
import os
import time
import urllib.parse

from access_kit import make_token, row, write_tokens
from callboard import (NS, TYPES, Client, Server, Tap, gauge, log, logs_request, metrics_request, new_folder,
                       otlp_proto, rfc3339, seeded, span, spans_request, stamped)

tap = Tap()
rng = seeded()
MS = 1_000_000
NOW = time.time_ns() // NS * NS - 600 * NS
SERVER, CLIENT = 2, 3
VIEWS = ["metrics:view", "traces:view", "logs:view", "events:view", "finops:view", "rcareport:view", "catalog:view"]

TOKENS = {
    "all": {"role": "viewer", "namespace": "acme"},
    "shop": {"role": "viewer", "namespace": "acme", "project": "shop"},
    "cart": {"role": "viewer", "namespace": "acme", "project": "shop", "component": "cart"},
    "other": {"role": "viewer", "namespace": "globex"},
    **{"no " + view: {"actions": [v for v in VIEWS if v != view], "namespace": "acme"} for view in VIEWS},
}
SECRETS = {name: make_token() for name in ("writer", *TOKENS)}
BANK = "ledger", "transfer", "booked"  # words of the other project: component, spans, log records


class World:
    def __init__(self):
        tokens = os.path.join(new_folder(), "tokens.yaml")
        write_tokens(tokens, [row(SECRETS["writer"], "writer", role="ingest", namespace="*")] +
                     [row(SECRETS[who], who.replace(":", "-").replace(" ", "-"), **grant)
                      for who, grant in TOKENS.items()])
        self.server = Server(new_folder(), "--auth", "required", "--tokens", tokens)

    def send(self, kind, request):
        with Client(self.server.otlp_port) as client:
            answer = client.request("POST", f"/v1/{kind}", otlp_proto(kind, request),
                                    {"Content-Type": TYPES["proto"], "Authorization": "Bearer " + SECRETS["writer"]})
        assert answer.status == 200, answer.body

    def ask(self, who, route, body=None, **values):
        path = route + ("?" + urllib.parse.urlencode(values) if values else "")
        return self.server.query(path, body, headers={"Authorization": "Bearer " + SECRETS[who]})


def play(world):
    trace, ids = rng.randbytes(16).hex(), [rng.randbytes(8).hex() for _ in range(5)]
    places = [("web", "shop", SERVER, "buy", None), ("web", "shop", CLIENT, "pay", 0),
              ("ledger", "bank", SERVER, "transfer", 1), ("ledger", "bank", CLIENT, "transfer cart", 2),
              ("cart", "shop", SERVER, "clear", 3)]
    for number in range(40):
        one = trace if number == 0 else rng.randbytes(16).hex()
        of = ids if number == 0 else [rng.randbytes(8).hex() for _ in ids]
        for i, (component, project, kind, name, parent) in enumerate(places):
            begin = NOW + number * 5 * NS + i * 10 * MS
            made = span(rng, begin, one, of[i], None if parent is None else of[parent], kind, (100 - 20 * i) * MS,
                        name=name, error=number % 8 == 0 and i < 4)
            world.send("traces", spans_request(stamped(component, project=project), [made]))
        for at, (component, project, text) in enumerate((("web", "shop", "bought"), ("ledger", "bank", "booked"),
                                                         ("cart", "shop", "cleared"))):
            world.send("logs", logs_request(stamped(component, project=project), [
                log(NOW + number * 5 * NS + at * 10 * MS, f"{text} {number}", traceId=one, spanId=of[2 * at])]))
    for component, project in (("web", "shop"), ("ledger", "bank"), ("cart", "shop")):
        world.send("metrics", metrics_request(stamped(component, project=project), [
            gauge("container.cpu.usage", NOW + 60 * NS, 0.5), gauge("container.memory.working_set", NOW + 60 * NS, 1e8)]))
    world.send("logs", logs_request(stamped("web"), [log(NOW + 30 * NS, "broken", 17)]))
    for number, version in ((1, "1.0.0"), (2, "2.0.0")):
        one = span(rng, NOW + number * 60 * NS, rng.randbytes(16).hex(), None, None, 1, MS, name="start")
        world.send("traces", spans_request({**stamped("web"), "service.version": version}, [one]))
    return trace, ids


RANGE = {"startTime": rfc3339(NOW - 300 * NS), "endTime": rfc3339(NOW + 500 * NS)}
BANK_SCOPE = {"namespace": "acme", "project": "bank", "component": "ledger", **RANGE}
# Route, and how it is asked about the bank's component.
ROUTES = {
    "/api/v1/compare": BANK_SCOPE,
    "/api/v1/changes": BANK_SCOPE,
    "/api/v1/logs/patterns": BANK_SCOPE,
    "/api/v1/logs/tail": {k: v for k, v in BANK_SCOPE.items() if k != "endTime"},
    "/api/v1/traces": BANK_SCOPE,
    "/api/v1/dependencies": BANK_SCOPE,
    "/api/v1/blast-radius": BANK_SCOPE,
    "/api/v1/capacity": BANK_SCOPE,
    "/api/v1/costs": BANK_SCOPE,
    "/api/v1alpha1/costs/namespaces/acme/environments/test":
        {"project": "bank", "component": "ledger", **RANGE},
    "/api/v1alpha1/costs/namespaces/acme/environments/test/recommendations":
        {"project": "bank", "component": "ledger", **RANGE},
}


def words_in(answer):
    return [word for word in BANK if word.encode() in answer.body]


def refusals(world):
    """Asked for by name: refused. Not asked for: not there."""
    histogram = {**RANGE, "searchScope": {"namespace": "acme", "project": "bank", "component": "ledger"}}
    for who in ("shop", "cart", "other"):
        wrong = {}
        for route, values in ROUTES.items():
            answer = world.ask(who, route, **values)
            if answer.status not in (403, 404):
                wrong[route] = answer.status, answer.body[:200]
        answer = world.ask(who, "/api/v1/logs/histogram", histogram)
        if answer.status != 403:
            wrong["histogram"] = answer.status
        tap.check(not wrong, f"{who}: what may not be seen is refused", wrong)
    for route, values in ROUTES.items():
        if "costs/namespaces" in route:
            continue
        wide = {k: v for k, v in values.items() if k not in ("project", "component")}
        answer = world.ask("shop", route, **wide)
        tap.check(answer.status in (200, 400) and not words_in(answer),
                  f"shop: {route} of the namespace has no word of the bank", (answer.status, answer.body[:600]))
        seen = world.ask("all", route, **(values if answer.status == 400 else wide))
        tap.check(seen.status == 200 and words_in(seen), f"all: {route} has words of the bank",
                  (seen.status, seen.body[:300]))


def trace_of_parts(world, trace, ids):
    route = f"/api/v1/traces/{trace}"
    whole = json.loads(world.ask("all", route).body)
    tap.same([s["spanName"] for s in whole["spans"]], ["buy", "pay", "transfer", "transfer cart", "clear"],
             "all: the trace is whole")
    tap.check("withheld" not in whole and whole["summary"]["logCount"] == 3, "all: nothing is withheld")

    answer = world.ask("shop", route, attributes="all")
    tree = json.loads(answer.body)
    tap.check(answer.status == 200 and not words_in(answer), "shop: no word of the bank in the trace", answer.body[:900])
    tap.same([(s["spanName"], bool(s.get("hidden"))) for s in tree["spans"]],
             [("buy", False), ("pay", False), ("hidden", True), ("hidden", True), ("clear", False)],
             "shop: hidden spans keep the place of the others")
    depths = [s["depth"] for s in tree["spans"]]
    tap.same(depths, [0, 1, 2, 3, 4], "shop: so the tree is the same")
    tap.same(sorted(row["log"] for s in tree["spans"] for row in s.get("logs", [])), ["bought 0", "cleared 0"],
             "shop: log records of what may be seen")
    for i, status in ((1, 200), (4, 200)):
        tap.same(world.ask("shop", route, spanId=ids[i]).status, status, f"shop: span {i} and what is below")
    tap.same(world.ask("other", route).status, 404, "other: there is no such trace")

    answer = world.ask("no logs:view", route)
    tree = json.loads(answer.body)
    texts = [row for s in tree["spans"] for row in s.get("logs", [])]
    tap.check(tree.get("withheld") == ["logs"] and not texts and not tree.get("logs") and b"bought" not in answer.body,
              "no logs:view: the trace says that log records are withheld", tree.get("withheld"))
    tap.same(world.ask("no traces:view", route).status, 403, "no traces:view: no trace")


def actions(world):
    """Each route has one action; parts of others are named in `withheld`."""
    need = {"/api/v1/compare": "metrics:view", "/api/v1/changes": "events:view", "/api/v1/logs/patterns": "logs:view",
            "/api/v1/logs/tail": "logs:view", "/api/v1/traces": "traces:view", "/api/v1/costs": "finops:view"}
    for route, view in need.items():
        tap.same(world.ask("no " + view, route, **ROUTES[route]).status, 403, f"{route} needs {view}")
    for view, member in (("logs:view", "logs"), ("events:view", "changes")):
        answer = json.loads(world.ask("no " + view, "/api/v1/compare", namespace="acme", **RANGE).body)
        tap.check(member in answer.get("withheld", []), f"compare without {view} withholds {member}",
                  answer.get("withheld"))
    for view, members in (("logs:view", {"lastChange"}), ("events:view", {"logErrors"}), ("traces:view", {"logErrors", "lastChange"})):
        answer = json.loads(world.ask("no " + view, "/api/v1/components", namespace="acme", details="true", spark="3", **RANGE).body)
        web = next(row for row in answer["components"] if row["component"] == "web")
        tap.same({"logErrors", "lastChange"} & set(web), members, f"no {view}: details of components")
        tap.same(("logErrors" in web["previous"], "logErrorRate" in web["spark"], web["pods"]), ("logErrors" in members,) * 2 + (1,),
                 f"no {view}: before, over time, pods")
    found = world.ask("no logs:view", "/api/v1/changes", namespace="acme", **RANGE)
    tap.check(found.status == 200 and b"bought" not in found.body, "changes without logs:view has no log pattern",
              found.body[:400])


world = World()
trace, ids = play(world)
refusals(world)
trace_of_parts(world, trace, ids)
actions(world)
tap.same(world.server.stop(), 0, "it ends with status 0")
tap.end()
