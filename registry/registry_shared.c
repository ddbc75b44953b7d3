/*
 * Resources that several instances share: keys, and how a resource enters the
 * tables, whether it was sent to this instance or told by another one.
 *
 * The key is the hash that finds a resource that is sent again: of its
 * attributes, kind and sender. What was deleted keeps its key; if it is sent
 * again it gets the next one (shared_next_key()).
 *
 * There is one overflow resource for the names of an identity. A resource that
 * has no place among the live ones keeps its id and is found by its key.
 */
#include "registry_shared.h"

#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "hash.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

enum { LOG_AGAIN_S = 600 };

void shared_open(struct registry *reg, const struct resource_log *log)
{
    reg->shared = mem_zero(1, sizeof(*reg->shared));
    reg->shared->log = log;
    reg->shared->batch_ns = reg->now_ns;
}

void shared_close(struct registry *reg)
{
    struct shared *sh = reg->shared;

    if (!sh)
        return;
    key_map_release(&sh->by_key);
    key_map_release(&sh->by_pod_key);
    map_release(&sh->by_set);
    free(sh->at);
    free(sh->anchors);
    free(sh->uid_next);
    key_map_release(&sh->by_uid);
    free(sh->sets);
    free(sh->former);
    free(sh->early);
    free(sh->gone);
    free(sh->members);
    free(sh->large);
    free(sh);
}

struct shared_resource *shared_reserve(struct registry *reg, uint32_t id)
{
    struct shared *sh = reg->shared;

    array_reserve(&sh->at, id + 1, &sh->room);
    while (sh->count <= id)
        sh->at[sh->count++] = (struct shared_resource){.key = 0};
    sh->at[id] = (struct shared_resource){.own = NONE, .former = NONE};
    for (int i = 0; i < POD_KEY_COUNT; i++)
        sh->at[id].next[i] = NONE;
    return &sh->at[id];
}

uint64_t shared_next_key(uint64_t key)
{
    key = hash_mix(key, UINT64_C(0x616761696e));
    return key ? key : 1;
}

void shared_collision(struct registry *reg, uint64_t key)
{
    uint64_t *logged = &reg->shared->collision_logged_ns;

    if (*logged && reg->now_ns - *logged < LOG_AGAIN_S * NS_PER_S)
        return;
    *logged = reg->now_ns;
    log_warn("registry",
             "two resources have one key: records of the second one keep their "
             "component, but not their other resource attributes",
             log_uint("key", key));
}

/* ---- anchors ---- */

static bool is_older(const struct shared_resource *a,
                     const struct shared_resource *b)
{
    return a->first_ns != b->first_ns ? a->first_ns < b->first_ns
                                      : a->key < b->key;
}

/* The oldest one stands for the identity of its own attributes. */
static void offer_anchor(struct registry *reg, uint32_t id)
{
    struct shared *sh = reg->shared;
    uint32_t own = sh->at[id].own;

    array_reserve(&sh->anchors, own + 1, &sh->anchor_room);
    while (sh->anchor_count <= own)
        sh->anchors[sh->anchor_count++] = NONE;
    if (sh->anchors[own] == NONE ||
        is_older(&sh->at[id], &sh->at[sh->anchors[own]]))
        sh->anchors[own] = id;
}

/* ---- entering ---- */

struct own_identity {
    uint32_t identity;
    uint8_t rule;
    bool alone, missed;
};

static struct own_identity try_own(struct registry *reg,
                                   const struct resource_attributes *fields,
                                   enum resource_kind kind, bool has_pod)
{
    struct own_identity own = {.identity = NONE};

    if (attributes_stamped(fields)) {
        own.rule = attributes_rule(fields, kind);
        own.identity = ident_stamped(reg, fields, own.rule);
        return own;
    }
    own.rule =
        attributes_name_service(fields) ? RULE_INFERRED : RULE_UNASSIGNED;
    own.identity =
        ident_unstamped(reg, fields, own.rule, has_pod ? POD_GONE : NONE);
    own.alone = own.identity != NONE &&
                reg->identities.at[own.identity].pod == POD_GONE;
    return own;
}

/* With a sweep if there was no room; then unassigned in its namespace. */
static struct own_identity find_own(struct registry *reg,
                                    const struct resource_attributes *fields,
                                    enum resource_kind kind, bool has_pod)
{
    struct own_identity own = try_own(reg, fields, kind, has_pod);

    if (own.identity == NONE && registry_forget_identities(reg))
        own = try_own(reg, fields, kind, has_pod);
    if (own.identity == NONE)
        own = (struct own_identity){.identity = ident_fallback(reg, fields),
                                    .rule = RULE_UNASSIGNED,
                                    .missed = true};
    reg->identities.at[own.identity].used_s = registry_now_s(reg);
    return own;
}

static void make_live(struct registry *reg, uint32_t id,
                      const struct shared_entry *entry)
{
    struct live_resource *live = live_new(reg, id);

    live->hash = entry->base;
    live->check = entry->f.check;
    live_set_names(reg, entry->fields, entry->kind, live);
    registry_index_resource(reg, id);
}

static void set_own(struct registry *reg, uint32_t id,
                    const struct own_identity *own)
{
    struct shared_resource *s = &reg->shared->at[id];
    struct identity_entry *entry = &reg->identities.at[own->identity];
    bool changed =
        !shared_has_anchor(reg, own->identity) || reg->shared->completed;

    reg->shared->completed = false;
    s->own = own->identity;
    s->own_rule = own->rule;
    s->alone = own->alone;
    if (s->first_ns < entry->first_seen_ns)
        entry->first_seen_ns = s->first_ns;
    reg->resources.at[id].retry = own->missed;
    registry_set_identity(reg, id, own->identity, own->rule);
    s->own_names = shared_set_of(reg, entry->text);
    registry_ensure_derived(reg, own->identity);
    offer_anchor(reg, id);
    shared_note_uid(reg, own->identity, changed);
    if (own->rule <= RULE_STAMPED_RECORD && s->sender == 0)
        uid_claim(reg, own->identity, true);
}

uint32_t shared_enter(struct registry *reg, const struct shared_entry *entry)
{
    uint64_t raw[POD_KEY_COUNT];
    uint32_t id, quota = ident_quota(reg, entry->fields);
    struct own_identity own;
    struct shared_resource *s;

    if ((!quota_has_id(reg, quota) || !quota_has_slot(reg, quota)) &&
        registry_make_room(reg, quota))
        quota = ident_quota(reg, entry->fields);
    if (!quota_has_id(reg, quota))
        return NONE;
    attributes_pod_keys(entry->fields, 0, raw);
    own =
        find_own(reg, entry->fields, entry->kind,
                 raw[POD_KEY_UID] | raw[POD_KEY_NAME] | raw[POD_KEY_CONTAINER]);
    id = registry_new_id(reg);
    s = shared_reserve(reg, id);
    s->key = entry->key;
    s->first_ns = entry->first_ns;
    s->check = entry->f.check;
    s->sender = reg->sender.tenant;
    s->claim = attributes_tenant(entry->fields);
    memcpy(s->raw, raw, sizeof(raw));
    reg->resources.at[id].kind = (uint8_t)entry->kind;
    reg->resources.at[id].of_tenant = reg->sender.tenant != 0;
    resource_set_flags(entry->fields, &reg->resources.at[id]);
    reg->resources.received++;
    if (quota_has_slot(reg, reg->identities.at[own.identity].quota))
        make_live(reg, id, entry);
    set_own(reg, id, &own);
    key_map_set(&reg->shared->by_key, entry->key, id);
    if (registry_live(reg, id))
        host_add_resource(reg, id);
    if (reg->shared->early)
        shared_take_early(reg, id);
    shared_link(reg, id);
    shared_learn(reg, id);
    return id;
}

static uint64_t overflow_key(const struct registry *reg, uint32_t identity)
{
    uint64_t key = RESOURCE_OVERFLOW;

    for (unsigned i = 0; i < IDENTITY_NAMES; i++) {
        struct slice text =
            intern_text(&reg->names, reg->identities.at[identity].text[i]);

        key = hash_mix(key, hash_bytes(text.ptr, text.len, i));
    }
    return key ? key : 1;
}

uint32_t shared_enter_overflow(struct registry *reg, uint32_t identity)
{
    uint32_t id = reg->identities.at[identity].overflow, other;
    uint64_t key = overflow_key(reg, identity);
    struct own_identity own = {.identity = identity,
                               .rule = reg->identities.at[identity].rule};
    struct shared_resource *s;

    if (id != NONE)
        return id;
    other = key_map_get(&reg->shared->by_key, key);
    while (other != NONE && reg->shared->at[other].deleted) {
        key = shared_next_key(key);
        other = key_map_get(&reg->shared->by_key, key);
    }
    if (other != NONE) /* of another identity with these names */
        return reg->identities.at[identity].overflow = other;
    id = registry_overflow_resource(reg, identity);
    s = shared_reserve(reg, id);
    s->key = key;
    s->first_ns = reg->shared->batch_ns;
    set_own(reg, id, &own);
    key_map_set(&reg->shared->by_key, key, id);
    return id;
}

/* ---- what is sent to this instance ---- */

/* The key that the resource has now; *id: NONE if it is new. */
static uint64_t find_key(const struct registry *reg, uint64_t base,
                         uint32_t *id)
{
    uint64_t key = base ? base : 1;

    for (;;) {
        *id = key_map_get(&reg->shared->by_key, key);
        if (*id == NONE || !reg->shared->at[*id].deleted)
            return key;
        key = shared_next_key(key);
    }
}

/* It is known, and may have no live entry. */
static bool revive(struct registry *reg, uint32_t id,
                   const struct shared_entry *entry)
{
    struct shared_resource *s = &reg->shared->at[id];
    uint32_t quota;

    if (s->check != CHECK_UNKNOWN && s->check != entry->f.check) {
        shared_collision(reg, entry->key);
        return false;
    }
    s->check = entry->f.check;
    quota = reg->identities.at[ident_resolve(reg, reg->resources.identity[id])]
                .quota;
    if (registry_live(reg, id) && registry_live(reg, id)->hash != entry->base) {
        registry_live(reg, id)->hash = entry->base;
        registry_live(reg, id)->check = entry->f.check;
        registry_index_resource(reg, id);
    }
    if (registry_live(reg, id) || !quota_has_slot(reg, quota))
        return true;
    make_live(reg, id, entry);
    reg->quotas.at[quota].live++;
    host_add_resource(reg, id);
    return true;
}

static uint32_t overflow(struct registry *reg,
                         const struct resource_attributes *fields,
                         enum resource_kind kind)
{
    struct own_identity own = find_own(reg, fields, kind, false);

    quota_overflowed(reg, reg->identities.at[own.identity].quota);
    return shared_enter_overflow(reg, ident_resolve(reg, own.identity));
}

uint32_t shared_add(struct registry *reg, const struct resource *resource,
                    struct fingerprint f, enum resource_kind kind)
{
    struct resource_attributes fields;
    struct shared_entry entry = {.fields = &fields,
                                 .f = f,
                                 .kind = kind,
                                 .first_ns = reg->shared->batch_ns};
    uint32_t id;

    entry.base = fingerprint_key(f, kind, reg->sender.key);
    entry.key = find_key(reg, entry.base, &id);
    resource_attributes_of(&fields, &reg->labels, &resource->attrs, kind);
    (void)sender_complete(reg, &fields); /* it was accepted */
    registry_lock(reg);
    if (id == NONE)
        id = shared_enter(reg, &entry);
    else if (!revive(reg, id, &entry))
        id = NONE;
    if (id == NONE)
        id = overflow(reg, &fields, kind);
    registry_unlock(reg);
    return id;
}

void shared_retry(struct registry *reg, const struct resource *resource,
                  uint32_t id)
{
    struct shared_resource *s = &reg->shared->at[id];
    enum resource_kind kind = (enum resource_kind)reg->resources.at[id].kind;
    struct resource_attributes fields;
    struct own_identity own;

    if (kind > RESOURCE_RECORD)
        return;
    resource_attributes_of(&fields, &reg->labels, &resource->attrs, kind);
    (void)sender_complete(reg, &fields);
    registry_lock(reg);
    own = find_own(reg, &fields, kind,
                   s->raw[POD_KEY_UID] | s->raw[POD_KEY_NAME] |
                       s->raw[POD_KEY_CONTAINER]);
    if (!own.missed) {
        shared_note_set(reg, id, s->own_names);
        set_own(reg, id, &own);
        stats_add(STATS_RETAGGED, 1);
        shared_learn(reg, id);
    }
    registry_unlock(reg);
}

/* ---- eviction and forgetting ---- */

void shared_forget(struct registry *reg, uint32_t id)
{
    if (id < reg->shared->count)
        reg->shared->at[id].key = 0;
}

void shared_rebuild(struct registry *reg)
{
    struct shared *sh = reg->shared;

    shared_compact_sets(reg);
    shared_rebuild_uids(reg);
    key_map_release(&sh->by_key);
    key_map_release(&sh->by_pod_key);
    for (uint32_t i = 0; i < sh->anchor_count; i++)
        sh->anchors[i] = NONE;
    for (uint32_t id = 0; id < sh->count; id++) {
        if (!sh->at[id].key)
            continue;
        key_map_set(&sh->by_key, sh->at[id].key, id);
        if (sh->at[id].deleted)
            continue;
        for (int i = 0; i < POD_KEY_COUNT; i++)
            sh->at[id].next[i] = NONE;
        shared_link(reg, id);
        offer_anchor(reg, id);
    }
}

uint64_t registry_first_seen(const struct registry *reg, uint32_t resource)
{
    const struct shared_resource *shared = shared_of(reg, resource);

    return shared ? shared->first_ns : 0;
}
