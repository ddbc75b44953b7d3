/*
 * Two representations live side by side, because neither turns into the other
 * without loss:
 *
 *   counts[]        exponential, a dense run of buckets at one scale. A finer
 *                   histogram is coarsened on the way in (index >> shift), or
 *                   the run is; so is a run that grows past HIST_MAX_BUCKETS.
 *   bound_counts[]  explicit, on the union of all bounds seen. A bucket that
 *                   a new bound cuts in two is shared out by width.
 *
 * hist_quantile.c reads them.
 */
#include "hist.h"

#include <math.h>

#include "hist_int.h"

enum { RUN_GRAIN = 16 };

/* ---- exponential ---- */

static int64_t shifted(int64_t index, int32_t shift)
{
    if (shift > 62)
        return index < 0 ? -1 : 0;
    return index >> shift; /* rounds down, also below zero */
}

static void coarsen(struct hist *hist, int32_t shift)
{
    int64_t offset = shifted(hist->offset, shift);
    int64_t last = shifted(hist->offset + hist->len - 1, shift);

    if (shift == 0)
        return;
    for (uint32_t i = 0; i < hist->len; i++) {
        double n = hist->counts[i];

        hist->counts[i] = 0;
        hist->counts[shifted(hist->offset + i, shift) - offset] += n;
    }
    hist->offset = offset;
    hist->len = (uint32_t)(last - offset + 1);
    hist->scale -= shift;
}

/* A run of buckets at some scale. */
struct bucket_range {
    int32_t scale;
    int64_t first, last;
};

static struct bucket_range run_at(struct bucket_range run, int32_t scale)
{
    int32_t shift = run.scale - scale;

    return (struct bucket_range){scale, shifted(run.first, shift),
                                 shifted(run.last, shift)};
}

static struct bucket_range run_union(struct bucket_range a,
                                     struct bucket_range b)
{
    a.first = b.first < a.first ? b.first : a.first;
    a.last = b.last > a.last ? b.last : a.last;
    return a;
}

/*
 * Makes the run of hist hold what `run` becomes at the scale of hist. Both are
 * coarsened until they fit together.
 */
static bool make_run(struct hist *hist, struct arena *arena,
                     struct bucket_range run)
{
    struct bucket_range own = {hist->scale, hist->offset,
                               hist->offset + (int64_t)hist->len - 1};
    struct bucket_range all = run;
    int32_t scale = run.scale;
    double *counts;

    if (hist->len > 0 && hist->scale < scale)
        scale = hist->scale;
    for (;; scale--) {
        all = run_at(run, scale);
        if (hist->len > 0)
            all = run_union(all, run_at(own, scale));
        if (all.last - all.first < HIST_MAX_BUCKETS - 2 * RUN_GRAIN)
            break;
    }
    if (hist->len > 0 && all.first >= run_at(own, scale).first &&
        all.last <= run_at(own, scale).last) {
        coarsen(hist, hist->scale - scale);
        return true;
    }
    all.first &= ~(int64_t)(RUN_GRAIN - 1);
    all.last |= RUN_GRAIN - 1;
    counts =
        arena_zero(arena, (size_t)(all.last - all.first + 1), sizeof(*counts));
    if (!counts)
        return false;
    if (hist->len > 0) {
        coarsen(hist, hist->scale - scale);
        memcpy(counts + (hist->offset - all.first), hist->counts,
               hist->len * sizeof(*counts));
    }
    hist->counts = counts;
    hist->offset = all.first;
    hist->len = (uint32_t)(all.last - all.first + 1);
    hist->scale = scale;
    return true;
}

/* Values that one sender counts as zero are zero for all: buckets below the
 * threshold go there, or what was counted before the threshold rose could not
 * be taken off. */
static void fold_zero(struct hist *hist, double threshold)
{
    if (threshold > hist->zero_threshold)
        hist->zero_threshold = threshold;
    if (!(hist->zero_threshold > 0))
        return;
    for (uint32_t i = 0; i < hist->len; i++) {
        if (hist_edge(hist->scale, hist->offset + i + 1) > hist->zero_threshold)
            break;
        hist->zero += hist->counts[i];
        hist->counts[i] = 0;
    }
}

static bool add_exponential(struct hist *hist, struct arena *arena,
                            const struct histogram *values, double weight)
{
    const struct exp_buckets *b = &values->positive;
    struct bucket_range run = {values->scale, b->offset,
                               (int64_t)b->offset + b->count - 1};
    int32_t shift;

    if (b->count > 0) {
        if (!make_run(hist, arena, run))
            return false;
        shift = run.scale - hist->scale;
        for (uint32_t i = 0; i < b->count; i++)
            hist->counts[shifted(run.first + i, shift) - hist->offset] +=
                weight * (double)b->counts[i];
    }
    hist->zero += weight * (double)values->zero_count;
    for (uint32_t i = 0; i < values->negative.count; i++)
        hist->zero += weight * (double)values->negative.counts[i];
    fold_zero(hist, values->zero_threshold);
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

/* Adds the share of each old bucket that falls into each new one. What is
 * above the last old bound goes right above it, and so does what is below a
 * bound that is infinite. */
static void spread_bounds(const double *from, const double *counts,
                          uint32_t count, const double *to, double *into,
                          uint32_t into_count)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i <= count; i++) {
        double low = i ? from[i - 1] : fmin(0, count ? from[0] : 0);
        double high = i < count ? from[i] : low;

        while (at < into_count && to[at] <= low)
            at++;
        if (i == count || !(high > low) || !isfinite(high - low)) {
            uint32_t spot = at;

            if (i < count && spot > 0 && !(high > low))
                spot = at - 1; /* values at the bound itself */
            into[spot] += counts[i];
            continue;
        }
        for (uint32_t k = at; k <= into_count; k++) {
            double left = k && to[k - 1] > low ? to[k - 1] : low;
            double right = k < into_count && to[k] < high ? to[k] : high;

            if (right > left)
                into[k] += counts[i] * (right - left) / (high - low);
            if (k == into_count || to[k] >= high)
                break;
        }
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
        spread_bounds(hist->bounds, hist->bound_counts, hist->bound_count,
                      merged, counts, n);
    hist->bounds = merged;
    hist->bound_counts = counts;
    hist->bound_count = n;
    return true;
}

static bool add_bounds(struct hist *hist, struct arena *arena,
                       const double *bounds, const double *counts,
                       uint32_t count)
{
    if (!make_bounds(hist, arena, bounds, count))
        return false;
    if (same_bounds(hist, bounds, count))
        for (uint32_t i = 0; i <= count; i++)
            hist->bound_counts[i] += counts[i];
    else
        spread_bounds(bounds, counts, count, hist->bounds, hist->bound_counts,
                      hist->bound_count);
    return true;
}

static bool add_explicit(struct hist *hist, struct arena *arena,
                         const struct histogram *values, double factor,
                         double weight)
{
    double bounds[POINT_MAX_BUCKETS], counts[POINT_MAX_BUCKETS + 1];
    uint32_t n = values->bound_count;

    if (n > POINT_MAX_BUCKETS)
        n = POINT_MAX_BUCKETS;
    if (!values->counts)
        return true;
    for (uint32_t i = 0; i < n; i++)
        bounds[i] = values->bounds[i] * factor;
    for (uint32_t i = 0; i <= n; i++)
        counts[i] = weight * (double)values->counts[i];
    return add_bounds(hist, arena, bounds, counts, n);
}

/* Where factor moves the buckets off the grid of powers, they become explicit
 * ones. */
static bool add_scaled(struct hist *hist, struct arena *arena,
                       const struct histogram *values, double factor,
                       double weight)
{
    double bounds[POINT_MAX_BUCKETS + 1], counts[POINT_MAX_BUCKETS + 2] = {0};
    const struct exp_buckets *b = &values->positive;
    uint32_t n = b->count < POINT_MAX_BUCKETS ? b->count : POINT_MAX_BUCKETS;

    counts[0] = weight * (double)values->zero_count;
    for (uint32_t i = 0; i <= n; i++)
        bounds[i] = factor * hist_edge(values->scale, (int64_t)b->offset + i);
    for (uint32_t i = 0; i < n; i++)
        counts[i + 1] = weight * (double)b->counts[i];
    return add_bounds(hist, arena, bounds, counts, n + 1);
}

/* ---- adding ---- */

static void add_totals(struct hist *hist, const struct histogram *values,
                       double factor, double weight)
{
    hist->count += weight * (double)values->count;
    if (values->has_sum) {
        hist->sum += weight * values->sum * factor;
        hist->sum_count += weight * (double)values->count;
    }
    if (weight <= 0 || values->count == 0)
        return;
    if (!hist->used || values->min * factor < hist->min)
        hist->min = values->min * factor;
    if (!hist->used || values->max * factor > hist->max)
        hist->max = values->max * factor;
    hist->no_min |= !values->has_min;
    hist->no_max |= !values->has_max;
    hist->used = true;
}

/* Scales out of this range have buckets no double can tell apart. */
static bool scale_makes_sense(int32_t scale)
{
    return scale >= -12 && scale <= 40;
}

bool hist_add(struct hist *hist, struct arena *arena, enum metric_type type,
              const struct histogram *values, double factor, double weight)
{
    bool same_unit = !(factor < 1 || factor > 1);
    bool good = true;

    if (type == METRIC_SUMMARY)
        good = true; /* its quantiles cannot be added up */
    else if (type == METRIC_HISTOGRAM)
        good = add_explicit(hist, arena, values, factor, weight);
    else if (!scale_makes_sense(values->scale))
        return true;
    else if (same_unit)
        good = add_exponential(hist, arena, values, weight);
    else
        good = add_scaled(hist, arena, values, factor, weight);
    if (good)
        add_totals(hist, values, factor, weight);
    return good;
}

bool hist_add_buckets(struct hist *hist, struct arena *arena,
                      const double *bounds, const double *counts,
                      uint32_t count)
{
    if (!add_bounds(hist, arena, bounds, counts, count))
        return false;
    hist->used = hist->no_min = hist->no_max = true;
    return true;
}

static bool merge_exponential(struct hist *hist, struct arena *arena,
                              const struct hist *other, double weight)
{
    struct bucket_range run = {other->scale, other->offset,
                               other->offset + (int64_t)other->len - 1};
    int32_t shift;

    if (other->len > 0) {
        if (!make_run(hist, arena, run))
            return false;
        shift = other->scale - hist->scale;
        for (uint32_t i = 0; i < other->len; i++)
            hist->counts[shifted(run.first + i, shift) - hist->offset] +=
                weight * other->counts[i];
    }
    hist->zero += weight * other->zero;
    fold_zero(hist, other->zero_threshold);
    return true;
}

static bool merge_explicit(struct hist *hist, struct arena *arena,
                           const struct hist *other, double weight)
{
    double counts[HIST_MAX_BOUNDS + POINT_MAX_BUCKETS + 2];

    if (!other->bound_counts)
        return true;
    for (uint32_t i = 0; i <= other->bound_count; i++)
        counts[i] = weight * other->bound_counts[i];
    return add_bounds(hist, arena, other->bounds, counts, other->bound_count);
}

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
