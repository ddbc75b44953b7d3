/*
 * incidents - times in which components have symptoms, told from each other by
 * minutes without any. A query is about the one that is still there at the end
 * of its window; one that was over before is another incident.
 */
#ifndef INCIDENTS_H
#define INCIDENTS_H

#include "call_graph.h"
#include "symptom_minutes.h"

enum { MAX_INCIDENTS = 256 };

struct incident {
    uint32_t first, end; /* minutes; end: the first without symptoms */
};

struct incident_list { /* by time, the latest ones */
    struct incident at[MAX_INCIDENTS];
    uint32_t count;
};

void incidents_find(struct incident_list *list,
                    const struct symptom_minutes *minutes);

/* Of so many minutes the last ones are without symptoms. */
bool incident_is_over(const struct incident *incident, uint32_t minutes);

/* When the latest incident that began in the window and is over ended; the
 * start of the window if there is none. */
uint64_t incidents_over(const struct incident_list *list,
                        const struct symptom_minutes *minutes,
                        const struct cause_window *window);

/* Minutes of it in which a component has symptoms. */
uint32_t incident_minutes(const struct incident *incident,
                          const struct minute_row *row);

/* Of the components with symptoms, and how many these are, one that calls no
 * other of them; NULL: there is none. graph NULL: of calls nothing is known. */
const struct minute_row *incident_lead(const struct incident *incident,
                                       const struct symptom_minutes *minutes,
                                       const struct call_graph *graph,
                                       uint32_t *components);

/* The symptoms of a component in an incident, and what it counted in it and in
 * all minutes without symptoms. */
struct incident_amounts {
    struct minute_counts now, usual;
    uint8_t symptoms; /* enum minute_symptom */
};
struct incident_amounts incident_amounts(const struct incident *incident,
                                         const struct symptom_minutes *minutes,
                                         const struct minute_row *row);

/* A sentence about one of so many components. */
struct slice incident_text(const struct incident *incident,
                           const struct symptom_minutes *minutes,
                           const struct minute_row *row, uint32_t components,
                           struct arena *arena);

#endif
