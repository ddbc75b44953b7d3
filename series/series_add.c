/*
 * Exponential histograms are brought to the coarser scale of the two (a
 * bucket of scale s is half of one of scale s - 1), and coarser still until
 * the sum fits into POINT_MAX_BUCKETS. Of exemplars the slowest and the
 * slowest failed ones stay, as many as derived series promise.
 */
#include "series_add.h"

#include "derived.h"

enum { KEEP_EXEMPLARS = 2 /* of each kind */ };

static bool failed(const struct exemplar *e)
{
    const struct attr *error = attrs_find(&e->attrs, SLICE(DERIVED_ERROR));

    return error && error->type == VALUE_BOOL && error->b;
}

/* Puts e into its place among the kept ones, largest value first. */
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

/* Index of a bucket at a scale that is `down` coarser. */
static int64_t coarser(int64_t index, int down)
{
    return index >> down; /* rounds down, as the buckets do */
}

struct span_of_runs {
    int64_t low, high;
};

static void widen(struct span_of_runs *s, const struct exp_buckets *run,
                  int down)
{
    if (run->count == 0)
        return;
    int64_t low = coarser(run->offset, down);
    int64_t high = coarser((int64_t)run->offset + run->count - 1, down);

    if (low < s->low)
        s->low = low;
    if (high > s->high)
        s->high = high;
}

/* How many buckets both runs together take at this scale. */
static int64_t width(const struct exp_buckets *a, int down_a,
                     const struct exp_buckets *b, int down_b)
{
    struct span_of_runs s = {INT64_MAX, INT64_MIN};

    widen(&s, a, down_a);
    widen(&s, b, down_b);
    return s.low > s.high ? 0 : s.high - s.low + 1;
}

static void add_run(uint64_t *counts, int64_t low,
                    const struct exp_buckets *run, int down)
{
    for (uint32_t i = 0; i < run->count; i++)
        counts[coarser((int64_t)run->offset + i, down) - low] += run->counts[i];
}

static bool add_runs(struct arena *arena, const struct exp_buckets *a,
                     int down_a, const struct exp_buckets *b, int down_b,
                     struct exp_buckets *sum)
{
    int64_t count = width(a, down_a, b, down_b);
    struct span_of_runs s = {INT64_MAX, INT64_MIN};

    *sum = (struct exp_buckets){0};
    if (count == 0)
        return true;
    widen(&s, a, down_a);
    widen(&s, b, down_b);
    uint64_t *counts = arena_zero(arena, (size_t)count, sizeof(*counts));
    if (!counts)
        return false;
    add_run(counts, s.low, a, down_a);
    add_run(counts, s.low, b, down_b);
    *sum = (struct exp_buckets){counts, (uint32_t)count, (int32_t)s.low};
    return true;
}

static bool add_exponential(struct arena *arena, struct histogram *sum,
                            const struct histogram *a,
                            const struct histogram *b)
{
    enum { MOST_DOWN = 40 };
    int32_t scale = a->scale < b->scale ? a->scale : b->scale;
    int64_t wide_a = (int64_t)a->scale - scale;
    int64_t wide_b = (int64_t)b->scale - scale;

    if (wide_a > MOST_DOWN || wide_b > MOST_DOWN ||
        a->zero_threshold != b->zero_threshold)
        return false;
    int down_a = (int)wide_a, down_b = (int)wide_b;
    while (
        width(&a->positive, down_a, &b->positive, down_b) > POINT_MAX_BUCKETS ||
        width(&a->negative, down_a, &b->negative, down_b) > POINT_MAX_BUCKETS) {
        down_a++;
        down_b++;
        scale--;
    }
    sum->scale = scale;
    sum->zero_count = a->zero_count + b->zero_count;
    return add_runs(arena, &a->positive, down_a, &b->positive, down_b,
                    &sum->positive) &&
           add_runs(arena, &a->negative, down_a, &b->negative, down_b,
                    &sum->negative);
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
    if (type == METRIC_EXP_HISTOGRAM)
        return add_exponential(arena, sum, a, b) ? sum : NULL;
    return add_buckets(arena, sum, a, b) ? sum : NULL;
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
