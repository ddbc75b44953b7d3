/*
 * grafana - the contract of Grafana's JSON data source over the queries there
 * are.
 *
 * Purpose:   the routes under /grafana.
 * Ownership: constant tables.
 * Threads:   as any route (query_request.h).
 * Errors:    answers that the plugin shows: {"message"}.
 */
#ifndef GRAFANA_H
#define GRAFANA_H

#include "query_request.h"

extern const struct query_surface grafana_surface;

/* Takes a sample of the program's own counters (grafana_callboard.c) if one is
 * due; by one thread, now and then. */
void grafana_tick(uint64_t now_ns);

#endif
