"""What write_block wrote is read with SQL, and is what the Collector's exporter
would have; each block once, whatever happens to its INSERTs."""
import kit
import callboard
from written_kit import (BODY_TYPES, INF, MINUTE, NOW, SPAN, TRACE, TYPES, Writer, differing, expected_log,
                         expected_point, expected_span, logs_request, make_logs, make_metrics, make_spans,
                         metrics_request, spans_request, table_rows)


def spans(tap, db, writer):
    sent = make_spans()
    answer = writer.write("spans", "tables", writer.request("spans", 41, spans_request(sent)))
    tap.same(answer, f"ok, {len(sent) + 1} rows", "a block of spans is written")
    rows = {row["SpanId"].decode(): row for row in table_rows(db, "otel_traces")}
    for i, span in enumerate(sent):
        wanted = dict(expected_span(span), Arrival=41 << 24 | i << 10 | 3)
        tap.same(differing(rows.get(span["spanId"], {}), wanted), {}, f"span {i} has the exporter's columns")
    full = rows[sent[1]["spanId"]]
    tap.same([full["AttributeTypes"], full["EventTypes"], full["LinkTypes"], rows[sent[0]["spanId"]]["EventTypes"]],
             [b"4;" + TYPES, [b"9;" + TYPES, b"", b""], [TYPES], []], "types stand beside the texts")
    tap.same(db.rows("SELECT TraceId, toUnixTimestamp(min(Start)), toUnixTimestamp(max(End)) "
                     "FROM otel_traces_trace_id_ts GROUP BY TraceId"),
             [[TRACE, 1, (NOW - 5) // 10**9]], "the times of the trace are noted, too")


def logs(tap, db, writer):
    sent = make_logs()
    answer = writer.write("logs", writer.request("logs", 7, logs_request(sent)))
    tap.same(answer, f"ok, {len(sent)} rows", "a block of log records is written")
    rows = {row["Timestamp"]: row for row in table_rows(db, "otel_logs")}
    events = {row["Timestamp"]: row for row in table_rows(db, "callboard_events")}
    tap.same([len(rows), len(events)], [len(sent) - 1, 1], "events have a table of their own")
    for i, (log, body_type) in enumerate(zip(sent, BODY_TYPES)):
        wanted = dict(expected_log(log, body_type), Arrival=7 << 24 | i << 10 | 3)
        row = (events if log.get("eventName") == "event" else rows).get(log["timeUnixNano"], {})
        tap.same(differing(row, wanted), {}, f"log record {i} has the exporter's columns")


def metrics(tap, db, writer):
    sent = make_metrics()
    count = sum(len(points) for _, _, points in sent.values())
    answer = writer.write("metrics", writer.request("metrics", 8, metrics_request(sent)))
    tap.same(answer, f"ok, {count} rows", "a block of points is written")
    for table, (_, more, points) in sent.items():
        rows = table_rows(db, f"otel_metrics_{table}", "TimeUnix DESC")
        tap.same([differing(row, expected_point(table, more, one)) for row, one in zip(rows, points)],
                 [{}] * len(points), f"points have the exporter's columns: {table}")
        tap.same(len({row["SeriesId"] for row in rows}), 1, f"they are of one series: {table}")


def derived(tap, db, writer):
    minute = NOW // MINUTE
    for token in ("derived/1", "derived/2"):
        writer.write(token, f"derived:{minute}")
    db.sql("OPTIMIZE TABLE callboard_series FINAL")
    rows = {row["Metric"]: row for row in table_rows(db, "callboard_series")}
    common = {"Time": (minute + 1) * 60, "ResourceId": 0}
    tap.same(differing(rows.get(b"callboard.endpoint.duration", {}), {
        **common, "Scale": 3, "Count": 8, "Sum": 3.0, "ZeroCount": 2, "Min": 0.25, "Max": 0.75,
        "Buckets": [[-9, 4], [-7, 2]], "Attributes": [[b"endpoint", b"http"], [b"operation", b"GET /"]],
        "AttributeTypes": b"", "Exemplars": 2 * [
            [60, b"0" * 31 + b"1", b"0" * 15 + b"1", 0.25, False], [61, b"", b"", 0.5, True]]}), {},
        "parts of a minute of durations add up")
    tap.same(differing(rows.get(b"callboard.edge.out.errors", {}), {
        **common, "Scale": 0, "Value": 6, "Min": INF, "Max": -INF, "AttributeTypes": b"si",
        "Attributes": [[b"endpoint", b"http"], [b"peer.identity", b"4718"]]}), {},
        "and of counts; a peer is named by its anchor")


def letters(tap, db, writer):
    state = b"state\x00" * 100000
    answer = writer.write("letters", f"letter:90:{writer.file(b'nonsense')}", f"checkpoint:91:{writer.file(state)}")
    tap.same(answer, "ok, 2 rows", "a dead letter and a checkpoint are written")
    row, = table_rows(db, "callboard_dead_letters")
    tap.same(differing(row, {"Topic": b"signals", "Partition": 3, "Offset": 90, "ReceivedAt": NOW,
                             "MessageTime": NOW // 10**6, "Reason": b"not a request", "Size": 8,
                             "Bytes": b"nonsense"}), {}, "the dead letter is whole")
    tap.same([writer.write("", "load:91") == "ok: " + state.decode(), writer.write("", "load:92")],
             [True, "not found:"], "the checkpoint is found by its offset")


def counts(db):
    return db.rows("SELECT (SELECT count() FROM otel_traces), (SELECT count() FROM otel_traces_trace_id_ts), "
                   "(SELECT count() FROM otel_logs), (SELECT count() FROM otel_metrics_gauge)")[0]


def many_spans(count, days):
    """So many that they are several frames, over several days."""
    step = days * 86400 * 10**9 // count
    return [{"traceId": f"{i + 1:032x}", "spanId": f"{i + 1:016x}", "name": f"GET /{i % 50}", "kind": 2,
             "startTimeUnixNano": NOW - i * step - 10, "endTimeUnixNano": NOW - i * step,
             "attributes": [{"key": "url.full", "value": {"stringValue": f"https://shop/{i * 7919}?q={'x' * (i % 90)}"}}]}
            for i in range(count)]


def once(tap, db, writer):
    """A block that is written again is stored once, wherever its writer ended."""
    before = counts(db)
    sent = many_spans(20000, 130)
    metrics_ = make_metrics()
    items = [writer.request("spans", 100, spans_request(sent)), writer.request("logs", 101, logs_request(make_logs())),
             writer.request("metrics", 102, metrics_request(metrics_))]
    grown = [20000, 20000, len(make_logs()) - 1, len(metrics_["gauge"][2])]
    rows = f"ok, {20000 + 20000 + 10 + sum(len(p) for _, _, p in metrics_.values())} rows"
    db.proxy.set("lost_answer", match="INSERT INTO", count=1)
    tap.same("ok" in writer.write("again", *items, url=db.url()), False, "an answer is lost")
    db.proxy.clear()
    db.proxy.set("cut_request", match="otel_logs")
    tap.same("ok" in writer.write("again", *items, url=db.url()), False, "connections are cut before the third table")
    db.proxy.clear()
    for _ in range(2):
        tap.same(writer.write("again", *items), rows, "the block is written")
        tap.same([after - was for after, was in zip(counts(db), before)], grown, "and stored once")
    tap.same(db.value("SELECT uniqExact(toDate(Timestamp)) FROM otel_traces WHERE SpanName LIKE 'GET /_%'"),
             len({span["startTimeUnixNano"] // (86400 * 10**9) for span in sent}), "over more than 100 days")
    tap.same(writer.write("other", *items), rows, "another token is another block")
    tap.same([after - was for after, was in zip(counts(db), before)], [2 * n for n in grown], "which is stored, too")
    tap.same(db.rows("SELECT count(), sum(Duration), uniqExact(TraceId), sum(length(SpanAttributes['url.full'])) "
                     "FROM otel_traces WHERE SpanName LIKE 'GET /_%'"),
             [[40000, 400000, 20000, 2 * sum(len(s["attributes"][0]["value"]["stringValue"]) for s in sent)]],
             "all of them as they were")


def some_days(tap, db, writer):
    """An INSERT that ended when some of its days were stored: the same token completes it."""
    every = many_spans(2000, 10)
    newest = [span for span in every if span["startTimeUnixNano"] > NOW - 3 * 86400 * 10**9]
    ids = "SpanName LIKE 'DAYS %'"
    for span in every:
        span["name"] = "DAYS " + span["name"]
    for sent in (newest, every, every):
        writer.write("days", writer.request("spans", 300, spans_request(sent)))
    tap.same(db.rows(f"SELECT count(), uniqExact(SpanId) FROM otel_traces WHERE {ids}"), [[2000, 2000]],
             "days that were stored are not stored again, the others are")


def refused(tap, db, writer):
    item = writer.request("spans", 200, spans_request(make_spans()))
    for fault, wanted in (("readonly", "storage failed"), ("too_many_parts", "full; retry later"),
                          ("disk_full", "storage failed"), ("refuse", "storage failed")):
        db.proxy.set(fault, match="" if fault == "refuse" else "INSERT INTO")
        answer = writer.write("refused", item, url=db.url())
        tap.check("ok" not in answer and "retry later" in answer, f"{fault}: the same call is made again", answer)
        db.proxy.clear()
    tap.same(writer.write("refused", item), "ok, 6 rows", "and succeeds then")


# What other tools ask, in their form: Grafana's plugin for ClickHouse (search, one trace, log lines, volume),
# HyperDX (lines by words, latest values of a gauge, growth of a sum).
TOOLS = {
    "Grafana: traces": f"""
        SELECT TraceId AS traceID, ServiceName AS serviceName, SpanName AS operationName, Timestamp AS startTime,
            multiply(Duration, 0.000001) AS duration FROM otel_traces
        WHERE Timestamp >= fromUnixTimestamp64Nano({NOW - 1000}) AND Timestamp <= fromUnixTimestamp64Nano({NOW})
            AND ParentSpanId = '' AND Duration > 0 AND SpanId = '{SPAN}'
        ORDER BY Timestamp DESC, Duration DESC LIMIT 1000""",
    "Grafana: one trace": f"""
        WITH '{TRACE}' AS trace_id,
            (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_start,
            (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_end
        SELECT SpanId AS spanID, ParentSpanId AS parentSpanID, if(StatusCode IN ('Error', 'STATUS_CODE_ERROR'), 2, 0),
            arrayMap(key -> map('key', key, 'value', SpanAttributes[key]), mapKeys(SpanAttributes)) AS tags,
            arrayMap((name, time, attributes) -> tuple(name, toString(toUnixTimestamp64Milli(time)),
                arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes))),
                Events.Name, Events.Timestamp, Events.Attributes) AS logs,
            arrayMap((trace, span, attributes) -> tuple(trace, span, attributes),
                Links.TraceId, Links.SpanId, Links.Attributes) AS references
        FROM otel_traces WHERE TraceId = trace_id AND Timestamp >= trace_start AND Timestamp <= trace_end
            AND SpanId = '00f067aa0ba902b7' LIMIT 1000""",
    "Grafana: log lines": f"""
        SELECT Timestamp AS timestamp, Body AS body, SeverityText AS level, LogAttributes AS labels, TraceId AS traceID
        FROM otel_logs WHERE timestamp >= fromUnixTimestamp64Nano({NOW - 100}) AND body LIKE '%declined%'
        ORDER BY timestamp DESC LIMIT 1""",
    "Grafana: log volume": """
        SELECT toStartOfInterval(Timestamp, INTERVAL 1 minute) AS time,
            sum(multiSearchAny(lower(SeverityText), ['info', 'information'])) AS info
        FROM otel_logs GROUP BY time ORDER BY time LIMIT 1""",
    "HyperDX: lines by words": f"""
        SELECT Timestamp, ServiceName, SeverityText, Body FROM otel_logs
        WHERE TimestampTime >= toDateTime({NOW // 10**9 - 60}) AND hasToken(lower(Body), lower('declined'))
            AND ResourceAttributes['service.name'] = 'checkout' ORDER BY (TimestampTime, Timestamp) DESC LIMIT 1""",
    "HyperDX: a gauge": """
        WITH source AS (SELECT *, cityHash64(mapConcat(ScopeAttributes, ResourceAttributes, Attributes)) AS hash
            FROM otel_metrics_gauge WHERE MetricName = 'm.gauge')
        SELECT hash != 0, count() FROM (SELECT toStartOfInterval(toDateTime(TimeUnix), INTERVAL 1 minute) AS bucket,
            hash, last_value(Value) AS last, any(Attributes), any(ServiceName), any(MetricUnit), any(Flags)
            FROM source GROUP BY hash, bucket) GROUP BY hash""",
    "HyperDX: a sum": """
        SELECT max(rate) > 0 FROM (SELECT TimeUnix, IF(AggregationTemporality = 1, Value, deltaSum(Value)
            OVER (PARTITION BY cityHash64(Attributes) ORDER BY TimeUnix)) AS rate, IsMonotonic
            FROM otel_metrics_sum WHERE MetricName = 'm.sum')""",
}


def tools(tap, db, _writer):
    for name, query in TOOLS.items():
        try:
            tap.check(db.sql(query + " FORMAT RowBinary"), f"{name}: the query of that tool finds its row", "no row")
        except kit.Refused as error:
            tap.check(False, f"{name}: the query of that tool runs", str(error))


def main():
    tap = callboard.Tap()
    db = kit.Database().start()
    writer = Writer(db)
    tests = (spans, logs, metrics, derived, letters, tools, once, some_days, refused)
    kit.run_tests(tap, lambda: [test(tap, db, writer) for test in tests])


if __name__ == "__main__":
    main()
