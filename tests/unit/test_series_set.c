#include "series_set.h"

#include <math.h>
#include <stdio.h>

#include "clock.h"
#include "test.h"

#define T0 (UINT64_C(1700000100) * NS_PER_S) /* a multiple of 300 s */
#define S  NS_PER_S

static struct arena arena;
static struct grid grid;
static struct series_set *set;
static struct row row;

static void start(uint32_t cells, uint64_t step_ns)
{
    arena_init(&arena, NULL, SIZE_MAX);
    grid = grid_make(T0, T0 + cells * step_ns, step_ns, T0 + NS_PER_DAY);
    set = series_set_new(&arena, &grid);
    CHECK(row_init(&row, &grid, &arena));
}

static void stop(void)
{
    arena_release(&arena);
}

static struct metric gauge = {.type = METRIC_GAUGE};
static struct metric counter = {
    .type = METRIC_SUM, .temporality = CUMULATIVE, .monotonic = true};
static struct metric delta = {
    .type = METRIC_SUM, .temporality = DELTA, .monotonic = true};

static void add(const struct metric *metric, uint64_t key, uint64_t group,
                uint32_t rank, uint64_t start_ns, uint64_t time_ns, double v)
{
    struct point point = {
        .metric = metric, .start_ns = start_ns, .time_ns = time_ns, .d = v};
    struct series_point p = {.point = &point,
                             .key = key,
                             .group = group,
                             .rank = rank,
                             .tags = 1,
                             .factor = 1};

    CHECK(series_set_add(set, &p));
}

static bool is(uint32_t cell, double want)
{
    bool good = row.known[cell] && fabs(row.values[cell] - want) < 1e-6;

    if (!good)
        printf("# cell %u: %s %g, not %g\n", cell,
               row.known[cell] ? "known" : "unknown", row.values[cell], want);
    return good;
}

TEST(cells_are_aligned_and_end_now)
{
    struct grid g = grid_make(T0 + 1, T0 + 100 * S, 30 * S, T0 + 70 * S);

    CHECK_EQ(g.start_ns, T0);
    CHECK_EQ(g.count, 3);
    CHECK(fabs(grid_seconds(&g, 1) - 30) < 1e-9);
    CHECK(fabs(grid_seconds(&g, 2) - 10) < 1e-9);
    g = grid_make(T0, T0, 30 * S, T0 + 70 * S);
    CHECK_EQ(g.count, 0);
    g = grid_make(T0, T0 + 60 * S, 30 * S, T0 - S);
    CHECK_EQ(g.count, 0);
    g = grid_make(T0, T0 + 60 * S, 30 * S, T0 + NS_PER_DAY);
    CHECK_EQ(g.count, 2);
}

/* Whatever the time is: nothing is lost inside, nothing is made up. */
TEST(shares_add_up)
{
    for (int round = 0; round < 5000; round++) {
        uint64_t step = 1 + test_random(100);
        struct grid g = grid_make(T0, T0 + test_random(1000), step, T0 + 2000);
        uint64_t from = T0 - 500 + test_random(2000);
        uint64_t to = from + 1 + test_random(700);
        struct grid_part part = grid_parts(&g, from, to);
        double sum = 0, want;
        uint64_t low = from > g.start_ns ? from : g.start_ns;
        uint64_t high = to < grid_end(&g) ? to : grid_end(&g);

        while (grid_next(&g, &part)) {
            CHECK(part.cell < g.count);
            sum += part.share;
        }
        want = high > low ? (double)(high - low) / (double)(to - from) : 0;
        CHECK(fabs(sum - want) < 1e-9);
    }
}

/* A minute of counts on a grid of 15 s: the rate is the same in all four. */
TEST(a_minute_on_finer_steps)
{
    start(4, 15 * S);
    row_spread(&row, &grid, T0, T0 + 60 * S, 120);
    row_per_second(&row, &grid);
    for (uint32_t i = 0; i < 4; i++)
        CHECK(is(i, 2));
    stop();
}

/* The minute that is not over yet: over the time that has passed. */
TEST(the_open_minute_is_not_thinned)
{
    start(3, 60 * S);
    grid.now_ns = T0 + 130 * S;
    row_spread(&row, &grid, T0 + 120 * S, T0 + 180 * S, 50);
    row_per_second(&row, &grid);
    CHECK(is(2, 5));
    stop();
}

TEST(holes_are_zero_inside_only)
{
    start(6, 60 * S);
    row_add(&row, 1, 3);
    row_add(&row, 4, 3);
    row_fill_holes(&row, &grid);
    CHECK(!row.known[0]);
    CHECK(is(2, 0));
    CHECK(is(3, 0));
    CHECK(!row.known[5]);
    stop();
}

TEST(gauges_take_the_newest_and_are_summed)
{
    start(2, 300 * S);
    add(&gauge, 1, 1, 0, 0, T0 + 290 * S, 5);
    for (uint64_t t = 10; t < 290; t += 20) { /* older, come later */
        add(&gauge, 1, 1, 0, 0, T0 + t * S, 9);
        add(&gauge, 2, 2, 0, 0, T0 + t * S, 7);
    }
    for (uint64_t t = 310; t < 600; t += 20) {
        add(&gauge, 1, 1, 0, 0, T0 + t * S, 6);
        add(&gauge, 2, 2, 0, 0, T0 + (t + 5) * S, 8);
    }
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, 12));
    CHECK(is(1, 14));
    stop();
}

/* One pod takes over from another in the middle of a cell: never both. */
TEST(a_takeover_does_not_count_twice)
{
    start(1, 300 * S);
    for (uint64_t t = 5; t < 300; t += 10)
        add(&gauge, t < 150 ? 1 : 2, t < 150 ? 1 : 2, 0, 0, T0 + t * S, 5);
    CHECK(series_set_sum(set, 1, &row));
    CHECK(row.values[0] > 4.99 && row.values[0] < 5.5);
    stop();
}

/* Sampled every minute by two pods out of step, drawn every 15 s: no teeth. */
TEST(gauges_hold_between_samples)
{
    start(12, 15 * S);
    for (uint64_t t = 0; t < 180; t += 60) {
        add(&gauge, 1, 1, 0, 0, T0 + t * S, 5);
        if (t > 0)
            add(&gauge, 2, 2, 0, 0, T0 + (t - 30) * S, 7);
    }
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(1, 5));
    CHECK(is(2, 12));
    CHECK(is(3, 12));
    CHECK(is(9, 12));
    stop();
}

/* A pod that is gone stops counting after about two of its intervals. */
TEST(gauges_do_not_hold_for_ever)
{
    start(20, 60 * S);
    add(&gauge, 1, 1, 0, 0, T0, 5);
    add(&gauge, 1, 1, 0, 0, T0 + 30 * S, 5);
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, 5));
    CHECK(is(1, 5));
    CHECK(!row.known[2]);
    stop();
}

/* Only the best source of a pod counts, each pod for itself. */
TEST(one_source_per_group)
{
    start(1, 60 * S);
    add(&gauge, 1, 1, 0, 0, T0 + S, 2);
    add(&gauge, 2, 1, 0, 0, T0 + S, 3); /* the other container */
    add(&gauge, 3, 1, 4, 0, T0 + S, 100);
    add(&gauge, 4, 2, 4, 0, T0 + S, 50);
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, 55));
    stop();
}

TEST(counters_grow_and_start_again)
{
    start(4, 60 * S);
    add(&counter, 1, 1, 0, T0 - 600 * S, T0 - 60 * S, 1000);
    add(&counter, 1, 1, 0, T0 - 600 * S, T0, 1000);
    add(&counter, 1, 1, 0, T0 - 600 * S, T0 + 60 * S, 1120);
    add(&counter, 1, 1, 0, T0 + 60 * S, T0 + 120 * S, 60); /* began again */
    add(&counter, 1, 1, 0, T0 + 60 * S, T0 + 180 * S, 90);
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, 2));
    CHECK(is(1, 1));
    CHECK(is(2, 0.5));
    stop();
}

/* The order of pieces does not matter. */
TEST(counters_in_any_order)
{
    for (int round = 0; round < 200; round++) {
        uint32_t order[20];
        double first[5];

        for (int turn = 0; turn < 2; turn++) {
            start(5, 60 * S);
            for (uint32_t i = 0; i < 20; i++)
                order[i] = i;
            for (uint32_t i = 19; turn && i > 0; i--) {
                uint32_t k = test_random(i + 1), keep = order[i];

                order[i] = order[k];
                order[k] = keep;
            }
            for (uint32_t i = 0; i < 20; i++)
                add(&counter, 1, 1, 0, T0, T0 + (order[i] + 1) * 15 * S,
                    order[i] * order[i]);
            CHECK(series_set_sum(set, 1, &row));
            for (uint32_t i = 0; i < 5; i++) {
                if (turn)
                    CHECK(is(i, first[i]));
                first[i] = row.values[i];
            }
            stop();
        }
    }
}

/* What grew before the first sample is known if the start is. */
TEST(counters_count_from_their_start)
{
    start(2, 60 * S);
    add(&counter, 1, 1, 0, T0, T0 + 60 * S, 60);
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, 1));
    stop();
    start(2, 60 * S);
    add(&counter, 1, 1, 0, T0 - NS_PER_DAY, T0 + 60 * S, 60);
    CHECK(series_set_sum(set, 1, &row));
    CHECK(!row.known[0]);
    stop();
}

TEST(long_gaps_are_not_guessed_at)
{
    start(60, 60 * S);
    add(&counter, 1, 1, 0, 0, T0 + S, 10);
    add(&counter, 1, 1, 0, 0, T0 + 40 * 60 * S, 1000);
    CHECK(series_set_sum(set, 1, &row));
    for (uint32_t i = 0; i < 60; i++)
        CHECK(!row.known[i]);
    stop();
}

/* The newest sample is some seconds old: the rate goes on until now. */
TEST(a_live_chart_does_not_dip)
{
    arena_init(&arena, NULL, SIZE_MAX);
    grid = grid_make(T0, T0 + 180 * S, 60 * S, T0 + 150 * S);
    set = series_set_new(&arena, &grid);
    CHECK(row_init(&row, &grid, &arena));
    for (uint64_t t = 0; t <= 135; t += 15)
        add(&counter, 1, 1, 0, T0, T0 + t * S, 4.0 * (double)t);
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, 4));
    CHECK(is(1, 4));
    CHECK(is(2, 4));
    stop();
}

TEST(deltas_are_spread)
{
    start(2, 60 * S);
    add(&delta, 1, 1, 0, T0 + 30 * S, T0 + 90 * S, 60);
    add(&delta, 1, 1, 0, T0 + 30 * S, T0 + 90 * S, 60); /* in parts */
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, 1));
    CHECK(is(1, 1));
    stop();
}

TEST(a_stale_marker_alone_is_nothing)
{
    struct point stale = {
        .metric = &gauge, .time_ns = T0 + S, .flags = POINT_NO_VALUE};

    start(1, 60 * S);
    CHECK(series_set_add(set,
                         &(struct series_point){.point = &stale, .tags = 1}));
    CHECK(series_set_sum(set, 1, &row));
    CHECK(!row.known[0]);
    stop();
}

/* Cumulative and delta histograms give the same answer. */
TEST(histograms_cumulative_and_delta)
{
    static const double bounds[] = {0.1, 1, 10};
    static struct metric metrics[2] = {
        {.type = METRIC_HISTOGRAM, .temporality = CUMULATIVE},
        {.type = METRIC_HISTOGRAM, .temporality = DELTA}};

    for (int kind = 0; kind < 2; kind++) {
        struct hist hists[3] = {{0}};
        uint64_t counts[4] = {0};

        start(2, 60 * S);
        for (uint64_t i = 1; i <= 8; i++) {
            bool cumulative = kind == 0;
            uint64_t t = T0 + i * 15 * S;
            uint64_t sum = cumulative ? i : 1;
            struct histogram h = {.count = 10 * sum,
                                  .sum = 5.0 * (double)sum,
                                  .has_sum = true,
                                  .bound_count = 3,
                                  .bounds = bounds,
                                  .counts = counts};
            struct point point = {.metric = &metrics[kind],
                                  .start_ns = cumulative ? T0 : t - 15 * S,
                                  .time_ns = t,
                                  .histogram = &h};

            counts[1] = 10 * sum;
            CHECK(series_set_add(set, &(struct series_point){.point = &point,
                                                             .tags = 1,
                                                             .factor = 1}));
        }
        CHECK(series_set_hists(set, 1, hists, &row));
        CHECK(is(0, 40));
        CHECK(fabs(hists[0].count - 40) < 1e-6);
        CHECK(fabs(hist_mean(&hists[0]) - 0.5) < 1e-6);
        CHECK(fabs(hist_quantile(&hists[0], 0.5) - 0.55) < 1e-6);
        CHECK(series_set_has(set, 1));
        CHECK(!series_set_has(set, 2));
        stop();
    }
}

/* Many series: the table grows, sums are complete. */
TEST(many_series)
{
    start(2, 60 * S);
    for (uint64_t i = 0; i < 3000; i++)
        add(&gauge, i * 7919, i % 100, (uint32_t)(i % 3), 0, T0 + S, 1);
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, 1000));
    stop();
}

/* A pod that replaces another one, seen every 15 s and never both: neither its
 * last sample nor the first one of its successor speak for the same time. */
TEST(limits_do_not_count_twice_while_pods_change)
{
    for (uint64_t gap = 5; gap <= 60; gap += 5)
        for (uint64_t change = 40; change < 260; change += 7) {
            start(5, 60 * S);
            for (uint64_t t = 0; t < 300; t += gap) {
                uint64_t pod = t < change ? 1 : 2;

                add(&gauge, pod, pod, 0, 0, T0 + t * S, 1);
            }
            CHECK(series_set_sum(set, 1, &row));
            for (uint32_t i = 0; i < 5; i++)
                if (!CHECK(is(i, 1)))
                    printf("# gap %d, change %d\n", (int)gap, (int)change);
            stop();
        }
}

/* The new pod is seen once beside the old one, which is then gone. */
TEST(limits_of_a_pod_that_overlaps_for_one_sample)
{
    start(5, 60 * S);
    for (uint64_t t = 0; t < 300; t += 15) {
        if (t <= 120)
            add(&gauge, 1, 1, 0, 0, T0 + t * S, 1);
        if (t >= 120)
            add(&gauge, 2, 2, 0, 0, T0 + t * S, 1);
    }
    CHECK(series_set_sum(set, 1, &row));
    for (uint32_t i = 0; i < 5; i++)
        CHECK(is(i, 1));
    stop();
}

/* ... while those that are really there together count both. */
TEST(a_surge_counts_both)
{
    start(5, 60 * S);
    for (uint64_t t = 0; t < 300; t += 15) {
        if (t < 180)
            add(&gauge, 1, 1, 0, 0, T0 + t * S, 1);
        if (t >= 60)
            add(&gauge, 2, 2, 0, 0, T0 + t * S, 1);
    }
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, 1));
    CHECK(is(1, 2));
    CHECK(is(2, 2));
    CHECK(is(4, 1));
    stop();
}

/* A pod that is not overdue goes on beside one that has just begun. */
TEST(a_new_pod_does_not_end_the_others)
{
    arena_init(&arena, NULL, SIZE_MAX);
    grid = grid_make(T0, T0 + 180 * S, 60 * S, T0 + 150 * S);
    set = series_set_new(&arena, &grid);
    CHECK(row_init(&row, &grid, &arena));
    for (uint64_t t = 0; t <= 120; t += 60)
        add(&gauge, 1, 1, 0, 0, T0 + t * S, 1);
    add(&gauge, 2, 2, 0, 0, T0 + 120 * S + 1, 1);
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(1, 1));
    CHECK(row.values[2] > 1.99);
    stop();
}

/* Prometheus says that a target is gone. */
TEST(a_stale_marker_ends_a_series)
{
    struct point stale = {
        .metric = &gauge, .time_ns = T0 + 60 * S, .flags = POINT_NO_VALUE};

    start(4, 30 * S);
    add(&gauge, 1, 1, 0, 0, T0, 5);
    add(&gauge, 1, 1, 0, 0, T0 + 45 * S, 5);
    CHECK(series_set_add(
        set, &(struct series_point){.point = &stale, .key = 1, .tags = 1}));
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, 5));
    CHECK(is(1, 5));
    CHECK(!row.known[2]);
    stop();
}

/* A restart in the middle of a cell, and the baseline in one with the rest. */
TEST(resets_inside_one_cell_count)
{
    start(1, 300 * S);
    add(&counter, 1, 1, 0, T0 - 600 * S, T0, 1000);
    add(&counter, 1, 1, 0, T0 - 600 * S, T0 + 60 * S, 1060);
    add(&counter, 1, 1, 0, T0 + 90 * S, T0 + 120 * S, 30);
    add(&counter, 1, 1, 0, T0 + 90 * S, T0 + 300 * S - 1, 210);
    add(&counter, 2, 2, 0, T0, T0, 100000); /* unknown start */
    add(&counter, 2, 2, 0, T0, T0 + 300 * S - 1, 100300);
    CHECK(series_set_sum(set, 1, &row));
    CHECK(is(0, (60 + 210 + 300) / 300.0));
    stop();
}

/* Deltas whose start is the process's: each is of the time since the one
 * before. */
TEST(deltas_with_the_start_of_the_process)
{
    start(10, 60 * S);
    for (uint64_t t = 0; t <= 600; t += 60)
        add(&delta, 1, 1, 0, T0 - NS_PER_DAY, T0 + t * S, 60);
    CHECK(series_set_sum(set, 1, &row));
    for (uint32_t i = 0; i < 10; i++)
        CHECK(row.values[i] > 0.99 && row.values[i] < 1.02);
    stop();
}

/* An exponential histogram, cumulative: it starts as a baseline, its scale
 * drops, its zero bucket widens over buckets that were counted before. */
TEST(exponential_histograms_change_while_they_grow)
{
    static const uint64_t first[] = {10, 10, 0, 0}, second[] = {5, 25};
    static const struct metric metric = {.type = METRIC_EXP_HISTOGRAM,
                                         .temporality = CUMULATIVE};
    struct histogram h[2] = {
        {.count = 24,
         .sum = 20,
         .has_sum = true,
         .scale = 1,
         .zero_count = 4,
         .zero_threshold = 1e-6,
         .positive = {first, 4, -6}}, /* up to 2^-1.5, 2^-1 */
        {.count = 64,
         .sum = 50,
         .has_sum = true,
         .scale = 0,
         .zero_count = 34,
         .zero_threshold = 0.25,
         .positive = {second, 2, -2}}, /* up to 2^-1, 2^0 */
    };
    struct hist hists[2] = {{0}};

    start(1, 60 * S);
    for (uint64_t i = 0; i < 2; i++) {
        struct point point = {.metric = &metric,
                              .start_ns = T0,
                              .time_ns = T0 + i * 30 * S,
                              .histogram = &h[i]};

        CHECK(series_set_add(
            set,
            &(struct series_point){.point = &point, .tags = 1, .factor = 1}));
    }
    CHECK(series_set_hists(set, 1, hists, &row));
    CHECK(is(0, 40));
    CHECK(fabs(hist_mean(&hists[0]) - 30 / 40.0) < 1e-9);
    CHECK(fabs(hists[0].zero - 10) < 1e-9);
    CHECK(hist_quantile(&hists[0], 0.2) <= 0.25);
    CHECK(hist_quantile(&hists[0], 0.5) > 0.5);
    stop();
}

/* Buckets that come as counters of their own, as from an untyped exporter. */
TEST(buckets_as_series)
{
    static const double bounds[] = {0.1, 1, INFINITY};
    static const double counts[] = {30, 90, 120};
    struct hist hists[2] = {{0}};

    start(1, 60 * S);
    for (uint64_t t = 0; t < 2; t++)
        for (uint32_t i = 0; i < 3; i++) {
            struct point point = {.metric = &counter,
                                  .time_ns = T0 + t * 59 * S,
                                  .d = 1000 + (double)t * counts[i]};

            CHECK(series_set_add(set,
                                 &(struct series_point){.point = &point,
                                                        .key = i + 1,
                                                        .tags = 1,
                                                        .factor = 1,
                                                        .bound = bounds[i]}));
        }
    CHECK(series_set_buckets(set, 1, hists));
    CHECK(fabs(hist_quantile(&hists[0], 0.25) - 0.1) < 1e-6);
    CHECK(fabs(hist_quantile(&hists[0], 0.5) - 0.55) < 1e-6);
    CHECK(isnan(hist_mean(&hists[0])));
    stop();
}

/* Attributes in any order are one series; another scope is another one. */
TEST(identity_of_a_series)
{
    struct attr a[] = {{.key = "x", .key_len = 1, .type = VALUE_INT, .i = 1},
                       {.key = "y", .key_len = 1, .type = VALUE_INT, .i = 2}};
    struct attr b[] = {a[1], a[0]};
    struct scope scopes[2] = {{.name = SLICE("one")}, {.name = SLICE("two")}};
    struct metric metrics[3] = {{.name = SLICE("m"), .scope = &scopes[0]},
                                {.name = SLICE("m"), .scope = &scopes[1]},
                                {.name = SLICE("m"), .unit = SLICE("s")}};
    struct point p = {.metric = &metrics[0], .attrs = {a, 2, 0}}, q = p;

    q.attrs.at = b;
    CHECK(series_key(&p) == series_key(&q));
    for (int i = 1; i < 3; i++) {
        q.metric = &metrics[i];
        CHECK(series_key(&p) != series_key(&q));
    }
    q.metric = p.metric;
    q.resource_id = 7;
    CHECK(series_key(&p) != series_key(&q));
}
