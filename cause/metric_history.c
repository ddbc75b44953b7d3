/*
 * Metrics against their own history: how far the window is from what is usual,
 * in what is usual to differ.
 */
#include <math.h>
#include <stdlib.h>

#include "timeseries.h"

/* Metrics have heavy tails: of Student's distributions the one with three
 * degrees of freedom is the heaviest that has a spread. */
static const double FREEDOM = 3;
/* A value that hardly moves still moves by that part of itself, and by that
 * part of what others of its kind have: what is near zero may double. */
static const double OWN_PART = 0.01, TYPICAL_PART = 0.05;
/* Where the history never moved, ten times that is all one can say. */
static const double NEVER_MOVED = 0.1;

/* ---- what is usual ---- */

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double history_quantile(double *values, uint32_t count, double q)
{
    double place = q * (count - 1);
    uint32_t low = (uint32_t)place, high = low + 1 < count ? low + 1 : low;

    qsort(values, count, sizeof(*values), by_value);
    return values[low] + (place - low) * (values[high] - values[low]);
}

static uint32_t readings_before(const struct rca_context *facts,
                                const struct timeseries *m)
{
    uint32_t n = 0;

    while (n < m->count && m->at[n].time_ns <= facts->times[BEFORE].end_ns)
        n++;
    return n;
}

static void usual_of(struct timeseries *m, double *room)
{
    double step = INFINITY;

    for (uint32_t i = 0; i < m->before; i++)
        room[i] = m->at[i].value;
    m->mid = history_quantile(room, m->before, 0.5);
    for (uint32_t i = 1; i < m->before; i++)
        if (room[i] > room[i - 1])
            step = fmin(step, room[i] - room[i - 1]);
    for (uint32_t i = 0; i < m->before; i++)
        room[i] = fabs(m->at[i].value - m->mid);
    /* 1.4826 and 1.645: what makes them the deviation of a normal distribution.
     * The second for what is one value mostly. */
    m->spread = 1.4826 * history_quantile(room, m->before, 0.5);
    if (!(m->spread > 0))
        m->spread = history_quantile(room, m->before, 0.9) / 1.645;
    if (isfinite(step)) /* what comes in steps moves by a step */
        m->spread = fmax(m->spread, step);
}

/* What others of the same name have. */
static void add_typical(struct timeseries *const *group, uint32_t count,
                        double *room)
{
    for (uint32_t i = 0; i < count; i++)
        room[i] = fabs(group[i]->mid);
    double typical = history_quantile(room, count, 0.5);

    for (uint32_t i = 0; i < count; i++)
        group[i]->spread =
            fmax(group[i]->spread,
                 fmax(OWN_PART * fabs(group[i]->mid), TYPICAL_PART * typical));
}

static int by_sort(const void *left, const void *right)
{
    const struct timeseries *a = *(struct timeseries *const *)left;
    const struct timeseries *b = *(struct timeseries *const *)right;

    return (a->sort > b->sort) - (a->sort < b->sort);
}

bool history_usual(struct rca_context *facts)
{
    uint32_t n = 0, most = 0;
    struct timeseries **list =
        arena_alloc(facts->arena, (facts->meter_count + 1) * sizeof(*list));

    for (uint32_t i = 0; i < facts->meter_count; i++)
        if (facts->meters[i].count > most)
            most = facts->meters[i].count;
    if (most < facts->meter_count)
        most = facts->meter_count;
    double *room = arena_alloc(facts->arena, (most + 1) * sizeof(*room));
    if (!list || !room)
        return false;
    for (uint32_t i = 0; i < facts->meter_count; i++) {
        struct timeseries *m = &facts->meters[i];

        m->before = readings_before(facts, m);
        if (m->before < 3)
            continue;
        usual_of(m, room);
        list[n++] = m;
    }
    if (n > 0)
        qsort(list, n, sizeof(*list), by_sort);
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i;

        while (end < n && list[end]->sort == list[i]->sort)
            end++;
        add_typical(&list[i], end - i, room);
        i = end;
    }
    return true;
}

/* ---- how far the window is from it ---- */

/* What a quarter of the readings is beyond, in a direction: a third of a window
 * that is ill shows, one spike does not. */
static double level(const struct timeseries *m, uint32_t first, uint32_t count,
                    double sign, double *room)
{
    for (uint32_t i = 0; i < count; i++)
        room[i] = sign * m->at[first + i].value;
    qsort(room, count, sizeof(*room), by_value);
    return room[3 * (count - 1) / 4];
}

/* How far as many readings in a row were from the middle before: almost at
 * most, as an earlier incident may be among them. */
static double reach_of(const struct timeseries *m, uint32_t run, double sign,
                       double *room)
{
    double *levels = room + m->count;
    uint32_t n = 0;

    if (run > m->before)
        run = m->before;
    for (uint32_t i = 0; i + run <= m->before; i++)
        levels[n++] = level(m, i, run, sign, room) - sign * m->mid;
    return fmax(0, history_quantile(levels, n, 0.9));
}

/* Failures that hardly anybody would feel; 0 of what counts none. */
static double least_failures(const struct timeseries *m,
                             const struct role *role)
{
    if (m->is_share)
        return FELT_SHARE / 10;
    return m->meaning == MEANS_ERRORS ? role->requests * FELT_SHARE / 10 : 0;
}

void history_drift(const struct rca_context *facts, const struct timeseries *m,
                   double sign, const struct role *role, double *room,
                   struct drift *d)
{
    uint32_t first = m->before, end;

    *d = (struct drift){0};
    while (first < m->count && m->at[first].time_ns <= facts->from_ns)
        first++;
    end = first;
    while (end < m->count && m->at[end].time_ns <= facts->times[DURING].end_ns)
        end++;
    /* One reading is no trend, if there are more. */
    while (first > m->before && end - first < 2 &&
           m->at[first - 1].time_ns > facts->times[DURING].start_ns)
        first--;
    if (end == first)
        return;
    /* More requests may cost as much more. */
    double grown =
        sign > 0 && !m->is_share ? (role->load - 1) * fabs(m->mid) : 0;
    double now = level(m, first, end - first, sign, room);
    double reach = reach_of(m, end - first, sign, room);
    double spread = fmax(m->spread, least_failures(m, role));

    if (!(spread > 0))
        spread = NEVER_MOVED * fabs(now);
    double beyond = now - sign * m->mid - reach - grown;

    d->first = first;
    d->end = end;
    d->now = sign * now;
    if (beyond <= 0 || spread <= 0)
        return;
    double z = beyond / spread;
    d->nats = (FREEDOM + 1) / 2 * log(1 + z * z / FREEDOM);
    for (uint32_t i = m->before; i < end && d->onset_ns == 0; i++)
        if (sign * (m->at[i].value - m->mid) > reach + grown + beyond / 2)
            d->onset_ns = m->at[i].time_ns;
}

/* ---- what was counted ---- */

/* Of failures that were counted: what the counts allow to say. */
double history_counted(const struct timeseries *m, const struct drift *d)
{
    double k[HALVES] = {0}, n[HALVES] = {0};

    for (uint32_t i = 0; i < d->end; i++) {
        enum rca_period half = i < m->before ? BEFORE : DURING;

        if (i >= m->before && i < d->first)
            continue;
        k[half] += m->at[i].value * m->at[i].of;
        n[half] += m->at[i].of;
    }
    return n[BEFORE] + n[DURING] > 0
               ? nats_of(k[BEFORE], n[BEFORE], k[DURING], n[DURING])
               : INFINITY;
}

/* Of lines: how much more likely their numbers are if more are written now. As
 * lines come in bursts, by how they came before, and no more than the minutes
 * allow in which there are more than almost ever. */
double history_lines(const struct timeseries *m, const struct drift *d,
                     double load, double *room)
{
    double k[HALVES] = {0}, n[HALVES] = {0}, above[HALVES] = {0}, square = 0;

    for (uint32_t i = 0; i < m->before; i++) {
        room[i] = m->at[i].value;
        square += room[i] * room[i];
    }
    double limit = history_quantile(room, m->before, 0.95);
    for (uint32_t i = 0; i < d->end; i++) {
        enum rca_period half = i < m->before ? BEFORE : DURING;

        if (i >= m->before && i < d->first)
            continue;
        k[half] += m->at[i].value;
        above[half] += m->at[i].value > (half == DURING ? load : 1) * limit;
        n[half]++;
    }
    double times = load * n[DURING]; /* more requests, more failures */
    if (n[DURING] < 1 || k[DURING] * n[BEFORE] <= k[BEFORE] * times)
        return 0;
    double mean = (k[BEFORE] + 1) / n[BEFORE], all = k[BEFORE] + k[DURING];
    double expected = all * times / (n[BEFORE] + times);
    double bursts = fmax(1, (square / n[BEFORE] - mean * mean) / mean);
    double nats = k[DURING] * log(k[DURING] / expected);
    if (k[BEFORE] > 0)
        nats += k[BEFORE] * log(k[BEFORE] / (all - expected));
    return fmin(nats / bursts,
                nats_of(above[BEFORE], n[BEFORE], above[DURING], n[DURING]));
}
