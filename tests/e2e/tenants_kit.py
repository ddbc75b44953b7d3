"""Two tenants that send the same shop, and servers that have the data of one or
of both. What differs are random words, in attributes, texts, ids of spans and
the names of the namespaces, so that a word of the other tenant is found in an
answer. For tenants.py and tenants_grafana.py.
"""
import http.client
import json
import os
import re
import time

from access_kit import make_token, row, write_tokens
from callboard import (NS, TYPES, Server, attributes, gauge, log, logs_request, metrics_request, new_folder,
                       otlp_proto, rfc3339, seeded, span, spans_request)

rng = seeded()
START = time.time_ns() // (60 * NS) * 60 * NS - 30 * 60 * NS
MINUTES = 30


def word():
    return "w" + rng.randbytes(7).hex()


# ---- tokens ----


def tokens_file(folder, rows):
    path = os.path.join(folder, "tokens.yaml")
    write_tokens(path, [row(token, name, **grant) for name, (token, grant) in rows.items()])
    return path


# ---- what a tenant sends ----


class Tenant:
    def __init__(self, name):
        self.name = name
        self.namespace = word()
        self.words = {self.namespace}
        self.spans = []
        self.requests = []
        self.make()

    def word(self):
        self.words.add(word_ := word())
        return word_

    def span_id(self):
        """Random, and looked for like all words."""
        self.words.add(id_ := rng.randbytes(8).hex())
        return id_

    def resource(self, component, project="shop", version="1", **more):
        prefix = "k8s.pod.labels.openchoreo.dev/"
        return {prefix + "namespace": self.namespace, prefix + "project": project,
                prefix + "component": component, prefix + "environment": "test",
                "k8s.pod.name": f"{component}-pod", "k8s.namespace.name": "dp",
                "k8s.pod.uid": f"uid-of-{project}-{component}", "k8s.container.name": "main",
                "service.name": component, "service.version": version, "host.name": self.word(), **more}

    def add(self, signal_name, request):
        self.requests.append((signal_name, request))

    def make(self):
        front, cart = self.resource("front"), self.resource("cart")
        ledger = self.resource("ledger", "bank")
        for minute in range(MINUTES):
            self.minute(minute, front, cart, ledger)
        later = dict(cart, **{"service.version": "2"})
        self.add("traces", spans_request(later, [span(rng, START + (MINUTES - 1) * 60 * NS, span_id=self.span_id(),
                                                      trace_id=f"{7:032x}", name=self.word())]))
        self.add("logs", logs_request(cart, [
            log(START + 25 * 60 * NS, f"Back-off {self.word()}", 13,
                attributes=attributes({"k8s.event.reason": "BackOff", "k8s.object.kind": "Pod",
                                       "k8s.object.name": "cart-pod", "k8s.event.name": self.word()}))]))
        # Without labels, and the same bytes from both.
        plain_ = {"service.name": "plain", "k8s.pod.uid": "uid-of-plain"}
        self.add("logs", logs_request(plain_, [log(START + 120 * NS + n, f"the same {n}") for n in range(3)]))
        self.add("traces", spans_request(plain_, [
            {"traceId": f"{8:032x}", "spanId": f"{9:016x}", "name": "same", "kind": 2,
             "startTimeUnixNano": str(START + 120 * NS), "endTimeUnixNano": str(START + 121 * NS)}]))
        run = {"k8s.namespace.name": "workflows-" + self.namespace, "k8s.pod.name": "build-1"}
        self.add("logs", logs_request(run, [log(START + 60 * NS, f"step {self.word()}")]))

    def minute(self, minute, front, cart, ledger):
        at = START + minute * 60 * NS
        broken = minute >= 22
        spans = {"front": [], "cart": [], "ledger": []}
        logs = []
        for i in range(6):
            trace = f"{1000 * minute + i + 100:032x}"  # equal ones for both
            ids = [self.span_id() for _ in range(5)]
            begin = at + i * 9 * NS + 1000
            self.spans.append((trace, ids))
            slow = 900_000_000 if broken else 0
            bad = broken and i % 2 == 0
            spans["front"] += [
                span(rng, begin, trace, ids[0], duration_ns=slow + 30_000_000, error=bad,
                     **{"user.id": self.word()}),
                span(rng, begin + 1000, trace, ids[1], ids[0], kind=3, duration_ns=slow + 20_000_000,
                     name="GET", error=bad, **{"server.address": "cart"})]
            spans["cart"] += [
                span(rng, begin + 2000, trace, ids[2], ids[1], duration_ns=slow + 10_000_000, error=bad,
                     **{"order.id": self.word()}),
                span(rng, begin + 3000, trace, ids[3], ids[2], kind=3, duration_ns=5_000_000,
                     name="GET", **{"server.address": "ledger"})]
            spans["ledger"].append(
                span(rng, begin + 4000, trace, ids[4], ids[3], duration_ns=2_000_000,
                     **{"account": self.word()}))
            logs.append(log(begin + 5000, f"order {self.word()} failed" if bad else f"order {self.word()} done",
                            17 if bad else 9, traceId=trace, spanId=ids[2],
                            attributes=attributes({"order": self.word()})))
        for name, resource in (("front", front), ("cart", cart), ("ledger", ledger)):
            self.add("traces", spans_request(resource, spans[name]))
        self.add("logs", logs_request(cart, logs))
        self.add("metrics", metrics_request(cart, [
            gauge("container.cpu.usage", at, 0.9 if broken else 0.1, **{"pool": self.word()}),
            gauge("container.memory.working_set", at, 1e8)]))

    def catalog(self):
        return {"components": [
            {"namespace": self.namespace, "project": "shop", "name": "cart", "uid": self.word(),
             "endpoints": [{"name": "http", "type": "HTTP", "port": 8080, "basePath": "/" + self.word()}],
             "dependencies": [{"project": "bank", "component": "ledger"}]},
            {"namespace": self.namespace, "project": "shop", "name": self.word()}]}

    def alert(self):
        return {"namespace": self.namespace, "project": "shop", "environment": "test", "component": "cart",
                "alert": {"id": "a1", "timestamp": rfc3339(START + 29 * 60 * NS), "value": 3,
                          "rule": {"name": "errors", "description": self.word()}}}


# ---- a server, and who asks it ----


class World:
    """A server with the data of some tenants."""

    def __init__(self, tenants, tokens):
        self.folder = new_folder()
        self.tokens = tokens
        self.file = tokens_file(new_folder(), tokens)
        self.start()
        for step in zip(*(t.requests for t in tenants)):
            for tenant, (signal_name, request) in zip(tenants, step):
                as_json = isinstance(request, bytes)
                answer = self.request(self.server.otlp_port, "POST", f"/v1/{signal_name}",
                                      request if as_json else otlp_proto(signal_name, request),
                                      "write-" + tenant.name, TYPES["json" if as_json else "proto"])
                assert answer.status == 200 and b"rejected" not in answer.body, answer
        for tenant in tenants:
            for path, body, method in (
                    (f"/api/v1/catalog?namespace={tenant.namespace}", tenant.catalog_, "PUT"),
                    ("/api/v1alpha1/rca-agent/analyze", tenant.alert_, "POST")):
                answer = self.ask(method, path, body, "own-" + tenant.name)
                assert answer.status == 200, answer

    def start(self, *more):
        self.server = Server(self.folder, "--auth", "required", "--tokens", self.file, *more)

    def request(self, port, method, path, body, who, kind="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(method, path, body, {"Content-Type": kind,
                                                "Authorization": "Bearer " + self.tokens[who][0]})
        answer = connection.getresponse()
        answer.body = answer.read()
        connection.close()
        return answer

    def ask(self, method, path, body, who):
        return self.request(self.server.query_port, method, path,
                            None if body is None else json.dumps(body), who)

    def blocks(self):
        text = self.ask("GET", "/metrics", None, "operator").body.decode()
        return sum(float(n) for n in re.findall(r"^callboard_stored_blocks\{\S+ (\d+)", text, re.M))


# ---- who asks, and what is seen ----


def tokens_of(tenants, **more):
    """Writers, editors of all and of a project, and administrators; more: grants by
    the first part of the name, such as "logs"."""
    tokens = {"operator": (make_token(), {"role": "admin", "namespace": "*"})}
    for tenant in tenants:
        kinds = {"write": {"role": "ingest"}, "own": {"role": "editor"}, "admin": {"role": "admin"},
                 "shop": {"role": "editor", "project": "shop"}, **more}
        for kind, grant in kinds.items():
            tokens[f"{kind}-{tenant.name}"] = (make_token(), {**grant, "namespace": tenant.namespace})
    return tokens


# word() or span_id(), wherever one may begin.
WORD = re.compile("(?=(w[0-9a-f]{14}|[0-9a-f]{16}))")


def has_word(body, words):
    return next(iter(words.intersection(WORD.findall(body.decode(errors="replace").lower()))), None)


def difference(seen, wanted):
    at = next((i for i, (a, b) in enumerate(zip(seen, wanted)) if a != b), min(len(seen), len(wanted)))
    return f"at {at}: {seen[max(0, at - 60):at + 120]!r}, alone {wanted[max(0, at - 60):at + 120]!r}"
