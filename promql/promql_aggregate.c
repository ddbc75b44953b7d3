/*
 * sum, avg, min, max, count, group, stddev, stdvar: groups of series, each with
 * what it needs per step. No series is kept.
 */
#include <math.h>

#include "array.h"
#include "promql_aggregate.h"
#include "promql_histogram.h"
#include "promql_kahan.h"

/* ---- groups; those of promql_topk.c too ---- */

void promql_groups_init(struct promql_groups *groups, struct promql_eval *eval,
                        const struct promql_aggregate *aggregate)
{
    *groups = (struct promql_groups){
        .eval = eval,
        .names = {aggregate->labels, aggregate->label_count},
        .without = aggregate->without};
    groups->index.arena = eval->run->arena;
}

/* Short sets are made in place: most series go to a group that is there. */
static struct promql_labels group_key(struct promql_groups *groups,
                                      const struct promql_labels *labels,
                                      struct promql_label *small)
{
    uint32_t count = 0;

    if (labels->count > PROMQL_GROUP_LABELS)
        return promql_labels_pick(groups->eval->run->arena, labels,
                                  &groups->names, !groups->without,
                                  groups->without);
    for (uint32_t i = 0; i < labels->count; i++) {
        struct slice name = labels->at[i].name;

        if (promql_names_have(&groups->names, name) != groups->without &&
            !(groups->without && slice_equal(name, PROMQL_NAME)))
            small[count++] = labels->at[i];
    }
    return (struct promql_labels){small, count};
}

static uint32_t find(const struct promql_groups *groups,
                     const struct promql_labels *key, uint32_t hash)
{
    map_each(&groups->index, hash, at)
        if (promql_labels_equal(&groups->labels[at], key))
            return at;
    return MAP_NONE;
}

uint32_t promql_group_find(struct promql_groups *groups,
                           const struct promql_labels *labels)
{
    struct promql_label small[PROMQL_GROUP_LABELS];
    struct promql_labels key = group_key(groups, labels, small);

    return find(groups, &key, map_hash(promql_labels_hash(&key)));
}

uint32_t promql_group_of(struct promql_groups *groups,
                         const struct promql_labels *labels)
{
    struct arena *arena = groups->eval->run->arena;
    struct promql_label small[PROMQL_GROUP_LABELS];
    struct promql_labels key = group_key(groups, labels, small), *copy;
    uint32_t hash = map_hash(promql_labels_hash(&key));
    uint32_t at = find(groups, &key, hash);

    if (at != MAP_NONE)
        return at;
    copy = arena_append(arena, &groups->labels, groups->count, &groups->room);
    if (!copy)
        return MAP_NONE;
    *copy = promql_labels_copy(arena, &key);
    if (!map_add(&groups->index, hash, groups->count) ||
        arena_status(arena) != OK)
        return MAP_NONE;
    return groups->count++;
}

/* ---- what a group has per step ---- */

struct aggregated {
    double *values; /* the sum, the least, the mean ...; absent: no float yet */
    double *lost;   /* sum, avg: what rounding lost; NULL: nothing yet */
    double *squares;  /* stddev, stdvar */
    uint32_t *counts; /* avg, stddev, stdvar; STEPWISE: values are a mean */
    struct promql_total **totals; /* NULL: no histograms yet */
    bool fresh;                   /* no series was added */
};
#define STEPWISE (UINT32_C(1) << 31)

/* In place of a total: its histograms do not fit together. */
static struct promql_total misfit;

struct aggregator {
    struct promql_eval *eval;
    const struct promql_node *node;
    enum promql_aggregate_op op;
    struct promql_groups groups;
    struct aggregated *at; /* as many as groups.room */
    uint32_t room;
    double *floats; /* of a series that has histograms, too */
    bool ignored, mixed, misfits;
};

static bool counts_samples(enum promql_aggregate_op op)
{
    return op == PROMQL_AVG || op == PROMQL_STDDEV || op == PROMQL_STDVAR;
}

static struct aggregated *group_of(struct aggregator *aggregator,
                                   const struct promql_labels *labels)
{
    struct promql_eval *eval = aggregator->eval;
    struct arena *arena = eval->run->arena;
    uint32_t at = promql_group_of(&aggregator->groups, labels);
    struct aggregated *group;

    if (at == MAP_NONE)
        return NULL;
    group = arena_at(arena, &aggregator->at, &aggregator->room, at);
    if (!group || group->values)
        return group;
    group->values = promql_absent_values(eval);
    group->fresh = true;
    if (counts_samples(aggregator->op))
        group->counts = arena_zero(arena, eval->steps.count, sizeof(uint32_t));
    if (aggregator->op == PROMQL_STDDEV || aggregator->op == PROMQL_STDVAR)
        group->squares = arena_zero(arena, eval->steps.count, sizeof(double));
    return arena_status(arena) == OK ? group : NULL;
}

/* ---- floats ---- */

static bool need_lost(struct promql_eval *eval, struct aggregated *group)
{
    if (!group->lost)
        group->lost = arena_zero(eval->run->arena, eval->steps.count,
                                 sizeof(*group->lost));
    return group->lost;
}

/* What rounding lost is kept only once it matters, as it doubles the memory of
 * the group: not while values of one sign and similar size are added. */
static bool matters(double lost, double v, double sum)
{
    return fabs(lost) > 0x1p-30 * fabs(v) ||
           (lost != 0 && signbit(v) != signbit(sum));
}

enum { ADD_BLOCK = 32 };

/* Adds values without branches; false, and nothing is added: one of them or of
 * the sums is absent or infinite, or what rounding would lose matters. */
static bool add_block(double *sums, const double *values)
{
    double added[ADD_BLOCK];
    uint64_t bad = 0;

    for (uint32_t i = 0; i < ADD_BLOCK; i++) {
        double v = values[i], sum = sums[i], both = sum + v, part = both - sum;
        double lost = (sum - (both - part)) + (v - part); /* exactly */

        added[i] = both;
        bad |= (uint64_t) !(fabs(lost) <= 0x1p-30 * fabs(v));
        bad |= (uint64_t)(lost != 0) & (uint64_t)((v < 0) != (sum < 0));
    }
    if (!bad)
        memcpy(sums, added, sizeof(added));
    return !bad;
}

static bool add_one(struct promql_eval *eval, struct aggregated *group,
                    uint32_t i, double v)
{
    double sum = group->values[i], lost = 0;

    if (promql_is_absent(v))
        return true;
    if (promql_is_absent(sum)) {
        group->values[i] = v;
        return true;
    }
    if (group->lost)
        lost = group->lost[i];
    promql_kahan(v, &sum, &lost);
    if (group->lost)
        group->lost[i] = lost;
    else if (matters(lost, v, group->values[i])) {
        if (!need_lost(eval, group))
            return false;
        group->lost[i] = lost;
    }
    group->values[i] = sum;
    return true;
}

static bool add_sums(struct promql_eval *eval, struct aggregated *group,
                     const double *values)
{
    uint32_t count = eval->steps.count, i = 0;

    if (group->fresh) {
        memcpy(group->values, values, count * sizeof(*values));
        group->fresh = false;
        return true;
    }
    while (i < count) {
        uint32_t end = count - i < ADD_BLOCK ? count : i + ADD_BLOCK;

        if (end - i == ADD_BLOCK && !group->lost &&
            add_block(group->values + i, values + i)) {
            i = end;
            continue;
        }
        for (; i < end; i++)
            if (!add_one(eval, group, i, values[i]))
                return false;
    }
    return true;
}

static bool add_means(struct promql_eval *eval, struct aggregated *group,
                      const double *values)
{
    if (!need_lost(eval, group))
        return false;
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        struct promql_mean mean = {.count = group->counts[i] & ~STEPWISE,
                                   .stepwise = group->counts[i] & STEPWISE,
                                   .sum = group->values[i],
                                   .lost = group->lost[i]};

        if (promql_is_absent(values[i]))
            continue;
        promql_mean_add(&mean, values[i]);
        group->values[i] = mean.sum;
        group->lost[i] = mean.lost;
        group->counts[i] =
            (uint32_t)mean.count | (mean.stepwise ? STEPWISE : 0);
    }
    return true;
}

static void add_extremes(struct promql_eval *eval, struct aggregated *group,
                         const double *values, bool is_max)
{
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        double v = values[i], best = group->values[i];

        if (promql_is_absent(v))
            continue;
        if (isnan(best) || (is_max ? v > best : v < best))
            group->values[i] = v;
    }
}

static void add_squares(struct promql_eval *eval, struct aggregated *group,
                        const double *values)
{
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        double v = values[i], off;

        if (promql_is_absent(v))
            continue;
        if (++group->counts[i] == 1) {
            group->values[i] = v;
            group->squares[i] = isfinite(v) ? 0 : (double)NAN;
            continue;
        }
        off = v - group->values[i];
        group->values[i] += off / group->counts[i];
        group->squares[i] += off * (v - group->values[i]);
    }
}

static void add_counts(struct promql_eval *eval, struct aggregated *group,
                       const struct promql_result_series *series, bool is_group)
{
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        double *count = &group->values[i];

        if (promql_has(series, i))
            *count = is_group || promql_is_absent(*count) ? 1 : *count + 1;
    }
}

/* ---- histograms ---- */

static enum status add_histograms(struct aggregator *aggregator,
                                  struct aggregated *group,
                                  const struct promql_result_series *series)
{
    struct promql_eval *eval = aggregator->eval;
    struct arena *arena = eval->run->arena;

    if (!group->totals)
        group->totals =
            arena_zero(arena, eval->steps.count, sizeof(struct promql_total *));
    if (!group->totals)
        return promql_full(eval);
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        struct promql_total **total = &group->totals[i];

        if (!series->histograms[i] || *total == &misfit)
            continue;
        if (group->counts)
            group->counts[i]++;
        if (!*total)
            *total = promql_total_new(arena, series->histograms[i]);
        else if (!promql_total_add(*total, arena, series->histograms[i]) &&
                 arena_status(arena) == OK)
            *total = &misfit;
    }
    return promql_full(eval);
}

/* The values where there are floats and no histograms. */
static const double *floats_of(struct aggregator *aggregator,
                               const struct promql_result_series *series)
{
    struct promql_eval *eval = aggregator->eval;

    if (!series->histograms)
        return series->values;
    if (!aggregator->floats)
        aggregator->floats = promql_new_values(eval);
    for (uint32_t i = 0; aggregator->floats && i < eval->steps.count; i++)
        aggregator->floats[i] =
            series->histograms[i] ? promql_absent() : series->values[i];
    return aggregator->floats;
}

static enum status aggregator_take(void *arg,
                                   const struct promql_result_series *series)
{
    struct aggregator *aggregator = arg;
    struct promql_eval *eval = aggregator->eval;
    struct aggregated *group = group_of(aggregator, &series->labels);
    enum promql_aggregate_op op = aggregator->op;
    const double *values;
    bool fits = true;

    if (!group)
        return promql_full(eval);
    if (op == PROMQL_COUNT || op == PROMQL_GROUP) {
        add_counts(eval, group, series, op == PROMQL_GROUP);
        return OK;
    }
    values = floats_of(aggregator, series);
    if (!values)
        return promql_full(eval);
    if (op == PROMQL_SUM)
        fits = add_sums(eval, group, values);
    else if (op == PROMQL_AVG)
        fits = add_means(eval, group, values);
    else if (op == PROMQL_MIN || op == PROMQL_MAX)
        add_extremes(eval, group, values, op == PROMQL_MAX);
    else
        add_squares(eval, group, values);
    if (!fits)
        return promql_full(eval);
    if (!series->histograms)
        return OK;
    if (op == PROMQL_SUM || op == PROMQL_AVG)
        return add_histograms(aggregator, group, series);
    aggregator->ignored = true;
    return OK;
}

/* ---- results ---- */

static double float_result(const struct aggregator *aggregator,
                           const struct aggregated *group, uint32_t i)
{
    double v = group->values[i], lost = group->lost ? group->lost[i] : 0;
    double n = group->counts ? group->counts[i] & ~STEPWISE : 0;

    switch (aggregator->op) {
    case PROMQL_SUM:
        return lost == 0 ? v : v + lost;
    case PROMQL_AVG:
        return group->counts[i] & STEPWISE ? v + lost : v / n + lost / n;
    case PROMQL_STDDEV:
        return sqrt(group->squares[i] / n);
    case PROMQL_STDVAR:
        return group->squares[i] / n;
    default:
        return v;
    }
}

/* A step that has floats and histograms has no result. */
static const struct promql_histogram *histogram_result(
    struct aggregator *aggregator, struct aggregated *group, uint32_t i)
{
    struct promql_total *total = group->totals[i];

    if (!total)
        return NULL;
    if (!promql_is_absent(group->values[i])) {
        group->values[i] = promql_absent();
        aggregator->mixed = true;
        return NULL;
    }
    if (total == &misfit) {
        aggregator->misfits = true;
        return NULL;
    }
    if (aggregator->op == PROMQL_AVG)
        promql_total_scale(total, 1, group->counts[i]);
    return &total->sum;
}

static enum status finish_group(struct aggregator *aggregator, uint32_t at,
                                promql_push *push, void *arg)
{
    struct promql_eval *eval = aggregator->eval;
    struct aggregated *group = &aggregator->at[at];
    struct promql_kept kept = {aggregator->groups.labels[at], group->values,
                               NULL};

    if (group->totals) {
        kept.histograms = arena_zero(eval->run->arena, eval->steps.count,
                                     sizeof(*kept.histograms));
        if (!kept.histograms)
            return promql_full(eval);
    }
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        if (group->totals)
            kept.histograms[i] = histogram_result(aggregator, group, i);
        if (!promql_is_absent(group->values[i]))
            group->values[i] = float_result(aggregator, group, i);
    }
    return promql_push_kept(eval, &kept, push, arg);
}

static void annotate(struct aggregator *aggregator)
{
    struct promql_eval *eval = aggregator->eval;

    if (aggregator->ignored)
        promql_info(eval, aggregator->node->u.aggregate.of,
                    "ignored histogram in %s aggregation",
                    promql_aggregate_text(aggregator->op));
    if (aggregator->mixed)
        promql_warn(eval, aggregator->node->u.aggregate.of,
                    "encountered a mix of histograms and floats for "
                    "aggregation");
    if (aggregator->misfits)
        promql_warn(eval, aggregator->node->u.aggregate.of,
                    "vector contains a mix of histograms with exponential and "
                    "custom buckets schemas for metric name \"\"");
}

enum status promql_eval_aggregate(struct promql_eval *eval,
                                  const struct promql_node *node,
                                  promql_push *push, void *arg)
{
    struct aggregator aggregator = {
        .eval = eval, .node = node, .op = node->u.aggregate.op};
    enum status s;

    promql_groups_init(&aggregator.groups, eval, &node->u.aggregate);
    s = promql_eval_node(eval, node->u.aggregate.of, aggregator_take,
                         &aggregator);
    for (uint32_t i = 0; s == OK && i < aggregator.groups.count; i++)
        s = finish_group(&aggregator, i, push, arg);
    annotate(&aggregator);
    return s;
}
