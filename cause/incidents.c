#include "incidents.h"

#include <math.h>

#include "clock.h"

enum {
    MIN_ALONE = 3, /* minutes, if no two components have symptoms at once */
    MIN_CLEAR = 2, /* minutes at the end of the window: it is over */
};

static uint32_t count_symptoms(const struct symptom_minutes *m, uint32_t minute)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->row_count; i++)
        n += m->rows[i].symptoms[minute] != 0;
    return n;
}

/* A component that has symptoms, none for a minute, and again is in the same
 * incident. */
static bool is_pause(const struct symptom_minutes *m, uint32_t minute)
{
    for (uint32_t i = 0;
         minute > 0 && minute + 1 < m->count && i < m->row_count; i++)
        if (m->rows[i].symptoms[minute - 1] && m->rows[i].symptoms[minute + 1])
            return true;
    return false;
}

static void add(struct incident_list *list, struct incident incident)
{
    if (list->count == MAX_INCIDENTS) {
        memmove(list->at, list->at + 1,
                (MAX_INCIDENTS - 1) * sizeof(*list->at));
        list->count--;
    }
    list->at[list->count++] = incident;
}

void incidents_find(struct incident_list *list, const struct symptom_minutes *m)
{
    struct incident now = {0};
    uint32_t most = 0;

    list->count = 0;
    for (uint32_t i = 0; i <= m->count; i++) {
        uint32_t n = i < m->count ? count_symptoms(m, i) : 0;

        if (n > 0) {
            if (most == 0)
                now.first = i;
            now.end = i + 1;
            most = n > most ? n : most;
            continue;
        }
        if (most == 0 || (i < m->count && is_pause(m, i)))
            continue;
        if (most > 1 || now.end - now.first >= MIN_ALONE)
            add(list, now);
        most = 0;
    }
}

bool incident_is_over(const struct incident *incident, uint32_t minutes)
{
    return incident->end + MIN_CLEAR <= minutes;
}

uint64_t incidents_over(const struct incident_list *list,
                        const struct symptom_minutes *m,
                        const struct cause_window *window)
{
    for (uint32_t i = list->count; i > 0; i--) {
        uint64_t end_ns = m->from_ns + list->at[i - 1].end * NS_PER_MIN;

        if (end_ns <= window->start_ns)
            break;
        if (incident_is_over(&list->at[i - 1], m->count) ||
            end_ns + MIN_CLEAR * NS_PER_MIN <= window->end_ns)
            return end_ns;
    }
    return window->start_ns;
}

/* ---- one of them ---- */

uint32_t incident_minutes(const struct incident *incident,
                          const struct minute_row *row)
{
    uint32_t n = 0;

    for (uint32_t i = incident->first; i < incident->end; i++)
        n += row->symptoms[i] != 0;
    return n;
}

static bool calls_another(const struct incident *incident,
                          const struct symptom_minutes *m,
                          const struct call_graph *graph,
                          const struct minute_row *row)
{
    for (uint32_t i = 0; i < m->row_count && graph; i++) {
        uint32_t other = m->rows[i].component;

        if (other != row->component &&
            incident_minutes(incident, &m->rows[i]) > 0 &&
            call_graph_reaches(graph, row->component, other) &&
            !call_graph_reaches(graph, other, row->component))
            return true;
    }
    return false;
}

const struct minute_row *incident_lead(const struct incident *incident,
                                       const struct symptom_minutes *m,
                                       const struct call_graph *graph,
                                       uint32_t *components)
{
    const struct minute_row *best = NULL;
    uint32_t most = 0;

    *components = 0;
    for (uint32_t i = 0; i < m->row_count; i++) {
        uint32_t n = incident_minutes(incident, &m->rows[i]);

        *components += n > 0;
        if (n > most && !calls_another(incident, m, graph, &m->rows[i])) {
            most = n;
            best = &m->rows[i];
        }
    }
    return best;
}

struct incident_amounts incident_amounts(const struct incident *incident,
                                         const struct symptom_minutes *m,
                                         const struct minute_row *row)
{
    struct incident_amounts a = {.symptoms = 0};

    for (uint32_t i = 0; i < m->count; i++) {
        bool in = i >= incident->first && i < incident->end;
        struct minute_counts *to = in ? &a.now : &a.usual;

        a.symptoms |= in ? row->symptoms[i] : 0;
        if (!row->at || (!in && row->symptoms[i]))
            continue;
        to->requests += row->at[i].requests;
        to->errors += row->at[i].errors;
        to->seconds += row->at[i].seconds;
    }
    return a;
}

static struct slice describe(const struct incident_amounts *a,
                             struct arena *arena)
{
    const struct minute_counts *now = &a->now, *usual = &a->usual;

    if (now->requests < 1 || usual->requests < 1)
        return SLICE("its metrics are far from usual");
    if (a->symptoms & SYMPTOM_FAILS)
        return arena_format(
            arena, "fails in %.1f%% of %.0f requests, %.1f%% otherwise",
            100 * fmin(1, now->errors / now->requests), now->requests,
            100 * fmin(1, usual->errors / usual->requests));
    return arena_format(arena,
                        "requests take %.0f ms on average, %.0f ms otherwise",
                        1000 * now->seconds / now->requests,
                        1000 * usual->seconds / usual->requests);
}

struct slice incident_text(const struct incident *incident,
                           const struct symptom_minutes *m,
                           const struct minute_row *row, uint32_t components,
                           struct arena *arena)
{
    struct incident_amounts a = incident_amounts(incident, m, row);
    struct slice text = describe(&a, arena);

    return components > 1
               ? arena_format(arena, "%.*s; symptoms in %u more component%s",
                              SLICE_ARGS(text), components - 1,
                              components == 2 ? "" : "s")
               : text;
}
