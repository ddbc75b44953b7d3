/*
 * rca_context - what one analysis reads, before any of it is judged.
 *
 *   registry, catalogue ─► candidates, call graph
 *   spans, log records  ─► traces
 *   derived series      ─► counts of requests, errors, durations (red)
 *   metrics, log rates  ─► timeseries
 *   events              ─► changes
 *
 * Files evidence_X.c get the parts that they compare, never the whole; the
 * report is written from the whole.
 */
#ifndef RCA_CONTEXT_H
#define RCA_CONTEXT_H

#include "evidence_finders.h"
#include "incidents.h"

struct rca_context {
    const struct cause_query *query;
    struct arena *arena;
    struct rca_times times;
    struct symptom_minutes minutes;
    struct incident_list incidents;
    struct candidates candidates;
    struct call_graph graph;
    struct trace_samples traces;
    struct red_counts red;
    struct timeseries_list timeseries;
    struct rca_changes changes;
};

/* With a sample of at most about max_spans of each period. ERR_INVALID: the
 * times are not in order. */
MUST_CHECK enum status rca_context_read(struct rca_context *rca,
                                        const struct cause_query *query,
                                        uint32_t max_spans,
                                        struct arena *arena);

/* baseline.c: the baseline of a query that has none. */
/* Splits the window where nothing is known before it; false: it need not, or
 * there is no incident in it. */
bool baseline_inside(struct rca_times *times,
                     const struct symptom_minutes *minutes,
                     const struct incident_list *incidents);
MUST_CHECK enum status baseline_choose(struct rca_times *times,
                                       const struct symptom_minutes *minutes,
                                       struct arena *arena);

#endif
