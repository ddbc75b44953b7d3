/* The routes of this module: the tables of its files. */
#include "analysis.h"

#include "routes.h"

static const struct route *const tables[] = {routes_trace, routes_dependencies,
                                             routes_blast_radius, NULL};

const struct query_surface analysis_surface = {tables, NULL};
