/*
 * The graph of projects and environments, from derived series alone.
 *
 * A call between two known components is stored twice, with the caller (OUT)
 * and with the callee (IN). OUT counts; IN adds what only the callee knows:
 * gateways, queues it reads from, callers of other projects.
 *
 * A client may keep only one edge of a pair of components (OpenChoreo's portal
 * does), so the calls of a pair are one edge, whatever their endpoints, unless
 * perEndpoint is requested. Calls through a queue are an edge of their own.
 */
#include "topology_int.h"
#include <stdlib.h>

#include "array.h"
#include "component.h"
#include "derived.h"
#include "hash.h"
#include "reply_metrics.h"

/* ---- keys ---- */

uint64_t topology_key(const struct node *node, bool with_service)
{
    uint64_t h = key_identity((uint64_t)node->kind + 1, &node->identity);

    h = key_text(h, node->name);
    h = key_text(h, node->host);
    h = key_text(h, node->external ? slice_of(node->external)
                                   : (struct slice){NULL, 0});
    h = key_text(key_text(h, node->space), node->space_environment);
    return with_service ? key_text(h, node->service) : h;
}

/* ---- nodes ---- */

static struct metric_group *node_of(struct topology *t, const struct node *node)
{
    struct metric_group *group =
        metric_group_with(&t->nodes, topology_key(node, false), sizeof(*node));
    struct node *item = group ? group->item : NULL;

    t->full |= !group;
    if (item && !item->known) {
        *item = *node;
        item->service = (struct slice){NULL, 0};
        item->known = true;
    }
    return group;
}

/* Whether the resource is of a component. */
static bool own_node(struct topology *t, uint32_t resource_id,
                     struct node *node)
{
    const struct identity *identity =
        reply_resource_identity(t->request, resource_id);

    *node = (struct node){.kind = NODE_COMPONENT};
    if (identity)
        node->identity = *identity;
    else
        t->full = true;
    return identity && identity->component.len > 0;
}

/* The other end if it may not be seen: all such are one. */
static struct node hidden_node(void)
{
    return (struct node){.kind = NODE_EXTERNAL,
                         .name = SLICE(PEER_HIDDEN),
                         .external = "host",
                         .hidden = true};
}

static void external_node(const struct metric_group *calls, struct slice kind,
                          const struct node *own, struct node *node)
{
    node->kind = NODE_EXTERNAL;
    node->system = metric_label(calls, CALL_PEER_SYSTEM);
    node->host = metric_label(calls, CALL_PEER_HOST);
    if (node->host.len == 0)
        node->host = node->name;
    node->external = slice_equal(kind, SLICE("database")) ? "database"
                     : slice_equal(kind, SLICE("queue"))  ? "queue"
                                                          : "host";
    if (strcmp(node->external, "host") == 0)
        return;
    node->space = own->identity.namespace;
    node->space_environment = own->identity.environment;
}

/* The other end, by the labels of the calls. */
static bool peer_node(struct topology *t, const struct metric_group *calls,
                      const struct node *own, struct node *node)
{
    struct slice kind = metric_label(calls, CALL_PEER_KIND);
    const struct identity *identity;

    *node = (struct node){.kind = NODE_COMPONENT};
    if (slice_equal(kind, SLICE("component"))) {
        identity =
            reply_peer_identity(t->request, &calls->labels[CALL_PEER_ID]);
        if (identity == &identity_hidden) {
            *node = hidden_node();
            return true;
        }
        node->service = metric_label(calls, CALL_PEER_ENDPOINT);
        if (identity)
            node->identity = *identity;
        return identity && identity->component.len > 0;
    }
    node->name = metric_label(calls, CALL_PEER_NAME);
    if (slice_equal(kind, SLICE("gateway"))) {
        node->kind = NODE_GATEWAY;
        return node->name.len > 0;
    }
    external_node(calls, kind, own, node);
    return node->name.len > 0;
}

/* ---- the scope ---- */

static int compare_info(const void *key, const void *at)
{
    return identity_compare(key,
                            &((const struct component_info *)at)->identity);
}

/* By its names or uids; of a scope of several projects, by what it selects. */
bool topology_in_scope(const struct topology *t,
                       const struct identity *identity)
{
    const struct component_info *info =
        t->info_count > 0 ? bsearch(identity, t->infos, t->info_count,
                                    sizeof(*t->infos), compare_info)
                          : NULL;

    return is_named(t->scope.namespace, identity->namespace,
                    (struct slice){NULL, 0}) &&
           is_named(t->scope.project, identity->project,
                    identity->project_uid) &&
           is_named(t->scope.environment, identity->environment,
                    identity->environment_uid) &&
           (!info || info->derived_resource == RESOURCE_NONE ||
            bitmap_has(t->resources, info->derived_resource));
}

static bool is_kind_shown(const struct topology *t, const struct node *node)
{
    return node->kind == NODE_COMPONENT ||
           (node->kind == NODE_GATEWAY ? t->gateways : t->external);
}

bool topology_is_requested(const struct topology *t, const struct node *node)
{
    return t->component.len == 0 ||
           (node->kind == NODE_COMPONENT &&
            is_named(t->component, node->identity.component,
                     node->identity.component_uid));
}

/* ---- edges ---- */

struct metric_group *topology_edge(struct topology *t,
                                   const struct node *source,
                                   const struct node *target, bool queue)
{
    uint64_t key = hash_mix(topology_key(source, t->per_endpoint),
                            topology_key(target, t->per_endpoint));
    struct metric_group *group =
        metric_group_with(&t->edges, key + queue, sizeof(struct edge));
    struct edge *edge = group ? group->item : NULL;

    t->full |= !group;
    if (edge && !edge->from) {
        *edge = (struct edge){.source = *source,
                              .target = *target,
                              .from = topology_key(source, false),
                              .to = topology_key(target, false),
                              .queue = queue};
        edge->source.service = edge->target.service = (struct slice){NULL, 0};
    }
    return group;
}

static bool is_shown(const struct topology *t, const struct node *own,
                     const struct node *peer, bool out, bool queue)
{
    if (!is_kind_shown(t, peer))
        return false;
    if (!out && peer->kind == NODE_COMPONENT &&
        topology_in_scope(t, &peer->identity))
        return false; /* counted at the caller */
    if (queue && !t->queue_calls)
        return false; /* the edges of the queue have them */
    return topology_is_requested(t, own) || topology_is_requested(t, peer);
}

/* The peer is a component behind a queue. */
static bool is_through_queue(const struct node *peer,
                             const struct metric_group *calls)
{
    return (peer->kind == NODE_COMPONENT || peer->hidden) &&
           slice_equal(metric_label(calls, CALL_PROTOCOL), SLICE("messaging"));
}

static void add_to_list(struct edge *edge, struct metric_group *calls, bool out)
{
    edge->out = out;
    if (calls->item && *(uint64_t *)calls->item > edge->last_ns)
        edge->last_ns = *(uint64_t *)calls->item;
    calls->next = edge->calls;
    edge->calls = calls;
}

static void add_calls(struct topology *t, struct metric_group *calls, bool out)
{
    struct node own, peer;

    if (!own_node(t, calls->resource_id, &own) ||
        !peer_node(t, calls, &own, &peer))
        return;
    bool queue = is_through_queue(&peer, calls);
    if (!is_shown(t, &own, &peer, out, queue))
        return;
    own.service = metric_label(calls, CALL_ENDPOINT);
    const struct node *source = out ? &own : &peer;
    const struct node *target = out ? &peer : &own;
    struct metric_group *a = node_of(t, source);
    struct metric_group *b = node_of(t, target);
    struct metric_group *group = topology_edge(t, source, target, queue);
    if (!a || !b || !group)
        return;
    add_to_list(group->item, calls, out);
    if (!metric_group_add(&t->edges, group, calls))
        t->full = true;
    /* A component has figures of what it served. An external node has those
     * of the calls to it, a gateway those of the requests through it. */
    bool outside = out ? peer.kind == NODE_EXTERNAL : peer.kind == NODE_GATEWAY;
    if (outside && !metric_group_add(&t->nodes, out ? b : a, calls))
        t->full = true;
}

static void add_served(struct topology *t, struct metric_group *served)
{
    struct metric_group *group;
    struct node node, *item;

    if (!own_node(t, served->resource_id, &node))
        return;
    group = node_of(t, &node);
    if (!group)
        return;
    item = group->item;
    item->shown |= topology_is_requested(t, &node);
    served->next = item->served;
    item->served = served;
    if (!metric_group_add(&t->nodes, group, served))
        t->full = true;
}

static void name_endpoint(struct node *node, const struct metric_table *calls,
                          const struct metric_group *group, unsigned label,
                          const struct metric_expr *requests)
{
    if (!node->hidden)
        node->service = metric_top_label(calls, group, label, requests);
}

/* Endpoints and protocol of an edge are those of most calls. */
static void name_edges(struct topology *t)
{
    for (uint32_t i = 0; i < t->edges.count; i++) {
        struct edge *edge = t->edges.groups[i]->item;
        const struct metric_table *calls =
            edge->out ? &t->out_calls : &t->in_calls;
        const struct metric_expr *requests =
            edge->out ? t->out.requests : t->in.requests;

        name_endpoint(&edge->source, calls, edge->calls,
                      edge->out ? CALL_ENDPOINT : CALL_PEER_ENDPOINT, requests);
        name_endpoint(&edge->target, calls, edge->calls,
                      edge->out ? CALL_PEER_ENDPOINT : CALL_ENDPOINT, requests);
        edge->protocol =
            metric_top_label(calls, edge->calls, CALL_PROTOCOL, requests);
    }
}

/* ---- what is shown ---- */

/* Edges that were used, or are declared and requested, and their nodes. */
static void mark_shown(struct topology *t)
{
    for (uint32_t i = 0; i < t->edges.count; i++) {
        struct metric_group *group = t->edges.groups[i];
        struct edge *edge = group->item;
        struct metric_group *a = node_of(t, &edge->source);
        struct metric_group *b = node_of(t, &edge->target);

        if (!a || !b)
            return;
        edge->observed =
            metric_first(&t->edges, group, t->out.requests) >= RED_NONE;
        edge->source.shown = edge->observed || (edge->declared && t->declared);
        if (edge->source.shown)
            ((struct node *)a->item)->shown = ((struct node *)b->item)->shown =
                true;
    }
}

/* ---- reading ---- */

/* The end of the last minute with calls of a group. */
static void keep_last(void *arg, struct metric_group *group,
                      const struct point *point)
{
    struct topology *t = arg;

    if (!group->item)
        group->item = arena_zero(t->request->arena, 1, sizeof(uint64_t));
    if (group->item && *(uint64_t *)group->item < point->time_ns)
        *(uint64_t *)group->item = point->time_ns;
}

static void init_tables(struct topology *t)
{
    static const char *const endpoint[] = {[SERVED_ENDPOINT] = DERIVED_ENDPOINT,
                                           NULL};
    struct metric_table *calls[] = {&t->out_calls, &t->in_calls};
    struct arena *arena = t->request->arena;
    const struct grid grid = {t->start_ns, t->end_ns - t->start_ns,
                              t->request->now_ns, 1};

    red_init(&t->served, RED_SERVED);
    red_init(&t->out, RED_OUT);
    red_init(&t->in, RED_IN);
    red_table_init(&t->requests, arena, &grid, endpoint, &t->served);
    red_table_init(&t->out_calls, arena, &grid, red_call_labels, &t->out);
    red_table_init(&t->in_calls, arena, &grid, red_call_labels, &t->in);
    red_table_init(&t->nodes, arena, &grid, NULL, &t->out);
    red_table_init(&t->edges, arena, &grid, NULL, &t->out);
    t->requests.by_resource = true;
    for (int i = 0; i < 2; i++) {
        calls[i]->by_resource = true;
        calls[i]->visit = keep_last;
        calls[i]->visit_arg = t;
    }
}

enum status topology_read(struct topology *t,
                          const struct catalog_snapshot *snapshot)
{
    struct metric_table *tables[] = {&t->requests, &t->out_calls, &t->in_calls};
    enum status s;

    init_tables(t);
    t->infos = registry_components(t->request->services->registry, &t->scope,
                                   &t->request->viewer, t->request->arena,
                                   &t->info_count);
    s = read_metrics(t->request, t->resources, NULL, tables, 3);
    if (s != OK)
        return s;
    for (uint32_t i = 0; i < t->requests.count; i++)
        add_served(t, t->requests.groups[i]);
    for (uint32_t i = 0; i < t->out_calls.count; i++)
        add_calls(t, t->out_calls.groups[i], true);
    for (uint32_t i = 0; i < t->in_calls.count; i++)
        add_calls(t, t->in_calls.groups[i], false);
    if (t->full)
        return arena_status(t->request->arena);
    name_edges(t);
    topology_add_declared(t, snapshot);
    mark_shown(t);
    return t->full ? arena_status(t->request->arena) : OK;
}
