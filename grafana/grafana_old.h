/*
 * grafana_old - answers in the two shapes that simple-json had.
 *
 * Purpose:   {"target", "datapoints"} and {"type": "table", "columns", "rows"}.
 * Ownership: reads frames.
 * Threads:   pure.
 * Errors:    none.
 */
#ifndef GRAFANA_OLD_H
#define GRAFANA_OLD_H

#include "grafana_query.h"

/* A table where the target has type "table", or the frame is no time series. */
void frames_write_old(const struct frames *frames,
                      const struct grafana_call *call, struct jsonw *w);

#endif
