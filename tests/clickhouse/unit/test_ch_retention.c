/* What becomes too old or too much is deleted; sizes are those of the parts. */
#include "ch_retention.h"

#include "ch_sizes.h"
#include "clickhouse_kit.h"

static const char spans_of_days[] =
    "INSERT INTO otel_traces (Timestamp, TraceId, SpanName) SELECT "
    "now64(9) - toIntervalDay(number % 5), toString(number), "
    "randomPrintableASCII(100) FROM numbers(5000)";

static struct ch_retention_done run(struct clickhouse_kit *kit,
                                    const struct ch_retention *retention)
{
    struct ch_retention_done done = {0};

    if (!CHECK(ch_retention_run(&kit->reader, retention, &done) == OK))
        printf("# %s\n", kit->reader.error.text);
    return done;
}

TEST(ttl_follows_the_options)
{
    static const char ttl[] =
        "SELECT count() FROM system.tables WHERE database = currentDatabase() "
        "AND engine_full LIKE '%TTL%toIntervalSecond(3600)%'";
    struct clickhouse_kit kit;
    struct ch_retention retention;

    clickhouse_kit_open(&kit);
    retention = (struct ch_retention){.schema = kit.schema};
    CHECK_EQ(run(&kit, &retention).ttls, 0);
    retention.schema.retention_ns[SIGNAL_SPANS] = NS_PER_HOUR;
    CHECK_EQ(run(&kit, &retention).ttls, 2);
    CHECK_EQ(clickhouse_kit_number(&kit, ttl), 2);
    CHECK_EQ(run(&kit, &retention).ttls, 0); /* once */
    retention.schema.retention_ns[SIGNAL_SPANS] = 0;
    CHECK_EQ(run(&kit, &retention).ttls, 2);
    CHECK_EQ(clickhouse_kit_number(&kit, ttl), 0);
    clickhouse_kit_close(&kit);
}

TEST(old_rows_go_by_ttl)
{
    struct clickhouse_kit kit;
    struct ch_retention retention;

    clickhouse_kit_open(&kit);
    clickhouse_kit_run(&kit, spans_of_days);
    retention = (struct ch_retention){.schema = kit.schema};
    retention.schema.retention_ns[SIGNAL_SPANS] = 36 * NS_PER_HOUR;
    run(&kit, &retention);
    clickhouse_kit_run(&kit, "OPTIMIZE TABLE otel_traces FINAL");
    WAIT_FOR(clickhouse_kit_number(&kit, "SELECT count() FROM otel_traces") ==
             2000);
    clickhouse_kit_close(&kit);
}

TEST(the_oldest_days_go_above_the_size)
{
    static const char count[] = "SELECT count() FROM otel_traces";
    struct clickhouse_kit kit;
    struct ch_retention retention;
    struct ch_retention_done done;
    uint64_t bytes;

    clickhouse_kit_open(&kit);
    clickhouse_kit_run(&kit, spans_of_days);
    bytes = clickhouse_kit_number(
        &kit, "SELECT sum(bytes_on_disk) FROM system.parts WHERE database = "
              "currentDatabase() AND active");
    retention =
        (struct ch_retention){.schema = kit.schema, .max_bytes = 2 * bytes};
    CHECK_EQ(run(&kit, &retention).partitions, 0);
    retention.max_bytes = bytes * 7 / 10;
    done = run(&kit, &retention);
    CHECK_EQ(done.partitions, 2);
    CHECK(!done.too_much);
    CHECK(done.bytes > bytes / 4 && done.bytes < bytes / 2);
    CHECK_EQ(clickhouse_kit_number(&kit, count), 3000);
    retention.max_bytes = 1;
    done = run(&kit, &retention);
    CHECK_EQ(done.partitions, 2); /* the newest day stays */
    CHECK(done.too_much);
    CHECK_EQ(clickhouse_kit_number(&kit, count), 1000);
    clickhouse_kit_close(&kit);
}

TEST(old_checkpoints_go)
{
    struct clickhouse_kit kit;
    struct ch_retention retention;

    clickhouse_kit_open(&kit);
    clickhouse_kit_run(
        &kit, "INSERT INTO callboard_checkpoints (Topic, Partition, Offset, "
              "InsertedAt) SELECT 't', number % 2, number, now64(9) - "
              "toIntervalDay(2) FROM numbers(500)");
    clickhouse_kit_run(
        &kit, "INSERT INTO callboard_checkpoints (Topic, Partition, Offset) "
              "SELECT 't', 7, number FROM numbers(500)");
    retention = (struct ch_retention){.schema = kit.schema};
    run(&kit, &retention);
    WAIT_FOR(clickhouse_kit_number(
                 &kit, "SELECT count() FROM callboard_checkpoints") == 700);
    CHECK_EQ(clickhouse_kit_number(&kit, "SELECT min(Offset) FROM "
                                         "callboard_checkpoints WHERE "
                                         "Partition = 1"),
             301);
    clickhouse_kit_close(&kit);
}

TEST(sizes_are_per_stream)
{
    struct clickhouse_kit kit;
    struct store_sizes sizes;

    clickhouse_kit_open(&kit);
    clickhouse_kit_run(&kit, spans_of_days);
    clickhouse_kit_run(&kit, "INSERT INTO otel_traces_trace_id_ts SELECT "
                             "'a', now(), now()");
    clickhouse_kit_run(&kit, "INSERT INTO otel_logs (Body) VALUES ('a')");
    clickhouse_kit_run(&kit,
                       "INSERT INTO callboard_events (Body) VALUES ('a')");
    clickhouse_kit_run(&kit, "INSERT INTO otel_metrics_sum (MetricName) "
                             "VALUES ('a')");
    clickhouse_kit_run(&kit, "INSERT INTO callboard_series (Metric) VALUES "
                             "('a')");
    CHECK(ch_read_sizes(&kit.reader, &sizes) == OK);
    CHECK_EQ(sizes.records[STREAM_SPANS], 5000);
    CHECK_EQ(sizes.blocks[STREAM_SPANS], 6);
    CHECK_EQ(sizes.records[STREAM_LOGS], 2);
    CHECK_EQ(sizes.records[STREAM_METRICS], 1);
    CHECK_EQ(sizes.records[STREAM_DERIVED], 1);
    for (int i = 0; i < STREAM_COUNT; i++)
        CHECK(sizes.bytes[i] > 0);
    clickhouse_kit_close(&kit);
}
