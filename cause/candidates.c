#include "candidates.h"

const char *const candidate_kind_names[CANDIDATE_KINDS] = {
    "component", "database", "queue", "external"};

/* Values of by_resource below the first component. */
enum { NOT_LOOKED_UP, IN_NO_COMPONENT, FIRST_COMPONENT };

static uint32_t find_identity(const struct candidates *c,
                              const struct identity *identity)
{
    for (uint32_t i = 0; i < c->component_count; i++)
        if (identity_compare(&c->identities[i], identity) == 0)
            return i;
    return NO_INDEX;
}

uint32_t candidate_of_resource(struct candidates *c, uint32_t resource)
{
    struct identity identity;

    if (!bitmap_has(c->resources, resource))
        return NO_INDEX;
    uint32_t *slot = &c->by_resource[resource];
    if (*slot == NOT_LOOKED_UP) {
        uint32_t i = registry_resource_identity(c->registry, resource, c->arena,
                                                &identity)
                         ? find_identity(c, &identity)
                         : NO_INDEX;

        *slot = i == NO_INDEX ? IN_NO_COMPONENT : i + FIRST_COMPONENT;
    }
    return *slot == IN_NO_COMPONENT ? NO_INDEX : *slot - FIRST_COMPONENT;
}

uint32_t candidate_of_identity(struct candidates *c, uint32_t id)
{
    struct identity identity;

    return registry_identity(c->registry, id, c->arena, &identity)
               ? find_identity(c, &identity)
               : NO_INDEX;
}

uint32_t candidate_of_dependency(const struct candidates *c, uint32_t from,
                                 const struct catalog_dependency *d)
{
    struct identity to = c->identities[from];

    to.component = d->component;
    if (d->namespace.len > 0)
        to.namespace = d->namespace;
    if (d->project.len > 0)
        to.project = d->project;
    return find_identity(c, &to);
}

static enum candidate_kind kind_of(struct slice name)
{
    for (int kind = CANDIDATE_DATABASE; kind < CANDIDATE_KINDS; kind++)
        if (slice_equal(name, slice_of(candidate_kind_names[kind])))
            return (enum candidate_kind)kind;
    return CANDIDATE_COMPONENT;
}

uint32_t candidate_find_peer(const struct candidates *c, struct slice kind_name,
                             struct slice name)
{
    enum candidate_kind kind = kind_of(kind_name);

    for (uint32_t i = c->component_count; i < c->count; i++)
        if (c->kinds[i] == kind && slice_equal(candidate_name(c, i), name))
            return i;
    return NO_INDEX;
}

uint32_t candidate_of_peer(struct candidates *c, struct slice kind_name,
                           struct slice name)
{
    enum candidate_kind kind = kind_of(kind_name);
    uint32_t known = candidate_find_peer(c, kind_name, name);

    if (known != NO_INDEX)
        return known;
    if (kind == CANDIDATE_COMPONENT || name.len == 0 ||
        c->count - c->component_count == MAX_PEERS - 1)
        return NO_INDEX;
    c->identities[c->count].component = arena_copy(c->arena, name);
    c->kinds[c->count] = (uint8_t)kind;
    return c->count++;
}

struct bitmap *candidate_resources(const struct candidates *c,
                                   uint32_t component)
{
    struct scope_filter scope = c->scope;

    scope.component = c->identities[component].component;
    scope.environment = c->identities[component].environment;
    return registry_select(c->registry, &scope, c->viewer, c->arena);
}

struct bitmap *candidates_resources(struct candidates *c, const bool *wanted)
{
    struct bitmap *set = bitmap_new(c->arena, c->resources->limit);

    for (uint32_t id = 0; set && id < set->limit; id++) {
        uint32_t i = candidate_of_resource(c, id);

        if (i != NO_INDEX && wanted[i])
            bitmap_add(set, id);
    }
    return set;
}

bool candidates_find(struct candidates *c, struct registry *registry,
                     const struct scope_filter *scope,
                     const struct viewer *viewer, struct arena *arena)
{
    uint32_t count;
    struct component_info *list;

    *c = (struct candidates){.arena = arena,
                             .registry = registry,
                             .scope = *scope,
                             .viewer = viewer};
    list = registry_components(registry, &c->scope, viewer, arena, &count);
    c->identities =
        arena_zero(arena, count + MAX_PEERS, sizeof(*c->identities));
    c->kinds = arena_zero(arena, count + MAX_PEERS, sizeof(*c->kinds));
    c->resources = registry_select(registry, &c->scope, viewer, arena);
    c->reporting = registry_select(registry, &c->scope, viewer, arena);
    if (!c->identities || !c->kinds || !c->resources || !c->reporting)
        return false;
    c->by_resource =
        arena_zero(arena, c->resources->limit, sizeof(*c->by_resource));
    for (uint32_t i = 0; i < count; i++) {
        if (list[i].identity.component.len > 0)
            c->identities[c->component_count++] = list[i].identity;
        /* Derived series hang on resources of their own. */
        bitmap_remove(c->reporting, list[i].derived_resource);
    }
    c->count = c->component_count;
    return c->by_resource;
}
