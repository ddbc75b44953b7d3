/*
 * Two representations stand side by side, because neither turns into the other
 * without loss:
 *
 *   counts[]        exponential, the buckets of one range at one scale. A finer
 *                   histogram is brought to the coarser scale, on either side;
 *                   so is a range that grows past HIST_MAX_BUCKETS.
 *   bound_counts[]  explicit, on the union of all bounds seen. A bucket that
 *                   a new bound divides is shared out by width.
 *
 * hist_quantile.c reads them.
 */
#include "hist.h"

#include <math.h>

#include "exphist.h"

enum { RANGE_GRAIN = 16 };

/* ---- exponential ---- */

static bool range_holds(struct exphist_range a, struct exphist_range b)
{
    return exphist_range_empty(b) || (a.first <= b.first && b.last <= a.last);
}

/* Brings the buckets of hist to the scale, no finer than its own. */
static void lower_scale(struct hist *hist, int32_t scale)
{
    struct exphist_range range = exphist_range(hist->offset, hist->len);

    if (hist->len > 0) {
        range = exphist_lower_double(hist->counts, range, hist->scale - scale);
        hist->offset = range.first;
        hist->len = (uint32_t)exphist_range_count(range);
    }
    hist->scale = scale;
}

/* Lowers the scale and enlarges the buckets of hist until `range` (given at
 * `scale`) fits. The scale is the finest at which both fit. */
static bool make_range(struct hist *hist, struct arena *arena, int32_t scale,
                       struct exphist_range range)
{
    struct exphist_range own = exphist_range(hist->offset, hist->len), all;
    int32_t low = hist->len > 0 && hist->scale < scale ? hist->scale : scale;
    double *counts;

    all = exphist_range_lower(range, scale - low);
    if (hist->len > 0)
        all = exphist_range_union(all,
                                  exphist_range_lower(own, hist->scale - low));
    low -= exphist_shift_to_fit(all, HIST_MAX_BUCKETS - 2 * RANGE_GRAIN);
    lower_scale(hist, low);
    own = exphist_range(hist->offset, hist->len);
    all = exphist_range_lower(range, scale - low);
    if (hist->len > 0 && range_holds(own, all))
        return true;
    if (hist->len > 0)
        all = exphist_range_union(all, own);
    all.first &= ~(int64_t)(RANGE_GRAIN - 1);
    all.last |= RANGE_GRAIN - 1;
    counts = arena_zero(arena, exphist_range_count(all), sizeof(*counts));
    if (!counts)
        return false;
    if (hist->len > 0)
        memcpy(counts + (own.first - all.first), hist->counts,
               hist->len * sizeof(*counts));
    hist->counts = counts;
    hist->offset = all.first;
    hist->len = (uint32_t)exphist_range_count(all);
    return true;
}

/* Values that one sender counts as zero are zero for all: buckets below the
 * threshold go there, or what was counted before the threshold rose could not
 * be subtracted. */
static void fold_zero(struct hist *hist, double threshold)
{
    if (threshold > hist->zero_threshold)
        hist->zero_threshold = threshold;
    if (!(hist->zero_threshold > 0))
        return;
    for (uint32_t i = 0; i < hist->len; i++) {
        if (exphist_bound(hist->scale, hist->offset + i + 1) >
            hist->zero_threshold)
            break;
        hist->zero += hist->counts[i];
        hist->counts[i] = 0;
    }
}

static bool merge_exponential(struct hist *hist, struct arena *arena,
                              const struct hist *other, double weight)
{
    if (other->len > 0) {
        if (!make_range(hist, arena, other->scale,
                        exphist_range(other->offset, other->len)))
            return false;
        for (uint32_t i = 0; i < other->len; i++)
            hist->counts[exphist_index(other->offset + i,
                                       other->scale - hist->scale) -
                         hist->offset] += weight * other->counts[i];
    }
    hist->zero += weight * other->zero;
    fold_zero(hist, other->zero_threshold);
    return true;
}

/* ---- explicit ---- */

static bool same_bounds(const struct hist *hist, const double *bounds,
                        uint32_t count)
{
    if (hist->bound_count != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (hist->bounds[i] < bounds[i] || hist->bounds[i] > bounds[i])
            return false;
    return true;
}

/* The union of both, ascending, without doubles; its length. */
static uint32_t merge_bounds(const double *a, uint32_t a_count, const double *b,
                             uint32_t b_count, double *out)
{
    uint32_t i = 0, j = 0, n = 0;

    while (i < a_count || j < b_count) {
        double next =
            j == b_count || (i < a_count && a[i] <= b[j]) ? a[i++] : b[j++];

        if (n == 0 || next > out[n - 1])
            out[n++] = next;
    }
    return n;
}

/* Adds what a bucket counted to the buckets from number `at` on that it
 * overlaps, by width. */
static void share_out(double low, double high, double count, const double *to,
                      double *into, uint32_t into_count, uint32_t at)
{
    for (uint32_t k = at; k <= into_count; k++) {
        double left = k && to[k - 1] > low ? to[k - 1] : low;
        double right = k < into_count && to[k] < high ? to[k] : high;

        if (right > left)
            into[k] += count * (right - left) / (high - low);
        if (k == into_count || to[k] >= high)
            break;
    }
}

/* Adds weight times each old bucket to the new ones. What is above the last
 * old bound goes right above it, and so does what is below a bound that is
 * infinite. */
static void spread_bounds(const double *from, const double *counts,
                          uint32_t count, double weight, const double *to,
                          double *into, uint32_t into_count)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i <= count; i++) {
        double low = i ? from[i - 1] : fmin(0, count ? from[0] : 0);
        double high = i < count ? from[i] : low;

        while (at < into_count && to[at] <= low)
            at++;
        if (high > low && isfinite(high - low))
            share_out(low, high, weight * counts[i], to, into, into_count, at);
        else if (i < count && at > 0 && !(high > low))
            into[at - 1] += weight * counts[i]; /* values at the bound itself */
        else
            into[at] += weight * counts[i];
    }
}

/* Makes hist->bounds a superset of bounds. */
static bool make_bounds(struct hist *hist, struct arena *arena,
                        const double *bounds, uint32_t count)
{
    size_t room = (size_t)hist->bound_count + count;
    double *merged, *counts;
    uint32_t n;

    if (hist->bound_counts &&
        (same_bounds(hist, bounds, count) || room > HIST_MAX_BOUNDS))
        return true;
    merged = arena_zero(arena, room + 1, sizeof(*merged));
    counts = arena_zero(arena, room + 1, sizeof(*counts));
    if (!merged || !counts)
        return false;
    n = merge_bounds(hist->bounds, hist->bound_count, bounds, count, merged);
    if (hist->bound_counts)
        spread_bounds(hist->bounds, hist->bound_counts, hist->bound_count, 1,
                      merged, counts, n);
    hist->bounds = merged;
    hist->bound_counts = counts;
    hist->bound_count = n;
    return true;
}

static bool merge_explicit(struct hist *hist, struct arena *arena,
                           const struct hist *other, double weight)
{
    uint32_t count = other->bound_count;

    if (!other->bound_counts)
        return true;
    if (!make_bounds(hist, arena, other->bounds, count))
        return false;
    if (same_bounds(hist, other->bounds, count))
        for (uint32_t i = 0; i <= count; i++)
            hist->bound_counts[i] += weight * other->bound_counts[i];
    else
        spread_bounds(other->bounds, other->bound_counts, count, weight,
                      hist->bounds, hist->bound_counts, hist->bound_count);
    return true;
}

/* ---- adding ---- */

bool hist_merge(struct hist *hist, struct arena *arena,
                const struct hist *other, double weight)
{
    if (!merge_exponential(hist, arena, other, weight) ||
        !merge_explicit(hist, arena, other, weight))
        return false;
    hist->count += weight * other->count;
    hist->sum += weight * other->sum;
    hist->sum_count += weight * other->sum_count;
    if (!other->used || weight <= 0)
        return true;
    if (!hist->used || other->min < hist->min)
        hist->min = other->min;
    if (!hist->used || other->max > hist->max)
        hist->max = other->max;
    hist->no_min |= other->no_min;
    hist->no_max |= other->no_max;
    hist->used = true;
    return true;
}

/* The buckets of one histogram as it was sent. */
struct sent_buckets {
    double bounds[POINT_MAX_BUCKETS + 1], counts[POINT_MAX_BUCKETS + 2];
};

static uint32_t at_most(uint32_t count)
{
    return count < POINT_MAX_BUCKETS ? count : POINT_MAX_BUCKETS;
}

static void set_explicit(struct hist *hist, struct sent_buckets *sent,
                         const struct histogram *values, double factor)
{
    uint32_t n = at_most(values->bound_count);

    if (!values->counts)
        return;
    for (uint32_t i = 0; i < n; i++)
        sent->bounds[i] = values->bounds[i] * factor;
    for (uint32_t i = 0; i <= n; i++)
        sent->counts[i] = (double)values->counts[i];
    hist->bounds = sent->bounds;
    hist->bound_counts = sent->counts;
    hist->bound_count = n;
}

/* Values below zero count as zero. Where the factor moves the bounds off the
 * powers, the buckets become explicit ones. */
static void set_exponential(struct hist *hist, struct sent_buckets *sent,
                            const struct histogram *values, double factor)
{
    const struct exp_buckets *b = &values->positive;
    uint32_t n = at_most(b->count);
    bool same_unit = !(factor < 1 || factor > 1);

    for (uint32_t i = 0; i < n; i++)
        sent->counts[same_unit ? i : i + 1] = (double)b->counts[i];
    hist->zero = (double)values->zero_count;
    for (uint32_t i = 0; i < values->negative.count; i++)
        hist->zero += (double)values->negative.counts[i];
    if (same_unit) {
        hist->zero_threshold = values->zero_threshold;
        hist->scale = values->scale;
        hist->offset = b->offset;
        hist->len = n;
        hist->counts = sent->counts;
        return;
    }
    for (uint32_t i = 0; i <= n; i++)
        sent->bounds[i] =
            factor * exphist_bound(values->scale, (int64_t)b->offset + i);
    sent->counts[0] = hist->zero;
    sent->counts[n + 1] = 0;
    hist->zero = 0;
    hist->bounds = sent->bounds;
    hist->bound_counts = sent->counts;
    hist->bound_count = n + 1;
}

/* Scales out of this range have buckets no double can tell apart. */
static bool scale_makes_sense(int32_t scale)
{
    return scale >= -12 && scale <= 40;
}

bool hist_add(struct hist *hist, struct arena *arena, enum metric_type type,
              const struct histogram *values, double factor, double weight)
{
    struct sent_buckets sent;
    struct hist part = {.count = (double)values->count,
                        .min = values->min * factor,
                        .max = values->max * factor,
                        .used = values->count > 0,
                        .no_min = !values->has_min,
                        .no_max = !values->has_max};

    if (values->has_sum) {
        part.sum = values->sum * factor;
        part.sum_count = part.count;
    }
    if (type == METRIC_HISTOGRAM)
        set_explicit(&part, &sent, values, factor);
    else if (type == METRIC_EXP_HISTOGRAM && !scale_makes_sense(values->scale))
        return true;
    else if (type == METRIC_EXP_HISTOGRAM)
        set_exponential(&part, &sent, values, factor);
    /* The quantiles of a summary cannot be added up. */
    return hist_merge(hist, arena, &part, weight);
}

bool hist_add_buckets(struct hist *hist, struct arena *arena,
                      const double *bounds, double *counts, uint32_t count)
{
    const struct hist part = {.bound_count = count,
                              .bounds = bounds,
                              .bound_counts = counts,
                              .used = true,
                              .no_min = true,
                              .no_max = true};

    return hist_merge(hist, arena, &part, 1);
}
