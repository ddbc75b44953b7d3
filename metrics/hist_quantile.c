/*
 * Quantiles and means of a hist.
 *
 * A quantile of exponential or of explicit buckets is a walk along them. If a
 * hist holds both (series of two SDKs in one component) the sum of both
 * distribution functions is searched by bisection.
 *
 * min and max, where the senders gave them, narrow the outermost buckets: an
 * SDK that puts all its values into one wide bucket still gets a sensible
 * answer.
 */
#include <math.h>

#include "exphist.h"
#include "hist.h"

enum { BISECTIONS = 60 };

/* One bucket; a count that a subtraction left a little below zero is 0. */
struct bucket {
    double low, high, count;
    bool geometric;
};

static uint32_t bucket_total(const struct hist *hist)
{
    return 1 + hist->len + (hist->bound_counts ? hist->bound_count + 1 : 0);
}

static struct bucket explicit_bucket(const struct hist *hist, uint32_t i)
{
    struct bucket b = {0, 0, hist->bound_counts[i], false};
    double first = hist->bound_count ? hist->bounds[0] : 0;

    b.low = i ? hist->bounds[i - 1] : fmin(0, first);
    if (i < hist->bound_count && isfinite(hist->bounds[i]))
        b.high = hist->bounds[i];
    else
        b.high = hist->no_max ? b.low : fmax(b.low, hist->max);
    return b;
}

/* 0: the zero bucket; then the exponential ones; then the explicit ones. */
static struct bucket bucket_at(const struct hist *hist, uint32_t i)
{
    struct bucket b;

    if (i == 0) {
        b = (struct bucket){0, hist->zero_threshold, hist->zero, false};
    } else if (i <= hist->len) {
        int64_t index = hist->offset + i - 1;

        b = (struct bucket){0, 0, hist->counts[i - 1], true};
        if (b.count > 0) {
            b.low = exphist_bound(hist->scale, index);
            b.high = exphist_bound(hist->scale, index + 1);
        }
    } else {
        b = explicit_bucket(hist, i - hist->len - 1);
    }
    if (!(b.count > 0))
        b.count = 0;
    if (!hist->no_min && b.low < hist->min)
        b.low = fmin(hist->min, b.high);
    if (!hist->no_max && b.high > hist->max)
        b.high = fmax(hist->max, b.low);
    return b;
}

static double inside(const struct bucket *b, double share)
{
    if (b->geometric && b->low > 0 && isfinite(b->high))
        return b->low * pow(b->high / b->low, share);
    return b->low + (b->high - b->low) * share;
}

/* How many values of the bucket are at most x. */
static double below(const struct bucket *b, double x)
{
    if (x >= b->high)
        return b->count;
    if (x <= b->low)
        return 0;
    return b->count * (b->geometric && b->low > 0
                           ? log(x / b->low) / log(b->high / b->low)
                           : (x - b->low) / (b->high - b->low));
}

static double walk(const struct hist *hist, double rank)
{
    struct bucket last = {0};

    for (uint32_t i = 0; i < bucket_total(hist); i++) {
        struct bucket b = bucket_at(hist, i);

        if (b.count <= 0)
            continue;
        if (rank <= b.count)
            return inside(&b, rank / b.count);
        rank -= b.count;
        last = b;
    }
    return last.high; /* a rounding error was left of the rank */
}

static double bisect(const struct hist *hist, double rank)
{
    double low = 0, high = 0;

    for (uint32_t i = 0; i < bucket_total(hist); i++) {
        struct bucket b = bucket_at(hist, i);

        if (b.count > 0 && b.high > high)
            high = b.high;
        if (b.count > 0 && b.low < low)
            low = b.low;
    }
    for (int n = 0; n < BISECTIONS; n++) {
        double middle = low + (high - low) / 2, sum = 0;

        for (uint32_t i = 0; i < bucket_total(hist); i++) {
            struct bucket b = bucket_at(hist, i);

            sum += below(&b, middle);
        }
        if (sum < rank)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double hist_quantile(const struct hist *hist, double q)
{
    double total = 0;
    bool exponential = hist->zero > 0;

    for (uint32_t i = 0; i < bucket_total(hist); i++) {
        struct bucket b = bucket_at(hist, i);

        total += b.count;
        exponential |= b.geometric && b.count > 0;
    }
    if (!(total > 0))
        return NAN;
    if (!exponential && hist->bound_count == 0 && hist->no_max)
        return hist_mean(hist); /* no buckets: all that is known */
    return exponential && hist->bound_counts ? bisect(hist, q * total)
                                             : walk(hist, q * total);
}

double hist_count_above(const struct hist *hist, double value)
{
    double above = 0;

    for (uint32_t i = 0; i < bucket_total(hist); i++) {
        struct bucket b = bucket_at(hist, i);

        above += b.count - below(&b, value);
    }
    return above;
}

double hist_mean(const struct hist *hist)
{
    return hist->sum_count > 0 ? hist->sum / hist->sum_count : (double)NAN;
}
