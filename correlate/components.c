/*
 * Identities are dense numbers bounded by the registry, so the table is an
 * array in pieces: a component never moves, and a piece is there only if one
 * of its identities was seen.
 */
#include "components.h"

#include <stdlib.h>

#include "mem.h"

enum { PIECE = 512 };

struct components {
    struct registry *registry;
    struct catalog *catalog;
    struct catalog_snapshot *snapshot;
    struct component **pieces;
    uint32_t piece_count;
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
    for (uint32_t i = 0; i < components->piece_count; i++)
        free(components->pieces[i]);
    free(components->pieces);
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

static struct component *place(struct components *components, uint32_t identity)
{
    uint32_t piece = identity / PIECE;

    if (piece >= components->piece_count) {
        uint32_t count = components->piece_count * 2;

        if (count <= piece)
            count = piece + 1;
        components->pieces =
            mem_resize(components->pieces, count, sizeof(*components->pieces));
        memset(components->pieces + components->piece_count, 0,
               (count - components->piece_count) * sizeof(*components->pieces));
        components->piece_count = count;
    }
    if (!components->pieces[piece]) {
        struct component *at = mem_zero(PIECE, sizeof(*at));

        for (uint32_t i = 0; i < PIECE; i++) {
            at[i].identity = piece * PIECE + i;
            at[i].resource = RESOURCE_NONE;
        }
        components->pieces[piece] = at;
    }
    return &components->pieces[piece][identity % PIECE];
}

static void look_up(struct components *components, struct component *component)
{
    struct identity identity;

    component->declared = NULL;
    if (!components->snapshot || catalog_count(components->snapshot) == 0)
        return;
    if (registry_identity(components->registry, component->identity,
                          &components->scratch, &identity) &&
        identity.component.len > 0)
        component->declared =
            catalog_component(components->snapshot, identity.namespace,
                              identity.project, identity.component);
    arena_reset(&components->scratch);
}

struct component *components_get(struct components *components,
                                 uint32_t identity)
{
    struct component *component = place(components, identity);
    uint64_t now =
        components->snapshot ? catalog_generation(components->snapshot) + 1 : 1;

    uint8_t life = registry_identity_generation(components->registry, identity);

    if (component->life != life) {
        component->life = life;
        component->changes = 0;
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
