"""The data directory: a database or a journal that is missing, emptied, older or
foreign is reported in the log, in /health and by a counter; of damaged entries
only they are lost; files after a clean stop; file modes; and the errors of a
start that cannot listen or has a secret on its command line.
"""
import glob
import os
import shutil
import socket
import stat
import subprocess
import time

from callboard import (DidNotStart, Server, Tap, around, find_logs, log, logs_request, new_folder,
                       scope, seeded, stamped)

tap = Tap()
rng = seeded()
LATE = ["--seal-age", "5m"]


def fill(server, requests=5, component="c"):
    for _ in range(requests):
        answer = server.send("logs", logs_request(stamped(component), [log(time.time_ns() + i, "x" * 200) for i in range(20)]))
        assert answer.status == 200


def there(server, component="c"):
    return server.ask("/api/v1/logs/query", {**around(), "searchScope": scope(component), "limit": 1})["total"]


def journal_files(folder):
    return sorted(glob.glob(f"{folder}/journal-*.log"))


def stopped(folder=None, requests=5, options=()):
    """A folder after a clean stop."""
    server = Server(folder or new_folder(), *options)
    fill(server, requests)
    tap.same(server.stop(), 0, "a clean stop")
    return server.folder


def killed(folder=None, requests=5, flushed=True):
    """A folder after kill -9, with a request that only the journal has."""
    server = Server(folder or new_folder(), "--seal-age", "100ms" if flushed else "5m")
    fill(server, requests)
    if flushed:
        time.sleep(1.0)
        fill(server, 1)
    server.kill()
    return server.folder


def losses(server):
    return {kind: int(server.counter(f'data_loss_total{{kind="{kind}"}}')) for kind in ("database", "journal", "entries")}


def expect(folder, kind, name):
    """Starts on it, and looks what it says; kind None: nothing. The server."""
    server = Server(folder, *LATE)
    found = losses(server)
    notes = server.health()
    wanted = {k: int(k == kind) for k in found}
    said = "module=daemon" in server.log() and "level=error" in server.log() or "module=journal" in server.log()
    tap.check(found == wanted and notes[0] == 200 and ("notes" in notes[1]) == (kind is not None)
              and (kind is None or said), name, (found, notes, server.log()[-1500:]))
    return server


def ends(server):
    tap.same(server.stop(), 0, "it ends with status 0")


def nothing_is_missing():
    folder = stopped()
    files = journal_files(folder)
    tap.check(len(files) == 1 and os.path.getsize(files[0]) <= 64, "a clean stop leaves an empty journal",
              [(f, os.path.getsize(f)) for f in files])
    ends(expect(folder, None, "after a clean stop nothing is missing"))
    alone = new_folder()
    shutil.copy(f"{folder}/callboard.db", alone)
    server = expect(alone, None, "nor with the database alone, after a clean stop")
    tap.same(there(server), 100, "all is there")
    fill(server)
    server.kill()
    server = expect(alone, None, "nor after a kill")
    tap.same(there(server), 200, "all is there")
    ends(server)
    server = expect(alone, None, "nor after another stop")
    ends(server)


def the_journal():
    for how in ("missing", "emptied"):
        folder = killed()
        for file in journal_files(folder):
            if how == "missing":
                os.remove(file)
            else:
                os.truncate(file, 0)
        server = expect(folder, "journal", f"the journal is {how}")
        fill(server, 1, "new")
        tap.same(there(server, "new"), 20, "new data is taken")
        ends(server)
        ends(expect(folder, None, "the next start has nothing to say"))
    for how in ("missing", "emptied"):
        for before in (new_folder(), stopped(), stopped(requests=0)):
            folder = killed(before, requests=1, flushed=False)
            for file in journal_files(folder):
                if how == "missing":
                    os.remove(file)
                else:
                    os.truncate(file, 0)
            ends(expect(folder, "journal", f"the journal is {how} before the first commit since the start"))
    folder = stopped(requests=0)
    for file in journal_files(folder):
        os.remove(file)
    ends(expect(folder, None, "without a journal and without data nothing is missing"))
    folder, other = killed(), killed(requests=9)
    for file in journal_files(folder):
        os.remove(file)
    for file in journal_files(other):
        shutil.copy(file, folder)
    server = expect(folder, "journal", "the journal of another database")
    tap.check(glob.glob(f"{folder}/*.foreign") and "other database" in server.health()[1]["notes"][0].replace("another", "other"),
              "is set aside", (os.listdir(folder), server.health()))
    ends(server)


def the_database():
    for how in ("missing", "emptied"):
        folder = stopped()
        if how == "missing":
            os.remove(f"{folder}/callboard.db")
        else:
            os.truncate(f"{folder}/callboard.db", 0)
        server = expect(folder, "database", f"the database is {how}")
        fill(server)
        tap.same(there(server), 100, "new data is taken")
        ends(server)
        server = expect(folder, None, "the next start has nothing to say")
        tap.same(there(server), 100, "and still has it")
        ends(server)
    folder = stopped()
    older = new_folder() + "/older.db"
    shutil.copy(f"{folder}/callboard.db", older)
    stopped(folder)
    shutil.copy(older, f"{folder}/callboard.db")
    server = expect(folder, "database", "the database is an older copy")
    tap.same(there(server), 100, "what it has is there")
    ends(server)
    # As long as the journal reaches back there is nothing to say.
    folder = killed(flushed=False)
    for file in glob.glob(f"{folder}/callboard.db*"):
        os.remove(file)
    server = expect(folder, None, "a database is missing of which the journal has everything")
    tap.same(there(server), 100, "all is there")
    ends(server)


def damaged_entries():
    folder = killed(flushed=False, requests=7)
    files = [f for f in journal_files(folder) if os.path.getsize(f) > 100]
    with open(files[-1], "r+b") as file:
        data = file.read()
        length = int.from_bytes(data[64:68], "little")
        file.seek(64 + 2 * length + length // 2)  # in the third of seven alike
        file.write(b"\xff\xff\xff")
    server = expect(folder, "entries", "a damaged entry")
    tap.same(there(server), 6 * 20, "costs itself")
    fill(server, 1)
    ends(server)


def who_may_read():
    folder = os.path.join(new_folder(), "made")
    os.umask(0o000)
    server = Server(folder)
    fill(server, 2)
    modes = {f: stat.S_IMODE(os.stat(os.path.join(folder, f)).st_mode) for f in os.listdir(folder)}
    tap.check(stat.S_IMODE(os.stat(folder).st_mode) == 0o700 and all(m == 0o600 for m in modes.values()) and len(modes) > 3,
              "the folder is 0700 and its files are 0600", (oct(os.stat(folder).st_mode), {f: oct(m) for f, m in modes.items()}))
    time.sleep(1.2)
    tap.check(server.counter("ingest_memory_bytes") > 1000, "what ingest holds is counted", server.counter("ingest_memory_bytes"))
    ends(server)
    os.chmod(f"{folder}/callboard.db", 0o644)
    server = Server(folder)
    tap.same(stat.S_IMODE(os.stat(f"{folder}/callboard.db").st_mode), 0o600, "a database of an earlier version is closed to others")
    ends(server)
    os.umask(0o022)


def cannot_listen():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for option in ("--otlp-http", "--query"):
            try:
                Server(new_folder(), option, f"127.0.0.1:{port}").kill()
                tap.check(False, f"{option}: a port in use")
            except DidNotStart as error:
                tap.check(error.code == 1 and f"cannot listen on 127.0.0.1:{port}: address already in use" in error.log
                          and "storage" not in error.log, f"{option}: a port in use", error.log)
    try:
        Server(new_folder(), "--query", "203.0.113.77:9", "--auth", "none").kill()
        tap.check(False, "an address of another machine")
    except DidNotStart as error:
        tap.check(error.code == 1 and "cannot listen on 203.0.113.77:9: cannot assign requested address" in error.log
                  and "storage" not in error.log, "an address of another machine", error.log)


def secrets():
    for words, advice in ((["--kafka.sasl.password", "hush-4711"], "@FILE"),
                          (["--kafka.ssl.key.password=hush-4711"], "@FILE"),
                          (["--kafka-options", "sasl.password=hush-4711"], "@FILE"),
                          (["--store", "clickhouse=http://me:hush-4711@host/db"], "--clickhouse-password-file")):
        ran = subprocess.run([os.environ["CALLBOARD"], "serve", "--data-dir", new_folder(), *words],
                             capture_output=True, text=True, timeout=20)
        tap.check(ran.returncode == 1 and advice in ran.stderr and "hush" not in ran.stderr + ran.stdout,
                  f"{words[0].split('=')[0]}: a secret on the command line is refused, with advice", ran)
    os.environ["CALLBOARD_KAFKA_OPTIONS"] = "sasl.password=hush-4711"
    ran = subprocess.run([os.environ["CALLBOARD"], "--help-config"], capture_output=True, text=True, timeout=20)
    tap.check("hush" not in ran.stdout + ran.stderr, "--help-config shows none", ran.stdout[-500:])
    del os.environ["CALLBOARD_KAFKA_OPTIONS"]


def main():
    nothing_is_missing()
    the_journal()
    the_database()
    damaged_entries()
    who_may_read()
    cannot_listen()
    secrets()
    tap.end()


main()
