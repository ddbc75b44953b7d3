"""callboard export: what an embedded store holds is in ClickHouse once, however
often the export is killed and repeated."""
import os
import signal
import subprocess
import sys

import kit
from callboard import wait_until
from running import Running, Tap

test = Tap()
TABLES = {"spans": ["otel_traces"], "logs": ["otel_logs", "callboard_events"],
          "points": ["otel_metrics_gauge", "otel_metrics_sum", "otel_metrics_histogram",
                     "otel_metrics_exponential_histogram", "otel_metrics_summary"]}
LIMIT_S = 240


def command(folder, url):
    return [os.environ["CALLBOARD"], "export", "--data-dir", folder, "--store", "clickhouse=" + url,
            "--memory-limit", "64MiB"]


def export(folder, url):
    done = subprocess.run(command(folder, url), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LIMIT_S)
    return done.returncode, done.stdout, done.stderr


def counts(db):
    return {kind: sum(db.value(f"SELECT count() FROM {one}") for one in tables) for kind, tables in TABLES.items()}


def killed_in_the_middle(db, folder):
    """True: it ended by our signal, with some of the records written."""
    child = subprocess.Popen(command(folder, db.url()), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def begun():
        try:
            return db.value("SELECT count() FROM otel_traces") > 0
        except kit.Refused:
            return False
    wait_until(lambda: child.poll() is not None or begun(), LIMIT_S)
    child.send_signal(signal.SIGKILL)
    return child.wait(LIMIT_S) == -signal.SIGKILL


def main():
    try:
        db = kit.Database().start()
    except kit.Unavailable as error:
        print(f"not ok - ClickHouse is there: {error}")
        sys.exit(1)
    with Running() as server:
        server.play()
        folder = os.path.join(server.folder, "data")
        code, _, said = export(folder, db.url())
        test.check(code == 1 and "stop it first" in said, "a folder in use is refused", said)
        server.process.terminate()
        server.process.wait(60)
        test.check(killed_in_the_middle(db, folder), "the export is killed in the middle")
        code, out, said = export(folder, db.url())
        test.check(code == 0, "it goes on when it is repeated", out + said)
        print("# " + out.replace("\n", "\n# "))
        first = counts(db)
        test.check(all(first.values()), "all streams are there", first)
        code, out, said = export(folder, db.url())
        test.check(code == 0 and counts(db) == first, "repeated again it stores nothing twice",
                   f"{out}{said}{first} {counts(db)}")
    test.exit()


if __name__ == "__main__":
    main()
