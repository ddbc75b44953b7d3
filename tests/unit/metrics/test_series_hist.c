/*
 * Cumulative histograms against the values that they were made of: however the
 * sender's processes begin again, its scale drops and its points are shuffled,
 * the cells hold what was recorded.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "series_set.h"
#include "test.h"

#define T0     (UINT64_C(1700000100) * NS_PER_S) /* a multiple of 300 s */
#define S      NS_PER_S
#define TAGGED ((struct series_filter){.tags = 1})

enum { POINTS = 60, PER_POINT = 8, MAX_VALUES = POINTS * PER_POINT, SIZE = 20 };

/* An SDK's exponential histogram: of the values since the process began, at
 * the finest scale at which they fit into SIZE buckets. */
struct made {
    uint64_t counts[SIZE + 1];
    struct histogram h;
    uint64_t start_ns, time_ns;
};

static struct made made[POINTS];
static double values[MAX_VALUES], sum_of_all;

static int64_t bucket_of(double value, int32_t scale)
{
    return (int64_t)ceil(log2(value) * exp2(scale)) - 1;
}

static void make_exponential(struct made *m, const double *at, uint32_t count)
{
    int32_t scale = 8;
    int64_t low = 0, high = 0;

    for (;; scale--) {
        low = INT64_MAX;
        high = INT64_MIN;
        for (uint32_t i = 0; i < count; i++) {
            int64_t b = bucket_of(at[i], scale);

            low = b < low ? b : low;
            high = b > high ? b : high;
        }
        if (high - low < SIZE)
            break;
    }
    memset(m->counts, 0, sizeof(m->counts));
    for (uint32_t i = 0; i < count; i++)
        m->counts[bucket_of(at[i], scale) - low]++;
    m->h.scale = scale;
    m->h.positive = (struct exp_buckets){m->counts, (uint32_t)(high - low + 1),
                                         (int32_t)low};
}

static const double bounds[] = {0.01, 0.1, 1, 10};

static void make_explicit(struct made *m, const double *at, uint32_t count)
{
    memset(m->counts, 0, sizeof(m->counts));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t b = 0;

        while (b < 4 && at[i] > bounds[b])
            b++;
        m->counts[b]++;
    }
    m->h.bound_count = 4;
    m->h.bounds = bounds;
    m->h.counts = m->counts;
}

/* Values of any size; now and then the process begins again. */
static void make_all(bool exponential)
{
    uint32_t first = 0;
    uint64_t start = T0;

    sum_of_all = 0;
    for (uint32_t p = 0; p < POINTS; p++) {
        struct made *m = &made[p];
        uint32_t count = (p + 1) * PER_POINT;
        double sum = 0;

        if (p > 0 && test_random(10) == 0) {
            first = p * PER_POINT;
            start = T0 + p * 15 * S + 1;
        }
        for (uint32_t i = count - PER_POINT; i < count; i++) {
            values[i] = exp2((double)test_random(1600) / 100 - 10);
            sum_of_all += values[i];
        }
        for (uint32_t i = first; i < count; i++)
            sum += values[i];
        *m = (struct made){.start_ns = start,
                           .time_ns = T0 + (p + 1) * 15 * S - 1};
        m->h = (struct histogram){
            .count = count - first, .sum = sum, .has_sum = true};
        if (exponential)
            make_exponential(m, values + first, count - first);
        else
            make_explicit(m, values + first, count - first);
    }
}

static void send_all(struct series_set *set, bool exponential)
{
    const struct metric metric = {.type = exponential ? METRIC_EXP_HISTOGRAM
                                                      : METRIC_HISTOGRAM,
                                  .temporality = CUMULATIVE};
    uint32_t order[POINTS];

    for (uint32_t i = 0; i < POINTS; i++) {
        uint32_t k = test_random(i + 1);

        order[i] = order[k];
        order[k] = i;
    }
    for (uint32_t i = 0; i < 2 * POINTS; i++) { /* the half of them twice */
        const struct made *m = &made[order[i % POINTS]];
        struct point point = {.metric = &metric,
                              .start_ns = m->start_ns,
                              .time_ns = m->time_ns,
                              .histogram = &m->h};
        struct series_point p = {.point = &point, .tags = 1, .factor = 1};

        if (i < POINTS || i % 2)
            CHECK(series_set_add(set, &p));
    }
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* All values lie in buckets, and none was taken off that was not there. */
static void check_buckets(const struct hist *hist, double want)
{
    double sum = hist->zero;

    for (uint32_t i = 0; i < hist->len; i++) {
        CHECK(hist->counts[i] > -1e-6);
        sum += hist->counts[i];
    }
    for (uint32_t i = 0; hist->bound_counts && i <= hist->bound_count; i++) {
        CHECK(hist->bound_counts[i] > -1e-6);
        sum += hist->bound_counts[i];
    }
    CHECK(fabs(sum - want) < 1e-6);
}

static void check_round(bool exponential, uint64_t step_ns)
{
    struct arena arena;
    struct hist all = {0}, hists[POINTS + 1] = {{0}};
    struct grid_row row;
    struct grid grid =
        grid_make(T0, T0 + POINTS * 15 * S, step_ns, T0 + NS_PER_DAY);

    arena_init(&arena, NULL, SIZE_MAX);
    struct series_set *set = series_set_new(&arena, &grid);
    CHECK(grid_row_init(&row, &grid, &arena));
    make_all(exponential);
    send_all(set, exponential);
    CHECK(series_set_hists(set, TAGGED, hists, &row));
    for (uint32_t i = 0; i < grid.count; i++)
        CHECK(hist_merge(&all, &arena, &hists[i], 1));
    CHECK(fabs(all.count - MAX_VALUES) < 1e-6);
    CHECK(fabs(hist_mean(&all) - sum_of_all / MAX_VALUES) < 1e-9 * sum_of_all);
    check_buckets(&all, MAX_VALUES);
    qsort(values, MAX_VALUES, sizeof(*values), by_value);
    for (int q = 1; exponential && q < 10; q++) {
        double want = values[MAX_VALUES * q / 10];
        double got = hist_quantile(&all, q / 10.0);

        /* 16 octaves in 20 buckets: within two of them. */
        if (!CHECK(fabs(log2(got / want)) <= 2))
            printf("# q %d: %g, not %g\n", q, got, want);
    }
    arena_release(&arena);
}

TEST(exponential_histograms)
{
    for (int round = 0; round < 60; round++) {
        check_round(true, 15 * S);
        check_round(true, 60 * S);
        check_round(true, 300 * S);
    }
}

TEST(histograms_with_bounds)
{
    for (int round = 0; round < 60; round++) {
        check_round(false, 15 * S);
        check_round(false, 300 * S);
    }
}
