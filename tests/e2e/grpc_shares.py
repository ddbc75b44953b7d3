"""What one sender over gRPC can take from the others: memory of a namespace, room
for messages that wait for a key, connections.
"""
import base64
import hashlib
import os
import resource
import socket
import struct
import time

import grpc
from hpack import Decoder

from access_kit import make_token
from callboard import Server, Tap, is_sanitized, new_folder, wait_until
from grpc_raw import BODY, HEAD, PATH, Raw, message

tap = Tap()


def greedy_tenant():
    """Unfinished messages of one namespace meet its ingestMemory, those of another do not; all is given back."""
    folder, tokens = new_folder(), {"acme": make_token(), "other": make_token()}
    write(folder + "/limits", "namespaces: {acme: {ingestMemory: 1000000}}\n")
    write(folder + "/tokens", "tokens:\n" + "".join(
        f"  - {{name: {space}, sha256: {hashlib.sha256(token.encode()).hexdigest()}, role: ingest, namespace: {space}}}\n"
        for space, token in tokens.items()))
    server = Server(folder + "/data", "--auth", "required", "--tokens", folder + "/tokens", "--limits",
                    folder + "/limits")
    raws = {space: Raw(server) for space in tokens}
    for space, raw in raws.items():
        for _ in range(30):
            raw.send(raw.head(HEAD + [("authorization", "Bearer " + tokens[space])]),
                     *(raw.data(part) for part in (b"\0" + struct.pack(">I", 8 << 20), bytes(15000), bytes(15000),
                                                   bytes(15000), bytes(15000))))
    for space, wanted, seconds in (("acme", {"8"}, 3), ("other", set(), 0.5)):  # before they are too slow
        decoder, seen = Decoder(), []
        for kind, _, _, data in raws[space].frames(seconds)[0]:
            if kind == 1:
                seen.append(dict(decoder.decode(data))["grpc-status"])
        tap.check(set(seen) == wanted and len(seen) < 30, f"ingestMemory over gRPC: {space} gets {wanted}", seen)
        raws[space].close()
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        def sends():
            try:
                return channel.unary_unary(PATH)(BODY, timeout=5, metadata=[
                    ("authorization", "Bearer " + tokens["acme"])]) == b""
            except grpc.RpcError:
                return False
        tap.check(wait_until(sends, 5), "ingestMemory over gRPC: given back with the connection")
    tap.same(server.stop(), 0, "ingestMemory over gRPC: the server ends well")


def unknown_key():
    """Messages whose token names a key that is still being fetched wait; all of them together have an eighth."""
    issuer = socket.create_server(("127.0.0.1", 0))  # it never answers
    url = f"http://127.0.0.1:{issuer.getsockname()[1]}/jwks"
    server = Server(new_folder(), "--auth", "required", "--jwks-url", url, "--jwt-issuer", url, "--jwt-audience", "any")
    parts = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (
        b'{"alg":"RS256","kid":"x"}', b'{"iss":"' + url.encode() + b'","sub":"a"}', bytes(256))]
    raws, most = [Raw(server) for _ in range(8)], 0
    head = HEAD + [("authorization", "Bearer " + ".".join(parts))]
    before = server.memory("VmRSS")
    for raw in raws:
        for _ in range(100):
            raw.send(raw.head(head), *(raw.data(part) for part in (b"\0" + struct.pack(">I", 8 << 20),
                                                                   *[bytes(15000)] * 4)))
        most = max(most, server.memory("VmRSS") - before)
    print(f"# {most} bytes for requests that wait for a key")
    tap.check(is_sanitized() or most < 16 << 20, "messages that wait for a key hold little", most)
    for raw in raws:
        raw.close()
    tap.same(server.stop(), 0, "unknown key: the server ends well")
    issuer.close()


def write(path, text):
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)


HEALTH = "/grpc.health.v1.Health/Check"


def answer_of(raw, decoder, head, body, seconds=3):
    """(grpc-status, grpc-message, seconds that it took) of one request; grpc-status None: there is none."""
    began = time.monotonic()
    raw.send(raw.head(head), raw.data(message(body), end=True))
    seen = {}
    while "grpc-status" not in seen and time.monotonic() - began < seconds:
        frames, ended = raw.frames(0.1)
        for kind, _, _, data in frames:
            if kind == 1:
                seen.update(decoder.decode(data))
        if ended:
            break
    return seen.get("grpc-status"), seen.get("grpc-message"), time.monotonic() - began


def reserved():
    """All ordinary connections send a message: another one may ask for health only, and is told so at once."""
    server = Server(new_folder(), limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))
    busy, refused = [], None
    health = [(name, HEALTH if name == ":path" else value) for name, value in HEAD]
    for _ in range(128):
        raw = Raw(server)
        raw.send(raw.head(), raw.data(b"\0" + struct.pack(">I", 1000)))
        busy.append(raw)
        one, decoder = Raw(server), Decoder()
        status, text, seconds = answer_of(one, decoder, HEAD, BODY)
        if status != "0":
            refused = (status, text)
            tap.check(status == "14" and "too many connections" in text and seconds < 1,
                      "a request on a reserved connection is refused at once", (status, text, seconds, len(busy)))
            tap.same(answer_of(one, decoder, health, b"")[0], "0", "the same connection may ask for health")
            one.close()
            break
        one.close()
    tap.check(refused, "there is an end to ordinary connections", len(busy))
    for raw in busy:
        raw.close()
    tap.check(wait_until(lambda: answer_of(Raw(server), Decoder(), HEAD, BODY)[0] == "0", 5), "requests are taken again afterwards")
    tap.same(server.stop(), 0, "reserved connections: the server ends well")


def main():
    reserved()
    greedy_tenant()
    unknown_key()
    tap.end()


main()
