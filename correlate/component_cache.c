/*
 * Identities are dense numbers bounded by the registry, so the table is an
 * array. It holds pointers: a component never moves.
 */
#include "component_cache.h"

#include <stdlib.h>

#include "array.h"
#include "mem.h"

struct components {
    struct registry *registry;
    struct catalog *catalog;
    struct catalog_snapshot *snapshot;
    struct component **at; /* by identity; NULL: not used yet */
    uint32_t count;
    struct arena scratch;
};

struct components *components_new(struct registry *registry,
                                  struct catalog *catalog)
{
    struct components *components = mem_zero(1, sizeof(*components));

    components->registry = registry;
    components->catalog = catalog;
    components->snapshot = catalog ? catalog_get(catalog) : NULL;
    arena_init(&components->scratch, NULL, 1024 * 1024);
    return components;
}

void components_free(struct components *components)
{
    if (!components)
        return;
    for (uint32_t i = 0; i < components->count; i++)
        free(components->at[i]);
    free(components->at);
    if (components->snapshot)
        catalog_release(components->snapshot);
    arena_release(&components->scratch);
    free(components);
}

void components_refresh(struct components *components)
{
    struct catalog_snapshot *snapshot;

    if (!components->catalog)
        return;
    snapshot = catalog_get(components->catalog);
    catalog_release(components->snapshot);
    components->snapshot = snapshot;
}

static void look_up(struct components *components, struct component *component)
{
    struct identity identity;

    component->declared = NULL;
    component->unassigned = false;
    if (!registry_identity(components->registry, component->identity,
                           &components->scratch, &identity))
        return;
    component->unassigned = identity.component.len == 0;
    if (components->snapshot && !component->unassigned)
        component->declared =
            catalog_component(components->snapshot, identity.namespace,
                              identity.project, identity.component);
    arena_reset(&components->scratch);
}

struct component *components_get(struct components *components,
                                 uint32_t identity)
{
    struct component **place =
        array_at(&components->at, &components->count, identity);
    struct component *component;
    uint64_t now =
        components->snapshot ? catalog_generation(components->snapshot) + 1 : 1;
    uint8_t generation =
        registry_identity_generation(components->registry, identity);

    if (!*place) {
        *place = mem_zero(1, sizeof(**place));
        (*place)->identity = identity;
        (*place)->resource = RESOURCE_NONE;
    }
    component = *place;
    if (component->generation != generation) {
        component->generation = generation;
        component->checked = 0;
        component->endpoint = NULL;
    }
    component->resource =
        registry_derived_resource(components->registry, identity);
    if (component->checked != now) {
        look_up(components, component);
        component->checked = now;
    }
    return component;
}

struct counted_name *component_group(struct component *component,
                                     struct cardinality_limit *limit,
                                     enum cardinality_group kind)
{
    struct counted_name **group = &component->groups[kind];

    if (component->epoch != limit->epoch) {
        component->epoch = limit->epoch;
        component->endpoint = NULL;
        memset(component->groups, 0, sizeof(component->groups));
    }
    if (!*group)
        *group = cardinality_group(limit, component->identity, kind);
    return *group;
}
