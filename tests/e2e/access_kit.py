"""Tokens made by hand, and requests with them."""
import base64
import hashlib
import http.client
import json
import os
import secrets
import socket

# ---- tokens, made by hand: the format is in docs/access.md ----

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def make_token():
    begin = "cbt_" + "".join(secrets.choice(BASE32) for _ in range(8)) + "_"
    begin += base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    check = hashlib.sha256(begin.encode()).digest()[:3]
    return begin + base64.urlsafe_b64encode(check).decode()


def row(token, name, **members):
    members.update(name=name, sha256=hashlib.sha256(token.encode()).hexdigest())
    return "  - " + json.dumps(members) + "\n"  # JSON is YAML


def write_tokens(path, rows, mode=0o600):
    with open(path + ".new", "w") as file:
        file.write("tokens:\n" + "".join(rows))
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)


# ---- requests, each class of them from an address of its own ----

addresses = {}


def ask(port, method, path, body, token=None, header=None, group="all"):
    """status, headers, text; over a connection from an address of the group,
    for wrong credentials are counted by address."""
    used = addresses.setdefault(group, [len(addresses) + 1, 0])
    used[1] += 1
    source = f"127.0.{used[0]}.{1 + used[1] // 25}"
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = "Bearer " + token
    if header:
        headers["Authorization"] = header
    client.request(method, path, body, headers)
    answer = client.getresponse()
    text = answer.read().decode(errors="replace")
    client.close()
    return answer.status, answer.headers, text


class UnixClient(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def admin(server, method, path, body=None):
    client = UnixClient(os.path.join(server.folder, "admin.sock"))
    client.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
    answer = client.getresponse()
    return answer.status, json.loads(answer.read() or b"null")
