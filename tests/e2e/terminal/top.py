"""callboard top on an emulated terminal, against a shop that sends."""
import calendar
import os
import signal
import subprocess
import time

from callboard import Server, Tap, new_folder
from terminal import (CRASHES, DOWN, END, ENTER, ESCAPE, INTERRUPT, LEFT, RIGHT, SUSPEND, UP,
                      Terminal)

tap = Tap()
CALLBOARD = os.environ["CALLBOARD"]
NAMES = {"web", "catalog", "recommend", "inventory", "cart", "users", "search", "checkout",
         "email", "orders", "payment", "shipping"}
HEAD = 3  # lines above the rows


def start_shop(server):
    return subprocess.Popen(
        [os.environ["SHOPGEN"], "--otlp", f"127.0.0.1:{server.otlp_port}", "--history", "12m",
         "--rate", "10", "--rollout", "5m", "--fault", "6m", "--quiet"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def top(port, columns=80, rows=24, *options):
    return Terminal([CALLBOARD, "top", "-s", f"127.0.0.1:{port}", "-d", "500ms", *options],
                    columns, rows)


def names(lines):
    """The components, from top to bottom."""
    return [line[2:].split()[0] for line in lines[HEAD:-1] if line.strip()]


def time_of(line):
    """Of a log line, in seconds since 1970; 0: it is none."""
    try:
        return calendar.timegm(time.strptime(line[:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return 0


def fits(lines, columns):
    return all(len(line) <= columns for line in lines)


# ---- the parts of a session ----


def check_list(terminal):
    # The history of the shop takes some seconds.
    good = terminal.wait(lambda lines: NAMES <= set(names(lines)) and names(lines)[0] == "web"
                         and any(line.startswith("! inventory") for line in lines), 60)
    tap.check(good, "80x24: all components are shown", terminal.text())
    lines = terminal.lines()
    tap.check("by requests, most first" in lines[0] and names(lines)[0] == "web",
              "80x24: the busiest is first, the first line says so", terminal.text())
    titles = lines[2].split()
    tap.same(titles, ["COMPONENT", "RATE/S", "ERR%", "P50", "P99", "CPU", "%LIM", "MEMORY", "%LIM",
                      "RST", "TREND"], "80x24: all figures have a column")
    row = next(line for line in lines if line[2:].startswith("inventory"))
    good = row.startswith("!") and "ms" in row and "Mi" in row and any(c in row for c in "▁▂▃▄▅▆▇█")
    tap.check(good, "80x24: inventory is bad by a mark, has times, memory and a line of bars", row)
    tap.check("? help" in lines[-1] or "Enter open" in lines[-1], "80x24: the last line has keys", lines[-1])


def check_keys(terminal):
    terminal.press("E")
    tap.check(names(terminal.lines())[0] in ("inventory", "checkout") and "by errors" in terminal.lines()[0],
              "E sorts by errors", terminal.text())
    terminal.press("r")
    tap.check("by errors, least first" in terminal.lines()[0], "r reverses", terminal.lines()[0])
    terminal.press("N")
    seen = names(terminal.lines())
    tap.same(seen[:len(NAMES)], sorted(NAMES), "N sorts by name")
    terminal.press(RIGHT)
    tap.check("by requests" in terminal.lines()[0], "an arrow sorts by the next column", terminal.lines()[0])
    terminal.press(LEFT)
    terminal.press("/")
    terminal.press("CAR")
    tap.check(names(terminal.lines()) == ["cart"] and "filter: CAR" in terminal.lines()[-1],
              "/ filters while typing, in any case", terminal.text())
    terminal.press(ENTER)
    terminal.press(ESCAPE)
    tap.check(NAMES <= set(names(terminal.lines())), "Escape shows all again", terminal.text())
    terminal.press("e")
    tap.check("environment production" in terminal.lines()[0], "e switches the environment", terminal.lines()[0])
    terminal.press("e")
    terminal.press("?")
    tap.check(any("Keys of the list" in line for line in terminal.lines()), "? lists the keys", terminal.text())
    terminal.press("x")
    terminal.press(" ")
    tap.check("PAUSED" in terminal.lines()[1], "space pauses, and it is said", terminal.lines()[1])
    terminal.press(" ")


def check_pages(terminal):
    terminal.press("R")
    terminal.press("/inven" + ENTER)
    terminal.press(ENTER)
    good = terminal.wait_for("ENDPOINTS")
    tap.check(good and "component shop/inventory" in terminal.lines()[0], "Enter opens the component",
              terminal.text())
    tap.check(any(line.startswith("p99") and "ms" in line for line in terminal.lines()),
              "its page has charts with their range", terminal.text())
    terminal.press(END)
    tap.check(terminal.wait_for("PODS"), "End: its pods", terminal.text())
    terminal.press(ESCAPE)
    tap.check(terminal.wait(lambda lines: names(lines) == ["inventory"]), "Escape goes back to the list",
              terminal.text())
    terminal.press("l")
    good = terminal.wait_for("component=inventory")
    tap.check(good and "logs of shop/inventory" in terminal.lines()[0], "l: its log lines", terminal.text())
    good = terminal.wait(lambda lines: time_of(lines[-2]) > time.time() - 30)
    tap.check(good, "l: the newest is the last line", terminal.text())
    terminal.press(UP)
    still = terminal.lines()[2:-1]
    terminal.read(1.5)
    tap.check(terminal.lines()[2:-1] == still and "PAUSED as you scrolled" in terminal.lines()[1],
              "scrolled: the lines stay, and it is said", terminal.text())
    terminal.press(END)
    tap.check(terminal.wait(lambda lines: "PAUSED" not in lines[1]), "End goes on", terminal.text())
    terminal.press(ESCAPE)
    terminal.press(ESCAPE)
    tap.check(terminal.wait(lambda lines: NAMES <= set(names(lines))), "back to all components",
              terminal.text())


def check_sizes(terminal):
    for columns, rows in ((200, 60), (60, 15), (20, 5), (80, 24)):
        terminal.resize(columns, rows)
        good = terminal.wait(lambda lines: "callboard top" in lines[0] and len(lines) == rows)
        tap.check(good and fits(terminal.lines(), columns), f"resized to {columns}x{rows}", terminal.text())
        if columns == 200:
            tap.check("?" in terminal.lines()[-1] and "q quit" in terminal.lines()[-1],
                      "200x60: the whole line of keys", terminal.lines()[-1])
            row = next(line for line in terminal.lines() if line[2:].startswith("web"))
            tap.check(sum(c in "▁▂▃▄▅▆▇█" for c in row) >= 10, "200x60: a longer line of bars", row)


def check_restart(terminal, server, folder):
    server.stop()
    tap.check(terminal.wait_for("NO ANSWER: shown is"), "server gone: said, with the age of what is shown",
              terminal.text())
    tap.check(NAMES <= set(names(terminal.lines())), "server gone: what was shown stays", terminal.text())
    terminal.press("N")
    tap.check(names(terminal.lines())[0] == "cart", "server gone: keys are answered", terminal.text())
    other = Server(folder, "--query", f"127.0.0.1:{server.query_port}")
    tap.check(terminal.wait(lambda lines: not any("NO ANSWER" in line for line in lines)
                            and NAMES <= set(names(lines))), "server back: shown again", terminal.text())
    return other


def check_suspend(terminal):
    terminal.press(SUSPEND)
    good = wait_state(terminal, "T")
    tap.check(good and terminal.is_restored(), "Ctrl-Z: stopped, the terminal is as before", terminal.state())
    terminal.screen.reset()
    terminal.signal(signal.SIGCONT)
    tap.check(terminal.wait_for("callboard top"), "fg: drawn again", terminal.text())


def wait_state(terminal, state):
    for _ in range(100):
        terminal.read(0.05)
        if terminal.state() == state:
            return True
    return False


def check_ends(port):
    for name, act, status in [("q", lambda t: t.press("q"), 0),
                              ("Ctrl-C", lambda t: t.press(INTERRUPT), -signal.SIGINT),
                              ("SIGTERM", lambda t: t.signal(signal.SIGTERM), -signal.SIGTERM),
                              ("SIGHUP", lambda t: t.signal(signal.SIGHUP), -signal.SIGHUP),
                              *((f"a crash ({n.name})", lambda t, n=n: t.signal(n), -n) for n in CRASHES)]:
        with top(port) as terminal:
            terminal.wait(lambda lines: NAMES <= set(names(lines)))
            act(terminal)
            seen = terminal.end()
            if name.startswith("a crash") and seen not in (0, None):
                status = seen  # sanitizers end by an exit of their own
            tap.check(seen == status and terminal.is_restored(),
                      f"{name}: ends with {status}, the terminal is as before",
                      (seen, terminal.raw[-80:]))


def check_once(port):
    done = subprocess.run([CALLBOARD, "top", "-s", f"127.0.0.1:{port}", "shop"], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)
    lines = done.stdout.decode().splitlines()
    tap.check(done.returncode == 0 and lines[0].split()[0] == "COMPONENT" and len(lines) == 1 + len(NAMES)
              and b"\x1b" not in done.stdout, "without a terminal: one table, no escape sequences",
              done.stdout.decode() + done.stderr.decode())
    with Terminal([CALLBOARD, "top", "--once", "-s", f"127.0.0.1:{port}"], 100, 40) as terminal:
        seen = terminal.end()
        tap.check(seen == 0 and b"\x1b[?1049h" not in terminal.raw and terminal.lines()[0].startswith("  COMPONENT"),
                  "--once on a terminal: one table", terminal.text())
    for options, status in (("-d 5", 0), ("-d 0.5", 0), ("-d x", 2), ("-d 1ms", 2), ("nope", 5)):
        done = subprocess.run([CALLBOARD, "top", "--once", *options.split(), "-s", f"127.0.0.1:{port}"],
                              capture_output=True, timeout=60, check=False)
        tap.check(done.returncode == status and (status == 0) == bool(done.stdout),
                  f"top --once {options}: status {status}", done.stdout + done.stderr)
    done = subprocess.run([CALLBOARD, "top", "--once", "-s", "127.0.0.1:1"], capture_output=True, timeout=60,
                          check=False)
    tap.check(done.returncode == 1 and b"no answer" in done.stderr, "--once without a server: said, status 1",
              done.stderr)


def check_odd_terminals(port):
    with Terminal([CALLBOARD, "top", "-s", f"127.0.0.1:{port}"], 100, 40, TERM="dumb") as terminal:
        seen = terminal.end()
        tap.check(seen == 0 and b"\x1b" not in terminal.raw, "TERM=dumb: one table, no sequences", terminal.raw[:99])
    with top(port) as terminal:
        terminal.wait(lambda lines: NAMES <= set(names(lines)))
        terminal.press("\x1b[" + "1;" * 400)  # a sequence without an end, longer than any buffer
        terminal.press("A\x1b[200~N\x1b[201~")
        terminal.press("q")
        tap.check(terminal.end() == 0 and terminal.is_restored(), "a sequence without an end is no end",
                  terminal.text())
    with Terminal([CALLBOARD, "top", "-s", f"127.0.0.1:{port}"], 100, 30, LC_ALL="C", NO_COLOR="1") as terminal:
        terminal.wait(lambda lines: NAMES <= set(names(lines)))
        tap.check(all(ord(c) < 128 for c in terminal.text()) and b"[31m" not in terminal.raw,
                  "LC_ALL=C, NO_COLOR: ASCII without colours", terminal.text())


def check_redraw(port):
    """A frame that changes nothing costs nothing; one key costs a few lines."""
    with top(port, 200, 60, "-d", "1h") as terminal:
        terminal.wait(lambda lines: NAMES <= set(names(lines)))
        terminal.read(1.2)
        before = len(terminal.raw)
        terminal.read(2)
        tap.check(len(terminal.raw) - before < 200, "nothing new: nothing is drawn", len(terminal.raw) - before)
        before = len(terminal.raw)
        terminal.press(DOWN)
        tap.check(0 < len(terminal.raw) - before < 3000, "a key draws the lines that changed",
                  len(terminal.raw) - before)


def main():
    folder = new_folder()
    server = Server(folder)
    shop = start_shop(server)
    try:
        with top(server.query_port) as terminal:
            check_list(terminal)
            check_keys(terminal)
            check_pages(terminal)
            check_sizes(terminal)
            shop.kill()
            check_suspend(terminal)
            server = check_restart(terminal, server, folder)
        check_ends(server.query_port)
        check_once(server.query_port)
        check_odd_terminals(server.query_port)
        check_redraw(server.query_port)
    finally:
        shop.kill()
        shop.wait()
    server.stop()
    tap.end()


main()
