/*
 * Two NaNs with a meaning: Prometheus' staleness marker, and "no value".
 */
#include "promql.h"

#include <string.h>

#define STALE  UINT64_C(0x7ff0000000000002)
#define ABSENT UINT64_C(0x7ff8ca11b0a7d001)

static double of_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static uint64_t bits_of(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

double promql_stale(void)
{
    return of_bits(STALE);
}

bool promql_is_stale(double v)
{
    return bits_of(v) == STALE;
}

double promql_absent(void)
{
    return of_bits(ABSENT);
}

bool promql_is_absent(double v)
{
    return bits_of(v) == ABSENT;
}
