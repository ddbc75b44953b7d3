/*
 * grafana_record_families - the families that show records and answers, not
 * series: their handlers and fields, for the table of families.
 *
 * Purpose:   one line for each target in grafana_families.c.
 * Ownership: constants.
 * Threads:   one request, one thread.
 * Errors:    those of a handler (grafana_family.h).
 */
#ifndef GRAFANA_RECORD_FAMILIES_H
#define GRAFANA_RECORD_FAMILIES_H

#include "grafana_family.h"

grafana_handler grafana_log_volume, grafana_logs, grafana_log_templates,
    grafana_traces, grafana_trace_scatter, grafana_trace, grafana_topology,
    grafana_components, grafana_changes, grafana_events, grafana_cause,
    grafana_cause_evidence, grafana_cause_summary;

/* Their own fields. */
extern const struct payload_field grafana_fields_log_volume[],
    grafana_fields_logs[], grafana_fields_log_templates[],
    grafana_fields_traces[], grafana_fields_trace[], grafana_fields_topology[],
    grafana_fields_components[], grafana_fields_changes[],
    grafana_fields_events[];

#endif
