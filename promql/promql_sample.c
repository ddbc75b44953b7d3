/*
 * Functions of one float, and of scalars: abs, clamp_max, hour. They drop
 * histograms and the name.
 */
#include "promql_eval.h"

struct mapper {
    struct promql_eval *eval;
    promql_sample_function *function;
    const double *args[PROMQL_MAX_SCALARS];
    uint32_t arg_count;
    double *values;
    struct promql_merge *merge; /* NULL: none is needed */
    promql_push *push;
    void *arg;
};

static enum status mapper_take(void *arg,
                               const struct promql_result_series *series)
{
    struct mapper *mapper = arg;
    struct promql_eval *eval = mapper->eval;
    double *values = series->values == eval->run->staying ? eval->run->staying
                                                          : mapper->values;
    struct promql_result_series out = {.values = values};
    double args[PROMQL_MAX_SCALARS];

    for (uint32_t i = 0; i < eval->steps.count; i++) {
        double v = series->values[i];

        if (series->histograms && series->histograms[i])
            v = promql_absent();
        if (!promql_is_absent(v)) {
            for (uint32_t a = 0; a < mapper->arg_count; a++)
                args[a] = mapper->args[a][i];
            v = mapper->function(v, args, mapper->arg_count);
        }
        values[i] = v;
    }
    if (!promql_any(eval, &out))
        return OK;
    out.labels = promql_labels_nameless(eval->run->arena, &series->labels);
    if (arena_status(eval->run->arena) != OK)
        return promql_full(eval);
    return mapper->merge
               ? promql_merge_add(mapper->merge, &out, PROMQL_SAME_LABELS)
               : mapper->push(mapper->arg, &out);
}

/* Of no argument, as in hour(): of the time of each step. */
static enum status map_times(struct mapper *mapper)
{
    const struct promql_steps *steps = &mapper->eval->steps;
    double *times = promql_new_values(mapper->eval);
    struct promql_result_series now = {.values = times};

    if (!times)
        return promql_full(mapper->eval);
    for (uint32_t i = 0; i < steps->count; i++)
        times[i] = (double)(steps->start_ms + i * steps->step_ms) / 1000;
    return mapper_take(mapper, &now);
}

enum status promql_eval_sample(struct promql_eval *eval,
                               const struct promql_node *node,
                               promql_push *push, void *arg)
{
    const struct promql_call *call = &node->u.call;
    struct mapper mapper = {
        .eval = eval,
        .function = call->function->sample,
        .values = promql_new_values(eval),
        .push = push,
        .arg = arg,
    };
    struct promql_merge merge;
    enum status s = OK;

    if (!mapper.values)
        return promql_full(eval);
    for (uint32_t i = 1; i < call->arg_count; i++) {
        mapper.args[mapper.arg_count] =
            promql_eval_scalar(eval, call->args[i], &s);
        if (!mapper.args[mapper.arg_count++])
            return s;
    }
    if (call->arg_count == 0)
        return map_times(&mapper);
    if (promql_may_differ_by_name(call->args[0])) {
        promql_merge_init(&merge, eval);
        mapper.merge = &merge;
    }
    s = promql_eval_node(eval, call->args[0], mapper_take, &mapper);
    return s == OK && mapper.merge ? promql_merge_push(&merge, push, arg) : s;
}
