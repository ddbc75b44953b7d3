/*
 * POST /api/v1alpha1/metrics/runtime-topology: the graph of a project in one
 * environment, from derived series alone.
 *
 * A request between two known components was written twice, on the caller (OUT)
 * and on the callee (IN). The caller's side counts; IN adds what only the
 * callee knows: gateways, queues it reads from, callers of other projects.
 *
 * A client may keep one edge of a pair of components (OpenChoreo's portal
 * does), so the calls of a pair are one edge, whatever endpoints they are of,
 * unless asked otherwise. Calls through a queue are an edge of their own.
 */
#include "topology.h"

#include "derived.h"
#include "hash.h"

static struct registry *registry_of(const struct topology *t)
{
    return t->request->services->registry;
}

/* ---- keys ---- */

static uint64_t hash_slice(uint64_t seed, struct slice s)
{
    return hash_mix(seed, hash_bytes(s.ptr, s.len, s.len + 1));
}

static uint64_t node_key(const struct node *node, bool with_service)
{
    uint64_t h = (uint64_t)node->kind + 1;

    h = hash_slice(h, node->identity.namespace);
    h = hash_slice(h, node->identity.project);
    h = hash_slice(h, node->identity.component);
    h = hash_slice(h, node->identity.environment);
    h = hash_slice(h, node->name);
    h = hash_slice(h, node->host);
    h = hash_slice(h, node->external ? slice_of(node->external)
                                     : (struct slice){NULL, 0});
    return with_service ? hash_slice(h, node->service) : h;
}

/* ---- collecting ---- */

static struct slice keep(struct topology *t, struct slice text)
{
    return arena_copy(t->request->arena, text);
}

/* Texts that point into a point are good during its visit only; identities
 * are in the arena already. */
static void keep_node(struct topology *t, struct node *to,
                      const struct node *from)
{
    *to = *from;
    to->service = keep(t, from->service);
    to->name = keep(t, from->name);
    to->system = keep(t, from->system);
    to->host = keep(t, from->host);
}

struct tally *topology_node(struct topology *t, const struct node *node)
{
    struct tally *tally = tally_at(&t->nodes, node_key(node, false));

    if (tally && !tally->item) {
        struct node *copy = arena_alloc(t->request->arena, sizeof(*copy));

        if (copy) {
            keep_node(t, copy, node);
            copy->service = (struct slice){NULL, 0};
            copy->wanted = false;
        }
        tally->item = copy;
    }
    if (!tally || !tally->item) {
        t->full = true;
        return NULL;
    }
    return tally;
}

static bool own_identity(struct topology *t, const struct point *point,
                         struct node *node)
{
    const struct identity *identity = tally_identity(
        &t->identities, registry_of(t), TALLY_RESOURCE(point->resource_id));

    node->kind = NODE_COMPONENT;
    if (identity)
        node->identity = *identity;
    else
        t->full = true;
    return identity && identity->component.len > 0;
}

/* The other end, as the point tells it. */
static bool peer_of(struct topology *t, const struct point *point,
                    struct node *node)
{
    struct slice kind = point_text(point, DERIVED_PEER_KIND);

    if (slice_equal(kind, SLICE("component"))) {
        int64_t id = point_int(point, DERIVED_PEER_ID, -1);
        const struct identity *identity =
            id >= 0
                ? tally_identity(&t->identities, registry_of(t), (uint32_t)id)
                : NULL;

        node->kind = NODE_COMPONENT;
        node->service = point_text(point, DERIVED_PEER_ENDPOINT);
        if (identity)
            node->identity = *identity;
        return identity && identity->component.len > 0;
    }
    node->name = point_text(point, DERIVED_PEER_NAME);
    node->system = point_text(point, DERIVED_PEER_SYSTEM);
    node->host = point_text(point, DERIVED_PEER_HOST);
    node->kind =
        slice_equal(kind, SLICE("gateway")) ? NODE_GATEWAY : NODE_EXTERNAL;
    node->external = slice_equal(kind, SLICE("database")) ? "database"
                     : slice_equal(kind, SLICE("queue"))  ? "queue"
                     : node->kind == NODE_EXTERNAL        ? "host"
                                                          : NULL;
    return node->name.len > 0;
}

/* A scope may say a name or a uid. */
static bool is_called(struct slice asked, struct slice name, struct slice uid)
{
    return slice_equal(asked, name) || (uid.len && slice_equal(asked, uid));
}

static bool in_scope(const struct topology *t, const struct identity *identity)
{
    return slice_equal(identity->namespace, t->scope.namespace) &&
           is_called(t->scope.project, identity->project,
                     identity->project_uid) &&
           is_called(t->scope.environment, identity->environment,
                     identity->environment_uid);
}

static bool wanted_kind(const struct topology *t, const struct node *node)
{
    return node->kind == NODE_COMPONENT ||
           (node->kind == NODE_GATEWAY ? t->gateways : t->external);
}

static bool is_asked_for(const struct topology *t, const struct node *node)
{
    return t->component.len == 0 ||
           (node->kind == NODE_COMPONENT &&
            is_called(t->component, node->identity.component,
                      node->identity.component_uid));
}

static struct tally *edge_tally(struct topology *t, const struct node *source,
                                const struct node *target, bool queue)
{
    uint64_t key = hash_mix(node_key(source, t->per_endpoint),
                            node_key(target, t->per_endpoint));
    struct tally *tally = tally_at(&t->edges, key + queue);

    if (tally && !tally->item) {
        struct edge *edge =
            arena_zero(t->request->arena, 1, sizeof(struct edge));

        if (edge) {
            keep_node(t, &edge->source, source);
            keep_node(t, &edge->target, target);
            edge->source.service = edge->target.service =
                (struct slice){NULL, 0};
            edge->from = node_key(source, false);
            edge->to = node_key(target, false);
            edge->queue = queue;
        }
        tally->item = edge;
    }
    if (!tally || !tally->item) {
        t->full = true;
        return NULL;
    }
    return tally;
}

static void add_edge(struct topology *t, const struct point *point, bool out,
                     double share)
{
    struct node own = {0}, peer = {0};

    if (!own_identity(t, point, &own) || !peer_of(t, point, &peer) ||
        !wanted_kind(t, &peer))
        return;
    if (!out && peer.kind == NODE_COMPONENT && in_scope(t, &peer.identity))
        return; /* its OUT says the same */
    if (!is_asked_for(t, &own) && !is_asked_for(t, &peer))
        return;
    struct slice protocol = point_text(point, DERIVED_PROTOCOL);
    bool queue = peer.kind == NODE_COMPONENT &&
                 slice_equal(protocol, SLICE("messaging"));
    if (queue && !t->queue_calls)
        return; /* the queue itself has an edge on either side */
    own.service = point_text(point, DERIVED_ENDPOINT);
    const struct node *source = out ? &own : &peer;
    const struct node *target = out ? &peer : &own;
    struct tally *a = topology_node(t, source), *b = topology_node(t, target);
    struct tally *edge = edge_tally(t, source, target, queue);
    if (!a || !b || !edge)
        return;
    struct edge *what = edge->item;
    what->observed = true;
    if (!tally_add(&t->edges, edge, point, share))
        t->full = true;
    if (!tally_name(&t->names, edge, &what->source.service, source->service,
                    point, share) ||
        !tally_name(&t->names, edge, &what->target.service, target->service,
                    point, share) ||
        !tally_name(&t->names, edge, &what->protocol, protocol, point, share))
        t->full = true;
    /* Who serves has figures of its own. What lies outside has those of the
     * calls to it, a gateway those of the requests that came through it. */
    bool outside = out ? peer.kind == NODE_EXTERNAL : peer.kind == NODE_GATEWAY;
    if (outside && !tally_add(&t->nodes, out ? b : a, point, share))
        t->full = true;
}

static void add_served(struct topology *t, const struct point *point,
                       double share)
{
    struct node node = {0};

    if (!own_identity(t, point, &node))
        return;
    struct tally *tally = topology_node(t, &node);
    if (!tally)
        return;
    ((struct node *)tally->item)->wanted |= is_asked_for(t, &node);
    if (!tally_add(&t->nodes, tally, point, share))
        t->full = true;
}

static void visit(void *arg, const struct point *point)
{
    struct topology *t = arg;
    double share =
        tally_share(point, t->start_ns, t->end_ns, t->request->now_ns);
    int sign;
    enum tally_part part = tally_part(point, &sign);

    if (share <= 0 || t->full)
        return;
    if (part == PART_SERVED)
        add_served(t, point, sign * share);
    else
        add_edge(t, point, part == PART_OUT, sign * share);
}

/* A dependency on a component, or on one of its endpoints. Whoever reads from a
 * queue may be the one that depends. */
static bool is_declared(const struct topology *t, const struct edge *edge,
                        uint64_t from, uint64_t to, struct slice endpoint)
{
    if (edge->queue)
        return (edge->from == from && edge->to == to) ||
               (edge->from == to && edge->to == from);
    return edge->from == from && edge->to == to &&
           (!t->per_endpoint || endpoint.len == 0 ||
            edge->target.service.len == 0 ||
            slice_equal(edge->target.service, endpoint));
}

static void add_dependency(struct topology *t, const struct node *source,
                           const struct catalog_component *component,
                           const struct catalog_dependency *d)
{
    struct node target = *source;
    uint64_t from = node_key(source, false), to;
    bool seen = false;

    if (d->namespace.len)
        target.identity.namespace = keep(t, d->namespace);
    target.identity.project =
        keep(t, d->project.len ? d->project : component->project);
    target.identity.component = keep(t, d->component);
    to = node_key(&target, false);
    for (uint32_t slot = 0; slot < t->edges.room; slot++) {
        struct edge *edge =
            t->edges.slots[slot] ? t->edges.slots[slot]->item : NULL;

        if (edge && is_declared(t, edge, from, to, d->endpoint))
            edge->declared = seen = true;
    }
    if (seen || !t->declared ||
        (!is_asked_for(t, source) && !is_asked_for(t, &target)))
        return;
    target.service = keep(t, d->endpoint);
    struct tally *unused = edge_tally(t, source, &target, false);
    if (!unused)
        return;
    struct edge *edge = unused->item;
    edge->declared = true;
    if (edge->target.service.len == 0)
        edge->target.service = target.service;
}

/* Marks edges that are declared, and adds those nobody used if asked to. */
static void add_declared(struct topology *t,
                         const struct catalog_component *component)
{
    struct node source = {.kind = NODE_COMPONENT};

    source.identity.namespace = keep(t, component->namespace);
    source.identity.project = keep(t, component->project);
    source.identity.component = keep(t, component->name);
    source.identity.environment = t->scope.environment;
    for (uint32_t i = 0; i < component->dependency_count && !t->full; i++)
        add_dependency(t, &source, component, &component->dependencies[i]);
}

/* The catalogue has names only: what was asked for by uid gets the names that
 * its components have. */
static void name_scope(struct topology *t)
{
    uint32_t count;
    const struct component_info *all = registry_components(
        registry_of(t), &t->scope, t->request->arena, &count);

    for (uint32_t i = 0; i < count; i++)
        if (in_scope(t, &all[i].identity)) {
            t->scope.project = all[i].identity.project;
            t->scope.environment = all[i].identity.environment;
            return;
        }
}

static void read_catalog(struct topology *t)
{
    struct catalog_snapshot *snapshot =
        catalog_get(t->request->services->catalog);

    name_scope(t);

    for (uint32_t i = 0; i < catalog_count(snapshot); i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);

        if (slice_equal(c->namespace, t->scope.namespace) &&
            slice_equal(c->project, t->scope.project))
            add_declared(t, c);
    }
    catalog_release(snapshot);
}

static enum status read_request(struct topology *t)
{
    enum status s = params_scope(
        t->request, SCOPE_NEEDS_PROJECT | SCOPE_NEEDS_ENV, &t->scope);

    if (s == OK)
        s = params_range(t->request, &t->start_ns, &t->end_ns);
    if (s == OK)
        s = params_bool(t->request, "includeGateways", &t->gateways);
    if (s == OK)
        s = params_bool(t->request, "includeExternal", &t->external);
    if (s == OK)
        s = params_bool(t->request, "includeDeclared", &t->declared);
    if (s == OK)
        s = params_bool(t->request, "includeQueueCalls", &t->queue_calls);
    if (s == OK)
        s = params_bool(t->request, "perEndpoint", &t->per_endpoint);
    t->component = t->scope.component;
    t->scope.component = (struct slice){NULL, 0};
    return s;
}

static enum status runtime_topology(struct query_request *request)
{
    struct topology t = {
        .request = request, .gateways = true, .external = true};
    enum status s = read_request(&t);

    if (s != OK)
        return s;
    tally_map_init(&t.nodes, request->arena);
    tally_map_init(&t.edges, request->arena);
    tally_map_init(&t.names, request->arena);
    tally_map_init(&t.identities, request->arena);
    struct series_query query = {
        .start_ns = t.start_ns,
        .end_ns = t.end_ns + (uint64_t)DERIVED_MINUTE_S * 1000000000u,
        .resources = registry_select(request->services->registry, &t.scope,
                                     request->arena),
        .names = derived_names,
        .name_count = DERIVED_EDGE_NAMES};
    if (!query.resources)
        return arena_status(request->arena);
    s = reader_query_series(request->reader, &query, visit, &t);
    if (s != OK)
        return query_fail_read(request, s);
    t.full |= !tally_set_names(&t.names);
    read_catalog(&t);
    return t.full ? arena_status(request->arena) : topology_reply(&t);
}

const struct route routes_topology[] = {
    {"POST", "/api/v1alpha1/metrics/runtime-topology", runtime_topology, "RG",
     TAKES_JSON, 0, NULL},
    {0},
};
