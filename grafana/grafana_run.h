/*
 * grafana_run - the handlers of the routes under /grafana.
 *
 * Purpose:   one function for each route.
 * Ownership: as of any route (query_request.h).
 * Threads:   one request, one thread.
 * Errors:    answered with query_fail().
 */
#ifndef GRAFANA_RUN_H
#define GRAFANA_RUN_H

#include "grafana_query.h"

enum status grafana_run(struct query_request *request);      /* /query */
enum status grafana_metrics(struct query_request *request);  /* /metrics */
enum status grafana_options(struct query_request *request);  /* of payloads */
enum status grafana_variable(struct query_request *request); /* /variable */
enum status grafana_search(struct query_request *request);   /* /search */
enum status grafana_tag_keys(struct query_request *request);
enum status grafana_tag_values(struct query_request *request);
enum status grafana_annotations(struct query_request *request);

/* Runs one family on this call and payload: its frames, or its error. */
enum status grafana_run_one(struct grafana_call *call, struct slice target,
                            json_t *payload, struct frames *frames);

#endif
