/*
 * Arithmetic and comparisons between two vectors.
 *
 * The side that has one series per match group is collected, one array of
 * values per group; the other side streams. Series of one group may take turns:
 * then the group remembers whose value each step has, for the labels that
 * group_left() copies. Two at the same step are an error, but only where the
 * other side has a sample, so it is kept until then.
 */
#include "promql_match.h"

#include "array.h"
#include "promql_histogram.h"

struct one_group {
    struct promql_kept merged;
    uint32_t first;    /* of its series */
    uint32_t *owners;  /* of each step, if it has several series */
    uint64_t *matched; /* steps with a result, as bits; one to one */
};

struct one_series {
    struct promql_labels labels;
    uint32_t group;
};

/* Two series of one group at one step. */
struct conflict {
    uint32_t group, a, b; /* series; a == b: none */
};

struct matcher {
    struct promql_operator apply;
    const struct promql_binary *binary;
    struct promql_groups groups;
    struct one_group *at; /* by group */
    uint32_t room;
    struct one_series *series; /* of the collected side */
    uint32_t series_count, series_room;
    struct conflict *conflicts; /* of each step, once there is one */
    struct promql_output output;
    struct promql_merge *merge; /* NULL: results differ by their labels */
    promql_push *push;
    void *arg;
};

static struct promql_eval *eval_of(struct matcher *matcher)
{
    return matcher->apply.eval;
}

/* ---- the collected side ---- */

static bool add_series(struct matcher *matcher,
                       const struct promql_labels *labels, uint32_t group)
{
    struct arena *arena = eval_of(matcher)->run->arena;
    struct one_series *series = arena_append(
        arena, &matcher->series, matcher->series_count, &matcher->series_room);

    if (!series)
        return false;
    *series = (struct one_series){promql_labels_copy(arena, labels), group};
    matcher->series_count++;
    return arena_status(arena) == OK;
}

static bool note_conflict(struct matcher *matcher, uint32_t i, uint32_t group,
                          uint32_t a, uint32_t b)
{
    struct promql_eval *eval = eval_of(matcher);

    if (!matcher->conflicts)
        matcher->conflicts = arena_zero(eval->run->arena, eval->steps.count,
                                        sizeof(*matcher->conflicts));
    if (!matcher->conflicts)
        return false;
    if (matcher->conflicts[i].a == matcher->conflicts[i].b)
        matcher->conflicts[i] = (struct conflict){group, a, b};
    return true;
}

/* Another series of a group that has one. */
static bool join_group(struct matcher *matcher, uint32_t group, uint32_t number,
                       const struct promql_result_series *series)
{
    struct promql_eval *eval = eval_of(matcher);
    struct arena *arena = eval->run->arena;
    struct one_group *to = &matcher->at[group];

    if (!to->owners) {
        to->owners = arena_zero(arena, eval->steps.count, sizeof(*to->owners));
        for (uint32_t i = 0; to->owners && i < eval->steps.count; i++)
            to->owners[i] = to->first;
    }
    if (series->histograms && !to->merged.histograms)
        to->merged.histograms = arena_zero(arena, eval->steps.count,
                                           sizeof(*to->merged.histograms));
    if (arena_status(arena) != OK)
        return false;
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        const struct promql_result_series now = {
            to->merged.labels, to->merged.values, to->merged.histograms};

        if (!promql_has(series, i))
            continue;
        if (promql_has(&now, i)) {
            if (!note_conflict(matcher, i, group, to->owners[i], number))
                return false;
            continue;
        }
        to->owners[i] = number;
        to->merged.values[i] = series->values[i];
        if (series->histograms && series->histograms[i])
            to->merged.histograms[i] =
                promql_histogram_copy(arena, series->histograms[i]);
    }
    return arena_status(arena) == OK;
}

static enum status take_one(void *arg,
                            const struct promql_result_series *series)
{
    struct matcher *matcher = arg;
    struct promql_eval *eval = eval_of(matcher);
    uint32_t group = promql_group_of(&matcher->groups, &series->labels);
    uint32_t number = matcher->series_count;
    struct one_group *to;
    bool good;

    if (group == MAP_NONE || !add_series(matcher, &series->labels, group))
        return promql_full(eval);
    to = arena_at(eval->run->arena, &matcher->at, &matcher->room, group);
    if (!to)
        return promql_full(eval);
    if (to->merged.values) {
        good = join_group(matcher, group, number, series);
    } else {
        to->first = number;
        good = promql_keep(eval, series, &to->merged);
    }
    return good ? OK : promql_full(eval);
}

/* ---- the streaming side ---- */

static enum status fail_conflict(struct matcher *matcher, uint32_t i)
{
    struct promql_eval *eval = eval_of(matcher);
    struct arena *arena = eval->run->arena;
    const struct conflict *conflict = &matcher->conflicts[i];
    const struct promql_labels *key = &matcher->groups.labels[conflict->group];

    return promql_fail(
        eval,
        "found duplicate series for the match group %s on the %s hand-side of "
        "the operation: [%s, %s];many-to-many matching not allowed: matching "
        "labels must be unique on one side",
        promql_labels_text(arena, key),
        matcher->binary->cardinality == PROMQL_ONE_TO_MANY ? "left" : "right",
        promql_labels_text(arena, &matcher->series[conflict->b].labels),
        promql_labels_text(arena, &matcher->series[conflict->a].labels));
}

static struct promql_labels result_labels(struct matcher *matcher,
                                          const struct promql_labels *many,
                                          const struct promql_labels *one)
{
    const struct promql_binary *binary = matcher->binary;
    struct arena *arena = eval_of(matcher)->run->arena;
    const struct promql_names names = {binary->labels, binary->label_count};
    struct promql_labels labels = *many;

    if (promql_drops_name(binary))
        labels = promql_labels_nameless(arena, &labels);
    if (binary->cardinality == PROMQL_ONE_TO_ONE &&
        (binary->on || names.count > 0))
        labels = promql_labels_pick(arena, &labels, &names, binary->on, false);
    for (uint32_t i = 0; i < binary->include_count; i++)
        labels = promql_labels_set(arena, &labels, binary->include[i],
                                   promql_label_value(one, binary->include[i]));
    return labels;
}

static bool set_matched(struct matcher *matcher, struct one_group *group,
                        uint32_t i)
{
    struct promql_eval *eval = eval_of(matcher);
    uint64_t bit = UINT64_C(1) << (i % 64);

    if (matcher->binary->cardinality != PROMQL_ONE_TO_ONE)
        return true;
    if (!group->matched)
        group->matched = arena_zero(
            eval->run->arena, (eval->steps.count + 63) / 64, sizeof(uint64_t));
    if (!group->matched)
        return true; /* the arena's status tells */
    if (group->matched[i / 64] & bit)
        return false;
    group->matched[i / 64] |= bit;
    return true;
}

static bool operate(const struct matcher *matcher,
                    const struct promql_result_series *many,
                    const struct promql_result_series *one, uint32_t i,
                    struct promql_operand *result)
{
    struct promql_operand a = promql_operand_at(many, i);
    struct promql_operand b = promql_operand_at(one, i);

    if (!promql_has(many, i) || !promql_has(one, i))
        return false;
    if (matcher->binary->cardinality == PROMQL_ONE_TO_MANY)
        return promql_operate(&matcher->apply, b, a, result);
    return promql_operate(&matcher->apply, a, b, result);
}

/* The results with the steps of one series of the group, or of all (MAP_NONE).
 */
static enum status match_owner(struct matcher *matcher,
                               const struct promql_result_series *many,
                               struct one_group *group, uint32_t owner)
{
    struct promql_eval *eval = eval_of(matcher);
    struct promql_output *output = &matcher->output;
    const struct promql_result_series one = {
        group->merged.labels, group->merged.values, group->merged.histograms};
    struct promql_result_series out = {.values = NULL};
    struct promql_operand result;

    promql_output_begin(output, eval, many, owner == MAP_NONE);
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        bool has = (owner == MAP_NONE || group->owners[i] == owner) &&
                   operate(matcher, many, &one, i, &result);

        if (has && !set_matched(matcher, group, i))
            return promql_fail(eval, "multiple matches for labels: many-to-one "
                                     "matching must be explicit "
                                     "(group_left/group_right)");
        promql_output_set(output, eval, i, has ? &result : NULL);
    }
    out.values = output->values;
    if (output->any_histogram)
        out.histograms = output->histograms;
    out.labels = result_labels(
        matcher, &many->labels,
        &matcher->series[owner == MAP_NONE ? group->first : owner].labels);
    if (arena_status(eval->run->arena) != OK)
        return promql_full(eval);
    if (!output->any)
        return OK;
    return matcher->merge
               ? promql_merge_add(matcher->merge, &out,
                                  "multiple matches for labels: grouping "
                                  "labels must ensure unique matches")
               : matcher->push(matcher->arg, &out);
}

static enum status take_many(void *arg,
                             const struct promql_result_series *series)
{
    struct matcher *matcher = arg;
    struct promql_eval *eval = eval_of(matcher);
    uint32_t group;
    enum status s = OK;

    for (uint32_t i = 0; matcher->conflicts && i < eval->steps.count; i++)
        if (promql_has(series, i) &&
            matcher->conflicts[i].a != matcher->conflicts[i].b)
            return fail_conflict(matcher, i);
    group = promql_group_find(&matcher->groups, &series->labels);
    if (group == MAP_NONE)
        return OK;
    if (!matcher->at[group].owners || matcher->binary->include_count == 0)
        return match_owner(matcher, series, &matcher->at[group], MAP_NONE);
    for (uint32_t i = 0; s == OK && i < matcher->series_count; i++)
        if (matcher->series[i].group == group)
            s = match_owner(matcher, series, &matcher->at[group], i);
    return s;
}

/* ---- the node ---- */

/* An aggregation by labels that all decide the match group. */
static bool is_one_per_group(const struct promql_binary *binary,
                             const struct promql_node *node)
{
    const struct promql_names names = {binary->labels, binary->label_count};
    const struct promql_aggregate *aggregate = &node->u.aggregate;

    if (node->kind != PROMQL_AGGREGATE || aggregate->without ||
        aggregate->op == PROMQL_TOPK || aggregate->op == PROMQL_BOTTOMK ||
        aggregate->op == PROMQL_COUNT_VALUES)
        return false;
    for (uint32_t i = 0; i < aggregate->label_count; i++)
        if (promql_names_have(&names, aggregate->labels[i]) != binary->on)
            return false;
    return true;
}

/* Results may have the same labels if they drop some that the series differ
 * by. */
static bool needs_merge(const struct promql_binary *binary,
                        const struct promql_node *many)
{
    if (binary->include_count > 0 || promql_may_differ_by_name(many))
        return true;
    return binary->cardinality == PROMQL_ONE_TO_ONE &&
           (binary->on || binary->label_count > 0) &&
           !is_one_per_group(binary, promql_unparen(many));
}

enum status promql_eval_match(struct promql_eval *eval,
                              const struct promql_node *node, promql_push *push,
                              void *arg)
{
    const struct promql_binary *binary = &node->u.binary;
    bool swapped = binary->cardinality == PROMQL_ONE_TO_MANY;
    const struct promql_node *many = swapped ? binary->right : binary->left;
    struct matcher matcher = {
        .apply = {eval, node, binary->op, binary->returns_bool},
        .binary = binary,
        .push = push,
        .arg = arg,
    };
    struct promql_merge merge;
    enum status s = promql_output_init(&matcher.output, eval);

    promql_match_groups(&matcher.groups, eval, binary);
    if (needs_merge(binary, many)) {
        promql_merge_init(&merge, eval);
        matcher.merge = &merge;
    }
    if (s == OK)
        s = promql_eval_node(eval, swapped ? binary->left : binary->right,
                             take_one, &matcher);
    if (s == OK)
        s = promql_eval_node(eval, many, take_many, &matcher);
    return s == OK && matcher.merge ? promql_merge_push(&merge, push, arg) : s;
}
