/*
 * What outlives a restart.
 *
 * Identities and resources come from the store row by row; what each resource
 * says about pods and hosts is read from its attributes again. When all are
 * there, numbers that stand for others are resolved, identities become
 * findable, and pods point their resources at what they learned: a crash may
 * have come between the two.
 *
 * Times last seen are one text of the store, written at most once a minute:
 *
 *   1 byte   version, 1
 *   then for each identity that was seen, all as LEB128:
 *     number; first seen, last seen by spans, logs, metrics, in milliseconds,
 *     0 for never
 */
#include <stdlib.h>

#include "buf.h"
#include "clock.h"
#include "mem.h"
#include "registry_int.h"

#define SEEN_TEXT "registry.seen"

enum { SEEN_VERSION = 1, MAX_NUMBER = 1 << 24, SEEN_MAX_BYTES = 64 << 20 };

static void load_identity(void *arg, const struct identity *identity)
{
    struct registry *registry = arg;

    if (identity->id >= MAX_NUMBER)
        return;

    struct identity_entry *ident = ident_reserve(registry, identity->id);
    const struct slice name[IDENT_NAMES] = {
        identity->namespace, identity->project, identity->component,
        identity->environment};
    const struct slice uid[IDENT_UIDS] = {identity->project_uid,
                                          identity->component_uid,
                                          identity->environment_uid};

    for (unsigned i = 0; i < IDENT_NAMES; i++) {
        uint32_t id = intern_add(&registry->names, name[i]);

        ident->name[i] = id == INTERN_FULL ? 0 : id;
    }
    for (unsigned i = 0; i < IDENT_UIDS; i++) {
        uint32_t id = intern_add(&registry->names, uid[i]);

        ident->uid[i] = id == INTERN_FULL ? 0 : id;
    }
    ident->rule = identity->rule;
    ident->used_s = registry_now_s(registry);
    ident->first_seen_ns = registry->now_ns;
    if (ident->rule == RULE_NONE) /* forgotten */
        return;
    ident->space = quota_of(registry, ident->name[IDENT_NAMESPACE]);
    registry->spaces[ident->space].identities++;
}

/* Numbers up to id exist afterwards, not used. */
static void reserve_resource(struct registry *registry, uint32_t id)
{
    while (registry->res_count <= id) {
        uint32_t next = registry_new_id(registry);

        registry->res[next].kind = RESOURCE_FREE;
    }
}

/* The hash tells; where attributes were too large to keep, it cannot. */
static enum resource_kind kind_of(struct fingerprint *f, uint64_t hash,
                                  const struct attrs *attrs)
{
    struct slice first =
        attrs->count > 0 ? attr_key(attrs->at) : (struct slice){NULL, 0};

    if (fingerprint_key(*f, RESOURCE_PLAIN) == hash)
        return RESOURCE_PLAIN;
    if (fingerprint_key(*f, RESOURCE_RECORD) == hash)
        return RESOURCE_RECORD;
    if (attrs->count == 1 && slice_equal(first, SLICE(DERIVED_MARK)))
        return RESOURCE_DERIVED;
    if (slice_equal(first, SLICE(OVERFLOW_MARK)))
        return RESOURCE_OVERFLOW;
    f->check = CHECK_UNKNOWN;
    return slice_equal(first, SLICE(RECORD_MARK)) ? RESOURCE_RECORD
                                                  : RESOURCE_PLAIN;
}

static int64_t attr_int(const struct attr *a)
{
    return a->type == VALUE_INT ? a->i : -1;
}

/* By what it says itself; LEARNED shows in its identity. */
static uint8_t rule_of(const struct registry *registry,
                       const struct resource_attributes *facts,
                       uint32_t identity, enum resource_kind kind)
{
    uint8_t rule = registry->ident[identity].rule;

    if (attributes_stamped(facts) && rule <= RULE_STAMPED_RECORD)
        return attributes_rule(facts, kind);
    if (attributes_name_service(facts) && rule != RULE_UNASSIGNED)
        return rule == RULE_INFERRED ? RULE_INFERRED : RULE_LEARNED;
    return rule == RULE_UNASSIGNED ? RULE_UNASSIGNED : RULE_LEARNED;
}

static bool is_workflow(const struct resource_attributes *facts)
{
    return slice_starts(facts->label[LABEL_POD_NAMESPACE],
                        SLICE(WORKFLOW_PREFIX));
}

/* The pod that an overflow resource waits for. */
static void load_overflow(struct registry *registry, uint32_t id,
                          uint32_t identity, const struct attrs *attrs)
{
    struct resource_state *res = &registry->res[id];
    struct identity_entry *ident = &registry->ident[identity];
    uint64_t keys[POD_KEY_COUNT], tenant;
    struct resource_attributes facts;

    res->rule = res->owner == identity ? ident->rule : RULE_LEARNED;
    if (ident->rule < RULE_INFERRED || res->owner != identity)
        return;
    resource_attributes_of(&facts, &registry->labels, attrs, RESOURCE_PLAIN);
    attributes_pod_keys(&facts, keys);
    tenant = attributes_tenant(&facts);
    ident->says_space = tenant != 0;
    ident->pod = pod_of_keys(registry, keys, tenant, false);
}

static void load_made_up(struct registry *registry, uint32_t id,
                         uint32_t identity, const struct attrs *attrs)
{
    int64_t owner = attr_int(&attrs->at[0]);

    if (owner >= 0 && owner < (int64_t)registry->ident_count)
        registry->res[id].owner = (uint32_t)owner;
    if (registry->res[id].kind == RESOURCE_OVERFLOW)
        load_overflow(registry, id, identity, attrs);
}

/* What it says tells of an identity that did not fit then. */
static bool missed(const struct resource_attributes *facts, uint8_t rule)
{
    return rule == RULE_UNASSIGNED &&
           (attributes_stamped(facts) || attributes_name_service(facts));
}

/* The newest come first, so what finds no place, or its place taken by a newer
 * one that is equal, was evicted. */
static void load_received(struct registry *registry, uint32_t id,
                          const struct fingerprint *f, uint64_t hash,
                          const struct resource *resource)
{
    struct resource_state *res = &registry->res[id];
    uint32_t identity = registry->identity_of[id];
    struct resource_attributes facts;
    struct live_resource live = {.hash = hash}, *to = &live;

    resource_attributes_of(&facts, &registry->labels, &resource->attrs,
                           res->kind);
    res->rule = rule_of(registry, &facts, identity, res->kind);
    attributes_set_flags(&facts, res);
    res->retry = missed(&facts, res->rule);
    registry->received++;
    if (quota_has_slot(registry, registry->ident[identity].space) &&
        registry_find_resource(registry, *f, res->kind) == NONE) {
        to = live_new(registry, id);
        to->hash = hash;
        to->check = f->check;
        attributes_pod_keys(&facts, to->keys);
        registry_index_resource(registry, id);
    }
    if (to != &live || is_workflow(&facts))
        attributes_store(registry, &facts, res->kind, to);
    if (to == &live)
        registry_retain_workflow(registry, id, to);
    quota_count_resource(registry, identity, to != &live, 1);
}

static void load_resource(void *arg, uint32_t id, uint32_t identity,
                          uint64_t hash, const struct resource *resource)
{
    struct registry *registry = arg;
    struct resource_attributes none = {0};

    if (id >= MAX_NUMBER)
        return;
    reserve_resource(registry, id);
    if (identity == IDENTITY_NONE && resource->attrs.count > 0)
        return; /* forgotten */
    if (identity >= registry->ident_count ||
        registry->ident[identity].rule == RULE_NONE)
        identity = ident_fallback(registry, &none);

    struct fingerprint f = attrs_fingerprint(&resource->attrs);
    enum resource_kind kind = kind_of(&f, hash, &resource->attrs);

    registry->res[id].kind = (uint8_t)kind;
    registry->identity_of[id] = identity;
    if (kind == RESOURCE_DERIVED || kind == RESOURCE_OVERFLOW)
        load_made_up(registry, id, identity, &resource->attrs);
    else
        load_received(registry, id, &f, hash, resource);
}

/* ---- when all are there ---- */

static void collect_free(struct registry *registry)
{
    for (uint32_t id = 0; id < registry->res_count; id++)
        if (registry->res[id].kind == RESOURCE_FREE)
            registry_free_id(registry, id);
}

/* An INFERRED or UNASSIGNED identity whose live resources all are in one pod is
 * that pod's own. */
static void find_owner(struct registry *registry,
                       const struct live_resource *live)
{
    struct identity_entry *ident =
        &registry->ident[registry->identity_of[live->id]];

    if (ident->rule < RULE_INFERRED)
        return;
    ident->pod = pod_resolve(registry, ident->pod);
    if (live->pod == NONE || (ident->pod != NONE && ident->pod != live->pod))
        ident->pod = POD_SHARED;
    else
        ident->pod = live->pod;
    ident->says_space = registry->res[live->id].says_space;
}

static bool is_stamped(const struct resource_state *res)
{
    return res->rule == RULE_STAMPED || res->rule == RULE_STAMPED_RECORD;
}

/* By id, which is nearly always the order in which they came first. */
static void place_one(struct registry *registry, uint32_t id)
{
    struct live_resource *live = registry_live(registry, id);
    const struct resource_state *res = &registry->res[id];
    uint32_t identity = registry->identity_of[id];
    uint64_t tenant = res->says_space ? ident_tenant(registry, identity) : 0;
    uint32_t pod = pod_of_keys(registry, live->keys, tenant, false);

    if (pod == NONE)
        return;
    pod_attach(registry, pod, id);
    /* Whose it was shows in what it has taught, else in who came first. */
    if (registry->pods[pod].tenant == 0 &&
        (is_stamped(res) || res->rule == RULE_LEARNED))
        registry->pods[pod].tenant = ident_tenant(registry, identity);
}

/* Those that have learned first: they tell whose their pods are. */
static void place_resources(struct registry *registry)
{
    for (int learned = 1; learned >= 0; learned--)
        for (uint32_t id = 0; id < registry->res_count; id++)
            if (registry->res[id].live != NONE &&
                (registry->res[id].rule == RULE_LEARNED) == learned)
                place_one(registry, id);
    for (uint32_t id = 0; id < registry->res_count; id++) {
        struct resource_state *res = &registry->res[id];

        if (res->kind <= RESOURCE_RECORD)
            registry->unassigned += res->rule == RULE_UNASSIGNED;
        if (res->kind <= RESOURCE_RECORD && res->live == NONE) {
            /* Of which pod it was is not known any more. */
            if (registry->ident[registry->identity_of[id]].rule >=
                RULE_INFERRED)
                registry->ident[registry->identity_of[id]].pod = POD_SHARED;
        } else if (res->live != NONE) {
            struct live_resource *live = registry_live(registry, id);

            live->pod = pod_resolve(registry, live->pod);
            find_owner(registry, live);
        } else if (res->kind == RESOURCE_DERIVED && res->owner != NONE) {
            registry->ident[res->owner].derived = id;
        } else if (res->kind == RESOURCE_OVERFLOW && res->owner != NONE) {
            registry->ident[res->owner].overflow = id;
        }
    }
}

static void index_identities(struct registry *registry)
{
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        struct identity_entry *ident = &registry->ident[i];

        ident->pod = pod_resolve(registry, ident->pod);
        if (ident->pod < POD_SHARED) {
            registry->provisional++;
            pod_own(registry, ident->pod, i);
        }
        if (ident->rule != RULE_NONE && ident->rule != RULE_LEARNED)
            ident_index(registry, i);
    }
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        struct identity_entry *ident = &registry->ident[i];

        if (ident->rule != RULE_LEARNED)
            continue;
        ident->moved_to = ident_find(registry, ident->name, ident->uid);
        if (ident->moved_to == NONE)
            ident->rule = RULE_INFERRED;
    }
}

/* When it is known which identities were moved. */
static void recount(struct registry *registry)
{
    registry->ident_free = NONE;
    registry->ident_used = 0;
    for (uint32_t i = 0; i < registry->space_count; i++) {
        struct namespace_quota *space = &registry->spaces[i];

        space->live = space->ids = space->identities = 0;
    }
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        struct identity_entry *ident = &registry->ident[i];

        ident->resources = 0;
        if (ident->rule == RULE_NONE) {
            ident->next_in_pod = registry->ident_free;
            registry->ident_free = i;
            continue;
        }
        registry->ident_used++;
        if (ident->moved_to == NONE)
            registry->spaces[ident->space].identities++;
    }
    for (uint32_t id = 0; id < registry->res_count; id++)
        if (registry->res[id].kind <= RESOURCE_RECORD)
            quota_count_resource(registry, registry->identity_of[id],
                                 registry->res[id].live != NONE, 1);
}

/* What taught them may have been evicted: what they have learned tells. */
static void teach_again(struct registry *registry)
{
    for (uint32_t id = 0; id < registry->res_count; id++) {
        const struct resource_state *res = &registry->res[id];
        uint32_t identity = ident_resolve(registry, registry->identity_of[id]);
        uint32_t pod =
            res->live == NONE ? NONE : registry_live(registry, id)->pod;

        if (pod != NONE && res->rule == RULE_LEARNED &&
            registry->pods[pod].identity == NONE &&
            registry->ident[identity].rule <= RULE_STAMPED_RECORD)
            pod_learn(registry, pod, identity, RULE_STAMPED_RECORD);
    }
}

static void teach_pods(struct registry *registry)
{
    for (uint32_t id = 0; id < registry->res_count; id++) {
        const struct resource_state *res = &registry->res[id];

        if (res->live != NONE && is_stamped(res) &&
            registry_live(registry, id)->pod != NONE)
            pod_learn(registry, registry_live(registry, id)->pod,
                      registry->identity_of[id], res->rule);
    }
    for (uint32_t id = 0; id < registry->res_count; id++)
        if (registry->res[id].live != NONE)
            host_add_resource(registry, id);
        else if (registry->res[id].kind == RESOURCE_OVERFLOW)
            host_add_identity(
                registry, ident_resolve(registry, registry->identity_of[id]));
}

/* ---- times last seen ---- */

void registry_save_seen(struct registry *registry)
{
    struct buf buf;

    buf_init(&buf, SEEN_MAX_BYTES);
    buf_byte(&buf, SEEN_VERSION);
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        const struct identity_entry *ident = &registry->ident[i];
        uint64_t last[SIGNAL_COUNT], any = 0;

        for (unsigned s = 0; s < SIGNAL_COUNT; s++)
            any |= last[s] = ident->last_seen_ns[s];
        if (any == 0 || ident->moved_to != NONE)
            continue;
        buf_varint(&buf, i);
        buf_varint(&buf, ident->first_seen_ns / NS_PER_MS);
        for (unsigned s = 0; s < SIGNAL_COUNT; s++)
            buf_varint(&buf, last[s] / NS_PER_MS);
    }
    if (buf.status == OK)
        store_save_text(registry->store, SEEN_TEXT, buf_slice(&buf));
    buf_release(&buf);
    registry->seen_changed = false;
    registry->seen_saved_ns = registry->now_ns;
}

/* 0 at the end of the text. */
static uint64_t take_varint(struct slice *text)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && text->len > 0; shift += 7) {
        unsigned char byte = (unsigned char)text->ptr[0];

        *text = slice_from(*text, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

static void read_seen(struct registry *registry, struct slice text)
{
    if (text.len == 0 || text.ptr[0] != SEEN_VERSION)
        return;
    text = slice_from(text, 1);
    while (text.len > 0) {
        uint64_t identity = take_varint(&text);
        uint64_t first = take_varint(&text), last[SIGNAL_COUNT];

        for (unsigned s = 0; s < SIGNAL_COUNT; s++)
            last[s] = take_varint(&text);
        if (identity >= registry->ident_count)
            continue;

        struct identity_entry *ident =
            &registry->ident[ident_resolve(registry, (uint32_t)identity)];

        if (first > 0)
            ident->first_seen_ns = first * NS_PER_MS;
        for (unsigned s = 0; s < SIGNAL_COUNT; s++)
            ident->last_seen_ns[s] = last[s] * NS_PER_MS;
    }
}

enum status registry_load(struct registry *registry)
{
    struct arena arena;
    struct slice seen = {NULL, 0};
    uint32_t cap = registry->names.max_bytes;

    arena_init(&arena, NULL, SEEN_MAX_BYTES);

    /* What is known keeps its names, though there be less room for new ones
     * than there was. */
    registry->names.max_bytes = UINT32_MAX / 2;
    enum status status =
        store_load(registry->store, load_identity, load_resource, registry);
    registry->names.max_bytes = cap;

    if (status == OK)
        status = store_load_text(registry->store, SEEN_TEXT, &arena, &seen);
    if (status == OK) {
        registry_lock(registry);
        collect_free(registry);
        place_resources(registry);
        index_identities(registry);
        recount(registry);
        teach_pods(registry);
        teach_again(registry);
        read_seen(registry, seen);
        registry->seen_saved_ns = registry->now_ns;
        registry_unlock(registry);
    }
    arena_release(&arena);
    return status;
}
