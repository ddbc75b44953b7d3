/* Functions of one float, as Go's math package computes them: max(+Inf, NaN) is
 * +Inf, max(1, NaN) is NaN. */
#include "promql_handlers.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

#define MATH(name, value)                                                  \
    double promql_##name(double v, const double *args, uint32_t arg_count) \
    {                                                                      \
        (void)args;                                                        \
        (void)arg_count;                                                   \
        return value;                                                      \
    }

MATH(abs, fabs(v))
MATH(ceil, ceil(v))
MATH(floor, floor(v))
MATH(exp, exp(v))
MATH(ln, log(v))
MATH(log2, log2(v))
MATH(log10, log10(v))
MATH(sqrt, sqrt(v))
MATH(sin, sin(v))
MATH(cos, cos(v))
MATH(tan, tan(v))
MATH(asin, asin(v))
MATH(acos, acos(v))
MATH(atan, atan(v))
MATH(sinh, sinh(v))
MATH(cosh, cosh(v))
MATH(tanh, tanh(v))
MATH(asinh, asinh(v))
MATH(acosh, acosh(v))
MATH(atanh, atanh(v))
MATH(deg, v * 180 / pi)
MATH(rad, v *pi / 180)
MATH(sgn, v<0 ? -1 : v> 0 ? 1 : v)

/* Of halves up, with a number to which it is rounded. */
double promql_round(double v, const double *args, uint32_t arg_count)
{
    double inverse = 1 / (arg_count > 0 ? args[0] : 1);

    return floor(v * inverse + 0.5) / inverse;
}

static double go_max(double a, double b)
{
    if (isinf(a) && a > 0)
        return a;
    if (isinf(b) && b > 0)
        return b;
    if (isnan(a) || isnan(b))
        return NAN;
    return a > b ? a : b;
}

static double go_min(double a, double b)
{
    return -go_max(-a, -b);
}

/* Nothing if there is nothing between the two. */
double promql_clamp(double v, const double *args, uint32_t arg_count)
{
    (void)arg_count;
    return args[1] < args[0] ? promql_absent()
                             : go_max(args[0], go_min(args[1], v));
}

double promql_clamp_min(double v, const double *args, uint32_t arg_count)
{
    (void)arg_count;
    return go_max(args[0], v);
}

double promql_clamp_max(double v, const double *args, uint32_t arg_count)
{
    (void)arg_count;
    return go_min(args[0], v);
}
