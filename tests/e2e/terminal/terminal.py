"""A program on a terminal that can be read: what it writes goes through an
emulator (pyte), so a test sees what a person would see.

    with Terminal(["callboard", "top"], 80, 24) as terminal:
        terminal.wait_for("inventory")
        terminal.press("E")
"""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pyte


class Terminal:
    def __init__(self, command, columns, rows, **environment):
        self.raw = b""
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.master, self.slave = pty.openpty()
        self._size(columns, rows)
        self.modes = termios.tcgetattr(self.slave)
        env = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        env.pop("NO_COLOR", None)
        env.pop("COLUMNS", None)
        env.update(environment)
        self.child = subprocess.Popen(
            command, stdin=self.slave, stdout=self.slave, stderr=self.slave, env=env,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self.master)
        os.close(self.slave)

    def _size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds=0.05):
        """What comes within so long, on the screen."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                return
            data = os.read(self.master, 65536)
            self.raw += data
            self.stream.feed(data)

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def wait(self, good, seconds=20):
        """Whether this holds for the lines of the screen within that time."""
        until = time.monotonic() + seconds
        while True:
            self.read()
            if good(self.lines()):
                return True
            if time.monotonic() > until:
                return False

    def wait_for(self, text, seconds=20):
        return self.wait(lambda lines: any(text in line for line in lines), seconds)

    def press(self, keys):
        os.write(self.master, keys.encode())
        self.read(0.15)

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        self._size(columns, rows)
        self.read(0.3)

    def state(self):
        """Its state for the kernel: S sleeps, T is stopped."""
        with open(f"/proc/{self.child.pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]

    def end(self, seconds=10):
        """The exit status; negative: of a signal."""
        until = time.monotonic() + seconds
        while self.child.poll() is None and time.monotonic() < until:
            self.read(0.05)
        self.read(0.05)
        return self.child.poll()

    def is_restored(self):
        """The modes of the terminal as before, its usual screen, its cursor."""
        last = self.raw.rpartition(b"\x1b[?1049")[2]
        return (termios.tcgetattr(self.slave) == self.modes and last.startswith(b"l")
                and self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l"))

    def signal(self, number):
        os.kill(self.child.pid, number)


UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
HOME, END, ESCAPE, ENTER = "\x1b[H", "\x1b[F", "\x1b", "\r"
INTERRUPT, SUSPEND = "\x03", "\x1a"
CRASHES = (signal.SIGSEGV, signal.SIGABRT)
