"""Runs the statements of standard input, twice, and uses what is special in the
tables: parts of a minute that add up, tokens, the TTL and its change."""
import sys
import tempfile

import chdb
from chdb import session

SERIES = ("INSERT INTO callboard.callboard_series (Metric, Time, Attributes, Count, Buckets, Exemplars) "
          "SELECT 'm', toStartOfMinute(now()), map('k', 'v'), 2, map({}, 2, 3, 1), "
          "[(now64(9), 't', 's', 0.5, true)]")
USES = (
    (SERIES.format(1), None), (SERIES.format(2), None),
    ("OPTIMIZE TABLE callboard.callboard_series FINAL", None),
    ("SELECT Count, Buckets, length(Exemplars), Attributes['k'] FROM callboard.callboard_series",
     "4\t{1:2,2:2,3:2}\t2\tv"),
    ("INSERT INTO callboard.otel_logs (Timestamp, Body) SELECT now64(9), 'a' FROM numbers(3)", None),
    ("SELECT count(), uniq(Arrival), min(InsertedAt) > '2020-01-01' FROM callboard.otel_logs "
     "WHERE hasToken(lower(Body), 'a')", "3\t1\t1"),
    ("ALTER TABLE callboard.otel_traces MODIFY TTL toDateTime(Timestamp) + toIntervalSecond(3600)", None),
    ("ALTER TABLE callboard.otel_traces REMOVE TTL", None),
    ("ALTER TABLE callboard.otel_traces DROP PARTITION ID '20200101' SETTINGS max_partition_size_to_drop = 0", None),
    ("SELECT max(Version) FROM callboard.callboard_schema", "1"),
)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        database = session.Session(folder)
        statements = [one.strip() for one in sys.stdin.read().split(";\n") if one.strip()]
        todo = [(one, None) for one in statements * 2] + list(USES)
        for sql, wanted in todo:
            try:
                seen = str(database.query(sql, "TabSeparated")).strip()
                good = wanted is None or seen == wanted
            except Exception as error: # pylint: disable=broad-except
                seen, good = str(error), False
            if not good:
                failed += 1
                print(f"not ok - {' '.join(sql.split())[:100]}\n# saw: {seen[:500]}")
        version = str(chdb.query("SELECT version()", "TabSeparated")).strip()
        if statements and not failed:
            print(f"ok 1 - {len(statements)} statements of the schema, and uses of it, in ClickHouse {version}")
    sys.exit(1 if failed or not statements else 0)


if __name__ == "__main__":
    main()
