/* From cells of time to the rates at which limits break. */
#include <math.h>

#include "capacity.h"
#include "quantile.h"

enum { LEAST_CELLS = 24, PRESENT_CELLS_LEAST = 3 };
#define PRESENT_HOURS 1.0
#define LEAST_SPREAD  0.2 /* of the rates, 5th to 95th percentile by median */
#define RESET_FALL    0.7 /* memory that falls below this part: a new process */
#define LEAST_GROWTH  0.05 /* of memory over the cells, to be told */

static const struct {
    const char *kind, *unit, *source, *no_limit, *no_values;
} kinds[CAPACITY_KINDS] = {
    [CAPACITY_CPU] = {"cpu", "cores", "limit", "no CPU limit is known",
                      "no CPU usage was reported"},
    [CAPACITY_MEMORY] = {"memory", "bytes", "limit", "no memory limit is known",
                         "no memory usage was reported"},
    [CAPACITY_LATENCY] = {"latencyP99", "seconds", "objective", "no objective",
                          "no latency was reported"},
    [CAPACITY_ERRORS] = {"errorRatio", "1", "objective", "no objective",
                         "no requests were reported"}};

static const char too_few[] =
    "too few cells with requests to tell: 24 are needed";
static const char too_even[] =
    "not enough variation of the request rate to tell";

/* ---- the rates ---- */

static const char *look_at_rates(struct capacity *c, struct arena *arena)
{
    const struct capacity_cells *cells = &c->cells;
    double *rates = arena_zero(arena, cells->count + 1, sizeof(*rates));
    uint32_t n = 0;
    double sum = 0, last;

    c->present_rate = c->least_rate = c->most_rate = NAN;
    if (!rates || cells->count == 0)
        return "no requests in the window, or only in its last cell, which is "
               "not over";
    last = cells->at[cells->count - 1].hours;
    for (uint32_t i = cells->count; i-- > 0;) {
        rates[i] = cells->at[i].rate;
        if (last - cells->at[i].hours < PRESENT_HOURS ||
            n < PRESENT_CELLS_LEAST) {
            sum += cells->at[i].rate;
            n++;
        }
    }
    c->present_rate = sum / n;
    values_sort(rates, cells->count);
    c->least_rate = rates[0];
    c->most_rate = rates[cells->count - 1];
    if (cells->count < LEAST_CELLS)
        return too_few;
    double low = quantile_sorted(rates, cells->count, 0.05);
    double high = quantile_sorted(rates, cells->count, 0.95);
    double middle = quantile_sorted(rates, cells->count, 0.5);
    return high - low < LEAST_SPREAD * middle ? too_even : NULL;
}

static double present_value(const struct capacity_cells *cells,
                            enum capacity_kind kind)
{
    double sum = 0, last = NAN;
    uint32_t n = 0;

    for (uint32_t i = cells->count; i-- > 0;) {
        double value = cells->at[i].values[kind];

        if (!isfinite(value))
            continue;
        if (n == 0)
            last = cells->at[i].hours;
        if (last - cells->at[i].hours < PRESENT_HOURS ||
            n < PRESENT_CELLS_LEAST) {
            sum += value;
            n++;
        }
    }
    return n > 0 ? sum / n : NAN;
}

/* ---- points ---- */

struct point_list {
    struct line_point *at;
    double *hours;
    uint32_t count;
};

static bool points_of(struct point_list *points, struct arena *arena,
                      const struct capacity_cells *cells,
                      enum capacity_kind kind)
{
    points->at = arena_zero(arena, cells->count + 1, sizeof(*points->at));
    points->hours = arena_zero(arena, cells->count + 1, sizeof(double));
    points->count = 0;
    if (!points->at || !points->hours)
        return false;
    for (uint32_t i = 0; i < cells->count; i++) {
        const struct capacity_cell *cell = &cells->at[i];

        if (!isfinite(cell->values[kind]))
            continue;
        points->hours[points->count] = cell->hours;
        points->at[points->count++] =
            (struct line_point){cell->rate, cell->values[kind]};
    }
    return true;
}

/* ---- memory that grows with time ---- */

/* Replaces x by other(x)'s residual, and y likewise: what is left of both
 * without the third. */
static bool without(struct line_point *out, struct arena *arena,
                    const struct line_point *pairs, uint32_t count)
{
    struct line_fit fit;

    if (line_fit(&fit, arena, pairs, count) != OK)
        return false;
    for (uint32_t i = 0; i < count; i++)
        out[i].y = pairs[i].y - line_at(&fit, pairs[i].x).value;
    return true;
}

/* The line of memory over hours, with the request rate taken out of both. */
static bool fit_trend(struct line_fit *fit, struct arena *arena,
                      const struct point_list *points, uint32_t first,
                      bool varied)
{
    uint32_t n = points->count - first;
    struct line_point *pairs = arena_zero(arena, n, sizeof(*pairs));
    struct line_point *left = arena_zero(arena, n, sizeof(*left));

    if (!pairs || !left)
        return false;
    for (uint32_t i = 0; i < n; i++)
        left[i] = (struct line_point){points->hours[first + i],
                                      points->at[first + i].y};
    if (varied) {
        struct line_point *hours = arena_zero(arena, n, sizeof(*hours));

        for (uint32_t i = 0; hours && i < n; i++)
            pairs[i] = (struct line_point){points->at[first + i].x,
                                           points->hours[first + i]};
        if (!hours || !without(hours, arena, pairs, n) ||
            !without(left, arena, &points->at[first], n))
            return false;
        for (uint32_t i = 0; i < n; i++)
            left[i].x = hours[i].y;
    }
    return line_fit(fit, arena, left, n) == OK;
}

static void find_trend(struct capacity_limit *limit, struct arena *arena,
                       const struct point_list *points, bool varied)
{
    struct capacity_trend *trend = &limit->of_trend;
    uint32_t first = 0;
    struct line_fit fit;

    for (uint32_t i = 1; i < points->count; i++)
        if (points->at[i].y < RESET_FALL * points->at[i - 1].y)
            first = i;
    if (points->count - first < LEAST_CELLS ||
        !fit_trend(&fit, arena, points, first, varied))
        return;
    trend->per_hour = line_slope(&fit);
    double grown =
        fit.slope * (points->hours[points->count - 1] - points->hours[first]);
    if (!(trend->per_hour.low > 0) || grown < LEAST_GROWTH * limit->present)
        return;
    trend->hours_to_limit = (limit->limit - limit->present) / fit.slope;
    if (trend->hours_to_limit < 0)
        trend->hours_to_limit = 0;
    limit->trend = trend;
}

/* Takes the growth over time out of memory, so that it is not mistaken for an
 * effect of the rate. */
static void remove_trend(struct point_list *points,
                         const struct capacity_limit *limit)
{
    double last = points->count > 0 ? points->hours[points->count - 1] : 0;

    for (uint32_t i = 0; limit->trend && i < points->count; i++)
        points->at[i].y +=
            limit->trend->per_hour.value * (last - points->hours[i]);
}

/* ---- one limit ---- */

/* Beyond the knee only, if there is one. */
static void keep_above(struct point_list *points, double x)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < points->count; i++)
        if (points->at[i].x >= x)
            points->at[n++] = points->at[i];
    points->count = n;
}

static void find_knee(struct capacity_limit *limit, struct arena *arena,
                      struct point_list *points)
{
    if (!line_knee(&limit->of_knee, arena, points->at, points->count))
        return;
    limit->knee = &limit->of_knee;
    keep_above(points, limit->of_knee.x);
}

static const char *find_break(struct capacity_limit *limit,
                              const struct capacity *c,
                              const struct line_fit *fit, const char *no_limit)
{
    limit->of_idle = line_at(fit, 0);
    limit->of_request = line_slope(fit);
    limit->idle = &limit->of_idle;
    limit->per_request = &limit->of_request;
    limit->r2 = fit->r2;
    limit->outliers = fit->outliers;
    if (!(limit->of_request.low > 0))
        return "it does not rise measurably with the request rate";
    if (!isfinite(limit->limit))
        return no_limit;
    limit->of_breaks = line_reaches(fit, limit->limit);
    if (!isfinite(limit->of_breaks.value))
        return "it does not rise measurably with the request rate";
    limit->of_breaks.value = fmax(0, limit->of_breaks.value);
    limit->of_breaks.low = fmax(0, limit->of_breaks.low);
    limit->of_breaks.high = fmax(0, limit->of_breaks.high);
    limit->breaks = &limit->of_breaks;
    limit->headroom = limit->of_breaks.value / c->present_rate;
    limit->extrapolation = limit->of_breaks.value / c->most_rate;
    limit->guess = limit->extrapolation > CAPACITY_GUESS;
    return NULL;
}

static enum status fit_limit(struct capacity *c, enum capacity_kind kind,
                             struct arena *arena)
{
    struct capacity_limit *limit = &c->limits[kind];
    struct point_list points;
    struct line_fit fit;
    enum status s;

    if (!points_of(&points, arena, &c->cells, kind))
        return arena_status(arena);
    limit->cells = points.count;
    if (kind == CAPACITY_MEMORY)
        find_trend(limit, arena, &points, !c->not_enough);
    limit->not_enough = points.count == 0            ? kinds[kind].no_values
                        : points.count < LEAST_CELLS ? too_few
                                                     : c->not_enough;
    if (limit->not_enough)
        return OK;
    remove_trend(&points, limit);
    if (kind == CAPACITY_LATENCY)
        find_knee(limit, arena, &points);
    s = line_fit(&fit, arena, points.at, points.count);
    if (s == ERR_NOT_FOUND)
        limit->not_enough = too_few;
    if (s != OK)
        return s == ERR_NOT_FOUND ? OK : s;
    limit->not_enough = find_break(limit, c, &fit, kinds[kind].no_limit);
    return OK;
}

enum status capacity_fit(struct capacity *c, struct arena *arena)
{
    c->not_enough = look_at_rates(c, arena);
    for (int i = 0; i < CAPACITY_KINDS; i++) {
        struct capacity_limit *limit = &c->limits[i];
        enum status s;

        *limit = (struct capacity_limit){
            .kind = kinds[i].kind,
            .unit = kinds[i].unit,
            .limit_source = kinds[i].source,
            .present = present_value(&c->cells, (enum capacity_kind)i),
            .limit = i < 2 ? c->cells.limits[i] : c->objectives[i],
            .request = i < 2 ? c->cells.requests[i] : NAN,
            .r2 = NAN,
            .headroom = NAN,
            .extrapolation = NAN};
        limit->of_trend.hours_to_limit = NAN;
        s = fit_limit(c, (enum capacity_kind)i, arena);
        if (s != OK)
            return s;
        if (limit->breaks &&
            (!c->first || limit->of_breaks.value < c->first->of_breaks.value))
            c->first = limit;
    }
    return OK;
}
