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

    struct ident *ident = ident_reserve(registry, identity->id);
    const struct slice name[IDENT_NAMES] = {
        identity->namespace, identity->project, identity->component,
        identity->environment};
    const struct slice uid[IDENT_UIDS] = {identity->project_uid,
                                          identity->component_uid,
                                          identity->environment_uid};

    for (unsigned i = 0; i < IDENT_NAMES; i++) {
        uint32_t id = names_add(&registry->names, name[i]);

        ident->name[i] = id == NAMES_FULL ? 0 : id;
    }
    for (unsigned i = 0; i < IDENT_UIDS; i++) {
        uint32_t id = names_add(&registry->names, uid[i]);

        ident->uid[i] = id == NAMES_FULL ? 0 : id;
    }
    ident->rule = identity->rule;
    ident->first_seen_ns = registry->now_ns;
}

/* Numbers up to id exist afterwards, not used. */
static void reserve_resource(struct registry *registry, uint32_t id)
{
    while (registry->res_count <= id) {
        uint32_t next = registry_take_id(registry);

        registry->res[next].kind = RES_FREE;
    }
}

/* The hash tells; where attributes were too large to keep, it cannot. */
static enum res_kind kind_of(struct fingerprint *f, uint64_t hash,
                             const struct attrs *attrs)
{
    struct slice first =
        attrs->count > 0 ? attr_key(attrs->at) : (struct slice){NULL, 0};

    if (fingerprint_key(*f, RES_PLAIN) == hash)
        return RES_PLAIN;
    if (fingerprint_key(*f, RES_RECORD) == hash)
        return RES_RECORD;
    if (attrs->count == 1 && slice_equal(first, SLICE("callboard.identity")))
        return RES_DERIVED;
    if (attrs->count == 1 && slice_equal(first, SLICE("callboard.overflow")))
        return RES_OVERFLOW;
    f->check = CHECK_UNKNOWN;
    return slice_equal(first, SLICE(RECORD_MARK)) ? RES_RECORD : RES_PLAIN;
}

static int64_t attr_int(const struct attr *a)
{
    return a->type == VALUE_INT ? a->i : -1;
}

/* By what it says itself; LEARNED shows in its identity. */
static uint8_t rule_of(const struct registry *registry,
                       const struct facts *facts, uint32_t identity,
                       enum res_kind kind)
{
    uint8_t rule = registry->ident[identity].rule;

    if (facts_stamped(facts) && rule <= RULE_STAMPED_RECORD)
        return facts_rule(facts, kind);
    if (facts_service(facts) && rule != RULE_UNASSIGNED)
        return rule == RULE_INFERRED ? RULE_INFERRED : RULE_LEARNED;
    return rule == RULE_UNASSIGNED ? RULE_UNASSIGNED : RULE_LEARNED;
}

static void load_resource(void *arg, uint32_t id, uint32_t identity,
                          uint64_t hash, const struct resource *resource)
{
    struct registry *registry = arg;
    struct facts facts;

    if (id >= MAX_NUMBER)
        return;
    reserve_resource(registry, id);
    if (identity >= registry->ident_count ||
        registry->ident[identity].rule == RULE_NONE)
        identity = ident_fallback(registry);

    struct res *res = &registry->res[id];
    struct fingerprint f = attrs_fingerprint(&resource->attrs);
    enum res_kind kind = kind_of(&f, hash, &resource->attrs);

    res->hash = hash;
    res->check = f.check;
    res->kind = (uint8_t)kind;
    registry->identity_of[id] = identity;
    if (kind == RES_DERIVED) {
        int64_t owner = attr_int(&resource->attrs.at[0]);

        if (owner >= 0 && owner < (int64_t)registry->ident_count)
            res->owner = (uint32_t)owner;
        return;
    }
    res->rule = RULE_UNASSIGNED;
    if (kind == RES_OVERFLOW) {
        res->overflow = true;
        registry->overflow_id = id;
        return;
    }
    facts_of(&facts, &registry->labels, &resource->attrs, kind);
    facts_keep(registry, &facts, res);
    res->rule = rule_of(registry, &facts, identity, kind);
    registry->received++;
    registry_index_res(registry, id);
}

/* ---- when all are there ---- */

static void collect_free(struct registry *registry)
{
    for (uint32_t id = 0; id < registry->res_count; id++)
        if (registry->res[id].kind == RES_FREE)
            registry_give_id(registry, id);
}

/* An INFERRED or UNASSIGNED identity whose resources all are in one pod is
 * that pod's own. */
static void find_owner(struct registry *registry, uint32_t id)
{
    struct ident *ident = &registry->ident[registry->identity_of[id]];
    uint32_t pod = registry->res[id].pod;

    if (ident->rule < RULE_INFERRED)
        return;
    if (pod == NONE || (ident->pod != NONE && ident->pod != pod))
        ident->pod = POD_SHARED;
    else
        ident->pod = pod;
}

static void place_resources(struct registry *registry)
{
    for (uint32_t id = 0; id < registry->res_count; id++) {
        struct res *res = &registry->res[id];

        if (res->kind == RES_PLAIN || res->kind == RES_RECORD) {
            uint32_t pod = pod_of_keys(registry, res->keys);

            registry->ident[registry->identity_of[id]].resources++;
            registry->unassigned += res->rule == RULE_UNASSIGNED;
            if (pod != NONE)
                pod_attach(registry, pod, id);
        }
    }
    for (uint32_t id = 0; id < registry->res_count; id++) {
        struct res *res = &registry->res[id];

        res->pod = pod_resolve(registry, res->pod);
        if (res->kind == RES_PLAIN || res->kind == RES_RECORD)
            find_owner(registry, id);
        else if (res->kind == RES_DERIVED && res->owner != NONE)
            registry->ident[res->owner].derived = id;
    }
}

static void index_identities(struct registry *registry)
{
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        struct ident *ident = &registry->ident[i];

        registry->provisional += ident->pod < POD_SHARED;
        if (ident->rule != RULE_NONE && ident->rule != RULE_LEARNED)
            ident_index(registry, i);
    }
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        struct ident *ident = &registry->ident[i];

        if (ident->rule != RULE_LEARNED)
            continue;
        ident->moved_to = ident_find(registry, ident->name, ident->uid);
        if (ident->moved_to == NONE)
            ident->rule = RULE_INFERRED;
    }
}

static void teach_pods(struct registry *registry)
{
    for (uint32_t id = 0; id < registry->res_count; id++) {
        const struct res *res = &registry->res[id];

        if (res->pod != NONE &&
            (res->rule == RULE_STAMPED || res->rule == RULE_STAMPED_RECORD))
            pod_learn(registry, res->pod, registry->identity_of[id], res->rule);
    }
    for (uint32_t id = 0; id < registry->res_count; id++)
        if (registry->identity_of[id] != NONE &&
            registry->res[id].kind <= RES_RECORD)
            host_add_res(registry, id);
}

/* ---- times last seen ---- */

void registry_save_seen(struct registry *registry)
{
    struct buf buf;

    buf_init(&buf, SEEN_MAX_BYTES);
    buf_byte(&buf, SEEN_VERSION);
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        const struct ident *ident = &registry->ident[i];
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

        struct ident *ident =
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
    uint32_t cap = registry->names.cap;

    arena_init(&arena, NULL, SEEN_MAX_BYTES);

    /* What is known keeps its names, though there be less room for new ones
     * than there was. */
    registry->names.cap = UINT32_MAX / 2;
    enum status status =
        store_load(registry->store, load_identity, load_resource, registry);
    registry->names.cap = cap;

    if (status == OK)
        status = store_load_text(registry->store, SEEN_TEXT, &arena, &seen);
    if (status == OK) {
        registry_lock(registry);
        collect_free(registry);
        place_resources(registry);
        index_identities(registry);
        teach_pods(registry);
        read_seen(registry, seen);
        registry->seen_saved_ns = registry->now_ns;
        registry_unlock(registry);
    }
    arena_release(&arena);
    return status;
}
