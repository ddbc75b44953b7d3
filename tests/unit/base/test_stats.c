#include "stats.h"

#include <pthread.h>

#include "test.h"

static bool contains(struct slice s, const char *want)
{
    for (; s.len >= strlen(want); s = slice_from(s, 1))
        if (slice_starts(s, slice_of(want)))
            return true;
    return false;
}

TEST(printed_in_prometheus_format)
{
    struct buf out;
    struct slice text;
    int names = 0;

    stats_add(STATS_ACCEPTED_LOGS, 3);
    stats_add(STATS_ACCEPTED_LOGS, 4);
    stats_set(STATS_RESOURCES, 9);
    stats_set(STATS_RESOURCES, 8);
    CHECK_EQ(stats_get(STATS_ACCEPTED_LOGS), 7);
    buf_init(&out, 1 << 20);
    stats_print(&out);
    text = buf_slice(&out);
    CHECK(contains(text,
                   "# TYPE callboard_records_accepted_total counter\n"
                   "callboard_records_accepted_total{signal=\"traces\"} "
                   "0\n"
                   "callboard_records_accepted_total{signal=\"logs\"} 7\n"));
    CHECK(contains(
        text,
        "# HELP callboard_resources Resources known by their attributes.\n"
        "# TYPE callboard_resources gauge\n"
        "callboard_resources 8\n"));
    for (size_t i = 0; i + 6 < text.len; i++)
        names += memcmp(text.ptr + i, "# TYPE", 6) == 0;
    CHECK(names > 20 && names < STATS_COUNT);
    buf_release(&out);
}

static void *count(void *arg)
{
    for (int i = 0; i < 10000; i++)
        stats_add(STATS_QUERIES_200, 1);
    return arg;
}

TEST(threads_lose_nothing)
{
    pthread_t threads[4];
    uint64_t before = stats_get(STATS_QUERIES_200);

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(stats_get(STATS_QUERIES_200), before + 40000);
}

TEST(codes_are_labels_of_one_counter)
{
    uint64_t ok = stats_get(STATS_QUERIES_200);
    uint64_t limited = stats_get(STATS_QUERIES_429);
    uint64_t other = stats_get(STATS_QUERIES_OTHER);

    stats_add_code(STATS_QUERIES_200, 200);
    stats_add_code(STATS_QUERIES_200, 429);
    stats_add_code(STATS_QUERIES_200, 418);
    stats_add_code(STATS_QUERIES_200, 0);
    CHECK_EQ(stats_get(STATS_QUERIES_200) - ok, 1);
    CHECK_EQ(stats_get(STATS_QUERIES_429) - limited, 1);
    CHECK_EQ(stats_get(STATS_QUERIES_OTHER) - other, 2);
}

/* Bounds are inclusive, buckets cumulative, the sum exact. */
TEST(durations_are_a_histogram)
{
    struct buf out;

    stats_observe(STATS_QUERY_DURATION, 0);
    stats_observe(STATS_QUERY_DURATION, 1000000);
    stats_observe(STATS_QUERY_DURATION, 1000001);
    stats_observe(STATS_QUERY_DURATION, UINT64_C(20000000000));
    buf_init(&out, 1 << 20);
    stats_print(&out);
    CHECK(contains(buf_slice(&out),
                   "# TYPE callboard_query_duration_seconds histogram\n"
                   "callboard_query_duration_seconds_bucket{le=\"0.001\"} 2\n"
                   "callboard_query_duration_seconds_bucket{le=\"0.0025\"} "
                   "3\n"));
    CHECK(contains(buf_slice(&out),
                   "callboard_query_duration_seconds_bucket{le=\"10\"} 3\n"
                   "callboard_query_duration_seconds_bucket{le=\"+Inf\"} 4\n"
                   "callboard_query_duration_seconds_sum 20.002000001\n"
                   "callboard_query_duration_seconds_count 4\n"));
    buf_release(&out);
}

/* Counters end in _total, gauges do not, and no unit is a multiple. */
TEST(names_follow_prometheus)
{
    static const struct {
        const char *name, *type, *help;
    } rows[] = {
#define ROW(id, type, name, label, help) {name, #type, help},
        STATS_TABLE(ROW)
#undef ROW
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].name);
        bool total = len > 6 && strcmp(rows[i].name + len - 6, "_total") == 0;
        bool first = i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0;

        CHECK_EQ(total, strcmp(rows[i].type, "COUNTER") == 0);
        CHECK(!strstr(rows[i].name, "micro") && !strstr(rows[i].name, "milli"));
        CHECK_EQ(rows[i].help[0] != '\0', first);
    }
}
