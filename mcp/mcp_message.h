/*
 * mcp_message - one JSON-RPC message, and the answer to it.
 *
 * Purpose:   both eras of the protocol: a request of 2026-07-28 says all about
 *            itself in headers and _meta ("modern"); before, clients sent
 *            initialize first ("legacy"). Nothing is kept between requests.
 * Ownership: the document is the message's, until mcp_message_release(); all
 *            else is borrowed from the request.
 * Threads:   one request, one thread.
 * Errors:    mcp_error() writes the answer and returns true, so that a check
 *            can return it.
 */
#ifndef MCP_MESSAGE_H
#define MCP_MESSAGE_H

#include <jansson.h>

#include "query_request.h"

#define MCP_MODERN "2026-07-28"
#define MCP_LEGACY "2025-11-25" /* the newest of those */

/* Codes of JSON-RPC and of MCP. */
enum mcp_code {
    MCP_PARSE_ERROR = -32700,
    MCP_INVALID_REQUEST = -32600,
    MCP_NO_METHOD = -32601,
    MCP_INVALID_PARAMS = -32602,
    MCP_INTERNAL = -32603,
    MCP_HEADER_MISMATCH = -32020,
    MCP_VERSION = -32022,
};

struct mcp_message {
    struct query_request *request;
    json_t *document;
    struct slice id; /* as it was sent; ptr NULL: a notification */
    struct slice method;
    const json_t *params; /* an object, or NULL */
    const json_t *meta;   /* params._meta, or NULL */
    bool modern;
    bool is_response; /* to a request of ours: there are none */
};

/* How long a result may be kept, and by whom. */
struct mcp_cache {
    int64_t ttl_ms;
    const char *scope; /* "public", "private"; NULL: it is not kept */
};

/* False: it is no message, or one that breaks the rules of HTTP headers, and
 * an error was written. */
bool mcp_message_read(struct mcp_message *message,
                      struct query_request *request);
void mcp_message_release(struct mcp_message *message);

/* The id in a body, as it was sent: a string or a number; else ptr NULL. */
struct slice mcp_message_id(struct slice body);

/* ---- mcp_reply.c ---- */

/* A result: between the two, its members are written to request->json. */
void mcp_result_begin(struct mcp_message *message);
void mcp_result_end(struct mcp_message *message, struct mcp_cache cache);

/* In place of what was written. http: of modern requests, and of legacy ones if
 * the message itself is wrong; else legacy clients get 200. data: members of
 * error.data as JSON, or NULL. Returns true. */
bool mcp_error(struct mcp_message *message, int http, enum mcp_code code,
               const char *data, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Of the HTTP server: 401, 405, 413, 429, 503 ... as JSON-RPC. */
void mcp_write_error(struct query_request *request, enum status status,
                     const char *message);

#endif
