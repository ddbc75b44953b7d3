"""Sends export requests over HTTP/1 or gRPC as fast as they are answered: the
same bytes over both, each request different. The server's CPU is what counts,
so the frames are written by hand.
"""
import http.client
import socket
import struct
import threading
import time

from callboard import otlp_proto, scope, seeded, span, spans_request, stamped

PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MARK = "f00dfeed" * 4
FRAME, FIRST_WINDOW = 16384, 65535


def body_of(spans):
    """A request of so many spans, and where the trace id of the first is."""
    rng, now = seeded(), time.time_ns()
    made = [span(rng, now - i * 1_000_000, trace_id=MARK if i == 0 else None,
                 http__response__status_code=200, url__path=f"/items/{i}", server__address="cart.shop.svc",
                 server__port=8080, user_agent__original="Mozilla/5.0 (X11; Linux x86_64; rv:128.0)",
                 client__address=f"10.0.{i % 7}.{i % 251}", network__protocol__version="1.1", url__scheme="http")
            for i in range(spans)]
    body = bytearray(otlp_proto("traces", spans_request(stamped("cart"), made)))
    return body, body.index(bytes.fromhex(MARK))


def literal(name, value):
    """A field of HPACK that is not indexed; neither is long."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


HEAD = b"".join(literal(*one) for one in (
    (":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", "127.0.0.1"),
    ("content-type", "application/grpc"), ("te", "trailers")))


def frame(kind, flags, stream, data):
    return struct.pack(">I", len(data))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + data


class Grpc:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
        self.stream, self.read, self.connection = -1, b"", FIRST_WINDOW

    def next(self):
        while len(self.read) < 9 or len(self.read) < 9 + int.from_bytes(self.read[:3], "big"):
            more = self.socket.recv(65536)
            if not more:
                raise OSError("closed")
            self.read += more
        end = 9 + int.from_bytes(self.read[:3], "big")
        one, self.read = self.read[:end], self.read[end:]
        return one[3], one[4], int.from_bytes(one[5:9], "big"), one[9:]

    def note(self):
        """The next frame; True: it ends the answer."""
        kind, flags, stream, data = self.next()
        if kind == 8:
            more = int.from_bytes(data, "big")
            if stream == 0:
                self.connection += more
            elif stream == self.stream:
                self.credit += more
        if kind == 4 and not flags & 1:
            self.socket.sendall(frame(4, 1, 0, b""))
        assert kind not in (3, 7), (kind, data)
        return kind == 1 and flags & 1

    def send(self, body):
        self.stream += 2
        self.credit, at = FIRST_WINDOW, 0
        data = b"\0" + struct.pack(">I", len(body)) + body
        out = frame(1, 4, self.stream, HEAD)
        while at < len(data):
            size = min(FRAME, len(data) - at, self.credit, self.connection)
            if size == 0:
                self.socket.sendall(out)
                out = b""
                self.note()
                continue
            at += size
            self.credit -= size
            self.connection -= size
            out += frame(0, at == len(data), self.stream, data[at - size:at])
        self.socket.sendall(out)
        while not self.note():
            pass


class Http:
    def __init__(self, port):
        self.client = http.client.HTTPConnection("127.0.0.1", port)

    def send(self, body):
        self.client.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        answer = self.client.getresponse()
        answer.read()
        assert answer.status == 200, answer.status


def send_all(way, port, spans, requests, connections=4):
    """Each connection its share; returns when all are answered."""
    template, at = body_of(spans)

    def run(first):
        body, one = bytearray(template), way(port)
        for n in range(first, requests, connections):
            body[at:at + 16] = struct.pack(">QQ", time.time_ns(), n + 1)
            one.send(bytes(body))
    threads = [threading.Thread(target=run, args=(i,)) for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(template)
