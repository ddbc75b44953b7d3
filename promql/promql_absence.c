/*
 * absent_over_time: 1 where no series has a sample in its window.
 */
#include "promql_eval.h"
#include "promql_range.h"

struct absence {
    struct promql_eval *eval;
    double *values;
};

static enum status absence_take(void *arg,
                                const struct promql_result_series *series)
{
    struct absence *absence = arg;

    for (uint32_t i = 0; i < absence->eval->steps.count; i++)
        if (promql_has(series, i))
            absence->values[i] = promql_absent();
    return OK;
}

struct promql_labels promql_absent_labels(struct arena *arena,
                                          const struct promql_node *node)
{
    struct promql_labels labels = {0};
    const struct promql_selector *selector;

    node = promql_unparen(node);
    if (node->kind == PROMQL_RANGE)
        node = node->u.range.selector;
    if (node->kind != PROMQL_SELECTOR)
        return labels;
    selector = &node->u.selector;
    for (uint32_t i = 0; i < selector->matcher_count; i++) {
        const struct promql_matcher *matcher = &selector->matchers[i];
        bool again = false; /* there were two, so none is sure */

        for (uint32_t k = 0; k < i; k++)
            again |= selector->matchers[k].op == PROMQL_EQUAL &&
                     slice_equal(selector->matchers[k].name, matcher->name);
        if (!slice_equal(matcher->name, PROMQL_NAME))
            labels = promql_labels_set(arena, &labels, matcher->name,
                                       matcher->op == PROMQL_EQUAL && !again
                                           ? matcher->value
                                           : (struct slice){0});
    }
    return labels;
}

enum status promql_absent_over_time(struct promql_eval *eval,
                                    const struct promql_node *call,
                                    promql_push *push, void *push_arg)
{
    struct absence absence = {eval, promql_new_values(eval)};
    struct promql_result_series out = {.values = absence.values};
    struct promql_range_function present = promql_present_over_time;
    struct promql_function function = *call->u.call.function;
    struct promql_node node = *call;
    enum status s;

    if (!absence.values)
        return promql_full(eval);
    for (uint32_t i = 0; i < eval->steps.count; i++)
        absence.values[i] = 1;
    present.keeps_name = true; /* series need not differ without it */
    function.range = &present;
    node.u.call.function = &function;
    s = promql_eval_range(eval, &node, absence_take, &absence);
    if (s != OK || !promql_any(eval, &out))
        return s;
    out.labels = promql_absent_labels(eval->run->arena, call->u.call.args[0]);
    s = promql_full(eval);
    return s == OK ? push(push_arg, &out) : s;
}
