"""callboard schema print and apply: the columns of the Collector's exporter,
the same tables by both, migrations, and what is refused."""
import os
import re
import subprocess
import threading

import kit

LC, MAP, NS = "LowCardinality(String)", "Map(LowCardinality(String), String)", "DateTime64(9)"
METRIC = {"ResourceAttributes": MAP, "ResourceSchemaUrl": "String", "ScopeName": "String", "ScopeVersion": "String",
          "ScopeAttributes": MAP, "ScopeDroppedAttrCount": "UInt32", "ScopeSchemaUrl": "String", "ServiceName": LC,
          "MetricName": LC, "MetricDescription": "String", "MetricUnit": "String", "Attributes": MAP,
          "StartTimeUnix": NS, "TimeUnix": NS, "Flags": "UInt32"}
EXEMPLARS = {"Exemplars.FilteredAttributes": f"Array({MAP})", "Exemplars.TimeUnix": f"Array({NS})",
             "Exemplars.Value": "Array(Float64)", "Exemplars.SpanId": "Array(String)",
             "Exemplars.TraceId": "Array(String)"}
MOMENTS = {"Count": "UInt64", "Sum": "Float64", "Min": "Float64", "Max": "Float64", "AggregationTemporality": "Int32"}
# Tables and columns of opentelemetry-collector-contrib, exporter/clickhouseexporter.
EXPORTER = {
    "otel_traces": {
        "Timestamp": NS, "TraceId": "String", "SpanId": "String", "ParentSpanId": "String", "TraceState": "String",
        "SpanName": LC, "SpanKind": LC, "ServiceName": LC, "ResourceAttributes": MAP, "ScopeName": "String",
        "ScopeVersion": "String", "SpanAttributes": MAP, "Duration": "UInt64", "StatusCode": LC,
        "StatusMessage": "String", "Events.Timestamp": f"Array({NS})", "Events.Name": f"Array({LC})",
        "Events.Attributes": f"Array({MAP})", "Links.TraceId": "Array(String)", "Links.SpanId": "Array(String)",
        "Links.TraceState": "Array(String)", "Links.Attributes": f"Array({MAP})"},
    "otel_traces_trace_id_ts": {
        "TraceId": "String", "Start": "SimpleAggregateFunction(min, DateTime)",
        "End": "SimpleAggregateFunction(max, DateTime)"},
    "otel_logs": {
        "Timestamp": NS, "TimestampTime": "DateTime", "TraceId": "String", "SpanId": "String", "TraceFlags": "UInt8",
        "SeverityText": LC, "SeverityNumber": "UInt8", "ServiceName": LC, "Body": "String", "ResourceSchemaUrl": LC,
        "ResourceAttributes": MAP, "ScopeSchemaUrl": LC, "ScopeName": "String", "ScopeVersion": LC,
        "ScopeAttributes": MAP, "LogAttributes": MAP, "EventName": "String"},
    "otel_metrics_gauge": {**METRIC, **EXEMPLARS, "Value": "Float64"},
    "otel_metrics_sum": {**METRIC, **EXEMPLARS, "Value": "Float64", "AggregationTemporality": "Int32",
                         "IsMonotonic": "Bool"},
    "otel_metrics_histogram": {**METRIC, **EXEMPLARS, **MOMENTS, "BucketCounts": "Array(UInt64)",
                               "ExplicitBounds": "Array(Float64)"},
    "otel_metrics_exponential_histogram": {
        **METRIC, **EXEMPLARS, **MOMENTS, "Scale": "Int32", "ZeroCount": "UInt64", "PositiveOffset": "Int32",
        "PositiveBucketCounts": "Array(UInt64)", "NegativeOffset": "Int32", "NegativeBucketCounts": "Array(UInt64)"},
    "otel_metrics_summary": {
        **METRIC, "Count": "UInt64", "Sum": "Float64", "ValueAtQuantiles.Quantile": "Array(Float64)",
        "ValueAtQuantiles.Value": "Array(Float64)"},
}


def schema(action, *options):
    done = subprocess.run([os.environ["CALLBOARD"], "schema", action, *options], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def store(db, database):
    return "--store", "clickhouse=" + db.url(database)


def shape(db, database):
    """All that two databases must have in common."""
    return [db.rows(f"SELECT * FROM ({text}) ORDER BY ALL", database=database) for text in (
        "SELECT table, name, type, default_expression, compression_codec, position FROM system.columns "
        "WHERE database = currentDatabase()",
        "SELECT name, engine_full, sorting_key, partition_key FROM system.tables WHERE database = currentDatabase()",
        "SELECT table, name, type_full, expr, granularity FROM system.data_skipping_indices "
        "WHERE database = currentDatabase()")]


def columns(db, database):
    found = {}
    for table, name, kind in db.rows(
            f"SELECT table, name, type FROM system.columns WHERE database = '{database}'", database="default"):
        found.setdefault(table, {})[name] = kind
    return found


def made(tap, db):
    code, said, error = schema("apply", *store(db, "one"), "--retention-logs", "7d")
    tap.check(code == 0 and "has the tables of schema version 1" in said, "apply says what there is now", said + error)
    found = columns(db, "one")
    for table, wanted in EXPORTER.items():
        seen = {name: found.get(table, {}).get(name) for name in wanted}
        tap.same(seen, wanted, f"{table} has the exporter's columns")
    before = shape(db, "one")
    tap.same(schema("apply", *store(db, "one"))[0], 0, "it may be repeated")
    tap.same(shape(db, "one"), before, "and changes nothing then")

    code, sql, error = schema("print", *store(db, "two"), "--retention-logs", "7d")
    tap.same(code, 0, "print needs no server")
    for statement in sql.split(";\n"):
        if statement.strip():
            db.sql(statement, database="default")
    tap.same(shape(db, "two"), before, "what it prints makes the same tables")
    tap.same(schema("apply", *store(db, "two"))[1].split(" has ")[1:],
             ["the tables of schema version 1\n"], "and apply finds them complete")
    tap.check(all("toIntervalSecond(604800)" in row[1] for row in before[1] if row[0] == "otel_logs"),
              "the retention is the TTL", before[1])


def at_once(tap, db):
    results = []
    threads = [threading.Thread(target=lambda: results.append(schema("apply", *store(db, "four"))))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.same([code for code, _, _ in results], [0] * 4, "four instances make them at once")
    tap.same(len(columns(db, "four")), len(columns(db, "one")), "and all tables are there")


def migrated(tap, db):
    before = shape(db, "one")
    for statement in ("ALTER TABLE otel_logs DROP INDEX idx_lower_body", "ALTER TABLE otel_logs DROP INDEX idx_level",
                      "ALTER TABLE otel_logs DROP COLUMN Level", "DROP TABLE callboard_events SYNC",
                      "TRUNCATE TABLE callboard_schema"):
        db.sql(statement, database="one")
    code, _, error = schema("apply", *store(db, "one"), "--retention-logs", "7d")
    tap.check(code == 0, "an older installation gets what it lacks", error)
    names = [[row[:3] for row in before[0]], [row[0] for row in before[1]], sorted(row[:4] for row in before[2])]
    after = shape(db, "one")
    seen = [[row[:3] for row in after[0]], [row[0] for row in after[1]], sorted(row[:4] for row in after[2])]
    tap.same(seen, names, "all of it")


def refused(tap, db):
    db.sql("INSERT INTO callboard_schema (Version) VALUES (99)", database="one")
    code, _, said = schema("apply", *store(db, "one"))
    tap.check(code == 1 and "of schema version 99" in said and "run the newer program" in said,
              "tables of a newer program are refused", said)
    db.sql("CREATE DATABASE exporter", database="default")
    db.sql("CREATE TABLE otel_traces (Timestamp DateTime64(9), ServiceName LowCardinality(String)) "
           "ENGINE = MergeTree ORDER BY (ServiceName, Timestamp)", database="exporter")
    code, _, said = schema("apply", *store(db, "exporter"))
    tap.check(code == 1 and "otel_traces" in said and "a database of its own" in said,
              "tables of the exporter itself are left alone", said)
    tap.same(len(columns(db, "exporter")), 1, "nothing is added there")
    for options, sentence in (
            ((), "--store clickhouse=URL says where"), (("--store", "embedded"), "--store"),
            (("--store", "clickhouse=ftp://x/y"), "--store"),
            (("--store", f"clickhouse=http://127.0.0.1:{kit.kafka.free_ports(1)}/one"), "127.0.0.1"),
            ((*store(db, "one"), "--clickhouse-password-file", "/nowhere"), "--clickhouse-password-file")):
        code, _, said = schema("apply", *options)
        tap.check(code == 1 and sentence in said, f"refused with a sentence: {options[:2]}", said)
    code, _, said = schema("drop")
    tap.check(code == 2 and "print | apply" in said, "an unknown action is misuse", said)


def clustered(tap, db):
    code, sql, error = schema("print", "--clickhouse-cluster", "main", "--retention-traces", "1h")
    statements = [one for one in sql.split(";\n") if one.strip()]
    tap.same(code, 0, "print for a cluster")
    tap.check(all("ON CLUSTER `main`" in one for one in statements if one.lstrip().startswith("CREATE")),
              "everything is made on all its servers", sql)
    engines = set(re.findall(r"ENGINE = (\w+)", sql))
    tap.same(engines, {"ReplicatedMergeTree", "ReplicatedAggregatingMergeTree", "ReplicatedReplacingMergeTree"},
             "with engines that replicate")
    tap.check("non_replicated" not in sql and "replicated_deduplication_window = 10000" in sql,
              "and remember tokens for replicas", sql)
    for one in statements: # of which none has a backslash
        try:
            db.sql("SELECT formatQuery({text:String})", param_text=one.replace("\n", "\\n"), database="default")
        except kit.Refused as error:
            tap.check(False, "it is SQL", error.text)


def helped(tap):
    code, said, _ = schema("--help")
    tap.check(code == 0 and "schema print | apply" in said, "its help", said)


def main():
    tap = kit.callboard.Tap()

    def tests():
        db = kit.Database().start()
        made(tap, db)
        at_once(tap, db)
        migrated(tap, db)
        refused(tap, db)
        clustered(tap, db)
        helped(tap)

    kit.run_tests(tap, tests)


if __name__ == "__main__":
    main()
