/*
 * The functions of PromQL, by name, experimental ones of Prometheus included.
 * Those that are missing are known by name, for the message.
 */
#include "promql_handlers.h"

#include "promql_eval.h"
#include "promql_range.h"

#define S            PROMQL_SCALAR
#define T            PROMQL_STRING
#define V            PROMQL_VECTOR
#define M            PROMQL_MATRIX
#define SAMPLE(name) .sample = promql_##name
#define RANGE(name)  .range = &promql_##name
#define CALL(name)   .call = promql_call_##name

/* clang-format off */
static const struct promql_function functions[] = {
    /* name           returns, types, variadic */
    {"abs",                V, 1, {V},             0, SAMPLE(abs)},
    {"absent",             V, 1, {V},             0, CALL(absent)},
    {"absent_over_time",   V, 1, {M},             0, .call = promql_absent_over_time},
    {"acos",               V, 1, {V},             0, SAMPLE(acos)},
    {"acosh",              V, 1, {V},             0, SAMPLE(acosh)},
    {"asin",               V, 1, {V},             0, SAMPLE(asin)},
    {"asinh",              V, 1, {V},             0, SAMPLE(asinh)},
    {"atan",               V, 1, {V},             0, SAMPLE(atan)},
    {"atanh",              V, 1, {V},             0, SAMPLE(atanh)},
    {"avg_over_time",      V, 1, {M},             0, RANGE(avg_over_time)},
    {"ceil",               V, 1, {V},             0, SAMPLE(ceil)},
    {"changes",            V, 1, {M},             0, RANGE(changes)},
    {"clamp",              V, 3, {V, S, S},       0, SAMPLE(clamp)},
    {"clamp_max",          V, 2, {V, S},          0, SAMPLE(clamp_max)},
    {"clamp_min",          V, 2, {V, S},          0, SAMPLE(clamp_min)},
    {"cos",                V, 1, {V},             0, SAMPLE(cos)},
    {"cosh",               V, 1, {V},             0, SAMPLE(cosh)},
    {"count_over_time",    V, 1, {M},             0, RANGE(count_over_time)},
    {"day_of_month",       V, 1, {V},             1, SAMPLE(day_of_month)},
    {"day_of_week",        V, 1, {V},             1, SAMPLE(day_of_week)},
    {"day_of_year",        V, 1, {V},             1, SAMPLE(day_of_year)},
    {"days_in_month",      V, 1, {V},             1, SAMPLE(days_in_month)},
    {"deg",                V, 1, {V},             0, SAMPLE(deg)},
    {"delta",              V, 1, {M},             0, RANGE(delta)},
    {"deriv",              V, 1, {M},             0, RANGE(deriv)},
    {"double_exponential_smoothing", V, 3, {M, S, S}, 0, RANGE(smoothing)},
    {"exp",                V, 1, {V},             0, SAMPLE(exp)},
    {"first_over_time",    V, 1, {M},             0, RANGE(first_over_time)},
    {"floor",              V, 1, {V},             0, SAMPLE(floor)},
    {"histogram_avg",      V, 1, {V},             0, CALL(histogram_avg)},
    {"histogram_count",    V, 1, {V},             0, CALL(histogram_count)},
    {"histogram_fraction", V, 3, {S, S, V},       0, CALL(histogram_fraction)},
    {"histogram_quantile", V, 2, {S, V},          0, CALL(histogram_quantile)},
    {"histogram_stddev",   V, 1, {V},             0, CALL(histogram_stddev)},
    {"histogram_stdvar",   V, 1, {V},             0, CALL(histogram_stdvar)},
    {"histogram_sum",      V, 1, {V},             0, CALL(histogram_sum)},
    {"holt_winters",       V, 3, {M, S, S},       0, RANGE(smoothing)},
    {"hour",               V, 1, {V},             1, SAMPLE(hour)},
    {"idelta",             V, 1, {M},             0, RANGE(idelta)},
    {"increase",           V, 1, {M},             0, RANGE(increase)},
    {"irate",              V, 1, {M},             0, RANGE(irate)},
    {"label_join",         V, 4, {V, T, T, T}, PROMQL_ANY_NUMBER, CALL(label_join)},
    {"label_replace",      V, 5, {V, T, T, T, T}, 0, CALL(label_replace)},
    {"last_over_time",     V, 1, {M},             0, RANGE(last_over_time)},
    {"ln",                 V, 1, {V},             0, SAMPLE(ln)},
    {"log10",              V, 1, {V},             0, SAMPLE(log10)},
    {"log2",               V, 1, {V},             0, SAMPLE(log2)},
    {"mad_over_time",      V, 1, {M},             0, RANGE(mad_over_time)},
    {"max_over_time",      V, 1, {M},             0, RANGE(max_over_time)},
    {"min_over_time",      V, 1, {M},             0, RANGE(min_over_time)},
    {"minute",             V, 1, {V},             1, SAMPLE(minute)},
    {"month",              V, 1, {V},             1, SAMPLE(month)},
    {"pi",                 S, 0, {0},             0, CALL(pi)},
    {"predict_linear",     V, 2, {M, S},          0, RANGE(predict_linear)},
    {"present_over_time",  V, 1, {M},             0, RANGE(present_over_time)},
    {"quantile_over_time", V, 2, {S, M},          0, RANGE(quantile_over_time)},
    {"rad",                V, 1, {V},             0, SAMPLE(rad)},
    {"rate",               V, 1, {M},             0, RANGE(rate)},
    {"resets",             V, 1, {M},             0, RANGE(resets)},
    {"round",              V, 2, {V, S},          1, SAMPLE(round)},
    {"scalar",             S, 1, {V},             0, CALL(scalar)},
    {"sgn",                V, 1, {V},             0, SAMPLE(sgn)},
    {"sin",                V, 1, {V},             0, SAMPLE(sin)},
    {"sinh",               V, 1, {V},             0, SAMPLE(sinh)},
    {"sort",               V, 1, {V},             0, CALL(sort)},
    {"sort_by_label",      V, 2, {V, T}, PROMQL_ANY_NUMBER, CALL(sort_by_label)},
    {"sort_by_label_desc", V, 2, {V, T}, PROMQL_ANY_NUMBER, CALL(sort_by_label_desc)},
    {"sort_desc",          V, 1, {V},             0, CALL(sort_desc)},
    {"sqrt",               V, 1, {V},             0, SAMPLE(sqrt)},
    {"stddev_over_time",   V, 1, {M},             0, RANGE(stddev_over_time)},
    {"stdvar_over_time",   V, 1, {M},             0, RANGE(stdvar_over_time)},
    {"sum_over_time",      V, 1, {M},             0, RANGE(sum_over_time)},
    {"tan",                V, 1, {V},             0, SAMPLE(tan)},
    {"tanh",               V, 1, {V},             0, SAMPLE(tanh)},
    {"time",               S, 0, {0},             0, CALL(time)},
    {"timestamp",          V, 1, {V},             0, CALL(timestamp)},
    {"ts_of_first_over_time", V, 1, {M}, 0, RANGE(ts_of_first_over_time)},
    {"ts_of_last_over_time", V, 1, {M}, 0, RANGE(ts_of_last_over_time)},
    {"ts_of_max_over_time", V, 1, {M}, 0, RANGE(ts_of_max_over_time)},
    {"ts_of_min_over_time", V, 1, {M}, 0, RANGE(ts_of_min_over_time)},
    {"vector",             V, 1, {S},             0, CALL(vector)},
    {"year",               V, 1, {V},             1, SAMPLE(year)},
};
/* clang-format on */
enum { FUNCTIONS = sizeof(functions) / sizeof(*functions) };

const struct promql_function *promql_function_find(struct slice name)
{
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (slice_equal(name, slice_of(functions[i].name)))
            return &functions[i];
    return NULL;
}

bool promql_function_is_known(struct slice name)
{
    static const char *const others[] = {
        "histogram_quantiles",
        "info",
        "start_timestamp",
    };

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (slice_equal(name, slice_of(others[i])))
            return true;
    return false;
}
