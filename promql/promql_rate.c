/*
 * How much a counter or a gauge grew: rate, increase, delta, irate, idelta; how
 * often it changed or began again: changes, resets.
 *
 * Samples rarely lie at the ends of the window, so what they show is
 * extrapolated to them, as Prometheus does: by up to 1.1 mean distances of
 * samples all the way, otherwise by half a distance; and a counter never
 * further back than to where it would be 0. The work per step does not depend
 * on the number of samples but on that of resets.
 */
#include <math.h>

#include "promql_histogram.h"
#include "promql_walk.h"

/* By what the growth between the first and the last sample is multiplied.
 * zero_at: how far before the first sample the counter was 0, in times of the
 * distance between the first and the last; infinite: not known. */
static double extrapolation(const struct promql_window *w, int64_t first_ms,
                            int64_t last_ms, uint32_t intervals, double zero_at)
{
    double to_start = (double)(first_ms - w->start_ms) / 1000;
    double to_end = (double)(w->end_ms - last_ms) / 1000;
    double sampled = (double)(last_ms - first_ms) / 1000;
    double mean = sampled / intervals;
    double threshold = mean * 1.1;

    if (to_start >= threshold)
        to_start = mean / 2;
    if (zero_at * sampled < to_start)
        to_start = zero_at * sampled;
    if (to_end >= threshold)
        to_end = mean / 2;
    return (sampled + to_start + to_end) / sampled;
}

static double zero_point(double first, double growth)
{
    return growth > 0 && first >= 0 ? first / growth : (double)INFINITY;
}

static void histogram_growth(struct promql_window *w, bool is_counter,
                             double divisor)
{
    uint32_t first = w->histogram_first, last = w->histogram_end - 1, i = 0;
    const struct promql_histogram *const *h = w->histograms;
    const uint32_t *resets = w->histogram_resets;
    uint32_t reset_count = is_counter ? w->histogram_reset_count : 0;
    struct promql_total *grown;
    bool fits = true;
    double zero_at = (double)INFINITY;

    /* After a reset at the second sample the first one tells nothing. */
    if (reset_count > 0 && resets[0] == first + 1) {
        grown = promql_total_new(w->arena, h[last]);
        i++;
    } else {
        grown = promql_total_of(w->arena, h[last], h[first], -1);
    }
    for (; grown && fits && i < reset_count; i++)
        fits = promql_total_add(grown, w->arena, h[resets[i] - 1]);
    if (!grown || !fits) {
        w->notes |= PROMQL_NOTE_LAYOUTS;
        return;
    }
    if (is_counter)
        zero_at = zero_point(h[first]->count, grown->sum.count);
    promql_total_scale(grown,
                       extrapolation(w, w->histogram_times[first],
                                     w->histogram_times[last], last - first,
                                     zero_at),
                       divisor);
    w->histogram = &grown->sum;
}

/* extrapolation() over `divisor`. Most windows of a series have their samples
 * at the same places, and a counter that was not 0 lately: then it is that of
 * the window before. */
static double float_factor(struct promql_window *w, bool is_counter,
                           double first, double growth, double divisor)
{
    int64_t first_ms = w->times[w->first], last_ms = w->times[w->end - 1];
    uint32_t intervals = w->end - 1 - w->first;
    struct promql_places places = {first_ms - w->start_ms, last_ms - first_ms,
                                   intervals, 0};

    /* Samples are at most as far from the start as the window is long. */
    if (is_counter &&
        !(first * (double)places.sampled_ms > growth * w->range_s * 1001))
        return extrapolation(w, first_ms, last_ms, intervals,
                             zero_point(first, growth)) /
               divisor;
    if (places.to_start_ms != w->places.to_start_ms ||
        places.sampled_ms != w->places.sampled_ms ||
        places.intervals != w->places.intervals) {
        places.factor =
            extrapolation(w, first_ms, last_ms, intervals, (double)INFINITY) /
            divisor;
        w->places = places;
    }
    return w->places.factor;
}

static inline void growth(struct promql_window *w, bool is_counter,
                          double divisor)
{
    uint32_t last = w->end - 1;
    double first, grown;

    if (w->histogram_end > w->histogram_first) {
        if (!promql_window_is_mixed(w) && promql_window_histograms(w) > 1)
            histogram_growth(w, is_counter, divisor);
        return;
    }
    if (promql_window_floats(w) < 2)
        return;
    first = w->values[w->first];
    grown = w->values[last] - first;
    if (is_counter)
        for (uint32_t i = 0; i < w->reset_count; i++)
            grown += w->values[w->resets[i] - 1];
    w->notes |= PROMQL_NOTE_FLOATS;
    w->value = grown * float_factor(w, is_counter, first, grown, divisor);
}

static void rate_at(struct promql_window *w)
{
    growth(w, true, w->range_s);
}

static bool rate_walk(struct promql_walk *walk)
{
    return promql_walk(walk, rate_at);
}

static void increase_at(struct promql_window *w)
{
    growth(w, true, 1);
}

static bool increase_walk(struct promql_walk *walk)
{
    return promql_walk(walk, increase_at);
}

static void delta_at(struct promql_window *w)
{
    growth(w, false, 1);
}

/* ---- of the last two samples ---- */

static void last_histograms(struct promql_window *w, bool is_rate)
{
    uint32_t last = w->histogram_end - 1;
    const struct promql_histogram *const *h = w->histograms;
    bool reset = is_rate && w->histogram_reset_count > 0 &&
                 w->histogram_resets[w->histogram_reset_count - 1] == last;
    double seconds =
        (double)(w->histogram_times[last] - w->histogram_times[last - 1]) /
        1000;

    w->histogram =
        reset ? h[last]
              : promql_histogram_sum(w->arena, h[last], h[last - 1], -1);
    if (!w->histogram)
        w->notes |= PROMQL_NOTE_LAYOUTS;
    else if (is_rate)
        w->histogram = promql_histogram_over(w->arena, w->histogram, seconds);
}

static void last_growth(struct promql_window *w, bool is_rate)
{
    uint32_t last = w->end - 1;
    bool reset;

    if (w->histogram_end > w->histogram_first) {
        if (!promql_window_is_mixed(w) && promql_window_histograms(w) > 1)
            last_histograms(w, is_rate);
        return;
    }
    if (promql_window_floats(w) < 2)
        return;
    reset =
        is_rate && w->reset_count > 0 && w->resets[w->reset_count - 1] == last;
    w->value = w->values[last] - (reset ? 0 : w->values[last - 1]);
    w->notes |= PROMQL_NOTE_FLOATS;
    if (is_rate)
        w->value /= (double)(w->times[last] - w->times[last - 1]) / 1000;
}

static void irate_at(struct promql_window *w)
{
    last_growth(w, true);
}

static void idelta_at(struct promql_window *w)
{
    last_growth(w, false);
}

/* ---- how often ---- */

/* Visits the samples of the window by time, floats and histograms; counts the
 * pairs of neighbours that differ. */
static bool differs(const struct promql_window *w, uint32_t f, uint32_t h,
                    bool was_float, bool is_float)
{
    double a, b;

    if (was_float != is_float)
        return true;
    if (!is_float)
        return !promql_histogram_equal(w->histograms[h - 1], w->histograms[h]);
    a = w->values[f - 1];
    b = w->values[f];
    return a != b && !(isnan(a) && isnan(b));
}

static void changes_at(struct promql_window *w)
{
    uint32_t f = w->first, h = w->histogram_first, changes = 0;
    bool was_float = false, any = false;

    while (f < w->end || h < w->histogram_end) {
        bool is_float = h == w->histogram_end ||
                        (f < w->end && w->times[f] <= w->histogram_times[h]);

        if (any && differs(w, f, h, was_float, is_float))
            changes++;
        *(is_float ? &f : &h) += 1;
        was_float = is_float;
        any = true;
    }
    if (any)
        w->value = changes;
}

/* A counter that becomes a histogram, or the other way, begins again. */
static uint32_t kind_changes(const struct promql_window *w)
{
    uint32_t f = w->first, h = w->histogram_first, changes = 0;
    bool is_float = f < w->end && (h == w->histogram_end ||
                                   w->times[f] <= w->histogram_times[h]);

    while (f < w->end && h < w->histogram_end) {
        bool next = w->times[f] <= w->histogram_times[h];

        changes += next != is_float;
        is_float = next;
        *(is_float ? &f : &h) += 1;
    }
    if ((f < w->end && !is_float) || (h < w->histogram_end && is_float))
        changes++;
    return changes;
}

static void resets_at(struct promql_window *w)
{
    uint32_t floats = promql_window_floats(w);
    uint32_t histograms = promql_window_histograms(w);

    if (floats + histograms == 0)
        return;
    w->value = w->reset_count + w->histogram_reset_count;
    if (floats > 0 && histograms > 0)
        w->value += kind_changes(w);
}

const struct promql_range_function promql_rate = {.quick = true,
                                                  .at = rate_at,
                                                  .walk = rate_walk,
                                                  .resets = true,
                                                  .counter = true};
const struct promql_range_function promql_increase = {.quick = true,
                                                      .at = increase_at,
                                                      .walk = increase_walk,
                                                      .resets = true,
                                                      .counter = true};
const struct promql_range_function promql_delta = {.quick = true,
                                                   .at = delta_at};
const struct promql_range_function promql_irate = {
    .quick = true, .at = irate_at, .resets = true};
const struct promql_range_function promql_idelta = {.quick = true,
                                                    .at = idelta_at};
const struct promql_range_function promql_changes = {.at = changes_at};
const struct promql_range_function promql_resets = {
    .quick = true, .at = resets_at, .resets = true};
