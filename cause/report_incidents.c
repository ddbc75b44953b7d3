/*
 * Incidents that the answer is not about, because they were over before the
 * part of the window that was judged. Which component each is about is known
 * from its minutes only: of those with symptoms one that calls no other.
 */
#include <math.h>

#include "clock.h"
#include "report.h"

struct incident_builder {
    const struct rca_context *rca;
    struct incident incident;
};

static uint32_t count_minutes(const struct incident_builder *b,
                              const struct minute_row *row)
{
    uint32_t n = 0;

    for (uint32_t i = b->incident.first; i < b->incident.end; i++)
        n += row->symptoms[i] != 0;
    return n;
}

static bool calls_another(const struct incident_builder *b,
                          const struct minute_row *row)
{
    const struct symptom_minutes *m = &b->rca->minutes;

    for (uint32_t i = 0; i < m->row_count; i++) {
        uint32_t other = m->rows[i].component;

        if (other != row->component && count_minutes(b, &m->rows[i]) > 0 &&
            call_graph_reaches(&b->rca->graph, row->component, other) &&
            !call_graph_reaches(&b->rca->graph, other, row->component))
            return true;
    }
    return false;
}

/* NULL: no component has symptoms. */
static const struct minute_row *choose_row(const struct incident_builder *b,
                                           uint32_t *components)
{
    const struct symptom_minutes *m = &b->rca->minutes;
    const struct minute_row *best = NULL;
    uint32_t most = 0;

    *components = 0;
    for (uint32_t i = 0; i < m->row_count; i++) {
        uint32_t n = count_minutes(b, &m->rows[i]);

        *components += n > 0;
        if (n > most && !calls_another(b, &m->rows[i])) {
            most = n;
            best = &m->rows[i];
        }
    }
    return best;
}

/* Of an incident, and of all minutes without symptoms. */
static struct slice describe(const struct incident_builder *b,
                             const struct minute_row *row)
{
    struct minute_counts now = {0}, before = {0};
    uint8_t symptoms = 0;

    for (uint32_t i = 0; i < b->rca->minutes.count; i++) {
        bool in = i >= b->incident.first && i < b->incident.end;
        struct minute_counts *to = in ? &now : &before;

        symptoms |= in ? row->symptoms[i] : 0;
        if (!row->at || (!in && row->symptoms[i]))
            continue;
        to->requests += row->at[i].requests;
        to->errors += row->at[i].errors;
        to->seconds += row->at[i].seconds;
    }
    if (now.requests < 1 || before.requests < 1)
        return SLICE("its metrics are far from usual");
    if (symptoms & SYMPTOM_FAILS)
        return arena_format(
            b->rca->arena, "fails in %.1f%% of %.0f requests, %.1f%% otherwise",
            100 * fmin(1, now.errors / now.requests), now.requests,
            100 * fmin(1, before.errors / before.requests));
    return arena_format(b->rca->arena,
                        "requests take %.0f ms on average, %.0f ms otherwise",
                        1000 * now.seconds / now.requests,
                        1000 * before.seconds / before.requests);
}

static void add(const struct incident_builder *b, struct cause_report *report)
{
    const struct symptom_minutes *m = &b->rca->minutes;
    uint32_t components;
    const struct minute_row *row = choose_row(b, &components);

    if (!row)
        return;
    struct slice text = describe(b, row);
    if (components > 1)
        text = arena_format(
            b->rca->arena, "%.*s; symptoms in %u more component%s",
            SLICE_ARGS(text), components - 1, components == 2 ? "" : "s");
    report->incidents[report->incident_count++] = (struct cause_incident){
        .start_ns = m->from_ns + b->incident.first * NS_PER_MIN,
        .end_ns = m->from_ns + b->incident.end * NS_PER_MIN,
        .component = row->component,
        .text = text};
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
        struct incident_builder b = {rca, list->at[i]};

        if (end_ns > until || end_ns + near_ns < w->start_ns)
            continue;
        if (report->incident_count == CAUSE_MAX_INCIDENTS) {
            memmove(report->incidents, report->incidents + 1,
                    sizeof(report->incidents) - sizeof(*report->incidents));
            report->incident_count--;
        }
        add(&b, report);
    }
    return arena_status(rca->arena);
}
