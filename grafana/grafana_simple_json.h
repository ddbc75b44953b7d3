/*
 * grafana_simple_json - answers in the two shapes that simple-json had.
 *
 * Purpose:   {"target", "datapoints"} and {"type": "table", "columns", "rows"}.
 * Ownership: reads frames.
 * Threads:   pure.
 * Errors:    none.
 */
#ifndef GRAFANA_SIMPLE_JSON_H
#define GRAFANA_SIMPLE_JSON_H

#include "grafana_query.h"

/* A table where the target has type "table", or the frame is no time series. */
void frames_write_simple_json(const struct frames *frames,
                              const struct grafana_call *call, struct jsonw *w);

/* For tools that want a flat array of objects, such as Infinity: one for each
 * row; of time series, one for each point. */
void frames_write_rows(const struct frames *frames, struct jsonw *w);

#endif
