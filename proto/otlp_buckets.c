/*
 * Fits histograms into POINT_MAX_BUCKETS without losing counts: in a histogram
 * with explicit bounds the last, open bucket takes the counts of all further
 * ones; an exponential histogram gets a lower scale (exphist.h).
 */
#include "exphist.h"
#include "otlp_decoder.h"

/* Adds the buckets above the limit to the last, open one. */
static void fold_tail(struct otlp_decoder *d, uint64_t *counts,
                      uint32_t *bounds)
{
    uint32_t last = POINT_MAX_BUCKETS - 1;

    if (*bounds <= last)
        return;
    for (uint32_t i = last + 1; i <= *bounds; i++)
        counts[last] += counts[i];
    *bounds = last;
    d->batch->truncated++;
}

/* Senders use -10 to 20; differences of scales stay below the bits of a
 * number. */
enum { MAX_SCALE = 32 };

static void set_exp_buckets(struct exp_buckets *buckets,
                            const struct otlp_exp_buckets *sent, int32_t shift)
{
    struct exphist_range range =
        exphist_lower(sent->counts.at,
                      exphist_range(sent->offset, sent->counts.count), shift);

    buckets->counts = sent->counts.at;
    buckets->count = (uint32_t)exphist_range_count(range);
    buckets->offset = (int32_t)exphist_index(sent->offset, shift);
}

static const char *set_exponential(struct otlp_decoder *d, struct histogram *h,
                                   const struct otlp_buckets *b)
{
    struct exphist_range positive =
        exphist_range(b->positive.offset, b->positive.counts.count);
    struct exphist_range negative =
        exphist_range(b->negative.offset, b->negative.counts.count);
    int32_t shift, shift_negative;

    if (positive.last >= INT32_MAX || negative.last >= INT32_MAX)
        return "bucket index out of range";
    if (h->scale < -MAX_SCALE || h->scale > MAX_SCALE)
        return "scale out of range";
    shift = exphist_shift_to_fit(positive, POINT_MAX_BUCKETS);
    shift_negative = exphist_shift_to_fit(negative, POINT_MAX_BUCKETS);
    if (shift < shift_negative)
        shift = shift_negative;
    if (shift > 0)
        d->batch->truncated++;
    h->scale -= shift;
    set_exp_buckets(&h->positive, &b->positive, shift);
    set_exp_buckets(&h->negative, &b->negative, shift);
    return NULL;
}

static void set_quantiles(struct otlp_decoder *d, struct histogram *h,
                          const struct otlp_list *list)
{
    const struct otlp_quantile *quantiles = list->at;
    double *bounds, *values;

    if (list->count == 0)
        return;
    bounds = arena_alloc(d->arena, list->count * sizeof(*bounds));
    values = arena_alloc(d->arena, list->count * sizeof(*values));
    if (!bounds || !values)
        return;
    for (uint32_t i = 0; i < list->count; i++) {
        bounds[i] = quantiles[i].quantile;
        values[i] = quantiles[i].value;
    }
    h->bounds = bounds;
    h->values = values;
    h->bound_count = list->count;
}

const char *otlp_set_buckets(struct otlp_decoder *d, struct histogram *h,
                             const struct otlp_buckets *b,
                             enum metric_type type)
{
    if (type == METRIC_EXP_HISTOGRAM)
        return set_exponential(d, h, b);
    if (type == METRIC_SUMMARY) {
        set_quantiles(d, h, &b->quantiles);
        return NULL;
    }
    h->bound_count = b->bounds.count;
    h->bounds = b->bounds.at;
    if (b->counts.count == 0 && b->bounds.count == 0)
        return NULL;
    if (b->counts.count != b->bounds.count + UINT64_C(1))
        return "bucket_counts must be one more than explicit_bounds";
    h->counts = b->counts.at;
    fold_tail(d, b->counts.at, &h->bound_count);
    return NULL;
}
