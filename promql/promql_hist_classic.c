/* Classic histograms: cumulative counts by upper bound, which a rate makes
 * inexact and a scrape in between may make decrease. */
#include <float.h>
#include <math.h>

#include "promql_hist_value.h"

static bool almost_equal(double a, double b)
{
    const double tolerance = 1e-12;
    double sum = fabs(a) + fabs(b), difference = fabs(a - b);

    if ((isnan(a) && isnan(b)) || a == b)
        return true;
    if (a == 0 || b == 0 || sum < DBL_MIN)
        return difference < tolerance * DBL_MIN;
    return difference / fmin(sum, DBL_MAX) < tolerance;
}

/* One bucket per bound. */
static uint32_t coalesce(struct promql_le *at, uint32_t count)
{
    uint32_t last = 0;

    for (uint32_t i = 1; i < count; i++) {
        if (at[i].bound == at[last].bound)
            at[last].count += at[i].count;
        else
            at[++last] = at[i];
    }
    return last + 1;
}

static bool make_monotonic(struct promql_le *at, uint32_t count)
{
    double before = at[0].count;
    bool forced = false;

    for (uint32_t i = 1; i < count; i++) {
        double now = at[i].count;

        if (now == before)
            continue;
        if (almost_equal(before, now)) {
            at[i].count = before;
        } else if (now < before) {
            at[i].count = before;
            forced = true;
        } else {
            before = now;
        }
    }
    return forced;
}

static bool ends_at_infinity(const struct promql_le *at, uint32_t count)
{
    return count > 0 && isinf(at[count - 1].bound) && at[count - 1].bound > 0;
}

double promql_le_quantile(struct promql_le *at, uint32_t count, double q,
                          bool *forced)
{
    double rank, start = 0, in_bucket;
    uint32_t b = 0;

    if (isnan(q))
        return (double)NAN;
    if (q < 0)
        return -(double)INFINITY;
    if (q > 1)
        return (double)INFINITY;
    if (!ends_at_infinity(at, count))
        return (double)NAN;
    count = coalesce(at, count);
    *forced |= make_monotonic(at, count);
    if (count < 2 || at[count - 1].count == 0)
        return (double)NAN;
    rank = q * at[count - 1].count;
    while (b < count - 1 && !(at[b].count >= rank))
        b++;
    if (b == count - 1)
        return at[count - 2].bound;
    if (b == 0 && at[0].bound <= 0)
        return at[0].bound;
    in_bucket = at[b].count;
    if (b > 0) {
        start = at[b - 1].bound;
        in_bucket -= at[b - 1].count;
        rank -= at[b - 1].count;
    }
    return start + (at[b].bound - start) * (rank / in_bucket);
}

/* How many values are at most v. */
static double rank_of(const struct promql_le *at, uint32_t count, double v)
{
    double rank = 0, lower = -(double)INFINITY;

    for (uint32_t i = 0; i < count; i++) {
        double upper = at[i].bound;

        if (i == 0 && upper > 0)
            lower = 0;
        if (lower >= v)
            return rank;
        if (upper > v) {
            if (isinf(upper))
                return rank;
            if (isinf(lower))
                return at[i].count;
            return rank + (at[i].count - rank) * (v - lower) / (upper - lower);
        }
        rank = at[i].count;
        lower = upper;
    }
    return at[count - 1].count;
}

double promql_le_fraction(struct promql_le *at, uint32_t count, double lower,
                          double upper)
{
    double all;

    if (!ends_at_infinity(at, count))
        return (double)NAN;
    count = coalesce(at, count);
    all = at[count - 1].count;
    if (all == 0 || isnan(lower) || isnan(upper))
        return (double)NAN;
    if (lower >= upper)
        return 0;
    return (fmin(rank_of(at, count, upper), all) -
            fmin(rank_of(at, count, lower), all)) /
           all;
}
