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
        stats_add(STATS_QUERIES, 1);
    return arg;
}

TEST(threads_lose_nothing)
{
    pthread_t threads[4];
    uint64_t before = stats_get(STATS_QUERIES);

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(stats_get(STATS_QUERIES), before + 40000);
}
