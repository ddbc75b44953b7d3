/*
 * The graph is read from the derived series of the project of the roots. Where
 * the walk leads into other projects, theirs are read, too, until nothing new
 * is reached: a graph of twelve components among a thousand costs what twelve
 * cost.
 */
#include "dependency_graph.h"

#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "component.h"

enum { ROUNDS = GRAPH_MAX_DEPTH + 1, SPACES_MAX = 256 };

/* ---- what is read ---- */

/* A project, or a namespace (project empty). */
struct space {
    struct slice namespace, project;
};

struct space_list {
    struct space *at;
    uint32_t count, room;
};

static bool has_space(const struct space_list *spaces,
                      const struct identity *identity)
{
    for (uint32_t i = 0; i < spaces->count; i++)
        if (slice_equal(spaces->at[i].namespace, identity->namespace) &&
            (spaces->at[i].project.len == 0 ||
             slice_equal(spaces->at[i].project, identity->project)))
            return true;
    return false;
}

static bool add_space(const struct dependency_graph *g,
                      struct space_list *spaces, struct slice namespace,
                      struct slice project)
{
    struct space *space = arena_append(g->request->arena, &spaces->at,
                                       spaces->count, &spaces->room);

    if (!space)
        return false;
    *space = (struct space){namespace, project};
    spaces->count++;
    return true;
}

static void unite(struct bitmap *all, const struct bitmap *more)
{
    for (uint32_t i = 0; i < more->limit && i < all->limit; i += 64)
        for (uint64_t bits = more->words[i >> 6]; bits; bits &= bits - 1)
            bitmap_add(all, i + (uint32_t)__builtin_ctzll(bits));
}

/* The resources of all spaces that may be seen. */
static enum status select_spaces(const struct dependency_graph *g,
                                 const struct space_list *spaces,
                                 const struct bitmap **resources)
{
    const struct bitmap *part;
    struct bitmap *all = NULL;

    for (uint32_t i = 0; i < spaces->count; i++) {
        const struct scope_filter scope = {.namespace = spaces->at[i].namespace,
                                           .project = spaces->at[i].project};

        if (params_select(g->request, &scope, &part) != OK)
            return g->request->failed;
        if (!all)
            all = bitmap_new(g->request->arena, part->limit);
        if (!all)
            return arena_status(g->request->arena);
        unite(all, part);
    }
    *resources = all;
    return OK;
}

/* ---- nodes ---- */

static int compare_info(const void *key, const void *at)
{
    return identity_compare(key,
                            &((const struct component_info *)at)->identity);
}

static const struct component_info *info_of(const struct topology *t,
                                            const struct identity *identity)
{
    return t->info_count > 0 ? bsearch(identity, t->infos, t->info_count,
                                       sizeof(*t->infos), compare_info)
                             : NULL;
}

static struct graph_node *add_node(struct dependency_graph *g,
                                   const struct node *node,
                                   const struct metric_group *group)
{
    struct graph_node *added = arena_append(g->request->arena, &g->nodes,
                                            g->node_count, &g->node_room);
    const struct identity *id = &node->identity;

    if (!added)
        return NULL;
    *added = (struct graph_node){.node = node,
                                 .group = group,
                                 .first_out = GRAPH_NONE,
                                 .first_in = GRAPH_NONE};
    if (node->kind == NODE_COMPONENT) {
        added->info = info_of(&g->topology, id);
        added->declared = catalog_component(g->snapshot, id->namespace,
                                            id->project, id->component);
    }
    g->node_count++;
    return added;
}

static uint32_t node_at(const struct dependency_graph *g, uint64_t key)
{
    map_each(&g->by_key, map_hash(key), at)
        if (g->nodes[at].group->key == key)
            return at;
    return GRAPH_NONE;
}

/* Nodes and edges have their numbers in an order that does not depend on which
 * series the store read first: parts that are equal otherwise are listed by
 * number. */
static bool add_nodes(struct dependency_graph *g)
{
    struct metric_group **groups =
        metric_sorted(&g->topology.nodes, g->topology.out.requests);

    g->nodes = NULL;
    g->node_count = g->node_room = 0;
    g->by_key = (struct map){.arena = g->request->arena};
    for (uint32_t i = 0; groups && groups[i]; i++) {
        const struct node *node = groups[i]->item;

        if (!map_add(&g->by_key, map_hash(groups[i]->key), g->node_count) ||
            !add_node(g, node, groups[i]))
            return false;
    }
    return groups != NULL;
}

static bool is_in_scope(const struct dependency_graph *g,
                        const struct identity *identity)
{
    const struct scope_filter *scope = &g->scope;

    return identity->component.len > 0 &&
           is_named(scope->namespace, identity->namespace,
                    (struct slice){NULL, 0}) &&
           is_named(scope->project, identity->project, identity->project_uid) &&
           is_named(scope->component, identity->component,
                    identity->component_uid) &&
           is_named(scope->environment, identity->environment,
                    identity->environment_uid);
}

bool graph_is_root(const struct dependency_graph *g,
                   const struct graph_node *node)
{
    return node->node->kind == NODE_COMPONENT &&
           is_in_scope(g, &node->node->identity);
}

/* A component of the scope without any call; in any environment if the
 * identity has none. */
static bool add_alone(struct dependency_graph *g, const struct identity *id)
{
    struct node *node;

    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct identity *known = &g->nodes[i].node->identity;

        if (g->nodes[i].node->kind == NODE_COMPONENT &&
            slice_equal(known->component, id->component) &&
            slice_equal(known->project, id->project) &&
            slice_equal(known->namespace, id->namespace) &&
            (id->environment.len == 0 ||
             slice_equal(known->environment, id->environment)))
            return true;
    }
    node = arena_zero(g->request->arena, 1, sizeof(*node));
    if (!node)
        return false;
    *node = (struct node){.kind = NODE_COMPONENT, .identity = *id};
    return add_node(g, node, NULL) != NULL;
}

/* Components of the scope without any call, seen or declared. */
static bool add_lonely(struct dependency_graph *g)
{
    const struct topology *t = &g->topology;

    for (uint32_t i = 0; i < t->info_count; i++)
        if (is_in_scope(g, &t->infos[i].identity) &&
            !add_alone(g, &t->infos[i].identity))
            return false;
    for (uint32_t i = 0; i < catalog_count(g->snapshot); i++) {
        const struct catalog_component *c = catalog_at(g->snapshot, i);
        const struct identity id = {.namespace = c->namespace,
                                    .project = c->project,
                                    .component = c->name,
                                    .component_uid = c->uid,
                                    .environment = g->scope.environment};

        if (is_in_scope(g, &id) &&
            catalog_is_seen(&g->request->viewer, c, id.environment) &&
            !add_alone(g, &id))
            return false;
    }
    return true;
}

/* ---- edges ---- */

/* A component that was seen in other environments only does not miss calls in
 * this one. */
static bool is_elsewhere(const struct topology *t, const struct node *node)
{
    const struct identity *id = &node->identity;
    bool elsewhere = false;

    if (node->kind != NODE_COMPONENT || info_of(t, id))
        return false;
    for (uint32_t i = 0; i < t->info_count && !elsewhere; i++)
        elsewhere =
            slice_equal(t->infos[i].identity.component, id->component) &&
            slice_equal(t->infos[i].identity.project, id->project) &&
            slice_equal(t->infos[i].identity.namespace, id->namespace);
    return elsewhere;
}

/* Calls from component to component through a queue are the edges of the
 * queue. */
static bool is_edge(const struct dependency_graph *g, const struct edge *edge)
{
    return edge->source.shown && !edge->queue &&
           (edge->observed || !is_elsewhere(&g->topology, &edge->source));
}

static bool add_edge(struct dependency_graph *g,
                     const struct metric_group *group)
{
    const struct edge *edge = group->item;
    uint32_t from = node_at(g, edge->from), to = node_at(g, edge->to);
    struct graph_edge *added;

    if (!is_edge(g, edge) || from == GRAPH_NONE || to == GRAPH_NONE)
        return true;
    added = arena_append(g->request->arena, &g->edges, g->edge_count,
                         &g->edge_room);
    if (!added)
        return false;
    *added =
        (struct graph_edge){.edge = edge,
                            .group = group,
                            .source = from,
                            .target = to,
                            .next_out = g->nodes[from].first_out,
                            .next_in = g->nodes[to].first_in,
                            .requests = metric_first(&g->topology.edges, group,
                                                     g->topology.out.requests)};
    g->nodes[from].first_out = g->nodes[to].first_in = g->edge_count++;
    return true;
}

static bool add_edges(struct dependency_graph *g)
{
    struct metric_group **groups =
        metric_sorted(&g->topology.edges, g->topology.out.requests);

    g->edges = NULL;
    g->edge_count = g->edge_room = 0;
    for (uint32_t i = 0; groups && groups[i]; i++)
        if (!add_edge(g, groups[i]))
            return false;
    return groups != NULL;
}

/* ---- reading ---- */

static enum status read_round(struct dependency_graph *g,
                              const struct space_list *spaces)
{
    struct topology *t = &g->topology;
    enum status s;

    *t = (struct topology){.request = g->request,
                           .start_ns = g->start_ns,
                           .end_ns = g->end_ns,
                           .gateways = true,
                           .external = true,
                           .declared = true,
                           .queue_calls = true};
    s = select_spaces(g, spaces, &t->resources);
    if (s == OK)
        s = topology_read(t, g->snapshot);
    if (s != OK)
        return s;
    if (!add_nodes(g) || !add_edges(g) || !add_lonely(g))
        return arena_status(g->request->arena);
    g->to_callers = g->to_callees = NULL;
    if (g->directions & GRAPH_CALLERS)
        g->to_callers = graph_walk(g, GRAPH_CALLERS, WALK_ALL);
    if (g->directions & GRAPH_CALLEES)
        g->to_callees = graph_walk(g, GRAPH_CALLEES, WALK_ALL);
    return arena_status(g->request->arena);
}

static bool is_reached(const uint32_t *steps, uint32_t node, uint64_t below)
{
    return steps && steps[node] != GRAPH_NONE && steps[node] < below;
}

/* Adds the spaces of components from which the walk goes on; false: there are
 * none, or too many. */
static bool grow(const struct dependency_graph *g, struct space_list *spaces)
{
    uint32_t before = spaces->count;

    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct node *node = g->nodes[i].node;

        if (node->kind != NODE_COMPONENT ||
            has_space(spaces, &node->identity) || spaces->count == SPACES_MAX ||
            (!is_reached(g->to_callers, i, g->depth) &&
             !is_reached(g->to_callees, i, g->depth)))
            continue;
        if (!add_space(g, spaces, node->identity.namespace,
                       node->identity.project))
            return false;
    }
    return spaces->count > before;
}

/* A uid stands for the project's name. */
static struct slice project_name(const struct dependency_graph *g)
{
    uint32_t count = 0;
    const struct component_info *infos =
        registry_components(g->request->services->registry, &g->scope,
                            &g->request->viewer, g->request->arena, &count);

    return g->scope.project.len > 0 && count > 0 ? infos->identity.project
                                                 : g->scope.project;
}

enum status graph_read(struct dependency_graph *g)
{
    struct space_list spaces = {0};
    enum status s = OK;

    if (!add_space(g, &spaces, g->scope.namespace, project_name(g)))
        return arena_status(g->request->arena);
    for (int round = 0; round < ROUNDS; round++) {
        s = read_round(g, &spaces);
        if (s != OK || !grow(g, &spaces))
            break;
    }
    return s;
}

/* ---- names ---- */

const char *graph_kind(const struct node *node)
{
    return node->hidden                          ? "hidden"
           : node->kind == NODE_COMPONENT        ? "component"
           : node->kind == NODE_GATEWAY          ? "gateway"
           : strcmp(node->external, "host") == 0 ? "external"
                                                 : node->external;
}

struct slice graph_id(const struct dependency_graph *g, const struct node *node)
{
    struct arena *arena = g->request->arena;
    const struct identity *id = &node->identity;

    if (node->kind == NODE_COMPONENT)
        return arena_format(
            arena, "%.*s/%.*s/%.*s%s%.*s", SLICE_ARGS(id->namespace),
            SLICE_ARGS(id->project), SLICE_ARGS(id->component),
            id->environment.len > 0 ? "@" : "", SLICE_ARGS(id->environment));
    if (node->space.len > 0)
        return arena_format(arena, "%s:%.*s@%.*s/%.*s%s%.*s", graph_kind(node),
                            SLICE_ARGS(node->name), SLICE_ARGS(node->host),
                            SLICE_ARGS(node->space),
                            node->space_environment.len > 0 ? "@" : "",
                            SLICE_ARGS(node->space_environment));
    return arena_format(arena, "%s:%.*s", graph_kind(node),
                        SLICE_ARGS(node->name));
}

/* ---- parameters ---- */

enum status graph_params(struct dependency_graph *g, uint64_t depth)
{
    struct query_request *request = g->request;

    g->depth = depth;
    params_query_scope(request, &g->scope);
    params_query_range(request, NS_PER_HOUR, &g->start_ns, &g->end_ns);
    params_query_number(request, "depth", 1, GRAPH_MAX_DEPTH, &g->depth);
    if (request->failed == OK && g->scope.namespace.len == 0)
        return query_invalid(request, "namespace is required");
    return request->failed;
}
