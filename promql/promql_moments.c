/*
 * Functions of a window that Prometheus calls experimental: which sample was
 * the first, when was the largest, how far are values from their median.
 */
#include <math.h>
#include <string.h>

#include "promql_range.h"

static int64_t first_ms(const struct promql_window *w, bool *is_float)
{
    bool floats = promql_window_floats(w) > 0;
    bool others = promql_window_histograms(w) > 0;

    *is_float =
        floats && (!others ||
                   w->times[w->first] < w->histogram_times[w->histogram_first]);
    if (*is_float)
        return w->times[w->first];
    return others ? w->histogram_times[w->histogram_first] : 0;
}

static bool is_empty(const struct promql_window *w)
{
    return promql_window_floats(w) + promql_window_histograms(w) == 0;
}

static void first_at(struct promql_window *w)
{
    bool is_float;

    (void)first_ms(w, &is_float);
    if (is_float)
        w->value = w->values[w->first];
    else if (!is_empty(w))
        w->histogram = w->histograms[w->histogram_first];
}

static void time_of_first_at(struct promql_window *w)
{
    bool is_float;

    if (!is_empty(w))
        w->value = (double)first_ms(w, &is_float) / 1000;
}

static void time_of_last_at(struct promql_window *w)
{
    int64_t last = INT64_MIN;

    if (promql_window_floats(w) > 0)
        last = w->times[w->end - 1];
    if (promql_window_histograms(w) > 0 &&
        w->histogram_times[w->histogram_end - 1] > last)
        last = w->histogram_times[w->histogram_end - 1];
    if (!is_empty(w))
        w->value = (double)last / 1000;
}

/* The last one of several that are alike; sign: -1 for the smallest. */
static void time_of_extreme(struct promql_window *w, int sign)
{
    uint32_t at = w->first;

    if (promql_window_floats(w) == 0)
        return;
    if (promql_window_histograms(w) > 0)
        w->notes |= PROMQL_NOTE_IGNORED;
    for (uint32_t i = w->first + 1; i < w->end; i++)
        if (sign * w->values[i] >= sign * w->values[at] || isnan(w->values[at]))
            at = i;
    w->value = (double)w->times[at] / 1000;
}

static void time_of_max_at(struct promql_window *w)
{
    time_of_extreme(w, 1);
}

static void time_of_min_at(struct promql_window *w)
{
    time_of_extreme(w, -1);
}

/* The median of the distances from the median. */
static void mad_at(struct promql_window *w)
{
    uint32_t count = promql_window_floats(w);
    double median;

    if (count == 0)
        return;
    if (promql_window_histograms(w) > 0)
        w->notes |= PROMQL_NOTE_IGNORED;
    memcpy(w->room, w->values + w->first, count * sizeof(*w->room));
    median = promql_quantile_of(0.5, w->room, count);
    for (uint32_t i = 0; i < count; i++)
        w->room[i] = fabs(w->values[w->first + i] - median);
    w->value = promql_quantile_of(0.5, w->room, count);
}

const struct promql_range_function promql_first_over_time = {
    .at = first_at, .keeps_name = true, .quick = true};
const struct promql_range_function promql_ts_of_first_over_time = {
    .at = time_of_first_at, .quick = true};
const struct promql_range_function promql_ts_of_last_over_time = {
    .at = time_of_last_at, .quick = true};
const struct promql_range_function promql_ts_of_max_over_time = {
    .at = time_of_max_at};
const struct promql_range_function promql_ts_of_min_over_time = {
    .at = time_of_min_at};
const struct promql_range_function promql_mad_over_time = {.at = mad_at,
                                                           .room = true};
