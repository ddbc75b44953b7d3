/*
 * POST /api/v1alpha1/metrics/runtime-topology: the graph of a project in one
 * environment, from derived series alone.
 *
 * A call between two known components was written twice, on the caller (OUT)
 * and on the callee (IN). The caller's side counts; IN adds what only the
 * callee knows: gateways, queues it reads from, callers of other projects.
 */
#include "derived.h"
#include "hash.h"
#include "route.h"
#include "tally.h"

enum node_kind { NODE_COMPONENT, NODE_GATEWAY, NODE_EXTERNAL };

/* One end of an edge, or a node. */
struct node {
    enum node_kind kind;
    struct identity identity; /* COMPONENT */
    struct slice service;     /* endpoint, of a component; may be empty */
    struct slice name, system, host; /* GATEWAY: name; EXTERNAL: all */
    const char *external;            /* database, queue, host */
    bool wanted;
};

struct edge {
    struct node source, target;
    uint64_t from, to; /* node_key() of these, without their services */
    struct slice protocol;
    bool observed, declared;
};

struct topology {
    struct call *call;
    struct scope_filter scope; /* without component */
    struct slice component;    /* the one asked for, or empty */
    uint64_t start_ns, end_ns;
    bool gateways, external, declared;
    struct tally_map nodes, edges;
    struct tally_map identities; /* by number */
    bool full;                   /* the arena */
};

static struct registry *registry_of(const struct topology *t)
{
    return t->call->services->registry;
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
    return arena_copy(t->call->arena, text);
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

/* The node's own figures, NULL if the arena is full. */
static struct tally *node_tally(struct topology *t, const struct node *node)
{
    struct tally *tally = tally_at(&t->nodes, node_key(node, false));

    if (tally && !tally->item) {
        struct node *copy = arena_alloc(t->call->arena, sizeof(*copy));

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
                                const struct node *target)
{
    uint64_t key = hash_mix(node_key(source, true), node_key(target, true));
    struct tally *tally = tally_at(&t->edges, key);

    if (tally && !tally->item) {
        struct edge *edge = arena_zero(t->call->arena, 1, sizeof(struct edge));

        if (edge) {
            keep_node(t, &edge->source, source);
            keep_node(t, &edge->target, target);
            edge->from = node_key(source, false);
            edge->to = node_key(target, false);
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
    own.service = point_text(point, DERIVED_ENDPOINT);
    const struct node *source = out ? &own : &peer;
    const struct node *target = out ? &peer : &own;
    struct tally *a = node_tally(t, source), *b = node_tally(t, target);
    struct tally *edge = edge_tally(t, source, target);
    if (!a || !b || !edge)
        return;
    struct edge *what = edge->item;
    if (!what->observed)
        what->protocol = keep(t, point_text(point, DERIVED_PROTOCOL));
    what->observed = true;
    if (!tally_add(&t->edges, edge, point, share))
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
    struct tally *tally = node_tally(t, &node);
    if (!tally)
        return;
    ((struct node *)tally->item)->wanted |= is_asked_for(t, &node);
    if (!tally_add(&t->nodes, tally, point, share))
        t->full = true;
}

static void visit(void *arg, const struct point *point)
{
    struct topology *t = arg;
    double share = tally_share(point, t->start_ns, t->end_ns, t->call->now_ns);
    int sign;
    enum tally_part part = tally_part(point, &sign);

    if (share <= 0 || t->full)
        return;
    if (part == PART_SERVED)
        add_served(t, point, share);
    else
        add_edge(t, point, part == PART_OUT, sign * share);
}

/* Marks edges that are declared, and adds those nobody used if asked to. */
static void add_declared(struct topology *t,
                         const struct catalog_component *component)
{
    struct node source = {.kind = NODE_COMPONENT};
    uint64_t from;

    source.identity.namespace = keep(t, component->namespace);
    source.identity.project = keep(t, component->project);
    source.identity.component = keep(t, component->name);
    source.identity.environment = t->scope.environment;
    from = node_key(&source, false);
    for (uint32_t i = 0; i < component->dependency_count; i++) {
        const struct catalog_dependency *d = &component->dependencies[i];
        struct node target = source;
        bool seen = false;

        target.identity.project =
            keep(t, d->project.len ? d->project : component->project);
        target.identity.component = keep(t, d->component);
        uint64_t to = node_key(&target, false);
        for (uint32_t slot = 0; slot < t->edges.room; slot++) {
            struct edge *edge =
                t->edges.slots[slot] ? t->edges.slots[slot]->item : NULL;

            if (edge && edge->from == from && edge->to == to)
                edge->declared = seen = true;
        }
        if (seen || !t->declared ||
            (!is_asked_for(t, &source) && !is_asked_for(t, &target)))
            continue;
        target.service = keep(t, d->endpoint);
        struct tally *edge = edge_tally(t, &source, &target);
        if (!edge)
            return;
        ((struct edge *)edge->item)->declared = true;
    }
}

/* The catalogue has names only: what was asked for by uid gets the names that
 * its components have. */
static void name_scope(struct topology *t)
{
    uint32_t count;
    const struct component_info *all =
        registry_components(registry_of(t), &t->scope, t->call->arena, &count);

    for (uint32_t i = 0; i < count; i++)
        if (in_scope(t, &all[i].identity)) {
            t->scope.project = all[i].identity.project;
            t->scope.environment = all[i].identity.environment;
            return;
        }
}

static void read_catalog(struct topology *t)
{
    struct catalog_snapshot *snapshot = catalog_get(t->call->services->catalog);

    name_scope(t);

    for (uint32_t i = 0; i < catalog_count(snapshot); i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);

        if (slice_equal(c->namespace, t->scope.namespace) &&
            slice_equal(c->project, t->scope.project))
            add_declared(t, c);
    }
    catalog_release(snapshot);
}

/* ---- answering ---- */

static void reply_node_members(struct topology *t, const struct node *node)
{
    struct jsonw *w = &t->call->json;
    static const char *const kinds[] = {"component", "gateway", "external"};

    jsonw_member_text(w, "kind", slice_of(kinds[node->kind]));
    reply_text(t->call, "namespace", node->identity.namespace);
    reply_text(t->call, "project", node->identity.project);
    reply_uid(t->call, "projectUid", node->identity.project_uid);
    reply_text(t->call, "component", node->identity.component);
    reply_uid(t->call, "componentUid", node->identity.component_uid);
    reply_text(t->call, "service", node->service);
    reply_text(t->call, "name", node->name);
    if (node->kind == NODE_EXTERNAL) {
        reply_text(t->call, "host", node->host.len ? node->host : node->name);
        jsonw_member_text(w, "externalKind", slice_of(node->external));
        reply_text(t->call, "system", node->system);
    }
}

static void reply_metrics(struct topology *t, const struct tally *tally)
{
    struct jsonw *w = &t->call->json;
    bool any = tally->requests > 0;

    jsonw_member_open(w, "metrics", '{');
    jsonw_member_double(w, "requestCount", tally->requests);
    jsonw_member_double(w, "unsuccessfulRequestCount",
                        tally->errors + tally->client_errors);
    jsonw_member_double(w, "meanLatency", any ? hist_mean(&tally->hist) : 0);
    jsonw_member_double(w, "latencyP50",
                        any ? hist_quantile(&tally->hist, .5) : 0);
    jsonw_member_double(w, "latencyP90",
                        any ? hist_quantile(&tally->hist, .9) : 0);
    jsonw_member_double(w, "latencyP99",
                        any ? hist_quantile(&tally->hist, .99) : 0);
    jsonw_close(w, '}');
}

static void name_node(struct buf *out, const struct node *node)
{
    if (node->kind == NODE_GATEWAY)
        buf_add(out, SLICE("gateway:"));
    else if (node->kind == NODE_EXTERNAL)
        buf_add(out, SLICE("external:"));
    buf_add(out, node->kind == NODE_COMPONENT ? node->identity.component
                                              : node->name);
    if (node->kind == NODE_COMPONENT && node->service.len > 0) {
        buf_byte(out, ':');
        buf_add(out, node->service);
    }
}

static void reply_edge(struct topology *t, const struct tally *tally)
{
    const struct edge *edge = tally->item;
    struct jsonw *w = &t->call->json;
    struct buf id;

    buf_init(&id, 4096);
    name_node(&id, &edge->source);
    buf_add(&id, SLICE("->"));
    name_node(&id, &edge->target);
    jsonw_open(w, '{');
    jsonw_member_text(w, "id", buf_slice(&id));
    jsonw_member_open(w, "source", '{');
    reply_node_members(t, &edge->source);
    jsonw_close(w, '}');
    jsonw_member_open(w, "target", '{');
    reply_node_members(t, &edge->target);
    jsonw_close(w, '}');
    reply_text(t->call, "protocol", edge->protocol);
    if (edge->source.kind == NODE_COMPONENT &&
        edge->target.kind == NODE_COMPONENT) {
        jsonw_member_bool(w, "declared", edge->declared);
        jsonw_member_bool(w, "observed", edge->observed);
    }
    reply_metrics(t, tally);
    jsonw_close(w, '}');
    buf_release(&id);
}

/* What was used, or is declared and asked for. Its nodes are wanted. */
static bool is_shown(struct topology *t, const struct tally *tally)
{
    struct edge *edge = tally->item;
    struct tally *a = node_tally(t, &edge->source);
    struct tally *b = node_tally(t, &edge->target);

    edge->observed = !tally_is_empty(tally);
    if (!a || !b || (!edge->observed && !(edge->declared && t->declared)))
        return false;
    ((struct node *)a->item)->wanted = ((struct node *)b->item)->wanted = true;
    return true;
}

/* Those that are not shown are left out of the list. */
static void drop_hidden(struct topology *t, struct tally **edges)
{
    struct tally **to = edges;

    for (; *edges; edges++)
        if (is_shown(t, *edges))
            *to++ = *edges;
    *to = NULL;
}

static enum status reply(struct topology *t)
{
    struct jsonw *w = &t->call->json;
    struct tally **edges = tally_sorted(&t->edges), **nodes;

    if (edges)
        drop_hidden(t, edges); /* may add nodes */
    nodes = tally_sorted(&t->nodes);
    if (!nodes || !edges)
        return arena_status(t->call->arena);
    jsonw_open(w, '{');
    jsonw_member_open(w, "nodes", '[');
    for (; *nodes; nodes++)
        if (((struct node *)(*nodes)->item)->wanted) {
            jsonw_open(w, '{');
            reply_node_members(t, (*nodes)->item);
            reply_metrics(t, *nodes);
            jsonw_close(w, '}');
        }
    jsonw_close(w, ']');
    jsonw_member_open(w, "edges", '[');
    for (; *edges; edges++)
        reply_edge(t, *edges);
    jsonw_close(w, ']');
    jsonw_member_open(w, "summary", '{');
    jsonw_member_time(w, "startTime", t->start_ns);
    jsonw_member_time(w, "endTime", t->end_ns);
    jsonw_member_time(w, "generatedAt", t->call->now_ns);
    jsonw_close(w, '}');
    jsonw_close(w, '}');
    return OK;
}

static enum status read_request(struct topology *t)
{
    enum status s =
        params_scope(t->call, SCOPE_NEEDS_PROJECT | SCOPE_NEEDS_ENV, &t->scope);

    if (s == OK)
        s = params_range(t->call, &t->start_ns, &t->end_ns);
    if (s == OK)
        s = params_bool(t->call, "includeGateways", &t->gateways);
    if (s == OK)
        s = params_bool(t->call, "includeExternal", &t->external);
    if (s == OK)
        s = params_bool(t->call, "includeDeclared", &t->declared);
    t->component = t->scope.component;
    t->scope.component = (struct slice){NULL, 0};
    return s;
}

static enum status runtime_topology(struct call *call)
{
    struct topology t = {.call = call, .gateways = true, .external = true};
    enum status s = read_request(&t);

    if (s != OK)
        return s;
    tally_map_init(&t.nodes, call->arena);
    tally_map_init(&t.edges, call->arena);
    tally_map_init(&t.identities, call->arena);
    struct series_query query = {
        .start_ns = t.start_ns,
        .end_ns = t.end_ns + (uint64_t)DERIVED_MINUTE_S * 1000000000u,
        .resources =
            registry_select(call->services->registry, &t.scope, call->arena),
        .names = derived_names,
        .name_count = DERIVED_EDGE_NAMES};
    if (!query.resources)
        return arena_status(call->arena);
    s = reader_query_series(call->reader, &query, visit, &t);
    if (s != OK)
        return call_fail_read(call, s);
    read_catalog(&t);
    return t.full ? arena_status(call->arena) : reply(&t);
}

const struct route routes_topology[] = {
    {"POST", "/api/v1alpha1/metrics/runtime-topology", runtime_topology, "RG",
     TAKES_JSON, 0},
    {0},
};
