"""Connections, bodies and answers of one address do not keep others out: a good
sender and a good query client (from other loopback addresses) are served meanwhile.
"""
import json
import os
import resource
import select
import socket
import threading
import time

from callboard import (Server, Tap, around, export, is_sanitized, log, logs_request, new_folder, otlp_proto,
                       scope, stamped, wait_until)

MIB = 1 << 20
tap = Tap()
check, same = tap.check, tap.same
FLOOD, GOOD = "127.0.0.7", "127.0.0.8"
SLOW = 10 if is_sanitized() else 1


def dial(port, address=FLOOD, receive=None, timeout=30):
    s = socket.socket()
    if receive:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    s.settimeout(timeout)
    s.bind((address, 0))
    s.connect(("127.0.0.1", port))
    return s


def head(path, length, kind=b"application/x-protobuf"):
    return (b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" %
            (path, kind, length))


def answer_of(s):
    """The whole answer, b"" if there is none, None after a reset."""
    got = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return got
            got += piece
            before, mark, body = got.partition(b"\r\n\r\n")
            if mark and len(body) >= int(before.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
                return got
    except ConnectionResetError:
        return got or None
    except OSError:
        return got


def status(answer):
    return int(answer[9:12]) if answer else answer


def send_good(server, count=1, size=10):
    """Seconds that a small request took, or what went wrong."""
    body = otlp_proto("logs", logs_request(stamped("good"), [log(time.time_ns(), "x" * size) for _ in range(count)]))
    began = time.monotonic()
    with dial(server.otlp_port, GOOD) as s:
        s.sendall(head(b"/v1/logs", len(body)) + body)
        answer = answer_of(s)
    took = time.monotonic() - began
    return took if status(answer) == 200 else answer


def ask_good(server, path=b"/health"):
    began = time.monotonic()
    with dial(server.query_port, GOOD) as s:
        s.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = answer_of(s)
    took = time.monotonic() - began
    return took if status(answer) == 200 else answer


def check_good(server, name, limit=1.5, size=10):
    sent = [send_good(server, size=size) for _ in range(5)]
    asked = [ask_good(server) for _ in range(5)]
    check(all(isinstance(t, float) for t in sent) and min(sent) < limit * SLOW, f"{name}: others send", sent)
    check(all(isinstance(t, float) for t in asked) and min(asked) < limit * SLOW, f"{name}: others ask", asked)


def close_all(connections):
    for s in connections:
        s.close()


# ---- bodies ----


def test_promises():
    """A Content-Length of almost a MiB and one byte of it."""
    name = "304 promises"
    server = Server(new_folder())
    before = server.counter("ingest_memory_bytes")
    promises = [dial(server.otlp_port) for _ in range(304)]
    for s in promises:
        s.sendall(head(b"/v1/traces", 1_000_000) + b"\n")
    time.sleep(1)
    check_good(server, name, size=100_000)
    check(server.counter("ingest_memory_bytes") - before < 12 * MIB, f"{name}: take no memory",
          server.counter("ingest_memory_bytes"))
    check(wait_until(lambda: not select.select(promises[-1:], [], [], 0)[0] == [], 15),
          f"{name}: end, for they are too slow")
    close_all(promises)
    same(server.stop(), 0, f"{name}: it ends with status 0")


def test_half_bodies():
    """They hold the share of unfinished bodies; then nothing comes any more."""
    name = "bodies of 8 MiB that stop after 1 MiB"
    server = Server(new_folder(), "--memory-limit", "96MiB")
    stopped = [dial(server.otlp_port) for _ in range(60)]
    for s in stopped:
        s.setblocking(False)
        data = head(b"/v1/traces", 8 * MIB) + bytes(MIB)
        until = time.monotonic() + 0.2
        while data and time.monotonic() < until:
            try:
                data = data[s.send(data):]
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                break
    time.sleep(1)
    check_good(server, name, 3, size=200_000)
    most = server.memory()
    check(is_sanitized() or most < 96 * MIB, f"{name}: at most {most // MIB} MiB of 96")
    close_all(stopped)
    same(server.stop(), 0, f"{name}: it ends with status 0")


def test_many_uploads():
    """More at a time than there is memory for: 200 or 503, never a reset."""
    name = "40 uploads of 5 MiB within 64 MiB"
    server = Server(new_folder(), "--memory-limit", "64MiB", "--seal-age", "1s")
    body = otlp_proto("logs", logs_request(stamped("loud"), [
        log(time.time_ns(), os.urandom(25_000).hex()) for _ in range(100)]))
    answers = []

    def upload():
        with dial(server.otlp_port) as s:
            try:
                s.sendall(head(b"/v1/logs", len(body)) + body)
            except OSError as error:
                answers.append(repr(error))
                return
            answers.append(answer_of(s))

    threads = [threading.Thread(target=upload) for _ in range(40)]
    for thread in threads:
        thread.start()
    good = [send_good(server) for _ in range(10)]
    for thread in threads:
        thread.join()
    seen = [status(a) if isinstance(a, bytes) and a else a for a in answers]
    check(set(seen) <= {200, 503} and 200 in seen, f"{name}: 200 or 503", seen)
    check(all(b"Retry-After: " in a for a in answers if isinstance(a, bytes) and status(a) == 503),
          f"{name}: 503 with Retry-After")
    check(all(isinstance(t, float) for t in good) and max(good) < 8 * SLOW, f"{name}: small ones find room", good)
    same(server.stop(), 0, f"{name}: it ends with status 0")


# ---- connections ----


def test_idle_on(port_name, count):
    name = f"{count} idle connections on the {port_name} port"
    server = Server(new_folder(), "--max-connections", "1000")
    port = server.query_port if port_name == "query" else server.otlp_port
    known = dial(port, GOOD)
    idle = []
    for _ in range(count):
        idle.append(dial(port))
    check_good(server, name)
    known.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check(answer_of(known), f"{name}: the idle of the others do not go first")
    close_all(idle + [known])
    same(server.stop(), 0, f"{name}: it ends with status 0")


def test_slow_heads():
    """None is idle: each is within a request. Those that take more than a second
    for a head make room; before that, the reserve has /health for everybody, also
    for the flood's own address."""
    name = "1,100 connections within a head"
    server = Server(new_folder())
    slow = []
    for _ in range(1100):
        try:
            s = dial(server.query_port)
            s.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
            slow.append(s)
        except OSError:
            pass
    check_good(server, name)
    time.sleep(0.3)
    statuses = []
    for _ in range(20):
        with dial(server.query_port) as s:
            s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            statuses.append(status(answer_of(s)))
    same(statuses, [200] * 20, f"{name}: the flood's own /health")
    check(wait_until(lambda: select.select(slow[:1], [], [], 0)[0] != [], 15), f"{name}: end after ten seconds")
    close_all(slow)
    same(server.stop(), 0, f"{name}: it ends with status 0")


def test_mixed_flood():
    """Idle ones that go for others, and heads that do not, all at once."""
    name = "400 connections at once, 128 files"
    server = Server(new_folder(), limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))
    flood = []
    for port in (server.otlp_port, server.query_port):
        for i in range(400):
            try:
                s = dial(port, timeout=2)
                if i % 2:
                    s.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: loc")
                flood.append(s)
            except OSError:
                pass
    check_good(server, name, 3)
    close_all(flood)
    same(server.stop(), 0, f"{name}: it ends with status 0")


def test_few_files(soft, hard):
    name = f"{hard} files"
    server = Server(new_folder(), limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)))
    idle = []
    for port in (server.otlp_port, server.query_port):
        for _ in range(200):
            try:
                idle.append(dial(port, timeout=2))
            except OSError:
                pass
    check_good(server, name)
    check(("raised the limit of open files" in server.log()) == (soft < hard) and "the limit of open files is too low" in server.log(),
          f"{name}: the log says so", server.log()[-1000:])
    close_all(idle)
    same(server.stop(), 0, f"{name}: it ends with status 0")


# ---- answers ----


def test_slow_readers():
    """Answers of some MiB that are not read; others get theirs."""
    name = "60 askers that do not read"
    server = Server(new_folder(), "--memory-limit", "96MiB")
    for _ in range(10):
        export(server.otlp_port, "logs", logs_request(stamped("loud"), [
            log(time.time_ns(), os.urandom(30_000).hex()) for _ in range(5)]))
    question = json.dumps({**around(), "searchScope": scope("loud"), "limit": 20}).encode()
    text = head(b"/api/v1/logs/query", len(question), b"application/json") + question
    deaf = [dial(server.query_port, receive=4096) for _ in range(60)]
    for s in deaf:
        s.sendall(text)
    time.sleep(2)
    seen = []
    for _ in range(10):  # like a client that tries again
        with dial(server.query_port, GOOD) as s:
            s.sendall(text)
            seen.append(status(answer_of(s)))
        if seen[-1] == 200:
            break
        time.sleep(1)
    check(seen[-1] == 200 and len(seen) <= 3, f"{name}: others get a large answer", seen)
    check_good(server, name)
    close_all(deaf)
    same(server.stop(), 0, f"{name}: it ends with status 0")


def main():
    for test, args in ((test_promises, ()), (test_half_bodies, ()), (test_many_uploads, ()),
                       (test_idle_on, ("query", 1100)), (test_idle_on, ("otlp", 1100)), (test_slow_heads, ()), (test_mixed_flood, ()),
                       (test_few_files, (64, 128)), (test_few_files, (80, 80)), (test_slow_readers, ())):
        began = time.monotonic()
        try:
            test(*args)
        except Exception as error:
            check(False, f"{test.__name__} ended early", f"{type(error).__name__}: {error}")
        print(f"# {test.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    tap.end()


main()
