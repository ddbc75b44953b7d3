/* Between scalars and vectors: scalar, vector, time, pi, timestamp; and
 * absent. */
#include <math.h>

#include "promql_eval.h"
#include "promql_handlers.h"

static enum status push_values(const struct promql_eval *eval, double *values,
                               promql_push *push, void *arg)
{
    const struct promql_result_series series = {.values = values};

    return values ? push(arg, &series) : promql_full(eval);
}

static double seconds_at(const struct promql_eval *eval, uint32_t step)
{
    return (double)(eval->steps.start_ms + step * eval->steps.step_ms) / 1000;
}

enum status promql_call_time(struct promql_eval *eval,
                             const struct promql_node *call, promql_push *push,
                             void *arg)
{
    double *values = promql_new_values(eval);

    (void)call;
    for (uint32_t i = 0; values && i < eval->steps.count; i++)
        values[i] = seconds_at(eval, i);
    return push_values(eval, values, push, arg);
}

enum status promql_call_pi(struct promql_eval *eval,
                           const struct promql_node *call, promql_push *push,
                           void *arg)
{
    double *values = promql_new_values(eval);

    (void)call;
    for (uint32_t i = 0; values && i < eval->steps.count; i++)
        values[i] = 3.14159265358979323846;
    return push_values(eval, values, push, arg);
}

/* A scalar is a series without labels already. */
enum status promql_call_vector(struct promql_eval *eval,
                               const struct promql_node *call,
                               promql_push *push, void *arg)
{
    return promql_eval_node(eval, call->u.call.args[0], push, arg);
}

/* ---- scalar: the only float of a step, else NaN ---- */

struct single {
    struct promql_eval *eval;
    double *values;
    bool *several;
};

static enum status single_take(void *arg,
                               const struct promql_result_series *series)
{
    struct single *single = arg;

    for (uint32_t i = 0; i < single->eval->steps.count; i++) {
        if (promql_is_absent(series->values[i]) ||
            (series->histograms && series->histograms[i]))
            continue;
        single->several[i] = !promql_is_absent(single->values[i]);
        single->values[i] = series->values[i];
    }
    return OK;
}

enum status promql_call_scalar(struct promql_eval *eval,
                               const struct promql_node *call,
                               promql_push *push, void *arg)
{
    struct single single = {eval, promql_absent_values(eval), NULL};
    enum status s;

    single.several = arena_zero(promql_eval_arena(eval), eval->steps.count,
                                sizeof(*single.several));
    if (!single.values || !single.several)
        return promql_full(eval);
    s = promql_eval_node(eval, call->u.call.args[0], single_take, &single);
    for (uint32_t i = 0; i < eval->steps.count; i++)
        if (single.several[i] || promql_is_absent(single.values[i]))
            single.values[i] = (double)NAN;
    return s == OK ? push_values(eval, single.values, push, arg) : s;
}

/* ---- timestamp ---- */

struct stamper {
    struct promql_eval *eval;
    double *values;
    bool of_sample; /* the series has times already */
    struct promql_merge *merge;
    promql_push *push;
    void *arg;
};

static enum status stamper_take(void *arg,
                                const struct promql_result_series *series)
{
    struct stamper *stamper = arg;
    struct promql_eval *eval = stamper->eval;
    struct promql_result_series out = {.values = stamper->values};

    for (uint32_t i = 0; i < eval->steps.count; i++)
        stamper->values[i] = stamper->of_sample      ? series->values[i]
                             : promql_has(series, i) ? seconds_at(eval, i)
                                                     : promql_absent();
    out.labels =
        promql_labels_nameless(promql_eval_arena(eval), &series->labels);
    if (promql_full(eval) != OK)
        return promql_full(eval);
    return stamper->merge
               ? promql_merge_add(stamper->merge, &out, PROMQL_SAME_LABELS)
               : stamper->push(stamper->arg, &out);
}

enum status promql_call_timestamp(struct promql_eval *eval,
                                  const struct promql_node *call,
                                  promql_push *push, void *arg)
{
    const struct promql_node *of = promql_unparen(call->u.call.args[0]);
    struct promql_merge merge;
    struct stamper stamper = {
        .eval = eval,
        .values = promql_new_values(eval),
        .of_sample = of->kind == PROMQL_SELECTOR,
        .merge = promql_may_differ_by_name(of) ? &merge : NULL,
        .push = push,
        .arg = arg,
    };
    enum status s;

    promql_merge_init(&merge, eval);
    if (!stamper.values)
        return promql_full(eval);
    s = stamper.of_sample ? promql_eval_times(eval, of, stamper_take, &stamper)
                          : promql_eval_node(eval, of, stamper_take, &stamper);
    return s == OK && stamper.merge ? promql_merge_push(&merge, push, arg) : s;
}

/* ---- absent: 1 where no series has a sample ---- */

static enum status absence_take(void *arg,
                                const struct promql_result_series *series)
{
    struct single *absence = arg;

    for (uint32_t i = 0; i < absence->eval->steps.count; i++)
        if (promql_has(series, i))
            absence->values[i] = promql_absent();
    return OK;
}

enum status promql_call_absent(struct promql_eval *eval,
                               const struct promql_node *call,
                               promql_push *push, void *arg)
{
    struct single absence = {eval, promql_new_values(eval), NULL};
    struct promql_result_series out = {.values = absence.values};
    enum status s;

    if (!absence.values)
        return promql_full(eval);
    for (uint32_t i = 0; i < eval->steps.count; i++)
        absence.values[i] = 1;
    s = promql_eval_node(eval, call->u.call.args[0], absence_take, &absence);
    if (s != OK || !promql_any(eval, &out))
        return s;
    out.labels =
        promql_absent_labels(promql_eval_arena(eval), call->u.call.args[0]);
    s = promql_full(eval);
    return s == OK ? push(arg, &out) : s;
}
