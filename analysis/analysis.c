/* The routes of this module: the tables of its files. */
#include "analysis.h"

#include "routes.h"

/* clang-format off */
static const struct route *const tables[] = {
    routes_trace,
    routes_dependencies,
    routes_blast_radius,
    routes_changes,
    routes_log_patterns,
    routes_compare,
    NULL};
/* clang-format on */

const struct query_surface analysis_surface = {tables, NULL};
