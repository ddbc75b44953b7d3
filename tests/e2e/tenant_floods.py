"""Tenant a floods, tenant b sends 1,000 spans a second and asks for a page a
second: b gets no 429 and no 503, and nothing of it is lost.

Each flood alone, then all at once, SECONDS=1.5 each, in processes of their own.
How long b waited is printed beside a quiet run, not asserted: the machine may
be busy. tests/bench/tenant_floods.py measures it longer.
"""
import json
import multiprocessing
import os
import socket
import time

from access_kit import make_token, row, write_tokens
from callboard import (Client, Server, Tap, around, log, logs_request, new_folder, otlp_proto, scope, seeded,
                       span, spans_request, stamped)

SECONDS = float(os.environ.get("SECONDS", "1.5"))
rng = seeded()


def tokens_file(folder, rows):
    """(token, role, namespace) in a file of --tokens."""
    path = os.path.join(folder, "tokens.yaml")
    write_tokens(path, [row(token, f"t{number}", role=role, namespace=namespace)
                        for number, (token, role, namespace) in enumerate(rows)])
    return path


def bearer(token):
    return {"Authorization": "Bearer " + token}


def send(client, token, signal, body):
    headers = {"Content-Type": "application/x-protobuf", **bearer(token)}
    return client.request("POST", "/v1/" + signal, body, headers).status


def spans_body(namespace, component, count, **more):
    now = time.time_ns()
    return otlp_proto("traces", spans_request(stamped(component, namespace=namespace, **more),
                                              [span(rng, now - 1_000_000) for _ in range(count)]))


def body_of_bodies(bodies):
    """Export requests, one after another, are one request."""
    return b"".join(bodies)


# ---- the floods: (port of OTLP, port of queries, tokens, end) ----


def until_end(end, work):
    client = None
    while time.monotonic() < end:
        try:
            client = work(client)
        except OSError:
            client = None
        except Exception:  # a connection that was closed in the middle
            client = None


def flood_records(otlp, _query, tokens, end):
    bodies = [spans_body("a", "flood", 500) for _ in range(8)]

    def work(client):
        client = client or Client(otlp, timeout=5)
        send(client, tokens["a-writes"], "traces", rng.choice(bodies))
        return client

    until_end(end, work)


def flood_cardinality(otlp, _query, tokens, end):
    at = [rng.randrange(1 << 40)]

    def work(client):
        client = client or Client(otlp, timeout=5)
        at[0] += 50
        body = body_of_bodies(spans_body("a", f"c{at[0] + i}", 1, k8s__pod__name=f"p{at[0] + i}") for i in range(50))
        send(client, tokens["a-writes"], "traces", body)
        return client

    until_end(end, work)


def open_socket(port, address="127.0.0.1"):
    one = socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(address, 0))
    one.setblocking(False)
    return one


def push(one, data):
    try:
        return one.send(data)
    except BlockingIOError:
        return 0


def flood_slow_uploads(otlp, _query, tokens, end):
    """Each promises 4 MiB, sends 1 MiB of it and then drips."""
    head = (f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
            f"Authorization: Bearer {tokens['a-writes']}\r\nContent-Length: {4 << 20}\r\n\r\n").encode()
    held, chunk = [], bytes(65536)
    while time.monotonic() < end:
        if len(held) < 200:
            try:
                one = open_socket(otlp)
                push(one, head)
                held.append(one)
            except OSError:
                pass
        for one in list(held):
            try:
                push(one, chunk)
            except OSError:
                held.remove(one)
        time.sleep(0.01)


def flood_idle_connections(otlp, query, _tokens, end):
    held = []
    while time.monotonic() < end:
        try:
            held.append(open_socket(query if len(held) % 4 == 0 else otlp, "127.0.0.2"))
        except OSError:
            time.sleep(0.01)
        if len(held) > 800:
            held.pop(0).close()


def flood_questions(_otlp, query, tokens, end):
    body = json.dumps({**around(), "searchScope": {"namespace": "a"}, "limit": 1000,
                       "searchPhrase": "nothing has this in it"}).encode()

    def work(client):
        client = client or Client(query, timeout=5)
        client.request("POST", "/api/v1/logs/query", body,
                       {"Content-Type": "application/json", **bearer(tokens["a-reads"])})
        client.request("GET", "/api/v1/components?namespace=a", None, bearer(tokens["a-reads"]))
        return client

    until_end(end, work)


def flood_bad_tokens(otlp, query, _tokens, end):
    """Of both ports; every tenth request has a body, and then the connection is closed."""
    at, body = [0], bytes(256 << 10)

    def work(client):
        at[0] += 1
        last = at[0] % 10 == 0
        client = client or Client(query if at[0] // 10 % 2 else otlp, timeout=5)
        client.request("POST" if last else "GET", "/api/v1/components", body if last else None, bearer(make_token()))
        return None if last else client

    until_end(end, work)


FLOODS = {"records": flood_records, "cardinality": flood_cardinality, "slow uploads": flood_slow_uploads,
          "idle connections": flood_idle_connections, "heavy questions": flood_questions,
          "bad tokens": flood_bad_tokens}


# ---- the tenant that is to be served ----


class Good:
    """What b sends and asks, and how it went."""

    def __init__(self, server, tokens):
        self.tokens = tokens
        self.otlp, self.query = Client(server.otlp_port), Client(server.query_port)
        self.sent = self.logs = 0
        self.statuses, self.waits, self.page_waits = {}, [], []

    def timed(self, waits, work):
        began = time.monotonic()
        status = work()
        waits.append(time.monotonic() - began)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        return status

    def send(self):
        body = spans_body("b", "shop", 100)
        if self.timed(self.waits, lambda: send(self.otlp, self.tokens["b-writes"], "traces", body)) == 200:
            self.sent += 100
        one = otlp_proto("logs", logs_request(stamped("shop", namespace="b"), [log(time.time_ns(), "one line")]))
        if self.timed(self.waits, lambda: send(self.otlp, self.tokens["b-writes"], "logs", one)) == 200:
            self.logs += 1

    def ask(self):
        headers = bearer(self.tokens["b-reads"])
        self.timed(self.page_waits,
                   lambda: self.query.request("GET", "/api/v1/components/b/shop/shop", None, headers).status)

    def run(self, seconds):
        began, sends, asks = time.monotonic(), 0, 0
        while (now := time.monotonic() - began) < seconds:
            if now * 10 >= sends:
                self.send()
                sends += 1
            elif now * 1 >= asks:
                self.ask()
                asks += 1
            else:
                time.sleep(0.005)

    def stored_logs(self):
        body = json.dumps({**around(), "limit": 1,
                           "searchScope": scope("shop", namespace="b")}).encode()
        answer = self.query.request("POST", "/api/v1/logs/query", body,
                                    {"Content-Type": "application/json", **bearer(self.tokens["b-reads"])})
        return json.loads(answer.body)["total"]


def percentile(waits, share):
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * share))] * 1000 if waits else 0


def serve(*options):
    folder = new_folder()
    tokens = {name: make_token() for name in ("a-writes", "a-reads", "b-writes", "b-reads", "operates")}
    path = tokens_file(folder, [(tokens["a-writes"], "ingest", "a"), (tokens["a-reads"], "viewer", "a"),
                                (tokens["b-writes"], "ingest", "b"), (tokens["b-reads"], "viewer", "b"),
                                (tokens["operates"], "operator", "*")])
    data = os.path.join(folder, "data")
    return Server(data, "--auth", "required", "--tokens", path, *options), tokens, folder


def run_floods(server, tokens, names, seconds, good=None):
    """b's share of the time, while these floods run."""
    end = time.monotonic() + seconds + 0.3
    children = [multiprocessing.get_context("fork").Process(
        target=FLOODS[name], args=(server.otlp_port, server.query_port, tokens, end), daemon=True) for name in names]
    for child in children:
        child.start()
    time.sleep(0.2)
    good = good or Good(server, tokens)
    good.run(seconds)
    for child in children:
        child.join(seconds + 20)
        if child.is_alive():
            child.kill()
    return good


def accepted(server, tokens, namespace):
    with Client(server.query_port) as client:
        text = client.request("GET", "/metrics", None, bearer(tokens["operates"])).body.decode()
    start = f'callboard_tenant_records_total{{namespace="{namespace}",outcome="accepted"}} '
    return sum(int(line[len(start):]) for line in text.splitlines() if line.startswith(start))


def main():
    tap = Tap()
    server, tokens, _ = serve()
    quiet = run_floods(server, tokens, [], SECONDS * 2)
    sent, logs = quiet.sent, quiet.logs
    rows = [("quiet", quiet)]
    for names in [[name] for name in FLOODS] + [list(FLOODS)]:
        good = run_floods(server, tokens, names, SECONDS)
        title = names[0] if len(names) == 1 else "all at once"
        rows.append((title, good))
        sent, logs = sent + good.sent, logs + good.logs
        tap.same(set(good.statuses), {200}, f"{title}: b is answered, always with 200")
    tap.same(accepted(server, tokens, "b"), sent + logs, "what b was acknowledged is counted")
    tap.same(good.stored_logs(), logs, "nothing of b is lost")
    tap.check(accepted(server, tokens, "a") > 0, "a was served, too")
    for title, one in rows:
        print(f"# {title}: sending p50 {percentile(one.waits, .5):.1f} ms, p99 {percentile(one.waits, .99):.1f} ms; "
              f"page p99 {percentile(one.page_waits, .99):.1f} ms; {one.sent} spans")
    with Client(server.query_port) as client:
        answer = client.request("GET", "/api/v1/access/tenants", None, bearer(tokens["operates"]))
        tap.same({row["namespace"] for row in json.loads(answer.body)["tenants"]} & {"a", "b"}, {"a", "b"},
                 "tenants: an operator sees all")
        answer = client.request("GET", "/api/v1/access/tenants", None, bearer(tokens["b-reads"]))
        tap.same([row["namespace"] for row in json.loads(answer.body)["tenants"]], ["b"], "tenants: b sees its own row")
    tap.same(server.stop(), 0, "a clean stop")
    tap.end()


if __name__ == "__main__":
    main()
