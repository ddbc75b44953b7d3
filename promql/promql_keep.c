/*
 * Series that are kept beyond the call that pushes them, and sets of labels.
 */
#include <string.h>

#include "array.h"
#include "promql_eval.h"
#include "promql_histogram.h"
#include "promql_range.h"

bool promql_any(const struct promql_eval *eval,
                const struct promql_result_series *series)
{
    for (uint32_t i = 0; i < eval->steps.count; i++)
        if (promql_has(series, i))
            return true;
    return false;
}

static bool keep_histograms(struct promql_eval *eval,
                            const struct promql_result_series *series,
                            struct promql_kept *kept)
{
    struct arena *arena = eval->run->arena;

    kept->histograms =
        arena_zero(arena, eval->steps.count, sizeof(*kept->histograms));
    if (!kept->histograms)
        return false;
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        if (!series->histograms[i])
            continue;
        kept->histograms[i] =
            promql_histogram_copy(arena, series->histograms[i]);
        if (!kept->histograms[i])
            return false;
    }
    return true;
}

bool promql_keep(struct promql_eval *eval,
                 const struct promql_result_series *series,
                 struct promql_kept *kept)
{
    struct promql_run *run = eval->run;

    *kept = (struct promql_kept){0};
    kept->labels = promql_labels_copy(run->arena, &series->labels);
    if (series->values == run->staying) {
        kept->values = run->staying;
    } else {
        kept->values = promql_new_values(eval);
        if (!kept->values)
            return false;
        memcpy(kept->values, series->values,
               eval->steps.count * sizeof(*kept->values));
    }
    if (series->histograms && series->histograms == run->staying_histograms)
        kept->histograms = run->staying_histograms;
    else if (series->histograms && !keep_histograms(eval, series, kept))
        return false;
    return arena_status(run->arena) == OK;
}

enum status promql_push_kept(struct promql_eval *eval,
                             const struct promql_kept *kept, promql_push *push,
                             void *arg)
{
    struct promql_run *run = eval->run;
    const struct promql_result_series series = {kept->labels, kept->values,
                                                kept->histograms};
    enum status s;

    run->staying = kept->values;
    run->staying_histograms = kept->histograms;
    s = push(arg, &series);
    run->staying = NULL;
    run->staying_histograms = NULL;
    return s;
}

/* ---- merging ---- */

void promql_merge_init(struct promql_merge *merge, struct promql_eval *eval)
{
    *merge = (struct promql_merge){.eval = eval};
    merge->index.arena = eval->run->arena;
}

/* The entry gets the samples of the series, where it has none. */
static enum status merge_into(struct promql_merge *merge,
                              struct promql_kept *kept,
                              const struct promql_result_series *series,
                              const char *message)
{
    struct promql_eval *eval = merge->eval;
    struct arena *arena = eval->run->arena;

    if (series->histograms && !kept->histograms)
        kept->histograms =
            arena_zero(arena, eval->steps.count, sizeof(*kept->histograms));
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        const struct promql_result_series now = {kept->labels, kept->values,
                                                 kept->histograms};

        if (!promql_has(series, i))
            continue;
        if (promql_has(&now, i))
            return promql_fail(eval, "%s", message);
        kept->values[i] = series->values[i];
        if (series->histograms && series->histograms[i] && kept->histograms)
            kept->histograms[i] =
                promql_histogram_copy(arena, series->histograms[i]);
    }
    return promql_full(eval);
}

enum status promql_merge_new(struct promql_merge *merge,
                             const struct promql_result_series *series,
                             uint32_t hash, struct promql_kept **kept)
{
    *kept = arena_append(merge->eval->run->arena, &merge->at, merge->count,
                         &merge->room);
    if (!*kept || !promql_keep(merge->eval, series, *kept) ||
        !map_add(&merge->index, hash, merge->count))
        return promql_full(merge->eval);
    merge->count++;
    return OK;
}

enum status promql_merge_add(struct promql_merge *merge,
                             const struct promql_result_series *series,
                             const char *message)
{
    uint32_t hash = map_hash(promql_labels_hash(&series->labels));
    struct promql_kept *kept;

    map_each(&merge->index, hash, at)
        if (promql_labels_equal(&merge->at[at].labels, &series->labels))
            return merge_into(merge, &merge->at[at], series, message);
    if (!promql_any(merge->eval, series))
        return OK;
    return promql_merge_new(merge, series, hash, &kept);
}

enum status promql_merge_push(struct promql_merge *merge, promql_push *push,
                              void *arg)
{
    enum status s = OK;

    for (uint32_t i = 0; s == OK && i < merge->count; i++)
        s = promql_push_kept(merge->eval, &merge->at[i], push, arg);
    return s;
}

/* ---- sets of labels that were there ---- */

enum status promql_seen_add(struct promql_eval *eval, struct promql_seen *seen,
                            const struct promql_labels *labels)
{
    uint64_t whole = promql_labels_hash(labels), *added;
    uint32_t hash = map_hash(whole);

    map_each(&seen->index, hash, at)
        if (seen->hashes[at] == whole)
            return promql_fail(eval, PROMQL_SAME_LABELS);
    added =
        arena_append(eval->run->arena, &seen->hashes, seen->count, &seen->room);
    if (!added)
        return promql_full(eval);
    *added = whole;
    return map_add(&seen->index, hash, seen->count++) ? OK : promql_full(eval);
}

static bool call_may(const struct promql_call *call)
{
    if (call->function->call)
        return true; /* it may set the name */
    for (uint32_t i = 0; call->function->range && i < call->arg_count; i++)
        if (call->function->range->keeps_name &&
            promql_may_differ_by_name(call->args[i]))
            return true;
    return false;
}

static bool aggregate_may(const struct promql_aggregate *aggregate)
{
    const struct promql_names names = {aggregate->labels,
                                       aggregate->label_count};

    if (aggregate->op == PROMQL_TOPK || aggregate->op == PROMQL_BOTTOMK)
        return promql_may_differ_by_name(aggregate->of);
    return aggregate->op == PROMQL_COUNT_VALUES ||
           (!aggregate->without && promql_names_have(&names, PROMQL_NAME));
}

static bool selector_may(const struct promql_selector *selector)
{
    for (uint32_t i = 0; i < selector->matcher_count; i++)
        if (selector->matchers[i].op == PROMQL_EQUAL &&
            slice_equal(selector->matchers[i].name, PROMQL_NAME))
            return false;
    return true;
}

bool promql_may_differ_by_name(const struct promql_node *node)
{
    node = promql_unparen(node);
    switch (node->kind) {
    case PROMQL_SELECTOR:
        return selector_may(&node->u.selector);
    case PROMQL_RANGE:
        return promql_may_differ_by_name(node->u.range.selector);
    case PROMQL_SUBQUERY:
        return promql_may_differ_by_name(node->u.subquery.of);
    case PROMQL_CALL:
        return call_may(&node->u.call);
    case PROMQL_BINARY:
        if (node->u.binary.op == PROMQL_OR)
            return true;
        return (promql_is_set_op(node->u.binary.op) ||
                (promql_is_comparison(node->u.binary.op) &&
                 !node->u.binary.returns_bool)) &&
               (promql_may_differ_by_name(node->u.binary.left) ||
                promql_may_differ_by_name(node->u.binary.right));
    case PROMQL_AGGREGATE:
        return aggregate_may(&node->u.aggregate);
    case PROMQL_NUMBER:
    case PROMQL_TEXT:
    case PROMQL_MINUS:
    case PROMQL_PAREN:
        break;
    }
    return false;
}
