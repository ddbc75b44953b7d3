/*
 * The routes under /prometheus: Prometheus' HTTP API, for Grafana's Prometheus
 * data source, promtool and whatever else reads Prometheus. Errors have
 * Prometheus' shape: {"status":"error","errorType","error"}.
 */
#include "prometheus.h"

#include "api.h"

static const char *error_type(enum status status)
{
    switch (status) {
    case ERR_UNAUTHENTICATED:
        return "unauthorized";
    case ERR_FORBIDDEN:
        return "forbidden";
    case ERR_NOT_FOUND:
        return "not_found";
    case ERR_EXECUTION:
        return "execution";
    case ERR_LIMITED:
        return "too_many_requests";
    case ERR_DEADLINE:
        return "timeout";
    case ERR_CANCELLED:
        return "canceled";
    default:
        return status_http(status) < 500    ? "bad_data"
               : status_http(status) == 503 ? "unavailable"
                                            : "internal";
    }
}

struct prometheus_error {
    const char *status, *type, *message;
};
static const struct reply_table prometheus_error_table = REPLY_TABLE(
    struct prometheus_error, REPLY(struct prometheus_error, "status", status),
    REPLY(struct prometheus_error, "errorType", type),
    REPLY(struct prometheus_error, "error", message));

static void write_error(struct query_request *request, enum status status,
                        const char *message)
{
    /* Of a query that is being run (a refusal has no arena): clients read the
     * message of 400 and 422 only. */
    if (status == ERR_TOO_BIG && request->arena) {
        status = ERR_EXECUTION;
        request->http_status = status_http(status);
    }
    const struct prometheus_error error = {"error", error_type(status),
                                           message};

    reply_write(&request->json, &prometheus_error_table, &error);
}

#define BASE "/prometheus/api/v1/"
/* A form, or parameters of the URL. */
#define ROUTE(method, path, handler)                                           \
    {                                                                          \
        method, BASE path, ACTION_METRICS_VIEW, SCOPE_NARROWED, handler, NULL, \
            TAKES_FORM, API_MAX_BODY, NULL                                     \
    }
#define BOTH(path, handler) \
    ROUTE("GET", path, handler), ROUTE("POST", path, handler)
/* Tells nothing of what is stored. */
#define CONSTANT(path)                                                \
    {                                                                 \
        "GET", BASE path, ACTION_ANY, SCOPE_NONE, api_constant, NULL, \
            TAKES_FORM | NO_READER, 0, NULL                           \
    }

static const struct route routes[] = {
    BOTH("query", api_query),
    BOTH("query_range", api_query_range),
    BOTH("query_exemplars", api_exemplars),
    BOTH("labels", api_labels),
    BOTH("series", api_series),
    ROUTE("GET", "label/{}/values", api_label_values),
    ROUTE("GET", "metadata", api_metadata),
    CONSTANT("rules"),
    CONSTANT("alerts"),
    CONSTANT("targets"),
    CONSTANT("targets/metadata"),
    CONSTANT("alertmanagers"),
    CONSTANT("status/buildinfo"),
    CONSTANT("status/config"),
    CONSTANT("status/flags"),
    {"GET", "/prometheus/-/ready", ACTION_OPEN, SCOPE_NONE, api_ready, NULL,
     ON_IO, 0, NULL},
    {"GET", "/prometheus/-/healthy", ACTION_OPEN, SCOPE_NONE, api_healthy, NULL,
     ON_IO, 0, NULL},
    {0},
};

static const struct route *const tables[] = {routes, NULL};

const struct query_surface prometheus_surface = {tables, write_error};
