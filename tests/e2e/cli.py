"""Verbs of the command line over the simulated shop: tables, CSV, JSON, exit
codes, contexts, a pseudo-terminal, and servers that misbehave."""
import csv
import io
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
import unicodedata

from cli_kit import HOME, Fake, answering, environment, run, terminal
from running import END, START, Running, Tap

EVIL = "ev\x1b]0;title\x07il\x9b2J\u202e日本語"
TIME = ["--since", START, "--until", END]


def send_evil(server):
    """Names and lines as somebody may send who wants to control a terminal."""
    now = str(time.time_ns())
    resource = {"attributes": [
        {"key": key, "value": {"stringValue": value}} for key, value in
        [("service.namespace", "evil"), ("service.name", EVIL),
         ("deployment.environment.name", "e\x1b[31m")]]}
    return server.send("/v1/logs", {"resourceLogs": [
        {"resource": resource, "scopeLogs": [{"logRecords": [
            {"timeUnixNano": now, "severityNumber": 17, "body":
             {"stringValue": "=1+1,\x1b[2J\"quoted\"\nsecond line " + "x" * 300}}]}]}]})


def outputs(tap, server, address):
    code, text, _ = run("components", "-s", address, "-n", "acme", *TIME)
    lines = text.splitlines()
    tap.check(code == 0 and lines[0].split()[:5] ==
              ["NAMESPACE", "PROJECT", "COMPONENT", "ENVIRONMENT", "RATE"] and
              any(line.startswith("acme") and " inventory " in line
                  for line in lines), "a table of components", text)
    wide = run("components", "-s", address, "-n", "acme", "-o", "wide", *TIME)[1]
    tap.check("P99 BEFORE" in wide.splitlines()[0], "more columns with -o wide", wide)
    code, text, _ = run("components", "-s", address, "-n", "acme", "-o", "csv",
                        *TIME, text=False)
    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    tap.check(code == 0 and b"\r\n" in text and any(
        row["component"] == "inventory" and float(row["requestRate"]) > 0
        for row in rows), "CSV with members as heads", text[:500])
    code, text, _ = run("components", "-s", address, "-n", "acme", "-o", "jsonl", *TIME)
    tap.check(code == 0 and {json.loads(line)["component"]
                             for line in text.splitlines()} ==
              {row["component"] for row in rows}, "a row per line", text[:500])
    code, text, _ = run("components", "-s", address, "-n", "acme", "-o", "json", *TIME)
    answer = server.ask_json("GET", f"/api/v1/components?namespace=acme"
                             f"&startTime={START}&endTime={END}")[1]
    mine = json.loads(text)
    mine.pop("tookMs"), answer.pop("tookMs")
    tap.check(code == 0 and mine == answer, "JSON is the route's answer", text[:500])
    code, text, _ = run("endpoints", "shop/inventory", "-s", address, *TIME)
    tap.check(code == 0 and text.splitlines()[1].startswith("grpc"),
              "endpoints; the namespace is found, as there is only one", text)
    code, text, _ = run("traces", "acme/shop/checkout", "-s", address, "--errors",
                        "--limit", "2", *TIME)
    tap.check(code == 0 and len(text.splitlines()) == 3, "traces with a filter", text)
    code, text, error = run("traces", "shop", "-s", address, "--summary", "--errors",
                            "--sort", "duration", "--limit", "3", *TIME)
    took = [line.split()[3] for line in text.splitlines()[1:4]]
    tap.check(code == 0 and "Equal traces" in text and "GET /product/{id}" in
              text and took == sorted(took, key=lambda t: -float(t[:-2])) and
              " ok " not in text, "groups of failed traces, the slowest first", text,
              error)
    code, text, _ = run("events", "checkout", "-p", "shop", "-s", address,
                        "--reason", "VersionChanged", *TIME)
    tap.check(code == 0 and "version changed" in text and
              len(text.splitlines()) == 2, "events of a reason", text)


def pages(tap, address):
    code, text, error = run("logs", "shop", "-s", address, "-o", "jsonl",
                            "--limit", "2500", *TIME)
    lines = text.splitlines()
    tap.check(code == 0 and len(lines) == 2500 and len(set(lines)) == 2500,
              "more than a page: no line lost or repeated", len(lines), error)
    whole = json.loads(run("logs", "shop", "-s", address, "-o", "json",
                           "--limit", "1200", *TIME)[1])
    tap.check(len(whole["logs"]) == 1200 and "nextCursor" in whole,
              "pages as one answer of JSON")
    found = run("logs", "shop/inventory", "-s", address, "--level", "ERROR",
                "--limit", "all", "-o", "csv", "--no-headers", *TIME)[1]
    tap.check(len(found.splitlines()) > 10, "--limit all", found[:300])


def changes(tap, address):
    code, text, error = run("changes", "shop/checkout", "-s", address, *TIME)
    tap.check(code == 0 and "1.4.0" in text and "1.5.0" in text,
              "changes", text, error)
    code, text, error = run("compare", "shop", "-s", address, "--since",
                            "2025-01-15T08:14:00Z", "--until", END)
    tap.check(code == 0 and "inventory" in text and "errors" in text,
              "what differs from the time before", text, error)
    code, text, error = run("compare", "shop", "-s", address, "--since",
                            "2025-01-15T08:04:00Z", "--until",
                            "2025-01-15T08:07:00Z", "--base-until",
                            "2025-01-15T08:04:00Z", "-o", "json")
    tap.check(code == 0 and json.loads(text)["base"]["startTime"] ==
              "2025-01-15T08:01:00Z", "a base is as long as the window", text, error)
    code, text, error = run("logs", "shop/inventory", "-s", address, "--patterns",
                            *TIME)
    tap.check(code == 0 and text.startswith("TIMES") and "stock of product <*>"
              in text, "patterns of log records", text, error)


def rest(tap, address):
    code, text, error = run("capacity", "shop/web", "-s", address, "-e",
                            "production", *TIME)
    tap.check(code == 0 and "latencyP99" in text and "What it calls" in text,
              "capacity, with callees", text, error)
    code, text, error = run("blast-radius", "shop/inventory", "-s", address, *TIME)
    tap.check(code == 0 and " checkout " in text and "SHARE" in text,
              "blast radius", text, error)
    code, text, error = run("cause", "shop", "-n", "acme", "-s", address, "-o", "csv",
                            "--since", "2025-01-15T08:14:00Z", "--until", END)
    tap.check(code == 0 and text.startswith("rank,kind,component") and
              "inventory" in text.splitlines()[1], "suspects as CSV", text, error)


def metrics(tap, address):
    code, text, error = run("metrics", "vector(1.5)", "-s", address)
    tap.check(code == 0 and "1.50" in text, "PromQL at one time", text, error)
    code, text, error = run("metrics", "time() - time() + 2", "-s", address,
                            "--since", "10m", "--step", "1m")
    tap.check(code == 0 and "OVER TIME" in text and "█" in text,
              "PromQL over a time", text, error)
    code, text, error = run("metrics", "vector(1)", "-s", address, "--since",
                            "10m", "--step", "1m", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    tap.check(code == 0 and len(rows) in (10, 11) and rows[0]["value"] in
              ("1", "1.0"), "a row per point", text, error)
    code, _, error = run("metrics", "sum(", "-s", address)
    tap.check(code == 2 and "callboard: " in error, "an expression that is none", error)
    code, _, error = run("metrics", "no_such_metric", "-s", address)
    tap.check(code == 5 and "no series" in error, "no series", error)


def costs(tap, address):
    code, text, error = run("costs", "shop", "-s", address, "-e", "production",
                            "--since", "2025-01-15", "--until", "2025-01-16")
    tap.check(code == 0 and text.startswith("Costs in USD\n") and "MEMORY COST" in text and " checkout " in " " + text,
              "costs of an environment, with their currency", text, error)
    code, text, error = run("costs", "shop", "-s", address,
                            "--since", "2025-01-15", "--until", "2025-01-16")
    tap.check(code == 0 and " checkout " in " " + text,
              "the only environment is taken", text, error)
    code, text, error = run("recommendations", "shop", "-s", address, "-e",
                            "production", "--since", "2025-01-15", "--until",
                            "2025-01-16")
    tap.check(code == 0 and text.splitlines()[2].startswith("Nothing is recommended for") and
              "less than a day of usage" in text,
              "nothing is recommended on twenty minutes, and why", text, error)


def names(tap, address):
    """What is left out is the only one that fits; an unknown name says which is
    meant, whatever the verb."""
    for verb in ("endpoints", "blast-radius", "capacity", "component"):
        code, text, error = run(verb, "inventory", "-s", address, *TIME)
        tap.check(code == 0 and text, f"{verb} of a name alone: the only component", error)
    for verb, status in (("logs", 5), ("cause", 1), ("costs", 5), ("topology", 5)):
        for word, meant in (("inventory", "shop/inventory"), ("shpo", "shop")):
            code, _, error = run(verb, word, "-s", address, *TIME)
            tap.check(code == status and f"no project {word}; did you mean {meant} --namespace acme?"
                      in error, f"{verb} {word}: {meant} is meant", code, error)
    code, text, error = run("cause", "shop", "-s", address, *TIME)
    tap.check(code == 0 and text, "cause takes the only namespace", error)
    code, _, error = run("cause", "-s", address, "-p", "shop", *TIME)
    tap.check(code == 0, "cause of a project by its option", error)
    code, _, error = run("logs", "shop", "-s", address, *TIME, CALLBOARD_PROJECT="shop")
    tap.check(code == 5 and "did you mean --project shop" in error,
              "a project where a component of the usual one is expected", error)
    code, _, error = run("logs", "shop/cart", "-e", "prod", "-s", address, *TIME)
    tap.check(code == 5 and "--environment production?" in error,
              "an unknown environment of a component of the catalogue", error)


SAMPLES = {"server": None, "namespace": "acme", "project": "shop", "component": "inventory", "environment": "production",
           "since": START, "until": END, "base-since": START, "base-until": END, "endpoint": "grpc", "step": "1m",
           "objective-latency": "500ms", "objective-errors": "0.02", "limit": "2", "level": "WARN,ERROR", "phrase": "stock",
           "words": "STOCK product", "attribute": "level=error", "trace-id": "0e791c805ac4c0cb6b830c924e5c3fdc",
           "span-id": "0e791c805ac4c0cb", "operation": "GET /", "min-duration": "1ms", "max-duration": "1h",
           "reason": "VersionChanged,ImageChanged", "direction": "callers", "depth": "2", "sort": "duration",
           "granularity": "1h", "interval": "1s", "output": "json", "color": "always", "timeout": "20s"}


def every_option(tap, address):
    """The server takes each option of each verb that asks for components."""
    for verb in ("components", "component", "endpoints", "logs", "traces", "topology", "events", "changes", "compare",
                 "incidents", "blast-radius", "capacity", "costs", "recommendations", "cause", "metrics", "top"):
        words = {"metrics": ["callboard_requests_total"], "top": ["shop", "--once"]}.get(
            verb, ["shop/inventory"])
        for line in re.findall(r"^ {2,6}(?:-., )?--([a-z-]+(?: [A-Z:=]+)?)$", run(verb, "--help")[1], re.M):
            option, _, value = line.partition(" ")
            if option in ("help", "follow", "context", "data-dir") or option.endswith("-file") or (
                    verb == "top" and option == "since"):  # until now
                continue
            given = ["--" + option] + ([SAMPLES[option] or address] if value else [])
            code, text, error = run(verb, *words, "-s", address, *([] if verb == "top" else TIME), *given)
            tap.check(code in (0, 5) and (text or error), f"{verb} {' '.join(given)}", code, error)
    for more in ([], ["--patterns"]):
        code, text, error = run("logs", "shop/inventory", "-s", address, *TIME, *more, "--words", "STOCK product",
                                "--words", "of,unknown")
        tap.check(code == 0 and "stock" in text, f"all words, {more}", code, error)
        code, text, error = run("logs", "shop/inventory", "-s", address, *TIME, *more, "--words", "stock,nobody")
        tap.check(code == 5, f"not all words, {more}", code, text)


def sorted_traces(tap, address):
    for more in ([], ["--summary"]):
        code, text, error = run("traces", "shop", "-s", address, *TIME, "--sort", "duration", "--limit", "20", "-o", "csv",
                                *more)
        took = [int(row["durationNs"]) for row in csv.DictReader(io.StringIO(text))]
        tap.check(code == 0 and len(took) == 20 and took == sorted(took, reverse=True),
                  f"traces by duration, {more}", took, error)
    code, _, error = run("traces", "shop", "-s", address, *TIME, "--sort", "size")
    tap.check(code == 2 and "duration" in error, "another order", error)


def two_of_each(tap):
    """Two namespaces, projects, environments: what is needed is named."""
    with Running() as server:
        for namespace, project, environment in (("acme", "shop", "production"), ("acme", "shop", "staging"),
                                                ("globex", "till", "production")):
            server.send("/v1/logs", {"resourceLogs": [{"resource": {"attributes": [
                {"key": key, "value": {"stringValue": value}} for key, value in
                [("openchoreo.dev/namespace", namespace), ("openchoreo.dev/project", project),
                 ("openchoreo.dev/component", "cart"), ("openchoreo.dev/environment", environment)]]},
                "scopeLogs": [{"logRecords": [{"timeUnixNano": str(time.time_ns()), "body": {"stringValue": "x"}}]}]}]})
        address = f"127.0.0.1:{server.port}"
        for words, needed in ((["logs"], "--namespace is needed, one of: acme globex"),
                              (["costs", "shop"], "--environment is needed, one of: production staging"),
                              (["cause"], "--namespace is needed, one of: acme globex"),
                              (["endpoints", "cart"], "--namespace is needed, one of: acme globex")):
            code, _, error = run(*words, "-s", address)
            tap.check(code == 2 and needed + "\n" in error, f"{words}: {needed}", code, error)
        code, _, error = run("logs", "cart", "-p", "till", "-s", address)
        tap.check(code == 0, "the only namespace with the project", error)


def exit_codes(tap, address):
    code, _, error = run("logs", "shop/inventry", "-n", "acme", "-s", address, *TIME)
    tap.check(code == 5 and "did you mean shop/inventory --namespace acme?" in
              error, "an unknown name: 5 and the nearest", error)
    code, _, error = run("logs", "shop/inventory", "-n", "acme", "-s", address,
                         "--phrase", "nobody writes this", *TIME)
    tap.check(code == 5 and "no log records match" in error, "no match: 5", error)
    code, _, error = run("components", "-s", "127.0.0.1:1")
    tap.check(code == 1 and "callboard serve" in error, "nobody answers: 1", error)
    for words in (["logs", "a/b/c/d"], ["logs", "--nonsense"], ["components", "a", "b"],
                  ["components", "--since", "tomorrowish"], ["endpoints"],
                  ["components", "-o", "xml"], ["logs", "--limit", "-3"],
                  ["components", "--since", "1h", "--until", "2h"]):
        code, out, error = run(*words, "-s", address)
        tap.check(code == 2 and error and not out, f"{words}: 2", code, error)
    code, _, error = run("components", "--token", "hush", "-s", address)
    tap.check(code == 2 and "--token-file" in error and "hush" not in error,
              "no token on the command line", error)
    with open("/dev/full", "w") as full:
        done = subprocess.run([os.environ["CALLBOARD"], "components", "-s", address],
                              stdout=full, stderr=subprocess.PIPE, env=environment())
    tap.check(done.returncode == 1 and b"No space" in done.stderr,
              "what cannot be written is not an answer", done)
    done = subprocess.run(
        ["bash", "-c", f"\"$CALLBOARD\" logs shop -s {address} --limit all -o "
         f"jsonl --since {START} --until {END} | head -1; echo ${{PIPESTATUS[0]}}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**environment(), "CALLBOARD": os.environ["CALLBOARD"]})
    tap.check(done.stdout.splitlines()[-1] == "141" and not done.stderr,
              "a reader that leaves: SIGPIPE, and not a word", done)


def bad_servers(tap):
    def cut(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        handler.wfile.write(b'{"components": [')
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)

    def slow(handler):
        time.sleep(5)

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b" " * (1 << 20))
        except OSError: # the client has left
            pass

    redirect = answering(302, b"", Location="http://127.0.0.1:1/")
    busy = answering(503, b'{"message": "too many queries"}')
    denied = answering(403, b'{"message": "no grant \\u001b[31m for this"}')
    for name, answer, want, words in (
            ("a broken connection", cut, 1, "no answer"),
            ("no JSON", answering(200, b"<html>\x1b[31m"), 1, "not JSON"),
            ("JSON cut short", answering(200, b'{"components": ['), 1, "not JSON"),
            ("a redirect is not followed", redirect, 1, "redirects"),
            ("busy", busy, 4, "too many queries"),
            ("not allowed", denied, 3, "no grant"),
            ("a slow server", slow, 1, "--timeout"),
            ("an error of a proxy", answering(502, b"bad gateway"), 1, "502")):
        with Fake(answer) as fake:
            code, out, error = run("components", "-s", fake.address, "--timeout", "1s",
                                   "-o", "json")
            tap.check(code == want and words in error and out == "" and
                      "\x1b" not in error, f"{name}: {want}", code, out, error)
    with Fake(endless) as fake:
        code, out, error = run("components", "-s", fake.address, "-o", "json")
        tap.check(code == 1 and "larger than 256 MiB" in error and out == "",
                  "an endless answer is refused with its limit", code, error)
    with Fake(answering(407, b"")) as proxy:
        code, _, error = run("components", "-s", "http://callboard.invalid:9097",
                             http_proxy=f"http://{proxy.address}")
        tap.check(code == 1 and len(proxy.seen) == 1, "a proxy is asked", error)
        run("components", "-s", "127.0.0.1:1", http_proxy=f"http://{proxy.address}")
        tap.check(len(proxy.seen) == 1, "not for a server on this machine")


def interrupted(tap):
    with Fake(lambda handler: time.sleep(20)) as fake:
        began = time.monotonic()
        code, got = terminal("components", "-s", fake.address, "-o", "json",
                             keys=b"\x03", after=1.5)
        tap.check(code == -signal.SIGINT and time.monotonic() - began < 10 and
                  b"{" not in got, "Ctrl-C ends it, at once and by that signal",
                  code, got)
        tap.check(got.endswith(b"\x1b[0m\x1b[?25h") and b" s, " in got,
                  "with the colours off; before, progress was shown", got)


def width(text):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def on_terminal(tap, address):
    plain = re.compile(rb"\x1b\[[0-9;]*m")
    for columns in (40, 60, 80, 132):
        for verb in (["components", "-n", "acme"], ["logs", "shop"], ["events", "shop"]):
            code, got = terminal(*verb, "-s", address, *TIME, columns=columns)
            lines = plain.sub(b"", got).decode().split("\r\n")
            tap.check(code == 0 and len(lines) > 3 and
                      max(map(width, lines)) <= columns,
                      f"{verb[0]} fits {columns} columns", got[:600])
    code, got = terminal("components", "-s", address, *TIME)
    tap.check(b"\x1b[1m" in got and b"\x1b[33m" in got, "colours on a terminal", got)
    code, got = terminal("components", "-s", address, *TIME, NO_COLOR="1")
    tap.check(b"\x1b" not in got, "none with NO_COLOR", got)
    code, got = terminal("components", "-s", address, *TIME, TERM="dumb")
    tap.check(b"\x1b" not in got, "none on a dumb terminal", got)
    tap.check("\x1b" in run("components", "-s", address, "--color", "always", *TIME)[1],
              "--color always, in a pipe")
    tap.check("\x1b" not in run("components", "-s", address, *TIME)[1],
              "no colour in a pipe")


def hostile(tap, server, address):
    tap.check(send_evil(server) == 200, "hostile names are sent")
    for words in (["components"], ["components", "-o", "wide"],
                  ["components", "-o", "csv"], ["components", "-o", "json"],
                  ["components", "-o", "jsonl"], ["logs"], ["logs", "-o", "csv"],
                  ["logs", "-o", "json"], ["logs", "-o", "wide"],
                  ["components", "-p", "evil", "-n", "nowhere"]):
        code, got = terminal(*words, "-s", address, NO_COLOR="1",
                             **({} if "-n" in words else
                                {"CALLBOARD_PROJECT": "evil"}))
        text = got.decode()
        bad = [c for c in text if unicodedata.category(c) in ("Cc", "Cf") and
               c not in "\r\n"]
        tap.check(not bad and (code == 5 or len(text) > 50),
                  f"{words}: no control character reaches the terminal", text)
    code, text, _ = run("logs", "evil", "-s", address, "-o", "csv", text=False)
    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    tap.check(code == 0 and rows[0]["log"].startswith("'=1+1,\x1b[2J\"quoted\"\n"),
              "CSV in a file has the text, but no formula", text)


def contexts(tap, address):
    path = os.path.join(HOME, "callboard.yaml")
    code, text, error = run("config", "get-contexts")
    tap.check(code == 0 and "CURRENT" in text, "no contexts yet", text, error)
    code, text, error = run("config", "set-context", "shop", "--server", address,
                            "--namespace", "acme", "--project", "shop")
    tap.check(code == 0 and stat.S_IMODE(os.stat(path).st_mode) == 0o600,
              "a context is set, in a file of mode 0600", text, error)
    code, _, error = run("config", "use-context", "nosuch")
    tap.check(code == 2 and "nosuch" in error, "a context that there is not", error)
    tap.check(run("config", "use-context", "shop")[0] == 0 and
              run("config", "current-context")[1] == "shop\n", "it is in use")
    code, text, error = run("logs", "inventory", *TIME, "--limit", "1")
    tap.check(code == 0 and " inventory " in text,
              "server, namespace and project are those of the context", error)
    code, _, error = run("logs", "inventory", *TIME, CALLBOARD_PROJECT="other")
    tap.check(code == 5 and "other" in error, "the environment comes before it", error)
    code, _, _ = run("logs", "inventory", "-p", "shop", *TIME, CALLBOARD_PROJECT="other")
    tap.check(code == 0, "an option before the environment")
    code, _, error = run("components", "--context", "b")
    tap.check(code == 2 and "there are shop" in error, "--context", error)
    with Fake(answering(200, b'{"components": [], "total": 0}')) as fake:
        run("config", "set-context", "fake", "--server", fake.address,
            "--token-stdin", stdin="hush-hush\n")
        view = run("config", "view")[1]
        tap.check("hush-hush" not in view and "token: " in view and
                  "hush-hush" in open(path).read(), "view hides tokens", view)
        run("components", "--context", "fake")
        tap.check(fake.seen and fake.seen[0][1].get("Authorization") ==
                  "Bearer hush-hush", "the token is sent to its server", fake.seen)
        with Fake(answering(200, b'{"components": [], "total": 0}')) as other:
            run("components", "--context", "fake", "-s", other.address)
            tap.check(other.seen and "Authorization" not in other.seen[0][1],
                      "and to no other", other.seen)
    os.chmod(path, 0o644)
    code, _, error = run("components")
    tap.check(code == 2 and "chmod" in error, "a token that others can read", error)
    os.chmod(path, 0o600)
    run("config", "delete-context", "fake")
    with open(path, "a") as file:
        file.write("nonsense: [\n")
    code, _, error = run("components")
    tap.check(code == 2 and path in error and "line " in error, "not YAML", error)
    os.unlink(path)


def help_texts(tap):
    text = run("--help")[1]
    verbs = re.findall(r"^  ([a-z-]+) {2,}\S", text.split("Verbs")[1].split("\n\n")[0], re.M)
    tap.check(len(verbs) > 10, "verbs are listed", verbs)
    short = run("-h")[1]
    tap.check(text.startswith(short) and len(short.splitlines()) < 45 and
              run("help")[1] == short and "--kafka" not in short and
              run("serve", "-h")[1] == text == run("help", "serve")[1],
              "-h is short, with all verbs", short)
    for words in (["lgos"], ["help", "lgos"]):
        code, out, error = run(*words)
        tap.check(code == 1 and not out and "no such command; did you mean logs? callboard -h" in error,
                  f"{words}: the nearest verb", error)
    briefs = re.findall(r"^  [a-z-]+ {2,}(\S+)", short.split("Verbs")[1].split("\n\n")[0], re.M)
    tap.check(len(briefs) == len(verbs) and all(re.match(r"[a-z]+s\b", word) for word in briefs),
              "what a verb does is told in one form", briefs)
    manual = run("--help-man")[1]
    for verb in verbs:
        code, text, error = run(verb, "--help")
        tap.check(code == 0 and text.startswith(f"Usage: callboard {verb}") and
                  max(map(len, text.splitlines())) <= 140 and
                  run("help", verb)[1] == text and
                  f".SS callboard {verb} " in manual, f"help of {verb}", text, error)
        for word in re.findall(r"^      ?-?[a-z]?,? ?--([a-z-]+)", text, re.M):
            if f"\\-\\-{word}".replace("-", "\\-").replace("\\\\-", "\\-") not in manual:
                tap.check(False, f"the manual has --{word}")


def main():
    tap = Tap()
    help_texts(tap)
    bad_servers(tap)
    interrupted(tap)
    two_of_each(tap)
    with Running("--catalog", "../shop/catalog.json") as server:
        server.play()
        address = f"127.0.0.1:{server.port}"
        outputs(tap, server, address)
        pages(tap, address)
        metrics(tap, address)
        costs(tap, address)
        rest(tap, address)
        changes(tap, address)
        names(tap, address)
        every_option(tap, address)
        sorted_traces(tap, address)
        exit_codes(tap, address)
        on_terminal(tap, address)
        contexts(tap, address)
        hostile(tap, server, address)
    shutil.rmtree(HOME)
    tap.exit()


if __name__ == "__main__":
    main()
