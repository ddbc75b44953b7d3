/*
 * The registry's frame: opening, the lock, what waits to be saved, and the
 * small questions. How it hangs together is drawn in registry_int.h.
 *
 * A change goes like this:
 *
 *   registry_lock();     exclusive
 *   ... change, registry_queue_write() for what the store has to know ...
 *   registry_unlock();   release, then save what was noted, identities before
 *                        the resources that point at them
 */
#include <assert.h>
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "hash.h"
#include "mem.h"
#include "registry_int.h"
#include "stats.h"

/* Bytes of names: a pod's name and address for each resource, half a dozen
 * names for each identity. */
enum { NAME_BYTES_RES = 64, NAME_BYTES_IDENT = 128, NAME_BYTES_MIN = 65536 };

/* Ids in use for each place of a live resource: those of evicted ones take 20
 * bytes as long as records may refer to them. */
enum { IDS_PER_PLACE = 8 };

static uint32_t name_cap(const struct registry_options *options)
{
    uint64_t cap = (uint64_t)options->max_resources * NAME_BYTES_RES +
                   (uint64_t)options->max_identities * NAME_BYTES_IDENT +
                   NAME_BYTES_MIN;

    return cap < UINT32_MAX / 2 ? (uint32_t)cap : UINT32_MAX / 2;
}

static void use_defaults(struct registry_keys *keys)
{
    const struct registry_keys * or = &registry_default_keys;
    const struct {
        struct slice *key, otherwise;
    } rows[] = {
        {&keys->namespace, or->namespace},
        {&keys->project, or->project},
        {&keys->component, or->component},
        {&keys->environment, or->environment},
        {&keys->project_uid, or->project_uid},
        {&keys->component_uid, or->component_uid},
        {&keys->environment_uid, or->environment_uid},
        {&keys->resource, or->resource},
        {&keys->resource_uid, or->resource_uid},
        {&keys->endpoint, or->endpoint},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].key->len == 0)
            *rows[i].key = rows[i].otherwise;
}

enum status registry_open(struct registry **out,
                          const struct registry_options *options,
                          struct store *store)
{
    struct registry *registry = mem_zero(1, sizeof(*registry));

    registry->options = *options;
    use_defaults(&registry->options.keys);
    registry->store = store;
    registry->free_live = registry->free_pod = NONE;
    registry->ident_free = registry->free_space = NONE;
    if (registry->options.max_ids == 0)
        registry->options.max_ids = IDS_PER_PLACE * options->max_resources;
    registry->now_ns = clock_wall_ns();
    pthread_rwlock_init(&registry->lock, NULL);
    intern_init(&registry->names, name_cap(options), NAME_MAX_BYTES);
    intern_add(&registry->names, SLICE("default"));
    intern_add(&registry->names, SLICE("{other}"));

    enum status status =
        labels_init(&registry->labels, &registry->options.keys);

    if (status == OK)
        status = registry_load(registry);
    if (status != OK) {
        registry->store = NULL; /* nothing to save */
        registry_close(registry);
        return status;
    }
    *out = registry;
    return OK;
}

void registry_close(struct registry *registry)
{
    if (!registry)
        return;
    if (registry->store && registry->seen_changed)
        registry_save_seen(registry);
    pthread_rwlock_destroy(&registry->lock);
    idmap_release(&registry->res_by_hash);
    idmap_release(&registry->by_record);
    idmap_release(&registry->ident_by_key);
    idmap_release(&registry->pod_by_key);
    idmap_release(&registry->hosts);
    intern_release(&registry->names);
    idmap_release(&registry->space_by_name);
    free(registry->res);
    free(registry->live);
    free(registry->workflow_pods);
    free(registry->spaces);
    free(registry->identity_of);
    free(registry->free_ids);
    free(registry->ident);
    free(registry->pods);
    free(registry->saves);
    free(registry->scratch);
    free(registry);
}

/* ---- changing ---- */

void registry_lock(struct registry *registry)
{
    pthread_rwlock_wrlock(&registry->lock);
}

void registry_queue_write(struct registry *registry, uint32_t id, int what)
{
    struct registry_write *save = array_append(
        &registry->saves, registry->save_count, &registry->save_room);

    *save = (struct registry_write){.id = id, .what = (unsigned)what & 3};
    registry->save_count++;
}

static void save_identity(struct registry *registry, uint32_t id)
{
    struct identity view;
    uint32_t now = ident_resolve(registry, id);

    ident_view(registry, now, &view);
    if (now != id) {
        /* This is how a number that stands for another one is kept. */
        view.id = id;
        view.rule = RULE_LEARNED;
    }
    store_save_identity(registry->store, &view);
}

static void save_made_up(struct registry *registry, uint32_t id)
{
    const struct resource_state *res = &registry->res[id];
    const char *key =
        res->kind == RESOURCE_OVERFLOW ? OVERFLOW_MARK : DERIVED_MARK;
    struct attr attr = {.key = key,
                        .key_len = (uint16_t)strlen(key),
                        .type = VALUE_INT,
                        .i = res->owner};
    struct resource resource = {.attrs = {&attr, 1, 0}, .id = id};

    store_save_resource(registry->store, id, registry->identity_of[id],
                        hash_mix(res->owner, UINT64_C(0x64657269766564)),
                        &resource);
}

void registry_unlock(struct registry *registry)
{
    pthread_rwlock_unlock(&registry->lock);
    stats_set(STATS_RESOURCES, registry->live_count);
    stats_set(STATS_RESOURCES_UNASSIGNED, registry->unassigned);
    for (uint32_t i = 0; i < registry->save_count; i++)
        if (registry->saves[i].what == WRITE_IDENTITY)
            save_identity(registry, registry->saves[i].id);
    for (uint32_t i = 0; i < registry->save_count; i++) {
        uint32_t id = registry->saves[i].id;

        if (registry->saves[i].what == WRITE_RESOURCE_IDENTITY)
            store_save_resource_identity(registry->store, id,
                                         registry->identity_of[id]);
        else if (registry->saves[i].what == WRITE_SYNTHETIC)
            save_made_up(registry, id);
    }
    registry->save_count = 0;
}

uint32_t registry_new_id(struct registry *registry)
{
    uint32_t id = registry->res_count;
    uint8_t generation = 0;

    if (registry->free_count > 0) {
        id = registry->free_ids[--registry->free_count];
        generation = (uint8_t)(registry->res[id].generation + 1);
    } else {
        if (id == registry->res_room) {
            registry->res_room += registry->res_room / 2 + 32;
            registry->res = mem_resize(registry->res, registry->res_room,
                                       sizeof(*registry->res));
            registry->identity_of =
                mem_resize(registry->identity_of, registry->res_room,
                           sizeof(*registry->identity_of));
        }
        registry->res_count++;
    }
    registry->res[id] = (struct resource_state){
        .live = NONE,
        .owner = NONE,
        .seen_s = registry_now_s(registry),
        .generation = generation,
    };
    registry->identity_of[id] = NONE;
    return id;
}

void registry_free_id(struct registry *registry, uint32_t id)
{
    uint32_t *place = array_append(&registry->free_ids, registry->free_count,
                                   &registry->free_room);

    *place = id;
    registry->free_count++;
}

struct live_resource *live_new(struct registry *registry, uint32_t id)
{
    uint32_t place = registry->free_live;

    if (place != NONE) {
        registry->free_live = registry->live[place].next_in_pod;
    } else {
        array_reserve(&registry->live, registry->live_end + 1,
                      &registry->live_room);
        place = registry->live_end++;
    }
    registry->live[place] =
        (struct live_resource){.id = id, .pod = NONE, .next_in_pod = NONE};
    registry->res[id].live = place;
    registry->live_count++;
    return &registry->live[place];
}

void live_free(struct registry *registry, uint32_t id)
{
    uint32_t place = registry->res[id].live;

    registry->live[place] = (struct live_resource){
        .id = NONE, .pod = NONE, .next_in_pod = registry->free_live};
    registry->free_live = place;
    registry->res[id].live = NONE;
    registry->live_count--;
}

struct attr *registry_scratch(struct registry *registry, uint32_t count)
{
    array_reserve(&registry->scratch, count, &registry->scratch_room);
    return registry->scratch;
}

/* Of a new resource, or of one that is known: then the store is told. */
void registry_set_identity(struct registry *registry, uint32_t id,
                           uint32_t identity, uint8_t rule)
{
    struct resource_state *res = &registry->res[id];
    uint32_t old = registry->identity_of[id];
    bool counts = res->kind == RESOURCE_PLAIN || res->kind == RESOURCE_RECORD;

    if (counts) {
        if (old != NONE)
            quota_count_resource(registry, old, res->live != NONE, -1);
        quota_count_resource(registry, identity, res->live != NONE, 1);
        registry->unassigned -= res->rule == RULE_UNASSIGNED;
        registry->unassigned += rule == RULE_UNASSIGNED;
    }
    registry->identity_of[id] = identity;
    res->rule = rule;
    if (old != NONE)
        registry_queue_write(registry, id, WRITE_RESOURCE_IDENTITY);
}

/* A resource that stands for the identity, for series or for records. */
static uint32_t make_up(struct registry *registry, uint32_t identity,
                        enum resource_kind kind)
{
    uint32_t id = registry_new_id(registry);
    struct resource_state *res = &registry->res[id];
    uint32_t now = ident_resolve(registry, identity);

    res->kind = (uint8_t)kind;
    res->owner = identity;
    registry_set_identity(registry, id, now,
                          kind == RESOURCE_DERIVED ? RULE_NONE
                                                   : registry->ident[now].rule);
    registry_queue_write(registry, id, WRITE_SYNTHETIC);
    return id;
}

uint32_t registry_derived_resource(struct registry *registry, uint32_t identity)
{
    assert(identity < registry->ident_count);

    /* One that has been moved keeps the resource it had. */
    if (registry->ident[identity].derived == NONE)
        identity = ident_resolve(registry, identity);

    uint32_t id = registry->ident[identity].derived;

    if (id != NONE) {
        registry->res[id].seen_s = registry_now_s(registry);
        return id;
    }
    registry_lock(registry);
    id = make_up(registry, identity, RESOURCE_DERIVED);
    registry->ident[identity].derived = id;
    registry_unlock(registry);
    return id;
}

uint32_t registry_overflow_resource(struct registry *registry,
                                    uint32_t identity)
{
    struct identity_entry *ident = &registry->ident[identity];

    if (ident->overflow == NONE) {
        ident->overflow = make_up(registry, identity, RESOURCE_OVERFLOW);
        host_add_identity(registry, identity);
    }
    return ident->overflow;
}

uint8_t registry_resource_generation(const struct registry *registry,
                                     uint32_t resource)
{
    return resource < registry->res_count ? registry->res[resource].generation
                                          : 0;
}

uint8_t registry_identity_generation(const struct registry *registry,
                                     uint32_t identity)
{
    return identity < registry->ident_count
               ? registry->ident[identity].generation
               : 0;
}

struct slice registry_endpoint_label(const struct registry *registry,
                                     const struct attrs *attrs)
{
    uint32_t shortest = registry->labels.keys[LABEL_ENDPOINT].len;

    for (uint32_t i = 0; i < attrs->count; i++)
        if (attrs->at[i].key_len >= shortest &&
            labels_spell(&registry->labels, LABEL_ENDPOINT,
                         attr_key(&attrs->at[i])))
            return attr_text(&attrs->at[i]);
    return (struct slice){NULL, 0};
}

void registry_touch(struct registry *registry, uint32_t identity,
                    enum signal signal, uint64_t time_ns)
{
    identity = ident_resolve(registry, identity);
    if (identity == NONE)
        return;

    _Atomic uint64_t *at = &registry->ident[identity].last_seen_ns[signal];

    if (atomic_load_explicit(at, memory_order_relaxed) < time_ns) {
        atomic_store_explicit(at, time_ns, memory_order_relaxed);
        registry->seen_changed = true;
    }
}

/* ---- asking, from any thread ---- */

uint32_t registry_identity_id(struct registry *registry, uint32_t resource)
{
    uint32_t identity = IDENTITY_NONE;

    pthread_rwlock_rdlock(&registry->lock);
    if (resource < registry->res_count)
        identity = ident_resolve(registry, registry->identity_of[resource]);
    pthread_rwlock_unlock(&registry->lock);
    return identity;
}

bool registry_identity(struct registry *registry, uint32_t identity,
                       struct arena *arena, struct identity *out)
{
    pthread_rwlock_rdlock(&registry->lock);
    identity = ident_resolve(registry, identity);

    bool known =
        identity != NONE && registry->ident[identity].rule != RULE_NONE;

    if (known) {
        ident_view(registry, identity, out);
        ident_copy(out, arena);
    }
    pthread_rwlock_unlock(&registry->lock);
    return known;
}

bool registry_resource_identity(struct registry *registry, uint32_t resource,
                                struct arena *arena, struct identity *out)
{
    bool known = false;

    pthread_rwlock_rdlock(&registry->lock);
    if (resource < registry->res_count &&
        registry->identity_of[resource] != NONE) {
        uint32_t was = registry->identity_of[resource];
        uint32_t now = ident_resolve(registry, was);

        known = true;
        ident_view(registry, now, out);
        if (now != was)
            out->rule = RULE_LEARNED;
        else if (registry->res[resource].rule != RULE_NONE)
            out->rule = registry->res[resource].rule;
        ident_copy(out, arena);
    }
    pthread_rwlock_unlock(&registry->lock);
    return known;
}
