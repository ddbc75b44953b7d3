/*
 * POST /api/v1/metrics/query: one summed series per scope, never per pod, on a
 * grid of steps. red.c and usage.c do the sums.
 */
#include "red.h"
#include "route.h"
#include "usage.h"

struct metrics_request {
    struct grid grid;
    struct idset *resources;
    struct slice metric;
};

static enum status read_request(struct call *call,
                                struct metrics_request *request)
{
    struct scope_filter scope;
    uint64_t start_ns, end_ns, step_ns;
    enum status s = params_text(call, "metric", &request->metric);

    if (s == OK && !slice_equal(request->metric, SLICE("resource")) &&
        !slice_equal(request->metric, SLICE("http")))
        s = call_fail(call, ERR_INVALID, NULL,
                      "metric must be resource or http");
    if (s == OK)
        s = params_scope(call, 0, &scope);
    if (s == OK)
        s = params_range(call, &start_ns, &end_ns);
    if (s == OK)
        s = params_step(call, start_ns, end_ns, &step_ns);
    if (s != OK)
        return s;
    request->grid = grid_make(start_ns, end_ns, step_ns, call->now_ns);
    request->resources =
        registry_select(call->services->registry, &scope, call->arena);
    return request->resources ? OK : arena_status(call->arena);
}

static enum status query_resource(struct call *call,
                                  const struct metrics_request *request)
{
    struct row rows[USAGE_ROWS];
    enum status s = usage_query(call, request->resources, &request->grid, rows);

    if (s != OK)
        return s;
    jsonw_open(&call->json, '{');
    for (int i = 0; i < USAGE_ROWS; i++)
        reply_row(call, usage_names[i], &request->grid, &rows[i]);
    jsonw_close(&call->json, '}');
    return OK;
}

static enum status query_http(struct call *call,
                              const struct metrics_request *request)
{
    struct row rows[RED_ROWS];
    struct red red;
    enum status s = red_query(call, request->resources, &request->grid, &red);

    if (s != OK)
        return s;
    if (!red_rows(&red, call->arena, rows))
        return arena_status(call->arena);
    jsonw_open(&call->json, '{');
    for (int i = 0; i < RED_ROWS; i++)
        reply_row(call, red_names[i], &request->grid, &rows[i]);
    jsonw_close(&call->json, '}');
    return OK;
}

static enum status query_metrics(struct call *call)
{
    struct metrics_request request;
    enum status s = read_request(call, &request);

    if (s != OK)
        return s;
    return slice_equal(request.metric, SLICE("http"))
               ? query_http(call, &request)
               : query_resource(call, &request);
}

const struct route routes_metrics[] = {
    {"POST", "/api/v1/metrics/query", query_metrics, "M", TAKES_JSON, 0},
    {0},
};
