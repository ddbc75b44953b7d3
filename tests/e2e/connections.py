"""Connections that are many, slow or never done: others are served within a
second, memory stays under the limit, and unused memory is returned.
"""
import json
import os
import resource
import socket
import time

from callboard import (Client, Server, Tap, around, export, is_sanitized, log, logs_request, new_folder,
                       otlp_proto, scope, stamped, wait_until)

MIB = 1 << 20
tap = Tap()
check, same = tap.check, tap.same
numbers = iter(range(10**9))


def files(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def files_at_rest(server):
    """When the connections of a moment ago are closed."""
    counts = []
    while len(counts) < 5 or len(set(counts[-5:])) > 1:
        counts.append(files(server))
        time.sleep(0.05)
    return counts[-1]


def busy(server, seconds=1.0):
    """Processor time it takes meanwhile, as a part of this time."""

    def used():
        with open(f"/proc/{server.pid}/stat") as file:
            return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    before, began = used(), time.monotonic()
    time.sleep(seconds)
    return (used() - before) / (time.monotonic() - began)


def dial(server, port=None):
    return socket.create_connection(("127.0.0.1", port or server.otlp_port), timeout=20)


def a_request():
    text = f"number {next(numbers)}"
    return text, otlp_proto("logs", logs_request(stamped("steady"), [log(time.time_ns(), text)]))


def head(length):
    return (b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: %d\r\n\r\n" % length)


def serve_one(server):
    """A new client sends a record and finds it; the seconds that took."""
    text, body = a_request()
    began = time.monotonic()
    status = export(server.otlp_port, "logs", body).status
    asked = {**around(), "searchScope": scope("steady"), "searchPhrase": text, "limit": 10}
    found = [one["log"] for one in server.ask("/api/v1/logs/query", asked)["logs"]]
    took = time.monotonic() - began
    return took if status == 200 and text in found else f"{status} {found}"


def check_others(server, name):
    """The best of five: this machine has other things to do, too."""
    took = [serve_one(server) for _ in range(5)]
    good = all(isinstance(t, float) for t in took)
    check(good and min(took) < 1 and max(took) < 20, f"{name}: others are served within a second", took)


def check_released(server, name, before, seconds=30):
    """The server has let go of all of them."""
    check(wait_until(lambda: files(server) <= before + 2, seconds), f"{name}: ended, and their files are closed",
          f"{files(server)} files, {before} before")


def check_end(server, name, limit=256):
    most = server.memory()
    check(is_sanitized() or 0 < most < limit * MIB, f"{name}: at most {most // MIB} MiB of {limit}")
    same(server.stop(), 0, f"{name}: it ends with status 0")


# ---- many ----


def test_idle():
    many, name = 10_000, "10,000 idle connections"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < many * 6 // 5:
        tap.skip(name, f"only {hard} files allowed")
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, many + 500), hard))
    server = Server(new_folder(), "--memory-limit", "256MiB")
    serve_one(server)
    before = files_at_rest(server)
    idle = [dial(server) for _ in range(many)]
    check(wait_until(lambda: files(server) >= before + many, 20), f"{name} are held", files(server))
    check_others(server, name)
    part = busy(server)
    check(part < 0.5, f"{name} cost no time", f"{part:.0%} of a processor")
    for s in idle:
        s.close()
    check_released(server, name, before)
    check_end(server, name)


def test_too_few_files():
    """More connections than there are files: it refuses, does not spin, and
    what needs a file of its own, like journal and database, goes on."""
    most, name = 300, "300 files, 900 connections"
    server = Server(new_folder(), "--seal-age", "100ms", "--journal-max", "8MiB",
                    limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
    serve_one(server)
    before = files_at_rest(server)
    with Client(server.otlp_port) as known:
        same(export(None, "logs", a_request()[1], client=known).status, 200, f"{name}: one before is served")
        idle = []
        for _ in range(900):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", server.otlp_port))
            idle.append(s)
        check(wait_until(lambda: files(server) > most // 2, 20), f"{name}: many are held", files(server))
        part = busy(server)
        check(part < 0.5, f"{name} cost no time", f"{part:.0%} of a processor, {files(server)} files")
        statuses = []
        for _ in range(30):  # enough to begin segments of the journal and to flush
            statuses.append(export(None, "logs", otlp_proto("logs", logs_request(
                stamped("steady"), [log(time.time_ns(), os.urandom(100_000).hex())])), client=known).status)
        check(statuses == [200] * 30 and server.health()[0] == 200,
              f"{name}: who is connected is served, questions are answered", (statuses, server.log()[-500:]))
    for s in idle:
        s.close()
    check_released(server, name, before)
    check_others(server, name + ", gone")
    check_end(server, name)


# ---- slow ----


def drip(connections, texts, seconds):
    """A byte of its text on each of them, every half of a second."""
    at, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        for s, text in zip(connections, texts):
            try:
                s.send(text[at:at + 1])
            except OSError:  # it was ended
                pass
        at += 1
        yield
        time.sleep(0.5)


def test_slow():
    name = "500 connections that send two bytes a second"
    server = Server(new_folder(), "--idle-timeout", "8s")
    serve_one(server)
    before = files_at_rest(server)
    slow = [dial(server) for _ in range(500)]
    for s in slow[250:]:
        s.sendall(head(10_000_000) + b"\0" * 1000)
    texts = [head(100)] * 250 + [b"\0" * 1000] * 250
    check(wait_until(lambda: files(server) >= before + 500, 20), f"{name} are held", files(server))
    turns = 0
    for _ in drip(slow, texts, 60):
        turns += 1
        if turns == 2:
            check_others(server, name)
        if files(server) <= before + 2:
            break
    check_released(server, name, before, 1)
    for s in slow:
        s.close()
    check_end(server, name)


def test_slow_questions():
    """More than one address may hold: an eighth is kept for others."""
    name = "1024 connections that ask two bytes a second"
    server = Server(new_folder(), "--idle-timeout", "8s")
    serve_one(server)
    before = files_at_rest(server)
    slow = [dial(server, server.query_port) for _ in range(1024)]
    check(wait_until(lambda: files(server) >= before + 800, 5), f"{name} are held", files(server))
    for _ in drip(slow, [b"GET /health HTTP/1.1\r\nHost: " + b"a" * 1000] * 1024, 60):
        if files(server) <= before + 2:
            break
    check_released(server, name, before, 1)
    check_others(server, name + ", ended")
    for s in slow:
        s.close()
    check_end(server, name)


def test_steady_but_slow():
    """A body that takes longer than the time-out, but comes on."""
    server = Server(new_folder(), "--idle-timeout", "5s")
    body = otlp_proto("logs", logs_request(stamped("steady"), [log(time.time_ns(), "x" * 80_000)]))
    began = time.monotonic()
    with dial(server) as s:
        s.sendall(head(len(body)))
        for at in range(0, len(body), 2000):
            s.sendall(body[at:at + 2000])
            time.sleep(0.15)
        took = time.monotonic() - began
        answer = s.recv(1000)
    check(answer.startswith(b"HTTP/1.1 200") and took > 6, "a body that takes longer than that, but comes on, is taken",
          (took, answer))
    same(server.stop(), 0, "and it ends with status 0")


# ---- never done ----


def test_half():
    name = "200 senders that disconnect half way"
    server = Server(new_folder())
    serve_one(server)
    before = files_at_rest(server)
    for part in (0.1, 0.5):  # of the head, and of the body
        half = [dial(server) for _ in range(100)]
        text = head(1_000_000) + b"\0" * 1_000_000
        for s in half:
            s.sendall(text[:int(part * (len(text) if part == 0.5 else len(head(1_000_000))))])
        for s in half:
            s.close()
    check_released(server, name, before)
    check_others(server, name)
    same(server.counter('records_accepted_total{signal="logs"}'), 6, f"{name}: nothing of them is kept")
    check_end(server, name)


def test_deaf():
    name = "50 senders that never read an answer"
    server = Server(new_folder(), "--idle-timeout", "2s")
    serve_one(server)
    before = files_at_rest(server)
    deaf = []
    for _ in range(50):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", server.otlp_port))
        s.setblocking(False)
        deaf.append(s)
    text = head(0) * 2000
    until = time.monotonic() + 3
    while time.monotonic() < until:
        for s in deaf:
            try:
                s.send(text)
            except OSError:
                pass
        time.sleep(0.02)
    check_others(server, name)
    check_released(server, name, before)
    for s in deaf:
        s.close()
    check_end(server, name)


def test_deaf_askers():
    """Their answers are large, and stay in memory until they are read."""
    name = "50 askers that never read an answer"
    server = Server(new_folder(), "--idle-timeout", "5s")
    serve_one(server)
    for _ in range(10):
        export(server.otlp_port, "logs", logs_request(stamped("loud"), [
            log(time.time_ns(), os.urandom(50_000).hex()) for _ in range(5)]))
    before = files_at_rest(server)
    text = json.dumps({**around(), "searchScope": scope("loud"), "limit": 1000}).encode()
    deaf = []
    for _ in range(50):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", server.query_port))
        s.sendall(b"POST /api/v1/logs/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(text) + text)
        deaf.append(s)
    check_others(server, name)
    check_released(server, name, before)
    for s in deaf:
        s.close()
    check_end(server, name)


def main():
    for test in (test_idle, test_too_few_files, test_slow, test_slow_questions, test_steady_but_slow, test_half, test_deaf, test_deaf_askers):
        began = time.monotonic()
        try:
            test()
        except Exception as error:
            check(False, f"{test.__name__} ended early", f"{type(error).__name__}: {error}")
        print(f"# {test.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    tap.end()


main()
