/* The routes of this module. */
#include "mcp.h"

static const struct route *const tables[] = {NULL};

const struct query_surface mcp_surface = {tables, NULL};
