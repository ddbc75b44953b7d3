"""The shop with a rollout and a fault, for the scripts of analysis/: its times
are fixed, so that what is found can be compared with what was made."""
import os
import subprocess
import urllib.parse

SCOPE = {"namespace": "acme", "project": "shop"}


def at(minute, day="2025-01-15"):
    return f"{day}T{8 + minute // 60:02d}:{minute % 60:02d}:00Z"


def play(server, *options):
    subprocess.run(
        [os.environ["SHOPGEN"], "--otlp", f"127.0.0.1:{server.otlp_port}", "--start", at(0),
         "--no-pace", "--quiet", *options], check=True, timeout=600)


def path_of(route, start, end, scope=None, **more):
    scope = SCOPE if scope is None else scope
    given = {**scope, "startTime": at(start), "endTime": at(end), **more}
    return f"/api/v1/{route}?" + urllib.parse.urlencode(given)


def ask(server, route, start, end, scope=None, **more):
    status, answer = server.ask_json("GET", path_of(route, start, end, scope, **more))
    assert status == 200, (status, answer)
    return answer


def check_empty(tap, server, route):
    """What is not there is explained, and nothing else is an error."""
    for scope, reason, near in (({**SCOPE, "component": "inventroy"}, "unknown", "inventory"),
                                ({"namespace": "acne"}, "unknown", "acme"),
                                ({"namespace": "acme", "project": "shpo"}, "unknown", "shop")):
        empty = ask(server, route, 10, 20, scope).get("empty", {})
        tap.check(empty.get("reason") == reason and near in empty.get("similar", []),
                  f"{route} of {scope} says why it is empty", empty)
    status, _ = server.ask_json("GET", f"/api/v1/{route}?startTime=then")
    tap.same(status, 400, f"{route} of a bad time is refused")
    status, _ = server.ask_json("GET", f"/api/v1/{route}?component=cart")
    tap.same(status, 400, f"{route} of a component without its project is refused")
