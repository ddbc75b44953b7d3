/*
 * evidence_finders - one function for each kind of evidence. Each gets what it
 * compares, judges the part of the window that evidence->times says, and adds
 * what it finds. Memory that ends shows in the status of the arena.
 *
 * What is measured once for all attempts (durations, events of traces) is made
 * before; NULL: the arena is full.
 */
#ifndef EVIDENCE_FINDERS_H
#define EVIDENCE_FINDERS_H

#include "component_flows.h"
#include "evidence.h"
#include "red_counts.h"
#include "timeseries.h"
#include "trace_sample.h"

/* Resources against their limits; marks the series of resources that have
 * one. */
/* What is left of a limited resource becomes what is used of it; before the
 * histories are measured. */
void limits_invert(struct timeseries_list *list);
void find_limits(struct evidence_set *evidence, struct timeseries_list *list);

/* Time of its own. */
struct duration_sample *latency_measure(const struct trace_samples *traces);
void find_latency(struct evidence_set *evidence,
                  const struct duration_sample *own,
                  const double *usual_trace_ns);

/* Time between the span of a caller and that of the callee. */
struct duration_sample *network_measure(const struct trace_samples *traces);
void find_network(struct evidence_set *evidence,
                  const struct duration_sample *gaps,
                  const struct candidates *candidates,
                  const double *usual_trace_ns);

/* Events inside requests. */
struct trace_diff *trace_diff_collect(const struct trace_samples *traces);
void find_trace_diff(struct evidence_set *evidence,
                     const struct trace_diff *diff);

/* Requests that fail while none of their calls does. */
struct own_failures *failures_measure(const struct trace_samples *traces);
void find_failures(struct evidence_set *evidence,
                   const struct own_failures *failures,
                   const struct red_counts *counts);

/* Requests, errors, durations as they were counted. */
void find_red(struct evidence_set *evidence, const struct red_counts *counts);

/* Metrics against their own history (history_measure()). After all others
 * except changes: it counts what they found. */
void find_metric_anomalies(struct evidence_set *evidence,
                           const struct timeseries_list *list,
                           const struct flow_list *flows,
                           const struct red_counts *red, double *room);

/* Pods that were replaced, processes that began again. */
void find_replaced_pods(struct evidence_set *evidence,
                        const struct timeseries_list *list);

/* Requests that no known caller sent, of components that are slow or fail. */
void find_traffic(struct evidence_set *evidence,
                  const struct timeseries_list *list,
                  const struct flow_list *flows, double *room);

/* By time, of all components. */
struct event_list;
struct rca_changes {
    struct cause_change *at;
    uint32_t count;
    struct event_list *events; /* of which these are those that are news */
};
MUST_CHECK enum status changes_read(struct rca_changes *list,
                                    struct reader *reader,
                                    struct candidates *candidates,
                                    const struct rca_times *times,
                                    struct arena *arena);
/* What happened to pods, and what changed. Last, as it counts by what the
 * others found. */
void find_changes(struct evidence_set *evidence,
                  const struct rca_changes *changes,
                  const struct call_graph *graph, const struct red_counts *red,
                  const struct timeseries_list *list, uint32_t candidates);

#endif
