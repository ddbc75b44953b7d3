"""The shim speaks as ClickHouse does where Callboard depends on it: repeated
tokens are dropped for each kind of table and column, what was acknowledged
stays over kill -9, errors have their code and status. And the fault proxy makes
its faults."""
import http.client
import os
import threading
import time
import urllib.error

import codings
import kit

TABLES = {
    "plain": "",
    "partitioned": "PARTITION BY toDate(t)",
}
COLUMNS = ("t DateTime64(9), l LowCardinality(String), m Map(LowCardinality(String), String), "
           "`n.a` Array(String), `n.b` Array(Map(LowCardinality(String), String))")
ROWS = ("SELECT toDateTime64(1700000000 + number * 7200, 9) AS t, toString(number) AS l, "
        "map('k', toString(number)) AS m, ['x', 'y'] AS `n.a`, [map('q', '1'), map()] AS `n.b` "
        "FROM numbers(100)")
INSERT = "INSERT INTO {} (t, l, m, `n.a`, `n.b`) FORMAT Native"


def make_tables(db):
    db.sql("CREATE DATABASE IF NOT EXISTS callboard", database="default")
    for name, more in TABLES.items():
        db.sql(f"CREATE TABLE {name} ({COLUMNS}) ENGINE = MergeTree {more} ORDER BY t "
               "SETTINGS non_replicated_deduplication_window = 100")


def tokens(tap, db):
    data = codings.compress_zstd(db.sql(ROWS + " FORMAT Native"))

    def insert(table, token):
        db.sql(INSERT.format(table), data, headers={"Content-Encoding": "zstd"},
               insert_deduplication_token=token)
        return db.value(f"SELECT count() FROM {table}")

    for table in TABLES:
        counts = [insert(table, token) for token in ("a", "a", "b", "a", "c")]
        tap.same(counts, [100, 100, 200, 200, 300], f"a token counts once: {table}")
    db.kill()
    db.start()
    for table in TABLES:
        tap.same(insert(table, "b"), 300, f"also after kill -9: {table}")
    tap.same(db.rows("SELECT l, m, `n.a`, `n.b` FROM plain ORDER BY t LIMIT 1"),
             [["0", {"k": "0"}, ["x", "y"], [{"q": "1"}, {}]]], "columns of all kinds are as they were")


def errors(tap, db):
    for text, wanted in (("SELECT nothing FROM plain", (404, 47)), ("SELECT 1 FROM nothing", (404, 60)),
                         ("SELECT FROM WHERE", (400, 62)), ("SELECT 1; SELECT 2", (400, 62)),
                         ("SELECT throwIf(1)", (500, 395))):
        try:
            db.sql(text)
            seen = None
        except kit.Refused as error:
            seen = error.status, error.code
        tap.same(seen, wanted, f"status and code of {text}")
    try:
        db.sql("SELECT sleepEachRow(0.2) FROM numbers(100)", max_execution_time=1, max_block_size=1)
        seen = None
    except kit.Refused as error:
        seen = error.code
    tap.same(seen, 159, "max_execution_time ends a query")
    tap.same(db.value("SELECT getSetting('max_execution_time')"), 0, "a setting is of one request")
    try:
        db.sql("INSERT INTO plain (l) VALUES ('read')", readonly=2)
        seen = None
    except kit.Refused as error:
        seen = error.code
    tap.same(seen, 164, "readonly refuses an insert")
    with open(os.path.join(db.folder, "log"), encoding="utf-8") as log:
        tap.check("connection is lost" not in log.read(), "and a connection serves again after any of these")


def answers(tap, db):
    tap.same(db.sql("SELECT {a:String}", param_a="x'y"), b"x\\'y\n", "a parameter of the query")
    connection = http.client.HTTPConnection("127.0.0.1", db.port)
    connection.request("POST", "/?enable_http_compression=1",
                       "SELECT number FROM numbers(1000000) FORMAT RowBinary", {"Accept-Encoding": "zstd"})
    answer = connection.getresponse()
    tap.same(answer.getheader("Content-Encoding"), "zstd", "the answer is compressed")
    tap.same(len(codings.decode(answer.read(), "zstd")), 8000000, "in many frames")
    connection.request("POST", "/", "SELECT throwIf(number = 900000) FROM numbers(3000000) FORMAT RowBinary")
    try:
        body = connection.getresponse().read()
    except http.client.IncompleteRead as error:
        body = error.partial
    tap.check(b"Code: 395" in body[-500:], "an error after the first megabyte stands at its end", body[-500:])


def beside(tap, db):
    ended = []

    def sleep():
        db.sql("SELECT sleep(1)")
        ended.append(time.monotonic())

    threads = [threading.Thread(target=sleep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.check(max(ended) - min(ended) < 0.9, "queries run beside each other", ended)


def fault(db, kind, **more):
    """What a client sees of a query under the fault."""
    db.proxy.set(kind, **more)
    try:
        db.sql(f"INSERT INTO plain (l) VALUES ('fault {kind}')", port=db.proxy.port)
        return "ok"
    except kit.Refused as error:
        return error.status, error.code
    except (http.client.HTTPException, urllib.error.URLError, OSError):
        return "cut"
    finally:
        db.proxy.clear()


def made_faults(tap, db):
    count = "SELECT count() FROM plain WHERE l LIKE 'fault%'"
    for kind, wanted, rows in (("cut_request", "cut", 0), ("refuse", "cut", 0), ("lost_answer", "cut", 1),
                               ("readonly", (500, 242), 1), ("disk_full", (500, 243), 1),
                               ("bad_gateway", (502, 0), 1), ("slow", "ok", 2)):
        tap.same(fault(db, kind, seconds=0.1), wanted, f"what a client sees of {kind}")
        tap.same(db.value(count), rows, f"what was stored with {kind}")
    tap.same(fault(db, "readonly", match="otel_logs"), "ok", "others are not touched")
    tap.same(fault(db, "readonly", match="INTO plain", skip=1), "ok", "the first ones pass")
    tap.same(db.proxy.seen("lost_answer"), 1, "faults are counted")


def users(tap):
    db = kit.Database("--user", "writer:secret").start()
    try:
        db.sql("SELECT 1", database="default")
        seen = None
    except kit.Refused as error:
        seen = error.status, error.code
    tap.same(seen, (403, 516), "a user without a password is refused")
    tap.same(db.sql("SELECT 1", database="default", headers={
        "X-ClickHouse-User": "writer", "X-ClickHouse-Key": "secret"}), b"1\n", "with it not")
    db.stop()


def main():
    tap = kit.callboard.Tap()

    def tests():
        db = kit.Database().start()
        make_tables(db)
        tokens(tap, db)
        errors(tap, db)
        answers(tap, db)
        beside(tap, db)
        made_faults(tap, db)
        db.stop()
        users(tap)

    kit.run_tests(tap, tests)


if __name__ == "__main__":
    main()
