/*
 * Exponential histograms are merged by exphist.h, within POINT_MAX_BUCKETS. Of
 * exemplars, the slowest and the slowest failed ones remain, as many as derived
 * series promise.
 */
#include "series_add.h"

#include "derived.h"
#include "exphist.h"

enum { KEEP_EXEMPLARS = 2 /* of each kind */ };

static bool failed(const struct exemplar *e)
{
    const struct attr *error = attrs_find(&e->attrs, SLICE(DERIVED_ERROR));

    return error && error->type == VALUE_BOOL && error->b;
}

/* Inserts e among the kept ones, largest value first, if it is large enough. */
static void keep(struct exemplar *kept, uint32_t *count,
                 const struct exemplar *e)
{
    uint32_t at = *count;

    if (at == KEEP_EXEMPLARS) {
        if (e->value <= kept[at - 1].value)
            return;
        at--;
    } else {
        (*count)++;
    }
    for (; at > 0 && kept[at - 1].value < e->value; at--)
        kept[at] = kept[at - 1];
    kept[at] = *e;
}

static void add_exemplars(struct arena *arena, struct point *sum,
                          const struct point *b)
{
    struct exemplar kept[2][KEEP_EXEMPLARS];
    uint32_t counts[2] = {0, 0}, total = 0;
    const struct point *both[2] = {sum, b};

    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < both[side]->exemplar_count; i++) {
            const struct exemplar *e = &both[side]->exemplars[i];
            int kind = failed(e);

            keep(kept[kind], &counts[kind], e);
        }

    struct exemplar *all = arena_zero(arena, 2 * KEEP_EXEMPLARS, sizeof(*all));
    sum->exemplar_count = 0;
    if (!all)
        return;
    for (int kind = 0; kind < 2; kind++)
        for (uint32_t i = 0; i < counts[kind]; i++)
            all[total++] = kept[kind][i];
    sum->exemplars = all;
    sum->exemplar_count = total;
}

static bool add_buckets(struct arena *arena, struct histogram *sum,
                        const struct histogram *a, const struct histogram *b)
{
    if (a->bound_count != b->bound_count || !a->counts != !b->counts)
        return false;
    if (a->bound_count > 0 &&
        memcmp(a->bounds, b->bounds, a->bound_count * sizeof(double)) != 0)
        return false;
    if (!a->counts)
        return true;

    size_t count = (size_t)a->bound_count + 1;
    uint64_t *counts = arena_zero(arena, count, sizeof(*counts));
    if (!counts)
        return false;
    for (size_t i = 0; i < count; i++)
        counts[i] = a->counts[i] + b->counts[i];
    sum->counts = counts;
    return true;
}

static const struct histogram *add_histograms(struct arena *arena,
                                              enum metric_type type,
                                              const struct histogram *a,
                                              const struct histogram *b)
{
    struct histogram *sum = arena_alloc(arena, sizeof(*sum));

    if (!sum)
        return NULL;
    *sum = *a;
    sum->count = a->count + b->count;
    sum->has_sum = a->has_sum && b->has_sum;
    sum->has_min = a->has_min && b->has_min;
    sum->has_max = a->has_max && b->has_max;
    sum->sum = a->sum + b->sum;
    sum->min = a->min < b->min ? a->min : b->min;
    sum->max = a->max > b->max ? a->max : b->max;
    if (type == METRIC_HISTOGRAM)
        return add_buckets(arena, sum, a, b) ? sum : NULL;
    if (a->zero_threshold != b->zero_threshold ||
        !exphist_merge(arena, sum, a, b, POINT_MAX_BUCKETS))
        return NULL;
    return sum;
}

const struct point *point_add(struct arena *arena, const struct point *a,
                              const struct point *b)
{
    const struct metric *metric = a->metric;

    if (a->time_ns != b->time_ns || a->start_ns != b->start_ns ||
        a->flags != b->flags || a->flags & POINT_NO_VALUE ||
        a->is_int != b->is_int || metric->temporality != DELTA ||
        metric->type == METRIC_GAUGE || metric->type == METRIC_SUMMARY)
        return NULL;

    struct point *sum = arena_alloc(arena, sizeof(*sum));
    if (!sum)
        return NULL;
    *sum = *a;
    sum->corrected |= b->corrected;
    if (metric->type != METRIC_SUM) {
        sum->histogram = add_histograms(arena, (enum metric_type)metric->type,
                                        a->histogram, b->histogram);
        if (!sum->histogram)
            return NULL;
    } else if (a->is_int) {
        sum->i = (int64_t)((uint64_t)a->i + (uint64_t)b->i);
    } else {
        sum->d = a->d + b->d;
    }
    if (a->exemplar_count + b->exemplar_count > 0)
        add_exemplars(arena, sum, b);
    return sum;
}
