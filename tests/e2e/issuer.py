"""A small identity provider and OpenChoreo's authorization service, on ports of
their own, with faults. Tokens are signed with python3-cryptography."""
import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils


def b64(data):
    if isinstance(data, (dict, list)):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    """RS256 or ES256."""

    def __init__(self, kid, alg="RS256"):
        self.kid, self.alg = kid, alg
        self.private = (rsa.generate_private_key(65537, 2048)
                        if alg == "RS256" else
                        ec.generate_private_key(ec.SECP256R1()))

    def jwk(self):
        public = self.private.public_key().public_numbers()
        if self.alg == "RS256":
            members = {"kty": "RSA", "n": number(public.n),
                       "e": number(public.e)}
        else:
            members = {"kty": "EC", "crv": "P-256", "x": number(public.x, 32),
                       "y": number(public.y, 32)}
        return {"kid": self.kid, "use": "sig", "alg": self.alg, **members}

    def sign(self, text):
        if self.alg == "RS256":
            return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        der = self.private.sign(text, ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def token(self, claims, **header):
        head = {"alg": self.alg, "kid": self.kid, "typ": "JWT", **header}
        text = f"{b64(head)}.{b64(claims)}"
        return f"{text}.{b64(self.sign(text.encode()))}"


class Service:
    """One HTTP server. `fault` is None or what goes wrong."""

    def __init__(self):
        self.fault = None
        self.seen = []  # (time, method, path, headers, body)
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.serve(b"")

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                self.serve(self.rfile.read(length))

            def serve(self, body):
                service.seen.append((time.monotonic(), self.command, self.path,
                                     dict(self.headers), body))
                status, headers, data = service.answer(self.path, body,
                                                       self.headers)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                try:
                    self.wfile.write(data)
                except OSError:
                    pass

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, body, headers):
        kind = {"Content-Type": "application/json"}
        if self.fault == "slow":
            time.sleep(5)
        if self.fault == "5xx":
            return 500, kind, b'{"error":"x"}'
        if self.fault == "401":
            return 401, kind, b"{}"
        if self.fault == "big":
            return 200, kind, b" " * 10_485_760
        if self.fault == "redirect" and path != "/elsewhere":
            return 302, {"Location": "/elsewhere"}, b""
        if self.fault == "html":
            return 200, {"Content-Type": "text/html"}, b"<html></html>"
        if self.fault == "empty":
            return 200, kind, self.empty
        return 200, kind, json.dumps(self.good(body, headers)).encode()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Issuer(Service):
    empty = b'{"keys":[]}'

    def __init__(self, keys):
        self.keys = keys
        super().__init__()
        self.issuer = self.url + "/realms/acme"

    def good(self, body, headers):
        return {"keys": [key.jwk() for key in self.keys]}

    def claims(self, **others):
        now = int(time.time())
        return {"iss": self.issuer, "aud": "callboard", "sub": "alice",
                "iat": now, "exp": now + 300, **others}

    def token(self, key=None, **others):
        return (key or self.keys[0]).token(self.claims(**others))


class Evaluate(Service):
    """Decides by a function of one question."""
    empty = b"[]"

    def __init__(self, decide):
        self.decide = decide
        super().__init__()

    def good(self, body, headers):
        return [{"decision": self.decide(question),
                 "context": {"reason": "test"}}
                for question in json.loads(body)]

    def questions(self):
        return [json.loads(seen[4]) for seen in self.seen]
