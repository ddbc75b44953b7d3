/*
 * POST /api/v1/metrics/query: one summed series per scope, never per pod, on a
 * grid of steps. red.c and usage.c do the sums.
 */
#include "query_request.h"
#include "red.h"
#include "usage.h"

struct metrics_request {
    struct grid grid;
    struct bitmap *resources;
    struct slice metric;
};

static enum status read_request(struct query_request *request,
                                struct metrics_request *args)
{
    struct scope_filter scope;
    uint64_t start_ns, end_ns, step_ns;
    enum status s = params_text(request, "metric", &args->metric);

    if (s == OK && !slice_equal(args->metric, SLICE("resource")) &&
        !slice_equal(args->metric, SLICE("http")))
        s = query_invalid(request, "metric must be resource or http");
    if (s == OK)
        s = params_scope(request, 0, &scope);
    if (s == OK)
        s = params_range(request, &start_ns, &end_ns);
    if (s == OK)
        s = params_step(request, start_ns, end_ns, &step_ns);
    if (s != OK)
        return s;
    args->grid = grid_make(start_ns, end_ns, step_ns, request->now_ns);
    args->resources =
        registry_select(request->services->registry, &scope, request->arena);
    return args->resources ? OK : arena_status(request->arena);
}

static enum status query_resource(struct query_request *request,
                                  const struct metrics_request *args)
{
    struct grid_row rows[USAGE_ROWS];
    enum status s = usage_query(request, args->resources, &args->grid, rows);

    if (s != OK)
        return s;
    jsonw_open(&request->json, '{');
    for (int i = 0; i < USAGE_ROWS; i++)
        reply_row(request, usage_names[i], &args->grid, &rows[i]);
    jsonw_close(&request->json, '}');
    return OK;
}

static enum status query_http(struct query_request *request,
                              const struct metrics_request *args)
{
    struct grid_row rows[RED_ROWS];
    struct red red;
    enum status s = red_query(request, args->resources, &args->grid, &red);

    if (s != OK)
        return s;
    if (!red_rows(&red, request->arena, rows))
        return arena_status(request->arena);
    jsonw_open(&request->json, '{');
    for (int i = 0; i < RED_ROWS; i++)
        reply_row(request, red_names[i], &args->grid, &rows[i]);
    jsonw_close(&request->json, '}');
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
    {"POST", "/api/v1/metrics/query", query_metrics, "M", TAKES_JSON, 0, NULL},
    {0},
};
