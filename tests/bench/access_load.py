"""Spans per CPU-second with and without credentials and TLS: one server for
each of these runs all the time, and they are loaded in turn, so that what else
runs on the machine meets them alike. What is compared is the CPU time of one
turn with that of the turn without a credential just before or after it.
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
SERVERS, TURNS, CONNECTIONS = 3, 5, 4


def new_token(data):
    """Of the server with this data folder."""
    return subprocess.run([os.path.join(os.environ.get("OUT", "build/release"), "callboard"), "token", "create", "ci",
                           "--role", "ingest", "--namespace", "acme", "--data-dir", data],
                          check=True, capture_output=True, text=True).stdout.strip()


class Door:
    """A server and what its clients have to show: token None: nothing, "": an
    API token that is made now."""

    def __init__(self, Server, folder, number, options=(), token=None, tls=None):
        data = os.path.join(folder, f"data{number}")
        os.mkdir(data)
        ports = range(4921 + 3 * number, 4924 + 3 * number)

        def connect(address, **more):
            if not tls:
                return http.client.HTTPConnection(address, **more)
            return http.client.HTTPSConnection(address.replace("127.0.0.1", "localhost"), context=tls["http"], **more)
        self.server = Server(data, *options, ports=ports, connect=connect)
        token = new_token(data) if token == "" else token
        self.opened = {way: [way(port, token=token, tls=tls and tls[alpn]) for _ in range(CONNECTIONS)]
                       for way, port, alpn in ((Http, ports[0], "http"), (Grpc, ports[1], "h2"))}

    def turn(self, way, spans, requests):
        """Seconds of CPU time that the server takes for a span."""
        before = self.server.cpu_exact()
        send_over(self.opened[way], spans, requests)
        time.sleep(0.1)  # what was acknowledged is tagged
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
    doors = {"none": {}, "token": {"options": with_token, "token": ""},
             "JWT": {"options": with_jwt, "token": issuer.token(groups=["sdk"], exp=int(time.time()) + 3600)},
             "TLS": {"options": with_tls, "tls": tls},
             "TLS and token": {"options": with_tls + with_token, "token": "", "tls": tls}}
    opened = {}
    for number, (name, how) in enumerate(doors.items()):
        opened[name] = Door(Server, folder, number, **how)
        stack.callback(opened[name].server.stop)
    return opened


def take_turns(Server, sizes, taken):
    """taken: (way, spans, name) to the seconds of each turn."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder, contextlib.ExitStack() as stack:
        doors = open_doors(Server, folder, stack)
        for turn in range(-1, TURNS):  # the first one warms up
            for spans, requests in sizes:
                for way in (Http, Grpc):
                    names = list(doors) if turn % 2 else list(doors)[::-1]
                    for name in names:
                        seconds = doors[name].turn(way, spans, requests)
                        if turn >= 0:
                            taken.setdefault((way, spans, name), []).append(seconds)


def measure(Server, row, spans):
    sizes, taken = ((500, spans // 700), (10, spans // 70)), {}
    for _ in range(SERVERS):
        take_turns(Server, sizes, taken)
    for (way, size, name), seconds in taken.items():
        title = f"spans over {way.__name__}, {size} a request, {name}"
        none = taken[way, size, "none"]
        row(f"{title}: per CPU-second", f"{1e-3 / statistics.median(seconds):.0f} k", "/s", "", None)
        ratio = statistics.median(b / a for a, b in zip(seconds, none))
        if name in ("token", "JWT"):
            row(f"{title}: of none", f"{ratio:.3f}", "x", "0.99", ratio >= 0.99)
        elif name != "none":
            more = statistics.median(a - b for a, b in zip(seconds, none)) * 1e6
            goal = 0.3 if size > 100 and name == "TLS" else None
            row(f"{title}: more than none", f"{more:.3f}", "us a span", goal or "", more <= goal if goal else None)
        if way is Grpc:
            ratio = statistics.median(b / a for a, b in zip(seconds, taken[Http, size, name]))
            goal = 0.95 if size > 100 else 1
            row(f"{title}: of HTTP", f"{ratio:.2f}", "x", f"{goal}", ratio >= goal)
