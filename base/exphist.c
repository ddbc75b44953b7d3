/*
 * Ranges of buckets are computed first, on 64-bit indices, so that the counts
 * are walked once, whatever the difference of the scales.
 */
#include "exphist.h"

#include <math.h>

/* Scales further apart than this have no bucket in common worth keeping. */
enum { MERGE_MAX_SHIFT = 40 };

struct exphist_range exphist_range_lower(struct exphist_range range,
                                         int64_t shift)
{
    if (exphist_range_empty(range))
        return range;
    return (struct exphist_range){exphist_index(range.first, shift),
                                  exphist_index(range.last, shift)};
}

struct exphist_range exphist_range_union(struct exphist_range a,
                                         struct exphist_range b)
{
    if (exphist_range_empty(a))
        return b;
    if (exphist_range_empty(b))
        return a;
    return (struct exphist_range){a.first < b.first ? a.first : b.first,
                                  a.last > b.last ? a.last : b.last};
}

int32_t exphist_shift_to_fit(struct exphist_range range, uint32_t max)
{
    int32_t shift = 0;

    while (exphist_range_count(exphist_range_lower(range, shift)) > max)
        shift++;
    return shift;
}

/* In place: the target of a count never lies behind a count not yet moved. */
#define DEFINE_LOWER(name, type, add)                                      \
    struct exphist_range name(type *counts, struct exphist_range range,    \
                              int64_t shift)                               \
    {                                                                      \
        struct exphist_range to = exphist_range_lower(range, shift);       \
                                                                           \
        for (int64_t i = range.first; shift > 0 && i <= range.last; i++) { \
            type *target = &counts[exphist_index(i, shift) - to.first];    \
            type count = counts[i - range.first];                          \
                                                                           \
            counts[i - range.first] = 0;                                   \
            *target = add(*target, count);                                 \
        }                                                                  \
        return to;                                                         \
    }

#define ADD(a, b)           ((a) + (b))
#define ADD_SATURATED(a, b) ((a) > UINT32_MAX - (b) ? UINT32_MAX : (a) + (b))

DEFINE_LOWER(exphist_lower, uint64_t, ADD)
DEFINE_LOWER(exphist_lower_u32, uint32_t, ADD_SATURATED)
DEFINE_LOWER(exphist_lower_double, double, ADD)

static struct exphist_range range_of(const struct exp_buckets *buckets,
                                     int64_t shift)
{
    return exphist_range_lower(exphist_range(buckets->offset, buckets->count),
                               shift);
}

static void add_counts(uint64_t *counts, int64_t first,
                       const struct exp_buckets *buckets, int64_t shift)
{
    for (uint32_t i = 0; i < buckets->count; i++)
        counts[exphist_index((int64_t)buckets->offset + i, shift) - first] +=
            buckets->counts[i];
}

/* The buckets of one sign; range: of both at the common scale. */
static bool merge_buckets(struct arena *arena, struct exp_buckets *sum,
                          struct exphist_range range,
                          const struct exp_buckets *a, int64_t shift_a,
                          const struct exp_buckets *b, int64_t shift_b)
{
    size_t count = (size_t)exphist_range_count(range);
    uint64_t *counts;

    *sum = (struct exp_buckets){0};
    if (count == 0)
        return true;
    counts = arena_zero(arena, count, sizeof(*counts));
    if (!counts)
        return false;
    add_counts(counts, range.first, a, shift_a);
    add_counts(counts, range.first, b, shift_b);
    *sum = (struct exp_buckets){counts, (uint32_t)count, (int32_t)range.first};
    return true;
}

bool exphist_merge(struct arena *arena, struct histogram *sum,
                   const struct histogram *a, const struct histogram *b,
                   uint32_t max_buckets)
{
    int32_t scale = a->scale < b->scale ? a->scale : b->scale;
    int64_t shift_a = (int64_t)a->scale - scale;
    int64_t shift_b = (int64_t)b->scale - scale;
    struct exphist_range positive, negative;
    int32_t shift, shift_negative;

    if (shift_a > MERGE_MAX_SHIFT || shift_b > MERGE_MAX_SHIFT)
        return false;
    positive = exphist_range_union(range_of(&a->positive, shift_a),
                                   range_of(&b->positive, shift_b));
    negative = exphist_range_union(range_of(&a->negative, shift_a),
                                   range_of(&b->negative, shift_b));
    shift = exphist_shift_to_fit(positive, max_buckets);
    shift_negative = exphist_shift_to_fit(negative, max_buckets);
    if (shift < shift_negative)
        shift = shift_negative;
    sum->scale = scale - shift;
    sum->zero_count = a->zero_count + b->zero_count;
    return merge_buckets(arena, &sum->positive,
                         exphist_range_lower(positive, shift), &a->positive,
                         shift_a + shift, &b->positive, shift_b + shift) &&
           merge_buckets(arena, &sum->negative,
                         exphist_range_lower(negative, shift), &a->negative,
                         shift_a + shift, &b->negative, shift_b + shift);
}

double exphist_bound(int32_t scale, int64_t index)
{
    return exp2((double)index * exp2(-(double)scale));
}
