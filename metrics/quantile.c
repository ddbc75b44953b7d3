#include "quantile.h"

#include <stdlib.h>

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

void values_sort(double *values, uint32_t count)
{
    if (count > 0)
        qsort(values, count, sizeof(*values), by_value);
}

double quantile_sorted(const double *values, uint32_t count, double q)
{
    double place = q * (count - 1);
    uint32_t low = (uint32_t)place, high = low + 1 < count ? low + 1 : low;

    return values[low] + (place - low) * (values[high] - values[low]);
}

double quantile(double *values, uint32_t count, double q)
{
    values_sort(values, count);
    return quantile_sorted(values, count, q);
}
