/*
 * Set operators: and, or, unless. Of the side that is looked up only the steps
 * at which each match group has a sample are kept, one bit each.
 */
#include "promql_match.h"

#include "array.h"

struct presence {
    struct promql_eval *eval;
    struct promql_groups groups;
    uint64_t **bits; /* of each group; NULL: no sample yet */
    uint32_t room;
};

static void presence_init(struct presence *presence, struct promql_eval *eval,
                          const struct promql_binary *binary)
{
    *presence = (struct presence){.eval = eval};
    promql_match_groups(&presence->groups, eval, binary);
}

static enum status presence_add(struct presence *presence,
                                const struct promql_result_series *series)
{
    struct promql_eval *eval = presence->eval;
    struct arena *arena = eval->run->arena;
    uint32_t group = promql_group_of(&presence->groups, &series->labels);
    uint64_t **bits;

    if (group == MAP_NONE)
        return promql_full(eval);
    bits = arena_at(arena, &presence->bits, &presence->room, group);
    if (bits && !*bits)
        *bits =
            arena_zero(arena, (eval->steps.count + 63) / 64, sizeof(**bits));
    if (!bits || !*bits)
        return promql_full(eval);
    for (uint32_t i = 0; i < eval->steps.count; i++)
        if (promql_has(series, i))
            (*bits)[i / 64] |= UINT64_C(1) << (i % 64);
    return OK;
}

struct set_op {
    struct promql_eval *eval;
    struct presence presence;
    enum promql_binary_op op;
    double *values;
    const struct promql_histogram **histograms;
    struct promql_merge merge; /* of `or` */
    promql_push *push;
    void *arg;
};

static enum status take_lookup(void *arg,
                               const struct promql_result_series *series)
{
    struct set_op *set = arg;

    return presence_add(&set->presence, series);
}

/* Keeps the samples at steps where the group is there (want) or not. */
static enum status filter(struct set_op *set,
                          const struct promql_result_series *series, bool want,
                          struct promql_result_series *out)
{
    struct promql_eval *eval = set->eval;
    uint32_t group = promql_group_find(&set->presence.groups, &series->labels);
    const uint64_t *bits = group == MAP_NONE ? NULL : set->presence.bits[group];

    double *values =
        series->values == eval->run->staying && !eval->run->staying_histograms
            ? eval->run->staying
            : set->values;

    *out = (struct promql_result_series){series->labels, values, NULL};
    if (series->histograms) {
        set->histograms = arena_zero(eval->run->arena, eval->steps.count,
                                     sizeof(*set->histograms));
        if (!set->histograms)
            return promql_full(eval);
        out->histograms = set->histograms;
    }
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        bool there = bits && (bits[i / 64] >> (i % 64) & 1);

        values[i] = there == want ? series->values[i] : promql_absent();
        if (series->histograms && there == want)
            set->histograms[i] = series->histograms[i];
    }
    return OK;
}

static enum status take_filtered(void *arg,
                                 const struct promql_result_series *series)
{
    struct set_op *set = arg;
    struct promql_result_series out;
    enum status s = filter(set, series, set->op == PROMQL_AND, &out);

    if (s != OK || !promql_any(set->eval, &out))
        return s;
    return set->push(set->arg, &out);
}

static enum status take_left(void *arg,
                             const struct promql_result_series *series)
{
    struct set_op *set = arg;
    enum status s = presence_add(&set->presence, series);

    return s == OK ? promql_merge_add(&set->merge, series, PROMQL_SAME_LABELS)
                   : s;
}

static enum status take_rest(void *arg,
                             const struct promql_result_series *series)
{
    struct set_op *set = arg;
    struct promql_result_series out;
    enum status s = filter(set, series, false, &out);

    return s == OK ? promql_merge_add(&set->merge, &out, PROMQL_SAME_LABELS)
                   : s;
}

enum status promql_eval_set(struct promql_eval *eval,
                            const struct promql_node *node, promql_push *push,
                            void *arg)
{
    const struct promql_binary *binary = &node->u.binary;
    struct set_op set = {.eval = eval,
                         .op = binary->op,
                         .values = promql_new_values(eval),
                         .push = push,
                         .arg = arg};
    enum status s;

    if (!set.values)
        return promql_full(eval);
    presence_init(&set.presence, eval, binary);
    promql_merge_init(&set.merge, eval);
    if (binary->op != PROMQL_OR) {
        s = promql_eval_node(eval, binary->right, take_lookup, &set);
        return s == OK
                   ? promql_eval_node(eval, binary->left, take_filtered, &set)
                   : s;
    }
    s = promql_eval_node(eval, binary->left, take_left, &set);
    if (s == OK)
        s = promql_eval_node(eval, binary->right, take_rest, &set);
    return s == OK ? promql_merge_push(&set.merge, push, arg) : s;
}
