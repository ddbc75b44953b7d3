/*
 * Classic buckets of histograms, and quantiles of summaries.
 */
#include <math.h>
#include <stdlib.h>

#include "exphist.h"
#include "prom_names.h"
#include "push_series.h"

/* Of exponential histograms as classic ones, in seconds: those of the semantic
 * conventions for durations, and more at both ends. */
static const double duration_bounds[] = {
    .0005, .001, .0025, .005, .01, .025, .05, .075, .1, .25,
    .5,    .75,  1,     2.5,  5,   7.5,  10,  30,   60,
};
enum {
    DURATION_BOUNDS = sizeof(duration_bounds) / sizeof(*duration_bounds),
};

/* ---- bounds ---- */

struct bounds {
    const double *at;
    uint32_t count;
};

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static bool same_bounds(const struct bounds *bounds, const struct histogram *h)
{
    return h->bound_count == bounds->count &&
           (bounds->count == 0 ||
            memcmp(bounds->at, h->bounds, bounds->count * sizeof(double)) == 0);
}

/* The bounds of all of its histograms, or the quantiles of all summaries. */
static bool union_bounds(struct selection *s, const struct sample_list *list,
                         struct bounds *bounds)
{
    *bounds = (struct bounds){0};
    for (uint32_t i = 0; i < list->count; i++) {
        const struct histogram *h = list->at[i].histogram;
        uint32_t n = 0, all;
        double *at;

        if (!h || h->bound_count == 0 || same_bounds(bounds, h))
            continue;
        all = bounds->count + h->bound_count;
        at = arena_alloc(&s->scratch, all * sizeof(*at));
        if (!at)
            return false;
        if (bounds->count > 0)
            memcpy(at, bounds->at, bounds->count * sizeof(*at));
        memcpy(at + bounds->count, h->bounds, h->bound_count * sizeof(*at));
        qsort(at, all, sizeof(*at), by_value);
        for (uint32_t k = 0; k < all; k++)
            if (n == 0 || at[n - 1] != at[k])
                at[n++] = at[k];
        *bounds = (struct bounds){at, n};
    }
    while (bounds->count > 0 && isinf(bounds->at[bounds->count - 1]))
        bounds->count--;
    return true;
}

/* ---- values up to a bound ---- */

static double explicit_up_to(const struct histogram *h, double bound)
{
    double sum = 0;

    for (uint32_t i = 0; h->counts && i < h->bound_count; i++)
        if (h->bounds[i] <= bound)
            sum += (double)h->counts[i];
    return sum;
}

/* Where the buckets of a scale begin, from bucket `first` on. */
struct bucket_edges {
    double *at;
    uint32_t count;
    int32_t scale, first;
};

static bool edges_set(struct bucket_edges *edges, const struct histogram *h,
                      struct arena *arena)
{
    const struct exp_buckets *run = &h->positive;

    if (edges->at && edges->scale == h->scale && edges->first == run->offset &&
        edges->count > run->count)
        return true;
    *edges = (struct bucket_edges){
        .at = arena_alloc(arena, ((size_t)run->count + 1) * sizeof(double)),
        .count = run->count + 1,
        .scale = h->scale,
        .first = run->offset};
    for (uint32_t i = 0; edges->at && i <= run->count; i++)
        edges->at[i] = exphist_bound(h->scale, (int64_t)run->offset + i);
    return edges->at != NULL;
}

/* The values up to each bound. Whole ones: part of a bucket counts by its
 * length, rounded. */
static void exponential_up_to(const struct histogram *h,
                              const struct bucket_edges *edges,
                              const struct bounds *bounds, double *out)
{
    double sum = (double)h->zero_count;
    uint32_t b = 0;

    for (uint32_t i = 0; i < h->positive.count; i++) {
        double count = (double)h->positive.counts[i];
        double lower = edges->at[i], upper = edges->at[i + 1];

        if (count == 0)
            continue;
        for (; b < bounds->count && bounds->at[b] <= lower; b++)
            out[b] = sum;
        for (; b < bounds->count && bounds->at[b] < upper; b++)
            out[b] = nearbyint(sum + count * (bounds->at[b] - lower) /
                                         (upper - lower));
        sum += count;
    }
    for (; b < bounds->count; b++)
        out[b] = sum;
}

/* The values of each sample up to each bound, and all of them last. */
struct bucket_table {
    double *at;
    uint32_t width;
};

static bool table_make(struct selection *s, const struct push *p,
                       const struct bounds *bounds, struct bucket_table *table)
{
    const struct sample_list *list = &p->raw->lists[LIST_MAIN];
    struct bucket_edges edges = {0};

    table->width = bounds->count + 1;
    table->at = arena_zero(&s->scratch, (size_t)list->count * table->width + 1,
                           sizeof(double));
    if (!table->at)
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct histogram *h = list->at[i].histogram;
        double *row = table->at + (size_t)i * table->width;

        if (!h)
            continue;
        row[bounds->count] = (double)h->count;
        if (p->raw->view->type == METRIC_EXP_HISTOGRAM) {
            if (!edges_set(&edges, h, &s->scratch))
                return false;
            exponential_up_to(h, &edges, bounds, row);
        } else {
            for (uint32_t b = 0; b < bounds->count; b++)
                row[b] = explicit_up_to(h, bounds->at[b]);
        }
    }
    return true;
}

/* ---- classic buckets ---- */

static void bucket_values(const struct push *p,
                          const struct bucket_table *table, uint32_t column,
                          double *values)
{
    const struct sample_list *list = &p->raw->lists[LIST_MAIN];
    const double *at = table->at + column;
    double sum = 0;
    uint32_t next = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        if (!p->raw->view->delta) {
            values[i] = list->at[i].histogram ? at[(size_t)i * table->width]
                                              : promql_stale();
            continue;
        }
        if (steps_begin(&p->steps, i))
            sum = 0;
        for (; next < list->count && list->at[next].time_ms <= p->times[i];
             next++)
            sum +=
                at[(size_t)next * table->width] * (double)list->at[next].sign;
        values[i] = sum > 0 ? sum : 0;
    }
}

static void push_bucket(struct selection *s, struct push *p, struct slice name,
                        const struct bucket_table *table, uint32_t column,
                        double bound)
{
    double *values;

    if (!push_begin(s, p, name, SLICE("le"), prom_number(bound, &s->scratch)))
        return;
    values = push_values(s, p);
    if (!values)
        return;
    bucket_values(p, table, column, values);
    push_end(s, p, values, NULL);
}

void push_buckets(struct selection *s, struct push *p, struct slice name)
{
    struct bounds bounds = {duration_bounds, DURATION_BOUNDS};
    struct bucket_table table = {0};

    if ((p->raw->view->type != METRIC_EXP_HISTOGRAM &&
         !union_bounds(s, &p->raw->lists[LIST_MAIN], &bounds)) ||
        (!s->heads && !table_make(s, p, &bounds, &table)))
        return;
    for (uint32_t i = 0; i <= bounds.count && s->status == OK; i++)
        push_bucket(s, p, name, &table, i,
                    i < bounds.count ? bounds.at[i] : (double)INFINITY);
}

/* ---- summaries ---- */

static double quantile_value(const struct sample *sample, double quantile)
{
    const struct histogram *h = sample->histogram;

    if (!h)
        return promql_stale();
    for (uint32_t i = 0; i < h->bound_count; i++)
        if (h->bounds[i] == quantile)
            return h->values[i];
    return (double)NAN;
}

static void push_quantile(struct selection *s, struct push *p,
                          struct slice name, double quantile)
{
    double *values;

    if (!push_begin(s, p, name, SLICE("quantile"),
                    prom_number(quantile, &s->scratch)))
        return;
    values = push_values(s, p);
    for (uint32_t i = 0; values && i < p->count; i++)
        values[i] = quantile_value(&p->raw->lists[LIST_MAIN].at[i], quantile);
    if (values)
        push_end(s, p, values, NULL);
}

void push_quantiles(struct selection *s, struct push *p, struct slice name)
{
    struct bounds bounds;

    if (!union_bounds(s, &p->raw->lists[LIST_MAIN], &bounds))
        return;
    for (uint32_t i = 0; i < bounds.count && s->status == OK; i++)
        push_quantile(s, p, name, bounds.at[i]);
}
