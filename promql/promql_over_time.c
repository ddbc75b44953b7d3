/*
 * Aggregation over time: sums, means, counts, quantiles, trends.
 */
#include <stdlib.h>

#include "promql_histogram.h"
#include "promql_kahan.h"
#include "promql_range.h"

/* ---- sums and means ---- */

static void total_at(struct promql_window *w, bool is_mean)
{
    uint32_t at = w->histogram_first;
    struct promql_total *total = promql_total_new(w->arena, w->histograms[at]);

    while (total && ++at < w->histogram_end)
        if (!promql_total_add(total, w->arena, w->histograms[at])) {
            w->notes |= PROMQL_NOTE_LAYOUTS;
            return;
        }
    if (!total)
        return;
    if (is_mean)
        promql_total_scale(total, 1, promql_window_histograms(w));
    w->histogram = &total->sum;
}

static void sum_at(struct promql_window *w)
{
    double sum = 0, lost = 0;

    if (promql_window_is_mixed(w))
        return;
    if (promql_window_histograms(w) > 0) {
        total_at(w, false);
        return;
    }
    if (promql_window_floats(w) == 0)
        return;
    for (uint32_t i = w->first; i < w->end; i++)
        promql_kahan(w->values[i], &sum, &lost);
    w->value = isinf(sum) ? sum : sum + lost;
}

static void avg_at(struct promql_window *w)
{
    struct promql_mean mean = {0};

    if (promql_window_is_mixed(w))
        return;
    if (promql_window_histograms(w) > 0) {
        total_at(w, true);
        return;
    }
    if (promql_window_floats(w) == 0)
        return;
    for (uint32_t i = w->first; i < w->end; i++)
        promql_mean_add(&mean, w->values[i]);
    w->value = promql_mean_value(&mean);
}

/* Whether there are floats; histograms beside them are left out. */
static bool floats_only(struct promql_window *w)
{
    if (promql_window_floats(w) == 0)
        return false;
    if (promql_window_histograms(w) > 0)
        w->notes |= PROMQL_NOTE_IGNORED;
    return true;
}

/* Welford's algorithm, with both sums kept exact. */
static double variance(const struct promql_window *w)
{
    double mean = 0, mean_lost = 0, squares = 0, squares_lost = 0, count = 0;

    for (uint32_t i = w->first; i < w->end; i++) {
        double v = w->values[i], off = v - (mean + mean_lost);

        count++;
        promql_kahan(off / count, &mean, &mean_lost);
        promql_kahan(off * (v - (mean + mean_lost)), &squares, &squares_lost);
    }
    return (squares + squares_lost) / count;
}

static void stdvar_at(struct promql_window *w)
{
    if (floats_only(w))
        w->value = variance(w);
}

static void stddev_at(struct promql_window *w)
{
    if (floats_only(w))
        w->value = sqrt(variance(w));
}

/* ---- picking ---- */

static void min_at(struct promql_window *w)
{
    double v;

    if (!floats_only(w))
        return;
    v = w->values[w->first];
    for (uint32_t i = w->first + 1; i < w->end; i++)
        if (w->values[i] < v || isnan(v))
            v = w->values[i];
    w->value = v;
}

static void max_at(struct promql_window *w)
{
    double v;

    if (!floats_only(w))
        return;
    v = w->values[w->first];
    for (uint32_t i = w->first + 1; i < w->end; i++)
        if (w->values[i] > v || isnan(v))
            v = w->values[i];
    w->value = v;
}

static void last_at(struct promql_window *w)
{
    uint32_t floats = promql_window_floats(w);
    uint32_t histograms = promql_window_histograms(w);

    if (histograms > 0 &&
        (floats == 0 ||
         w->times[w->end - 1] < w->histogram_times[w->histogram_end - 1]))
        w->histogram = w->histograms[w->histogram_end - 1];
    else if (floats > 0)
        w->value = w->values[w->end - 1];
}

static void count_at(struct promql_window *w)
{
    uint32_t count = promql_window_floats(w) + promql_window_histograms(w);

    if (count > 0)
        w->value = count;
}

static void present_at(struct promql_window *w)
{
    if (promql_window_floats(w) + promql_window_histograms(w) > 0)
        w->value = 1;
}

/* ---- quantiles ---- */

/* NaN is below everything. */
static int by_value(const void *a, const void *b)
{
    double x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    if (isnan(x) || isnan(y))
        return isnan(y) - isnan(x);
    return (x > y) - (x < y);
}

double promql_quantile_of(double q, double *values, uint32_t count)
{
    double rank, lower, upper, weight;

    if (isnan(q))
        return q;
    if (q < 0)
        return -(double)INFINITY;
    if (q > 1)
        return (double)INFINITY;
    qsort(values, count, sizeof(*values), by_value);
    rank = q * (count - 1.0);
    lower = floor(rank);
    upper = fmin(count - 1.0, lower + 1);
    weight = rank - lower;
    return values[(uint32_t)lower] * (1 - weight) +
           values[(uint32_t)upper] * weight;
}

static void quantile_at(struct promql_window *w)
{
    double q = w->args[0];
    uint32_t count = promql_window_floats(w);

    if (!floats_only(w))
        return;
    if (!(q >= 0 && q <= 1)) {
        w->notes |= PROMQL_NOTE_QUANTILE;
        w->quantile = q;
    }
    memcpy(w->room, w->values + w->first, count * sizeof(*w->room));
    w->value = promql_quantile_of(q, w->room, count);
}

/* ---- trends ---- */

struct line {
    double slope, intercept;
};

/* Least squares; the intercept is the value at origin_ms. */
static struct line regression(const struct promql_window *w, int64_t origin_ms)
{
    double x_sum = 0, y_sum = 0, xy_sum = 0, xx_sum = 0;
    double x_lost = 0, y_lost = 0, xy_lost = 0, xx_lost = 0;
    double n = promql_window_floats(w), covariance, first = w->values[w->first];
    struct line line;
    bool constant = true;

    for (uint32_t i = w->first; i < w->end; i++) {
        double y = w->values[i];
        double x = (double)(w->times[i] - origin_ms) / 1e3;

        constant = constant && (i == w->first || y == first);
        promql_kahan(x, &x_sum, &x_lost);
        promql_kahan(y, &y_sum, &y_lost);
        promql_kahan(x * y, &xy_sum, &xy_lost);
        promql_kahan(x * x, &xx_sum, &xx_lost);
    }
    if (constant)
        return isinf(first) ? (struct line){(double)NAN, (double)NAN}
                            : (struct line){0, first};
    x_sum += x_lost;
    y_sum += y_lost;
    covariance = (xy_sum + xy_lost) - x_sum * y_sum / n;
    line.slope = covariance / ((xx_sum + xx_lost) - x_sum * x_sum / n);
    line.intercept = y_sum / n - line.slope * x_sum / n;
    return line;
}

static void deriv_at(struct promql_window *w)
{
    if (promql_window_floats(w) >= 2 && floats_only(w))
        w->value = regression(w, w->times[w->first]).slope;
}

static void predict_at(struct promql_window *w)
{
    struct line line;

    if (promql_window_floats(w) < 2 || !floats_only(w))
        return;
    line = regression(w, w->now_ms);
    w->value = line.slope * w->args[0] + line.intercept;
}

static void smoothing_at(struct promql_window *w)
{
    double level = w->args[0], trend = w->args[1];
    double before = 0, now, slope;

    if (!(level > 0 && level < 1)) {
        w->error = "invalid smoothing factor. Expected: 0 < sf < 1";
        w->error_value = level;
        return;
    }
    if (!(trend > 0 && trend < 1)) {
        w->error = "invalid trend factor. Expected: 0 < tf < 1";
        w->error_value = trend;
        return;
    }
    if (promql_window_floats(w) < 2 || !floats_only(w))
        return;
    now = w->values[w->first];
    slope = w->values[w->first + 1] - now;
    for (uint32_t i = w->first + 1; i < w->end; i++) {
        double next;

        if (i > w->first + 1)
            slope = trend * (now - before) + (1 - trend) * slope;
        next = level * w->values[i] + (1 - level) * (now + slope);
        before = now;
        now = next;
    }
    w->value = now;
}

const struct promql_range_function promql_sum_over_time = {.at = sum_at};
const struct promql_range_function promql_avg_over_time = {.at = avg_at};
const struct promql_range_function promql_min_over_time = {.at = min_at};
const struct promql_range_function promql_max_over_time = {.at = max_at};
const struct promql_range_function promql_count_over_time = {.at = count_at,
                                                             .quick = true};
const struct promql_range_function promql_stddev_over_time = {.at = stddev_at};
const struct promql_range_function promql_stdvar_over_time = {.at = stdvar_at};
const struct promql_range_function promql_last_over_time = {
    .at = last_at, .keeps_name = true, .quick = true};
const struct promql_range_function promql_present_over_time = {.at =
                                                                   present_at};
const struct promql_range_function promql_quantile_over_time = {
    .at = quantile_at, .room = true};
const struct promql_range_function promql_deriv = {.at = deriv_at};
const struct promql_range_function promql_predict_linear = {.at = predict_at};
const struct promql_range_function promql_smoothing = {.at = smoothing_at};
