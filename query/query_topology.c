/*
 * POST /api/v1alpha1/metrics/runtime-topology: the graph of a project, or of
 * all of a namespace, in one environment. In: a scope and a time. Out: what
 * topology.c reads, written by topology_reply.c.
 */
#include "topology_int.h"
#include "topology_reply.h"

/* Edges: at most, and of a namespace without a limit. */
enum { EDGES_MAX = 10000, EDGES_OF_NAMESPACE = 1000 };

static enum status read_request(struct topology *t)
{
    params_scope(t->request, SCOPE_NEEDS_ENV, &t->scope);
    params_range(t->request, &t->start_ns, &t->end_ns);
    params_bool(t->request, "includeGateways", &t->gateways);
    params_bool(t->request, "includeExternal", &t->external);
    params_bool(t->request, "includeDeclared", &t->declared);
    params_bool(t->request, "includeQueueCalls", &t->queue_calls);
    params_bool(t->request, "perEndpoint", &t->per_endpoint);
    t->limit = t->scope.project.len > 0 ? 0 : EDGES_OF_NAMESPACE;
    params_number(t->request, "limit", 1, EDGES_MAX, &t->limit);
    t->component = t->scope.component;
    t->scope.component = (struct slice){NULL, 0};
    return params_select(t->request, &t->scope, &t->resources);
}

static enum status runtime_topology(struct query_request *request)
{
    struct topology t = {
        .request = request, .gateways = true, .external = true};
    struct catalog_snapshot *snapshot;
    enum status s = read_request(&t);

    if (s != OK)
        return s;
    snapshot = catalog_get(request->services->catalog);
    s = topology_read(&t, snapshot);
    if (s == OK && t.limit > 0)
        s = topology_limit(&t);
    if (s == OK)
        s = topology_reply(&t);
    catalog_release(snapshot);
    return s;
}

const struct route routes_topology[] = {
    {"POST", "/api/v1alpha1/metrics/runtime-topology", ACTION_METRICS_VIEW,
     SCOPE_BODY, runtime_topology, "RG", TAKES_JSON, 0, &topology_table},
    {0},
};
