/*
 * Histograms within their bound.
 *
 * What is beyond POINT_MAX_BUCKETS is not thrown away: of a histogram with
 * explicit bounds the last bucket, open above, takes the counts of all behind
 * it, and an exponential one gets a coarser scale. A scale one lower halves
 * the indices, so bucket i goes into bucket i >> 1, and both signs together.
 */
#include "otlp_parts.h"

void otlp_add_quantile(struct otlp *d, struct buckets *b, double quantile,
                       double value)
{
    double *at;

    if (b->bounds.count == b->bounds.room &&
        (!otlp_list_more(d, &b->bounds, 8, POINT_MAX_BUCKETS, 8) ||
         !otlp_list_more(d, &b->values, 8, POINT_MAX_BUCKETS, 8)))
        return;
    at = b->bounds.at;
    at[b->bounds.count++] = quantile;
    at = b->values.at;
    at[b->values.count++] = value;
}

/* The buckets beyond the bound are counted in the last, open one. */
static void fold_tail(struct otlp *d, uint64_t *counts, uint32_t *bounds)
{
    uint32_t last = POINT_MAX_BUCKETS - 1;

    if (*bounds <= last)
        return;
    for (uint32_t i = last + 1; i <= *bounds; i++)
        counts[last] += counts[i];
    *bounds = last;
    d->batch->truncated++;
}

/* Far beyond what senders use (-10 to 20), and near enough to zero that nobody
 * behind us can shift by more than a number has bits. */
enum { MAX_SCALE = 32 };

/* How many buckets a run has after its scale was lowered by shift. */
static int64_t coarse_count(const struct list *run, int32_t offset, int shift)
{
    int64_t first = offset, last = first + run->count - 1;

    return run->count == 0 ? 0 : (last >> shift) - (first >> shift) + 1;
}

static void coarsen(struct exp_buckets *run, const struct list *list, int shift)
{
    uint64_t *counts = list->at;
    int64_t first = run->offset >> shift;

    run->counts = counts;
    run->count = (uint32_t)coarse_count(list, run->offset, shift);
    if (shift > 0)
        for (uint32_t i = 0; i < list->count; i++) {
            int64_t to = (((int64_t)run->offset + i) >> shift) - first;
            uint64_t count = counts[i];

            /* In place: `to` never is behind a count not yet moved. */
            counts[i] = 0;
            counts[to] += count;
        }
    run->offset = (int32_t)first;
}

static const char *set_exp_buckets(struct otlp *d, struct histogram *h,
                                   const struct buckets *b)
{
    int shift = 0;

    if (h->positive.offset + (int64_t)b->positive.count > INT32_MAX ||
        h->negative.offset + (int64_t)b->negative.count > INT32_MAX)
        return "bucket index out of range";
    if (h->scale < -MAX_SCALE || h->scale > MAX_SCALE)
        return "scale out of range";
    while (coarse_count(&b->positive, h->positive.offset, shift) >
               POINT_MAX_BUCKETS ||
           coarse_count(&b->negative, h->negative.offset, shift) >
               POINT_MAX_BUCKETS)
        shift++;
    if (shift > 0)
        d->batch->truncated++;
    h->scale -= shift;
    coarsen(&h->positive, &b->positive, shift);
    coarsen(&h->negative, &b->negative, shift);
    return NULL;
}

const char *otlp_set_buckets(struct otlp *d, struct histogram *h,
                             const struct buckets *b, enum metric_type type)
{
    if (type == METRIC_EXP_HISTOGRAM)
        return set_exp_buckets(d, h, b);
    h->bound_count = b->bounds.count;
    h->bounds = b->bounds.at;
    if (type == METRIC_SUMMARY) {
        h->values = b->values.at;
        return NULL;
    }
    if (b->counts.count == 0 && b->bounds.count == 0)
        return NULL;
    if (b->counts.count != b->bounds.count + UINT64_C(1))
        return "bucket_counts must be one more than explicit_bounds";
    h->counts = b->counts.at;
    fold_tail(d, b->counts.at, &h->bound_count);
    return NULL;
}
