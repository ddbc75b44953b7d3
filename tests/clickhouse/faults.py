"""A proxy before ClickHouse's HTTP interface that makes faults.

    python faults.py PORT TARGET_PORT        PORT 0: a free one; prints "port N"

In Python:

    proxy = faults.Proxy(target_port).start()        # proxy.port
    proxy.set("lost_answer", match="INSERT INTO `cb`.`otel_logs`", count=2)
    proxy.clear(); proxy.seen("lost_answer")         # how often it was made

From elsewhere: POST /_faults {"kind": ..., "match": ..., "count": ...} on the
same port, DELETE /_faults, GET /_faults for the counts.

    refuse       the connection is reset before the request is read
    cut_request  reset after the request was read; ClickHouse does not get it
    lost_answer  ClickHouse executes it; its answer is lost, the connection reset
    cut_answer   half of the answer arrives, then the connection is reset
    slow         `seconds` before the request is passed on
    slow_answer  the answer comes in pieces over `seconds`
    hang         no answer until the faults are cleared; not passed on
    error        an answer with `http` (500), `code` and `text` of ClickHouse
    and by name: readonly, disk_full, too_many_parts, memory, too_many_queries,
    timeout, wrong_password, bad_gateway (502 of a load balancer)

`match`: only requests whose SQL contains it (case ignored); `skip`: so many pass
first; `count`: for so many requests (default: until cleared); `chance`: of each,
with `seed`.
"""
import http.client
import http.server
import json
import os
import random
import socket
import struct
import sys
import threading
import time
import urllib.parse

# name: (HTTP status, code, text)
ERRORS = {
    "error": (500, 0, "Internal error"),
    "readonly": (500, 242, "Table is in readonly mode (replica path: /r). (TABLE_IS_READ_ONLY)"),
    "disk_full": (500, 243, "Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)"),
    "too_many_parts": (500, 252, "Too many parts (3000). Merges are processing significantly slower than "
                                 "inserts. (TOO_MANY_PARTS)"),
    "memory": (500, 241, "Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)"),
    "too_many_queries": (500, 202, "Too many simultaneous queries. Maximum: 100. (TOO_MANY_SIMULTANEOUS_QUERIES)"),
    "timeout": (408, 159, "Timeout exceeded: elapsed 10 seconds, maximum: 10. (TIMEOUT_EXCEEDED)"),
    "wrong_password": (403, 516, "default: Authentication failed. (AUTHENTICATION_FAILED)"),
    "bad_gateway": (502, 0, "<html>502 Bad Gateway</html>"),
}
KINDS = {"refuse", "cut_request", "lost_answer", "cut_answer", "slow", "slow_answer", "hang", *ERRORS}
HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "server", "date"}


class Fault:
    def __init__(self, kind, match="", skip=0, count=None, chance=1.0, seed=1, seconds=1.0, **error):
        if kind not in KINDS:
            raise ValueError(f"no fault {kind}")
        self.kind, self.match, self.skip, self.count = kind, match.lower(), skip, count
        self.chance, self.random = chance, random.Random(seed)
        self.seconds, self.error = seconds, error
        self.over = threading.Event()

    def hits(self, sql):
        if self.count == 0 or self.match not in sql.lower():
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.random.random() >= self.chance:
            return False
        if self.count is not None:
            self.count -= 1
        return True


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def setup(self):
        super().setup()
        if self.server.proxy.choose(None, "refuse"):
            self.reset()

    def reset(self):
        """The peer gets a reset, not an end."""
        self.close_connection = True
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach()) # close() would wait for rfile
        except OSError:
            pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status, data, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def control(self, body):
        proxy = self.server.proxy
        try:
            if self.command == "POST":
                proxy.set(**json.loads(body))
            elif self.command == "DELETE":
                proxy.clear()
        except (TypeError, ValueError) as error:
            return self.reply(400, f"{error}\n".encode())
        self.reply(200, json.dumps(proxy.counts).encode())

    def do_POST(self):
        body = self.body()
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/_faults":
            return self.control(body)
        query = dict(urllib.parse.parse_qsl(url.query)).get("query", "")
        fault = self.server.proxy.choose(query + "\n" + body[:4096].decode(errors="replace"))
        kind = fault.kind if fault else "none"
        if kind == "cut_request":
            self.reset()
        elif kind == "hang":
            fault.over.wait()
            self.reset()
        elif kind in ERRORS:
            self.fail(fault)
        else:
            if kind == "slow":
                fault.over.wait(fault.seconds)
            self.forward(body, fault if kind in ("lost_answer", "cut_answer", "slow_answer") else None)

    do_GET = do_DELETE = do_POST

    def fail(self, fault):
        status, code, text = ERRORS[fault.kind]
        status, code = fault.error.get("http", status), fault.error.get("code", code)
        text = fault.error.get("text", text)
        if code:
            text = f"Code: {code}. DB::Exception: {text} (version 26.9.2.1)\n"
        self.reply(status, text.encode(), *([("X-ClickHouse-Exception-Code", str(code))] if code else []))

    def forward(self, body, fault):
        target = http.client.HTTPConnection("127.0.0.1", self.server.proxy.target, timeout=600)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            headers["Content-Length"] = str(len(body))
            target.request(self.command, self.path, body, headers)
            answer = target.getresponse()
            if fault:
                return self.spoil(answer, answer.read(), fault)
            self.pass_on(answer)
        except (OSError, http.client.HTTPException):
            self.reset()
        finally:
            target.close()

    def pass_on(self, answer):
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        length = answer.getheader("Content-Length")
        self.send_header(*(("Content-Length", length) if length else ("Transfer-Encoding", "chunked")))
        self.end_headers()
        while data := answer.read1(1 << 18):
            self.wfile.write(data if length else b"%x\r\n%s\r\n" % (len(data), data))
        if not length:
            self.wfile.write(b"0\r\n\r\n")

    def spoil(self, answer, data, fault):
        if fault.kind == "lost_answer":
            return self.reset()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if fault.kind == "cut_answer":
            self.wfile.write(data[:len(data) // 2])
            self.wfile.flush()
            return self.reset()
        step = max(1, len(data) // 10)
        for begin in range(0, len(data), step):
            self.wfile.write(data[begin:begin + step])
            fault.over.wait(fault.seconds / 10)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_): # peers that go away are what this is for
        pass


class Proxy:
    """Threads: any may set and clear."""

    def __init__(self, target, port=0):
        self.target = target
        self.server = _Server(("127.0.0.1", port), _Handler)
        self.server.proxy = self
        self.port = self.server.server_address[1]
        self.faults = []
        self.counts = {"requests": 0}
        self.lock = threading.Lock()

    def start(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self.clear()
        self.server.shutdown()
        self.server.server_close()

    def set(self, kind, **more):
        """Adds a fault; several may be set, the first that hits is made."""
        with self.lock:
            self.faults.append(Fault(kind, **more))
        return self

    def clear(self):
        with self.lock:
            for fault in self.faults:
                fault.over.set()
            self.faults = []

    def seen(self, kind):
        return self.counts.get(kind, 0)

    def choose(self, sql, only=None):
        """The fault of a request, or of a connection (`only`: refuse)."""
        with self.lock:
            if sql is not None:
                self.counts["requests"] += 1
            for fault in self.faults:
                if (fault.kind == "refuse") == (only == "refuse") and fault.hits(sql or ""):
                    self.counts[fault.kind] = self.counts.get(fault.kind, 0) + 1
                    return fault
        return None


if __name__ == "__main__":
    running = Proxy(int(sys.argv[2]), int(sys.argv[1])).start()
    print("port", running.port, flush=True)
    while True:
        time.sleep(3600)
