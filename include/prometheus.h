/*
 * prometheus - Prometheus' HTTP API over what is stored: PromQL (promql.h),
 * names and labels as Prometheus' OTLP receiver makes them.
 *
 * Purpose:   the routes under /prometheus/api/v1.
 * Ownership: constant tables.
 * Threads:   as any route (query_request.h).
 * Errors:    answers in Prometheus' shape.
 */
#ifndef PROMETHEUS_H
#define PROMETHEUS_H

#include "query_request.h"

extern const struct query_surface prometheus_surface;

#endif
