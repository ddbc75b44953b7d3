/* Integrals of series over cells, against a naive sum over the samples. */
#include "series_kit.h"

enum { SAMPLES = 600, HOURS = 6 };
#define HOUR NS_PER_HOUR

static uint64_t seed = 7;

static uint64_t draw(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

static void start_hours(uint64_t now_ns)
{
    arena_init(&arena, NULL, SIZE_MAX);
    /* Hours from any time, not of the clock. */
    grid = (struct grid){T0, HOUR, now_ns, HOURS};
    set = series_set_new(&arena, &grid);
    series_set_integrate(set);
    CHECK(grid_row_init(&row, &grid, &arena));
}

/* What a value that counts from one time to another adds to each hour. */
static void add_naive(double want[HOURS], double value, uint64_t from_ns,
                      uint64_t to_ns)
{
    for (uint64_t h = 0; h < HOURS; h++) {
        uint64_t begin = T0 + h * HOUR, end = begin + HOUR;

        begin = begin > from_ns ? begin : from_ns;
        end = end < to_ns ? end : to_ns;
        if (end > begin)
            want[h] += value * (double)(end - begin) / 1e9;
    }
}

/* Pods that begin and end at any time, with pauses, every 30 s about. */
TEST(integrals_are_those_of_the_samples)
{
    double want[HOURS] = {0};

    start_hours(T0 + NS_PER_DAY);
    for (uint64_t pod = 1; pod <= 20; pod++) {
        uint64_t t = T0 - HOUR + draw(HOURS * HOUR), n = 2 + draw(SAMPLES);

        for (uint64_t i = 0; i < n; i++) {
            bool pause = i + 1 < n && i > 2 && draw(50) == 0;
            uint64_t next = t + (pause ? 20 * NS_PER_MIN : 30 * S);
            double value = (double)draw(1000) / 100;

            add(&gauge, pod, 1, 0, 0, t, value);
            add_naive(want, value, t, pause || i + 1 == n ? t + 45 * S : next);
            t = next;
        }
    }
    CHECK(series_set_integral(set, TAGGED, &row));
    for (uint32_t h = 0; h < HOURS; h++)
        CHECK(row.known[h] ? fabs(row.values[h] - want[h]) <= 1e-6 * want[h]
                           : want[h] <= 0);
    stop();
}

TEST(a_series_sampled_each_hour_has_no_pauses)
{
    start_hours(T0 + NS_PER_DAY);
    for (uint64_t h = 0; h <= 4; h++)
        add(&gauge, 1, 1, 0, 0, T0 + h * HOUR + HOUR / 2, 2);
    CHECK(series_set_integral(set, TAGGED, &row));
    CHECK(is(0, 3600));
    for (uint32_t h = 1; h <= 4; h++)
        CHECK(is(h, 7200));
    CHECK(is(5, 3600)); /* the last one counts as long as the others */
    stop();
}

TEST(samples_out_of_order_and_twice_count_once)
{
    start_hours(T0 + NS_PER_DAY);
    for (int twice = 0; twice < 2; twice++)
        for (uint64_t i = 120; i-- > 0;)
            add(&gauge, 1, 1, 0, 0, T0 + i * 30 * S, 2);
    CHECK(series_set_integral(set, TAGGED, &row));
    CHECK(is(0, 7200));
    stop();
}

TEST(nothing_counts_after_now_or_after_the_end_of_a_series)
{
    struct metric stale = gauge;
    struct point end = {
        .metric = &stale, .time_ns = T0 + 20 * S, .flags = POINT_NO_VALUE};
    struct series_point p = {
        .point = &end, .key = 1, .entity = 1, .tags = 1, .factor = 1};

    start_hours(T0 + 10 * S);
    for (uint64_t i = 0; i < 10; i++) /* also of a past now */
        add(&gauge, 1, 1, 0, 0, T0 + i * 4 * S, 2);
    CHECK(series_set_integral(set, TAGGED, &row));
    CHECK(is(0, 20));
    stop();
    start_hours(T0 + NS_PER_DAY);
    add(&gauge, 1, 1, 0, 0, T0, 2);
    CHECK(series_set_add(set, &p));
    CHECK(series_set_integral(set, TAGGED, &row));
    CHECK(is(0, 40));
    stop();
}

TEST(counters_add_their_increase)
{
    start_hours(T0 + NS_PER_DAY);
    for (uint64_t i = 0; i <= 240; i++)
        add(&counter, 1, 1, 0, T0 - HOUR, T0 + i * 30 * S, (double)i * 15);
    CHECK(series_set_integral(set, TAGGED, &row));
    CHECK(is(0, 1800) && is(1, 1800));
    stop();
}

TEST(deltas_add_what_they_say)
{
    start_hours(T0 + NS_PER_DAY);
    for (uint64_t i = 0; i < 120; i++)
        add(&delta, 1, 1, 0, T0 + i * 30 * S, T0 + (i + 1) * 30 * S, 15);
    CHECK(series_set_integral(set, TAGGED, &row));
    CHECK(is(0, 1800) && !row.known[1]);
    stop();
}
