/* Series as senders make them: pods that change, resets, odd starts, parts of
 * histograms, attributes in any order. */
#include "series_kit.h"

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
            CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
    for (uint32_t i = 0; i < 5; i++)
        CHECK(is(i, 1));
    stop();
}

/* The last sample of the old one and the first of the new one lie on the edge
 * of a step: not even a nanosecond is counted twice. */
TEST(limits_of_a_pod_replaced_on_the_edge_of_a_step)
{
    const double limit = 536870912;

    start(2, 60 * S);
    for (uint64_t t = 0; t <= 120; t += 15) {
        if (t <= 60)
            add(&gauge, 1, 1, 0, 0, T0 + t * S, limit);
        if (t >= 60)
            add(&gauge, 2, 2, 0, 0, T0 + t * S, limit);
    }
    CHECK(series_set_sum(set, TAGGED, &row));
    for (uint32_t i = 0; i < 2; i++)
        CHECK(fabs(row.values[i] - limit) < 1e-6);
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(grid_row_init(&row, &grid, &arena));
    for (uint64_t t = 0; t <= 120; t += 60)
        add(&gauge, 1, 1, 0, 0, T0 + t * S, 1);
    add(&gauge, 2, 2, 0, 0, T0 + 120 * S + 1, 1);
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_hists(set, TAGGED, hists, &row));
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
    CHECK(series_set_buckets(set, TAGGED, hists));
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
