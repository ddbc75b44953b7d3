/* The routes of this module: the tables of its files. */
#include "costs.h"

#include "cost_routes.h"

static const struct route *const tables[] = {
    routes_component_costs, routes_recommendations, routes_cost_summary,
    routes_capacity, NULL};

const struct query_surface costs_surface = {tables, NULL};
