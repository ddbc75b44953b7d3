"""HTTP/2 by hand against the gRPC port: floods and misuse are ended at little
cost while a good client beside them is served; resets and closed connections at
every step; drain; kill -9.
"""
import socket
import struct
import threading
import time

import grpc
from hpack import Decoder, Encoder
from hyperframe.frame import (ContinuationFrame, HeadersFrame, PingFrame, PriorityFrame, RstStreamFrame, SettingsFrame,
                              WindowUpdateFrame)

from callboard import Server, Tap, count_logs, is_sanitized, log, logs_request, new_folder, otlp_proto, stamped, wait_until
from grpc_raw import BODY, HEAD, Raw, cpu, good_client, message

tap = Tap()
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"


# ---- floods: each yields the bytes of a turn, without end ----


def rapid_reset(raw):
    while True:
        head = raw.head()
        yield head.serialize() + RstStreamFrame(raw.stream, 8).serialize()


def pings(_raw):
    while True:
        yield PingFrame(0, opaque_data=b"12345678").serialize() * 50


def settings(_raw):
    while True:
        yield SettingsFrame(0).serialize() * 50


def priorities(_raw):
    while True:
        yield PriorityFrame(1, depends_on=0, stream_weight=1).serialize() * 50


def empty_data(raw):
    yield raw.head().serialize()
    while True:
        yield raw.data(b"").serialize() * 50


def window_overflow(raw):
    while True:
        head = raw.head()
        yield head.serialize() + WindowUpdateFrame(raw.stream, (1 << 31) - 1).serialize()


def continuations(raw):
    head = HeadersFrame(1, raw.encoder.encode(HEAD))
    yield head.serialize()
    while True:
        yield ContinuationFrame(1, raw.encoder.encode([("x-a", "b" * 100)])).serialize() * 10


def header_bomb(raw):
    big = [("x-big", "v" * 3900)]
    while True:
        yield raw.head(HEAD + big * 400).serialize()


def padding(raw):
    yield raw.head().serialize() + raw.data(message(bytes(1000))[:5]).serialize()
    while True:
        yield raw.data(b"", pad=255).serialize() * 50 + WindowUpdateFrame(0, 1).serialize()


def data_after_reset(raw):
    yield raw.head([("x", "y")] + HEAD).serialize()  # malformed: reset at once
    while True:
        yield raw.data(bytes(16000)).serialize()


def many_streams(raw):
    while True:
        yield b"".join(raw.head().serialize() for _ in range(50))


FLOODS = [rapid_reset, pings, settings, priorities, empty_data, window_overflow, continuations, header_bomb, padding,
          data_after_reset, many_streams]


def flood(server, make):
    raw, before, sent = Raw(server), cpu(server), 0
    until, ended = time.monotonic() + 4, False
    while time.monotonic() < until and not ended:
        for turn in make(raw):
            ended = not raw.send(turn)
            sent += len(turn)
            if ended or time.monotonic() > until:
                break
    raw.close()
    return ended, sent, cpu(server) - before


def floods(server):
    good_client(server)
    for make in FLOODS:
        base = server.memory("VmRSS")
        ended, sent, used = flood(server, make)
        more = server.memory("VmRSS") - base
        name = make.__name__.replace("_", " ")
        print(f"# {name}: {sent} bytes, {used:.2f} s of CPU, {more} bytes of memory", flush=True)
        tap.check(ended, f"{name}: the connection is ended", f"{sent} bytes taken")
        tap.check(is_sanitized() or (used < 0.25 and more < 8 << 20), f"{name}: little CPU and memory",
                  f"{used} s, {more} bytes")
        tap.check(good_client(server), f"{name}: a good client beside it is served")
    tap.check(server.counter("grpc_floods_total") > 0, "floods are counted")


def promises(server):
    """Sixty MiB announced a hundred times: memory is what arrived."""
    base, raw = server.memory("VmRSS"), Raw(server)
    for _ in range(100):
        raw.send(raw.head(), raw.data(b"\0" + struct.pack(">I", 60 << 20) + bytes(1000)))
    time.sleep(0.3)
    more = server.memory("VmRSS") - base
    tap.check(is_sanitized() or more < 12 << 20, "a hundred large promises hold what arrived", f"{more} bytes")
    tap.check(good_client(server), "large promises: a good client beside them is served")
    raw.close()


def takes_no_answer(server):
    """Streams whose answers may not be sent: by a window of 0, or since the peer does not read. Without a credential
    they would hold a slot each for as long as the peer likes."""
    check = [(":path", "/grpc.health.v1.Health/Check") if name == ":path" else (name, value) for name, value in HEAD]
    closed = Raw(server, window=0)
    closed.send(closed.head(check), closed.data(message(b""), end=True))
    deaf = Raw(server)
    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.socket.settimeout(0.5)
    until = time.monotonic() + 5
    while time.monotonic() < until and deaf.send(*(deaf.head(HEAD[:2] + [(":path", "/x")] + HEAD[3:])
                                                   for _ in range(20))):
        pass
    since = time.monotonic()
    for name, raw in (("a window of 0", closed), ("a peer that does not read", deaf)):
        while time.monotonic() < since + 14 and connections(server, raw):
            time.sleep(0.2)
        tap.check(not connections(server, raw), f"{name}: the connection is ended")
    tap.check(good_client(server), "answers that are not taken: a good client beside them is served")
    closed.close()
    deaf.close()


def connections(server, raw):
    """Whether the server still has the other end of the connection."""
    mine = raw.socket.getsockname()[1]
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return any(row[3] == "01" and int(row[1].split(":")[1], 16) == server.grpc_port and
               int(row[2].split(":")[1], 16) == mine for row in rows)


# ---- a request cut anywhere ----


def split_everywhere(server):
    raw = Raw(server)
    whole = raw.head().serialize() + raw.data(message(BODY), end=True).serialize()
    raw.close()
    before, good = server.counter('records_accepted_total{signal="traces"}'), 0
    for at in range(1, len(whole), 7):
        raw = Raw(server)
        raw.encoder = Encoder()
        raw.send(whole[:at])
        time.sleep(0.001)
        raw.send(whole[at:])
        found, _ = raw.frames(0.05) if at > 7 else raw.frames(0.3)
        good += any(kind == 0 for kind, *_ in found)
        raw.close()
    tap.check(good > 0, "a request in two parts is answered", good)
    raw = Raw(server)
    for byte in whole:
        raw.send(bytes([byte]))
    found, _ = raw.frames(1)
    tap.check(any(kind == 0 and data == bytes(5) for kind, _, _, data in found), "a request byte by byte is answered",
              found)
    raw.close()
    raw = Raw(server)
    raw.send(raw.head())
    for at in range(len(message(BODY))):
        raw.send(raw.data(message(BODY)[at:at + 1], pad=3))
    raw.send(raw.data(b"", end=True))
    found, _ = raw.frames(1)
    tap.check(any(kind == 0 and data == bytes(5) for kind, _, _, data in found),
              "frames of one byte with padding are answered", found)
    raw.close()
    wait_until(lambda: server.counter('records_accepted_total{signal="traces"}') >= before, 5)


def cut_everywhere(server):
    """Reset, or the connection closed, at each step of a request."""
    raw = Raw(server)
    steps = [raw.head().serialize(), raw.data(message(BODY)[:3]).serialize(), raw.data(message(BODY)[3:40]).serialize(),
             raw.data(message(BODY)[40:], end=True).serialize()]
    raw.close()
    for upto in range(1, 5):
        for how in ("reset", "close", "abort"):
            for _ in range(10):
                raw = Raw(server)
                raw.send(*steps[:upto])
                if how == "reset":
                    raw.send(RstStreamFrame(1, 8), PingFrame(0, opaque_data=bytes(8)))
                if how == "abort":
                    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raw.close()
    tap.check(good_client(server), "cut at every step: a good client is served")
    freed = wait_until(lambda: server.counter("ingest_memory_bytes") < 3 << 20, 10)
    tap.check(freed is not False, "cut at every step: memory is given back")


def heads(raw, seconds):
    """The fields of the answer's HEADERS frames, and the resets that came."""
    decoder, fields, resets = Decoder(), {}, []
    for kind, _, _, data in raw.frames(seconds)[0]:
        if kind == 1:
            fields.update(decoder.decode(data))
        if kind == 3:
            resets.append(int.from_bytes(data, "big"))
    return fields, resets


def misuse(server):
    cases = {"no message": ([], True), "flag 2": ([b"\2\0\0\0\0"], False),
             "too few bytes": ([message(b"abc")[:6]], False), "two messages": ([message(b"") * 2], False),
             "compressed without encoding": ([b"\1\0\0\0\0"], False)}
    for name, (parts, end) in cases.items():
        raw = Raw(server)
        raw.send(raw.head(end=end), *(raw.data(part, end=True) for part in parts))
        fields, resets = heads(raw, 0.5)
        tap.check(fields.get("grpc-status") == "13" and resets == [], f"{name}: 13", (fields, resets))
        raw.close()
    for name, headers, field, value in (
            ("GET", [(":method", "GET")] + HEAD[1:], ":status", "405"),
            ("text/plain", HEAD[:4] + [("content-type", "text/plain")], ":status", "415"),
            ("JSON", HEAD[:4] + [("content-type", "application/grpc+json")], "grpc-status", "12"),
            ("a stranger's name", HEAD[:3] + [(":authority", "evil.example")] + HEAD[4:], "grpc-status", "3"),
            ("a stranger's host", HEAD[:3] + HEAD[4:] + [("host", "evil.example")], "grpc-status", "3")):
        raw = Raw(server)
        raw.send(raw.head(headers, end=True))
        fields, _ = heads(raw, 0.5)
        tap.same(fields.get(field), value, f"{name}: {field} {value}")
        raw.close()
    raw = Raw(server)
    raw.send(raw.head(), raw.data(b"\0\xff\xff\xff\xff" + bytes(100)))
    fields, resets = heads(raw, 0.5)
    tap.check(fields.get("grpc-status") == "3" and resets == [0], "refused by the prefix: status, then a reset without error",
              (fields, resets))
    raw.close()
    with socket.create_connection(("127.0.0.1", server.grpc_port), timeout=5) as plain:
        plain.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        answer = plain.recv(4096)
        tap.check(answer.startswith(b"HTTP/1.1 400 ") and b"4318" in answer, "HTTP/1: 400 and the other port", answer)


# ---- load over a restart, and kill -9 ----


def numbered(n):
    return otlp_proto("logs", logs_request(stamped("counted"), [log(time.time_ns(), f"number {n}")]))


def load(port, stop, acknowledged, failed, first):
    n, options = first, [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        call = channel.unary_unary(LOGS)
        while not stop.is_set():
            try:
                call(numbered(n), timeout=10, wait_for_ready=True)
                acknowledged.append(n)
            except grpc.RpcError as error:
                failed.append((n, str(error.code()), error.details()))
            n += 1


def under_load(folder, port, end):
    """Four clients send while the server ends and starts again."""
    server = Server(folder, "--otlp-grpc", f"127.0.0.1:{port}")
    stop, acknowledged, failed = threading.Event(), [], []
    threads = [threading.Thread(target=load, args=(server.grpc_port, stop, acknowledged, failed, i * 1_000_000))
               for i in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    end(server)
    server = Server(folder, "--otlp-grpc", f"127.0.0.1:{server.grpc_port}")
    time.sleep(1.5)
    stop.set()
    for thread in threads:
        thread.join()
    return server, acknowledged, failed


def drain():
    server, acknowledged, failed = under_load(new_folder(), free_port(), lambda s: s.stop())
    tap.check(len(acknowledged) > 20 and not failed, f"drain under load: 0 of {len(acknowledged)} calls failed",
              failed[:5])
    tap.same(count_logs(server, "counted"), len(acknowledged), "drain: what was acknowledged is stored once")
    tap.same(server.stop(), 0, "drain: the server ends well")


def killed():
    server, acknowledged, failed = under_load(new_folder(), free_port(), lambda s: s.kill())
    stored = count_logs(server, "counted")
    tap.check(len(acknowledged) <= stored <= len(acknowledged) + len(failed),
              f"kill -9: {len(acknowledged)} acknowledged are stored once", f"{stored} stored, {failed[:5]}")
    tap.same(server.stop(), 0, "kill -9: the server ends well")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def main():
    server = Server(new_folder())
    misuse(server)
    split_everywhere(server)
    cut_everywhere(server)
    floods(server)
    promises(server)
    takes_no_answer(server)
    tap.same(server.stop(), 0, "the server ends well after all of it")
    drain()
    killed()
    tap.end()


main()
