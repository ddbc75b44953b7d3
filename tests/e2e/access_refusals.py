"""What is refused on ports that ask for a credential: a page in a browser can
read the refusal, a stranger's body is not waited for, and an end of a token that
cannot be is refused while the token stays.
"""
import http.client
import os
import secrets
import socket
import stat
import subprocess
import sys

from access_kit import admin, ask, make_token, row, write_tokens
from callboard import Server, Tap, new_folder

tap = Tap()
PORTAL = "http://portal.example"
MIB = 1 << 20


def asked_by_page(port, method, path, token=None, origin=PORTAL, **more):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Origin": origin, "Content-Type": "application/json", **more}
    if token:
        headers["Authorization"] = "Bearer " + token
    client.request(method, path, None if method in ("GET", "OPTIONS") else "{}", headers)
    answer = client.getresponse()
    answer.read()
    client.close()
    return answer.status, answer.headers


def check_page(server, viewer):
    """Without the headers of CORS a page sees no status, only that it failed."""
    for name, port, method, path in (
            ("query", server.query_port, "GET", "/metrics"),
            ("query", server.query_port, "POST", "/api/v1/access/tokens"),
            ("otlp", server.otlp_port, "POST", "/v1/traces")):
        for what, token, wanted in (("no token", None, 401), ("a wrong token", make_token(), 401),
                                    ("a token without the right", viewer, 403)):
            status, headers = asked_by_page(port, method, path, token)
            seen = (status, headers.get("Access-Control-Allow-Origin"),
                    headers.get("Access-Control-Allow-Credentials"), headers.get("Access-Control-Expose-Headers"),
                    "Origin" in headers.get("Vary", ""))
            tap.same(seen, (wanted, PORTAL, "true", "ETag, Retry-After", True),
                     f"{name} {method} {path}, {what}: a page can read the {wanted}")
        status, headers = asked_by_page(port, "OPTIONS", path, **{
            "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"})
        tap.check(status in (200, 204) and headers.get("Access-Control-Allow-Origin") == PORTAL and
                  "authorization" in headers.get("Access-Control-Allow-Headers", "").lower(),
                  f"{name} {path}: a preflight has no token and needs none", (status, headers.items()))
        status, headers = asked_by_page(port, method, path, origin="http://evil.example")
        tap.check(status in (401, 403) and not headers.get("Access-Control-Allow-Origin"),
                  f"{name} {method} {path}: a page of another origin can read nothing", (status, headers.items()))


# ---- bodies of strangers ----


def announce(port, length, token, source):
    """Only the head is sent: what is answered within two seconds, and whether the connection is ended."""
    client = socket.create_connection(("127.0.0.1", port), timeout=2, source_address=(source, 0))
    client.sendall((f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
                    f"Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n").encode())
    text = b""
    try:
        while more := client.recv(65536):
            text += more
    except socket.timeout:
        return text, False, client
    return text, True, client


def check_bodies(server, writer):
    source = "127.0.201.1"
    client = http.client.HTTPConnection("127.0.0.1", server.otlp_port, timeout=10, source_address=(source, 0))
    status, asked = 401, 0
    while status == 401 and asked < 300:
        client.request("POST", "/v1/traces", b"{}", {"Authorization": "Bearer " + make_token()})
        answer = client.getresponse()
        answer.read()
        status, asked = answer.status, asked + 1
    tap.same(status, 429, "an address with too many wrong tokens gets 429")
    text, ended, one = announce(server.otlp_port, MIB + 1, make_token(), source)
    tap.check(text.startswith(b"HTTP/1.1 429 ") and ended, "429: a body of more than 1 MiB is not waited for",
              (text[:300], ended))
    one.close()
    text, ended, one = announce(server.otlp_port, MIB, make_token(), source)
    tap.same((text, ended), (b"", False), "429: one of 1 MiB is read first")
    one.sendall(bytes(MIB))
    tap.check(one.recv(65536).startswith(b"HTTP/1.1 429 "), "429: and then answered")
    one.close()
    text, ended, one = announce(server.otlp_port, MIB + 1, writer, source)
    tap.same((text, ended), (b"", False), "a body of more than 1 MiB of who may send is read")
    one.close()


# ---- the end of a rotated token ----


def check_rotation(server):
    """The overlap is a text such as 24h; the token that is not rotated stays as it was."""
    status, made = admin(server, "POST", "/api/v1/access/tokens", {"name": "ci", "role": "ingest", "namespace": "acme"})
    path = f"/api/v1/access/tokens/{made['id']}/rotate"

    def works(token):
        return ask(server.query_port, "GET", "/api/v1/access/me", None, token=token, group=secrets.token_hex(4))[0] == 200

    for overlap in (0, 3600, -1, 1.5, True, [], {}, "", "-1h", "1 hour", "h", "1e3s", "9" * 30 + "d", "200000d"):
        status, answer = admin(server, "POST", path, {"overlap": overlap})
        tap.check(status == 400 and "overlap" in answer["message"], f"overlap {overlap!r} is 400", (status, answer))
    tap.check(works(made["token"]), "the token that was not rotated is taken")
    tap.same(len(admin(server, "GET", "/api/v1/access/tokens")[1]["tokens"]), 4, "and no other was made")
    status, fresh = admin(server, "POST", path, {"overlap": "0"})
    tap.check(status == 200 and works(fresh["token"]) and not works(made["token"]), "overlap \"0\" ends it at once",
              (status, fresh))
    status, answer = admin(server, "POST", path, {"overlap": "1h"})
    tap.check(status == 400 and fresh["id"] in answer["message"], "it is not rotated again: the newer one is named",
              (status, answer))
    status, answer = admin(server, "POST", "/api/v1/access/tokens/aaaaaaaa/rotate", {"overlap": "1h"})
    tap.same(status, 404, "a token that is not there is 404")


# ---- another user at the socket ----


def as_nobody(folder, path):
    """What the user nobody gets from the socket: a status and a text, or an error of connect().

    The folder is entered before the user is changed, so that only its own mode counts."""
    code = f"""if True:
        import http.client, os, socket
        os.chdir({folder!r})
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        client = http.client.HTTPConnection("localhost")
        client.sock = socket.socket(socket.AF_UNIX)
        try:
            client.sock.connect("admin.sock")
        except OSError as error:
            raise SystemExit(error.strerror)
        client.request("GET", {path!r})
        answer = client.getresponse()
        raise SystemExit(f"{{answer.status}} {{answer.read().decode()}}")
    """
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, timeout=60).stderr.strip()


def check_other_user(server):
    """Modes keep others out; where they were loosened, the user of the peer does."""
    if os.geteuid() != 0:
        tap.skip("another user at the socket", "only root can become one")
        return
    sock = os.path.join(server.folder, "admin.sock")
    tap.same(stat.S_IMODE(os.stat(sock).st_mode), 0o600, "the mode of the socket")
    os.chmod(server.folder, 0o711)
    tap.same(as_nobody(server.folder, "/health"), "Permission denied", "another user cannot open the socket")
    os.chmod(sock, 0o666)
    for path in ("/api/v1/access/tokens", "/metrics", "/health", "/nowhere"):
        text = as_nobody(server.folder, path)
        tap.check(text.startswith("403 ") and "only the user of the server" in text,
                  f"{path} over the socket: another user is refused", text)
    tap.same(admin(server, "GET", "/api/v1/access/tokens")[0], 200, "root is not")


def main():
    folder, viewer, writer, other = new_folder(), make_token(), make_token(), make_token()
    path = os.path.join(folder, "tokens.yaml")
    write_tokens(path, [row(viewer, "viewer", role="viewer", namespace="acme"),
                        row(writer, "writer", role="ingest", namespace="acme"),
                        row(other, "other", role="viewer", namespace="beta")])
    server = Server(os.path.join(folder, "data"), "--auth", "required", "--tokens", path, "--cors-origins", PORTAL)
    check_page(server, viewer)
    check_rotation(server)
    check_bodies(server, writer)
    check_other_user(server)
    tap.same(server.stop(), 0, "the server ends well")
    tap.end()


main()
