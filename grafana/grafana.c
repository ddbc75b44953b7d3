/*
 * The routes under /grafana: the contract of Grafana's JSON data source
 * (simpod-json-datasource). Errors are {"message","error"}, which that plugin
 * shows.
 */
#include "grafana.h"

#include <strings.h>

#include "grafana_run.h"

struct grafana_error {
    const char *message, *error;
};
static const struct reply_table grafana_error_table = REPLY_TABLE(
    struct grafana_error, REPLY(struct grafana_error, "message", message),
    REPLY(struct grafana_error, "error", error));

static void write_error(struct query_request *request, enum status status,
                        const char *message)
{
    const struct grafana_error error = {message, status_text(status)};

    reply_write(&request->json, &grafana_error_table, &error);
}

/* "Save & test": any 200 is good, so a credential is required. */
static enum status health(struct query_request *request)
{
    static const struct grafana_error reply = {"Callboard is reachable", ""};

    reply_write(&request->json, &grafana_error_table, &reply);
    return OK;
}

/* Grafana sends JSON; older versions send nothing for tags. */
static enum status read_body(struct query_request *request)
{
    struct slice type = slice_trim(request->content_type, PARAMS_BLANKS);
    struct slice text = slice_trim(request->raw_body, PARAMS_BLANKS);

    if (type.len > 0 && strncasecmp(type.ptr, "application/json",
                                    type.len < 16 ? type.len : 16) != 0)
        return query_invalid(request,
                             "the body must be of type application/json");
    request->body = text.len > 0 ? payload_parse(text) : json_object();
    if (!json_is_object(request->body))
        return query_invalid(request, "the body must be a JSON object of at "
                                      "most 65536 values");
    return OK;
}

/* Routes with a body, and what runs once it is read. */
#define POST_ROUTES(X)                                    \
    X("/grafana/query", grafana_run)                      \
    X("/grafana/metrics", grafana_metrics)                \
    X("/grafana/metric-payload-options", grafana_options) \
    X("/grafana/variable", grafana_variable)              \
    X("/grafana/search", grafana_search)                  \
    X("/grafana/tag-keys", grafana_tag_keys)              \
    X("/grafana/tag-values", grafana_tag_values)          \
    X("/grafana/annotations", grafana_annotations)

#define POST_HANDLER(path, run)                                  \
    static enum status post_##run(struct query_request *request) \
    {                                                            \
        enum status s = read_body(request);                      \
                                                                 \
        return s == OK ? run(request) : s;                       \
    }
POST_ROUTES(POST_HANDLER)

enum { MAX_BODY = 2 * 1024 * 1024 };

#define POST_ROW(path, run) \
    {"POST", path, ACTION_ANY, SCOPE_NONE, post_##run, NULL, 0, MAX_BODY, NULL},

/* Each target, and each list, is checked by its own action. */
static const struct route routes[] = {
    {"GET", "/grafana", ACTION_ANY, SCOPE_NONE, health, NULL, NO_READER, 0,
     &grafana_error_table},
    {"GET", "/grafana/", ACTION_ANY, SCOPE_NONE, health, NULL, NO_READER, 0,
     &grafana_error_table},
    POST_ROUTES(POST_ROW){0},
};

static const struct route *const tables[] = {routes, NULL};

const struct query_surface grafana_surface = {tables, write_error};
