/*
 * From a request that has been read to an answer that can be sent; no sockets
 * here, so that tests call it directly.
 *
 *   route? -> body acceptable? -> reader_begin -> handler -> reader_end
 *
 * Whatever goes wrong becomes an answer. Two things may go wrong unseen by the
 * handler, because both are sticky: the arena (the question needs too much
 * memory) and the reply (its cap). They are looked at once, at the end.
 */
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "log.h"
#include "route.h"
#include "stats.h"

void call_init(struct call *call, const struct query_options *services,
               struct arena *arena, size_t max_reply)
{
    memset(call, 0, sizeof(*call));
    call->services = services;
    call->arena = arena;
    call->now_ns = clock_wall_ns();
    call->started_ns = clock_monotonic_ns();
    call->http_status = 200;
    call->content_type_out = "application/json";
    buf_init(&call->out, max_reply);
    jsonw_init(&call->json, &call->out);
}

static bool is_json_type(struct slice type)
{
    static const struct slice json = {"application/json", 16};

    return type.len >= json.len &&
           strncasecmp(type.ptr, json.ptr, json.len) == 0 &&
           (type.len == json.len || type.ptr[json.len] == ';' ||
            type.ptr[json.len] == ' ');
}

/*
 * Values in a JSON text, counted roughly from above. The tree that the parser
 * builds takes up to fifty times the text ("[],[],[]"), so its size is bounded
 * by the number of values, before it is built.
 */
static size_t count_values(struct slice text)
{
    size_t count = 1;
    bool in_text = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (in_text && c == '\\')
            i++;
        else if (c == '"')
            in_text = !in_text;
        else if (!in_text)
            count += c == ',' || c == '[' || c == '{';
    }
    return count;
}

static enum status bad_format(struct call *call)
{
    return call_fail(call, ERR_INVALID, NULL, "Invalid request format");
}

static enum status read_body(struct call *call)
{
    json_error_t error;

    if (!(call->route->flags & (TAKES_JSON | TAKES_RAW)))
        return OK;
    if (!is_json_type(params_trim(call->content_type)))
        return bad_format(call);
    if (call->route->flags & TAKES_RAW)
        return OK;
    if (count_values(call->raw_body) > CALL_MAX_VALUES)
        return call_fail(call, ERR_TOO_BIG, NULL,
                         "the body has more than %d values", CALL_MAX_VALUES);
    if (call->raw_body.len > 0)
        call->body = json_loadb(call->raw_body.ptr, call->raw_body.len,
                                JSON_ALLOW_NUL, &error);
    return json_is_object(call->body) ? OK : bad_format(call);
}

static enum status run_handler(struct call *call)
{
    enum status s;

    if (call->route->flags & (NO_READER | ON_IO))
        return call->route->handler(call);
    s = reader_begin(call->reader);
    if (s != OK)
        return call_fail_read(call, s);
    s = call->route->handler(call);
    reader_end(call->reader);
    return s;
}

static void check_sticky(struct call *call)
{
    enum status s = arena_status(call->arena);

    if (s == ERR_TOO_BIG)
        call_fail_read(call, s);
    else if (s != OK)
        call_fail(call, s, NULL, "too many questions at once, ask again");
    else if (call->out.status != OK)
        call_fail(call, ERR_TOO_BIG, NULL,
                  "the answer is larger than %zu bytes; lower the limit, "
                  "leave attributes out or narrow the time range",
                  call->out.cap);
}

void answer_no_route(struct call *call)
{
    if (call->allow && call->allow[0])
        call_fail(call, ERR_METHOD, NULL, "method not allowed; allowed: %s",
                  call->allow);
    else
        call_fail(call, ERR_NOT_FOUND, NULL, "no such path");
}

static void count_answer(const struct call *call)
{
    uint64_t took_ns = clock_monotonic_ns() - call->started_ns;

    stats_add(call->http_status < 400 ? STATS_QUERIES : STATS_QUERY_ERRORS, 1);
    stats_add(STATS_QUERY_MICROSECONDS, took_ns / NS_PER_US);
}

void answer_call(struct call *call, struct reader *reader)
{
    call->reader = reader;
    if (!call->route) {
        answer_no_route(call);
    } else if (read_body(call) == OK) {
        enum status s = run_handler(call);

        if (s != OK && call->http_status == 200)
            call_fail(call, s, NULL, "%s", status_text(s));
        else if (s == OK)
            check_sticky(call);
    }
    if (call->http_status == 500) /* a defect; the rest is counted only */
        log_error("query", "question failed", "path=\"%s\"", call->route->path);
    json_decref(call->body);
    call->body = NULL;
    count_answer(call);
}
