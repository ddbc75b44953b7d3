/*
 * What outlives a restart.
 *
 * Identities and resources come from the store row by row; what a resource says
 * about pods and hosts is read from its attributes again. Who sent it is not
 * stored either: the hash of a tenant's resource has the tenant in it, which is
 * the namespace of its identity. When all rows are
 * there, re-tagged numbers are resolved, identities are indexed, and pods point
 * their resources at what they learned: a crash may have come between the two.
 *
 * Last-seen times are one text of the store, written at most once a minute:
 *
 *   1 byte   version, 1
 *   then for each identity that was seen, all as LEB128:
 *     number; first seen, last seen by spans, logs, metrics, in milliseconds,
 *     0 for never
 */
#include <stdlib.h>

#include "buf.h"
#include "byte_reader.h"
#include "clock.h"
#include "registry_shared.h"

#define SEEN_TEXT "registry.seen"

enum { SEEN_VERSION = 1, MAX_NUMBER = 1 << 24, SEEN_MAX_BYTES = 64 << 20 };

static void load_identity(void *arg, const struct identity *identity)
{
    struct registry *reg = arg;

    if (identity->id >= MAX_NUMBER)
        return;

    struct identity_entry *entry = ident_reserve(reg, identity->id);

    for (unsigned i = 0; i < IDENTITY_TEXTS; i++) {
        uint32_t name = intern_add(&reg->names, identity->text[i]);

        entry->text[i] = name == INTERN_FULL ? 0 : name;
    }
    entry->rule = identity->rule;
    entry->used_s = registry_now_s(reg);
    entry->first_seen_ns = reg->now_ns;
    if (entry->rule == RULE_NONE) /* forgotten */
        return;
    entry->deleted = ident_is_deleted(reg, entry->text);
    entry->quota = quota_of(reg, entry->text[IDENTITY_NAMESPACE]);
    reg->quotas.at[entry->quota].identities++;
}

/* The stored hash tells kind and sender; where attributes were too large to
 * store, or the sender gave more than the namespace, it cannot. Then the first
 * attribute tells the kind, and the sender is taken for a tenant, who may teach
 * less than a collector. */
static enum resource_kind kind_of(struct fingerprint *f, uint64_t hash,
                                  const struct attrs *attrs, uint64_t tenant,
                                  bool *of_tenant)
{
    struct slice first =
        attrs->count > 0 ? attr_key(attrs->at) : (struct slice){NULL, 0};

    *of_tenant = false;
    for (unsigned kind = RESOURCE_PLAIN; kind <= RESOURCE_RECORD; kind++) {
        if (fingerprint_key(*f, (enum resource_kind)kind, 0) == hash)
            return (enum resource_kind)kind;
        *of_tenant =
            fingerprint_key(*f, (enum resource_kind)kind, tenant) == hash;
        if (*of_tenant)
            return (enum resource_kind)kind;
    }
    if (attrs->count == 1 && slice_equal(first, SLICE(DERIVED_MARK)))
        return RESOURCE_DERIVED;
    *of_tenant = hash != 0;
    if (slice_equal(first, SLICE(OVERFLOW_MARK)))
        return RESOURCE_OVERFLOW;
    f->check = CHECK_UNKNOWN;
    return slice_equal(first, SLICE(RECORD_MARK)) ? RESOURCE_RECORD
                                                  : RESOURCE_PLAIN;
}

/* The rule is not stored: the attributes and the rule of the identity tell. */
static uint8_t rule_of(const struct resource_attributes *fields,
                       enum resource_kind kind, uint8_t rule)
{
    if (attributes_stamped(fields) && rule <= RULE_STAMPED_RECORD)
        return attributes_rule(fields, kind);
    if (rule == RULE_UNASSIGNED)
        return RULE_UNASSIGNED;
    return attributes_name_service(fields) && rule == RULE_INFERRED
               ? RULE_INFERRED
               : RULE_LEARNED;
}

static void load_synthetic(struct registry *reg, uint32_t id, uint32_t identity,
                           const struct attrs *attrs)
{
    struct resource_state *state = &reg->resources.at[id];
    struct identity_entry *entry = &reg->identities.at[identity];
    struct resource_attributes fields;
    uint64_t keys[POD_KEY_COUNT], tenant;

    if (attrs->at[0].type == VALUE_INT && attrs->at[0].i >= 0 &&
        attrs->at[0].i < (int64_t)reg->identities.count)
        state->owner = (uint32_t)attrs->at[0].i;
    if (state->kind == RESOURCE_DERIVED)
        return;
    state->rule = state->owner == identity ? entry->rule : RULE_LEARNED;
    if (entry->rule < RULE_INFERRED || state->owner != identity)
        return;
    /* It says which pod the identity belongs to. */
    resource_attributes_of(&fields, &reg->labels, attrs, RESOURCE_PLAIN);
    tenant = resource_tenant(reg, id);
    attributes_pod_keys(&fields, tenant, keys);
    if (!tenant)
        tenant = attributes_tenant(&fields);
    entry->names_namespace = tenant != 0;
    entry->pod = pod_of_keys(reg, keys, tenant, false);
}

/* The newest come first. One without room, or whose live entry is taken by a
 * newer equal one, was evicted. */
static void load_received(struct registry *reg, uint32_t id,
                          struct fingerprint f, uint64_t hash,
                          const struct attrs *attrs)
{
    struct resource_state *state = &reg->resources.at[id];
    uint32_t identity = reg->resources.identity[id];
    const struct identity_entry *entry = &reg->identities.at[identity];
    struct live_resource evicted = {.names = {.id = id}}, *live = &evicted;
    struct resource_attributes fields;

    resource_attributes_of(&fields, &reg->labels, attrs, state->kind);
    state->rule = rule_of(&fields, state->kind, entry->rule);
    resource_set_flags(&fields, state);
    state->names_namespace |= state->of_tenant;
    state->retry =
        state->rule == RULE_UNASSIGNED &&
        (attributes_stamped(&fields) || attributes_name_service(&fields));
    reg->resources.received++;
    if (!entry->deleted && quota_has_slot(reg, entry->quota) &&
        registry_find_resource(reg, hash, f.check) == NONE) {
        live = live_new(reg, id);
        live->hash = hash;
        live->check = f.check;
        attributes_pod_keys(&fields, resource_tenant(reg, id), live->keys);
        registry_index_resource(reg, id);
    }
    if (live != &evicted ||
        slice_starts(fields.label[LABEL_POD_NAMESPACE], SLICE(WORKFLOW_PREFIX)))
        live_set_names(reg, &fields, state->kind, live);
    if (live == &evicted && !entry->deleted)
        registry_retain_workflow(reg, &live->names);
    quota_count_resource(reg, identity, live != &evicted, 1);
}

static void load_resource(void *arg, uint32_t id, uint32_t identity,
                          uint64_t hash, const struct resource *resource)
{
    struct registry *reg = arg;
    const struct resource_attributes none = {.borrowed = false};

    if (id >= MAX_NUMBER)
        return;
    while (reg->resources.count <= id) {
        uint32_t next = registry_new_id(reg);

        reg->resources.at[next].kind = RESOURCE_FREE;
    }
    if (identity == IDENTITY_NONE && resource->attrs.count > 0)
        return; /* forgotten */
    if (identity >= reg->identities.count ||
        reg->identities.at[identity].rule == RULE_NONE)
        identity = ident_fallback(reg, &none);

    struct fingerprint f = attrs_fingerprint(&resource->attrs);
    bool of_tenant;
    enum resource_kind kind = kind_of(&f, hash, &resource->attrs,
                                      ident_tenant(reg, identity), &of_tenant);

    reg->resources.at[id].kind = (uint8_t)kind;
    reg->resources.at[id].of_tenant = of_tenant;
    reg->resources.identity[id] = identity;
    if (kind <= RESOURCE_RECORD)
        load_received(reg, id, f, hash, &resource->attrs);
    else
        load_synthetic(reg, id, identity, &resource->attrs);
}

/* ---- when all rows are there ---- */

static bool is_stamped(const struct resource_state *state)
{
    return state->rule == RULE_STAMPED || state->rule == RULE_STAMPED_RECORD;
}

static void attach_to_pod(struct registry *reg, uint32_t id)
{
    struct live_resource *live = registry_live(reg, id);
    const struct resource_state *state = &reg->resources.at[id];
    uint32_t identity = reg->resources.identity[id];
    uint64_t tenant = state->names_namespace ? ident_tenant(reg, identity) : 0;
    uint32_t pod = pod_of_keys(reg, live->keys, tenant, false);

    if (pod == NONE)
        return;
    pod_attach(reg, pod, id);
    /* The pod's tenant is that of what it taught, else that of the first. */
    if (reg->pods.at[pod].tenant == 0 &&
        (is_stamped(state) || state->rule == RULE_LEARNED))
        reg->pods.at[pod].tenant = ident_tenant(reg, identity);
}

/* By id, which is nearly always the order of arrival; those that have learned
 * first, because they tell the tenant of their pods. */
static void attach_to_pods(struct registry *reg)
{
    for (int learned = 1; learned >= 0; learned--)
        for (uint32_t id = 0; id < reg->resources.count; id++)
            if (reg->resources.at[id].live != NONE &&
                (reg->resources.at[id].rule == RULE_LEARNED) == learned)
                attach_to_pod(reg, id);
}

/* An INFERRED or UNASSIGNED identity belongs to a pod if all its resources are
 * live and in that pod. */
static void find_pod_of_identity(struct registry *reg, uint32_t id)
{
    struct identity_entry *entry =
        &reg->identities.at[reg->resources.identity[id]];
    struct live_resource *live = registry_live(reg, id);
    uint32_t pod = live ? pod_resolve(reg, live->pod) : NONE;

    if (live)
        live->pod = pod;
    if (entry->rule < RULE_INFERRED)
        return;
    entry->pod = pod_resolve(reg, entry->pod);
    if (pod == NONE || (entry->pod != NONE && entry->pod != pod))
        entry->pod = POD_SHARED;
    else
        entry->pod = pod;
    if (live)
        entry->names_namespace = reg->resources.at[id].names_namespace;
}

static void link_resources(struct registry *reg)
{
    for (uint32_t id = 0; id < reg->resources.count; id++) {
        const struct resource_state *state = &reg->resources.at[id];

        if (state->kind == RESOURCE_FREE) {
            registry_free_id(reg, id);
        } else if (state->kind <= RESOURCE_RECORD) {
            reg->resources.unassigned += state->rule == RULE_UNASSIGNED;
            find_pod_of_identity(reg, id);
        } else if (state->owner != NONE) {
            struct identity_entry *owner = &reg->identities.at[state->owner];

            if (state->kind == RESOURCE_DERIVED)
                owner->derived = id;
            else
                owner->overflow = id;
        }
    }
}

static void index_identities(struct registry *reg)
{
    struct identity_table *table = &reg->identities;

    for (uint32_t i = 0; i < table->count; i++) {
        struct identity_entry *entry = &table->at[i];

        entry->pod = pod_resolve(reg, entry->pod);
        if (entry->pod < POD_SHARED) {
            table->provisional++;
            pod_own(reg, entry->pod, i);
        }
        if (entry->rule != RULE_NONE && entry->rule != RULE_LEARNED)
            ident_index(reg, i);
    }
    for (uint32_t i = 0; i < table->count; i++) {
        struct identity_entry *entry = &table->at[i];

        if (entry->rule != RULE_LEARNED)
            continue;
        entry->moved_to = ident_find(reg, entry->text);
        if (entry->moved_to == NONE)
            entry->rule = RULE_INFERRED;
    }
}

/* Once it is known which identities were re-tagged. */
static void count_again(struct registry *reg)
{
    struct identity_table *table = &reg->identities;

    table->used = 0;
    for (uint32_t i = 0; i < reg->quotas.count; i++)
        reg->quotas.at[i] =
            (struct namespace_quota){.name = reg->quotas.at[i].name};
    for (uint32_t i = 0; i < table->count; i++) {
        struct identity_entry *entry = &table->at[i];

        entry->resources = 0;
        if (entry->rule == RULE_NONE) {
            entry->next_in_pod = table->first_free;
            table->first_free = i;
            continue;
        }
        table->used++;
        if (entry->moved_to == NONE)
            reg->quotas.at[entry->quota].identities++;
    }
    for (uint32_t id = 0; id < reg->resources.count; id++)
        if (reg->resources.at[id].kind <= RESOURCE_RECORD)
            quota_count_resource(reg, reg->resources.identity[id],
                                 reg->resources.at[id].live != NONE, 1);
}

/* Stamped resources teach their pods. The resource that taught a pod may be
 * evicted: then those that learned from it tell. */
static void teach_pods(struct registry *reg)
{
    for (int learned = 0; learned <= 1; learned++)
        for (uint32_t id = 0; id < reg->resources.count; id++) {
            const struct resource_state *state = &reg->resources.at[id];
            uint32_t identity = reg->resources.identity[id];
            uint32_t pod =
                state->live == NONE ? NONE : registry_live(reg, id)->pod;

            if (pod == NONE)
                continue;
            if (!learned && is_stamped(state) && state->of_tenant)
                pod_learn(reg, pod, identity, state->rule);
            else if (!learned && is_stamped(state))
                pod_learn_from_collector(reg, pod, registry_live(reg, id)->keys,
                                         identity, state->rule);
            identity = ident_resolve(reg, identity);
            if (learned && state->rule == RULE_LEARNED &&
                reg->pods.at[pod].identity == NONE &&
                reg->identities.at[identity].rule <= RULE_STAMPED_RECORD)
                pod_learn(reg, pod, identity, RULE_STAMPED_RECORD);
        }
}

static void index_hosts(struct registry *reg)
{
    for (uint32_t id = 0; id < reg->resources.count; id++)
        if (reg->resources.at[id].live != NONE) {
            host_add_resource(reg, id);
            resource_claim_uids(reg, id);
        } else if (reg->resources.at[id].kind == RESOURCE_OVERFLOW)
            host_add_identity(reg,
                              ident_resolve(reg, reg->resources.identity[id]));
}

/* ---- last-seen times ---- */

void registry_save_seen(struct registry *reg)
{
    struct buf buf;

    if (reg->shared) {
        shared_save_seen(reg);
        return;
    }
    buf_init(&buf, SEEN_MAX_BYTES);
    buf_byte(&buf, SEEN_VERSION);
    for (uint32_t i = 0; i < reg->identities.count; i++) {
        const struct identity_entry *entry = &reg->identities.at[i];
        uint64_t last[SIGNAL_COUNT], any = 0;

        for (unsigned s = 0; s < SIGNAL_COUNT; s++)
            any |= last[s] = entry->last_seen_ns[s];
        if (any == 0 || entry->moved_to != NONE)
            continue;
        buf_varint(&buf, i);
        buf_varint(&buf, entry->first_seen_ns / NS_PER_MS);
        for (unsigned s = 0; s < SIGNAL_COUNT; s++)
            buf_varint(&buf, last[s] / NS_PER_MS);
    }
    if (buf.status == OK)
        metadata_save_value(reg->metadata, SEEN_TEXT, buf_slice(&buf));
    buf_release(&buf);
    reg->seen_changed = false;
    reg->seen_saved_ns = reg->now_ns;
}

static void read_seen(struct registry *reg, struct slice text)
{
    struct byte_reader in = byte_reader_over(text);

    if (byte_reader_u8(&in) != SEEN_VERSION)
        return;
    while (byte_reader_left(&in) > 0) {
        uint64_t identity = byte_reader_varint(&in),
                 first = byte_reader_varint(&in);
        uint64_t last[SIGNAL_COUNT];

        for (unsigned s = 0; s < SIGNAL_COUNT; s++)
            last[s] = byte_reader_varint(&in);
        if (in.bad || identity >= reg->identities.count)
            continue;

        struct identity_entry *entry =
            &reg->identities.at[ident_resolve(reg, (uint32_t)identity)];

        if (first > 0)
            entry->first_seen_ns = first * NS_PER_MS;
        for (unsigned s = 0; s < SIGNAL_COUNT; s++)
            entry->last_seen_ns[s] = last[s] * NS_PER_MS;
    }
}

enum status registry_load(struct registry *reg)
{
    struct arena arena;
    struct slice seen = {NULL, 0};
    uint32_t cap = reg->names.max_bytes;

    arena_init(&arena, NULL, SEEN_MAX_BYTES);

    /* Stored names stay, even if the bound has become smaller. */
    reg->names.max_bytes = UINT32_MAX / 2;
    enum status status =
        metadata_load(reg->metadata, load_identity, load_resource, reg);
    reg->names.max_bytes = cap;

    if (status == OK)
        status = metadata_load_value(reg->metadata, SEEN_TEXT, &arena, &seen);
    if (status == OK) {
        registry_lock(reg);
        attach_to_pods(reg);
        link_resources(reg);
        index_identities(reg);
        count_again(reg);
        teach_pods(reg);
        index_hosts(reg);
        read_seen(reg, seen);
        reg->seen_saved_ns = reg->now_ns;
        registry_unlock(reg);
    }
    arena_release(&arena);
    return status;
}
