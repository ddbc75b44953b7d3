"""Spans per CPU-second with and without credentials and TLS: one server for
each of these runs all the time, and they are loaded in turn, so that what else
runs on the machine meets them alike. What is compared is CPU time within one
round of turns. A second server without a credential shows how much of a
difference is chance.
"""
import contextlib
import http.client
import os
import statistics
import subprocess
import tempfile
import time

from certificates import Authority
from grpc_load import Grpc, Http, send_over
from issuer import Issuer, Key

GRANTS = 'grants: [{claim: groups, value: sdk, role: ingest, namespace: acme}]\n'
SERVERS, TURNS, CONNECTIONS = 2, 4, 4
AGAIN = "none, another server"


def new_token(data):
    """Of the server with this data folder."""
    return subprocess.run([os.path.join(os.environ.get("OUT", "build/release"), "callboard"), "token", "create", "ci",
                           "--role", "ingest", "--namespace", "acme", "--data-dir", data],
                          check=True, capture_output=True, text=True).stdout.strip()


class Door:
    """A server and what its clients have to show: token None: nothing, "": an
    API token that is made now."""

    def __init__(self, Server, folder, stack, number, options=(), token=None, tls=None):
        data = os.path.join(folder, f"data{number}")
        os.mkdir(data)
        ports = range(4921 + 3 * number, 4924 + 3 * number)

        def connect(address, **more):
            if not tls:
                return http.client.HTTPConnection(address, **more)
            return http.client.HTTPSConnection(address.replace("127.0.0.1", "localhost"), context=tls["http"], **more)
        self.server = Server(data, *options, ports=ports, connect=connect)
        stack.callback(self.server.stop)
        token = new_token(data) if token == "" else token
        self.opened = {way: [way(port, token=token, tls=tls and tls[alpn]) for _ in range(CONNECTIONS)]
                       for way, port, alpn in ((Http, ports[0], "http"), (Grpc, ports[1], "h2"))}

    def turn(self, way, spans, requests):
        """Seconds of CPU time that the server takes for a span."""
        before = self.server.cpu_exact()
        send_over(self.opened[way], spans, requests)
        time.sleep(0.05)  # what was acknowledged is tagged
        return (self.server.cpu_exact() - before) / spans / requests


def open_doors(Server, folder, stack):
    issuer = Issuer([Key("k")])
    stack.callback(issuer.stop)
    grants = os.path.join(folder, "grants.yaml")
    with open(grants, "w") as file:
        file.write(GRANTS)
    authority = Authority(folder)
    cert, key = authority.server("server")
    tls = {"http": authority.context(), "h2": authority.context(alpn=["h2"])}
    with_token = ("--auth", "required")
    with_jwt = ("--auth", "required", "--grants", grants, "--jwks-url", issuer.url + "/certs", "--jwt-issuer",
                issuer.issuer, "--jwt-audience", "callboard")
    with_tls = ("--tls-cert", cert, "--tls-key", key)
    doors = {"none": {}, AGAIN: {}, "token": {"options": with_token, "token": ""},
             "JWT": {"options": with_jwt, "token": issuer.token(groups=["sdk"], exp=int(time.time()) + 3600)},
             "TLS": {"options": with_tls, "tls": tls},
             "TLS and token": {"options": with_tls + with_token, "token": "", "tls": tls}}
    opened = {}
    for number, (name, how) in enumerate(doors.items()):
        opened[name] = Door(Server, folder, stack, number, **how)
    return opened


def take_turns(Server, sizes, taken):
    """taken: (way, spans, name) to the seconds of each turn."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder, contextlib.ExitStack() as stack:
        doors = open_doors(Server, folder, stack)
        order = list(doors)
        for turn in range(-1, TURNS):  # the first one warms up
            for spans, requests in sizes:
                for way in (Http, Grpc):
                    order.append(order.pop(0))
                    for name in order:
                        seconds = doors[name].turn(way, spans, requests)
                        if turn >= 0:
                            taken.setdefault((way, spans, name), []).append(seconds)


def median_rate(seconds):
    return f"{1e-3 / statistics.median(seconds):.0f} k"


def measure(Server, row, spans):
    sizes, taken = ((500, spans // 1000), (10, spans // 100)), {}
    for _ in range(SERVERS):
        take_turns(Server, sizes, taken)
    for (way, size, name), seconds in sorted(taken.items(), key=str):
        title = f"spans over {way.__name__}, {size} a request, {name}"
        pairs = list(zip(seconds, taken[way, size, "none"]))
        row(title + ": per CPU-second", median_rate(seconds), "/s", "", None)
        if name == "none":
            if way is Grpc:
                ratio = statistics.median(http / grpc for http, grpc in zip(taken[Http, size, name], seconds))
                goal = 0.95 if size > 100 else 1
                row(title + ": of HTTP", f"{ratio:.2f}", "x", f"{goal}", ratio >= goal)
            continue
        if "TLS" not in name:
            ratio = statistics.median(none / one for one, none in pairs)
            goal = 0.99 if name != AGAIN else None
            row(title + ": of none", f"{ratio:.3f}", "x", goal or "", ratio >= goal if goal else None)
            continue
        more = statistics.median(one - none for one, none in pairs) * 1e6
        goal = 0.3 if size > 100 else None
        row(title + ": more than none", f"{more:.3f}", "us a span", goal or "", more <= goal if goal else None)
