/*
 * mcp_kit - messages of MCP to a bed of fake_query.h, in both eras.
 *
 *   json_t *answer = mcp_legacy(&bed, "tools/list", "{}");
 *   answer = mcp_modern(&bed, "tools/call", "cart_tool", "{\"name\":...}");
 */
#ifndef MCP_KIT_H
#define MCP_KIT_H

#include "fake_query.h"

static struct http_request mcp_head;

/* A body as it is, with the headers that mcp_head has. */
static inline json_t *mcp_post(struct bed *bed, const char *body)
{
    bed->http = &mcp_head;
    return bed_ask(bed, "POST", "/mcp", body);
}

static inline json_t *mcp_legacy(struct bed *bed, const char *method,
                                 const char *params)
{
    char body[8192];

    mcp_head = (struct http_request){.len = 0};
    snprintf(body, sizeof(body),
             "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%s}",
             method, params);
    return mcp_post(bed, body);
}

#define MCP_KIT_META                                                  \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"         \
    "\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{" \
    "}}"

/* members: of params, "\"name\":\"x\","; name: of Mcp-Name, NULL: none. */
static inline json_t *mcp_modern(struct bed *bed, const char *method,
                                 const char *name, const char *members)
{
    char body[8192];

    mcp_head = (struct http_request){.mcp_version = SLICE("2026-07-28"),
                                     .mcp_method = slice_of(method)};
    if (name)
        mcp_head.mcp_name = slice_of(name);
    snprintf(body, sizeof(body),
             "{\"jsonrpc\":\"2.0\",\"id\":\"m\",\"method\":\"%s\","
             "\"params\":{%s" MCP_KIT_META "}}",
             method, members);
    return mcp_post(bed, body);
}

/* arguments: "{...}". */
static inline json_t *mcp_tool_call(struct bed *bed, const char *tool,
                                    const char *arguments)
{
    char params[4096];

    snprintf(params, sizeof(params), "{\"name\":\"%s\",\"arguments\":%s}", tool,
             arguments);
    return mcp_legacy(bed, "tools/call", params);
}

#endif
