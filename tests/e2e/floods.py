"""Floods of every kind: the process stays under --memory-limit, answers
/health meanwhile, and takes a good request afterwards.

Each flood has a server of its own, so that the most memory it ever had
(VmHWM) is that flood's doing. Refusing (503, 413) is fine while it lasts.

FLOODS="name name" runs only these, LIMITS="256 96 64" under these limits in MiB,
POUR=1.5 is how many seconds most of them last.
"""
import gzip
import json
import os
import socket
import subprocess
import threading
import time

from callboard import (NS, Client, Server, Tap, around, double, export, field, fixed64, is_sanitized, log,
                       logs_request, new_folder, number, otlp_proto, scope, seeded, sfixed64, span,
                       spans_request, stamped, text_attr)

MIB = 1 << 20
POUR = float(os.environ.get("POUR", "10" if os.environ.get("NIGHTLY") else "1.5"))
tap = Tap()
SANITIZED = is_sanitized()
rng = seeded()

# ---- making bodies fast ----

# In a body that is used many times these stand for numbers that count up.
ID16, ID8 = b"@@@@@@@@@@@@@@@@", b"########"


class Mould:
    """A body whose ID16 and ID8 are filled with ever new numbers."""

    def __init__(self, body):
        self.at = 1
        self.text = (body.replace(b"%", b"%%").replace(ID16, b"%016d").replace(ID8, b"%08d"))
        self.count = self.text.count(b"%016d") + self.text.count(b"%08d")

    def next(self):
        first, self.at = self.at, self.at + self.count
        return self.text % tuple(range(first, self.at))


def resource(values):
    return field(1, b"".join(text_attr(1, k, v) for k, v in values.items()))


def one_span(time_ns, more=b"", kind=2, trace=ID16, name="GET /"):
    return field(2, field(1, trace) + field(2, ID8) + field(5, name) + number(6, kind) +
                 fixed64(7, time_ns) + fixed64(8, time_ns + 1000) + more)


def one_log(time_ns, text, more=b""):
    return field(2, fixed64(1, time_ns) + number(2, 9) + field(5, field(1, text)) + more)


def one_gauge(time_ns, name, more=b""):
    return field(2, field(1, name) + field(5, field(1, fixed64(3, time_ns) + double(4, 1.5) + more)))


def of_one(records, component="flood"):
    """Records (or metrics) under one resource and scope."""
    return field(1, resource(stamped(component)) + field(2, b"".join(records)))


def pour(server, signal_name, bodies, seconds, connections=2, encoding="proto", compress=None):
    """Sends bodies (a function that makes one) for so long; statuses seen."""
    until = time.monotonic() + seconds
    seen, lock = {}, threading.Lock()

    def run():
        client = Client(server.otlp_port)
        while time.monotonic() < until and server.running():
            with lock:
                body = bodies()
            try:
                status = export(None, signal_name, body, encoding, compress, client).status
            except OSError:
                status = "closed"
                client.close()
                client = Client(server.otlp_port)
            with lock:
                seen[status] = seen.get(status, 0) + 1
        client.close()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return seen


# ---- floods: each gets a server and what the moment is, and returns a note ----


def values(server, now):
    """A million and more that are all different."""
    mould = Mould(of_one([one_span(now, text_attr(9, "user", "u" + ID8.decode() * 2)) for _ in range(1000)]))
    return pour(server, "traces", mould.next, POUR)


def keys(server, now):
    mould = Mould(of_one([one_span(now, text_attr(9, "k" + ID8.decode(), "v")) for _ in range(1000)]))
    return pour(server, "traces", mould.next, POUR)


def components(server, now):
    """A hundred thousand of them, with a span and a log record each."""
    one = resource(stamped("c" + ID8.decode()))
    spans = Mould(b"".join(field(1, one + field(2, one_span(now))) for _ in range(500)))
    logs = Mould(b"".join(field(1, one + field(2, one_log(now, "hello"))) for _ in range(500)))
    sent = 0
    seen = {}
    while sent < 100_000 and server.running():
        status = export(server.otlp_port, "traces", spans.next()).status
        export(server.otlp_port, "logs", logs.next())
        seen[status] = seen.get(status, 0) + 1
        sent += 500
    answer = server.query("/api/v1/components")
    return seen, answer.status, len(answer.body)


def resources(server, now):
    """Fat ones: sixteen kilobytes of attributes each, without an identity."""
    fat = {"id": ID8.decode(), **{f"text-{i}": ID8.decode() + "x" * 780 for i in range(20)}}
    mould = Mould(b"".join(field(1, resource(fat) + field(2, one_log(now, "hello"))) for _ in range(200)))
    return pour(server, "logs", mould.next, POUR)


def pods(server, now):
    """Points that name a pod and a component each (a Prometheus receiver)."""
    more = b"".join(text_attr(7, k, v) for k, v in {
        "namespace": "n", "pod": "p" + ID8.decode(), "container": "main",
        "label_openchoreo_dev_component": "c" + ID8.decode(), "label_openchoreo_dev_project": "shop"}.items())
    mould = Mould(of_one([one_gauge(now, "container_memory_working_set_bytes", more) for _ in range(500)]))
    return pour(server, "metrics", mould.next, POUR)


def operations(server, now):
    """Endless routes, in two thousand components."""
    route = text_attr(9, "http.request.method", "GET") + text_attr(9, "http.route", "/r/" + ID8.decode())
    many = [Mould(b"".join(of_one([one_span(now, route) for _ in range(10)], f"op-{j}-{i}") for i in range(100)))
            for j in range(20)]
    turn = iter(range(10**9))
    return pour(server, "traces", lambda: many[next(turn) % 20].next(), POUR)


def minutes(server, now):
    """Spans of every minute of years: as many derived points."""
    at = [now]

    def body():
        at[0] -= 1000 * 60 * NS
        return of_one([one_span(at[0] + i * 60 * NS, trace=rng.randbytes(16)).replace(ID8, rng.randbytes(8))
                       for i in range(1000)])

    return pour(server, "traces", body, POUR, 1)


LETTERS = bytes.maketrans(b"0123456789", b"abcdefghij")


def templates(server, now):
    """Lines without a number in them, no two alike, from a hundred components."""
    record = [one_log(now, f"word {ID8.decode()} other {ID8.decode()} end") for _ in range(20)]
    body = b"".join(of_one(record, f"log-{i}") for i in range(50))
    pieces = body.split(ID8)
    at = [0]

    def next_body():
        first = at[0]
        at[0] += len(pieces) - 1
        words = [(b"%08d" % n).translate(LETTERS) for n in range(first, at[0])]
        return b"".join(x for pair in zip(pieces, words) for x in pair) + pieces[-1]

    return pour(server, "logs", next_body, POUR)


def hosts(server, now):
    """Calls without another end, to hosts that are all different."""
    mould = Mould(of_one([one_span(now, text_attr(9, "server.address", "h" + ID8.decode() + ".example"), kind=3)
                          for _ in range(1000)]))
    return pour(server, "traces", mould.next, POUR)


def endless(server, now):
    """One trace that never ends, and is asked for."""
    mould = Mould(of_one([one_span(now, text_attr(9, "n", ID8.decode()), trace=b"endless trace 16", kind=1 + i % 5)
                          for i in range(1000)]))
    seen = pour(server, "traces", mould.next, POUR)
    trace = b"endless trace 16".hex()
    asked = {**around(), "searchScope": scope(), "limit": 1000, "includeAttributes": True}
    answers = [server.query(f"/api/v1alpha1/traces/{trace}/spans/query", asked).status,
               server.query("/api/v1alpha1/traces/query", asked).status]
    return seen, answers


def reopened(server, now):
    """Fifty thousand traces that each get another span again and again."""
    bodies = []
    for first in range(0, 50_000, 1000):
        bodies.append(of_one([one_span(now, trace=b"%016d" % (first + i), kind=2 + i % 2) for i in range(1000)]))
    moulds = [Mould(b) for b in bodies]
    turn = iter(range(10**9))
    return pour(server, "traces", lambda: moulds[next(turn) % len(moulds)].next(), POUR)


def series(server, now):
    """A series for each point; names that are all different as well."""
    one = Mould(of_one([one_gauge(now, "app.level", text_attr(7, "id", ID8.decode() * 4)) for _ in range(1000)]))
    two = Mould(of_one([one_gauge(now, "m." + ID8.decode()) for _ in range(1000)]))
    return pour(server, "metrics", one.next, POUR / 2), pour(server, "metrics", two.next, POUR / 2)


def histograms(server, now):
    """A thousand buckets in each of the points."""
    counts = field(6, b"\x01\0\0\0\0\0\0\0" * 1024)
    bounds = field(7, b"".join(double(1, float(i))[1:] for i in range(1023)))
    point = field(1, fixed64(3, now) + fixed64(4, 1024) + counts + bounds + text_attr(9, "id", ID8.decode()))
    metric = field(2, field(1, "app.h") + field(9, point * 20 + number(2, 2)))
    wide = field(1, fixed64(3, now) + fixed64(4, 2000) + number(6, 10) + text_attr(1, "id", ID8.decode()) +
                 field(8, number(1, 0) + field(2, b"\x01" * 20000)))
    metric2 = field(2, field(1, "app.e") + field(10, wide * 20 + number(2, 2)))
    return (pour(server, "metrics", Mould(of_one([metric] * 5)).next, POUR / 2),
            pour(server, "metrics", Mould(of_one([metric2] * 5)).next, POUR / 2))


def texts(server, now):
    """Log bodies of a quarter of a megabyte that do not compress."""
    pool = [rng.randbytes(128 * 1024).hex() for _ in range(6)]
    turn = iter(range(10**9))

    def body():
        n = next(turn)
        return of_one([one_log(now + n, str(n) + pool[(n + i) % 6][n % 1000:]) for i in range(4)])

    return pour(server, "logs", body, POUR, 4)


def scopes(server, now):
    one = b"".join(field(2, field(1, field(1, "scope" + ID8.decode()) + field(2, ID8.decode())) + one_span(now))
                   for _ in range(1000))
    return pour(server, "traces", Mould(field(1, resource(stamped("flood")) + one)).next, POUR)


def tiny(server, now):
    """Bodies that hold as many things as their bytes allow: what becomes of
    two bytes may take hundreds in memory."""
    room = min(server.max_body, 64 * MIB) - 2000
    empty_logs = field(1, field(2, b"\x12\0" * (room // 2)))
    spans = otlp_proto("traces", spans_request({}, [span(rng, now)]))
    small = field(2, field(1, b"1" * 16) + field(2, b"2" * 8))
    many_spans = field(1, field(2, small * (room // len(small))))
    points = field(1, field(2, field(2, field(5, b"\x0a\0" * (room // 2)))))
    attrs = field(1, field(2, field(2, b"\x32\0" * (room // 2))))
    lists = field(1, field(2, field(2, field(5, field(5, b"\x0a\0" * (room // 2))))))
    events = field(1, field(2, field(2, field(1, b"1" * 16) + field(2, b"2" * 8) + b"\x5a\0" * (room // 2))))
    json_logs = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b"{}," * (room // 3 - 100) + b"{}]}]}]}"
    seen = []
    for kind, encoding, body in (("logs", "proto", empty_logs), ("logs", "proto", b"\x0a\0" * (room // 2)),
                                 ("traces", "proto", many_spans), ("metrics", "proto", points),
                                 ("logs", "proto", attrs), ("logs", "proto", lists), ("traces", "proto", events),
                                 ("logs", "json", json_logs), ("traces", "proto", spans)):
        body = gzip.compress(body, 1)
        statuses = []

        def one():
            with Client(server.otlp_port) as client:
                statuses.append(client.request("POST", f"/v1/{kind}", body, {
                    "Content-Encoding": "gzip",
                    "Content-Type": "application/json" if encoding == "json" else "application/x-protobuf"}).status)

        threads = [threading.Thread(target=one) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen.append(sorted(statuses))
    return seen


def connections(server, now):
    """Two thousand that say nothing, two hundred that send much at once."""
    quiet = [socket.create_connection(("127.0.0.1", server.otlp_port)) for _ in range(2000)]
    head = (b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: %d\r\n\r\n" % (60 * MIB))
    loud = [socket.create_connection(("127.0.0.1", server.otlp_port)) for _ in range(200)]
    for s in loud:
        s.setblocking(False)
    piece = b"\0" * 65536
    waiting = {s: head for s in loud}
    until = time.monotonic() + 3
    health = server.health()[0]
    while waiting and time.monotonic() < until:
        for s in list(waiting):
            try:
                sent = s.send(waiting[s])
                waiting[s] = waiting[s][sent:] or piece
            except BlockingIOError:
                pass
            except OSError:
                del waiting[s]
    health = max(health, server.health()[0])
    most = server.memory()
    for s in quiet + loud:
        s.close()
    return {"health": health, "still sending": len(waiting), "MiB": most // MIB}


def bodies(server, now):
    """Requests as large as may be, many at once, plain and packed."""
    record = one_log(now, "x" * 1000 + ID8.decode())
    big = Mould(of_one([record] * 1000)).next()
    big = big * (min(server.max_body, 64 * MIB) // len(big) - 1)
    packed = gzip.compress(big, 1)
    bomb = gzip.compress(b"\0" * (64 * MIB + 1), 1)
    zstd = subprocess.run(["zstd", "-1", "-cq"], input=big, stdout=subprocess.PIPE, check=True).stdout
    seen = {}

    def one(body, coding, count):
        for _ in range(count):
            headers = {"Content-Type": "application/x-protobuf"}
            if coding:
                headers["Content-Encoding"] = coding
            with Client(server.otlp_port, 60) as client:
                try:
                    status = client.request("POST", "/v1/logs", body, headers).status
                except OSError:
                    status = "closed"
            seen[status] = seen.get(status, 0) + 1

    threads = [threading.Thread(target=one, args=a) for a in
               [(big, None, 2)] * 6 + [(packed, "gzip", 3)] * 4 + [(bomb, "gzip", 5)] * 4 + [(zstd, "zstd", 3)] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def questions(server, now):
    """Large answers asked for by many at once, while data comes in."""
    pool = [rng.randbytes(10_000).hex() for _ in range(5)]
    for n in range(60):
        export(server.otlp_port, "logs", of_one([one_log(now + n * 100 + i, f"{n} {i} {pool[i % 5]}") for i in range(50)]))
    mould = Mould(of_one([one_span(now, text_attr(9, "n", ID8.decode() + "v" * 500)) for _ in range(500)]))
    asked = {**around(), "searchScope": scope(), "limit": 1000, "includeAttributes": True}
    paths = [("/api/v1/logs/query", asked), ("/api/v1alpha1/traces/query", asked),
             ("/api/v1/logs/query", {**asked, "searchPhrase": "no such phrase"}),
             ("/api/v1/metrics/query", {**around(), "searchScope": scope(), "metric": "resource", "step": "1s"}),
             ("/api/v1/components/acme/shop/flood?environment=test", None)]
    seen = {}
    until = time.monotonic() + POUR

    def ask(i):
        while time.monotonic() < until:
            path, body = paths[i % len(paths)]
            try:
                status = server.query(path, body).status
            except OSError:
                status = "closed"
            seen[status] = seen.get(status, 0) + 1

    # Some only ask and never read what comes.
    deaf = []
    for _ in range(100):
        s = socket.create_connection(("127.0.0.1", server.query_port))
        text = json.dumps(asked).encode()
        s.sendall(b"POST /api/v1/logs/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(text) + text)
        deaf.append(s)
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    poured = pour(server, "traces", mould.next, POUR, 1)
    for thread in threads:
        thread.join()
    for s in deaf:
        s.close()
    return seen, poured


def together(server, now):
    """Senders of all signals and askers that never pause, at the same time."""
    spans = Mould(of_one([one_span(now, text_attr(9, "n", ID8.decode() + "v" * 300)) for _ in range(1000)]))
    logs = Mould(of_one([one_log(now, f"{i} " + ID8.decode() + "x" * 100) for i in range(1000)]))
    senders = [threading.Thread(target=pour, args=(server, name, mould.next, 2 * POUR), daemon=True)
               for name, mould in (("traces", spans), ("logs", logs))]
    for sender in senders:
        sender.start()
    seen = {}
    until = time.monotonic() + 2 * POUR

    def ask(i):
        asked = {**around(), "searchScope": {"namespace": "acme"}, "limit": 1000}
        paths = [("/api/v1alpha1/traces/query", {**asked, "errorsOnly": True}), ("/api/v1/logs/query", asked),
                 ("/api/v1/cause", {**around(minutes=5), "searchScope": {"namespace": "acme", "project": "shop"}})]
        while time.monotonic() < until:
            try:
                status = server.query(*paths[i % 3]).status
            except OSError:
                status = "closed"
            seen[status] = seen.get(status, 0) + 1
            i += 1

    askers = [threading.Thread(target=ask, args=(i,), daemon=True) for i in range(4)]
    for asker in askers:
        asker.start()
    for thread in askers + senders:
        thread.join(60)
    return seen


FLOODS = [values, keys, components, resources, pods, operations, minutes, templates, hosts, endless, reopened, series,
          histograms, texts, scopes, tiny, connections, bodies, questions, together]

# ---- what holds afterwards ----


def good_request(text):
    return otlp_proto("logs", logs_request(stamped("steady"), [log(time.time_ns(), text)]))


def takes_a_good_request(server):
    """Within seconds; and it can be found."""
    body = good_request("after the flood")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            status = export(server.otlp_port, "logs", body).status
        except OSError:
            status = "closed"
        if status == 200:
            break
        time.sleep(0.1)
    else:
        return f"still {status}"
    asked = server.query("/api/v1/logs/query", {**around(), "searchScope": scope("steady"), "searchPhrase": "the flood"})
    return "found" if asked.status == 200 and json.loads(asked.body)["total"] == 2 else asked


class Watch(threading.Thread):
    """Asks for /health all the time; the longest it took."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.longest, self.bad, self.over = server, 0.0, [], False

    def run(self):
        while not self.over:
            began = time.monotonic()
            try:
                status = self.server.health()[0]
            except OSError as error:
                status = str(error)
            if status != 200:
                self.bad.append(status)
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.1)

    def end(self):
        self.over = True
        self.join()


def one_flood(flood, limit):
    server = Server(new_folder(), "--memory-limit", f"{limit}MiB", "--seal-age", "1s", "--edge-wait", "10s")
    server.max_body = min(64, limit // 3) * MIB
    # Of a component that is known before: the table of resources has a bound,
    # and who comes after it is full stays unassigned.
    export(server.otlp_port, "logs", good_request("before the flood"))
    watch = Watch(server)
    watch.start()
    began = time.monotonic()
    note = flood(server, time.time_ns())
    watch.end()
    after = takes_a_good_request(server) if server.running() else "it ended"
    most = server.memory() if server.running() else 0
    name = f"{flood.__name__}, limit {limit} MiB"
    tap.check(0 < most < limit * MIB or SANITIZED, f"{name}: at most {most // MIB} MiB", f"{most / MIB:.1f} MiB {note}")
    tap.check(after == "found" and not watch.bad and watch.longest < 5,
              f"{name}: /health answers all the time, a good request is taken afterwards",
              (after, watch.bad[:5], f"slowest /health {watch.longest:.1f} s", note))
    stopping = time.monotonic()
    code = server.stop()
    took = time.monotonic() - stopping
    tap.check(code == 0 and took < 5, f"{name}: it ends with status 0", (code, f"{took:.1f} s", server.log()[-1000:]))
    print(f"# {name}: {time.monotonic() - began:.1f} s {note}", flush=True)


def main():
    names = os.environ.get("FLOODS", "").split()
    limits = [int(n) for n in os.environ.get("LIMITS", "256 96 64").split()]
    for limit in limits:
        for flood in FLOODS:
            if names and flood.__name__ not in names:
                continue
            try:
                one_flood(flood, limit)
            except Exception as error:
                tap.check(False, f"{flood.__name__}, limit {limit} MiB ended early", f"{type(error).__name__}: {error}")
    tap.end()


main()
