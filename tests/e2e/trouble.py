"""Trouble from around the program, on the real binary: SIGTERM under load,
full and read-only disks, damaged files, a port or a folder in use; retention
by size; identities that become known late; the catalogue.
"""
import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

from callboard import (NS, Client, DidNotStart, Server, Tap, around, export, field, fixed64,
                       find_logs, find_spans, gauge, log, logs_request, metrics_request, new_folder,
                       number, otlp_proto, rfc3339, scope, seeded, span, spans_request, stamped,
                       text_attr, wait_until)
from load import compare, compare_derived, join_senders, start_senders

MIB = 1 << 20
tap = Tap()
check, same = tap.check, tap.same
rng = seeded()


def refused_start(folder, *options, limits=None):
    """Exit status and log of a start that must not succeed."""
    try:
        server = Server(folder, *options, limits=limits)
    except DidNotStart as error:
        return error.code, error.log
    server.kill()
    return "it started", server.log()


# ---- signals ----


def test_sigterm():
    folder = new_folder()
    everything = []
    for round_ in range(4):
        server = Server(folder, "--journal-max", "16MiB", "--seal-age", rng.choice(["100ms", "1s", "5m"]))
        idle = [socket.create_connection(("127.0.0.1", server.otlp_port)) for _ in range(100)]
        senders = start_senders(server, round_, rng)
        time.sleep(rng.uniform(0.1, 0.8))
        which = rng.choice([signal.SIGTERM, signal.SIGINT])
        began = time.monotonic()
        server.child.send_signal(which)
        code = server.stop()
        took = time.monotonic() - began
        requests = join_senders(senders)
        for s in idle:
            s.close()
        good = sum(r.acknowledged for r in requests)
        check(code == 0 and took < 5 and good > 0,
              f"{which.name} under load, {good} requests acknowledged: ends within 5 s with status 0",
              (code, f"{took:.1f} s", good, server.log()[-1000:]))
        server = Server(folder)
        wrong = compare(server, requests) + compare_derived(server, round_, requests)
        check(not wrong, "everything acknowledged is there once", wrong[:10])
        everything += requests
        server.stop()
    server = Server(folder)
    wrong = compare(server, everything)
    check(not wrong, "and is still there after all of them", wrong[:10])
    for s in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
        server.child.send_signal(s)
    same(server.stop(), 0, "several signals at once end it just the same")


# ---- starts that cannot be ----


def test_starts():
    folder = new_folder()
    server = Server(folder)
    server.send("logs", logs_request(stamped("first"), [log(time.time_ns(), "mine")]))
    code, text = refused_start(folder)
    check(code == 1 and "another process" in text and folder in text and "memory full" not in text, "a second process on the same folder: says so, status 1", (code, text))
    for option, port in (("--otlp-http", server.otlp_port), ("--query", server.query_port)):
        code, text = refused_start(new_folder(), option, f"127.0.0.1:{port}")
        check(code == 1 and f"127.0.0.1:{port}" in text and "in use" in text, f"{option} in use: says so, status 1", (code, text))
    same(find_logs(server, "first")["total"], 1, "the first one goes on")
    server.stop()
    file = os.path.join(new_folder(), "file")
    with open(file, "w") as f:
        f.write("not a folder")
    for name, path in (("a file", file), ("a folder that cannot be made", "/proc/nothing/here")):
        code, text = refused_start(path)
        check(code == 1 and path in text, f"--data-dir is {name}: says so, status 1", (code, text))
    for options, word in ((["--nonsense", "1"], "--nonsense"), (["--memory-limit", "lots"], "memory-limit"),
                          (["--memory-limit", "1KiB"], "memory-limit"), (["--otlp-http", "nowhere"], "otlp-http"),
                          (["--config", "/nonexistent.yaml"], "/nonexistent.yaml")):
        code, text = refused_start(new_folder(), *options)
        check(code not in (0, None, "it started") and code > 0 and word in text, f"{' '.join(options)}: named, status {code}", (code, text))
    for option in ("--help", "--version"):
        done = subprocess.run([os.environ["CALLBOARD"], option], capture_output=True, timeout=10)
        check(done.returncode == 0 and done.stdout, f"{option}: status 0", done)


def test_auth():
    for option in ("--otlp-http", "--query"):
        for address in ("0.0.0.0:0", "[::]:0"):
            code, text = refused_start(new_folder(), option, address)
            check(code not in (0, None, "it started") and "--auth none" in text, f"{option} {address}: not without --auth none, and it says so", (code, text))
    server = Server(new_folder(), "--otlp-http", "0.0.0.0:0", "--query", "0.0.0.0:0", "--auth", "none")
    same((server.health()[0], server.send("logs", logs_request(stamped("a"), [log(time.time_ns(), "x")])).status),
         (200, 200), "with --auth none it listens everywhere")
    same(server.stop(), 0, "and stops")


# ---- disks ----


class Disk:
    """A small file system in memory, if we may mount one."""

    def __init__(self, size):
        self.path = new_folder()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "callboard-e2e", self.path], capture_output=True)
        self.mounted = done.returncode == 0
        self.why = done.stderr.decode().strip().splitlines()[-1] if not self.mounted else ""

    def remount(self, options):
        subprocess.run(["mount", "-o", "remount," + options, self.path], check=True, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], capture_output=True)


def noisy_logs(component, first, count=20, size=4000):
    """A request with records that do not compress; their texts."""
    now = time.time_ns()
    texts = [f"record {first + i} {rng.randbytes(size // 2).hex()}" for i in range(count)]
    return otlp_proto("logs", logs_request(stamped(component), [log(now + i, t) for i, t in enumerate(texts)])), texts


def numbers_of(server, component):
    """The numbers of the records that are there, in order."""
    found, start = [], around()["startTime"]
    while True:
        answer = server.ask("/api/v1/logs/query", {"startTime": start, "endTime": around()["endTime"], "limit": 1000,
                                                   "sortOrder": "asc", "searchScope": scope(component)})
        if not answer["logs"]:
            return found
        # The page ends within a nanosecond at most: times differ.
        found += [int(e["log"].split()[1]) for e in answer["logs"]]
        last = answer["logs"][-1]["timestamp"]
        whole, _, fraction = last.rstrip("Z").partition(".")
        start = f"{whole}.{int((fraction + '000000000')[:9]) + 1:09d}Z" if int((fraction + '0' * 9)[:9]) < NS - 1 else last
        if len(answer["logs"]) < 1000:
            return found


def send_noisy(server, client, component, first):
    body, texts = noisy_logs(component, first)
    status = export(None, "logs", body, client=client).status
    return status, range(first, first + len(texts))


def fill(server, component, until, seconds=20):
    """Sends until a condition holds; (acknowledged numbers, next, statuses)."""
    kept, at, seen = [], fill.at, {}
    end = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(Client(server.otlp_port, timeout=5))
        while time.monotonic() < end and not until(seen):
            first, at = at, at + 20
            try:
                status, numbers = send_noisy(server, client, component, first)
            except TimeoutError:
                # In the journal already, and nobody may know before it is in
                # the store, too, which a full disk keeps it from.
                client = stack.enter_context(Client(server.otlp_port, timeout=5))
                continue
            seen[status] = seen.get(status, 0) + 1
            if status == 200:
                kept += numbers
            else:
                time.sleep(0.02)
    fill.at = at
    return kept, seen


fill.at = 0


def test_disk_full():
    names = ["a full disk: 503, reading goes on, /health says so", "and it recovers by itself", "nothing acknowledged is lost"]
    with Disk("80m") as disk:
        if not disk.mounted:
            for name in names:
                tap.skip(name, f"no file system could be mounted: {disk.why}")
            return
        filler = os.path.join(disk.path, "filler")
        with open(filler, "wb") as f:
            f.write(b"x" * (60 * MIB))
        server = Server(disk.path + "/data", "--journal-max", "8MiB", "--seal-age", "200ms")
        kept, seen = fill(server, "disk", lambda seen: seen.get(503, 0) >= 100)
        ill = wait_until(lambda: server.health()[0] == 503, 5)
        health = server.health()
        with Client(server.otlp_port) as client:
            answer = client.request("POST", "/v1/logs", noisy_logs("disk", 10**6)[0], {"Content-Type": "application/x-protobuf"})
        asked = server.query("/api/v1/logs/query", {**around(), "searchScope": scope("disk"), "limit": 10})
        retry = answer.headers["Retry-After"] or ""
        check(set(seen) == {200, 503} and ill and "disk full" in health[1]["error"] and answer.status == 503
              and retry.isdigit() and int(retry) >= 1 and asked.status == 200 and len(json.loads(asked.body)["logs"]) == 10,
              names[0], (seen, health, answer, asked.status))
        said = [line for line in server.log().splitlines() if "level=error" in line]
        check(0 < len(said) <= 6, "said in the log, not again and again", f"{len(said)} lines: {said[:8]}")
        os.remove(filler)
        with Client(server.otlp_port) as client:
            well = wait_until(lambda: send_and_keep(server, client, kept), 15, 0.2)
        check(well and wait_until(lambda: server.health()[0] == 200, 10), names[1], (server.health(), server.log()[-1000:]))
        there = numbers_of(server, "disk")
        lost = set(kept) - set(there)
        check(not lost and len(there) == len(set(there)), names[2], f"{len(lost)} lost of {len(kept)}, {len(there) - len(set(there))} twice")
        server.kill()
        server = Server(disk.path + "/data")
        there = numbers_of(server, "disk")
        lost = set(kept) - set(there)
        check(not lost and len(there) == len(set(there)), "nor after kill -9", f"{len(lost)} lost of {len(kept)}, {len(there) - len(set(there))} twice")
        same(server.stop(), 0, "and it stops with status 0")


def send_and_keep(server, client, kept):
    status, numbers = send_noisy(server, client, "disk", fill.at)
    fill.at += len(numbers)
    if status == 200:
        kept += numbers
    return status == 200


def test_full_at_stop_and_start():
    """A disk without room when it stops, when it is killed, when it starts."""
    names = ["SIGTERM with a full disk ends it within seconds", "a start on a full disk answers questions",
             "with room again everything acknowledged is there"]
    with Disk("24m") as disk:
        if not disk.mounted:
            for name in names:
                tap.skip(name, f"no file system could be mounted: {disk.why}")
            return
        server = Server(disk.path + "/data", "--journal-max", "8MiB", "--seal-age", "5m")
        kept, _ = fill(server, "full", lambda seen: seen.get(200, 0) >= 40)
        filler = os.path.join(disk.path, "filler")
        with open(filler, "wb", buffering=0) as f:
            try:
                while f.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        began = time.monotonic()
        code = server.stop()
        took = time.monotonic() - began
        check(code in (0, 1) and took < 20, names[0], (code, took, server.log()[-1000:]))
        try:
            server = Server(disk.path + "/data", "--journal-max", "8MiB")
        except DidNotStart as error:
            check(False, names[1], (error.code, error.log))
            return
        asked = server.query("/api/v1/logs/query", {**around(), "searchScope": scope("full")})
        new = logs_request(stamped("late"), [log(time.time_ns(), "late")])
        check(asked.status == 200 and json.loads(asked.body)["total"] == len(kept), names[1], (asked.status, asked.body[:200], server.log()[-800:]))
        refused = wait_until(lambda: server.send("logs", new).status == 503, 20, 0.2)
        check(refused and wait_until(lambda: server.health()[0] == 503, 20, 0.2), "and takes nothing new", (server.health(), server.log()[-800:]))
        os.remove(filler)
        well = wait_until(lambda: server.send("logs", new).status == 200 and server.health()[0] == 200, 20, 0.2)
        check(well, "until there is room", (server.health(), server.log()[-800:]))
        server.kill()
        server = Server(disk.path + "/data")
        there = numbers_of(server, "full")
        check(set(kept) <= set(there) and len(there) == len(set(there)), names[2], (len(kept), len(there), server.log()[-1000:]))
        same(server.stop(), 0, "and it stops with status 0")


def test_read_only():
    with Disk("24m") as disk:
        if not disk.mounted:
            tap.skip("a read-only disk at the start", f"no file system could be mounted: {disk.why}")
            return
        server = Server(disk.path + "/data")
        kept, _ = fill(server, "ro", lambda seen: seen.get(200, 0) >= 10)
        server.stop()
        disk.remount("ro")
        for folder in (disk.path + "/data", disk.path + "/new"):
            code, text = refused_start(folder)
            check(code == 1 and "Read-only file system" in text and folder in text, "a read-only disk at the start: says so, status 1", (code, text))
        disk.remount("rw")
        server = Server(disk.path + "/data")
        same(numbers_of(server, "ro"), kept, "writable again: all is there")
        server.stop()


# ---- damage ----


def filled_folder(stop):
    """A data folder with forty requests in order; stopped, or killed so that
    all is in the journal."""
    folder = new_folder()
    server = Server(folder, "--journal-max", "8MiB", "--seal-age", "5m")
    kept, _ = fill(server, "damage", lambda seen: seen.get(200, 0) >= 60)
    server.send("traces", spans_request(stamped("damage"), [span(rng, time.time_ns()) for _ in range(50)]))
    server.send("metrics", metrics_request(stamped("damage"), [gauge("container.memory.usage", time.time_ns(), 5.0)]))
    if stop:
        server.stop()
    else:
        server.kill()
    return folder, kept


def copy_of(folder):
    copy = new_folder()
    shutil.copytree(folder, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
    return copy


def flip(path, count=1, first=0):
    """Alters bits of a file; where."""
    size = os.path.getsize(path)
    places = []
    with open(path, "r+b") as f:
        for _ in range(count):
            at = rng.randrange(first, size)
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ (1 << rng.randrange(8))]))
            places.append(at)
    return places


def all_questions(server):
    """Statuses of one question of each kind."""
    asked = {**around(), "searchScope": scope(), "limit": 1000}
    return [server.query(path, body).status for path, body in (
        ("/api/v1/logs/query", asked), ("/api/v1/logs/query", {**asked, "searchPhrase": "record 1"}),
        ("/api/v1/events/query", asked), ("/api/v1alpha1/traces/query", asked),
        ("/api/v1/metrics/query", {**asked, "metric": "http"}), ("/api/v1/metrics/query", {**asked, "metric": "resource"}),
        ("/api/v1alpha1/metrics/runtime-topology", asked), ("/api/v1/components", None),
        ("/api/v1/components/acme/shop/damage?environment=test", None), ("/metrics", None), ("/health", None))]


def goes_on(server):
    """Takes and finds a new record."""
    status = server.send("logs", logs_request(stamped("new"), [log(time.time_ns(), "new")])).status
    return status == 200 and is_found(server)


def is_found(server):
    """The record of goes_on(); or a clear word that what the question has to
    go through is damaged."""
    answer = server.query("/api/v1/logs/query", {**around(), "searchScope": scope("new")})
    said = json.loads(answer.body)
    return "new" in (e["log"] for e in said["logs"]) if answer.status == 200 else answer.status == 503 and "damaged" in said["message"]


def test_damaged_journal():
    folder, kept = filled_folder(stop=False)
    server = Server(copy_of(folder))
    same(numbers_of(server, "damage"), kept, "an undamaged journal has it all")
    server.kill()
    for case in range(12):
        copy = copy_of(folder)
        used = [p for p in sorted(glob.glob(copy + "/journal-*.log")) if os.path.getsize(p) > 4096]
        path = rng.choice(used)
        kind = ("a flipped bit", "twenty flipped bits", "a cut", "zeros", "emptied", "removed")[case % 6]
        if kind == "a flipped bit":
            flip(path)
        elif kind == "twenty flipped bits":
            flip(path, 20)
        elif kind == "a cut":
            os.truncate(path, rng.randrange(os.path.getsize(path)))
        elif kind == "zeros":
            with open(path, "r+b") as f:
                f.seek(rng.randrange(os.path.getsize(path)))
                f.write(bytes(5000))
        elif kind == "emptied":
            os.truncate(path, 0)
        else:
            os.remove(path)
        name = f"journal, {kind} in {os.path.basename(path)}"
        try:
            server = Server(copy, "--journal-max", "8MiB")
        except DidNotStart as error:
            check(False, f"{name}: it starts", (error.code, error.log))
            continue
        there = numbers_of(server, "damage")
        missing = sorted(set(kept) - set(there))
        # In one piece, no more than the segment has, and only what was sent. A
        # flipped bit costs the request that it is in; of the last file the end
        # cannot be told from a write that was cut short.
        whole = not missing or missing == kept[kept.index(missing[0]):][:len(missing)]
        if kind == "twenty flipped bits":
            whole = len(missing) <= 20 * 20
        elif kind == "a flipped bit":
            whole = len(missing) <= 20
        if missing and path != used[-1]:
            whole = whole and "notes" in server.health()[1]
        check(there == sorted(set(there)) and set(there) <= set(kept) and whole and len(missing) <= len(kept) // 2
              and len(there) > 0, f"{name}: the rest is there ({len(missing)} of {len(kept)} missing)",
              (there[:3], missing[:3], missing[-3:], len(missing), server.log()[-600:]))
        check(goes_on(server) and set(all_questions(server)) == {200}, f"{name}: it goes on", (all_questions(server), server.log()[-600:]))
        code = server.stop()
        server = Server(copy)
        check(code == 0 and numbers_of(server, "damage") == there and find_logs(server, "new")["total"] == 1,
              f"{name}: after a stop all that was there is in blocks", (code, server.log()[-600:]))
        server.kill()


def test_damaged_database():
    folder, kept = filled_folder(stop=True)
    name_of = glob.glob(folder + "/*.db")
    same(len(name_of), 1, "one database file")
    database = os.path.basename(name_of[0])
    for case in range(16):
        copy = copy_of(folder)
        path = os.path.join(copy, database)
        size = os.path.getsize(path)
        kind = ("a flipped bit", "fifty flipped bits", "cut short", "a page of zeros", "a damaged first page", "emptied",
                "no database at all", "five hundred flipped bits")[case % 8]
        if kind == "a flipped bit":
            flip(path, 1, 100)
        elif kind == "fifty flipped bits":
            flip(path, 50, 100)
        elif kind == "five hundred flipped bits":
            flip(path, 500, 100)
        elif kind == "cut short":
            os.truncate(path, rng.randrange(1, size))
        elif kind == "a page of zeros":
            with open(path, "r+b") as f:
                f.seek(rng.randrange(1, size // 16384) * 16384)
                f.write(bytes(16384))
        elif kind == "a damaged first page":
            with open(path, "r+b") as f:
                f.write(rng.randbytes(100))
        elif kind == "emptied":
            os.truncate(path, 0)
        else:
            with open(path, "wb") as f:
                f.write(b"this is no database at all\n" * 1000)
        name = f"database, {kind} ({case})"
        try:
            server = Server(copy, "--seal-age", "100ms")
        except DidNotStart as error:
            check(False, f"{name}: it starts", (error.code, error.log))
            continue
        statuses = all_questions(server)
        found = server.query("/api/v1/logs/query", {**around(), "searchScope": scope("damage"), "limit": 1000})
        there = [int(e["log"].split()[1]) for e in json.loads(found.body).get("logs", [])] if found.status == 200 else []
        check(set(statuses) <= {200, 503} and set(there) <= set(kept) and server.running(),
              f"{name}: it starts, every question has an answer", (statuses, server.log()[-600:]))
        on = goes_on(server)
        time.sleep(0.3)  # a commit
        check(on and server.running(), f"{name}: it takes new data", (server.health(), server.log()[-1000:]))
        code = server.stop()
        try:
            server = Server(copy)
            again = is_found(server)
            server.kill()
        except DidNotStart as error:
            again = str(error)
        check(code == 0 and again is True, f"{name}: which is there after a restart", (code, again, server.log()[-1000:]))
    copy = copy_of(folder)
    db = sqlite3.connect(os.path.join(copy, database))
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    before = open(os.path.join(copy, database), "rb").read()
    code, text = refused_start(copy)
    check(code == 1 and "newer" in text and database in text, "a database of a newer version: says so, status 1", (code, text))
    check(open(os.path.join(copy, database), "rb").read() == before, "and leaves it alone")


# ---- retention by size ----


def test_retention_size():
    folder = new_folder()
    server = Server(folder, "--retention-size", "12MiB", "--seal-age", "100ms", "--journal-max", "8MiB")
    kept, seen = fill(server, "many", lambda seen: seen.get(200, 0) >= 700, 60)
    sent = sum(seen.values()) * 20 * 4000

    def size(suffix=""):
        return os.path.getsize(folder + "/callboard.db" + suffix)

    # All is in blocks, and nothing more is deleted.
    gone = []
    wait_until(lambda: server.counter("memtable_bytes") == 0, 20, 0.2)
    wait_until(lambda: gone.append(server.counter("expired_blocks_total")) or len(gone) > 10 and gone[-10] == gone[-1], 20, 0.2)
    small = wait_until(lambda: size() <= 12 * MIB and server.counter("expired_blocks_total") > 0, 20, 0.2)
    check(small and sent > 36 * MIB, f"{sent // MIB} MiB through a database of 12 MiB: the file shrinks to {size() / MIB:.1f} MiB",
          (sent, size(), server.counters().get("expired_blocks_total"), server.log()[-500:]))
    check(size("-wal") <= 17 * MIB, "and SQLite's log beside it keeps to its 16 MiB", size("-wal"))
    there = numbers_of(server, "many")
    check(len(there) > 500 and there == kept[-len(there):],
          f"the newest {len(there)} of {len(kept)} records are there, in one piece",
          (there[:2], there[-2:], kept[-1], [p for p in zip(there, there[1:]) if p[1] != p[0] + 1]))
    same(server.stop(), 0, "it stops with status 0")
    server = Server(folder, "--retention-size", "12MiB")
    check(wait_until(lambda: size() <= 12 * MIB, 20, 0.2) and numbers_of(server, "many")[-1] == kept[-1],
          "the same after a restart", size())
    server.stop()


# ---- what becomes known late ----


def memory_of(server, component):
    series = server.ask("/api/v1/metrics/query", {**around(minutes=5), "metric": "resource", "step": "1m",
                                                  "searchScope": scope(component)})["memoryUsage"]
    return round(series[-1]["value"]) if series else None


def test_late_tagging():
    folder = new_folder()
    server = Server(folder, "--seal-age", "100ms")

    def metrics_only(pod, value):
        resource = {"k8s.pod.uid": pod, "k8s.pod.name": pod, "k8s.namespace.name": "dp-acme"}
        return (server.send("metrics", metrics_request(resource, [gauge("container.memory.usage", time.time_ns(), value)])).status,
                server.send("logs", logs_request(resource, [log(time.time_ns(), f"tailed from {pod}")])).status)

    def labels(pod, component):
        resource = {**stamped(component), "k8s.pod.uid": pod, "k8s.pod.name": pod}
        return server.send("traces", spans_request(resource, [span(rng, time.time_ns())])).status

    def seen(component):
        return memory_of(server, component), [e["log"] for e in find_logs(server, component)["logs"]]

    same(metrics_only("pod-1", 11.0), (200, 200), "metrics and logs of a pod without labels")
    same(seen("late-1"), (None, []), "belong to no component yet")
    same(labels("pod-1", "late-1"), 200, "a span of the same pod with labels")
    same(seen("late-1"), (11, ["tailed from pod-1"]), "makes them that component's at once")
    metrics_only("pod-2", 22.0)
    time.sleep(0.4)  # into blocks
    same(server.stop(), 0, "restart")
    server = Server(folder, "--seal-age", "100ms")
    same(seen("late-1"), (11, ["tailed from pod-1"]), "still so after it")
    labels("pod-2", "late-2")
    same(seen("late-2"), (22, ["tailed from pod-2"]), "and what came before it is tagged after it")
    metrics_only("pod-3", 33.0)
    labels("pod-3", "late-3")
    server.kill()
    server = Server(folder)
    same([seen(f"late-{i}") for i in (1, 2, 3)], [(11 * i, [f"tailed from pod-{i}"]) for i in (1, 2, 3)], "all of it after kill -9")
    metrics_only("pod-3", 44.0)
    same(len(find_logs(server, "late-3")["logs"]), 2, "what the pod sends later has its component from the start")
    server.stop()


# ---- catalogue ----


def catalog(name, endpoint, port=8080):
    return {"components": [{"namespace": "acme", "project": "shop", "name": name,
                            "endpoints": [{"name": endpoint, "type": "HTTP", "port": port}]}]}


def endpoint_of_new_span(server, component, port=8080):
    server.send("traces", spans_request(stamped(component), [span(rng, time.time_ns(), server__port=port)]))
    page = server.ask(f"/api/v1/components/acme/shop/{component}?environment=test")
    return {e["endpoint"] for e in page["endpoints"] if e.get("requestCount", 1)}


def test_catalog():
    folder = new_folder()
    server = Server(folder)
    same(server.ask("/api/v1/catalog"), {}, "no catalogue at first")
    given = {**catalog("cart", "web"), "more": [1, {"x": None}]}
    same(server.ask("/api/v1/catalog", given, "PUT"), {"components": 1, "endpoints": 1, "dependencies": 0}, "PUT says what it took")
    same(server.ask("/api/v1/catalog"), given, "GET gives it back, unknown members included")
    check("web" in endpoint_of_new_span(server, "cart"), "a span on the declared port has the declared endpoint")
    for bad, word in ((catalog("cart", "web", 0), "components[0].endpoints[0].port"), ({"components": [{"name": "x"}]}, "components[0].project"),
                      ([], ""), ("nonsense {", ""), ({"components": 5}, "components")):
        answer = server.query("/api/v1/catalog", json.dumps(bad) if not isinstance(bad, str) else bad, "PUT")
        check(answer.status == 400 and word in json.loads(answer.body)["message"], f"a wrong catalogue: 400 that names {word or 'it'}", answer)
    same(server.query("/api/v1/catalog", b"[" + b" " * (9 * MIB) + b"]", "PUT").status, 413, "one of 9 MiB: 413")
    same(server.ask("/api/v1/catalog"), given, "none of them changed anything")
    server.kill()
    server = Server(folder)
    same(server.ask("/api/v1/catalog"), given, "it is there after kill -9")
    server.stop()

    path = os.path.join(new_folder(), "catalog.json")

    def write(text):
        with open(path + ".new", "w") as f:
            f.write(text if isinstance(text, str) else json.dumps(text))
        os.replace(path + ".new", path)

    write(catalog("shelf", "one"))
    server = Server(folder, "--catalog", path)
    same(server.ask("/api/v1/catalog"), catalog("shelf", "one"), "--catalog: the file is read at the start")
    check("one" in endpoint_of_new_span(server, "shelf"), "and is used")
    write(catalog("shelf", "two"))
    check(wait_until(lambda: server.ask("/api/v1/catalog") == catalog("shelf", "two"), 5), "a change is read within seconds")
    check("two" in endpoint_of_new_span(server, "shelf"), "and is used")
    write("{ broken")
    time.sleep(1.5)
    check(server.ask("/api/v1/catalog") == catalog("shelf", "two") and "refused" in server.log(), "a broken file is refused, the one before stays")
    os.remove(path)
    time.sleep(1.2)
    same(server.ask("/api/v1/catalog"), catalog("shelf", "two"), "without the file it stays as well")
    same(server.log().count("waiting for it"), 1, "and the log says so once")
    write(catalog("shelf", "three"))
    check(wait_until(lambda: server.ask("/api/v1/catalog") == catalog("shelf", "three"), 5), "a new file is read")
    same(server.stop(), 0, "it stops with status 0")


def main():
    wanted = os.environ.get("TESTS", "").split()
    for test in (test_sigterm, test_starts, test_auth, test_disk_full, test_full_at_stop_and_start, test_read_only,
                 test_damaged_journal, test_damaged_database, test_retention_size, test_late_tagging, test_catalog):
        if wanted and test.__name__ not in wanted:
            continue
        began = time.monotonic()
        try:
            test()
        except Exception as error:  # the next ones are worth a try
            check(False, f"{test.__name__} ended early", f"{type(error).__name__}: {error}")
        print(f"# {test.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    tap.end()


main()
