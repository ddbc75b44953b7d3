/*
 * The routes under /prometheus/api/v1: Prometheus' HTTP API, for Grafana's
 * Prometheus data source, promtool and whatever else reads Prometheus.
 * Errors have Prometheus' shape: {"status":"error","errorType","error"}.
 */
#include "prometheus.h"

static const char *error_type(enum status status)
{
    switch (status) {
    case ERR_NOT_FOUND:
        return "not_found";
    case ERR_DEADLINE:
        return "timeout";
    case ERR_CANCELLED:
        return "canceled";
    case ERR_TOO_BIG:
        return "execution";
    default:
        return status_http(status) < 500 ? "bad_data" : "internal";
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
    const struct prometheus_error error = {"error", error_type(status),
                                           message};

    reply_write(&request->json, &prometheus_error_table, &error);
}

/* Data sources switch features on by the version: that of the PromQL that is
 * served. */
struct build_view {
    const char *version, *empty;
};
static const struct reply_table build_table =
    REPLY_TABLE(struct build_view, REPLY(struct build_view, "version", version),
                REPLY(struct build_view, "revision", empty),
                REPLY(struct build_view, "branch", empty),
                REPLY(struct build_view, "buildUser", empty),
                REPLY(struct build_view, "buildDate", empty),
                REPLY(struct build_view, "goVersion", empty));

struct build_reply {
    const char *status;
    struct build_view data;
};
static const struct reply_table build_reply_table = REPLY_TABLE(
    struct build_reply, REPLY(struct build_reply, "status", status),
    REPLY_OBJECT(struct build_reply, "data", data, 0, &build_table));

static enum status build_info(struct query_request *request)
{
    const struct build_reply reply = {"success", {"2.55.0", ""}};

    reply_write(&request->json, &build_reply_table, &reply);
    return OK;
}

static const struct route routes[] = {
    {"GET", "/prometheus/api/v1/status/buildinfo", ACTION_ANY, SCOPE_NONE,
     build_info, NULL, NO_READER, 0, &build_reply_table},
    {0},
};

const struct query_surface prometheus_surface = {routes, write_error};
