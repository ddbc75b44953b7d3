/*
 * grpc_health - grpc.health.v1.Health/Check, by which probes and load balancers
 * ask whether the services of this port are there.
 *
 * Threads  pure.
 */
#ifndef GRPC_HEALTH_H
#define GRPC_HEALTH_H

#include <stdbool.h>

#include "buf.h"
#include "status.h"

#define GRPC_TRACE_SERVICE   "trace.v1.TraceService"
#define GRPC_LOGS_SERVICE    "logs.v1.LogsService"
#define GRPC_METRICS_SERVICE "metrics.v1.MetricsService"

/* In: HealthCheckRequest. Out: HealthCheckResponse. ERR_MALFORMED,
 * ERR_NOT_FOUND: no such service. */
MUST_CHECK enum status grpc_health_check(struct slice request, bool serving,
                                         struct buf *response);

#endif
