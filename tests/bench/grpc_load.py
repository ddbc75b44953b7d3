"""Sends export requests over HTTP/1 or gRPC as fast as they are answered: the
same bytes over both, each request different. The server's CPU is what counts,
so the frames are written by hand.
"""
import concurrent.futures
import functools
import http.client
import socket
import struct
import time

from callboard import otlp_proto, scope, seeded, span, spans_request, stamped

PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MARK = "f00dfeed" * 4
FRAME, FIRST_WINDOW = 16384, 65535


@functools.cache
def body_of(spans):
    """A request of so many spans, and where the trace id of the first is."""
    rng, now = seeded(), time.time_ns()
    made = [span(rng, now - i * 1_000_000, trace_id=MARK if i == 0 else None,
                 http__response__status_code=200, url__path=f"/items/{i}", server__address="cart.shop.svc",
                 server__port=8080, user_agent__original="Mozilla/5.0 (X11; Linux x86_64; rv:128.0)",
                 client__address=f"10.0.{i % 7}.{i % 251}", network__protocol__version="1.1", url__scheme="http")
            for i in range(spans)]
    body = bytearray(otlp_proto("traces", spans_request(stamped("cart"), made)))
    return bytes(body), body.index(bytes.fromhex(MARK))


def length_of(value):
    """HPACK's integer with a prefix of 7 bits: no Huffman code."""
    if value < 127:
        return bytes([value])
    out, value = b"\x7f", value - 127
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def heads(fields):
    """HEADERS of the first request, whose fields enter the table, and of the
    later ones, which refer to it; as gRPC's libraries do."""
    first = b"".join(b"\x40" + b"".join(length_of(len(text)) + text.encode() for text in field) for field in fields)
    return first, bytes(128 | 61 + len(fields) - i for i in range(len(fields)))


FIELDS = [(":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", "127.0.0.1"),
          ("content-type", "application/grpc"), ("te", "trailers")]


def frame(kind, flags, stream, data):
    return struct.pack(">I", len(data))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + data


class Grpc:
    def __init__(self, port, token=None, tls=None):
        """tls: the ssl.SSLContext of a client that offers h2."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.head, self.later = heads(FIELDS + ([("authorization", "Bearer " + token)] if token else []))
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
        out, self.head = frame(1, 4, self.stream, self.head), self.later
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
    def __init__(self, port, token=None, tls=None):
        self.client = (http.client.HTTPSConnection("localhost", port, context=tls) if tls else
                       http.client.HTTPConnection("127.0.0.1", port))
        self.headers = {"Content-Type": "application/x-protobuf"}
        if token:
            self.headers["Authorization"] = "Bearer " + token

    def send(self, body):
        self.client.request("POST", "/v1/traces", body, self.headers)
        answer = self.client.getresponse()
        answer.read()
        assert answer.status == 200, answer.status


def send_over(opened, spans, requests):
    """Each connection its share; returns when all are answered."""
    template, at = body_of(spans)

    def run(first):
        body = bytearray(template)
        for n in range(first, requests, len(opened)):
            body[at:at + 16] = struct.pack(">QQ", time.time_ns(), n + 1)
            opened[first].send(bytes(body))
    with concurrent.futures.ThreadPoolExecutor(len(opened)) as pool:
        list(pool.map(run, range(len(opened))))  # raises what was raised
    return len(template)


def send_all(way, port, spans, requests, connections=4):
    return send_over([way(port) for _ in range(connections)], spans, requests)
