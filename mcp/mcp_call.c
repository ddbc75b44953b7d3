/*
 * A call of a tool, from its arguments to the members of its result. In: a
 * request with checked arguments. Out: the answer of the route as text and as
 * an object, or the message of an error.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "mcp_tool.h"

enum {
    MAX_PARSED = 8 * 1024 * 1024, /* of an answer that is trimmed here */
    PARSED_FACTOR = 8,            /* memory of a document to its text */
};

void mcp_fail(struct mcp_call *call, const char *format, ...)
{
    va_list args;

    if (call->failed)
        return;
    call->failed = true;
    va_start(args, format);
    vsnprintf(call->message, sizeof(call->message), format, args);
    va_end(args);
}

void mcp_set_result(struct mcp_call *call, json_t *result)
{
    json_decref(call->result);
    call->result = result;
}

void mcp_add_content(struct mcp_call *call, json_t *item)
{
    if (!call->content)
        call->content = json_array();
    json_array_append_new(call->content, item);
}

/* ---- asking ---- */

/* The message in an error of any of our APIs. */
static void fail_with_answer(struct mcp_call *call, struct slice answer,
                             int http_status)
{
    static const char *const names[] = {"message", "error", "detail"};
    json_t *error =
        answer.len > 0 ? json_loadb(answer.ptr, answer.len, 0, NULL) : NULL;
    struct slice text = SLICE("");

    for (size_t i = 0; i < 3 && text.len == 0; i++)
        text = json_text_of(json_object_get(error, names[i]));
    if (text.len == 0)
        text = answer;
    mcp_fail(call, "%.*s (status %d)%s%s", SLICE_ARGS(text), http_status,
             http_status == 404 && call->tool->not_found ? ". " : "",
             http_status == 404 && call->tool->not_found ? call->tool->not_found
                                                         : "");
    json_decref(error);
}

/* The inner answer, or false: the call has failed, or waits. */
static bool ask(struct mcp_call *call, const struct inner_request *asked,
                struct query_request *inner)
{
    struct query_request *request = call->request;

    inner_request_run(request, asked, inner);
    if (request->waits) {
        call->waits = call->failed = true;
        return false;
    }
    if (inner->http_status == 200)
        return true;
    if (inner->failed == ERR_BUSY) /* it may fit when it runs again */
        request->failed = ERR_BUSY;
    if (inner->failed == ERR_FORBIDDEN && request->http)
        request->http->denied = true;
    fail_with_answer(call, buf_slice(&inner->out), inner->http_status);
    return false;
}

/* Busy: it runs again when others have given memory back. */
static void fail_memory(struct mcp_call *call, enum status status)
{
    if (status == ERR_BUSY) {
        call->request->failed = ERR_BUSY;
        mcp_fail(call, "other queries hold the memory that this one needs; "
                       "retry later");
    } else {
        mcp_fail(call, "the query needs more memory than one query may use; "
                       "lower the limit or narrow the time range");
    }
}

/* Documents of jansson are not in an arena: they are charged while they are
 * parsed, and counted roughly. */
static json_t *parse_answer(struct mcp_call *call, struct slice answer)
{
    struct budget *budget = call->request->arena->budget;
    size_t size = answer.len * PARSED_FACTOR;
    json_t *parsed;

    if (answer.len > MAX_PARSED) {
        mcp_fail(call,
                 "the answer has more than %d MiB; narrow the time range "
                 "or the scope",
                 MAX_PARSED >> 20);
        return NULL;
    }
    if (budget && !budget_take(budget, size)) {
        fail_memory(call, query_memory_status(call->request, ERR_BUSY));
        return NULL;
    }
    call->charged += budget ? size : 0;
    parsed = json_loadb(answer.ptr, answer.len, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(parsed)) {
        json_decref(parsed);
        mcp_fail(call, "the answer of the route is no JSON object");
        return NULL;
    }
    return parsed;
}

json_t *mcp_ask(struct mcp_call *call, const struct inner_request *asked)
{
    struct query_request inner;
    json_t *answer = NULL;

    if (call->failed)
        return NULL;
    if (ask(call, asked, &inner))
        answer = parse_answer(call, buf_slice(&inner.out));
    inner_request_release(&inner);
    return answer;
}

/* ---- a call ---- */

static void run_row(struct mcp_call *call)
{
    struct inner_request asked;
    struct query_request inner;

    if (!mcp_request(call, &asked))
        return;
    if (call->tool->shape) {
        call->result = mcp_ask(call, &asked);
        if (call->result)
            call->tool->shape(call);
        return;
    }
    if (ask(call, &asked, &inner)) {
        call->answer = inner.out; /* it is given as it is, never parsed */
        buf_init(&inner.out, 0);
    }
    inner_request_release(&inner);
}

/* A full arena is answered here, as an error that a model can read. */
static void check_arena(struct mcp_call *call)
{
    struct query_request *request = call->request;
    enum status status =
        query_memory_status(request, arena_status(request->arena));

    if (status == OK)
        return;
    call->failed = false;
    fail_memory(call, status);
    arena_reset(request->arena);
}

void mcp_call_begin(struct mcp_call *call, json_t *sent)
{
    buf_init(&call->answer, 0);
    mcp_check_arguments(call, sent);
}

void mcp_call_run(struct mcp_call *call)
{
    if (!call->failed && call->tool->run)
        call->tool->run(call);
    else if (!call->failed)
        run_row(call);
    if (!call->waits)
        check_arena(call);
}

void mcp_call_release(struct mcp_call *call)
{
    json_decref(call->arguments);
    json_decref(call->result);
    json_decref(call->content);
    buf_release(&call->answer);
    if (call->charged > 0)
        budget_give(call->request->arena->budget, call->charged);
    call->charged = 0;
}

/* ---- its result ---- */

void mcp_write_json(struct jsonw *w, const json_t *value)
{
    char *text = json_dumps(value, MCP_DUMP | JSON_ENCODE_ANY);

    jsonw_raw(w, slice_of(text ? text : "null"));
    free(text);
}

/* The answer as JSON; *dumped is to be freed. */
static struct slice answer_of(const struct mcp_call *call, char **dumped)
{
    *dumped = call->result ? json_dumps(call->result, MCP_DUMP) : NULL;
    return *dumped ? slice_of(*dumped) : buf_slice(&call->answer);
}

void mcp_call_write_text(struct jsonw *w, const struct mcp_call *call)
{
    char *dumped;

    jsonw_text(w, answer_of(call, &dumped));
    free(dumped);
}

static void write_content(struct jsonw *w, const struct mcp_call *call,
                          struct slice text)
{
    json_t *item;
    size_t i;

    jsonw_name(w, "content");
    jsonw_open(w, '[');
    jsonw_open(w, '{');
    jsonw_member_text(w, "type", SLICE("text"));
    jsonw_member_text(w, "text", text);
    jsonw_close(w, '}');
    json_array_foreach(call->content, i, item) mcp_write_json(w, item);
    jsonw_close(w, ']');
}

void mcp_call_write(struct jsonw *w, const struct mcp_call *call)
{
    char *dumped = NULL;
    struct slice answer;

    if (call->failed) {
        write_content(w, call, slice_of(call->message));
    } else {
        answer = answer_of(call, &dumped);
        write_content(w, call, answer);
        jsonw_name(w, "structuredContent");
        jsonw_raw(w, answer);
        free(dumped);
    }
    jsonw_name(w, "isError");
    jsonw_bool(w, call->failed);
}
