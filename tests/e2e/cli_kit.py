"""What the tests of the command line share: the program as a child, in a pipe
or on a pseudo-terminal, and a server that answers as it is told."""
import fcntl
import http.server
import os
import pty
import struct
import subprocess
import tempfile
import termios
import threading
import time

HOME = tempfile.mkdtemp(prefix="callboard-e2e-home-")


def environment(**more):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("CALLBOARD_") and name not in
            ("NO_COLOR", "COLUMNS", "http_proxy", "https_proxy")}
    kept.update({"HOME": HOME, "XDG_CONFIG_HOME": HOME, "TERM": "xterm",
                 "LC_ALL": "C.UTF-8"})
    kept.update(more)
    return kept


def run(*words, text=True, stdin=None, timeout=120, **more):
    """Exit status, standard output, standard error."""
    done = subprocess.run([os.environ["CALLBOARD"], *words], input=stdin,
                          stdin=None if stdin is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, text=text, env=environment(**more))
    return done.returncode, done.stdout, done.stderr


def terminal(*words, columns=80, keys=None, after=0.5, **more):
    """Exit status and what the terminal got; keys are typed after a while."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def lead():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    child = subprocess.Popen([os.environ["CALLBOARD"], *words], stdin=theirs,
                             stdout=theirs, stderr=theirs, preexec_fn=lead,
                             env=environment(**more))
    os.close(theirs)
    if keys:
        time.sleep(after)
        os.write(ours, keys)
    got = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the child has closed it
            break
        if not piece:
            break
        got += piece
    os.close(ours)
    return child.wait(30), got


class Fake:
    """A server whose answer the test gives: answer(handler)."""

    def __init__(self, answer):
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):
                self.seen.append((handler.path, dict(handler.headers)))
                answer(handler)

            do_POST = do_GET

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def answering(status, body, **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
    return answer
