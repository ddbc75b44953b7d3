/* Functions of one float, and numbers out of histograms, without a query. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "promql_handlers.h"
#include "promql_hist_value.h"
#include "test.h"

static bool near(double got, double want)
{
    if (isnan(want) ? isnan(got)
                    : got == want || fabs(got - want) <= 1e-12 * fabs(want))
        return true;
    printf("# got %.17g, want %.17g\n", got, want);
    return false;
}

/* ---- dates, against the C library ---- */

TEST(dates_are_those_of_the_c_library)
{
    for (int i = 0; i < 20000; i++) {
        time_t seconds = (time_t)(test_random64() % (1ULL << (10 + i % 40))) *
                         (i % 2 ? 1 : -1);
        double v = (double)seconds;
        struct tm tm;

        if (!CHECK(gmtime_r(&seconds, &tm)))
            return;
        CHECK_EQ(promql_minute(v, NULL, 0), tm.tm_min);
        CHECK_EQ(promql_hour(v, NULL, 0), tm.tm_hour);
        CHECK_EQ(promql_day_of_week(v, NULL, 0), tm.tm_wday);
        CHECK_EQ(promql_day_of_month(v, NULL, 0), tm.tm_mday);
        CHECK_EQ(promql_day_of_year(v, NULL, 0), tm.tm_yday + 1);
        CHECK_EQ(promql_month(v, NULL, 0), tm.tm_mon + 1);
        CHECK_EQ(promql_year(v, NULL, 0), tm.tm_year + 1900);
    }
}

TEST(months_have_their_days)
{
    CHECK_EQ(promql_days_in_month(1454284800, NULL, 0), 29);  /* 2016-02 */
    CHECK_EQ(promql_days_in_month(1485907200, NULL, 0), 28);  /* 2017-02 */
    CHECK_EQ(promql_days_in_month(951782400, NULL, 0), 29);   /* 2000-02 */
    CHECK_EQ(promql_days_in_month(-2203977600, NULL, 0), 28); /* 1900-02 */
    CHECK_EQ(promql_days_in_month(0, NULL, 0), 31);
    CHECK(isnan(promql_hour((double)NAN, NULL, 0)));
    CHECK(isnan(promql_year((double)INFINITY, NULL, 0)));
    CHECK_EQ(promql_minute(59.9, NULL, 0), 0);
}

/* ---- floats ---- */

TEST(rounding_and_limits)
{
    const double to[] = {0.1}, limits[] = {-1, 2}, crossed[] = {2, -1};
    const double nan[] = {(double)NAN};

    CHECK(near(promql_round(-0.5, NULL, 0), 0));
    CHECK(near(promql_round(2.5, NULL, 0), 3));
    CHECK(near(promql_round(0.26, to, 1), 0.3));
    CHECK(near(promql_clamp(5, limits, 2), 2));
    CHECK(near(promql_clamp(-5, limits, 2), -1));
    CHECK(promql_is_absent(promql_clamp(0, crossed, 2)));
    CHECK(isnan(promql_clamp((double)NAN, limits, 2)));
    CHECK(isnan(promql_clamp_max(1, nan, 1)));
    CHECK(isnan(promql_clamp_min(1, nan, 1)));
    CHECK(near(promql_clamp_min((double)INFINITY, nan, 1), (double)INFINITY));
    CHECK(near(promql_sgn(-3, NULL, 0), -1));
    CHECK(near(promql_sgn(0, NULL, 0), 0));
    CHECK(isnan(promql_sgn((double)NAN, NULL, 0)));
    CHECK(near(promql_deg(3.14159265358979323846, NULL, 0), 180));
    CHECK(near(promql_ln(0, NULL, 0), -(double)INFINITY));
    CHECK(isnan(promql_sqrt(-1, NULL, 0)));
}

/* ---- classic histograms ---- */

static double classic(double q, bool *forced, const struct promql_le *from,
                      uint32_t count)
{
    struct promql_le at[16];

    memcpy(at, from, count * sizeof(*at));
    *forced = false;
    return promql_le_quantile(at, count, q, forced);
}

TEST(classic_quantiles)
{
    const double inf = (double)INFINITY;
    const struct promql_le plain[] = {{0.1, 10}, {1, 60}, {inf, 100}};
    const struct promql_le below[] = {{-1, 10}, {0, 20}, {inf, 20}};
    const struct promql_le open[] = {{0.1, 10}, {1, 60}};
    const struct promql_le drops[] = {{1, 10}, {2, 5}, {3, 20}, {inf, 20}};
    const struct promql_le blurred[] = {
        {1, 10}, {2, 10 - 1e-12}, {3, 20}, {inf, 20}};
    const struct promql_le twice[] = {{1, 10}, {1, 10}, {inf, 40}};
    const struct promql_le empty[] = {{1, 0}, {inf, 0}};
    bool forced;

    CHECK(near(classic(0.05, &forced, plain, 3), 0.05));
    CHECK(near(classic(0.35, &forced, plain, 3), 0.55));
    CHECK(near(classic(0.9, &forced, plain, 3), 1));
    CHECK(near(classic(0, &forced, plain, 3), 0));
    CHECK(near(classic(1.1, &forced, plain, 3), inf));
    CHECK(near(classic(-1, &forced, plain, 3), -inf));
    CHECK(isnan(classic((double)NAN, &forced, plain, 3)));
    CHECK(near(classic(0.2, &forced, below, 3), -1));
    CHECK(near(classic(0.75, &forced, below, 3), -0.5));
    CHECK(isnan(classic(0.5, &forced, open, 2)));
    CHECK(isnan(classic(0.5, &forced, empty, 2)));
    CHECK(!forced);
    CHECK(near(classic(0.75, &forced, drops, 4), 2.5));
    CHECK(forced);
    CHECK(near(classic(0.75, &forced, blurred, 4), 2.5));
    CHECK(!forced);
    CHECK(near(classic(0.25, &forced, twice, 3), 0.5));
}

TEST(classic_fractions)
{
    const double inf = (double)INFINITY;
    struct promql_le at[] = {{0.1, 10}, {1, 60}, {inf, 100}};

    CHECK(near(promql_le_fraction(at, 3, 0, 0.1), 0.1));
    CHECK(near(promql_le_fraction(at, 3, -inf, inf), 1));
    CHECK(near(promql_le_fraction(at, 3, 0.05, 0.55), 0.3));
    CHECK(near(promql_le_fraction(at, 3, 1, inf), 0.4));
    CHECK(near(promql_le_fraction(at, 3, 2, 1), 0));
    CHECK(isnan(promql_le_fraction(at, 3, (double)NAN, 1)));
    CHECK(isnan(promql_le_fraction(at, 2, 0, 1)));
}

/* ---- native histograms ---- */

static const double counts[] = {4, 8, 4}; /* (1,2], (2,4], (4,8] */
static const struct promql_histogram positive = {
    .count = 16, .sum = 50, .positive = {counts, 3, 0}};

TEST(native_quantiles)
{
    const double inf = (double)INFINITY;
    struct promql_histogram h = positive;

    CHECK(near(promql_hist_quantile(&h, 0.125), exp2(0.5)));
    CHECK(near(promql_hist_quantile(&h, 0.5), exp2(1.5)));
    CHECK(near(promql_hist_quantile(&h, 0.25), 2));
    CHECK(near(promql_hist_quantile(&h, 1), 8));
    CHECK(near(promql_hist_quantile(&h, 0), 1));
    CHECK(near(promql_hist_quantile(&h, 2), inf));
    h.negative = h.positive;
    h.positive = (struct promql_buckets){0};
    CHECK(near(promql_hist_quantile(&h, 0.5), -exp2(1.5)));
    CHECK(near(promql_hist_quantile(&h, 0), -8));
    CHECK(near(promql_hist_quantile(&h, 1), -1));
    h = positive;
    h.zero_count = 16;
    h.zero_threshold = 0.5;
    h.count = 32;
    CHECK(near(promql_hist_quantile(&h, 0.25), 0.25));
    h.sum = (double)NAN;
    h.count = 64; /* half of the values are NaN */
    CHECK(isnan(promql_hist_quantile(&h, 0.9)));
    CHECK(near(promql_hist_quantile(&h, 0.125), 0.25));
    h.count = 0;
    CHECK(isnan(promql_hist_quantile(&h, 0.5)));
}

TEST(native_fractions_and_variance)
{
    const double inf = (double)INFINITY;

    CHECK(near(promql_hist_fraction(&positive, 1, 2), 0.25));
    CHECK(near(promql_hist_fraction(&positive, -inf, inf), 1));
    CHECK(near(promql_hist_fraction(&positive, 0, exp2(1.5)), 0.5));
    CHECK(near(promql_hist_fraction(&positive, 4, inf), 0.25));
    CHECK(near(promql_hist_fraction(&positive, 4, 4), 0));
    CHECK(isnan(promql_hist_fraction(&positive, (double)NAN, 4)));
    CHECK(near(promql_hist_variance(&positive),
               (4 * pow(sqrt(2) - 3.125, 2) + 8 * pow(sqrt(8) - 3.125, 2) +
                4 * pow(sqrt(32) - 3.125, 2)) /
                   16));
}

TEST(custom_buckets_are_like_classic_ones)
{
    const double bounds[] = {0.1, 1}, each[] = {10, 50, 40};
    const struct promql_histogram h = {.schema = PROMQL_CUSTOM_BUCKETS,
                                       .count = 100,
                                       .sum = 90,
                                       .positive = {each, 3, 0},
                                       .bounds = bounds,
                                       .bound_count = 2};

    CHECK(near(promql_hist_quantile(&h, 0.05), 0.05));
    CHECK(near(promql_hist_quantile(&h, 0.35), 0.55));
    CHECK(near(promql_hist_quantile(&h, 0.9), 1));
    CHECK(near(promql_hist_fraction(&h, 0.05, 0.55), 0.3));
    CHECK(near(promql_hist_fraction(&h, 1, (double)INFINITY), 0.4));
}

/* ---- the table ---- */

TEST(the_table_has_one_handler_a_row)
{
    static const char *const names[] = {"abs",
                                        "absent_over_time",
                                        "histogram_quantile",
                                        "rate",
                                        "time",
                                        "year",
                                        "sort_by_label",
                                        "label_join",
                                        "quantile_over_time"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const struct promql_function *f =
            promql_function_find(slice_of(names[i]));

        if (!CHECK(f != NULL))
            continue;
        CHECK_EQ((f->sample != NULL) + (f->range != NULL) + (f->call != NULL),
                 1);
    }
    CHECK(!promql_function_find(SLICE("nothing")));
    CHECK(!promql_function_find(SLICE("Rate")));
}
