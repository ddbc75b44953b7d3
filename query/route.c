/*
 * Which handler a request goes to, and what a call can say for itself.
 *
 * The handler files each have a table of routes. A path is cut at its slashes
 * and compared segment by segment; {} in a pattern takes any segment that is
 * not empty. Segments are unescaped one by one after the cut, so a name may
 * hold an escaped slash. There are about twenty routes: a linear search costs
 * less than the request line took to arrive.
 */
#include "route.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "hex.h"

static const struct route *const tables[] = {
    routes_logs,     routes_traces,     routes_metrics,
    routes_topology, routes_components, routes_admin,
    routes_cause,    routes_rca,        routes_dead_letters,
};

struct slice route_unescape(struct arena *arena, struct slice text)
{
    char *out;
    size_t len = 0;

    if (text.len == 0 || !memchr(text.ptr, '%', text.len))
        return text;
    out = arena_alloc(arena, text.len);
    if (!out)
        return (struct slice){NULL, 0};
    for (size_t i = 0; i < text.len; i++) {
        int high = -1, low = -1;

        if (text.ptr[i] == '%' && text.len - i > 2) {
            high = hex_digit(text.ptr[i + 1]);
            low = hex_digit(text.ptr[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            out[len++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[len++] = text.ptr[i];
        }
    }
    return (struct slice){out, len};
}

/* Cuts the first segment off, with the slash before it. */
static struct slice next_segment(struct slice *path)
{
    struct slice rest = slice_from(*path, 1);
    const char *slash = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;
    size_t len = slash ? (size_t)(slash - rest.ptr) : rest.len;

    *path = slice_from(rest, len);
    return (struct slice){rest.ptr, len};
}

static bool path_matches(const char *pattern, struct slice path,
                         struct slice parts[CALL_MAX_PARTS])
{
    struct slice want = slice_of(pattern);
    uint32_t count = 0;

    while (want.len > 0 && path.len > 0 && path.ptr[0] == '/') {
        struct slice expected = next_segment(&want);
        struct slice segment = next_segment(&path);

        if (slice_equal(expected, SLICE("{}"))) {
            if (segment.len == 0)
                return false;
            parts[count++] = segment;
        } else if (!slice_equal(expected, segment)) {
            return false;
        }
    }
    return want.len == 0 && path.len == 0;
}

static void add_allowed(struct call *call, const char *method)
{
    size_t len = strlen(call->allow);

    if (!strstr(call->allow, method))
        snprintf(call->allow + len, sizeof(call->allow) - len, "%s%s",
                 len ? ", " : "", method);
}

static void take_route(struct call *call, const struct route *route,
                       const struct slice parts[CALL_MAX_PARTS])
{
    call->route = route;
    for (size_t i = 0; i < CALL_MAX_PARTS; i++)
        call->parts[i] = route_unescape(call->arena, parts[i]);
}

bool route_find(struct call *call, struct slice method, struct slice path)
{
    if (slice_equal(method, SLICE("HEAD")))
        method = SLICE("GET");
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct route *route = tables[i]; route->path; route++) {
            struct slice parts[CALL_MAX_PARTS] = {{NULL, 0}};

            if (!path_matches(route->path, path, parts))
                continue;
            if (slice_equal(slice_of(route->method), method)) {
                take_route(call, route, parts);
                return true;
            }
            add_allowed(call, route->method);
        }
    return false;
}

struct slice call_param(const struct call *call, const char *name)
{
    struct slice wanted = slice_of(name);

    for (uint32_t i = 0; i < call->param_count; i++)
        if (slice_equal(call->params[i].name, wanted))
            return params_trim(call->params[i].value);
    return (struct slice){NULL, 0};
}

static const char *title_of(int http)
{
    switch (http) {
    case 400:
        return "badRequest";
    case 404:
        return "notFound";
    case 405:
        return "methodNotAllowed";
    case 413:
        return "payloadTooLarge";
    case 415:
        return "unsupportedMediaType";
    case 501:
        return "notImplemented";
    case 503:
        return "serviceUnavailable";
    default:
        return "internalServerError";
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
                         "the question needs more memory than one question "
                         "may have; narrow the time range or lower the limit");
    return call_fail(call, status, code, "Reading failed: %s",
                     status_text(status));
}

int64_t call_took_ms(const struct call *call)
{
    return (int64_t)((clock_monotonic_ns() - call->started_ns) / NS_PER_MS);
}
