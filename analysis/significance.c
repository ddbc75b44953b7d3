/* Statistics of two windows; see significance.h. */
#include "significance.h"

#include <math.h>

/* Fewer tell nothing. */
static const double FEW = 12;

double counts_dispersion(const double *cells, uint32_t count)
{
    double sum = 0, squares = 0, mean;

    for (uint32_t i = 0; i < count; i++)
        sum += cells[i];
    if (count < 3 || sum <= 0)
        return 1;
    mean = sum / count;
    for (uint32_t i = 0; i < count; i++)
        squares += (cells[i] - mean) * (cells[i] - mean);
    return fmax(1, squares / (count - 1) / mean);
}

double rates_differ(struct counted before, struct counted now,
                    double dispersion)
{
    double sum = before.count + now.count, seconds, rate, deviation;

    if (before.seconds <= 0 || now.seconds <= 0 || sum < FEW)
        return 0;
    seconds = before.seconds + now.seconds;
    rate = sum / seconds; /* if there is no difference */
    deviation =
        sqrt(dispersion * rate * (1 / before.seconds + 1 / now.seconds));
    return (now.count / now.seconds - before.count / before.seconds) /
           deviation;
}

double shares_differ(struct share before, struct share now, double dispersion)
{
    double p, deviation;

    if (before.all < FEW || now.all < FEW)
        return 0;
    p = (before.count + now.count) / (before.all + now.all);
    deviation = sqrt(dispersion * p * (1 - p) * (1 / before.all + 1 / now.all));
    return deviation > 0
               ? (now.count / now.all - before.count / before.all) / deviation
               : 0;
}

double quantiles_differ(const struct hist *before, const struct hist *now,
                        double q, double dispersion)
{
    double enough = FEW / 2 / (1 - q), limit;

    if (before->count < enough || now->count < enough)
        return 0;
    limit = hist_quantile(before, q);
    return shares_differ(
        (struct share){hist_count_above(before, limit), before->count},
        (struct share){hist_count_above(now, limit), now->count}, dispersion);
}

static double mean_of(const double *at, uint32_t count)
{
    double sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += at[i];
    return sum / count;
}

/* Of the mean. */
static double variance_of(const double *at, uint32_t count, double mean)
{
    double squares = 0;

    for (uint32_t i = 0; i < count; i++)
        squares += (at[i] - mean) * (at[i] - mean);
    return squares / (count - 1) / count;
}

double means_differ(const double *before, uint32_t before_count,
                    const double *now, uint32_t now_count)
{
    enum { LEAST = 3 };
    double a, b, deviation, least;

    if (before_count < LEAST || now_count < LEAST)
        return 0;
    a = mean_of(before, before_count);
    b = mean_of(now, now_count);
    deviation = sqrt(variance_of(before, before_count, a) +
                     variance_of(now, now_count, b));
    /* Few samples may be alike by chance. */
    least = 0.2 / fmin(before_count, now_count);
    deviation = fmax(deviation, least * fmax(fabs(a), fabs(b)));
    return deviation > 0 ? (b - a) / deviation : 0;
}
