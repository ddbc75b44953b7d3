/*
 * incident_history - the times in which components of a scope had symptoms.
 *
 * Purpose: the judgement of cause.h, minute by minute, over a window of any
 *   length and over many components, without its other evidence.
 * Ownership: what is found is in the caller's arena; texts of the scope, and
 *   reader, registry and catalogue belong to the caller.
 * Threads: any, one at a time for a reader.
 * Errors: ERR_TOO_BIG: there are too many components; else as cause_find().
 */
#ifndef INCIDENT_HISTORY_H
#define INCIDENT_HISTORY_H

#include "cause.h"

struct incident_query {
    struct scope_filter
        scope; /* with a component: only that one is looked at */
    const struct viewer *viewer;
    struct cause_window window;
    struct registry *registry;
    struct catalog *catalog; /* or NULL */
    struct reader *reader;
};

enum incident_symptom {
    INCIDENT_ERRORS,
    INCIDENT_LATENCY, /* and no errors */
    INCIDENT_METRICS, /* requests are not seen */
    INCIDENT_SYMPTOMS
};

struct incident_figures {
    double requests, failed, seconds;
};

struct component_incident {
    const struct identity *identity;
    enum incident_symptom symptom;
    uint64_t start_ns, end_ns; /* end 0: it lasts */
    struct incident_figures during, usual;
};

struct found_incident {
    struct component_incident lead; /* of one that calls no other with symptoms;
                                       times of all */
    struct slice text;
    struct component_incident *components; /* that began first at the front */
    uint32_t component_count;
};

struct incident_history {
    struct found_incident *at; /* the latest first */
    uint32_t count;
    uint32_t components;        /* of which anything was measured */
    struct cause_window judged; /* a part of the window */
};

MUST_CHECK enum status incident_history_find(const struct incident_query *query,
                                             struct arena *arena,
                                             struct incident_history *history);

#endif
