/*
 * Each stored resource is given to the registry of the instances as if its
 * sender had sent it when its component was first seen. So it gets the key that
 * it has if it is sent again, and the names come from the same rules.
 *
 * An identity is found there by a resource that has it. Where there is none -
 * its resources were evicted, or the pod that taught it is forgotten - labels
 * with its names make one.
 */
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "export_int.h"

enum { NAMES_BYTES = 64 * 1024 };

static bool same_names(const struct identity *a, const struct identity *b)
{
    return identity_compare(a, b) == 0;
}

/* ---- times ---- */

static int compare_component(const void *key, const void *element)
{
    const struct component_info *info = element;

    return identity_compare(key, &info->identity);
}

/* Older resources have lower ids: they stay the older ones. */
static uint64_t first_seen(const struct export_resources *r, uint32_t id,
                           const struct identity *identity)
{
    const struct component_info *info =
        r->component_count
            ? bsearch(identity, r->components, r->component_count,
                      sizeof(*r->components), compare_component)
            : NULL;
    uint64_t first = info ? info->first_seen_ns : r->now_ns;

    return (first < r->now_ns ? first : r->now_ns) + id;
}

/* ---- resources ---- */

static void note_identity(struct export_resources *r, uint32_t identity,
                          uint32_t resource)
{
    if (identity == IDENTITY_NONE)
        return;
    array_reserve(&r->identities, identity + 1, &r->identity_room);
    while (r->identity_count <= identity)
        r->identities[r->identity_count++] = RESOURCE_NONE;
    if (r->identities[identity] == RESOURCE_NONE)
        r->identities[identity] = resource;
}

static struct export_resource *reserve(struct export_resources *r, uint32_t id)
{
    array_reserve(&r->at, id + 1, &r->room);
    while (r->count <= id)
        r->at[r->count++] = (struct export_resource){.to = RESOURCE_NONE};
    return &r->at[id];
}

/* Labels as a control plane stamps them, or what stands for them. */
static struct attrs labels_of(const struct export_resources *r,
                              const struct identity *identity,
                              struct attr room[IDENTITY_TEXTS])
{
    const struct registry_keys *keys = registry_label_keys(r->from);
    bool stamped = identity->rule <= RULE_LEARNED;
    const struct slice names[IDENTITY_TEXTS] = {
        keys->namespace,
        stamped ? keys->project : SLICE("service.namespace"),
        stamped ? keys->component : SLICE("service.name"),
        stamped ? keys->environment : SLICE("deployment.environment.name"),
        keys->project_uid,
        keys->component_uid,
        keys->environment_uid};
    struct attrs attrs = {.at = room};

    for (int i = 0; i < (stamped ? IDENTITY_TEXTS : IDENTITY_NAMES); i++)
        if (identity->text[i].len > 0)
            room[attrs.count++] =
                (struct attr){.key = names[i].ptr,
                              .key_len = (uint16_t)names[i].len,
                              .type = VALUE_STRING,
                              .str = identity->text[i].ptr,
                              .len = (uint32_t)identity->text[i].len};
    return attrs;
}

static struct writer *tenant_of(const struct identity *identity)
{
    const struct writer_scope scope = {.name = {identity->namespace}};

    return writer_new(identity->namespace, true, &scope, 1);
}

/* A resource as it was sent, and the labels of a record if they made it. */
static uint32_t resolve(struct export_resources *r, uint32_t id,
                        const struct stored_resource *stored,
                        const struct identity *identity,
                        const struct attrs *labels)
{
    struct resource resource = {.attrs = stored->attrs, .id = RESOURCE_NONE};
    struct writer *writer = stored->of_tenant ? tenant_of(identity) : NULL;
    uint64_t first = first_seen(r, id, identity);
    uint32_t to;

    registry_set_writer(r->to, writer);
    registry_resolve(r->to, &resource, first);
    to = resource.id;
    if (labels->count > 0) {
        to = registry_resolve_record(r->to, &resource, labels, first);
        to = to == RESOURCE_NONE ? resource.id : to;
    }
    registry_set_writer(r->to, NULL);
    writer_free(writer);
    return to;
}

static void skip_identity(void *arg, const struct identity *identity)
{
    (void)arg, (void)identity;
}

static void take_resource(void *arg, uint32_t id, uint32_t identity,
                          uint64_t hash, const struct resource *resource)
{
    struct export_resources *r = arg;
    struct export_resource *to = reserve(r, id);
    struct stored_resource stored =
        registry_stored(r->from, id, &resource->attrs);
    struct identity names;
    struct arena arena;

    (void)identity, (void)hash;
    to->synthetic = stored.synthetic;
    to->derived = stored.derived;
    arena_init(&arena, NULL, NAMES_BYTES);
    if (!stored.synthetic &&
        registry_resource_identity(r->from, id, &arena, &names))
        to->to = resolve(r, id, &stored, &names, &stored.labels);
    arena_release(&arena);
}

/* What its pod taught it there is not known to the registry here: what taught
 * the pod is not stored any more. Then its names are told as labels. */
static void name_resource(void *arg, uint32_t id, uint32_t identity,
                          uint64_t hash, const struct resource *resource)
{
    struct export_resources *r = arg;
    struct stored_resource stored =
        registry_stored(r->from, id, &resource->attrs);
    struct attr room[IDENTITY_TEXTS];
    struct identity had, has;
    struct attrs labels;
    struct arena arena;

    (void)identity, (void)hash;
    if (id >= r->count || r->at[id].to == RESOURCE_NONE)
        return;
    arena_init(&arena, NULL, NAMES_BYTES);
    if (registry_resource_identity(r->from, id, &arena, &had) &&
        had.rule <= RULE_LEARNED &&
        registry_resource_identity(r->to, r->at[id].to, &arena, &has) &&
        has.rule >= RULE_INFERRED && !same_names(&had, &has)) {
        labels = labels_of(r, &had, room);
        r->at[id].to = resolve(r, id, &stored, &had, &labels);
    }
    if (registry_resource_identity(r->from, id, &arena, &had) &&
        registry_resource_identity(r->to, r->at[id].to, &arena, &has) &&
        same_names(&had, &has))
        note_identity(r, had.id, r->at[id].to);
    arena_release(&arena);
}

/* ---- identities ---- */

static uint32_t make_stand_in(struct export_resources *r,
                              const struct identity *identity)
{
    struct attr room[IDENTITY_TEXTS];
    struct stored_resource made = {.attrs = labels_of(r, identity, room)};
    const struct attrs none = {.at = NULL};
    uint32_t to = resolve(r, 0, &made, identity, &none);

    note_identity(r, identity->id, to);
    return to;
}

/* A resource of `to` that has the present identity; RESOURCE_NONE. */
static uint32_t stand_in(struct export_resources *r, uint32_t identity)
{
    uint32_t found = RESOURCE_NONE;
    struct identity present;
    struct arena arena;

    arena_init(&arena, NULL, NAMES_BYTES);
    if (registry_identity(r->from, identity, &arena, &present)) {
        if (present.id < r->identity_count)
            found = r->identities[present.id];
        if (found == RESOURCE_NONE)
            found = make_stand_in(r, &present);
    }
    arena_release(&arena);
    return found;
}

uint32_t export_identity_id(struct export_resources *r, uint32_t identity)
{
    uint32_t resource = stand_in(r, identity);

    return resource == RESOURCE_NONE ? IDENTITY_NONE
                                     : registry_identity_id(r->to, resource);
}

static void map_synthetic(struct export_resources *r)
{
    for (uint32_t id = 0; id < r->count; id++) {
        struct export_resource *one = &r->at[id];
        uint32_t identity;

        if (!one->synthetic)
            continue;
        identity = registry_identity_id(r->from, id);
        if (identity == IDENTITY_NONE)
            continue;
        one->to = one->derived ? registry_derived_resource(
                                     r->to, export_identity_id(r, identity))
                               : stand_in(r, identity);
    }
}

/* When signals of the components were seen. */
static void touch(struct export_resources *r)
{
    for (uint32_t i = 0; i < r->component_count; i++) {
        const struct component_info *info = &r->components[i];
        uint32_t identity = export_identity_id(r, info->identity.id);

        for (int s = 0; identity != IDENTITY_NONE && s < SIGNAL_COUNT; s++)
            if (info->last_seen_ns[s])
                registry_touch(r->to, identity, (enum signal)s,
                               info->last_seen_ns[s]);
    }
}

/* ---- the whole ---- */

enum status export_resources_open(struct export_resources *r)
{
    const struct scope_filter all = {.unassigned = false};
    struct metadata *metadata = store_metadata(r->store);
    enum status status;

    r->now_ns = clock_wall_ns();
    arena_init(&r->arena, NULL, SIZE_MAX);
    r->components = registry_components(r->from, &all, &viewer_all, &r->arena,
                                        &r->component_count);
    status = metadata_load(metadata, skip_identity, take_resource, r);
    if (status == OK)
        status = metadata_load(metadata, skip_identity, name_resource, r);
    if (status != OK)
        return status;
    map_synthetic(r);
    touch(r);
    registry_share(r->to, clock_wall_ns());
    return OK;
}

void export_resources_close(struct export_resources *r)
{
    free(r->at);
    free(r->identities);
    arena_release(&r->arena);
}

uint32_t export_resource_id(const struct export_resources *r, uint32_t id)
{
    return id < r->count ? r->at[id].to : RESOURCE_NONE;
}
