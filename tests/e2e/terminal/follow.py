"""callboard logs -f: every line once, whatever happens to the server."""
import http.server
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from callboard import NS, Server, Tap, new_folder
from terminal import INTERRUPT, Terminal

tap = Tap()
CALLBOARD = os.environ["CALLBOARD"]
LINES, BATCH = 10000, 50
RESOURCE = {"attributes": [{"key": key, "value": {"stringValue": value}} for key, value in (
    ("service.name", "cart"), ("openchoreo.dev/namespace", "acme"), ("openchoreo.dev/project", "shop"),
    ("openchoreo.dev/component", "cart"), ("openchoreo.dev/environment", "production"),
    ("k8s.pod.name", "cart-1"), ("k8s.container.name", "main"))]}


def records(lines):
    """(time, severity, text) as a request."""
    return {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"logRecords": [
        {"timeUnixNano": str(ns), "severityNumber": severity, "body": {"stringValue": text}}
        for ns, severity, text in lines]}]}]}


class Writer(threading.Thread):
    """Sends numbered lines; every seventh is an hour late. A batch is sent again
    until it is acknowledged."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.sent = 0

    def run(self):
        while self.sent < LINES:
            now = time.time_ns()
            batch = records([(now - (3600 * NS if n % 7 == 0 else 0), 9, f"line {n} of many")
                             for n in range(self.sent, self.sent + BATCH)])
            while True:
                try:
                    if self.server.send("logs", batch).status == 200:
                        break
                except OSError:
                    pass
                time.sleep(0.05)
            self.sent += BATCH
            time.sleep(0.01)


def restarted(server, folder, killed):
    ports = [option for name, port in (("--query", server.query_port), ("--otlp-http", server.otlp_port))
             for option in (name, f"127.0.0.1:{port}")]
    if killed:
        server.kill()
    else:
        server.stop()
    time.sleep(0.7)
    return Server(folder, *ports)


def numbers(path):
    with open(path) as file:
        return [int(n) for n in re.findall(r'"line (\d+) of many"', file.read())]


def check_restarts():
    folder = new_folder()
    server = Server(folder)
    server.send("logs", records([(time.time_ns(), 9, "before")]))
    out, err = (tempfile.NamedTemporaryFile(dir=new_folder(), delete=False) for _ in range(2))
    follower = subprocess.Popen([CALLBOARD, "logs", "shop/cart", "-n", "acme", "-f", "-o", "jsonl", "-s",
                                 f"127.0.0.1:{server.query_port}"], stdout=out, stderr=err)
    while b"before" not in open(out.name, "rb").read() and follower.poll() is None:
        time.sleep(0.05)
    writer = Writer(server)
    writer.start()
    for at, killed in ((LINES // 3, False), (2 * LINES // 3, True)):
        while writer.sent < at and writer.is_alive():
            time.sleep(0.01)
        server = writer.server = restarted(server, folder, killed)
    writer.join(120)
    until = time.monotonic() + 60
    while len(numbers(out.name)) < LINES and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(1)  # for repeated ones
    follower.send_signal(signal.SIGINT)
    status = follower.wait(10)
    seen = numbers(out.name)
    said = open(err.name).read()
    tap.same((len(seen), len(set(seen))), (LINES, LINES), "two restarts, late lines: each line once")
    with open(out.name) as file:
        rows = [json.loads(line) for line in file]
    tap.same(len(rows), LINES + 1, "one object per line, also that of before")
    tap.check(said.count("trying again") == 2 and said.count("answers again") == 2,
              "each restart is said on stderr, when it goes and when it is back", said)
    tap.same(status, -signal.SIGINT, "Ctrl-C ends it by its signal")
    return server


def check_screen(server):
    """Levels in colour, further lines indented, no control bytes of senders."""
    port = server.query_port
    command = [CALLBOARD, "logs", "shop/cart", "-n", "acme", "-f", "-l", "0", "-s", f"127.0.0.1:{port}"]
    with Terminal([*command, "-o", "wide"], 100, 30) as terminal:
        terminal.read(1.5)
        server.send("logs", records([(time.time_ns(), 17, "first\n\tat second\nthird \x1b[2J\x07end"),
                                     (time.time_ns(), 9, "calm")]))
        good = terminal.wait_for("calm")
        lines = terminal.lines()
        tap.check(good and "ERROR cart-1/main first" in lines[0] and lines[1].startswith("     at second")
                  and lines[2].startswith("    third  [2J end"), "wide: pod and container; further lines are indented",
                  terminal.text())
        tap.check(b"\x1b[31mERROR" in terminal.raw, "levels have colours", terminal.raw[:200])
        terminal.press(INTERRUPT)
        tap.same(terminal.end(), -signal.SIGINT, "Ctrl-C on a terminal")
    with Terminal([*command, "--level", "ERROR"], 100, 30) as terminal:
        terminal.read(1.5)
        server.send("logs", records([(time.time_ns(), 9, "calm again"), (time.time_ns(), 17, "bad again")]))
        tap.check(terminal.wait_for("bad again") and not terminal.wait_for("calm again", 0.3),
                  "--level: only these lines", terminal.text())


def check_since(server):
    done = subprocess.Popen([CALLBOARD, "logs", "shop/cart", "-n", "acme", "-f", "--since", "30m", "-o", "jsonl",
                             "-s", f"127.0.0.1:{server.query_port}"], stdout=subprocess.PIPE)
    wanted = LINES - (LINES + 6) // 7 + 1  # those that are no hour late, and "before"
    seen = 0
    killer = threading.Timer(60, done.kill)
    killer.start()
    for line in done.stdout:
        seen += b"line" in line or b"before" in line
        if seen >= wanted:
            break
    killer.cancel()
    done.send_signal(signal.SIGINT)
    rest = done.stdout.read()
    tap.check(seen == wanted and b" of many" not in rest, "--since: what is younger, then what arrives", (seen, wanted))
    done.wait(10)


def check_refusals(server):
    for options, word in ((("-o", "json"), "jsonl"), (("--until", "1m"), "--until")):
        done = subprocess.run([CALLBOARD, "logs", "-f", *options, "-s", f"127.0.0.1:{server.query_port}"],
                              capture_output=True, timeout=20, check=False)
        tap.check(done.returncode == 2 and word in done.stderr.decode(), f"-f {' '.join(options)} is refused",
                  done.stderr.decode())
    done = subprocess.run([CALLBOARD, "logs", "-f", "-s", "127.0.0.1:1"], capture_output=True, timeout=20, check=False)
    tap.check(done.returncode == 1 and b"no answer" in done.stderr, "no server at first: said at once", done.stderr)


# ---- servers that answer otherwise ----

ONE = {"logs": [{"timestamp": "2026-08-21T08:00:00Z", "level": "INFO", "log": "one", "metadata": {}}],
       "nextCursor": "aa", "more": False, "tookMs": 0}
NONE = {**ONE, "logs": []}


class Script(http.server.BaseHTTPRequestHandler):
    """Answers (status, object) in turn, the last one again and again."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.paths.append(self.path)
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Scripted(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # the client has left


def follow_script(*answers, seconds=2):
    """The paths that were asked for, what was printed and said, the status if it ended."""
    server = Scripted(("127.0.0.1", 0), Script)
    server.paths, server.answers = [], list(answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    child = subprocess.Popen([CALLBOARD, "logs", "-f", "-s", f"127.0.0.1:{server.server_port}"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.terminate()
    out, err = child.communicate()
    server.shutdown()
    return server.paths, out, err, child.returncode


def check_other_servers():
    paths, out, _, _ = follow_script((200, ONE), (200, NONE))
    tap.check(out.count("one") == 1 and 3 <= len(paths) <= 8 and all("cursor=aa" in p for p in paths[1:]),
              "a server that does not wait is asked twice a second", (len(paths), out))
    paths, out, err, _ = follow_script((200, ONE), (400, {"message": "cursor is of another data folder"}), (200, NONE))
    tap.check("other data than before" in err and "cursor" not in paths[2] and "startTime=" in paths[2],
              "another data folder: said, and on from the last answer", (paths[:4], err))
    paths, out, err, _ = follow_script((200, ONE), (503, {"message": "busy"}), (503, {}), (200, NONE))
    tap.check(err.count("the server answers 503; trying again") == 1 and err.count("answers again") == 1
              and paths[1] == paths[2] == paths[3], "busy: the same request again, said once", (paths, err))
    for status in (401, 403):
        _, _, err, code = follow_script((200, ONE), (status, {"message": "no"}))
        tap.check(code == 3 and err, f"{status} later: it ends with 3", (code, err))
    _, _, err, code = follow_script((200, {"what": "else"}))
    tap.check(code == 1 and "not one of log records" in err, "an answer of something else: it ends with 1", (code, err))


def main():
    server = check_restarts()
    check_screen(server)
    check_since(server)
    check_refusals(server)
    check_other_servers()
    server.stop()
    tap.end()


main()
