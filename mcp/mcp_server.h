/*
 * mcp_server - what the server says of itself, and its methods.
 *
 *   mcp.c            the route POST /mcp
 *   mcp_message.c    reads the message, tells the era
 *   mcp_methods.c    the table of methods
 *   mcp_resources.c  resources/..., over a table of templates
 *   mcp_prompts.c    prompts/..., over a table of prompts
 *
 * Purpose:   one row a method; an answer is the same in both eras but for its
 *            envelope (mcp_reply.c).
 * Ownership: constant tables.
 * Threads:   one request, one thread.
 * Errors:    written as JSON-RPC errors.
 */
#ifndef MCP_SERVER_H
#define MCP_SERVER_H

#include "mcp_message.h"

#define MCP_SERVER_NAME    "callboard"
#define MCP_SERVER_VERSION "1.0.0"

/* {"name", "version"} */
void mcp_write_server_info(struct jsonw *w);
/* What a model should know first: the usual order of calls. */
extern const char mcp_instructions[];

/* Answers a request. */
void mcp_answer(struct mcp_message *message);

extern const struct mcp_cache mcp_not_kept;
/* Who asks decides what is listed. */
extern const struct mcp_cache mcp_cache_of_asker;

/* Of a list, which has one page, so that no cursor of ours exists. True: there
 * is one, and an error was written. */
bool mcp_has_cursor(struct mcp_message *message);

#endif
