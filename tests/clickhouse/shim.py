"""ClickHouse's HTTP interface over its engine in this process (chdb).

    python shim.py FOLDER PORT [--user NAME:PASSWORD]

PORT 0 takes a free one; the first line of the output is "port N". The folder
keeps the data, also over kill -9.

What it speaks: GET and POST with the query in `query`, in the body or in both
(INSERT ... FORMAT X with the data behind); `database`, settings and param_* as
parameters; users by headers, parameters or Basic; Content-Encoding zstd, gzip
and deflate; zstd responses (enable_http_compression); streamed results of the
row formats, an error after their begin as ClickHouse writes it; errors with
their code and HTTP status; X-ClickHouse-Summary; /ping.

Unlike a server: queries of a client that went away run to their end or to
max_execution_time if they have not answered yet; no system.query_log, no users
but one, no query ids in system.processes.

Threads: a connection of chdb runs one query at a time, several connections run
beside each other (they share the engine, and the GIL is free meanwhile). So
each request takes a connection from a pool, and sets the settings that are not
as the request before has left them.
"""
import argparse
import base64
import http.server
import json
import os
import queue
import re
import signal
import sys
import threading
import urllib.parse

from chdb import _chdb

import codings

MAX_QUERIES = 32
CHUNK = HELD_BACK = 1 << 20

# Parameters of the interface that are no settings of a query.
OWN = {"query", "database", "user", "password", "default_format", "session_id", "session_timeout",
       "session_check", "query_id", "compress", "decompress", "wait_end_of_query", "buffer_size",
       "quota_key", "stacktrace", "enable_http_compression", "close_session", "role",
       "cancel_http_readonly_queries_on_client_close", "send_progress_in_http_headers",
       "http_headers_progress_interval_ms"}

# HTTP statuses of errors as ClickHouse has them; all others are 500.
STATUS = {
    **dict.fromkeys((6, 26, 27, 36, 38, 41, 43, 53, 62, 72, 117), 400),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 81, 115, 168), 404),
    **dict.fromkeys((192, 193, 516), 403),
    **dict.fromkeys((209, 439), 503),
    48: 501, 159: 408, 194: 401, 223: 413,
}

INSERT = re.compile(rb"\s*(insert\s+into\s.*?)\s+format\s+(\w+)[ \t]*;?(?:\r?\n|$|(?=\{))", re.I | re.S)
FORMAT = re.compile(rb"\sformat\s+(\w+)\s*(?:settings\s[^']*)?;?\s*$", re.I)
# Formats whose chunks put together are the whole result.
STREAMED = {"RowBinary", "TabSeparated", "TSV", "JSONEachRow", "CSV", "Native", "Values"}


class Failure(Exception):
    """An error of ClickHouse; its text begins with "Code: N. "."""

    def __init__(self, text):
        super().__init__(text)
        match = re.match(r"Code: (\d+)", text)
        self.code = int(match.group(1)) if match else 1002
        self.text = text if match else f"Code: 1002. DB::Exception: {text}"


def literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Connection:
    """One query at a time."""

    def __init__(self, folder):
        self.chdb = _chdb.connect(folder)
        self.database = "default"
        self.settings = {}

    def run(self, sql, form="TabSeparated", params=None):
        try:
            result = self.chdb.query(sql, form, params=params or {})
        except RuntimeError as error:
            raise Failure(str(error)) from None
        if result.has_error():
            raise Failure(result.error_message())
        return result

    def use(self, database, settings):
        if database != self.database:
            self.run(f"USE `{database}`")
            self.database = database
        changed = {name: value for name, value in settings.items() if self.settings.get(name) != value}
        if changed:
            self.run("SET " + ", ".join(f"{name} = {literal(value)}" for name, value in changed.items()))
            self.settings.update(changed)

    def forget(self, kept):
        """Takes back all settings but these."""
        for name in [name for name in self.settings if name not in kept]:
            self.run(f"SET {name} = DEFAULT")
            del self.settings[name]

    def insert(self, sql, form, data):
        """Returns rows and bytes written."""
        try:
            state = self.chdb.send_insert(sql, form)
            if state.has_error():
                raise Failure(state.error_message())
            for begin in range(0, len(data), CHUNK):
                self.chdb.insert_append(state, data[begin:begin + CHUNK])
            done = self.chdb.insert_done(state)
        except RuntimeError as error:
            raise Failure(str(error)) from None
        if done.has_error():
            raise Failure(done.error_message())
        return done.rows_written(), done.bytes_written()

    def stream(self, sql, form, params):
        """The chunks of the result."""
        state = None
        try:
            state = self.chdb.send_query(sql, form, params=params)
            if state.has_error():
                raise Failure(state.error_message())
            while True:
                chunk = self.chdb.streaming_fetch_result(state)
                if chunk is None or chunk.has_error():
                    text = chunk.error_message() if chunk else ""
                    state = None
                    raise Failure(text)
                data = chunk.bytes()
                if not data:
                    state = None
                    return
                yield data
        except RuntimeError as error:
            state = None
            raise Failure(str(error)) from None
        finally:
            if state is not None: # who reads it has gone
                self.chdb.streaming_cancel_query(state)


class Pool:
    """Connections that are made when they are needed."""

    def __init__(self, folder):
        self.folder = folder
        self.idle = queue.LifoQueue()
        self.count = 0
        self.lock = threading.Lock()

    def take(self, settings):
        """A connection without other settings than these."""
        while True:
            connection = self._take()
            try:
                connection.forget(settings)
                return connection
            except Failure as failure: # it costs a fifth of a second to make another
                print("a connection is lost:", failure.text, file=sys.stderr, flush=True)
                with self.lock:
                    self.count -= 1

    def _take(self):
        with self.lock:
            if self.idle.empty() and self.count < MAX_QUERIES:
                self.count += 1
                return Connection(self.folder)
        try:
            return self.idle.get(timeout=30)
        except queue.Empty:
            raise Failure("Code: 202. DB::Exception: Too many simultaneous queries. "
                          "(TOO_MANY_SIMULTANEOUS_QUERIES)") from None

    def give(self, connection):
        self.idle.put(connection)


class Request:
    """What is asked for: parameters, user, query and data."""

    def __init__(self, handler, body):
        parts = urllib.parse.urlsplit(handler.path)
        self.path = parts.path
        self.given = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.headers = handler.headers
        coding = self.headers.get("Content-Encoding", "").lower()
        try:
            body = codings.decode(body, coding)
        except ValueError as error:
            raise Failure(f"Code: 432. DB::Exception: {error}. (UNKNOWN_COMPRESSION_METHOD)") from None
        query = self.given.get("query", "").encode()
        self.text = query + (b"\n" if query and body else b"") + body
        self.database = self.given.get("database") or self.headers.get("X-ClickHouse-Database") or "default"
        self.settings = {k: v for k, v in self.given.items() if k not in OWN and not k.startswith("param_")}
        # Kept here: a connection could not be set back from it.
        self.readonly = self.settings.pop("readonly", "0") != "0" or handler.command == "GET"
        self.params = {k[6:]: v for k, v in self.given.items() if k.startswith("param_")}
        self.form = (self.given.get("default_format") or self.headers.get("X-ClickHouse-Format") or
                     "TabSeparated")
        self.zstd = (self.given.get("enable_http_compression") == "1" and
                     "zstd" in self.headers.get("Accept-Encoding", ""))
        self.buffered = self.given.get("wait_end_of_query") == "1"

    def check_user(self, wanted):
        name = self.headers.get("X-ClickHouse-User") or self.given.get("user")
        password = self.headers.get("X-ClickHouse-Key") or self.given.get("password", "")
        basic = self.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            name, _, password = base64.b64decode(basic[6:]).decode().partition(":")
        if wanted and (name or "default", password) != wanted:
            raise Failure(f"Code: 516. DB::Exception: {name or 'default'}: Authentication failed: password "
                          "is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)")

    def check_query(self, connection):
        seen = connection.chdb.classify_query(self.text.decode(errors="replace"))
        if seen["statement_count"] > 1:
            raise Failure("Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed). (SYNTAX_ERROR)")
        if self.readonly and seen["query_class"].name not in ("READ_ONLY", "UNKNOWN"):
            raise Failure("Code: 164. DB::Exception: Cannot execute query in readonly mode. For queries over "
                          "HTTP, method GET implies readonly. (READONLY)")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ClickHouse"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                parts.append(self.rfile.read(size))
                self.rfile.readline()
                if size == 0:
                    return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, data, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def fail(self, failure):
        text = failure.text.rstrip() + " (version 26.9.2.1)\n"
        self.answer(STATUS.get(failure.code, 500), text.encode(),
                    [("Content-Type", "text/plain; charset=UTF-8"),
                     ("X-ClickHouse-Exception-Code", str(failure.code))])

    def do_GET(self):
        if self.path.split("?")[0] in ("/ping", "/replicas_status"):
            return self.answer(200, b"Ok.\n")
        try:
            request = Request(self, self.body())
            if request.path not in ("", "/"):
                return self.answer(404, b"There is no handle " + request.path.encode() + b"\n")
            request.check_user(self.server.user)
            connection = self.server.pool.take(request.settings)
        except Failure as failure:
            return self.fail(failure)
        try:
            connection.use(request.database, request.settings)
            self.execute(request, connection)
        except Failure as failure:
            self.fail(failure)
        finally:
            self.server.pool.give(connection)

    do_POST = do_GET

    def execute(self, request, connection):
        insert = INSERT.match(request.text)
        if insert and not request.readonly:
            rows, size = connection.insert(insert.group(1).decode(), insert.group(2).decode(),
                                           request.text[insert.end():])
            return self.answer(200, b"", self.summary(written_rows=rows, written_bytes=size))
        request.check_query(connection)
        chosen = FORMAT.search(request.text)
        form = chosen.group(1).decode() if chosen else request.form
        if form in STREAMED and not request.buffered and re.match(rb"\s*(select|with)\b", request.text, re.I):
            return self.stream(request, connection, form)
        result = connection.run(request.text.decode(), form, request.params)
        data, headers = result.bytes(), self.summary(
            read_rows=result.rows_read(), read_bytes=result.bytes_read(),
            written_rows=result.rows_written(), written_bytes=result.bytes_written(),
            elapsed_ns=int(result.elapsed() * 1e9))
        if request.zstd and data:
            data = codings.compress_zstd(data)
            headers.append(("Content-Encoding", "zstd"))
        self.answer(200, data, [*headers, ("X-ClickHouse-Format", form)])

    def stream(self, request, connection, form):
        chunks = connection.stream(request.text.decode(), form, request.params)
        try:
            first = b"" # as much as ClickHouse holds back: an error meanwhile has a status
            for data in chunks:
                first += data
                if len(first) >= HELD_BACK:
                    break
            self.send_response(200)
            for name, value in [*self.summary(), ("X-ClickHouse-Format", form), ("Transfer-Encoding", "chunked"),
                                *([("Content-Encoding", "zstd")] if request.zstd else [])]:
                self.send_header(name, value)
            self.end_headers()
            try:
                self.chunk(request, first)
                for data in chunks:
                    self.chunk(request, data)
            except Failure as failure: # as ClickHouse does it: the text, and no end of the body
                self.chunk(request, failure.text.encode())
                self.close_connection = True
                return
            self.wfile.write(b"0\r\n\r\n")
        finally:
            chunks.close()

    def chunk(self, request, data):
        if not data:
            return
        if request.zstd:
            data = codings.compress_zstd(data)
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def summary(self, **numbers):
        names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "elapsed_ns")
        return [("X-ClickHouse-Summary", json.dumps({name: str(numbers.get(name, 0)) for name in names})),
                ("X-ClickHouse-Timezone", "UTC")]

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("port", type=int)
    parser.add_argument("--user", help="NAME:PASSWORD that all requests must have")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    server = Server(("127.0.0.1", options.port), Handler)
    server.user = tuple(options.user.split(":", 1)) if options.user else None
    server.pool = Pool(os.path.abspath(options.folder))
    server.pool.give(server.pool.take({}))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print("port", server.server_address[1], flush=True)
    server.serve_forever()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
