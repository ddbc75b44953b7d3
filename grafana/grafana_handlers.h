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

grafana_handler grafana_series;    /* grafana_series.c */
grafana_handler grafana_callboard; /* grafana_callboard.c */

#endif
