/*
 * promql_range - functions of the samples in a window: rate, max_over_time.
 *
 * The evaluator moves the window over a series, step by step, and calls the
 * function at each. Its rows in the table of functions are the constants below.
 */
#ifndef PROMQL_RANGE_H
#define PROMQL_RANGE_H

#include "promql_functions.h"

/* What a function noticed about a series; told once, as annotations. */
enum promql_note {
    PROMQL_NOTE_FLOATS = 1 << 0,   /* it used floats */
    PROMQL_NOTE_MIXED = 1 << 1,    /* floats and histograms in one window */
    PROMQL_NOTE_IGNORED = 1 << 2,  /* histograms beside floats, left out */
    PROMQL_NOTE_LAYOUTS = 1 << 3,  /* exponential and custom buckets */
    PROMQL_NOTE_QUANTILE = 1 << 4, /* not between 0 and 1 */
};

/* Where the samples of a window are, and what that makes of their growth. */
struct promql_places {
    int64_t to_start_ms, sampled_ms;
    uint32_t intervals; /* 0: not known */
    double factor;
};

struct promql_window {
    /* The floats of the series; those in the window are [first, end). */
    const int64_t *times;
    const double *values;
    uint32_t first, end;
    /* Those of them, behind `first` and before `end`, where the counter began
     * again; with promql_range_function.resets only. */
    const uint32_t *resets;
    uint32_t reset_count;
    /* The same of its histograms. */
    const int64_t *histogram_times;
    const struct promql_histogram *const *histograms;
    uint32_t histogram_first, histogram_end;
    const uint32_t *histogram_resets;
    uint32_t histogram_reset_count;

    int64_t start_ms, end_ms; /* (start, end] */
    int64_t now_ms;           /* of the step, whatever offset and @ say */
    double range_s;
    const double *args;  /* the scalar arguments at this step, in order */
    double *room;        /* of promql_range_function.room: for all floats */
    struct arena *arena; /* of the series: for a histogram */
    struct promql_places places; /* kept by the function: of a window before */

    /* The result: promql_absent() and NULL before the call. */
    double value;
    const struct promql_histogram *histogram;
    uint32_t notes;    /* or'ed */
    double quantile;   /* of PROMQL_NOTE_QUANTILE */
    const char *error; /* ends the query, with ", got: " and error_value */
    double error_value;
};

struct promql_walk;

struct promql_range_function {
    void (*at)(struct promql_window *window);
    /* All steps of a series of floats: promql_walk() with `at`, inline. NULL:
     * it is called. */
    bool (*walk)(struct promql_walk *walk);
    bool keeps_name;
    bool resets;  /* wants to know resets */
    bool room;    /* wants room */
    bool counter; /* the name should say that it is one: rate, increase */
    bool quick;   /* its work does not grow with the samples in the window */
};

extern const struct promql_range_function promql_rate, promql_increase,
    promql_delta, promql_irate, promql_idelta, promql_changes, promql_resets,
    promql_deriv, promql_predict_linear, promql_smoothing;
extern const struct promql_range_function promql_sum_over_time,
    promql_avg_over_time, promql_min_over_time, promql_max_over_time,
    promql_count_over_time, promql_stddev_over_time, promql_stdvar_over_time,
    promql_last_over_time, promql_present_over_time, promql_quantile_over_time;
extern const struct promql_range_function promql_first_over_time,
    promql_ts_of_first_over_time, promql_ts_of_last_over_time,
    promql_ts_of_max_over_time, promql_ts_of_min_over_time,
    promql_mad_over_time;

/* The q-quantile of at least one value; sorts them. */
double promql_quantile_of(double q, double *values, uint32_t count);

static inline uint32_t promql_window_floats(const struct promql_window *w)
{
    return w->end - w->first;
}
static inline uint32_t promql_window_histograms(const struct promql_window *w)
{
    return w->histogram_end - w->histogram_first;
}

/* Floats and histograms in one window, which the function cannot use. */
static inline bool promql_window_is_mixed(struct promql_window *w)
{
    if (promql_window_floats(w) == 0 || promql_window_histograms(w) == 0)
        return false;
    w->notes |= PROMQL_NOTE_MIXED;
    return true;
}

#endif
