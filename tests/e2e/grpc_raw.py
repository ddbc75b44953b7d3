"""HTTP/2 frames by hand: a connection to the gRPC port that writes them and notes
what comes back.
"""
import os
import socket
import struct
import time

import grpc
from hpack import Encoder
from hyperframe.frame import DataFrame, HeadersFrame, SettingsFrame

from callboard import otlp_proto, seeded, span, spans_request, stamped

rng = seeded()
TICK = os.sysconf("SC_CLK_TCK")
PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = [(":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", "127.0.0.1"),
        ("content-type", "application/grpc"), ("te", "trailers")]


def cpu(server):
    with open(f"/proc/{server.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def message(body):
    return b"\0" + struct.pack(">I", len(body)) + body


BODY = otlp_proto("traces", spans_request(stamped("cart"), [span(rng, time.time_ns())]))


class Raw:
    """A connection that writes frames and notes what comes back."""

    def __init__(self, server, window=None):
        self.socket = socket.create_connection(("127.0.0.1", server.grpc_port), timeout=10)
        self.encoder = Encoder()
        self.stream = -1
        settings = SettingsFrame(0)
        if window is not None:
            settings.settings = {SettingsFrame.INITIAL_WINDOW_SIZE: window}
        self.socket.sendall(PREFACE + settings.serialize())

    def send(self, *frames):
        """False: the server has closed the connection."""
        try:
            self.socket.sendall(b"".join(f if isinstance(f, bytes) else f.serialize() for f in frames))
            return True
        except OSError:
            return False

    def head(self, headers=HEAD, end=False):
        self.stream += 2
        frame = HeadersFrame(self.stream, self.encoder.encode(headers))
        frame.flags.add("END_HEADERS")
        if end:
            frame.flags.add("END_STREAM")
        return frame

    def data(self, data, end=False, stream=None, pad=0):
        frame = DataFrame(self.stream if stream is None else stream, data)
        if end:
            frame.flags.add("END_STREAM")
        if pad:
            frame.flags.add("PADDED")
            frame.pad_length = pad
        return frame

    def read(self, seconds):
        """What arrives within so many seconds, until the end; and whether it was the end."""
        out, until = b"", time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return out, False
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(65536)
            except socket.timeout:
                return out, False
            except OSError:
                return out, True
            if not more:
                return out, True
            out += more

    def frames(self, seconds):
        out, ended = self.read(seconds)
        found, at = [], 0
        while at + 9 <= len(out):
            length, kind, flags, stream = int.from_bytes(out[at:at + 3], "big"), out[at + 3], out[at + 4], \
                int.from_bytes(out[at + 5:at + 9], "big")
            found.append((kind, flags, stream, out[at + 9:at + 9 + length]))
            at += 9 + length
        return found, ended

    def close(self):
        self.socket.close()


def good_client(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        return channel.unary_unary(PATH)(BODY, timeout=10) == b""
