/*
 * line_fit - a line through noisy points that follow one another in time, and
 * how sure one can be of it.
 *
 * Theil and Sen's line (the median of slopes) finds outliers, which do not
 * count; least squares fit the others. The errors of neighbours may be alike,
 * so the uncertainty is Newey and West's, not below the usual one. Intervals
 * are of 95 %.
 */
#ifndef LINE_FIT_H
#define LINE_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "status.h"

struct line_point {
    double x, y;
};

struct estimate {
    double value, low, high; /* NAN: not known; high INFINITY: unbounded */
};

struct line_fit {
    double mean_x, mean_y, slope;
    double var_mean, var_slope, covariance;
    double t;  /* of Student's distribution */
    double r2; /* share of the variance that the line explains */
    uint32_t count, outliers;
};

enum { LINE_FIT_LEAST = 12 };

/* ERR_NOT_FOUND: there are fewer than LINE_FIT_LEAST points, or all have one x.
 * Points are in order of time. */
MUST_CHECK enum status line_fit(struct line_fit *fit, struct arena *arena,
                                const struct line_point *points,
                                uint32_t count);

struct estimate line_slope(const struct line_fit *fit);
struct estimate line_at(const struct line_fit *fit, double x);

/* Where the line reaches y (Fieller's interval). value NAN: it does not rise
 * for sure. */
struct estimate line_reaches(const struct line_fit *fit, double y);

/* From which x on y departs from flat, by medians of parts of equal size. */
struct line_knee {
    double x, flat; /* y before it */
};
/* False: no such place stands out. */
bool line_knee(struct line_knee *knee, struct arena *arena,
               const struct line_point *points, uint32_t count);

#endif
