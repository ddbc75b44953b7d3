/* Writes answers: results and errors of JSON-RPC, in the form of the era. */
#include <stdarg.h>
#include <stdio.h>

#include "mcp_message.h"
#include "mcp_server.h"

static void begin(struct query_request *request, struct slice id)
{
    struct jsonw *w = &request->json;

    buf_reset(&request->out);
    jsonw_init(w, &request->out);
    jsonw_open(w, '{');
    jsonw_member_text(w, "jsonrpc", SLICE("2.0"));
    jsonw_name(w, "id");
    jsonw_raw(w, id.ptr ? id : SLICE("null"));
}

void mcp_result_begin(struct mcp_message *message)
{
    struct jsonw *w = &message->request->json;

    begin(message->request, message->id);
    jsonw_name(w, "result");
    jsonw_open(w, '{');
}

void mcp_result_end(struct mcp_message *message, struct mcp_cache cache)
{
    struct jsonw *w = &message->request->json;

    if (message->modern) {
        jsonw_member_text(w, "resultType", SLICE("complete"));
        if (cache.scope) {
            jsonw_member_int(w, "ttlMs", cache.ttl_ms);
            jsonw_member_text(w, "cacheScope", slice_of(cache.scope));
        }
        jsonw_name(w, "_meta");
        jsonw_open(w, '{');
        jsonw_name(w, "io.modelcontextprotocol/serverInfo");
        mcp_write_server_info(w);
        jsonw_close(w, '}');
    }
    jsonw_close(w, '}');
    jsonw_close(w, '}');
}

static void write_error(struct query_request *request, struct slice id,
                        int code, const char *data, const char *text)
{
    struct jsonw *w = &request->json;

    request->content_type_out = "application/json";
    begin(request, id);
    jsonw_name(w, "error");
    jsonw_open(w, '{');
    jsonw_member_int(w, "code", code);
    jsonw_member_text(w, "message", slice_of(text));
    if (data) {
        jsonw_name(w, "data");
        jsonw_raw(w, slice_of(data));
    }
    jsonw_close(w, '}');
    jsonw_close(w, '}');
}

bool mcp_error(struct mcp_message *message, int http, enum mcp_code code,
               const char *data, const char *format, ...)
{
    struct query_request *request = message->request;
    bool is_message = message->document && message->id.ptr;
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    request->http_status =
        message->modern || !is_message || code == MCP_VERSION ? http : 200;
    write_error(request, message->id, code, data, text);
    return true;
}

/* The codes of JSON-RPC that a client can tell apart; the HTTP status says
 * more. */
static int code_of(enum status status)
{
    switch (status) {
    case ERR_MALFORMED:
        return MCP_PARSE_ERROR;
    case ERR_INTERNAL:
        return MCP_INTERNAL;
    case ERR_NOT_FOUND:
        return MCP_NO_METHOD;
    default:
        return status_http(status) < 500 ? MCP_INVALID_REQUEST : MCP_INTERNAL;
    }
}

void mcp_write_error(struct query_request *request, enum status status,
                     const char *message)
{
    write_error(request, mcp_message_id(request->raw_body), code_of(status),
                NULL, message);
}
