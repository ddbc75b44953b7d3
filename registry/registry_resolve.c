/*
 * From attributes to a resource id. What is known is one hash and one look
 * into a map, without a lock; what is new gets its identity by the rules,
 * whether there is a place for it or not:
 *
 *   stamped itself             -> STAMPED; its pod learns
 *   stamped on the record      -> STAMPED_RECORD
 *   its pod is known           -> LEARNED
 *   it has a service name      -> INFERRED
 *   else                       -> UNASSIGNED
 *
 * The last two hang in their pod's list and wait (registry_pod.c).
 *
 * Without a place, or an id, its records go to the overflow resource of that
 * identity, and it is looked at again when it comes again. Without room for an
 * identity it is unassigned in its namespace, and tried again when it is seen.
 */
#include "clock.h"
#include "hash.h"
#include "mem.h"
#include "registry_int.h"
#include "stats.h"

enum { SAVE_SEEN_S = 60, RESOURCE_MAX_BYTES = 16 * 1024 };

/* A second key for the case that two sets share their first hash. */
static uint64_t second_key(struct fingerprint f, uint64_t key)
{
    return hash_mix(key, f.check);
}

uint32_t registry_find_resource(const struct registry *registry,
                                struct fingerprint f, enum resource_kind kind)
{
    uint64_t key = fingerprint_key(f, kind);
    uint32_t id = idmap_get(&registry->res_by_hash, key);

    if (id != IDMAP_NONE) {
        uint64_t check = registry_live(registry, id)->check;

        if (check != f.check && check != CHECK_UNKNOWN)
            id = idmap_get(&registry->res_by_hash, second_key(f, key));
    }
    return id;
}

void registry_index_resource(struct registry *registry, uint32_t id)
{
    const struct live_resource *live = registry_live(registry, id);
    uint64_t key = live->hash;

    if (idmap_get(&registry->res_by_hash, key) != IDMAP_NONE)
        key = second_key((struct fingerprint){0, live->check}, key);
    idmap_set(&registry->res_by_hash, key, id);
}

/* What the rules say of a new resource. */
struct identity_choice {
    uint64_t keys[POD_KEY_COUNT];
    uint32_t pod, identity;
    uint8_t rule;
    bool stamped, says_space;
    bool missed; /* no room for its identity */
};

static void choose_waiting(struct registry *registry,
                           const struct resource_attributes *facts,
                           struct identity_choice *to)
{
    if (to->pod != NONE && registry->pods[to->pod].identity != NONE) {
        to->identity = registry->pods[to->pod].identity;
        to->rule = RULE_LEARNED;
    } else if (attributes_name_service(facts)) {
        to->identity = ident_inferred(registry, facts, to->pod);
        to->rule = RULE_INFERRED;
    } else {
        to->identity = ident_unassigned(registry, facts, to->pod);
        to->rule = RULE_UNASSIGNED;
    }
}

static void choose(struct registry *registry,
                   const struct resource_attributes *facts,
                   enum resource_kind kind, struct identity_choice *to)
{
    uint64_t tenant = attributes_tenant(facts);

    *to = (struct identity_choice){.identity = NONE,
                                   .says_space = tenant != 0,
                                   .stamped = attributes_stamped(facts)};
    if (to->stamped) {
        to->rule = attributes_rule(facts, kind);
        to->identity = ident_stamped(registry, facts, to->rule);
        if (to->identity != NONE)
            tenant = ident_tenant(registry, to->identity);
    }
    attributes_pod_keys(facts, to->keys);
    to->pod = pod_of_keys(registry, to->keys, tenant,
                          to->stamped && to->identity != NONE);
    if (!to->stamped)
        choose_waiting(registry, facts, to);
    to->missed = to->identity == NONE;
    if (to->missed) {
        to->identity = ident_fallback(registry, facts);
        to->rule = RULE_UNASSIGNED;
    }
}

static void learn(struct registry *registry,
                  const struct identity_choice *choice)
{
    if (choice->stamped && !choice->missed && choice->pod != NONE)
        pod_learn(registry, choice->pod, choice->identity, choice->rule);
}

/* Gives a new resource its place, its pod and its identity. */
static uint32_t place(struct registry *registry,
                      const struct resource_attributes *facts,
                      const struct identity_choice *choice,
                      struct fingerprint f, enum resource_kind kind)
{
    uint32_t id = registry_new_id(registry);
    struct live_resource *live = live_new(registry, id);
    struct resource_state *res = &registry->res[id];

    res->kind = (uint8_t)kind;
    attributes_set_flags(facts, res);
    res->retry = choice->missed;
    live->hash = fingerprint_key(f, kind);
    live->check = f.check;
    memcpy(live->keys, choice->keys, sizeof(live->keys));
    attributes_store(registry, facts, kind, live);
    registry->received++;
    registry_index_resource(registry, id);
    registry_set_identity(registry, id, choice->identity, choice->rule);
    if (choice->pod != NONE)
        pod_attach(registry, choice->pod, id);
    learn(registry, choice);
    host_add_resource(registry, id);
    return id;
}

/* Bytes that keeping it takes, about. */
static size_t weight(const struct attr *a)
{
    size_t sum = a->key_len + sizeof(*a);

    if (a->type == VALUE_STRING || a->type == VALUE_BYTES)
        sum += a->len;
    else if (a->type == VALUE_ARRAY || a->type == VALUE_MAP)
        for (uint32_t i = 0; i < a->len; i++)
            sum += weight(&a->items[i]);
    return sum;
}

/* Saves the resource, without the attributes that are too large to keep: there
 * may be many resources, and they are kept for ever. */
static void save(struct registry *registry, uint32_t id,
                 const struct resource *resource)
{
    struct resource kept = *resource;
    struct attr *to = registry_scratch(registry, resource->attrs.count);
    size_t size = 0;

    kept.attrs.count = 0;
    for (uint32_t i = 0; i < resource->attrs.count; i++) {
        size_t more = weight(&resource->attrs.at[i]);

        if (more > RESOURCE_MAX_BYTES - size)
            continue;
        size += more;
        to[kept.attrs.count++] = resource->attrs.at[i];
    }
    kept.attrs.at = to;
    kept.attrs.dropped += resource->attrs.count - kept.attrs.count;
    stats_add(STATS_ATTRIBUTES_TRUNCATED,
              resource->attrs.count - kept.attrs.count);
    if (kept.schema_url.len > NAME_MAX_BYTES)
        kept.schema_url.len = 0;
    store_save_resource(registry->store, id, registry->identity_of[id],
                        registry_live(registry, id)->hash, &kept);
}

/* The overflow resource of one pod's own identity says which pod that is, so
 * that it can be learned after a restart, too. */
static void save_overflow(struct registry *registry, uint32_t id,
                          const struct resource_attributes *facts)
{
    const struct {
        struct slice key, value;
    } rows[] = {
        {SLICE("k8s.pod.uid"), facts->label[LABEL_POD_UID]},
        {SLICE("k8s.pod.name"), facts->label[LABEL_POD_NAME]},
        {SLICE("k8s.namespace.name"), facts->label[LABEL_POD_NAMESPACE]},
        {SLICE("container.id"), facts->container_id},
        {SLICE("service.name"), facts->service},
        {registry->options.keys.namespace, facts->label[LABEL_NAMESPACE]},
    };
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    struct attr at[1 + ROWS] = {{.key = OVERFLOW_MARK,
                                 .key_len = sizeof(OVERFLOW_MARK) - 1,
                                 .type = VALUE_INT,
                                 .i = registry->res[id].owner}};
    struct resource resource = {.attrs = {at, 1, 0}, .id = id};

    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].value.len > 0 && rows[i].value.len <= NAME_MAX_BYTES)
            at[resource.attrs.count++] =
                (struct attr){.key = rows[i].key.ptr,
                              .key_len = (uint16_t)rows[i].key.len,
                              .type = VALUE_STRING,
                              .str = rows[i].value.ptr,
                              .len = (uint32_t)rows[i].value.len};
    store_save_resource(registry->store, id, registry->identity_of[id], 0,
                        &resource);
}

uint32_t registry_add(struct registry *registry,
                      const struct resource *resource, struct fingerprint f,
                      enum resource_kind kind)
{
    struct resource_attributes facts;
    struct identity_choice choice;
    uint32_t id, space;
    bool fits, made = false;

    resource_attributes_of(&facts, &registry->labels, &resource->attrs, kind);
    registry_lock(registry);
    choose(registry, &facts, kind, &choice);
    if (choice.missed && registry_forget_identities(registry))
        choose(registry, &facts, kind, &choice);
    space = registry->ident[choice.identity].space;
    fits = quota_has_slot(registry, space) && quota_has_id(registry, space);
    if (!fits && registry_make_room(registry, space)) {
        choose(registry, &facts, kind, &choice); /* numbers are others now */
        space = registry->ident[choice.identity].space;
        fits = quota_has_slot(registry, space) && quota_has_id(registry, space);
    }
    if (fits) {
        id = place(registry, &facts, &choice, f, kind);
    } else {
        const struct identity_entry *ident = &registry->ident[choice.identity];

        learn(registry, &choice);
        made = ident->overflow == NONE && ident->pod < POD_SHARED;
        id = registry_overflow_resource(registry, choice.identity);
        quota_overflowed(registry, space);
    }
    registry_unlock(registry);
    if (fits)
        save(registry, id, resource);
    else if (made)
        save_overflow(registry, id, &facts);
    return id;
}

/* A resource that was taken without an identity gets it once there is room,
 * and with it all that it sent. */
static void try_again(struct registry *registry,
                      const struct resource *resource, uint32_t id)
{
    struct resource_state *res = &registry->res[id];
    struct resource_attributes facts;
    struct identity_choice choice;

    resource_attributes_of(&facts, &registry->labels, &resource->attrs,
                           res->kind);
    registry_lock(registry);
    choose(registry, &facts, res->kind, &choice);
    if (choice.missed && registry_forget_identities(registry))
        choose(registry, &facts, res->kind, &choice);
    if (!choice.missed) {
        res->retry = false;
        registry_set_identity(registry, id, choice.identity, choice.rule);
        stats_add(STATS_RETAGGED, 1);
        learn(registry, &choice);
        host_add_resource(registry, id);
    }
    registry_unlock(registry);
}

uint32_t registry_mark_seen(struct registry *registry,
                            const struct resource *resource, uint32_t id)
{
    struct resource_state *res = &registry->res[id];
    uint32_t now_s = registry_now_s(registry);
    bool again = res->retry && res->seen_s != now_s;

    res->seen_s = now_s; /* first: what was not seen for long is forgotten */
    if (again)
        try_again(registry, resource, id);
    if (res->kind == RESOURCE_OVERFLOW || res->retry)
        stats_add(STATS_RESOURCES_OVERFLOW, 1);
    return id;
}

void registry_resolve(struct registry *registry, struct resource *resource,
                      uint64_t now_ns)
{
    struct fingerprint f = attrs_fingerprint(&resource->attrs);
    uint32_t id = registry_find_resource(registry, f, RESOURCE_PLAIN);

    registry->now_ns = now_ns;
    if (id == NONE)
        id = registry_add(registry, resource, f, RESOURCE_PLAIN);
    resource->id = registry_mark_seen(registry, resource, id);
    if (registry->seen_changed &&
        now_ns - registry->seen_saved_ns >= SAVE_SEEN_S * NS_PER_S)
        registry_save_seen(registry);
}
