/* histogram_avg, _count, _sum, _stddev and _stdvar: a number of each native
 * histogram; floats are left out. */
#include <math.h>

#include "promql_eval.h"
#include "promql_handlers.h"
#include "promql_hist_value.h"

typedef double native_value(const struct promql_histogram *h);

struct native_mapper {
    struct promql_eval *eval;
    native_value *value;
    double *values;
    struct promql_merge *merge; /* NULL: none is needed */
    promql_push *push;
    void *arg;
};

static enum status native_take(void *arg,
                               const struct promql_result_series *series)
{
    struct native_mapper *mapper = arg;
    struct promql_eval *eval = mapper->eval;
    struct promql_result_series out = {.values = mapper->values};

    if (!series->histograms)
        return OK;
    for (uint32_t i = 0; i < eval->steps.count; i++)
        mapper->values[i] = series->histograms[i]
                                ? mapper->value(series->histograms[i])
                                : promql_absent();
    if (!promql_any(eval, &out))
        return OK;
    out.labels =
        promql_labels_nameless(promql_eval_arena(eval), &series->labels);
    if (promql_full(eval) != OK)
        return promql_full(eval);
    return mapper->merge
               ? promql_merge_add(mapper->merge, &out, PROMQL_SAME_LABELS)
               : mapper->push(mapper->arg, &out);
}

static enum status map_native(struct promql_eval *eval,
                              const struct promql_node *call,
                              native_value *value, promql_push *push, void *arg)
{
    const struct promql_node *of = call->u.call.args[0];
    struct promql_merge merge;
    struct native_mapper mapper = {
        .eval = eval,
        .value = value,
        .values = promql_new_values(eval),
        .merge = promql_may_differ_by_name(of) ? &merge : NULL,
        .push = push,
        .arg = arg,
    };
    enum status s;

    promql_merge_init(&merge, eval);
    if (!mapper.values)
        return promql_full(eval);
    s = promql_eval_node(eval, of, native_take, &mapper);
    return s == OK && mapper.merge ? promql_merge_push(&merge, push, arg) : s;
}

static double mean_of(const struct promql_histogram *h)
{
    return h->sum / h->count;
}

static double count_of(const struct promql_histogram *h)
{
    return h->count;
}

static double sum_of(const struct promql_histogram *h)
{
    return h->sum;
}

static double deviation_of(const struct promql_histogram *h)
{
    return sqrt(promql_hist_variance(h));
}

#define NATIVE(name, value)                                                  \
    enum status promql_call_histogram_##name(struct promql_eval *eval,       \
                                             const struct promql_node *call, \
                                             promql_push *push, void *arg)   \
    {                                                                        \
        return map_native(eval, call, value, push, arg);                     \
    }

NATIVE(avg, mean_of)
NATIVE(count, count_of)
NATIVE(sum, sum_of)
NATIVE(stddev, deviation_of)
NATIVE(stdvar, promql_hist_variance)
