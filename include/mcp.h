/*
 * mcp - the Model Context Protocol on the query port: POST /mcp.
 *
 * Purpose:   tools, resources and prompts over the routes there are.
 * Ownership: constant tables.
 * Threads:   as any route (query_request.h).
 * Errors:    JSON-RPC errors, and results of tools with isError.
 */
#ifndef MCP_H
#define MCP_H

#include "query_request.h"

extern const struct query_surface mcp_surface;

#endif
