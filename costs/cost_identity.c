/* Whose the series of a resource are. */
#include <stdlib.h>

#include "array.h"
#include "cost_nodes.h"
#include "cost_read.h"
#include "hash.h"

static uint32_t find_component(const struct cost_report *report, uint32_t hash,
                               const struct identity *identity)
{
    map_each(&report->index, hash, at) {
        const struct identity *own = &report->components[at].identity;

        if (identity_compare(own, identity) == 0)
            return at;
    }
    return COST_NONE;
}

static uint32_t add_component(struct cost_report *report, uint32_t hash,
                              const struct identity *identity)
{
    struct arena *arena = report->request->arena;
    struct cost_component *component;

    if (((uint64_t)report->count + 1) * report->steps > COST_MAX_ITEMS) {
        report->too_many = true;
        return COST_NONE;
    }
    component =
        arena_append(arena, &report->components, report->count, &report->room);

    if (!component)
        return COST_NONE;
    *component = (struct cost_component){
        .identity = *identity,
        .steps = arena_zero(arena, report->steps, sizeof(*component->steps)),
        .seen = arena_zero(arena, report->hours / 64 + 1, sizeof(uint64_t)),
        .named = {arena_zero(arena, report->hours / 64 + 1, sizeof(uint64_t)),
                  arena_zero(arena, report->hours / 64 + 1, sizeof(uint64_t))},
        .sizing = report->sizes
                      ? arena_zero(arena, 1, sizeof(*component->sizing))
                      : NULL};
    for (int i = 0; i < IDENTITY_TEXTS; i++)
        component->identity.text[i] = arena_copy(arena, identity->text[i]);
    if (arena_status(arena) != OK ||
        !map_add(&report->index, hash, report->count))
        return COST_NONE;
    return report->count++;
}

/* COST_NONE: it does not count, or the arena is full. */
static uint32_t component_of(struct cost_report *report, uint32_t id,
                             struct arena *scratch)
{
    struct identity identity;
    uint64_t hash = 0;
    uint32_t at;

    if (!registry_resource_identity(report->request->services->registry, id,
                                    scratch, &identity))
        identity = (struct identity){.id = IDENTITY_NONE};
    if (arena_status(scratch) != OK ||
        (identity.component.len == 0 && !report->unassigned))
        return COST_NONE;
    if (identity.component.len == 0) /* all of these are one */
        identity = (struct identity){.id = IDENTITY_NONE};
    for (int i = 0; i < IDENTITY_NAMES; i++)
        hash = hash_bytes(identity.text[i].ptr, identity.text[i].len, hash);
    at = find_component(report, map_hash(hash), &identity);
    return at != COST_NONE ? at
                           : add_component(report, map_hash(hash), &identity);
}

static void set_pod(struct cost_resource *known, const struct attrs *attrs)
{
    struct slice pod = attrs_text(attrs, SLICE("k8s.pod.name"));
    struct slice space = attrs_text(attrs, SLICE("k8s.namespace.name"));

    if (pod.len == 0) {
        pod = attrs_text(attrs, SLICE("k8s.pod.uid"));
        space = (struct slice){NULL, 0};
    }
    known->named = pod.len > 0;
    known->pod =
        known->named ? metric_pod_entity(space, pod) : (uint64_t)known->id << 1;
}

const struct cost_resource *cost_resource(struct cost_report *report,
                                          uint32_t id, struct arena *scratch)
{
    struct resource resource = {.id = id};
    struct cost_resource *known;

    map_each(&report->known_index, map_hash_number(id), at)
        if (report->known[at].id == id)
            return &report->known[at];
    known = arena_append(report->request->arena, &report->known,
                         report->known_count, &report->known_room);
    if (!known || !map_add(&report->known_index, map_hash_number(id),
                           report->known_count))
        return NULL;
    *known = (struct cost_resource){
        .id = id, .component = component_of(report, id, scratch)};
    if (reader_resource(report->request->reader, id, scratch, &resource) != OK)
        resource.attrs = (struct attrs){NULL, 0, 0};
    set_pod(known, &resource.attrs);
    struct slice node = attrs_text(&resource.attrs, SLICE("k8s.node.name"));
    known->node = cost_node(report, node);
    known->row = price_find(report->prices,
                            &(struct node_facts){node, &resource.attrs, 1});
    if (arena_status(scratch) != OK)
        return NULL; /* asked again */
    if (known->node != COST_NONE && known->row &&
        !report->nodes->at[known->node].row)
        report->nodes->at[known->node].row = known->row;
    report->known_count++;
    return known;
}

static int by_names(const void *left, const void *right)
{
    const struct cost_component *a = left, *b = right;

    return identity_compare(&a->identity, &b->identity);
}

void cost_sort_components(struct cost_report *report)
{
    if (report->count > 0)
        qsort(report->components, report->count, sizeof(*report->components),
              by_names);
}
