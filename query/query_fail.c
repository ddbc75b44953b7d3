/*
 * Error answers: {"title", "errorCode", "message"}, as OpenChoreo's Observer
 * has them, whatever the status. In: a status and a message. Out: the answer
 * in place of what was written before.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "query_request.h"

struct error_reply {
    const char *title, *code, *message;
    const char *detail; /* NULL: not a route of the RCA agent */
    const char *error;  /* NULL: not a refused credential, nor such a route */
};
const struct reply_table error_table =
    REPLY_TABLE(struct error_reply, REPLY(struct error_reply, "title", title),
                REPLY(struct error_reply, "errorCode", code),
                REPLY(struct error_reply, "message", message),
                REPLY_OPTIONAL(struct error_reply, "detail", detail),
                REPLY_OPTIONAL(struct error_reply, "error", error));

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
 * one. Errors of the server are -01 in every area. */
static void default_code(const struct query_request *request, int http,
                         char *code, size_t size)
{
    const char *area = request->route ? request->route->area : NULL;

    code[0] = '\0';
    if (http == 401 || http == 403 || http == 429)
        return; /* of the way here, whatever the area */
    if (area && http >= 500)
        snprintf(code, size, "OBS-V1-%s-01", area);
    else if (area && strcmp(area, "T") == 0 && http != 401 && http != 403)
        snprintf(code, size, "OBS-V1-T-06");
}

/* word: of a refused credential, or NULL. */
static void write_error(struct query_request *request, enum status status,
                        const char *error_code, const char *message,
                        const char *word)
{
    bool rca = request->route && request->route->flags & RCA_REPORTS;
    char code[24];

    request->failed = status;
    request->http_status = status_http(status);
    request->content_type_out = "application/json";
    request->produce = NULL;
    default_code(request, request->http_status, code, sizeof(code));
    buf_reset(&request->out);
    jsonw_init(&request->json, &request->out);
    if (request->write_error) {
        request->write_error(request, status, message);
        return;
    }
    const struct error_reply error = {
        title_of(request->http_status), error_code ? error_code : code, message,
        rca ? message : NULL, rca && !word ? message : word};
    reply_write(&request->json, &error_table, &error);
}

enum status query_fail(struct query_request *request, enum status status,
                       const char *error_code, const char *format, ...)
{
    char message[ACCESS_REFUSAL_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    write_error(request, status, error_code, message, NULL);
    return status;
}

void query_refuse_credential(struct query_request *request, const char *word)
{
    write_error(request, ERR_UNAUTHENTICATED, "",
                status_text(ERR_UNAUTHENTICATED), word);
}

enum status query_invalid(struct query_request *request, const char *format,
                          ...)
{
    char message[512];
    va_list args;

    if (request->failed != OK)
        return request->failed;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return query_fail(request, ERR_INVALID, NULL, "%s", message);
}

size_t query_memory_share(const struct query_request *request)
{
    const struct budget *budget = request->arena->budget;

    return budget ? budget->limit / 8 : SIZE_MAX;
}

enum status query_memory_status(const struct query_request *request,
                                enum status status)
{
    const struct arena *arena = request->arena;
    const struct budget *budget = arena ? arena->budget : NULL;

    if (status != ERR_BUSY)
        return status;
    for (; budget; budget = budget->parent)
        if (budget_used(budget) > arena_size(arena) + budget->limit / 4)
            return ERR_BUSY;
    return arena && arena->budget ? ERR_TOO_BIG : ERR_BUSY;
}

/* The reader knows more than the status says, if its engine is another process.
 */
static const char *reason_of(const struct query_request *request,
                             enum status status)
{
    const char *reason =
        request->reader ? reader_reason(request->reader) : NULL;

    return reason ? reason : status_text(status);
}

enum status query_fail_status(struct query_request *request, enum status status)
{
    return query_fail(request, status, NULL, "%s", reason_of(request, status));
}

enum status query_fail_read(struct query_request *request, enum status status)
{
    const char *reason = reason_of(request, status);
    char code[24] = "";

    if (arena_status(request->arena) == ERR_BUSY)
        status = query_memory_status(request, status);
    if (status == ERR_TOO_BIG && reason == status_text(status))
        return query_fail(request, status, "",
                          "the query needs more memory than one query may use; "
                          "lower the limit or narrow the time range");
    if (request->route->area)
        snprintf(code, sizeof(code), "OBS-V1-%s-05", request->route->area);
    return query_fail(request, status, code, "read failed: %s", reason);
}
