/*
 * Two histograms are added by bringing both to one layout: the coarser schema,
 * the wider zero bucket, and the range of buckets that holds both.
 */
#include "promql_histogram.h"

#include <math.h>

#include "exphist.h"

static bool is_custom(const struct promql_histogram *h)
{
    return h->schema == PROMQL_CUSTOM_BUCKETS;
}

bool promql_histogram_fit(const struct promql_histogram *a,
                          const struct promql_histogram *b)
{
    if (is_custom(a) != is_custom(b))
        return false;
    if (!is_custom(a))
        return true;
    if (a->bound_count != b->bound_count)
        return false;
    for (uint32_t i = 0; i < a->bound_count; i++)
        if (a->bounds[i] != b->bounds[i])
            return false;
    return true;
}

/* ---- layouts ---- */

struct hist_layout {
    int32_t schema;
    double zero_threshold;
    struct exphist_range positive, negative; /* of buckets, at the schema */
};

static double upper_bound(int64_t index, int32_t schema)
{
    return exp2(ldexp((double)(index + 1), -schema));
}

/* The buckets from the first to the last that is not empty. */
static struct exphist_range used_range(const struct promql_buckets *buckets)
{
    struct exphist_range range = {0, -1};
    uint32_t first = 0, end = buckets->count;

    while (first < end && buckets->counts[first] == 0)
        first++;
    while (end > first && buckets->counts[end - 1] == 0)
        end--;
    if (first < end)
        range = exphist_range(buckets->offset + (int64_t)first, end - first);
    return range;
}

/* The upper bound of the last bucket that begins below the threshold and has
 * counts: the zero bucket must reach up to there, as no bucket is split. */
static double reach(const struct promql_histogram *h,
                    const struct promql_buckets *side, double threshold)
{
    double bound = threshold;

    for (uint32_t i = 0; i < side->count; i++) {
        int64_t index = side->offset + (int64_t)i;

        if (upper_bound(index - 1, h->schema) >= threshold)
            break;
        if (side->counts[i] != 0 && upper_bound(index, h->schema) > bound)
            bound = upper_bound(index, h->schema);
    }
    return bound;
}

static double common_threshold(const struct promql_histogram *a,
                               const struct promql_histogram *b)
{
    double threshold = fmax(a->zero_threshold, b->zero_threshold);

    if (a->zero_threshold == b->zero_threshold)
        return threshold;
    for (;;) {
        double wider = threshold;

        for (int i = 0; i < 2; i++) {
            const struct promql_histogram *h = i ? b : a;

            if (h->zero_threshold < threshold) {
                wider = fmax(wider, reach(h, &h->positive, threshold));
                wider = fmax(wider, reach(h, &h->negative, threshold));
            }
        }
        if (wider <= threshold)
            return threshold;
        threshold = wider;
    }
}

static struct exphist_range joined(const struct promql_buckets *a, int shift_a,
                                   const struct promql_buckets *b, int shift_b)
{
    struct exphist_range of_a = exphist_range_lower(used_range(a), shift_a);
    struct exphist_range of_b = exphist_range_lower(used_range(b), shift_b);

    if (exphist_range_empty(of_a))
        return of_b;
    if (exphist_range_empty(of_b))
        return of_a;
    return exphist_range_union(of_a, of_b);
}

static struct hist_layout layout_of(const struct promql_histogram *a,
                                    const struct promql_histogram *b)
{
    struct hist_layout layout = {.schema = a->schema};
    int shift_a, shift_b;

    if (is_custom(a)) {
        layout.positive = exphist_range(0, a->bound_count + 1);
        layout.negative = (struct exphist_range){0, -1};
        return layout;
    }
    if (b->schema < layout.schema)
        layout.schema = b->schema;
    shift_a = a->schema - layout.schema;
    shift_b = b->schema - layout.schema;
    layout.zero_threshold = common_threshold(a, b);
    layout.positive = joined(&a->positive, shift_a, &b->positive, shift_b);
    layout.negative = joined(&a->negative, shift_a, &b->negative, shift_b);
    return layout;
}

/* ---- adding into a layout ---- */

/* Adds the buckets of a side; what lies in the zero bucket of the layout is
 * returned instead. */
static double add_side(double *counts, struct exphist_range range,
                       const struct promql_histogram *h,
                       const struct promql_buckets *side,
                       const struct hist_layout *layout, double sign)
{
    int shift = is_custom(h) ? 0 : h->schema - layout->schema;
    bool widened = h->zero_threshold < layout->zero_threshold;
    double zero = 0;

    for (uint32_t i = 0; i < side->count; i++) {
        int64_t index = side->offset + (int64_t)i;

        if (side->counts[i] == 0)
            continue;
        if (widened && upper_bound(index, h->schema) <= layout->zero_threshold)
            zero += side->counts[i];
        else
            counts[exphist_index(index, shift) - range.first] +=
                sign * side->counts[i];
    }
    return zero;
}

static void add_into(struct promql_total *total,
                     const struct promql_histogram *h,
                     const struct hist_layout *layout, double sign)
{
    double zero = h->zero_count;

    zero += add_side(total->positive, layout->positive, h, &h->positive, layout,
                     sign);
    zero += add_side(total->negative, layout->negative, h, &h->negative, layout,
                     sign);
    total->sum.zero_count += sign * zero;
    total->sum.count += sign * h->count;
    total->sum.sum += sign * h->sum;
}

static struct promql_buckets side_of(const double *counts,
                                     struct exphist_range range)
{
    return (struct promql_buckets){counts, (uint32_t)exphist_range_count(range),
                                   (int32_t)range.first};
}

/* A schema is 8 at most and offsets have 32 bits, but who sends a bucket at
 * either end of them must not cost gigabytes. */
enum { MAX_BUCKETS = 1 << 16 };

static bool total_make(struct promql_total *total, struct arena *arena,
                       const struct promql_histogram *like,
                       const struct hist_layout *layout)
{
    uint64_t positive = exphist_range_count(layout->positive);
    uint64_t negative = exphist_range_count(layout->negative);

    if (positive > MAX_BUCKETS || negative > MAX_BUCKETS)
        return false;
    total->positive = arena_zero(arena, positive + 1, sizeof(double));
    total->negative = arena_zero(arena, negative + 1, sizeof(double));
    if (!total->positive || !total->negative)
        return false;
    total->sum = (struct promql_histogram){
        .schema = layout->schema,
        .zero_threshold = layout->zero_threshold,
        .positive = side_of(total->positive, layout->positive),
        .negative = side_of(total->negative, layout->negative),
        .bounds = like->bounds,
        .bound_count = like->bound_count,
    };
    return true;
}

struct promql_total *promql_total_new(struct arena *arena,
                                      const struct promql_histogram *first)
{
    struct promql_total *total = arena_zero(arena, 1, sizeof(*total));
    struct hist_layout layout = layout_of(first, first);
    double *bounds;

    if (!total || !total_make(total, arena, first, &layout))
        return NULL;
    if (first->bound_count > 0) { /* those of the sample end with the call */
        bounds = arena_zero(arena, first->bound_count, sizeof(*bounds));
        if (!bounds)
            return NULL;
        memcpy(bounds, first->bounds, first->bound_count * sizeof(*bounds));
        total->sum.bounds = bounds;
    }
    add_into(total, first, &layout, 1);
    return total;
}

static bool covers(const struct promql_buckets *side,
                   struct exphist_range range)
{
    return exphist_range_empty(range) ||
           (side->offset <= range.first &&
            side->offset + (int64_t)side->count > range.last);
}

bool promql_total_add(struct promql_total *total, struct arena *arena,
                      const struct promql_histogram *h)
{
    struct promql_histogram *sum = &total->sum, old = *sum;
    struct hist_layout layout;

    if (!promql_histogram_fit(sum, h))
        return false;
    layout = layout_of(sum, h);
    if (layout.schema == sum->schema &&
        layout.zero_threshold == sum->zero_threshold &&
        covers(&sum->positive, layout.positive) &&
        covers(&sum->negative, layout.negative)) {
        layout.positive.first = sum->positive.offset;
        layout.negative.first = sum->negative.offset;
        add_into(total, h, &layout, 1);
        return true;
    }
    if (!total_make(total, arena, &old, &layout))
        return false;
    add_into(total, &old, &layout, 1);
    add_into(total, h, &layout, 1);
    return true;
}

void promql_total_scale(struct promql_total *total, double factor,
                        double divisor)
{
    struct promql_histogram *sum = &total->sum;

    sum->count = sum->count * factor / divisor;
    sum->sum = sum->sum * factor / divisor;
    sum->zero_count = sum->zero_count * factor / divisor;
    for (uint32_t i = 0; i < sum->positive.count; i++)
        total->positive[i] = total->positive[i] * factor / divisor;
    for (uint32_t i = 0; i < sum->negative.count; i++)
        total->negative[i] = total->negative[i] * factor / divisor;
}

/* ---- single operations ---- */

struct promql_total *promql_total_of(struct arena *arena,
                                     const struct promql_histogram *a,
                                     const struct promql_histogram *b,
                                     double sign)
{
    struct promql_total *total;
    struct hist_layout layout;

    if (!promql_histogram_fit(a, b))
        return NULL;
    total = arena_zero(arena, 1, sizeof(*total));
    layout = layout_of(a, b);
    if (!total || !total_make(total, arena, a, &layout))
        return NULL;
    add_into(total, a, &layout, 1);
    add_into(total, b, &layout, sign);
    return total;
}

struct promql_histogram *promql_histogram_sum(struct arena *arena,
                                              const struct promql_histogram *a,
                                              const struct promql_histogram *b,
                                              double sign)
{
    struct promql_total *total = promql_total_of(arena, a, b, sign);

    return total ? &total->sum : NULL;
}

struct promql_histogram *promql_histogram_times(
    struct arena *arena, const struct promql_histogram *h, double factor)
{
    struct promql_total *total = promql_total_new(arena, h);

    if (!total)
        return NULL;
    promql_total_scale(total, factor, 1);
    return &total->sum;
}

struct promql_histogram *promql_histogram_over(struct arena *arena,
                                               const struct promql_histogram *h,
                                               double divisor)
{
    struct promql_total *total = promql_total_new(arena, h);

    if (!total)
        return NULL;
    promql_total_scale(total, 1, divisor);
    return &total->sum;
}

struct promql_histogram *promql_histogram_copy(struct arena *arena,
                                               const struct promql_histogram *h)
{
    return promql_histogram_times(arena, h, 1);
}

/* ---- comparing ---- */

static double count_at(const struct promql_buckets *side, int64_t index)
{
    int64_t i = index - side->offset;

    return i >= 0 && i < (int64_t)side->count ? side->counts[i] : 0;
}

/* Whether a bucket of `before`, at the coarser schema of `after`, has more than
 * `after` has. */
static bool bucket_fell(const struct promql_histogram *before,
                        const struct promql_buckets *was,
                        const struct promql_histogram *after,
                        const struct promql_buckets *is)
{
    int shift = is_custom(before) ? 0 : before->schema - after->schema;
    bool widened = after->zero_threshold > before->zero_threshold;

    for (uint32_t i = 0; i < was->count;) {
        int64_t index = exphist_index(was->offset + (int64_t)i, shift);
        double count = 0;

        for (; i < was->count &&
               exphist_index(was->offset + (int64_t)i, shift) == index;
             i++)
            count += was->counts[i];
        if (count > count_at(is, index) &&
            !(widened &&
              upper_bound(index, after->schema) <= after->zero_threshold))
            return true;
    }
    return false;
}

bool promql_histogram_is_reset(const struct promql_histogram *before,
                               const struct promql_histogram *after)
{
    if (after->count < before->count ||
        after->zero_threshold < before->zero_threshold)
        return true;
    if (!promql_histogram_fit(before, after))
        return true;
    if (!is_custom(before) && after->schema > before->schema)
        return true;
    return after->zero_count < before->zero_count ||
           bucket_fell(before, &before->positive, after, &after->positive) ||
           bucket_fell(before, &before->negative, after, &after->negative);
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same_side(const struct promql_buckets *a,
                      const struct promql_buckets *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (a->counts[i] != count_at(b, a->offset + (int64_t)i))
            return false;
    for (uint32_t i = 0; i < b->count; i++)
        if (b->counts[i] != count_at(a, b->offset + (int64_t)i))
            return false;
    return true;
}

bool promql_histogram_equal(const struct promql_histogram *a,
                            const struct promql_histogram *b)
{
    return a->schema == b->schema && promql_histogram_fit(a, b) &&
           a->zero_threshold == b->zero_threshold &&
           a->zero_count == b->zero_count && same_number(a->count, b->count) &&
           same_number(a->sum, b->sum) &&
           same_side(&a->positive, &b->positive) &&
           same_side(&a->negative, &b->negative);
}
