/*
 * The registry's frame: open and close, the lock, the queue of writes, ids and
 * live entries, and the small queries. registry_int.h draws the tables.
 *
 * A change runs like this, on the correlator's thread:
 *
 *   registry_lock();     exclusive
 *   ... change, registry_queue_write() for what the store has to know ...
 *   registry_unlock();   release, then write what was queued: identities before
 *                        the resources that refer to them
 *
 * Read next: registry_resolve.c (attributes to an id), registry_identity.c,
 * registry_pod.c; registry_select.c answers queries.
 */
#include <assert.h>
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "hash.h"
#include "mem.h"
#include "registry_shared.h"
#include "stats.h"

/* Bytes of names: a pod's name and address for each resource, half a dozen
 * names for each identity. */
enum {
    NAME_BYTES_RESOURCE = 64,
    NAME_BYTES_IDENTITY = 128,
    NAME_BYTES_MIN = 65536
};

/* Ids for each live entry: those of evicted resources take 20 bytes as long as
 * records may refer to them. */
enum { IDS_PER_LIVE = 8 };

static uint32_t max_name_bytes(const struct registry_options *options)
{
    uint64_t max = (uint64_t)options->max_resources * NAME_BYTES_RESOURCE +
                   (uint64_t)options->max_identities * NAME_BYTES_IDENTITY +
                   NAME_BYTES_MIN;

    return max < UINT32_MAX / 2 ? (uint32_t)max : UINT32_MAX / 2;
}

enum status registry_open(struct registry **out,
                          const struct registry_options *options,
                          struct store *store)
{
    struct registry *reg = mem_zero(1, sizeof(*reg));
    struct registry_keys *keys = &reg->options.keys;

    reg->options = *options;
    for (unsigned i = 0; i < REGISTRY_KEYS; i++)
        if (keys->key[i].len == 0)
            keys->key[i] = registry_default_keys.key[i];
    if (reg->options.max_ids == 0)
        reg->options.max_ids = IDS_PER_LIVE * options->max_resources;
    reg->store = store;
    reg->metadata = store_metadata(store);
    reg->resources.first_free = reg->live.first_free = NONE;
    reg->identities.first_free = reg->pods.first_free = NONE;
    reg->quotas.first_free = NONE;
    reg->now_ns = clock_wall_ns();
    pthread_rwlock_init(&reg->lock, NULL);
    intern_init(&reg->names, max_name_bytes(options), NAME_MAX_BYTES);
    intern_add(&reg->names, SLICE("default"));
    intern_add(&reg->names, SLICE("{other}"));
    intern_add(&reg->names, SLICE(NAMESPACE_DELETED));

    enum status status = labels_init(&reg->labels, keys);

    if (options->log)
        shared_open(reg, options->log);
    if (status == OK)
        status = reg->shared ? shared_load(reg) : registry_load(reg);
    if (status != OK) {
        registry_close(reg);
        return status;
    }
    *out = reg;
    return OK;
}

void registry_close(struct registry *reg)
{
    if (!reg)
        return;
    if (reg->seen_changed)
        registry_save_seen(reg);
    pthread_rwlock_destroy(&reg->lock);
    shared_close(reg);
    map_release(&reg->live.by_hash);
    key_map_release(&reg->live.by_record);
    key_map_release(&reg->identities.by_key);
    key_map_release(&reg->pods.by_key);
    map_release(&reg->quotas.by_name);
    key_map_release(&reg->hosts);
    key_map_release(&reg->uids);
    intern_release(&reg->names);
    free(reg->resources.at);
    free(reg->resources.identity);
    free(reg->live.at);
    free(reg->workflows.at);
    free(reg->identities.at);
    free(reg->pods.at);
    free(reg->quotas.at);
    free(reg->writes.at);
    free(reg->scratch);
    free(reg);
}

/* ---- changing ---- */

void registry_lock(struct registry *reg)
{
    pthread_rwlock_wrlock(&reg->lock);
}

void registry_queue_write(struct registry *reg, uint32_t id, int what)
{
    struct registry_write *write =
        array_append(&reg->writes.at, reg->writes.count, &reg->writes.room);

    *write = (struct registry_write){.id = id, .what = (unsigned)what & 3};
    reg->writes.count++;
}

void registry_set_now(struct registry *reg, uint64_t now_ns)
{
    if (!reg->shared) {
        reg->now_ns = now_ns;
        return;
    }
    reg->shared->batch_ns = now_ns;
    if (reg->now_ns < now_ns)
        reg->now_ns = now_ns;
}

static void write_identity(struct registry *reg, uint32_t id)
{
    struct identity view;
    uint32_t now = ident_resolve(reg, id);

    ident_view(reg, now, &view);
    if (now != id) {
        /* The stored form of a number that was re-tagged. */
        view.id = id;
        view.rule = RULE_LEARNED;
    }
    metadata_save_identity(reg->metadata, &view);
}

static void write_synthetic(struct registry *reg, uint32_t id)
{
    const struct resource_state *state = &reg->resources.at[id];
    const char *key =
        state->kind == RESOURCE_OVERFLOW ? OVERFLOW_MARK : DERIVED_MARK;
    struct attr attr = {.key = key,
                        .key_len = (uint16_t)strlen(key),
                        .type = VALUE_INT,
                        .i = state->owner};
    struct resource resource = {.attrs = {&attr, 1, 0}, .id = id};

    metadata_save_resource(reg->metadata, id, reg->resources.identity[id],
                           hash_mix(state->owner, UINT64_C(0x64657269766564)),
                           &resource);
}

/* Instances that share tell each other of resources, not of identities. */
static void write_shared(struct registry *reg)
{
    for (uint32_t i = 0; i < reg->writes.count; i++)
        if (reg->writes.at[i].what == WRITE_RESOURCE_IDENTITY)
            shared_add_change(reg, reg->writes.at[i].id);
    reg->writes.count = 0;
}

void registry_unlock(struct registry *reg)
{
    pthread_rwlock_unlock(&reg->lock);
    stats_set(STATS_RESOURCES, reg->live.used);
    stats_set(STATS_RESOURCES_UNASSIGNED, reg->resources.unassigned);
    if (reg->shared) {
        write_shared(reg);
        return;
    }
    for (uint32_t i = 0; i < reg->writes.count; i++)
        if (reg->writes.at[i].what == WRITE_IDENTITY)
            write_identity(reg, reg->writes.at[i].id);
    for (uint32_t i = 0; i < reg->writes.count; i++) {
        uint32_t id = reg->writes.at[i].id;

        if (reg->writes.at[i].what == WRITE_RESOURCE_IDENTITY)
            metadata_save_resource_identity(reg->metadata, id,
                                            reg->resources.identity[id]);
        else if (reg->writes.at[i].what == WRITE_SYNTHETIC)
            write_synthetic(reg, id);
    }
    reg->writes.count = 0;
}

uint32_t registry_new_id(struct registry *reg)
{
    struct resource_table *table = &reg->resources;
    uint32_t id = table->first_free;
    uint8_t generation = 0;

    if (id != NONE) {
        table->first_free = table->at[id].owner;
        generation = (uint8_t)(table->at[id].generation + 1);
    } else {
        uint32_t room = table->room;

        id = table->count++;
        array_reserve(&table->at, table->count, &table->room);
        array_reserve(&table->identity, table->count, &room);
    }
    table->at[id] = (struct resource_state){.live = NONE,
                                            .owner = NONE,
                                            .seen_s = registry_now_s(reg),
                                            .generation = generation};
    table->identity[id] = NONE;
    return id;
}

void registry_free_id(struct registry *reg, uint32_t id)
{
    reg->resources.at[id].kind = RESOURCE_FREE;
    reg->resources.at[id].owner = reg->resources.first_free;
    reg->resources.first_free = id;
}

struct live_resource *live_new(struct registry *reg, uint32_t id)
{
    struct live_table *table = &reg->live;
    uint32_t place = table->first_free;

    if (place != NONE) {
        table->first_free = table->at[place].next_in_pod;
    } else {
        place = table->end++;
        array_reserve(&table->at, table->end, &table->room);
    }
    table->at[place] = (struct live_resource){
        .names = {.id = id}, .pod = NONE, .next_in_pod = NONE};
    table->used++;
    reg->resources.at[id].live = place;
    return &table->at[place];
}

void live_free(struct registry *reg, uint32_t id)
{
    struct live_table *table = &reg->live;
    uint32_t place = reg->resources.at[id].live;

    table->at[place] = (struct live_resource){
        .names = {.id = NONE}, .pod = NONE, .next_in_pod = table->first_free};
    table->first_free = place;
    table->used--;
    reg->resources.at[id].live = NONE;
}

struct attr *registry_scratch(struct registry *reg, uint32_t count)
{
    array_reserve(&reg->scratch, count, &reg->scratch_room);
    return reg->scratch;
}

/* The store is told only of a change: a new resource is saved as a whole. */
void registry_set_identity(struct registry *reg, uint32_t id, uint32_t identity,
                           uint8_t rule)
{
    struct resource_state *state = &reg->resources.at[id];
    uint32_t old = reg->resources.identity[id];

    if (state->kind <= RESOURCE_RECORD) {
        if (old != NONE)
            quota_count_resource(reg, old, state->live != NONE, -1);
        quota_count_resource(reg, identity, state->live != NONE, 1);
        reg->resources.unassigned -= state->rule == RULE_UNASSIGNED;
        reg->resources.unassigned += rule == RULE_UNASSIGNED;
    }
    reg->resources.identity[id] = identity;
    state->rule = rule;
    if (old != NONE)
        registry_queue_write(reg, id, WRITE_RESOURCE_IDENTITY);
}

/* A resource that stands for the identity, for series or for records. */
static uint32_t make_synthetic(struct registry *reg, uint32_t identity,
                               enum resource_kind kind)
{
    uint32_t id = registry_new_id(reg);
    struct resource_state *state = &reg->resources.at[id];
    uint32_t now = ident_resolve(reg, identity);

    state->kind = (uint8_t)kind;
    state->owner = identity;
    registry_set_identity(
        reg, id, now,
        kind == RESOURCE_DERIVED ? RULE_NONE : reg->identities.at[now].rule);
    registry_queue_write(reg, id, WRITE_SYNTHETIC);
    return id;
}

void registry_ensure_derived(struct registry *reg, uint32_t identity)
{
    uint32_t id = reg->identities.at[identity].derived;

    if (id == NONE) {
        id = make_synthetic(reg, identity, RESOURCE_DERIVED);
        reg->identities.at[identity].derived = id;
    }
}

uint32_t registry_derived_resource(struct registry *reg, uint32_t identity)
{
    assert(identity < reg->identities.count);

    /* A re-tagged identity keeps the derived resource it had. */
    if (reg->identities.at[identity].derived == NONE)
        identity = ident_resolve(reg, identity);

    uint32_t id = reg->identities.at[identity].derived;

    if (id != NONE) {
        reg->resources.at[id].seen_s = registry_now_s(reg);
        return id;
    }
    registry_lock(reg);
    registry_ensure_derived(reg, identity);
    registry_unlock(reg);
    return reg->identities.at[identity].derived;
}

uint32_t registry_overflow_resource(struct registry *reg, uint32_t identity)
{
    struct identity_entry *entry = &reg->identities.at[identity];

    if (entry->overflow == NONE) {
        entry->overflow = make_synthetic(reg, identity, RESOURCE_OVERFLOW);
        host_add_identity(reg, identity);
    }
    return entry->overflow;
}

uint8_t registry_resource_generation(const struct registry *reg,
                                     uint32_t resource)
{
    return resource < reg->resources.count
               ? reg->resources.at[resource].generation
               : 0;
}

uint8_t registry_identity_generation(const struct registry *reg,
                                     uint32_t identity)
{
    return identity < reg->identities.count
               ? reg->identities.at[identity].generation
               : 0;
}

struct slice registry_endpoint_label(const struct registry *reg,
                                     const struct attrs *attrs)
{
    uint32_t shortest = reg->labels.keys[LABEL_ENDPOINT].len;

    for (uint32_t i = 0; i < attrs->count; i++)
        if (attrs->at[i].key_len >= shortest &&
            labels_spell(&reg->labels, LABEL_ENDPOINT, attr_key(&attrs->at[i])))
            return attr_text(&attrs->at[i]);
    return (struct slice){NULL, 0};
}

void registry_touch(struct registry *reg, uint32_t identity, enum signal signal,
                    uint64_t time_ns)
{
    identity = ident_resolve(reg, identity);
    if (identity == NONE)
        return;

    _Atomic uint64_t *at = &reg->identities.at[identity].last_seen_ns[signal];

    if (atomic_load_explicit(at, memory_order_relaxed) < time_ns) {
        atomic_store_explicit(at, time_ns, memory_order_relaxed);
        reg->seen_changed = true;
    }
}

/* ---- queries, from any thread ---- */

uint32_t registry_identity_id(struct registry *reg, uint32_t resource)
{
    uint32_t identity = IDENTITY_NONE;

    pthread_rwlock_rdlock(&reg->lock);
    if (resource < reg->resources.count)
        identity = ident_resolve(reg, reg->resources.identity[resource]);
    pthread_rwlock_unlock(&reg->lock);
    return identity;
}

bool registry_identity(struct registry *reg, uint32_t identity,
                       struct arena *arena, struct identity *out)
{
    pthread_rwlock_rdlock(&reg->lock);
    identity = ident_resolve(reg, identity);

    bool known = identity != NONE &&
                 reg->identities.at[identity].rule != RULE_NONE &&
                 !reg->identities.at[identity].deleted;

    if (known) {
        ident_view(reg, identity, out);
        ident_copy(out, arena);
    }
    pthread_rwlock_unlock(&reg->lock);
    return known;
}

bool registry_resource_identity(struct registry *reg, uint32_t resource,
                                struct arena *arena, struct identity *out)
{
    bool known;

    pthread_rwlock_rdlock(&reg->lock);
    known = resource < reg->resources.count &&
            reg->resources.identity[resource] != NONE;

    uint32_t was = known ? reg->resources.identity[resource] : NONE;
    uint32_t now = ident_resolve(reg, was);

    known = known && !reg->identities.at[now].deleted;
    if (known) {
        ident_view(reg, now, out);
        if (now != was)
            out->rule = RULE_LEARNED;
        else if (reg->resources.at[resource].rule != RULE_NONE)
            out->rule = reg->resources.at[resource].rule;
        ident_copy(out, arena);
    }
    pthread_rwlock_unlock(&reg->lock);
    return known;
}
