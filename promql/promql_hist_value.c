/*
 * Quantiles, shares and variance of native histograms. Values are thought to be
 * spread evenly in a bucket: on a logarithmic scale in exponential ones, on a
 * linear one in the zero bucket and in custom buckets.
 */
#include "promql_hist_value.h"

#include <math.h>

#include "exphist.h"
#include "promql_kahan.h"

struct native_bucket {
    double lower, upper, count;
    bool linear;
};

static bool is_custom(const struct promql_histogram *h)
{
    return h->schema == PROMQL_CUSTOM_BUCKETS;
}

static uint32_t bucket_count(const struct promql_histogram *h)
{
    return h->negative.count + (h->zero_count > 0) + h->positive.count;
}

static bool has_counts(const struct promql_buckets *buckets)
{
    for (uint32_t i = 0; i < buckets->count; i++)
        if (buckets->counts[i] != 0)
            return true;
    return false;
}

static struct native_bucket custom_bucket(const struct promql_histogram *h,
                                          uint32_t i)
{
    int64_t at = h->positive.offset + (int64_t)i;

    return (struct native_bucket){
        .lower = at <= 0                          ? -(double)INFINITY
                 : (uint64_t)at <= h->bound_count ? h->bounds[at - 1]
                                                  : (double)INFINITY,
        .upper = at < 0                          ? -(double)INFINITY
                 : (uint64_t)at < h->bound_count ? h->bounds[at]
                                                 : (double)INFINITY,
        .count = h->positive.counts[i],
        .linear = true,
    };
}

/* Bucket i from below; the zero bucket ends at 0 where there is nothing on the
 * other side. */
static struct native_bucket bucket_at(const struct promql_histogram *h,
                                      uint32_t i)
{
    const struct promql_buckets *side = &h->negative;
    int64_t index;

    if (i < side->count) {
        i = side->count - 1 - i;
        index = side->offset + (int64_t)i;
        return (struct native_bucket){-exphist_bound(h->schema, index + 1),
                                      -exphist_bound(h->schema, index),
                                      side->counts[i], false};
    }
    i -= side->count;
    if (h->zero_count > 0 && i-- == 0) {
        bool below = has_counts(&h->negative), above = has_counts(&h->positive);

        return (struct native_bucket){above && !below ? 0 : -h->zero_threshold,
                                      below && !above ? 0 : h->zero_threshold,
                                      h->zero_count, true};
    }
    if (is_custom(h))
        return custom_bucket(h, i);
    side = &h->positive;
    index = side->offset + (int64_t)i;
    return (struct native_bucket){exphist_bound(h->schema, index),
                                  exphist_bound(h->schema, index + 1),
                                  side->counts[i], false};
}

/* ---- quantile ---- */

static double point_in(const struct native_bucket *bucket, double fraction)
{
    double lower, upper;

    if (bucket->linear)
        return bucket->lower + (bucket->upper - bucket->lower) * fraction;
    lower = log2(fabs(bucket->lower));
    upper = log2(fabs(bucket->upper));
    if (bucket->lower > 0)
        return exp2(lower + (upper - lower) * fraction);
    return -exp2(upper + (lower - upper) * (1 - fraction));
}

/* The bucket that has the value of this rank, counted from its end, and how
 * many values there are up to the end of it. */
static struct native_bucket bucket_of(const struct promql_histogram *h, bool up,
                                      double rank, double *count)
{
    uint32_t buckets = bucket_count(h);
    struct native_bucket bucket = {0};

    for (uint32_t i = 0; i < buckets; i++) {
        struct native_bucket next = bucket_at(h, up ? i : buckets - 1 - i);

        if (next.count == 0)
            continue;
        bucket = next;
        *count += bucket.count;
        if (*count >= rank)
            break;
    }
    *count = fmin(*count, h->count);
    return bucket;
}

double promql_hist_quantile(const struct promql_histogram *h, double q)
{
    struct native_bucket bucket;
    /* From the nearer end; from below if values that are NaN are at the end. */
    bool up = isnan(h->sum) || q < 0.5;
    double rank = (up ? q : 1 - q) * h->count, count = 0;

    if (q < 0)
        return -(double)INFINITY;
    if (q > 1)
        return (double)INFINITY;
    if (h->count == 0 || isnan(q))
        return (double)NAN;
    bucket = bucket_of(h, up, rank, &count);
    if (is_custom(h) && isinf(bucket.lower)) { /* as in classic ones */
        if (bucket.upper <= 0)
            return bucket.upper;
        bucket.lower = 0;
    } else if (is_custom(h) && isinf(bucket.upper)) {
        return bucket.lower;
    }
    if (count < rank)
        return isnan(h->sum) ? (double)NAN : bucket.upper;
    rank = up ? rank - (count - bucket.count) : count - rank;
    return point_in(&bucket, rank / bucket.count);
}

/* ---- fraction ---- */

/* The share of a bucket's values that are at most v, which is inside. */
static double share_below(const struct native_bucket *bucket, double v)
{
    double lower, upper, at;

    if (bucket->linear) {
        if (isinf(bucket->lower))
            return 1; /* nothing is known: all of it */
        if (isinf(bucket->upper))
            return 0;
        return (v - bucket->lower) / (bucket->upper - bucket->lower);
    }
    lower = log2(fabs(bucket->lower));
    upper = log2(fabs(bucket->upper));
    at = log2(fabs(v));
    return v > 0 ? (at - lower) / (upper - lower)
                 : 1 - (at - upper) / (lower - upper);
}

/* How many values are at most v. */
static double rank_of(const struct promql_histogram *h, double v)
{
    uint32_t buckets = bucket_count(h);
    double rank = 0;

    for (uint32_t i = 0; i < buckets; i++) {
        struct native_bucket bucket = bucket_at(h, i);

        if (is_custom(h) && isinf(bucket.lower) && bucket.lower < 0 &&
            bucket.upper > 0)
            bucket.lower = 0;
        if (bucket.lower >= v)
            return rank;
        if (bucket.upper > v)
            return rank + bucket.count * share_below(&bucket, v);
        rank += bucket.count;
    }
    return h->count;
}

double promql_hist_fraction(const struct promql_histogram *h, double lower,
                            double upper)
{
    if (h->count == 0 || isnan(lower) || isnan(upper))
        return (double)NAN;
    if (lower >= upper)
        return 0;
    return (fmin(rank_of(h, upper), h->count) -
            fmin(rank_of(h, lower), h->count)) /
           h->count;
}

/* ---- variance ---- */

double promql_hist_variance(const struct promql_histogram *h)
{
    double mean = h->sum / h->count, sum = 0, lost = 0;

    for (uint32_t i = 0; i < bucket_count(h); i++) {
        struct native_bucket bucket = bucket_at(h, i);
        double middle;

        if (bucket.count == 0)
            continue;
        if (is_custom(h))
            middle = (bucket.upper + bucket.lower) / 2;
        else if (bucket.linear)
            middle = 0;
        else
            middle = copysign(sqrt(bucket.upper * bucket.lower), bucket.upper);
        promql_kahan(bucket.count * (middle - mean) * (middle - mean), &sum,
                     &lost);
    }
    return (sum + lost) / h->count;
}
