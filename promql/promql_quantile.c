/*
 * histogram_quantile and histogram_fraction, of classic and native histograms.
 *
 * Series with `le` are collected: those that differ in nothing else are the
 * buckets of one histogram. The values of native histograms are computed as
 * they come; where both kinds have the same name and labels at one step, there
 * is no result.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "array.h"
#include "decimal.h"
#include "promql_eval.h"
#include "promql_handlers.h"
#include "promql_hist_value.h"

static const struct slice le_name = SLICE_INIT("le");

/* A bucket of a classic histogram. */
struct le_series {
    double bound;
    const double *values;
};

/* Histograms of one name and labels. */
struct le_group {
    struct promql_labels labels; /* without le */
    struct le_series *at;
    uint32_t count, room;
    double *native; /* results of native histograms; NULL: none */
};

struct quantiler {
    struct promql_eval *eval;
    const struct promql_node *of; /* the histograms */
    const double *low, *high;     /* of histogram_fraction; low: quantile */
    struct le_group *groups;
    uint32_t count, room;
    struct map index;
    struct promql_le *buckets; /* of one step */
};

/* ---- collecting ---- */

static struct le_group *group_of(struct quantiler *q,
                                 const struct promql_labels *labels)
{
    struct arena *arena = promql_eval_arena(q->eval);
    uint32_t hash = map_hash(promql_labels_hash(labels));
    struct le_group *group;

    map_each(&q->index, hash, at)
        if (promql_labels_equal(&q->groups[at].labels, labels))
            return &q->groups[at];
    group = arena_append(arena, &q->groups, q->count, &q->room);
    if (!group || !map_add(&q->index, hash, q->count))
        return NULL;
    *group = (struct le_group){.labels = promql_labels_copy(arena, labels)};
    q->count++;
    return group;
}

static double native_value(const struct quantiler *q, uint32_t step,
                           const struct promql_histogram *h)
{
    return q->high ? promql_hist_fraction(h, q->low[step], q->high[step])
                   : promql_hist_quantile(h, q->low[step]);
}

static enum status take_native(struct quantiler *q,
                               const struct promql_result_series *series)
{
    struct le_group *group = group_of(q, &series->labels);

    if (group && !group->native)
        group->native = promql_absent_values(q->eval);
    if (!group || !group->native)
        return promql_full(q->eval);
    for (uint32_t i = 0; i < q->eval->steps.count; i++)
        if (series->histograms[i])
            group->native[i] = native_value(q, i, series->histograms[i]);
    return OK;
}

/* As Go's ParseFloat, besides underscores. */
static bool parse_bound(struct slice text, double *bound)
{
    char digits[64], *end;

    if (text.len == 0 || text.len >= sizeof(digits) ||
        strchr(" \t\n\v\f\r", text.ptr[0]))
        return false;
    slice_copy(digits, text);
    digits[text.len] = '\0';
    errno = 0;
    *bound = strtod(digits, &end);
    return *end == '\0' && !isnan(*bound) && !(errno == ERANGE && *bound != 0);
}

static void warn_of_bound(struct quantiler *q,
                          const struct promql_labels *labels, struct slice le)
{
    struct slice name = promql_label_value(labels, PROMQL_NAME);

    promql_warn(q->eval, q->of,
                "bucket label \"le\" is missing or has a malformed value of "
                "\"%.*s\"%s%.*s%s",
                SLICE_ARGS(slice_truncate(le, 100)),
                name.len > 0 ? " for metric name \"" : "",
                SLICE_ARGS(slice_truncate(name, 200)),
                name.len > 0 ? "\"" : "");
}

static enum status take_bucket(struct quantiler *q,
                               const struct promql_result_series *series)
{
    struct arena *arena = promql_eval_arena(q->eval);
    struct slice le = promql_label_value(&series->labels, le_name);
    struct promql_result_series floats = *series;
    struct promql_labels labels;
    struct promql_kept kept;
    struct le_group *group;
    struct le_series *bucket;
    double bound;

    floats.histograms = NULL;
    if (!promql_any(q->eval, &floats))
        return OK;
    if (!parse_bound(le, &bound)) {
        warn_of_bound(q, &series->labels, le);
        return OK;
    }
    labels =
        promql_labels_set(arena, &series->labels, le_name, (struct slice){0});
    group = group_of(q, &labels);
    bucket = group ? arena_append(arena, &group->at, group->count, &group->room)
                   : NULL;
    if (!bucket || !promql_keep(q->eval, &floats, &kept))
        return promql_full(q->eval);
    *bucket = (struct le_series){bound, kept.values};
    group->count++;
    return OK;
}

static enum status quantiler_take(void *arg,
                                  const struct promql_result_series *series)
{
    enum status s = OK;

    if (series->histograms)
        s = take_native(arg, series);
    return s == OK ? take_bucket(arg, series) : s;
}

/* ---- results ---- */

static int by_bound(const void *a, const void *b)
{
    const struct le_series *x = a, *y = b;

    return (x->bound > y->bound) - (x->bound < y->bound);
}

static void note(struct quantiler *q, const struct le_group *group,
                 bool is_warning, const char *text)
{
    struct slice name = promql_label_value(&group->labels, PROMQL_NAME);
    void (*tell)(struct promql_eval *, const struct promql_node *, const char *,
                 ...) = is_warning ? promql_warn : promql_info;

    tell(q->eval, q->of, "%s%s%.*s%s", text,
         name.len > 0 ? " for metric name \"" : "",
         SLICE_ARGS(slice_truncate(name, 200)), name.len > 0 ? "\"" : "");
}

static double classic_value(struct quantiler *q, const struct le_group *group,
                            uint32_t step, bool *forced)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < group->count; i++)
        if (!promql_is_absent(group->at[i].values[step]))
            q->buckets[count++] = (struct promql_le){group->at[i].bound,
                                                     group->at[i].values[step]};
    if (count == 0)
        return promql_absent();
    return q->high
               ? promql_le_fraction(q->buckets, count, q->low[step],
                                    q->high[step])
               : promql_le_quantile(q->buckets, count, q->low[step], forced);
}

static enum status finish_group(struct quantiler *q, struct le_group *group,
                                struct promql_merge *merge)
{
    struct promql_eval *eval = q->eval;
    struct promql_result_series out = {.values = promql_new_values(eval)};
    double *values = promql_new_values(eval);
    bool forced = false, mixed = false;

    q->buckets = arena_zero(promql_eval_arena(eval), group->count + 1u,
                            sizeof(*q->buckets));
    if (!values || !q->buckets)
        return promql_full(eval);
    if (group->count > 0)
        qsort(group->at, group->count, sizeof(*group->at), by_bound);
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        values[i] = classic_value(q, group, i, &forced);
        if (!group->native || promql_is_absent(group->native[i]))
            continue;
        mixed |= !promql_is_absent(values[i]);
        values[i] =
            promql_is_absent(values[i]) ? group->native[i] : promql_absent();
    }
    if (forced)
        note(q, group, false,
             "input to histogram_quantile needed to be fixed for monotonicity "
             "(see https://prometheus.io/docs/prometheus/latest/querying/"
             "functions/#histogram_quantile)");
    if (mixed)
        note(q, group, true,
             "vector contains a mix of classic and native histograms");
    out.values = values;
    out.labels =
        promql_labels_nameless(promql_eval_arena(eval), &group->labels);
    return promql_full(eval) != OK
               ? promql_full(eval)
               : promql_merge_add(merge, &out, PROMQL_SAME_LABELS);
}

static enum status finish(struct quantiler *q, promql_push *push, void *arg)
{
    struct promql_merge merge;
    enum status s;

    q->index.arena = promql_eval_arena(q->eval);
    s = promql_eval_node(q->eval, q->of, quantiler_take, q);
    promql_merge_init(&merge, q->eval);
    for (uint32_t i = 0; s == OK && i < q->count; i++)
        s = finish_group(q, &q->groups[i], &merge);
    return s == OK ? promql_merge_push(&merge, push, arg) : s;
}

/* Warns if q is not between 0 and 1. */
static void check_quantile(struct promql_eval *eval,
                           const struct promql_node *at, double q)
{
    char text[DECIMAL_TEXT + 1] = "NaN";

    if (q >= 0 && q <= 1)
        return;
    if (isinf(q))
        strcpy(text, q > 0 ? "+Inf" : "-Inf");
    else if (!isnan(q))
        text[decimal_format(text, q)] = '\0';
    promql_warn(eval, at, "quantile value should be between 0 and 1, got %s",
                text);
}

enum status promql_call_histogram_quantile(struct promql_eval *eval,
                                           const struct promql_node *call,
                                           promql_push *push, void *arg)
{
    const struct promql_node *const *args = call->u.call.args;
    struct quantiler q = {.eval = eval, .of = args[1]};
    enum status s;

    q.low = promql_eval_scalar(eval, args[0], &s);
    if (!q.low)
        return s;
    for (uint32_t i = 0; i < eval->steps.count; i++)
        if (i == 0 || q.low[i] != q.low[i - 1])
            check_quantile(eval, args[0], q.low[i]);
    return finish(&q, push, arg);
}

enum status promql_call_histogram_fraction(struct promql_eval *eval,
                                           const struct promql_node *call,
                                           promql_push *push, void *arg)
{
    const struct promql_node *const *args = call->u.call.args;
    struct quantiler q = {.eval = eval, .of = args[2]};
    enum status s;

    q.low = promql_eval_scalar(eval, args[0], &s);
    q.high = q.low ? promql_eval_scalar(eval, args[1], &s) : NULL;
    return q.high ? finish(&q, push, arg) : s;
}
