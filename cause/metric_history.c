#include "metric_history.h"

#include <math.h>
#include <stdlib.h>

#include "evidence.h"
#include "pod_history.h"
#include "quantile.h"

/* Metrics have heavy tails: of Student's distributions the one with three
 * degrees of freedom is the heaviest that has a spread. */
static const double FREEDOM = 3;
/* A value that hardly moves still moves by that part of itself, and by that
 * part of what others of its kind have: what is near zero may double. */
static const double OWN_PART = 0.01, TYPICAL_PART = 0.05;
/* A history that never moved has this part of the new value as its spread. */
static const double NEVER_MOVED = 0.1;

/* Pods of one component differ by that part: nodes differ. */
static const double OTHER_POD_PART = 0.1;

/* ---- what is usual ---- */

static uint32_t points_before(const struct timeseries *t, uint64_t end_ns)
{
    uint32_t n = 0;

    while (n < t->count && t->at[n].time_ns <= end_ns)
        n++;
    return n;
}

static void measure(struct timeseries *t, double *room)
{
    double step = INFINITY;

    for (uint32_t i = 0; i < t->before; i++)
        room[i] = t->at[i].value;
    t->median = quantile(room, t->before, 0.5);
    for (uint32_t i = 1; i < t->before; i++)
        if (room[i] > room[i - 1])
            step = fmin(step, room[i] - room[i - 1]);
    for (uint32_t i = 0; i < t->before; i++)
        room[i] = fabs(t->at[i].value - t->median);
    /* 1.4826 and 1.645 make these the deviation of a normal distribution. The
     * second is for series that mostly have one value. */
    t->spread = 1.4826 * quantile(room, t->before, 0.5);
    if (!(t->spread > 0))
        t->spread = quantile_sorted(room, t->before, 0.9) / 1.645;
    if (isfinite(step)) /* values that come in steps move by a step */
        t->spread = fmax(t->spread, step);
    if (t->is_new_pod)
        t->spread = fmax(t->spread, OTHER_POD_PART * fabs(t->median));
}

/* At least a part of what others of the same name have. */
static void widen_spread(struct timeseries *const *group, uint32_t count,
                         double *room)
{
    for (uint32_t i = 0; i < count; i++)
        room[i] = fabs(group[i]->median);
    double typical = quantile(room, count, 0.5);

    for (uint32_t i = 0; i < count; i++)
        group[i]->spread =
            fmax(group[i]->spread, fmax(OWN_PART * fabs(group[i]->median),
                                        TYPICAL_PART * typical));
}

static int by_sort(const void *left, const void *right)
{
    const struct timeseries *a = *(struct timeseries *const *)left;
    const struct timeseries *b = *(struct timeseries *const *)right;

    return (a->sort > b->sort) - (a->sort < b->sort);
}

bool history_measure(struct timeseries_list *list,
                     const struct rca_times *times)
{
    for (uint32_t i = 0; i < list->count; i++)
        list->at[i].before =
            points_before(&list->at[i], times->period[BASELINE].end_ns);
    if (!pod_history_borrow(list, times))
        return false;
    uint32_t n = 0, longest = timeseries_longest(list);
    uint32_t most = longest > list->count ? longest : list->count;
    struct timeseries **measured =
        arena_alloc(list->arena, (list->count + 1) * sizeof(*measured));
    double *room = arena_alloc(list->arena, (most + 1) * sizeof(*room));

    if (!measured || !room)
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        struct timeseries *t = &list->at[i];

        if (t->before < 3)
            continue;
        measure(t, room);
        measured[n++] = t;
    }
    if (n > 0)
        qsort(measured, n, sizeof(*measured), by_sort);
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i;

        while (end < n && measured[end]->sort == measured[i]->sort)
            end++;
        widen_spread(&measured[i], end - i, room);
        i = end;
    }
    return true;
}

/* ---- how far the window is from it ---- */

/* Failures of a process that starts are failures, but it may be slow. */
static bool is_warming_up(const struct timeseries *t, uint32_t i)
{
    uint64_t ns = t->at[i].time_ns;

    return i >= t->before && ns >= t->warm_up.start_ns &&
           ns < t->warm_up.end_ns && !t->is_share && t->class != CLASS_ERRORS;
}

/* A third of a window in which something is wrong shows, one spike does not. */
uint32_t history_upper_quartile(uint32_t count)
{
    return 3 * (count - 1) / 4;
}

uint32_t history_second_largest(uint32_t count)
{
    return count >= 3 ? count - 2 : count - 1;
}

double history_level(const struct timeseries *t, uint32_t first, uint32_t count,
                     double sign, level_rank *rank, double *room)
{
    uint32_t n = 0;

    for (uint32_t i = first; i < first + count; i++)
        if (!is_warming_up(t, i))
            room[n++] = sign * t->at[i].value;
    values_sort(room, n);
    return n > 0 ? room[rank(n)] : (double)NAN;
}

/* In a sorted array, one value takes the place of another. */
static void replace_sorted(double *sorted, uint32_t count, double old,
                           double value)
{
    uint32_t i = 0;

    while (i + 1 < count && sorted[i] < old)
        i++;
    for (; i + 1 < count && sorted[i + 1] < value; i++)
        sorted[i] = sorted[i + 1];
    for (; i > 0 && sorted[i - 1] > value; i--)
        sorted[i] = sorted[i - 1];
    sorted[i] = value;
}

double history_usual_reach(const struct timeseries *t, uint32_t run,
                           double sign, level_rank *rank, double *room)
{
    double *levels = room + t->count;
    uint32_t n = 0;

    if (run > t->before)
        run = t->before;
    (void)history_level(t, 0, run, sign, rank, room); /* sorts them */
    for (uint32_t i = run;; i++) {
        levels[n++] = room[rank(run)] - sign * t->median;
        if (i == t->before)
            break;
        replace_sorted(room, run, sign * t->at[i - run].value,
                       sign * t->at[i].value);
    }
    return fmax(0, quantile(levels, n, 0.9));
}

/* Failures that hardly anybody would feel; 0 of what counts none. */
static double unfelt_failures(const struct timeseries *t,
                              const struct component_load *load)
{
    if (t->is_share)
        return FELT_SHARE / 10;
    return t->class == CLASS_ERRORS ? load->requests * FELT_SHARE / 10 : 0;
}

/* The points of the judged part of the window. */
static void find_points(const struct timeseries *t,
                        const struct rca_times *times, struct deviation *d)
{
    const struct cause_window *w = &times->period[WINDOW];
    uint32_t first = t->before, end;

    while (first < t->count && t->at[first].time_ns <= times->from_ns)
        first++;
    end = first;
    while (end < t->count && t->at[end].time_ns <= w->end_ns)
        end++;
    /* One point is no trend, if there are more. */
    while (first > t->before && end - first < 2 &&
           t->at[first - 1].time_ns > w->start_ns)
        first--;
    d->first = first;
    d->end = end;
}

struct deviation history_deviation(const struct timeseries *t,
                                   const struct rca_times *times, double sign,
                                   const struct component_load *load,
                                   double *room)
{
    struct deviation d = {0};

    find_points(t, times, &d);
    uint32_t count = d.end - d.first;
    if (count == 0)
        return (struct deviation){0};
    /* More requests may cost as much more. */
    double grown =
        sign > 0 && !t->is_share ? (load->ratio - 1) * fabs(t->median) : 0;
    double now =
        history_level(t, d.first, count, sign, history_upper_quartile, room);
    if (isnan(now))
        return (struct deviation){0};
    d.now = sign * now;
    if (now - sign * t->median - grown <= 0)
        return d; /* however far it usually reaches */
    double reach =
        history_usual_reach(t, count, sign, history_upper_quartile, room);
    double spread = fmax(t->spread, unfelt_failures(t, load));
    double beyond = now - sign * t->median - reach - grown;

    if (!(spread > 0))
        spread = NEVER_MOVED * fabs(now);
    if (beyond <= 0 || spread <= 0)
        return d;
    double z = beyond / spread;
    d.score = (FREEDOM + 1) / 2 * log(1 + z * z / FREEDOM);
    for (uint32_t i = t->before; i < d.end && d.onset_ns == 0; i++)
        if (sign * (t->at[i].value - t->median) > reach + grown + beyond / 2)
            d.onset_ns = t->at[i].time_ns;
    return d;
}

/* ---- what was counted ---- */

/* The period of a point; PERIODS: it is in neither. */
static enum rca_period period_of(const struct timeseries *t,
                                 const struct deviation *d, uint32_t i)
{
    return i < t->before ? BASELINE : i < d->first ? PERIODS : WINDOW;
}

double history_count_score(const struct timeseries *t,
                           const struct deviation *d)
{
    double k[PERIODS + 1] = {0}, n[PERIODS + 1] = {0};

    for (uint32_t i = 0; i < d->end; i++) {
        enum rca_period period = period_of(t, d, i);

        k[period] += t->at[i].value * t->at[i].of;
        n[period] += t->at[i].of;
    }
    return n[BASELINE] + n[WINDOW] > 0
               ? proportion_score(k[BASELINE], n[BASELINE], k[WINDOW],
                                  n[WINDOW])
               : INFINITY;
}

/* As log records come in bursts, by how they came before, and no more than the
 * minutes allow in which there are more than almost ever. */
double history_log_score(const struct timeseries *t, const struct deviation *d,
                         double load, double *room)
{
    double k[PERIODS + 1] = {0}, n[PERIODS + 1] = {0};
    double above[PERIODS + 1] = {0}, square = 0;

    for (uint32_t i = 0; i < t->before; i++) {
        room[i] = t->at[i].value;
        square += room[i] * room[i];
    }
    double limit = quantile(room, t->before, 0.95);
    for (uint32_t i = 0; i < d->end; i++) {
        enum rca_period period = period_of(t, d, i);

        k[period] += t->at[i].value;
        above[period] += t->at[i].value > (period == WINDOW ? load : 1) * limit;
        n[period]++;
    }
    double times = load * n[WINDOW]; /* more requests, more failures */
    if (n[WINDOW] < 1 ||
        !is_larger_share(k[BASELINE], n[BASELINE], k[WINDOW], times))
        return 0;
    double mean = (k[BASELINE] + 1) / n[BASELINE];
    double all = k[BASELINE] + k[WINDOW];
    double expected = all * times / (n[BASELINE] + times);
    double bursts = fmax(1, (square / n[BASELINE] - mean * mean) / mean);
    double score = k[WINDOW] * log(k[WINDOW] / expected);
    if (k[BASELINE] > 0)
        score += k[BASELINE] * log(k[BASELINE] / (all - expected));
    return fmin(score / bursts, proportion_score(above[BASELINE], n[BASELINE],
                                                 above[WINDOW], n[WINDOW]));
}
