/* A line through noisy points; see line_fit.h. */
#include "line_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "quantile.h"

enum {
    SEN_POINTS = 160, /* whose pairs give the median slope */
    KNEE_PARTS = 20,
    KNEE_LEAST = 6 * KNEE_PARTS, /* points */
    KNEE_EDGE = 3                /* parts on either side of a knee */
};
#define OUTLIER 5.0 /* standard deviations */

/* ---- Theil and Sen ---- */

static double median_slope(const struct line_point *points, uint32_t count,
                           double *slopes)
{
    uint32_t step = (count + SEN_POINTS - 1) / SEN_POINTS, n = 0;

    for (uint32_t i = 0; i < count; i += step)
        for (uint32_t k = i + step; k < count; k += step)
            if (points[k].x != points[i].x)
                slopes[n++] =
                    (points[k].y - points[i].y) / (points[k].x - points[i].x);
    return n > 0 ? quantile(slopes, n, 0.5) : NAN;
}

/* The points that are no outliers of the median line. */
static uint32_t keep_inliers(const struct line_point *points, uint32_t count,
                             double slope, double *rest,
                             struct line_point *kept)
{
    uint32_t n = 0;
    double middle, spread;

    for (uint32_t i = 0; i < count; i++)
        rest[i] = points[i].y - slope * points[i].x;
    middle = quantile(rest, count, 0.5);
    for (uint32_t i = 0; i < count; i++)
        rest[i] = fabs(points[i].y - slope * points[i].x - middle);
    /* Most have one value: none is an outlier. 1.4826: of a normal distribution
     * this is the standard deviation. */
    spread = 1.4826 * quantile(rest, count, 0.5);
    for (uint32_t i = 0; i < count; i++)
        if (spread == 0 || fabs(points[i].y - slope * points[i].x - middle) <=
                               OUTLIER * spread)
            kept[n++] = points[i];
    return n;
}

/* ---- least squares ---- */

/* Student's t of 97.5 %, by Cornish and Fisher's expansion. */
static double student(double freedom)
{
    const double z = 1.959964;

    return z + (pow(z, 3) + z) / (4 * freedom) +
           (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / (96 * freedom * freedom);
}

static double residual(const struct line_fit *fit, const struct line_point *p)
{
    return p->y - fit->mean_y - fit->slope * (p->x - fit->mean_x);
}

struct moments {
    double one, x, xx;
};

/* Sums of products of the errors of points that are `lag` apart. */
static struct moments lagged(const struct line_fit *fit,
                             const struct line_point *points, uint32_t lag)
{
    struct moments sum = {0};

    for (uint32_t i = lag; i < fit->count; i++) {
        const struct line_point *a = &points[i], *b = &points[i - lag];
        double ee = residual(fit, a) * residual(fit, b);
        double xa = a->x - fit->mean_x, xb = b->x - fit->mean_x;

        sum.one += ee;
        sum.x += ee * (xa + xb) / 2;
        sum.xx += ee * xa * xb;
    }
    return sum;
}

static void find_variance(struct line_fit *fit, const struct line_point *points,
                          double sxx)
{
    double n = fit->count, correction = n / (n - 2);
    uint32_t lags = (uint32_t)(4 * pow(n / 100, 2.0 / 9)) + 1;
    struct moments sum = lagged(fit, points, 0);
    double usual = sum.one / (n - 2);

    for (uint32_t lag = 1; lag <= lags; lag++) {
        struct moments more = lagged(fit, points, lag);
        double weight = 2 * (1 - lag / (lags + 1.0));

        sum.one += weight * more.one;
        sum.x += weight * more.x;
        sum.xx += weight * more.xx;
    }
    fit->var_mean = fmax(usual / n, correction * sum.one / (n * n));
    fit->var_slope = fmax(usual / sxx, correction * sum.xx / (sxx * sxx));
    fit->covariance = correction * sum.x / (n * sxx);
    /* Where the usual ones are larger, it must stay a covariance. */
    double most = sqrt(fit->var_mean * fit->var_slope);
    fit->covariance = fmin(most, fmax(-most, fit->covariance));
}

static enum status least_squares(struct line_fit *fit,
                                 const struct line_point *points,
                                 uint32_t count)
{
    double sxx = 0, sxy = 0, syy = 0, left = 0;

    fit->count = count;
    for (uint32_t i = 0; i < count; i++) {
        fit->mean_x += points[i].x / count;
        fit->mean_y += points[i].y / count;
    }
    for (uint32_t i = 0; i < count; i++) {
        double x = points[i].x - fit->mean_x, y = points[i].y - fit->mean_y;

        sxx += x * x;
        sxy += x * y;
        syy += y * y;
    }
    if (!(sxx > 1e-12 * count * fit->mean_x * fit->mean_x) || sxx == 0)
        return ERR_NOT_FOUND;
    fit->slope = sxy / sxx;
    for (uint32_t i = 0; i < count; i++)
        left += pow(residual(fit, &points[i]), 2);
    fit->r2 = syy > 0 ? 1 - left / syy : 0;
    fit->t = student(count - 2);
    find_variance(fit, points, sxx);
    return OK;
}

enum status line_fit(struct line_fit *fit, struct arena *arena,
                     const struct line_point *points, uint32_t count)
{
    double *numbers;
    struct line_point *kept;
    double slope;
    uint32_t n;

    *fit = (struct line_fit){0};
    if (count < LINE_FIT_LEAST)
        return ERR_NOT_FOUND;
    numbers = arena_zero(
        arena,
        count > SEN_POINTS * SEN_POINTS ? count : SEN_POINTS * SEN_POINTS,
        sizeof(*numbers));
    kept = arena_zero(arena, count, sizeof(*kept));
    if (!numbers || !kept)
        return arena_status(arena);
    slope = median_slope(points, count, numbers);
    if (!isfinite(slope))
        return ERR_NOT_FOUND;
    n = keep_inliers(points, count, slope, numbers, kept);
    if (n < LINE_FIT_LEAST)
        return ERR_NOT_FOUND;
    fit->outliers = count - n;
    return least_squares(fit, kept, n);
}

/* ---- what follows from it ---- */

struct estimate line_slope(const struct line_fit *fit)
{
    double wide = fit->t * sqrt(fit->var_slope);

    return (struct estimate){fit->slope, fit->slope - wide, fit->slope + wide};
}

struct estimate line_at(const struct line_fit *fit, double x)
{
    double u = x - fit->mean_x, y = fit->mean_y + fit->slope * u;
    double wide = fit->t * sqrt(fmax(0, fit->var_mean + u * u * fit->var_slope +
                                            2 * u * fit->covariance));

    return (struct estimate){y, y - wide, y + wide};
}

struct estimate line_reaches(const struct line_fit *fit, double y)
{
    double t2 = fit->t * fit->t, d = y - fit->mean_y;
    double a = fit->slope * fit->slope - t2 * fit->var_slope;
    double b = fit->slope * d + t2 * fit->covariance;
    double c = d * d - t2 * fit->var_mean;
    double root = b * b - a * c;

    if (!(a > 0) || fit->slope <= 0)
        return (struct estimate){NAN, NAN, NAN};
    root = sqrt(fmax(0, root));
    return (struct estimate){fit->mean_x + d / fit->slope,
                             fit->mean_x + (b - root) / a,
                             fit->mean_x + (b + root) / a};
}

/* ---- the knee ---- */

static int by_x(const void *left, const void *right)
{
    const struct line_point *a = left, *b = right;

    return (a->x > b->x) - (a->x < b->x);
}

/* Medians of parts of equal size, by x. */
static bool find_parts(struct line_point *parts, struct arena *arena,
                       const struct line_point *points, uint32_t count)
{
    struct line_point *sorted = arena_zero(arena, count, sizeof(*sorted));
    double *numbers = arena_zero(arena, count, sizeof(*numbers));

    if (!sorted || !numbers)
        return false;
    memcpy(sorted, points, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_x);
    for (uint32_t p = 0; p < KNEE_PARTS; p++) {
        uint32_t from = (uint32_t)((uint64_t)count * p / KNEE_PARTS);
        uint32_t to = (uint32_t)((uint64_t)count * (p + 1) / KNEE_PARTS);

        for (uint32_t i = from; i < to; i++)
            numbers[i - from] = sorted[i].y;
        parts[p].y = quantile(numbers, to - from, 0.5);
        parts[p].x = sorted[(from + to) / 2].x;
    }
    return true;
}

/* Least squares of y = flat + slope * max(0, x - bend); the squares left. */
static double fit_bend(const struct line_point *parts, double bend,
                       double *flat, double *slope)
{
    double h = 0, y = 0, hh = 0, hy = 0, left = 0, n = KNEE_PARTS;

    for (uint32_t i = 0; i < KNEE_PARTS; i++) {
        double at = fmax(0, parts[i].x - bend);

        h += at;
        y += parts[i].y;
        hh += at * at;
        hy += at * parts[i].y;
    }
    double det = n * hh - h * h;
    *slope = det > 0 ? (n * hy - h * y) / det : 0;
    *flat = (y - *slope * h) / n;
    for (uint32_t i = 0; i < KNEE_PARTS; i++)
        left +=
            pow(parts[i].y - *flat - *slope * fmax(0, parts[i].x - bend), 2);
    return left;
}

bool line_knee(struct line_knee *knee, struct arena *arena,
               const struct line_point *points, uint32_t count)
{
    struct line_point parts[KNEE_PARTS];
    double best = INFINITY, flat, slope, straight;

    if (count < KNEE_LEAST || !find_parts(parts, arena, points, count))
        return false;
    straight = fit_bend(parts, parts[0].x - 1, &flat, &slope);
    for (uint32_t i = KNEE_EDGE; i < KNEE_PARTS - KNEE_EDGE; i++) {
        double left = fit_bend(parts, parts[i].x, &flat, &slope);

        if (left < best && slope > 0 && flat > 0) {
            best = left;
            *knee = (struct line_knee){parts[i].x, flat};
        }
    }
    return best < 0.5 * straight && parts[KNEE_PARTS - 1].y > 1.5 * knee->flat;
}
