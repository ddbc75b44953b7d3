/*
 * Bodies and headers of POST /mcp: the first lines are the headers version,
 * method and name, the rest is the body. What is read is answered with a
 * document that parses and has the id of the request; arguments are checked by
 * the parameters of every tool.
 */
#include <assert.h>
#include <stdlib.h>

#include "mcp_message.h"
#include "mcp_resources.h"
#include "mcp_tool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct query_request *request)
{
    struct slice out = buf_slice(&request->out);
    json_t *answer = json_loadb(out.ptr ? out.ptr : "", out.len,
                                JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);

    assert(json_is_object(answer));
    assert(json_object_get(answer, "id"));
    assert(json_object_get(answer, "error"));
    json_decref(answer);
}

static void check_tools(struct query_request *request, json_t *arguments)
{
    const struct mcp_tool *tool;

    for (size_t i = 0; (tool = mcp_tool_at(i)); i++) {
        struct mcp_call call = {.request = request, .tool = tool};
        struct inner_request asked;

        mcp_call_begin(&call, arguments);
        assert(json_is_object(call.arguments));
        if (!call.failed)
            (void)mcp_request(&call, &asked);
        else
            assert(call.message[0]);
        mcp_call_release(&call);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct query_options services = {.workers = 1};
    struct slice rest = {(const char *)data, size};
    struct http_request http = {.mcp_version = slice_split(&rest, '\n')};
    struct query_request request;
    struct mcp_message message;
    struct arena arena;

    http.mcp_method = slice_split(&rest, '\n');
    http.mcp_name = slice_split(&rest, '\n');
    if (http.mcp_version.len == 0)
        http.mcp_version = (struct slice){NULL, 0};
    arena_init(&arena, NULL, 8 << 20);
    query_request_init(&request, &services, &arena, 8 << 20);
    request.http = &http;
    request.raw_body = rest;
    if (mcp_message_read(&message, &request)) {
        assert(message.is_response || message.method.ptr);
        check_tools(&request, json_object_get(message.params, "arguments"));
        json_decref(mcp_uri_match("callboard://a/{b}/{c}", message.method));
        mcp_error(&message, 400, MCP_INTERNAL, NULL, "fuzz");
    }
    check_answer(&request);
    mcp_message_release(&message);
    buf_release(&request.out);
    arena_release(&arena);
    return 0;
}
