/*
 * Since when. Drawn over time a fault says it better than the first request
 * beyond a limit does: of healthy requests a few are, too.
 */
#include <math.h>
#include <stdlib.h>

#include "rca_context.h"

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Of the values of one time, or NAN. */
static double median_of(const struct cause_chart *series,
                        struct cause_window time)
{
    double values[CAUSE_MAX_CHART_POINTS];
    uint32_t n = 0;

    for (uint32_t i = 0; i < series->count; i++)
        if (series->points[i].time_ns >= time.start_ns &&
            series->points[i].time_ns < time.end_ns)
            values[n++] = series->points[i].value;
    if (n == 0)
        return NAN;
    qsort(values, n, sizeof(*values), by_value);
    return values[n / 2];
}

/* From the first point on that is nearer to how it ends than to how it was,
 * and stays so for the next as well. What ends with the window is judged by its
 * last third: a window may begin long before the fault. */
void onset_find(const struct rca_context *facts, struct cause_evidence *e,
                uint64_t step_ns)
{
    const struct cause_window *w = facts->times;
    struct cause_window last = {facts_try(facts, CAUSE_TRIES - 1),
                                w[DURING].end_ns};
    const struct cause_chart *s = &e->series;
    double usual = median_of(s, w[BEFORE]), now = median_of(s, last);
    double halfway = (usual + now) / 2;

    if (isnan(usual) || isnan(now))
        return;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct cause_chart_point *p = &s->points[i];
        bool more = i + 1 < s->count;

        if (p->time_ns + step_ns <= w[BEFORE].end_ns ||
            (p->value > halfway) != (now > usual) ||
            (more && (p[1].value > halfway) != (now > usual)))
            continue;
        /* What the finder saw is more exact if it is in that minute. */
        if (e->onset_ns < p->time_ns || e->onset_ns >= p->time_ns + step_ns)
            e->onset_ns = p->time_ns;
        return;
    }
}

/* When a suspect began to show it. */
void onset_of_suspect(struct cause_suspect *s)
{
    uint64_t first = 0;

    for (uint32_t i = 0; i < s->evidence_count; i++) {
        const struct cause_evidence *e = &s->evidence[i];

        if (e->onset_ns && evidence_tells(e) &&
            (first == 0 || e->onset_ns < first))
            first = e->onset_ns;
    }
    if (first)
        s->onset_ns = first;
}
