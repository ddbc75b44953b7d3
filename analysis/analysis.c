/* The routes of this module: the tables of its files. */
#include "analysis.h"

#include "routes.h"

/* One a line, so that each can be added alone. */
/* clang-format off */
static const struct route *const tables[] = {
    routes_trace,
    routes_dependencies,
    routes_blast_radius,
    routes_changes,
    routes_log_patterns,
    routes_compare,
    routes_log_tail,
    routes_log_histogram,
    routes_find_traces,
    routes_incidents,
    routes_unassigned,
    NULL
};
/* clang-format on */

const struct query_surface analysis_surface = {tables, NULL};
