/* Series on a grid: cells, gauges, counters, deltas, histograms. */
#include "series_kit.h"

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

/* The minute that is not over counts until now. */
TEST(the_open_minute_ends_now)
{
    struct grid_part part;

    start(3, 60 * S);
    grid.now_ns = T0 + 130 * S;
    part = grid_parts(&grid, T0 + 120 * S, T0 + 180 * S);
    CHECK(grid_next(&grid, &part));
    CHECK_EQ(part.cell, 2);
    CHECK(fabs(part.share - 1) < 1e-9);
    CHECK(!grid_next(&grid, &part));
    CHECK(fabs(grid_seconds(&grid, 2) - 10) < 1e-9);
    stop();
}

TEST(gaps_are_zero_inside_only)
{
    start(6, 60 * S);
    grid_row_add(&row, 1, 3);
    grid_row_add(&row, 4, 3);
    grid_row_fill_gaps(&row, &grid);
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
        double first[5] = {0};

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
            CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
    CHECK(is(0, 1));
    stop();
    start(2, 60 * S);
    add(&counter, 1, 1, 0, T0 - NS_PER_DAY, T0 + 60 * S, 60);
    CHECK(series_set_sum(set, TAGGED, &row));
    CHECK(!row.known[0]);
    stop();
}

TEST(long_gaps_are_not_guessed_at)
{
    start(60, 60 * S);
    add(&counter, 1, 1, 0, 0, T0 + S, 10);
    add(&counter, 1, 1, 0, 0, T0 + 40 * 60 * S, 1000);
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(grid_row_init(&row, &grid, &arena));
    for (uint64_t t = 0; t <= 135; t += 15)
        add(&counter, 1, 1, 0, T0, T0 + t * S, 4.0 * (double)t);
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
    CHECK(series_set_sum(set, TAGGED, &row));
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
        CHECK(series_set_hists(set, TAGGED, hists, &row));
        CHECK(is(0, 40));
        CHECK(fabs(hists[0].count - 40) < 1e-6);
        CHECK(fabs(hist_mean(&hists[0]) - 0.5) < 1e-6);
        CHECK(fabs(hist_quantile(&hists[0], 0.5) - 0.55) < 1e-6);
        CHECK(series_set_has(set, TAGGED));
        CHECK(!series_set_has(set, (struct series_filter){.tags = 2}));
        stop();
    }
}

/* Many series: the table grows, sums are complete. */
TEST(many_series)
{
    start(2, 60 * S);
    for (uint64_t i = 0; i < 3000; i++)
        add(&gauge, i * 7919, i % 100, (uint32_t)(i % 3), 0, T0 + S, 1);
    CHECK(series_set_sum(set, TAGGED, &row));
    CHECK(is(0, 1000));
    stop();
}
