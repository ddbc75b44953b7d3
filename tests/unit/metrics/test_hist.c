#include "hist.h"

#include <math.h>
#include <stdlib.h>

#include "quantile.h"
#include "test.h"

enum { VALUES = 2000, BUCKETS = 400 };

static struct arena arena;

/* What an SDK would send: values counted into exponential buckets. */
struct sample {
    struct histogram h;
    uint64_t counts[BUCKETS];
};

static int64_t index_of(double value, int32_t scale)
{
    return (int64_t)ceil(log2(value) * exp2(scale)) - 1;
}

static void sample_fill(struct sample *s, int32_t scale, const double *values,
                        uint32_t count)
{
    int64_t low = INT64_MAX;

    *s = (struct sample){.h = {.scale = scale, .has_sum = true}};
    for (uint32_t i = 0; i < count; i++)
        if (values[i] > 0 && index_of(values[i], scale) < low)
            low = index_of(values[i], scale);
    for (uint32_t i = 0; i < count; i++) {
        s->h.count++;
        s->h.sum += values[i];
        if (values[i] > 0) {
            int64_t at = index_of(values[i], scale) - low;

            if (!CHECK(at < BUCKETS))
                return;
            s->counts[at]++;
            if (at >= s->h.positive.count)
                s->h.positive.count = (uint32_t)at + 1;
        } else {
            s->h.zero_count++;
        }
    }
    s->h.positive.offset = low == INT64_MAX ? 0 : (int32_t)low;
    s->h.positive.counts = s->counts;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* From 100 us to about 10 s, many small ones. */
static double latency(void)
{
    return 0.0001 * exp2(test_random(1000) * test_random(1000) / 60000.0);
}

static bool near(double got, double want, double relative)
{
    return fabs(got - want) <= relative * fabs(want) + 1e-12;
}

static const double quantiles[] = {0.01, 0.5, 0.9, 0.99, 1.0};

static void check_quantiles(const struct hist *hist, double *values,
                            uint32_t count, double tolerance)
{
    qsort(values, count, sizeof(*values), compare);
    for (size_t i = 0; i < 5; i++) {
        double got = hist_quantile(hist, quantiles[i]);
        double rank = ceil(quantiles[i] * count);
        double want = values[rank > 0 ? (uint32_t)rank - 1 : 0];

        CHECK(near(got, want, tolerance));
    }
}

TEST(empty_has_no_quantile)
{
    struct hist hist = {0};

    CHECK(isnan(hist_quantile(&hist, 0.5)));
    CHECK(isnan(hist_mean(&hist)));
}

/* Parts of many scales, added in any order, against the values themselves.
 * The coarsest scale is what the error comes from. */
TEST(parts_of_different_scales_add_up)
{
    for (int round = 0; round < 40; round++) {
        struct hist hist = {0};
        double values[VALUES], sum = 0;
        uint32_t at = 0;
        int32_t coarsest = 20;

        arena_init(&arena, NULL, SIZE_MAX);
        while (at < VALUES) {
            uint32_t part = 1 + test_random(300);
            int32_t scale = 1 + (int32_t)test_random(4);
            struct sample s;

            part = part > VALUES - at ? VALUES - at : part;
            for (uint32_t i = 0; i < part; i++)
                sum += values[at + i] = latency();
            sample_fill(&s, scale, values + at, part);
            CHECK(hist_add(&hist, &arena, METRIC_EXP_HISTOGRAM, &s.h, 1, 1));
            coarsest = scale < coarsest ? scale : coarsest;
            at += part;
        }
        CHECK(near(hist.count, VALUES, 1e-9));
        CHECK(near(hist_mean(&hist), sum / VALUES, 1e-9));
        check_quantiles(&hist, values, VALUES,
                        exp2(exp2(-coarsest)) - 1 + 0.001);
        arena_release(&arena);
    }
}

TEST(merge_equals_adding)
{
    struct hist one = {0}, parts[4] = {{0}}, merged = {0};

    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < 64; i++) {
        double values[30];
        struct sample s;

        for (int k = 0; k < 30; k++)
            values[k] = latency();
        sample_fill(&s, 3, values, 30);
        CHECK(hist_add(&one, &arena, METRIC_EXP_HISTOGRAM, &s.h, 1, 1));
        CHECK(
            hist_add(&parts[i % 4], &arena, METRIC_EXP_HISTOGRAM, &s.h, 1, 1));
    }
    for (int i = 0; i < 4; i++)
        CHECK(hist_merge(&merged, &arena, &parts[i], 1));
    for (size_t i = 0; i < 5; i++)
        CHECK(near(hist_quantile(&merged, quantiles[i]),
                   hist_quantile(&one, quantiles[i]), 1e-9));
    CHECK(near(merged.sum, one.sum, 1e-9));
    arena_release(&arena);
}

/* The cumulative histogram before is taken off again. */
TEST(negative_weight_takes_off)
{
    struct hist hist = {0}, only = {0};
    double before[50], after[50];
    struct sample b, a;

    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < 50; i++) {
        before[i] = 5 + test_random(100) / 10.0;
        after[i] = 0.01 + test_random(100) / 1000.0;
    }
    sample_fill(&b, 3, before, 50);
    sample_fill(&a, 3, after, 50);
    CHECK(hist_add(&hist, &arena, METRIC_EXP_HISTOGRAM, &b.h, 1, 1));
    CHECK(hist_add(&hist, &arena, METRIC_EXP_HISTOGRAM, &a.h, 1, 1));
    CHECK(hist_add(&hist, &arena, METRIC_EXP_HISTOGRAM, &b.h, 1, -1));
    CHECK(hist_add(&only, &arena, METRIC_EXP_HISTOGRAM, &a.h, 1, 1));
    CHECK(near(hist_quantile(&hist, 0.9), hist_quantile(&only, 0.9), 1e-9));
    CHECK(near(hist.count, 50, 1e-9));
    arena_release(&arena);
}

TEST(a_wide_run_is_coarsened_not_grown)
{
    struct hist hist = {0};
    double tiny[1] = {1e-9}, huge[1] = {1e12};
    struct sample s;

    arena_init(&arena, NULL, SIZE_MAX);
    sample_fill(&s, 8, tiny, 1);
    CHECK(hist_add(&hist, &arena, METRIC_EXP_HISTOGRAM, &s.h, 1, 1));
    sample_fill(&s, 8, huge, 1);
    CHECK(hist_add(&hist, &arena, METRIC_EXP_HISTOGRAM, &s.h, 1, 1));
    CHECK(hist.len <= HIST_MAX_BUCKETS);
    CHECK(near(hist_quantile(&hist, 0.5), 1e-9, 0.5));
    CHECK(near(hist_quantile(&hist, 1), 1e12, 0.5));
    arena_release(&arena);
}

/* Whatever a sender writes into scale and offset. */
TEST(senseless_buckets_do_no_harm)
{
    static const int32_t odd[] = {INT32_MIN, -13, -12, -1,   0,
                                  1,         20,  40,  1000, INT32_MAX};
    uint64_t counts[3] = {UINT64_MAX, 0, 1};

    for (int round = 0; round < 2000; round++) {
        struct hist hist = {0};

        arena_init(&arena, NULL, SIZE_MAX);
        for (int i = 0; i < 4; i++) {
            struct histogram h = {
                .count = test_random(5),
                .scale = odd[test_random(10)],
                .positive = {counts, test_random(4), odd[test_random(10)]},
                .has_max = test_random(2),
                .max = test_random(9),
            };

            CHECK(hist_add(&hist, &arena, METRIC_EXP_HISTOGRAM, &h,
                           test_random(2) ? 1 : 0.001, test_random(3) - 1.0));
            CHECK(hist.len <= HIST_MAX_BUCKETS);
            (void)hist_quantile(&hist, 0.9);
        }
        arena_release(&arena);
    }
}

static const double seconds[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                 0.5,   0.75, 1,     2.5,  5,     7.5, 10};
enum { SECONDS = sizeof(seconds) / sizeof(seconds[0]) };

/* Linear inside the bucket, as Prometheus has it. */
TEST(explicit_buckets_interpolate)
{
    struct hist hist = {0};
    uint64_t counts[SECONDS + 1] = {0, 0, 10, 10};
    struct histogram h = {.count = 20,
                          .sum = 0.7,
                          .has_sum = true,
                          .bound_count = SECONDS,
                          .bounds = seconds,
                          .counts = counts};

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK(hist_add(&hist, &arena, METRIC_HISTOGRAM, &h, 1, 1));
    CHECK(near(hist_quantile(&hist, 0.5), 0.025, 1e-9));
    CHECK(near(hist_quantile(&hist, 0.25), 0.0175, 1e-9));
    CHECK(near(hist_quantile(&hist, 0.75), 0.0375, 1e-9));
    counts[SECONDS] = 20; /* above the last bound: that is all we know */
    h.count = 40;
    CHECK(hist_add(&hist, &arena, METRIC_HISTOGRAM, &h, 1, 1));
    CHECK(near(hist_quantile(&hist, 0.99), 10, 1e-9));
    arena_release(&arena);
}

/* Some senders write the end of the last bucket, which goes without saying. */
TEST(infinite_bounds_are_no_ends)
{
    static const double open[] = {0.1, 1, INFINITY};
    uint64_t some[4] = {0, 10, 10, 0}, more[SECONDS + 1] = {0, 0, 20};
    struct histogram a = {
        .count = 20, .bound_count = 3, .bounds = open, .counts = some};
    struct histogram b = {
        .count = 20, .bound_count = SECONDS, .bounds = seconds, .counts = more};

    for (int first = 0; first < 2; first++) {
        struct hist hist = {0};

        arena_init(&arena, NULL, SIZE_MAX);
        CHECK(hist_add(&hist, &arena, METRIC_HISTOGRAM, first ? &b : &a, 1, 1));
        if (!first)
            CHECK(near(hist_quantile(&hist, 0.99), 1, 1e-9));
        CHECK(hist_add(&hist, &arena, METRIC_HISTOGRAM, first ? &a : &b, 1, 1));
        CHECK(near(hist_quantile(&hist, 0.5), 0.025, 1e-6));
        CHECK(hist_quantile(&hist, 0.99) >= 1);
        CHECK(hist_quantile(&hist, 0.99) <= 2.5);
        arena_release(&arena);
    }
}

/* Milliseconds and seconds, other bounds: one component, two SDKs. */
TEST(explicit_buckets_of_other_bounds_and_units)
{
    static const double millis[] = {0, 5, 10, 25, 50, 75, 100, 250, 500};
    uint64_t some[10] = {0, 0, 0, 40}, more[SECONDS + 1] = {0, 0, 40};
    struct histogram a = {
        .count = 40, .bound_count = 9, .bounds = millis, .counts = some};
    struct histogram b = {
        .count = 40, .bound_count = SECONDS, .bounds = seconds, .counts = more};
    struct hist hist = {0};

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK(hist_add(&hist, &arena, METRIC_HISTOGRAM, &a, 0.001, 1));
    CHECK(hist_add(&hist, &arena, METRIC_HISTOGRAM, &b, 1, 1));
    CHECK(near(hist.count, 80, 1e-9));
    CHECK(near(hist_quantile(&hist, 0.5), 0.0175, 1e-6));
    CHECK(near(hist_quantile(&hist, 1), 0.025, 1e-6));
    arena_release(&arena);
}

/* Everything in the first wide bucket: min and max are what helps. */
TEST(min_and_max_narrow_a_bucket)
{
    static const double bounds[] = {5, 10};
    uint64_t counts[3] = {100, 0, 0};
    struct histogram h = {.count = 100,
                          .bound_count = 2,
                          .bounds = bounds,
                          .counts = counts,
                          .has_min = true,
                          .has_max = true,
                          .min = 0.1,
                          .max = 0.3};
    struct hist hist = {0};

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK(hist_add(&hist, &arena, METRIC_HISTOGRAM, &h, 1, 1));
    CHECK(near(hist_quantile(&hist, 0.5), 0.2, 1e-9));
    CHECK(near(hist_quantile(&hist, 1), 0.3, 1e-9));
    arena_release(&arena);
}

/* Both kinds at once: the distribution of all values together. */
TEST(both_kinds_together)
{
    struct hist hist = {0};
    double values[2 * VALUES];
    uint64_t counts[SECONDS + 1] = {0};
    struct sample s;
    struct histogram h = {.count = VALUES,
                          .bound_count = SECONDS,
                          .bounds = seconds,
                          .counts = counts};

    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < 2 * VALUES; i++)
        values[i] = 0.01 + test_random(990) / 1000.0;
    sample_fill(&s, 5, values, VALUES);
    for (int i = VALUES; i < 2 * VALUES; i++) {
        int at = 0;

        while (at < SECONDS && values[i] > seconds[at])
            at++;
        counts[at]++;
    }
    CHECK(hist_add(&hist, &arena, METRIC_EXP_HISTOGRAM, &s.h, 1, 1));
    CHECK(hist_add(&hist, &arena, METRIC_HISTOGRAM, &h, 1, 1));
    qsort(values, (size_t)2 * VALUES, sizeof(*values), compare);
    CHECK(near(hist_quantile(&hist, 0.5), values[VALUES], 0.05));
    CHECK(near(hist_quantile(&hist, 0.9), values[VALUES * 18 / 10], 0.05));
    arena_release(&arena);
}

TEST(quantiles_of_plain_numbers)
{
    double values[] = {4, 1, 3, 2};

    CHECK(fabs(quantile(values, 1, 0.5) - 4) < 1e-9);
    CHECK(fabs(quantile(values, 4, 0.5) - 2.5) < 1e-9);
    CHECK(fabs(values[0] - 1) < 1e-9 && fabs(values[3] - 4) < 1e-9);
    CHECK(fabs(quantile_sorted(values, 4, 0.9) - 3.7) < 1e-9);
    CHECK(fabs(quantile_sorted(values, 4, 1) - 4) < 1e-9);
}
