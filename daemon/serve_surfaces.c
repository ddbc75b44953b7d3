/* The modules whose routes are served on the query port; those of query/ are
 * in query_routes.c. */
#include "serve_surfaces.h"

#include "analysis.h"
#include "costs.h"
#include "grafana.h"
#include "mcp.h"
#include "prometheus.h"
#include "tempo.h"

const struct query_surface *const serve_surfaces[] = {
    &analysis_surface, &costs_surface,   &mcp_surface, &prometheus_surface,
    &tempo_surface,    &grafana_surface, NULL};
