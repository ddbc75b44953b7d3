/*
 * Incidents that the answer is not about, because they were over before the
 * part of the window that was judged. Which component each is about is known
 * from its minutes only.
 */
#include "clock.h"
#include "report.h"

static void add(const struct rca_context *rca, const struct incident *incident,
                struct cause_report *report)
{
    const struct symptom_minutes *m = &rca->minutes;
    uint32_t components;
    const struct minute_row *row =
        incident_lead(incident, m, &rca->graph, &components);

    if (!row)
        return;
    report->incidents[report->incident_count++] = (struct cause_incident){
        .start_ns = m->from_ns + incident->first * NS_PER_MIN,
        .end_ns = m->from_ns + incident->end * NS_PER_MIN,
        .component = row->component,
        .text = incident_text(incident, m, row, components, rca->arena)};
}

enum status report_incidents(const struct rca_context *rca,
                             struct cause_report *report)
{
    const struct rca_times *times = &rca->times;
    const struct cause_window *w = &times->period[WINDOW];
    const struct incident_list *list = &rca->incidents;
    uint64_t until = rca_judges_all(times) ? w->start_ns : times->over_ns;
    uint64_t near_ns = CAUSE_NEAR_WINDOWS * (w->end_ns - w->start_ns);

    for (uint32_t i = 0; i < list->count; i++) {
        const struct symptom_minutes *m = &rca->minutes;
        uint64_t end_ns = m->from_ns + list->at[i].end * NS_PER_MIN;

        if (end_ns > until || end_ns + near_ns < w->start_ns)
            continue;
        if (report->incident_count == CAUSE_MAX_INCIDENTS) {
            memmove(report->incidents, report->incidents + 1,
                    sizeof(report->incidents) - sizeof(*report->incidents));
            report->incident_count--;
        }
        add(rca, &list->at[i], report);
    }
    return arena_status(rca->arena);
}
