/*
 * The onset of evidence, from its chart: more reliable than the first request
 * beyond a limit, as a few healthy requests are beyond it, too.
 */
#include <math.h>

#include "quantile.h"
#include "report.h"

/* Of the values of one time, or NAN. */
static double median_of(const struct cause_chart *chart,
                        struct cause_window time)
{
    double values[CAUSE_MAX_CHART_POINTS];
    uint32_t n = 0;

    for (uint32_t i = 0; i < chart->count; i++)
        if (chart->points[i].time_ns >= time.start_ns &&
            chart->points[i].time_ns < time.end_ns)
            values[n++] = chart->points[i].value;
    values_sort(values, n);
    return n > 0 ? values[n / 2] : (double)NAN;
}

/* From the first point on that is nearer to how it ends than to how it was,
 * and stays so for the next as well. How it ends is judged by the last third of
 * the window, which may begin long before the fault. */
void report_evidence_onset(const struct rca_times *times,
                           struct cause_evidence *e, uint64_t step_ns)
{
    const struct cause_window *period = times->period;
    struct cause_window last = {rca_attempt_start(times, RCA_ATTEMPTS - 1),
                                period[WINDOW].end_ns};
    double usual = median_of(&e->chart, period[BASELINE]);
    double now = median_of(&e->chart, last), halfway = (usual + now) / 2;

    if (isnan(usual) || isnan(now))
        return;
    for (uint32_t i = 0; i < e->chart.count; i++) {
        const struct cause_chart_point *p = &e->chart.points[i];
        bool more = i + 1 < e->chart.count;

        if (p->time_ns + step_ns <= period[BASELINE].end_ns ||
            (p->value > halfway) != (now > usual) ||
            (more && (p[1].value > halfway) != (now > usual)))
            continue;
        /* The onset of the finder is more exact if it is in that minute. */
        if (e->onset_ns < p->time_ns || e->onset_ns >= p->time_ns + step_ns)
            e->onset_ns = p->time_ns;
        return;
    }
}

void report_suspect_onset(struct cause_suspect *s)
{
    uint64_t first = 0;

    for (uint32_t i = 0; i < s->evidence_count; i++) {
        const struct cause_evidence *e = &s->evidence[i];

        if (e->onset_ns && evidence_is_symptom(e) &&
            (first == 0 || e->onset_ns < first))
            first = e->onset_ns;
    }
    if (first)
        s->onset_ns = first;
}
