/*
 * Runs a query. In: a request that has arrived. Out: an answer that can be
 * sent, whatever happens. No sockets here, so tests call it directly.
 *
 *   route -> body -> reader_begin -> handler -> reader_end
 *
 * Two errors are sticky, so a handler need not look at them: a full arena (the
 * query needs too much memory) and a full buffer (the answer is too large).
 * They are checked once, at the end.
 */
#include <string.h>
#include <strings.h>

#include "ascii.h"
#include "clock.h"
#include "log.h"
#include "query_request.h"
#include "stats.h"

void query_request_init(struct query_request *request,
                        const struct query_options *services,
                        struct arena *arena, size_t max_reply)
{
    memset(request, 0, sizeof(*request));
    request->services = services;
    request->arena = arena;
    request->now_ns = clock_wall_ns();
    request->started_ns = clock_monotonic_ns();
    request->http_status = 200;
    request->content_type_out = "application/json";
    buf_init(&request->out, max_reply);
    jsonw_init(&request->json, &request->out);
}

void query_request_subject(struct query_request *request,
                           const struct subject *subject)
{
    request->subject = subject;
    request->viewer = (struct viewer){
        subject->grants, request->route ? request->route->action : ACTION_NONE};
}

int64_t query_took_ms(const struct query_request *request)
{
    return (int64_t)((clock_monotonic_ns() - request->started_ns) / NS_PER_MS);
}

/* Without the parameters of the type. */
static bool is_of_type(const struct query_request *request, struct slice wanted)
{
    struct slice type = slice_trim(request->content_type, PARAMS_BLANKS);

    return type.len >= wanted.len &&
           strncasecmp(type.ptr, wanted.ptr, wanted.len) == 0 &&
           (type.len == wanted.len || type.ptr[wanted.len] == ';' ||
            type.ptr[wanted.len] == ' ');
}

size_t query_count_values(struct slice text)
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

static enum status bad_format(struct query_request *request)
{
    return query_invalid(request, "Invalid request format");
}

/* The parameters of the body, and then those of the query string. */
static enum status read_form(struct query_request *request)
{
    struct slice text = slice_trim(request->raw_body, PARAMS_BLANKS);
    uint32_t count = http_count_params(text);
    struct http_param *params;
    char *copy;

    if (count == 0 || strcmp(request->route->method, "GET") == 0)
        return OK;
    if (!is_of_type(request, SLICE("application/x-www-form-urlencoded")))
        return query_invalid(request, "the body must be of type "
                                      "application/x-www-form-urlencoded");
    if (count > QUERY_MAX_FORM)
        return query_fail(request, ERR_TOO_BIG, NULL,
                          "the body has more than %d parameters",
                          QUERY_MAX_FORM);
    params = arena_zero(request->arena, count + request->param_count,
                        sizeof(*params));
    copy = arena_alloc(request->arena, text.len);
    if (!params || !copy)
        return arena_status(request->arena);
    slice_copy(copy, text);
    count = http_split_params(copy, text.len, params);
    for (uint32_t i = 0; i < request->param_count; i++)
        params[count + i] = request->params[i];
    request->params = params;
    request->param_count += count;
    return OK;
}

static enum status read_body(struct query_request *request)
{
    json_error_t error;

    if (request->route->flags & TAKES_FORM)
        return read_form(request);
    if (!(request->route->flags & (TAKES_JSON | TAKES_RAW)))
        return OK;
    if (!is_of_type(request, SLICE("application/json")))
        return bad_format(request);
    if (request->route->flags & TAKES_RAW)
        return OK;
    if (query_count_values(request->raw_body) > QUERY_MAX_VALUES)
        return query_fail(request, ERR_TOO_BIG, NULL,
                          "the body has more than %d values", QUERY_MAX_VALUES);
    if (request->raw_body.len > 0)
        request->body = json_loadb(request->raw_body.ptr, request->raw_body.len,
                                   JSON_ALLOW_NUL, &error);
    return json_is_object(request->body) ? OK : bad_format(request);
}

static enum status run_handler(struct query_request *request)
{
    enum status s;

    if (request->route->flags & RCA_REPORTS && !request->services->rca)
        return query_fail(request, ERR_NOT_SERVED, NULL,
                          "reports are not stored by this server");
    if (request->route->flags & (NO_READER | ON_IO | SENDS_FILE | ASKS_ROUTES))
        return request->route->handler(request);
    s = reader_begin(request->reader);
    if (s != OK)
        return query_fail_read(request, s);
    s = request->route->handler(request);
    reader_end(request->reader);
    return s;
}

/* Of an answer in pieces: all of it if it is not large, else its beginning. */
static void produce_first(struct query_request *request)
{
    while (request->produce && request->out.len < QUERY_WHOLE &&
           request->out.status == OK)
        if (!request->produce(request->produce_arg, &request->out))
            request->produce = NULL;
}

/* A tenant's share is used up, not that of all queries. */
static bool is_over_own_share(const struct budget *budget)
{
    const struct budget *all = budget ? budget->parent : NULL;

    return all &&
           budget->limit - budget_used(budget) < all->limit - budget_used(all);
}

static void check_sticky(struct query_request *request)
{
    enum status s = query_memory_status(request, arena_status(request->arena));

    if (s == ERR_TOO_BIG)
        query_fail_read(request, s);
    else if (s == ERR_BUSY && is_over_own_share(request->arena->budget))
        query_fail(request, ERR_LIMITED, NULL,
                   "the queries of this namespace together are over its "
                   "limit queryMemory; retry later");
    else if (s != OK)
        query_fail(request, s, NULL,
                   "other queries hold the memory that this one needs; retry "
                   "later");
    else if (request->out.status != OK)
        query_fail(request, ERR_TOO_BIG, NULL,
                   "the answer is larger than %zu bytes; lower the limit, "
                   "leave attributes out or narrow the time range",
                   request->out.cap);
}

void query_request_about(struct query_request *request,
                         const union scope_names *scope, struct slice name)
{
    if (request->http)
        http_set_about(request->http, scope, name);
}

void query_refuse_route(struct query_request *request)
{
    if (request->allow && request->allow[0])
        query_fail(request, ERR_METHOD, NULL, "method not allowed; allowed: %s",
                   request->allow);
    else
        query_fail(request, ERR_NOT_FOUND, NULL, "no such path");
}

/* "tookMs":12} is the end of most answers. */
static size_t timing_len(struct slice out)
{
    static const char name[] = "\"tookMs\":";
    size_t len = out.len;

    if (len < sizeof(name) || out.ptr[--len] != '}')
        return 0;
    while (len > 0 && is_digit(out.ptr[len - 1]))
        len--;
    if (len < strlen(name) ||
        memcmp(out.ptr + len - strlen(name), name, strlen(name)) != 0)
        return 0;
    return out.len - len;
}

void query_request_run(struct query_request *request, struct reader *reader)
{
    request->reader = reader;
    if (!request->route) {
        query_refuse_route(request);
    } else {
        enum status s = read_body(request);

        if (s == OK)
            s = run_handler(request);
        if (s != OK && request->http_status == 200 &&
            arena_status(request->arena) != OK)
            check_sticky(request);
        else if (s != OK && request->http_status == 200)
            (void)query_fail_status(request, s);
        if (s == OK) {
            if (arena_status(request->arena) == OK)
                produce_first(request);
            check_sticky(request);
        }
    }
    if (request->http_status == 500) /* a defect; the rest is counted only */
        log_error("query", "query failed",
                  log_text("path", request->route->path));
    json_decref(request->body);
    request->body = NULL;
    request->untagged = timing_len(buf_slice(&request->out));
    stats_observe(STATS_QUERY_DURATION,
                  clock_monotonic_ns() - request->started_ns);
}
