/*
 * POST /api/v1/metrics/query: one summed series per scope, never per pod, on a
 * grid of steps. red_expr.c and usage.c have the expressions.
 */
#include "clock.h"
#include "query_request.h"
#include "red_expr.h"
#include "reply_metrics.h"
#include "usage.h"

struct metrics_request {
    struct grid grid;
    const struct bitmap *resources;
    struct slice metric;
};

static enum status read_request(struct query_request *request,
                                struct metrics_request *args)
{
    struct scope_filter scope;
    uint64_t start_ns, end_ns, step_ns = 5 * NS_PER_MIN;

    params_text(request, "metric", &args->metric);
    if (!slice_equal(args->metric, SLICE("resource")) &&
        !slice_equal(args->metric, SLICE("http")))
        query_invalid(request, "metric must be resource or http");
    params_scope(request, 0, &scope);
    params_range(request, &start_ns, &end_ns);
    if (params_step(request, end_ns - start_ns, &step_ns) != OK)
        return request->failed;
    args->grid = grid_make(start_ns, end_ns, step_ns, request->now_ns);
    return params_select(request, &scope, &args->resources);
}

/* ---- the answers: OpenChoreo's names ---- */

struct resource_reply {
    struct reply_list rows[USAGE_ROWS];
};
static const struct reply_table resource_table = REPLY_TABLE(
    struct resource_reply,
    REPLY_CELLS(struct resource_reply, "cpuUsage", rows[METRIC_CPU_USAGE]),
    REPLY_CELLS(struct resource_reply, "cpuRequests", rows[METRIC_CPU_REQUEST]),
    REPLY_CELLS(struct resource_reply, "cpuLimits", rows[METRIC_CPU_LIMIT]),
    REPLY_CELLS(struct resource_reply, "memoryUsage",
                rows[METRIC_MEMORY_USAGE]),
    REPLY_CELLS(struct resource_reply, "memoryRequests",
                rows[METRIC_MEMORY_REQUEST]),
    REPLY_CELLS(struct resource_reply, "memoryLimits",
                rows[METRIC_MEMORY_LIMIT]),
    REPLY_CELLS(struct resource_reply, "networkReceiveBytes",
                rows[METRIC_NETWORK_RECEIVE]),
    REPLY_CELLS(struct resource_reply, "networkTransmitBytes",
                rows[METRIC_NETWORK_TRANSMIT]),
    REPLY_CELLS(struct resource_reply, "diskReadBytes", rows[METRIC_DISK_READ]),
    REPLY_CELLS(struct resource_reply, "diskWriteBytes",
                rows[METRIC_DISK_WRITE]));

struct http_reply {
    struct reply_list rows[RED_ROWS];
};
static const struct reply_table http_table = REPLY_TABLE(
    struct http_reply,
    REPLY_CELLS(struct http_reply, "requestCount", rows[RED_REQUESTS]),
    REPLY_CELLS(struct http_reply, "successfulRequestCount",
                rows[RED_SUCCESSFUL]),
    REPLY_CELLS(struct http_reply, "unsuccessfulRequestCount",
                rows[RED_UNSUCCESSFUL]),
    REPLY_CELLS(struct http_reply, "meanLatency", rows[RED_MEAN]),
    REPLY_CELLS(struct http_reply, "latencyP50", rows[RED_P50]),
    REPLY_CELLS(struct http_reply, "latencyP90", rows[RED_P90]),
    REPLY_CELLS(struct http_reply, "latencyP99", rows[RED_P99]));

/* One of the two; NULL: the other one. */
struct metrics_reply {
    const struct resource_reply *resource;
    const struct http_reply *http;
};
static const struct reply_table metrics_table = REPLY_TABLE(
    struct metrics_reply,
    REPLY_INLINE(struct metrics_reply, resource, REPLY_POINTER,
                 &resource_table),
    REPLY_INLINE(struct metrics_reply, http, REPLY_POINTER, &http_table));

static enum status query_resource(struct query_request *request,
                                  const struct metrics_request *args)
{
    struct resource_reply reply;
    struct usage usage;
    enum status s = usage_query(request, args->resources, &args->grid, &usage);

    if (s != OK)
        return s;
    for (int i = 0; i < USAGE_ROWS; i++)
        reply.rows[i] = reply_cells(&usage.table, metric_total(&usage.table),
                                    &usage.rows[i]);
    const struct metrics_reply both = {.resource = &reply};
    reply_write(&request->json, &metrics_table, &both);
    return OK;
}

static enum status query_http(struct query_request *request,
                              const struct metrics_request *args)
{
    struct metric_table table;
    struct http_reply reply;
    struct red red;
    enum status s =
        red_query(request, args->resources, &args->grid, &red, &table);

    if (s != OK)
        return s;
    for (int i = 0; i < RED_ROWS; i++)
        reply.rows[i] = reply_cells(&table, metric_total(&table), &red.rows[i]);
    const struct metrics_reply both = {.http = &reply};
    reply_write(&request->json, &metrics_table, &both);
    return OK;
}

static enum status query_metrics(struct query_request *request)
{
    struct metrics_request args;
    enum status s = read_request(request, &args);

    if (s != OK)
        return s;
    return slice_equal(args.metric, SLICE("http"))
               ? query_http(request, &args)
               : query_resource(request, &args);
}

const struct route routes_metrics[] = {
    {"POST", "/api/v1/metrics/query", ACTION_METRICS_VIEW, SCOPE_BODY,
     query_metrics, "M", TAKES_JSON, 0, &metrics_table},
    {0},
};
