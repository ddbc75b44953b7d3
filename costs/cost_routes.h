/* cost_routes - the tables of routes of this module, each ended by {0}. */
#ifndef COST_ROUTES_H
#define COST_ROUTES_H

#include "query_request.h"

extern const struct route routes_component_costs[], routes_recommendations[],
    routes_cost_summary[], routes_capacity[];

#endif
