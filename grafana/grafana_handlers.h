/*
 * grafana_handlers - the handlers of the families, by file.
 *
 * Purpose:   grafana_families.c names them.
 * Ownership: as in grafana_family.h.
 * Threads:   one request, one thread.
 * Errors:    as in grafana_family.h.
 */
#ifndef GRAFANA_HANDLERS_H
#define GRAFANA_HANDLERS_H

#include "grafana_family.h"

/* grafana_red_frames.c */
grafana_handler grafana_requests, grafana_errors, grafana_error_ratio,
    grafana_latency, grafana_heatmap;
grafana_handler grafana_usage, grafana_restarts; /* grafana_usage.c */
grafana_handler grafana_log_volume, grafana_logs,
    grafana_log_templates;                             /* grafana_logs.c */
grafana_handler grafana_traces, grafana_trace_scatter; /* grafana_traces.c */
grafana_handler grafana_trace;                         /* grafana_trace.c */
grafana_handler grafana_topology;                      /* grafana_topology.c */
grafana_handler grafana_components;              /* grafana_components.c */
grafana_handler grafana_changes, grafana_events; /* grafana_events.c */
grafana_handler grafana_cause, grafana_cause_evidence,
    grafana_cause_summary;         /* grafana_cause.c */
grafana_handler grafana_series;    /* grafana_series.c */
grafana_handler grafana_callboard; /* grafana_callboard.c */

/* grafana_record_fields.c: fields of the builder. */
extern const struct payload_field grafana_fields_log_volume[],
    grafana_fields_logs[], grafana_fields_log_templates[],
    grafana_fields_traces[], grafana_fields_trace[], grafana_fields_topology[],
    grafana_fields_components[], grafana_fields_changes[],
    grafana_fields_events[];

#endif
