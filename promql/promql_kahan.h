/*
 * promql_kahan - sums that keep what rounding would lose (Kahan, in Neumaier's
 * form). The sum of all that was added is sum + lost.
 */
#ifndef PROMQL_KAHAN_H
#define PROMQL_KAHAN_H

#include <math.h>
#include <stdbool.h>

static inline void promql_kahan(double v, double *sum, double *lost)
{
    double t = *sum + v;

    if (isinf(t))
        *lost = 0;
    else if (fabs(*sum) >= fabs(v))
        *lost += (*sum - t) + v;
    else
        *lost += (v - t) + *sum;
    *sum = t;
}

/* A mean that becomes one of steps when the sum would overflow. */
struct promql_mean {
    double sum, lost; /* of the values; `stepwise`: of the mean */
    double count;
    bool stepwise;
};

static inline void promql_mean_add(struct promql_mean *mean, double v)
{
    double sum = mean->sum, lost = mean->lost, share;

    mean->count++;
    if (mean->count == 1) {
        mean->sum = v;
        return;
    }
    if (!mean->stepwise) {
        promql_kahan(v, &sum, &lost);
        if (!isinf(sum)) {
            mean->sum = sum;
            mean->lost = lost;
            return;
        }
        mean->stepwise = true;
        mean->sum /= mean->count - 1;
        mean->lost /= mean->count - 1;
    }
    share = (mean->count - 1) / mean->count;
    mean->sum *= share;
    mean->lost *= share;
    promql_kahan(v / mean->count, &mean->sum, &mean->lost);
}

static inline double promql_mean_value(const struct promql_mean *mean)
{
    return mean->stepwise ? mean->sum + mean->lost
                          : mean->sum / mean->count + mean->lost / mean->count;
}

#endif
