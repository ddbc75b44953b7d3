"""callboard logs -f: every line once, whatever happens to the server."""
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


def main():
    server = check_restarts()
    check_screen(server)
    check_since(server)
    check_refusals(server)
    server.stop()
    tap.end()


main()
