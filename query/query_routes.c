/*
 * The routes of the query API, and what a request can say for itself. The
 * handler files each have a table of routes; the HTTP server finds the one of a
 * path.
 */
#include "query_request.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

enum { MAX_ROUTES = 128 };

static const struct route *const tables[] = {
    routes_logs,     routes_events,       routes_traces,   routes_metrics,
    routes_topology, routes_components,   routes_admin,    routes_cause,
    routes_rca,      routes_dead_letters, routes_unserved,
};

/* The rows of all tables, as the HTTP server takes them. */
static struct http_route flat[MAX_ROUTES];
static size_t flat_count;

static void flatten(void)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct route *route = tables[i]; route->path; route++) {
            assert(flat_count < MAX_ROUTES);
            flat[flat_count++] = (struct http_route){
                .method = route->method,
                .path = route->path,
                .flags = route->flags & ON_IO ? HTTP_RESERVED : 0,
                .max_body = route->max_body,
                .user = route,
            };
        }
}

const struct http_route *query_routes(size_t *count)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, flatten);
    *count = flat_count;
    return flat;
}

struct slice query_param(const struct query_request *request, const char *name)
{
    struct slice wanted = slice_of(name);

    for (uint32_t i = 0; i < request->param_count; i++)
        if (slice_equal(request->params[i].name, wanted))
            return params_trim(request->params[i].value);
    return (struct slice){NULL, 0};
}

/* Clients of the Observer API know these titles only; the status says more. */
static const char *title_of(int http)
{
    switch (http) {
    case 401:
        return "unauthorized";
    case 403:
        return "forbidden";
    case 404:
        return "notFound";
    case 409:
        return "conflict";
    case 501:
        return "notImplemented";
    default:
        return http < 500 ? "badRequest" : "internalServerError";
    }
}

/* Logs, events and metrics leave the code of a bad request empty; traces have
 * one. Trouble of our own is -01 in every area. */
static void default_code(const struct query_request *request, int http,
                         char *code, size_t size)
{
    const char *area = request->route ? request->route->area : NULL;

    code[0] = '\0';
    if (area && http >= 500)
        snprintf(code, size, "OBS-V1-%s-01", area);
    else if (area && strcmp(area, "T") == 0)
        snprintf(code, size, "OBS-V1-T-06");
}

enum status query_fail(struct query_request *request, enum status status,
                       const char *error_code, const char *format, ...)
{
    int http = status_http(status);
    char message[512], code[24];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    default_code(request, http, code, sizeof(code));
    request->http_status = http;
    request->content_type_out = "application/json";
    buf_reset(&request->out);
    jsonw_init(&request->json, &request->out);
    jsonw_open(&request->json, '{');
    jsonw_key(&request->json, "title");
    jsonw_cstr(&request->json, title_of(http));
    jsonw_key(&request->json, "errorCode");
    jsonw_cstr(&request->json, error_code ? error_code : code);
    jsonw_key(&request->json, "message");
    jsonw_cstr(&request->json, message);
    if (request->route && request->route->flags & RCA_ERRORS) {
        jsonw_member_text(&request->json, "detail", slice_of(message));
        jsonw_member_text(&request->json, "error", slice_of(message));
    }
    jsonw_close(&request->json, '}');
    return status;
}

enum status query_fail_read(struct query_request *request, enum status status)
{
    char code[24] = "";

    if (request->route->area)
        snprintf(code, sizeof(code), "OBS-V1-%s-05", request->route->area);
    if (status == ERR_TOO_BIG)
        return query_fail(request, status, "",
                          "the query needs more memory than one query may use; "
                          "lower the limit or narrow the time range");
    return query_fail(request, status, code, "Reading failed: %s",
                      status_text(status));
}

int64_t query_took_ms(const struct query_request *request)
{
    return (int64_t)((clock_monotonic_ns() - request->started_ns) / NS_PER_MS);
}
