/*
 * The routes of the query API, and what a call can say for itself. The handler
 * files each have a table of routes; the HTTP server finds the one of a path.
 */
#include "route.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

enum { MAX_ROUTES = 128 };

static const struct route *const tables[] = {
    routes_logs,         routes_traces,   routes_metrics, routes_topology,
    routes_components,   routes_admin,    routes_cause,   routes_rca,
    routes_dead_letters, routes_unserved,
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

const struct http_route *route_list(size_t *count)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, flatten);
    *count = flat_count;
    return flat;
}

struct slice call_param(const struct call *call, const char *name)
{
    struct slice wanted = slice_of(name);

    for (uint32_t i = 0; i < call->param_count; i++)
        if (slice_equal(call->params[i].name, wanted))
            return params_trim(call->params[i].value);
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
static void default_code(const struct call *call, int http, char *code,
                         size_t size)
{
    const char *area = call->route ? call->route->area : NULL;

    code[0] = '\0';
    if (area && http >= 500)
        snprintf(code, size, "OBS-V1-%s-01", area);
    else if (area && strcmp(area, "T") == 0)
        snprintf(code, size, "OBS-V1-T-06");
}

enum status call_fail(struct call *call, enum status status,
                      const char *error_code, const char *format, ...)
{
    int http = status_http(status);
    char message[512], code[24];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    default_code(call, http, code, sizeof(code));
    call->http_status = http;
    call->content_type_out = "application/json";
    buf_reset(&call->out);
    jsonw_init(&call->json, &call->out);
    jsonw_open(&call->json, '{');
    jsonw_key(&call->json, "title");
    jsonw_cstr(&call->json, title_of(http));
    jsonw_key(&call->json, "errorCode");
    jsonw_cstr(&call->json, error_code ? error_code : code);
    jsonw_key(&call->json, "message");
    jsonw_cstr(&call->json, message);
    if (call->route && call->route->flags & RCA_ERRORS) {
        jsonw_member_text(&call->json, "detail", slice_of(message));
        jsonw_member_text(&call->json, "error", slice_of(message));
    }
    jsonw_close(&call->json, '}');
    return status;
}

enum status call_fail_read(struct call *call, enum status status)
{
    char code[24] = "";

    if (call->route->area)
        snprintf(code, sizeof(code), "OBS-V1-%s-05", call->route->area);
    if (status == ERR_TOO_BIG)
        return call_fail(call, status, "",
                         "the query needs more memory than one query may use; "
                         "lower the limit or narrow the time range");
    return call_fail(call, status, code, "Reading failed: %s",
                     status_text(status));
}

int64_t call_took_ms(const struct call *call)
{
    return (int64_t)((clock_monotonic_ns() - call->started_ns) / NS_PER_MS);
}
