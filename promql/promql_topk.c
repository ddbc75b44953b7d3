/*
 * Aggregations that look at the samples of a group together: topk and bottomk,
 * quantile, count_values.
 */
#include <math.h>
#include <stdlib.h>

#include "array.h"
#include "decimal.h"
#include "promql_aggregate.h"
#include "promql_lex.h"
#include "promql_range.h"

/* One collected series. */
struct pick_series {
    struct promql_kept kept;
    uint32_t group;
};

struct picker {
    struct promql_eval *eval;
    const struct promql_node *node;
    enum promql_aggregate_op op;
    const double *param; /* of each step; NULL: count_values */
    struct promql_groups groups;
    struct pick_series *at;
    uint32_t count, room;
    struct promql_merge merge; /* count_values */
    /* topk, bottomk: at so many series those that are never among the first k
     * are dropped; their arrays are used again. */
    uint32_t prune_at;
    double **spare;
    uint32_t spare_count;
    bool ignored;
};
enum { PRUNE_AT = 256 };

static enum status prune(struct picker *picker);

static bool keep_floats(struct picker *picker,
                        const struct promql_result_series *series,
                        struct promql_kept *kept)
{
    struct promql_eval *eval = picker->eval;
    const struct promql_result_series floats = {series->labels, series->values,
                                                NULL};

    if (picker->spare_count == 0 || series->values == eval->run->staying)
        return promql_keep(eval, &floats, kept);
    *kept = (struct promql_kept){
        .labels = promql_labels_copy(eval->run->arena, &series->labels),
        .values = picker->spare[--picker->spare_count]};
    memcpy(kept->values, series->values,
           eval->steps.count * sizeof(*kept->values));
    return arena_status(eval->run->arena) == OK;
}

static enum status picker_take(void *arg,
                               const struct promql_result_series *series)
{
    struct picker *picker = arg;
    struct promql_eval *eval = picker->eval;
    struct pick_series *to;

    if (picker->prune_at > 0 && picker->count >= picker->prune_at) {
        enum status s = prune(picker);

        if (s != OK)
            return s;
    }
    to = arena_append(eval->run->arena, &picker->at, picker->count,
                      &picker->room);
    if (!to)
        return promql_full(eval);
    to->group = promql_group_of(&picker->groups, &series->labels);
    if (to->group == MAP_NONE || !keep_floats(picker, series, &to->kept))
        return promql_full(eval);
    for (uint32_t i = 0; series->histograms && i < eval->steps.count; i++)
        if (series->histograms[i]) {
            to->kept.values[i] = promql_absent();
            picker->ignored = true;
        }
    picker->count++;
    return OK;
}

/* ---- by groups: an order of the series in which those of a group are
 *      neighbours ---- */

static int by_group(const void *a, const void *b)
{
    const struct pick_series *x = *(const struct pick_series *const *)a;
    const struct pick_series *y = *(const struct pick_series *const *)b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x > y) - (x < y); /* as they came */
}

static const struct pick_series **grouped(struct picker *picker)
{
    const struct pick_series **order = arena_zero(
        picker->eval->run->arena, picker->count + 1u, sizeof(*order));

    for (uint32_t i = 0; order && i < picker->count; i++)
        order[i] = &picker->at[i];
    if (order)
        qsort(order, picker->count, sizeof(*order), by_group);
    return order;
}

/* Where the group of order[first] ends. */
static uint32_t group_end(const struct picker *picker,
                          const struct pick_series *const *order,
                          uint32_t first)
{
    uint32_t end = first;

    while (end < picker->count && order[end]->group == order[first]->group)
        end++;
    return end;
}

/* ---- quantile ---- */

static enum status push_quantile(struct picker *picker,
                                 const struct pick_series *const *members,
                                 uint32_t count, promql_push *push, void *arg)
{
    struct promql_eval *eval = picker->eval;
    double *room = arena_zero(eval->run->arena, count, sizeof(*room));
    struct promql_kept kept = {
        .labels = picker->groups.labels[members[0]->group],
        .values = promql_absent_values(eval),
    };

    if (!room || !kept.values)
        return promql_full(eval);
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        char number[PROMQL_NUMBER_TEXT];
        uint32_t n = 0;

        for (uint32_t m = 0; m < count; m++)
            if (!promql_is_absent(members[m]->kept.values[i]))
                room[n++] = members[m]->kept.values[i];
        if (n == 0)
            continue;
        if (!(picker->param[i] >= 0 && picker->param[i] <= 1))
            promql_warn(eval, picker->node->u.aggregate.param,
                        "quantile value should be between 0 and 1, got %s",
                        promql_number_text(picker->param[i], number));
        kept.values[i] = promql_quantile_of(picker->param[i], room, n);
    }
    return promql_push_kept(eval, &kept, push, arg);
}

/* ---- topk, bottomk ---- */

struct ranked {
    double v;
    uint32_t member;
};

/* Largest first, NaN last. */
static int descending(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (isnan(x->v) || isnan(y->v))
        return (isnan(x->v) - isnan(y->v)) != 0
                   ? isnan(x->v) - isnan(y->v)
                   : (x->member > y->member) - (x->member < y->member);
    if (x->v != y->v)
        return x->v > y->v ? -1 : 1;
    return (x->member > y->member) - (x->member < y->member);
}

static int ascending(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    struct ranked less = {-x->v, x->member}, more = {-y->v, y->member};

    return descending(&less, &more);
}

/* More than these are sorted, fewer inserted one by one. */
enum { INSERT_MAX = 32 };

/* The first k of the members that have a value at step i, in their order. */
static uint32_t rank_step(const struct picker *picker,
                          const struct pick_series *const *members,
                          uint32_t count, uint32_t i, struct ranked *ranked)
{
    int (*order)(const void *, const void *) =
        picker->op == PROMQL_TOPK ? descending : ascending;
    double k = floor(picker->param[i]);
    uint32_t limit = k < 1 ? 0 : k < count ? (uint32_t)k : count, n = 0;

    for (uint32_t m = 0; m < count; m++) {
        const struct ranked one = {members[m]->kept.values[i], m};
        uint32_t at = n;

        if (promql_is_absent(one.v))
            continue;
        if (limit > INSERT_MAX) {
            ranked[n++] = one;
            continue;
        }
        if (n == limit && (n == 0 || order(&one, &ranked[n - 1]) > 0))
            continue;
        at = n < limit ? n++ : n - 1;
        for (; at > 0 && order(&one, &ranked[at - 1]) < 0; at--)
            ranked[at] = ranked[at - 1];
        ranked[at] = one;
    }
    if (limit > INSERT_MAX)
        qsort(ranked, n, sizeof(*ranked), order);
    return n < limit ? n : limit;
}

/* Removes the values that are not among the first k. */
static void keep_ranked(struct promql_eval *eval,
                        const struct pick_series *const *members,
                        uint32_t count, const struct picker *picker,
                        struct ranked *ranked)
{
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        uint32_t n = rank_step(picker, members, count, i, ranked);

        for (uint32_t m = 0; m < count; m++)
            members[m]->kept.values[i] = promql_absent();
        for (uint32_t r = 0; r < n; r++)
            members[ranked[r].member]->kept.values[i] = ranked[r].v;
    }
}

static bool is_left(const struct picker *picker,
                    const struct pick_series *series)
{
    const struct promql_result_series values = {{0}, series->kept.values, NULL};

    return promql_any(picker->eval, &values);
}

static enum status prune(struct picker *picker)
{
    struct promql_eval *eval = picker->eval;
    struct arena *arena = eval->run->arena;
    const struct pick_series **order = grouped(picker);
    struct ranked *ranked = arena_zero(arena, picker->count, sizeof(*ranked));
    double **spare =
        arena_zero(arena, picker->count + picker->spare_count, sizeof(*spare));
    uint32_t left = 0;

    if (!order || !ranked || !spare)
        return promql_full(eval);
    for (uint32_t at = 0, end; at < picker->count; at = end) {
        end = group_end(picker, order, at);
        keep_ranked(eval, order + at, end - at, picker, ranked);
    }
    if (picker->spare_count > 0)
        memcpy(spare, picker->spare, picker->spare_count * sizeof(*spare));
    picker->spare = spare;
    for (uint32_t i = 0; i < picker->count; i++)
        if (is_left(picker, &picker->at[i]))
            picker->at[left++] = picker->at[i];
        else
            spare[picker->spare_count++] = picker->at[i].kept.values;
    picker->count = left;
    picker->prune_at = PRUNE_AT + 2 * left;
    return OK;
}

/* At an instant the series are pushed in their rank. */
static enum status push_ranked(struct picker *picker,
                               const struct pick_series *const *members,
                               uint32_t count, promql_push *push, void *arg)
{
    struct promql_eval *eval = picker->eval;
    struct ranked *ranked =
        arena_zero(eval->run->arena, count, sizeof(*ranked));
    enum status s = OK;
    uint32_t n;

    if (!ranked)
        return promql_full(eval);
    if (eval->steps.count == 1) {
        n = rank_step(picker, members, count, 0, ranked);
        for (uint32_t r = 0; s == OK && r < n; r++)
            s = promql_push_kept(eval, &members[ranked[r].member]->kept, push,
                                 arg);
        return s;
    }
    keep_ranked(eval, members, count, picker, ranked);
    for (uint32_t m = 0; s == OK && m < count; m++)
        if (is_left(picker, members[m]))
            s = promql_push_kept(eval, &members[m]->kept, push, arg);
    return s;
}

/* ---- count_values ---- */

enum { PLAIN_MAX = 400 };

/* The digits of a number with an exponent, without it: 1.5e+21, 2e-07. */
static size_t expand(struct slice digits, int exponent, char *to)
{
    char *at = to;
    int point = 1 + exponent; /* where it stands, in digits from the first */

    if (digits.len > 0 && digits.ptr[0] == '-') {
        *at++ = '-';
        digits = slice_from(digits, 1);
    }
    for (int i = point; i <= 0; i++) {
        *at++ = '0';
        if (i == point)
            *at++ = '.';
    }
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] == '.')
            continue;
        *at++ = digits.ptr[i];
        point--;
    }
    for (; point > 0; point--)
        *at++ = '0';
    return (size_t)(at - to);
}

/* As strconv.FormatFloat(v, 'f', -1, 64). */
static size_t plain_number(double v, char text[PLAIN_MAX])
{
    const char *name = isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf";
    char number[DECIMAL_TEXT + 1];
    struct slice digits;
    size_t len;
    char *e;

    if (!isfinite(v)) {
        memcpy(text, name, strlen(name));
        return strlen(name);
    }
    len = decimal_format(number, v);
    number[len] = '\0';
    e = strchr(number, 'e');
    if (!e) {
        memcpy(text, number, len);
        return len;
    }
    digits = (struct slice){number, (size_t)(e - number)};
    return expand(digits, (int)strtol(e + 1, NULL, 10), text);
}

static enum status count_value(struct picker *picker,
                               const struct promql_labels *labels, double v,
                               struct promql_kept **counts)
{
    struct promql_eval *eval = picker->eval;
    const struct promql_aggregate *aggregate = &picker->node->u.aggregate;
    struct arena *arena = eval->run->arena;
    char text[PLAIN_MAX];
    struct promql_labels key;
    struct promql_merge *merge = &picker->merge;
    struct promql_result_series none = {.values = NULL};
    uint32_t hash;

    key = promql_labels_set(arena, labels, promql_string(aggregate->param),
                            (struct slice){text, plain_number(v, text)});
    hash = map_hash(promql_labels_hash(&key));
    map_each(&merge->index, hash, at)
        if (promql_labels_equal(&merge->at[at].labels, &key)) {
            *counts = &merge->at[at];
            return promql_full(eval);
        }
    none.labels = key;
    none.values = promql_absent_values(eval);
    if (!none.values)
        return promql_full(eval);
    return promql_merge_new(merge, &none, hash, counts);
}

static enum status count_take(void *arg,
                              const struct promql_result_series *series)
{
    struct picker *picker = arg;
    struct promql_eval *eval = picker->eval;
    uint32_t group = promql_group_of(&picker->groups, &series->labels);
    struct promql_kept *counts = NULL;
    double last = 0;
    enum status s = OK;

    if (group == MAP_NONE)
        return promql_full(eval);
    for (uint32_t i = 0; s == OK && i < eval->steps.count; i++) {
        double v = series->values[i];

        if (!promql_has(series, i) ||
            (series->histograms && series->histograms[i]))
            continue;
        if (!counts || memcmp(&v, &last, sizeof(v)) != 0)
            s = count_value(picker, &picker->groups.labels[group], v, &counts);
        last = v;
        if (s == OK)
            counts->values[i] =
                promql_is_absent(counts->values[i]) ? 1 : counts->values[i] + 1;
    }
    return s;
}

static enum status eval_count_values(struct picker *picker, promql_push *push,
                                     void *arg)
{
    const struct promql_aggregate *aggregate = &picker->node->u.aggregate;
    struct slice name = promql_string(aggregate->param);
    enum status s;

    if (!promql_is_label_name(name)) {
        char quoted[320];

        promql_quote(name, quoted, sizeof(quoted));
        return promql_fail(picker->eval, "invalid label name %s", quoted);
    }
    promql_merge_init(&picker->merge, picker->eval);
    s = promql_eval_node(picker->eval, aggregate->of, count_take, picker);
    return s == OK ? promql_merge_push(&picker->merge, push, arg) : s;
}

/* ---- the node ---- */

enum status promql_check_limits(struct promql_eval *eval,
                                enum promql_aggregate_op op,
                                const double *param)
{
    bool is_k = op != PROMQL_QUANTILE && op != PROMQL_LIMIT_RATIO;
    char number[PROMQL_NUMBER_TEXT];

    for (uint32_t i = 0; op != PROMQL_QUANTILE && i < eval->steps.count; i++) {
        if (isnan(param[i]))
            return promql_fail(eval, is_k ? "Parameter value is NaN"
                                          : "Ratio value is NaN");
        if (is_k && !(fabs(param[i]) < 9223372036854775808.0))
            return promql_fail(eval, "Scalar value %s %s int64",
                               promql_number_text(param[i], number),
                               param[i] > 0 ? "overflows" : "underflows");
    }
    return OK;
}

enum status promql_eval_select(struct promql_eval *eval,
                               const struct promql_node *node,
                               promql_push *push, void *arg)
{
    const struct promql_aggregate *aggregate = &node->u.aggregate;
    struct picker picker = {.eval = eval, .node = node, .op = aggregate->op};
    const struct pick_series **order;
    enum status s = OK;

    promql_groups_init(&picker.groups, eval, aggregate);
    if (picker.op == PROMQL_COUNT_VALUES)
        return eval_count_values(&picker, push, arg);
    picker.param = promql_eval_scalar(eval, aggregate->param, &s);
    if (s == OK)
        s = promql_check_limits(eval, picker.op, picker.param);
    if (picker.op != PROMQL_QUANTILE)
        picker.prune_at = PRUNE_AT;
    if (s == OK)
        s = promql_eval_node(eval, aggregate->of, picker_take, &picker);
    if (s != OK)
        return s;
    if (picker.ignored)
        promql_info(eval, aggregate->of, "ignored histogram in %s aggregation",
                    promql_aggregate_text(picker.op));
    order = grouped(&picker);
    if (!order)
        return promql_full(eval);
    for (uint32_t at = 0, end; s == OK && at < picker.count; at = end) {
        end = group_end(&picker, order, at);
        s = (picker.op == PROMQL_QUANTILE ? push_quantile : push_ranked)(
            &picker, order + at, end - at, push, arg);
    }
    return s;
}
