/*
 * promql_handlers - the handlers that the table of functions names, ranges
 * excepted (promql_range.h).
 */
#ifndef PROMQL_HANDLERS_H
#define PROMQL_HANDLERS_H

#include "promql_functions.h"

/* promql_math.c */
promql_sample_function promql_abs, promql_ceil, promql_floor, promql_exp,
    promql_ln, promql_log2, promql_log10, promql_sqrt, promql_sin, promql_cos,
    promql_tan, promql_asin, promql_acos, promql_atan, promql_sinh, promql_cosh,
    promql_tanh, promql_asinh, promql_acosh, promql_atanh, promql_deg,
    promql_rad, promql_sgn, promql_round, promql_clamp, promql_clamp_min,
    promql_clamp_max;

/* promql_date.c */
promql_sample_function promql_minute, promql_hour, promql_day_of_week,
    promql_day_of_month, promql_day_of_year, promql_days_in_month, promql_month,
    promql_year;

/* promql_scalar.c */
promql_call_function promql_call_time, promql_call_pi, promql_call_vector,
    promql_call_scalar, promql_call_timestamp, promql_call_absent;

/* promql_label.c */
promql_call_function promql_call_label_replace, promql_call_label_join;

/* promql_sort.c */
promql_call_function promql_call_sort, promql_call_sort_desc,
    promql_call_sort_by_label, promql_call_sort_by_label_desc;

/* promql_hist_native.c */
promql_call_function promql_call_histogram_avg, promql_call_histogram_count,
    promql_call_histogram_sum, promql_call_histogram_stddev,
    promql_call_histogram_stdvar;

/* promql_quantile.c */
promql_call_function promql_call_histogram_quantile,
    promql_call_histogram_fraction;

#endif
