/*
 * hist_int - what hist.c and hist_quantile.c share.
 */
#ifndef HIST_INT_H
#define HIST_INT_H

#include <math.h>
#include <stdint.h>

/* Upper end of bucket index - 1, lower end of bucket index. */
static inline double hist_edge(int32_t scale, int64_t index)
{
    return exp2((double)index * exp2(-(double)scale));
}

#endif
