"""Request heads, byte by byte, on both ports, plain and over TLS: what RFC 9112 calls dangerous is
400 and ends the connection, so that a second request behind it gets no answer;
Host, Origin, Sec-Fetch-Site and preflights; query parameters; compression.
"""
import gzip
import json
import re
import socket
import time

from callboard import Server, Tap, log, logs_request, new_folder, otlp_json, stamped
from certificates import Authority

tap = Tap()
ORIGIN = "http://portal.example"
tls = []


def connect(port):
    """Over TLS if `tls` has a context."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    return tls[0].wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=True) if tls else plain


def talk(port, data, seconds=5.0):
    """All that comes back until the connection ends, and whether it did."""
    with connect(port) as s:
        try:
            s.sendall(data)
        except OSError:
            pass
        got, until = b"", time.monotonic() + seconds
        s.settimeout(0.5)
        while time.monotonic() < until:
            try:
                piece = s.recv(65536)
            except socket.timeout:
                if got:
                    return got, False
                continue
            except OSError:
                return got, True
            if not piece:
                return got, True
            got += piece
    return got, False


def statuses(answer):
    return [int(n) for n in re.findall(rb"HTTP/1\.1 (\d{3}) [A-Z]", answer)]


class Port:
    """The same request in the words of one port."""

    def __init__(self, server, name):
        self.name = name
        if name == "otlp":
            self.port = server.otlp_port
            self.path = b"/v1/logs"
            self.body = otlp_json("logs", logs_request(stamped("heads"), [log(time.time_ns(), "x")]))
        else:
            self.port = server.query_port
            self.path = b"/api/v1/logs/query"
            now = time.time()
            stamp = lambda t: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
            self.body = json.dumps({"startTime": stamp(now - 60), "endTime": stamp(now + 60),
                                    "searchScope": {"namespace": "acme"}}).encode()

    def request(self, *fields, line=None, host=b"Host: localhost", body=None, length=True):
        body = self.body if body is None else body
        lines = [line or b"POST " + self.path + b" HTTP/1.1"]
        lines += [host] if host is not None else []
        lines += [b"Content-Type: application/json"]
        lines += [b"Content-Length: %d" % len(body)] if length else []
        return b"\r\n".join(lines + list(fields)) + b"\r\n\r\n" + body

    def chunked(self):
        return b"%x\r\n" % len(self.body) + self.body + b"\r\n0\r\n\r\n"


def dangerous(port):
    """Name and bytes."""
    n = b"%d" % len(port.body)
    plain, chunked = port.request, port.chunked()

    def coded(*fields, **more):
        return plain(*fields, length=False, body=chunked, **more)

    def line(target, method=b"POST", version=b"HTTP/1.1"):
        return method + b" " + target + b" " + version

    yield "Content-Length and Transfer-Encoding", plain(b"Transfer-Encoding: chunked", body=chunked)
    yield "Transfer-Encoding and Content-Length", coded(b"Transfer-Encoding: chunked", b"Content-Length: " + n)
    yield "two Content-Length", plain(b"Content-Length: 3")
    yield "two Content-Length, the same", plain(b"Content-Length: " + n)
    yield "two Content-Length, the short one first", plain(b"Content-Length: 3", b"Content-Length: " + n, length=False)
    yield "Content-Length as a list", plain(b"Content-Length: " + n + b", " + n, length=False)
    yield "Content-Length with a sign", plain(b"Content-Length: +" + n, length=False)
    yield "Content-Length with a blank", plain(b"Content-Length: 1 0", length=False)
    yield "Content-Length in hex", plain(b"Content-Length: 0x10", length=False)
    yield "Content-Length below zero", plain(b"Content-Length: -1", length=False)
    yield "Content-Length beyond 64 bits", plain(b"Content-Length: 99999999999999999999", length=False)
    yield "Content-Length empty", plain(b"Content-Length:", length=False)
    yield "Transfer-Encoding twice", coded(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")
    yield "Transfer-Encoding chunked twice in one", coded(b"Transfer-Encoding: chunked, chunked")
    yield "Transfer-Encoding identity first", coded(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked")
    yield "Transfer-Encoding in HTTP/1.0", coded(b"Transfer-Encoding: chunked", line=line(port.path, version=b"HTTP/1.0"))
    yield "Transfer-Encoding before a blank", coded(b"Transfer-Encoding : chunked")
    yield "Transfer-Encoding before a tab", coded(b"Transfer-Encoding\t: chunked")
    yield "Transfer-Encoding as a folded line", coded(b"X-Folded: a\r\n Transfer-Encoding: chunked")
    yield "Transfer-Encoding on its second line", coded(b"Transfer-Encoding:\r\n chunked")
    for coding in (b"identity", b"xchunked", b"gzip, chunked", b"\x0bchunked", b"chunked;q=1", b"", b"gzip", b"chunke"):
        yield f"Transfer-Encoding {coding!r}", coded(b"Transfer-Encoding: " + coding)
    yield "a folded line", plain(b"X-Folded: a\r\n b")
    yield "a folded name", coded(b"Transfer-: chunked\r\n Encoding")
    yield "two folded lines", plain(b"X-Folded: a\r\n\tb\r\n c", b"X-A: b")
    for part in (b"\0c", b"\0\0", b"\0 \r\nX-C: d"):
        yield f"a value in the middle with {part!r}", plain(b"X-A: b" + part, b"X-B: c")
    yield "the last value with NUL", plain(b"X-A: b\0c")
    yield "a value in the middle with NUL at its end", plain(b"X-A: b\0", b"X-B: c")
    yield "NUL before a value", plain(b"X-A:\0 b", b"X-B: c")
    yield "NUL in a name", plain(b"X\0-A: b")
    yield "NUL in the method", plain(line=line(port.path, method=b"PO\0ST"))
    yield "NUL behind the method", plain(line=line(port.path, method=b"POST\0"))
    yield "NUL in the target", plain(line=line(port.path + b"\0x"))
    yield "NUL in a parameter", plain(line=line(port.path + b"?a=b\0x"))
    yield "NUL in Content-Length", plain(b"Content-Length: " + n + b"\0" + b"0", length=False)
    yield "NUL in Transfer-Encoding", coded(b"Transfer-Encoding: chunked\0, gzip")
    yield "a folded line first", plain(host=b" Host: localhost")
    yield "no Host", plain(host=None)
    yield "Host empty", plain(host=b"Host:")
    yield "Host twice", plain(b"Host: localhost")
    yield "Host with a user", plain(host=b"Host: a@localhost")
    yield "Host with a path", plain(host=b"Host: localhost/x")
    yield "Host with a blank", plain(host=b"Host: localhost evil.example")
    yield "Host list", plain(host=b"Host: localhost, evil.example")
    for twice in (b"Authorization: Bearer x", b"Origin: " + ORIGIN.encode(), b"Content-Encoding: identity"):
        yield f"two of {twice.split(b':')[0].decode()}", plain(twice, twice)
    yield "two of Content-Type", plain(b"Content-Type: application/json")
    yield "a header name with a blank", plain(b"X Y: 1")
    yield "a header name with a parenthesis", plain(b"X(Y): 1")
    yield "a header name of 8 bits", plain(b"X\xc3\xa4: 1")
    yield "a header value with CR", plain(b"X-A: b\rc")
    yield "a header value with a control character", plain(b"X-A: b\x01c")
    yield "a header line without a colon", plain(b"X-A")
    yield "an absolute target", plain(line=line(b"http://localhost" + port.path))
    yield "an absolute target of another host", plain(line=line(b"http://evil.example" + port.path))
    yield "a target without a slash", plain(line=line(port.path[1:]))
    yield "a target with a blank", plain(line=line(port.path + b" x"))
    yield "a target with a fragment", plain(line=line(port.path + b"#x"))
    yield "a target with a control character", plain(line=line(port.path + b"\x01"))
    yield "a target with a tab", plain(line=line(port.path + b"\tx"))
    yield "a target of 8 bits", plain(line=line(port.path + b"\xe4"))
    yield "a target * with POST", plain(line=line(b"*"))
    yield "HTTP/1.2", plain(line=line(port.path, version=b"HTTP/1.2"))
    yield "HTTP/2.0", plain(line=line(port.path, version=b"HTTP/2.0"))
    yield "http/1.1 in small letters", plain(line=line(port.path, version=b"http/1.1"))
    yield "CONNECT", plain(line=line(b"localhost:443", method=b"CONNECT"))


def test_dangerous(port):
    """One answer, 400, and the end."""
    second = port.request(b"X-Second: 1")
    for name, text in dangerous(port):
        answer, ended = talk(port.port, text + second)
        seen = statuses(answer)
        # An invalid Content-Length is refused by the library, which sends its head twice.
        once = len(seen) == 1 or name.startswith("Content-Length ")
        tap.check(once and set(seen) <= {400, 413, 505} and seen and ended, f"{port.name}: {name} is 400, and the end",
                  (seen, ended, answer[:300]))
    good, _ = talk(port.port, port.request() + second)
    tap.same(statuses(good), [200, 200], f"{port.name}: good ones, one behind the other, are both answered")
    for name, text in (("in chunks", port.request(b"Transfer-Encoding: chunked", length=False, body=port.chunked())),
                       ("with blanks behind values", port.request(b"X-A: \t b \t", b"X-Empty:", b"X-Blank:  ")),
                       ("with Host in IPv6", port.request(host=b"Host: [::1]:4318")),
                       ("with Host 127.0.0.1", port.request(host=b"Host: 127.0.0.1:1")),
                       ("with many headers", port.request(*(b"X-%d: %s" % (i, b"y" * 50) for i in range(100)))),
                       ("with lines that end by LF alone", port.request().replace(b"\r\n", b"\n"))):
        tap.same(statuses(talk(port.port, text)[0]), [200], f"{port.name}: a good one {name} is answered")
    old, ended = talk(port.port, port.request(line=b"POST " + port.path + b" HTTP/1.0", host=None))
    tap.check(statuses(old) == [200] and ended, f"{port.name}: HTTP/1.0 without Host is answered", old[:200])
    trace, _ = talk(port.port, b"TRACE " + port.path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    tap.same(statuses(trace), [405], f"{port.name}: TRACE is 405")
    tap.check(b"Allow: POST" in trace, f"{port.name}: with Allow", trace[:300])


def test_host(port):
    answer, _ = talk(port.port, port.request(host=b"Host: evil.example"))
    tap.check(statuses(answer) == [421] and b"--allowed-hosts" in answer, f"{port.name}: a foreign Host is 421", answer[:400])
    answer, _ = talk(port.port, port.request(host=b"Host: ours.example:8080"))
    tap.same(statuses(answer), [200], f"{port.name}: an allowed Host is served")


def test_origin(port):
    def ask(*fields, line=None):
        answer, _ = talk(port.port, port.request(*fields, line=line))
        return statuses(answer), answer

    for name, fields, wanted in (
            ("no Origin", (), [200]),
            ("Origin in the list", (b"Origin: " + ORIGIN.encode(),), [200]),
            ("Origin of the server itself", (b"Origin: http://localhost",), [200]),
            ("a foreign Origin", (b"Origin: http://evil.example",), [403]),
            ("a longer Origin", (b"Origin: http://portal.example.evil",), [403]),
            ("Origin null", (b"Origin: null",), [403]),
            ("a page of another site", (b"Sec-Fetch-Site: cross-site",), [403]),
            ("a page of the same site", (b"Sec-Fetch-Site: same-site",), [403]),
            ("our own page", (b"Sec-Fetch-Site: same-origin",), [200]),
            ("no page", (b"Sec-Fetch-Site: none",), [200]),
            ("a listed page of another site", (b"Sec-Fetch-Site: cross-site", b"Origin: " + ORIGIN.encode()), [200])):
        seen, answer = ask(*fields)
        tap.check(seen == wanted, f"{port.name}: {name} is {wanted[0]}", answer[:300])
        has = f"Access-Control-Allow-Origin: {ORIGIN}".encode() in answer
        tap.check(has == (ORIGIN.encode() in b"".join(fields) and wanted == [200]) and b"Vary: Origin" in answer,
                  f"{port.name}: {name}: the CORS headers", answer[:400])
    head = (b"OPTIONS " + port.path + b" HTTP/1.1\r\nHost: localhost\r\nOrigin: " + ORIGIN.encode() +
            b"\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-encoding,x-custom\r\n\r\n")
    answer, _ = talk(port.port, head)
    tap.check(statuses(answer) == [204] and re.search(rb"Access-Control-Allow-Methods: .*POST.*OPTIONS", answer) and
              b"Access-Control-Allow-Headers: content-encoding,x-custom" in answer and b"Access-Control-Max-Age" in answer,
              f"{port.name}: a preflight is 204", answer)
    answer, _ = talk(port.port, head.replace(ORIGIN.encode(), b"http://evil.example"))
    tap.check(b"Access-Control" not in answer, f"{port.name}: not for a foreign origin", answer)


def test_reads(server):
    """GET of a foreign page is answered, but the browser does not show it."""
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n"
    answer, _ = talk(server.query_port, head)
    tap.check(statuses(answer) == [200] and b"Access-Control" not in answer, "query: GET of a foreign page", answer)
    answer, _ = talk(server.otlp_port, head.replace(b"/health", b"/v1/logs"))
    tap.same(statuses(answer), [403], "otlp: but not there")


def test_params(server):
    def ask(query):
        answer, _ = talk(server.query_port, b"GET /api/v1/components?" + query + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return statuses(answer)

    tap.same(ask(b"namespace=acme"), [200], "one parameter")
    tap.same(ask(b"namespace=a&namespace=b"), [400], "one given twice is 400")
    tap.same(ask(b"namespace=a&n%61mespace=b"), [400], "also with an escape in its name")
    tap.same(ask(b"namespace=acme&" + b"&".join(b"x%d=1" % i for i in range(64))), [400], "65 of them are 400")
    tap.same(ask(b"namespace=" + b"a" * 5000), [400], "a value of 5,000 bytes is 400")


def test_compression(server):
    def ask(*fields, method=b"GET"):
        answer, _ = talk(server.query_port, method + b" /metrics HTTP/1.1\r\nHost: localhost\r\n" +
                         b"".join(f + b"\r\n" for f in fields) + b"\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        return head, body

    plain, body = ask()
    packed, zipped = ask(b"Accept-Encoding: br, gzip;q=0.8")
    tap.check(b"Content-Encoding" not in plain and b"# HELP" in body and b"ETag: " in plain, "large answers have an ETag", plain)
    tap.check(b"Content-Encoding: gzip" in packed and b"Vary: Accept-Encoding" in packed and
              b"# HELP" in gzip.decompress(zipped) and len(zipped) < len(body) / 2, "and are compressed where that is wanted", packed)
    head, _ = ask(b"Accept-Encoding: gzip;q=0, identity")
    tap.check(b"Content-Encoding" not in head, "not where it is not", head)
    head, body = ask(method=b"HEAD")
    tap.check(head.startswith(b"HTTP/1.1 200") and not body and b"Content-Length" in head, "HEAD has no body", (head, body))


def test_all(*more):
    server = Server(new_folder(), "--cors-origins", ORIGIN, "--allowed-hosts", "ours.example", *more)
    for name in ("otlp", "query"):
        port = Port(server, name)
        test_dangerous(port)
        test_host(port)
        test_origin(port)
    test_reads(server)
    test_params(server)
    test_compression(server)
    tap.same(server.stop(), 0, "it ends with status 0")


def main():
    test_all()
    authority = Authority(new_folder())
    cert, key = authority.server("server")
    tls.append(authority.context())
    print("# over TLS", flush=True)
    test_all("--tls-cert", cert, "--tls-key", key)
    tls.clear()
    # Bound to all addresses, as in a pod: probes and scrapes come by its address.
    server = Server(new_folder(), "--auth", "none", "--otlp-http", "0.0.0.0:0", "--query", "0.0.0.0:0")
    answer, _ = talk(server.query_port, b"GET /health HTTP/1.1\r\nHost: 10.1.2.3:9097\r\n\r\n")
    tap.same(statuses(answer), [200], "on all addresses a probe by address is served")
    tap.same(server.stop(), 0, "it ends with status 0, too")
    tap.end()


main()
