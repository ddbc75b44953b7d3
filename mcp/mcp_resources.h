/*
 * mcp_resources - addresses of things that a tool can show:
 * callboard://components/acme/shop/cart.
 *
 * Purpose:   a resource is a row: a pattern of addresses over a tool, whose
 *            arguments are the {names} in the pattern. A row without {names} is
 *            listed as a resource, others as templates. Who may not use the
 *            tool does not see the row.
 * Ownership: constant tables.
 * Threads:   one request, one thread.
 * Errors:    -32602 with the address, for an address that no row has and for
 *            an error of the tool.
 */
#ifndef MCP_RESOURCES_H
#define MCP_RESOURCES_H

#include "mcp_message.h"

struct mcp_resource {
    const char *uri; /* "callboard://components/{namespace}/{project}" */
    const char *name, *title, *description;
    const char *tool;
    const char *arguments; /* further ones, as a JSON object; NULL: none */
};

/* Ended by {0}; mcp_contents.c. */
extern const struct mcp_resource mcp_resource_rows[];

/* ---- the methods ---- */

void mcp_list_resources(struct mcp_message *message);
void mcp_list_templates(struct mcp_message *message);
void mcp_read_resource(struct mcp_message *message);

/* ---- for tests ---- */

/* The {names} of a pattern in an address, percent-decoded, as an object; NULL:
 * the address is not of this pattern. */
json_t *mcp_uri_match(const char *pattern, struct slice uri);

#endif
