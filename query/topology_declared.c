/* The dependencies of the catalogue in the graph. */
#include "array.h"
#include "component.h"
#include "topology_int.h"

/* Whether the edge is this dependency, on a component or on one of its
 * endpoints. On a queue, reader or sender may be the one that depends. */
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
    uint64_t from = topology_key(source, false), to;
    bool seen = false;

    if (d->namespace.len)
        target.identity.namespace = d->namespace;
    target.identity.project = d->project.len ? d->project : component->project;
    target.identity.component = d->component;
    to = topology_key(&target, false);
    for (uint32_t i = 0; i < t->edges.count; i++) {
        struct edge *edge = t->edges.groups[i]->item;

        if (is_declared(t, edge, from, to, d->endpoint))
            edge->declared = seen = true;
    }
    if (seen || !t->declared ||
        (!topology_is_requested(t, source) &&
         !topology_is_requested(t, &target)))
        return;
    target.service = d->endpoint;
    struct metric_group *unused = topology_edge(t, source, &target, false);
    if (!unused)
        return;
    struct edge *edge = unused->item;
    edge->declared = true;
    if (edge->target.service.len == 0)
        edge->target.service = target.service;
}

/* Marks edges that are declared, and adds unused ones if requested. */
static void add_declared(struct topology *t,
                         const struct catalog_component *component,
                         struct slice environment)
{
    struct node source = {.kind = NODE_COMPONENT};

    source.identity.namespace = component->namespace;
    source.identity.project = component->project;
    source.identity.component = component->name;
    source.identity.environment = environment;
    for (uint32_t i = 0; i < component->dependency_count && !t->full; i++)
        add_dependency(t, &source, component, &component->dependencies[i]);
}

/* One project in one environment. */
static void add_declared_in(struct topology *t,
                            const struct catalog_snapshot *snapshot,
                            const struct scope_filter *space)
{
    for (uint32_t i = 0; i < catalog_count(snapshot); i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);

        if (slice_equal(c->namespace, space->namespace) &&
            slice_equal(c->project, space->project) &&
            catalog_is_seen(&t->request->viewer, c, space->environment))
            add_declared(t, c, space->environment);
    }
}

static bool is_space(const struct scope_filter *space,
                     const struct identity *identity)
{
    return slice_equal(space->namespace, identity->namespace) &&
           slice_equal(space->project, identity->project) &&
           slice_equal(space->environment, identity->environment);
}

/* The catalogue has names only: a scope given by uid, or of several projects
 * and environments, has those of its components. */
static bool read_spaces(struct topology *t, struct scope_filter **spaces,
                        uint32_t *count)
{
    uint32_t room = 0;

    *spaces = NULL;
    *count = 0;
    for (uint32_t i = 0; i < t->info_count; i++) {
        const struct identity *identity = &t->infos[i].identity;
        struct scope_filter *space;
        uint32_t k = 0;

        while (k < *count && !is_space(&(*spaces)[k], identity))
            k++;
        if (k < *count || identity->component.len == 0 ||
            !topology_in_scope(t, identity))
            continue;
        space = arena_append(t->request->arena, spaces, *count, &room);
        if (!space)
            return false;
        *space = (struct scope_filter){.namespace = identity->namespace,
                                       .project = identity->project,
                                       .environment = identity->environment};
        ++*count;
    }
    return true;
}

/* Components of projects of which nothing was seen. */
static void add_declared_unseen(struct topology *t,
                                const struct catalog_snapshot *snapshot,
                                const struct scope_filter *spaces,
                                uint32_t count)
{
    const struct slice none = {NULL, 0};

    for (uint32_t i = 0; i < catalog_count(snapshot); i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);
        bool seen = false;

        for (uint32_t k = 0; k < count && !seen; k++)
            seen = slice_equal(c->namespace, spaces[k].namespace) &&
                   slice_equal(c->project, spaces[k].project);
        if (!seen && is_named(t->scope.namespace, c->namespace, none) &&
            is_named(t->scope.project, c->project, none) &&
            catalog_is_seen(&t->request->viewer, c, t->scope.environment))
            add_declared(t, c, t->scope.environment);
    }
}

void topology_add_declared(struct topology *t,
                           const struct catalog_snapshot *snapshot)
{
    struct scope_filter *spaces;
    uint32_t count;

    if (catalog_count(snapshot) == 0)
        return;
    if (!read_spaces(t, &spaces, &count)) {
        t->full = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        add_declared_in(t, snapshot, &spaces[i]);
    add_declared_unseen(t, snapshot, spaces, count);
}
