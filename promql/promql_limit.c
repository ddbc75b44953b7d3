/*
 * limitk and limit_ratio: some series of each group, as they are. Series go
 * through one by one; nothing is kept but counts.
 */
#include <math.h>

#include "array.h"
#include "promql_aggregate.h"

struct limiter {
    struct promql_eval *eval;
    const struct promql_node *node;
    const double *param; /* of each step */
    struct promql_groups groups;
    uint32_t **taken; /* of each group, at each step: limitk */
    uint32_t room;
    double *values;
    const struct promql_histogram **histograms;
    promql_push *push;
    void *arg;
};

/* How many samples of that group were taken, by step. */
static uint32_t *taken_of(struct limiter *limiter,
                          const struct promql_labels *labels)
{
    struct promql_eval *eval = limiter->eval;
    struct arena *arena = eval->run->arena;
    uint32_t group = promql_group_of(&limiter->groups, labels);
    uint32_t **at;

    if (group == MAP_NONE)
        return NULL;
    at = arena_at(arena, &limiter->taken, &limiter->room, group);
    if (!at)
        return NULL;
    if (!*at)
        *at = arena_zero(arena, eval->steps.count, sizeof(**at));
    return *at;
}

/* The part of all series up to r, or, below zero, the part that r + 1 leaves
 * out: a series lies where its labels put it. */
static bool is_in_ratio(double place, double r)
{
    return r >= 0 ? place < r : place >= 1 + r;
}

static enum status limit_take(void *arg,
                              const struct promql_result_series *series)
{
    struct limiter *limiter = arg;
    struct promql_eval *eval = limiter->eval;
    bool ratio = limiter->node->u.aggregate.op == PROMQL_LIMIT_RATIO,
         any = false;
    double place = (double)(promql_labels_hash(&series->labels) >> 11) / 0x1p53;
    uint32_t *taken = ratio ? NULL : taken_of(limiter, &series->labels);
    struct promql_result_series out = {.labels = series->labels,
                                       .values = limiter->values};

    if (!ratio && !taken)
        return promql_full(eval);
    if (series->histograms)
        out.histograms = limiter->histograms;
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        bool in = promql_has(series, i) &&
                  (ratio ? is_in_ratio(place, limiter->param[i])
                         : taken[i] < floor(limiter->param[i]));

        limiter->values[i] = in ? series->values[i] : promql_absent();
        limiter->histograms[i] =
            in && series->histograms ? series->histograms[i] : NULL;
        if (in && taken)
            taken[i]++;
        any |= in;
    }
    return any ? limiter->push(limiter->arg, &out) : OK;
}

static void check_ratios(const struct limiter *limiter)
{
    struct promql_eval *eval = limiter->eval;
    char number[PROMQL_NUMBER_TEXT];

    for (uint32_t i = 0; i < eval->steps.count; i++)
        if (fabs(limiter->param[i]) > 1)
            promql_warn(eval, limiter->node->u.aggregate.param,
                        "ratio value should be between -1 and 1, got %s, "
                        "capping to %d",
                        promql_number_text(limiter->param[i], number),
                        limiter->param[i] > 0 ? 1 : -1);
}

enum status promql_eval_limit(struct promql_eval *eval,
                              const struct promql_node *node, promql_push *push,
                              void *arg)
{
    struct limiter limiter = {
        .eval = eval, .node = node, .push = push, .arg = arg};
    enum status s = OK;

    promql_groups_init(&limiter.groups, eval, &node->u.aggregate);
    limiter.values = promql_new_values(eval);
    limiter.histograms = arena_zero(eval->run->arena, eval->steps.count,
                                    sizeof(*limiter.histograms));
    if (!limiter.values || !limiter.histograms)
        return promql_full(eval);
    limiter.param = promql_eval_scalar(eval, node->u.aggregate.param, &s);
    if (s == OK)
        s = promql_check_limits(eval, node->u.aggregate.op, limiter.param);
    if (s == OK && node->u.aggregate.op == PROMQL_LIMIT_RATIO)
        check_ratios(&limiter);
    return s == OK ? promql_eval_node(eval, node->u.aggregate.of, limit_take,
                                      &limiter)
                   : s;
}
