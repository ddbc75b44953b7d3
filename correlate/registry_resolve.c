/*
 * From attributes to a resource id. What is known is one hash and one look
 * into a map, without a lock; what is new gets its identity by the rules:
 *
 *   stamped itself             -> STAMPED; its pod learns
 *   stamped on the record      -> STAMPED_RECORD, as a resource of its own: the
 *                                 record's labels in front of the resource's
 *                                 attributes
 *   its pod is known           -> LEARNED
 *   it has a service name      -> INFERRED
 *   else                       -> UNASSIGNED
 *
 * The last two hang in their pod's list and wait (registry_pod.c).
 */
#include "clock.h"
#include "hash.h"
#include "mem.h"
#include "registry_int.h"
#include "stats.h"

enum { SAVE_SEEN_S = 60 };

/* A second key for the case that two sets share their first hash. */
static uint64_t second_key(struct fingerprint f, uint64_t key)
{
    return hash_mix(key, f.check);
}

uint32_t registry_find_res(const struct registry *registry,
                           struct fingerprint f, enum res_kind kind)
{
    uint64_t key = fingerprint_key(f, kind);
    uint32_t id = idmap_get(&registry->res_by_hash, key);

    if (id != IDMAP_NONE && registry->res[id].check != f.check)
        id = idmap_get(&registry->res_by_hash, second_key(f, key));
    return id;
}

void registry_index_res(struct registry *registry, uint32_t id)
{
    const struct res *res = &registry->res[id];
    uint64_t key = res->hash;

    if (idmap_get(&registry->res_by_hash, key) != IDMAP_NONE)
        key = second_key((struct fingerprint){0, res->check}, key);
    idmap_set(&registry->res_by_hash, key, id);
}

/* Gives a new resource its pod and its identity. */
static void place(struct registry *registry, uint32_t id,
                  const struct facts *facts)
{
    struct res *res = &registry->res[id];
    uint32_t pod = NONE, identity;
    uint8_t rule = res->kind == RES_RECORD ? RULE_STAMPED_RECORD : RULE_STAMPED;
    bool stamped = facts_stamped(facts);

    facts_keep(registry, facts, res);
    pod = pod_of_keys(registry, res->keys);
    if (stamped) {
        identity = ident_stamped(registry, facts, rule);
    } else if (pod != NONE && registry->pods[pod].identity != NONE) {
        identity = registry->pods[pod].identity;
        rule = RULE_LEARNED;
    } else if (facts_service(facts)) {
        identity = ident_inferred(registry, facts, pod);
        rule = RULE_INFERRED;
    } else {
        identity = ident_unassigned(registry, facts, pod);
        rule = RULE_UNASSIGNED;
    }
    if (identity == NONE) {
        identity = ident_fallback(registry);
        rule = RULE_UNASSIGNED;
        res->overflow = true;
        stamped = false;
    }
    registry_set_identity(registry, id, identity, rule);
    if (pod != NONE)
        pod_attach(registry, pod, id);
    if (stamped && pod != NONE)
        pod_learn(registry, pod, identity, rule);
    host_add_res(registry, id);
}

/* What everything goes to that does not fit. */
static uint32_t overflow(struct registry *registry)
{
    if (registry->overflow_id == NONE) {
        registry_lock(registry);

        uint32_t id = registry_take_id(registry);

        registry->res[id].kind = RES_OVERFLOW;
        registry->res[id].overflow = true;
        registry->res[id].hash = UINT64_C(0x6f766572666c6f77);
        registry_set_identity(registry, id, ident_fallback(registry),
                              RULE_UNASSIGNED);
        registry_save_later(registry, id, SAVE_DERIVED);
        registry->overflow_id = id;
        registry_unlock(registry);
    }
    return registry->overflow_id;
}

static uint32_t add(struct registry *registry, const struct resource *resource,
                    struct fingerprint f, enum res_kind kind)
{
    struct facts facts;

    if (registry->received >= registry->options.max_resources) {
        registry_forget(registry);
        if (registry->received >= registry->options.max_resources)
            return overflow(registry);
    }
    facts_of(&facts, &registry->labels, &resource->attrs, kind);
    registry_lock(registry);

    uint32_t id = registry_take_id(registry);
    struct res *res = &registry->res[id];

    res->kind = (uint8_t)kind;
    res->hash = fingerprint_key(f, kind);
    res->check = f.check;
    registry->received++;
    registry_index_res(registry, id);
    place(registry, id, &facts);
    registry_unlock(registry);
    store_save_resource(registry->store, id, registry->identity_of[id],
                        registry->res[id].hash, resource);
    return id;
}

/* What every call does once it has the id. */
static uint32_t seen(struct registry *registry, uint32_t id)
{
    struct res *res = &registry->res[id];

    res->seen_s = (uint32_t)(registry->now_ns / NS_PER_S);
    if (res->overflow)
        stats_add(STATS_RESOURCES_OVERFLOW, 1);
    return id;
}

void registry_resolve(struct registry *registry, struct resource *resource,
                      uint64_t now_ns)
{
    struct fingerprint f = attrs_fingerprint(&resource->attrs);
    uint32_t id = registry_find_res(registry, f, RES_PLAIN);

    registry->now_ns = now_ns;
    if (id == NONE)
        id = add(registry, resource, f, RES_PLAIN);
    resource->id = seen(registry, id);
    if (registry->seen_changed &&
        now_ns - registry->seen_saved_ns >= SAVE_SEEN_S * NS_PER_S)
        registry_save_seen(registry);
}

/* ---- labels on records ---- */

static bool is_fluent_map(const struct attr *a)
{
    return a->type == VALUE_MAP &&
           slice_equal(attr_key(a), SLICE("kubernetes"));
}

/* Whether it says anything about identity or pod; *stamped if identity. */
static bool counts(const struct registry *registry, const struct attr *a,
                   bool *stamped)
{
    if (a->type == VALUE_STRING) {
        enum label label = labels_match(&registry->labels, attr_key(a));

        if (label == LABEL_NONE || label == LABEL_ENDPOINT || a->len == 0)
            return false;
        *stamped |= label == LABEL_PROJECT || label == LABEL_COMPONENT ||
                    label == LABEL_PROJECT_UID ||
                    label == LABEL_COMPONENT_UID || label == LABEL_RESOURCE ||
                    label == LABEL_RESOURCE_UID;
        return true;
    }
    if (is_fluent_map(a)) {
        struct attrs one = {a, 1, 0};
        struct facts facts = {0};

        facts_read(&facts, &registry->labels, &one);
        *stamped |= facts_stamped(&facts);
        return true;
    }
    return false;
}

/* The record's labels, behind a mark that says how many they are, then the
 * attributes of the resource. */
static struct attrs joined(struct registry *registry,
                           const struct resource *resource,
                           const struct attrs *attrs)
{
    uint32_t most = 1 + attrs->count + resource->attrs.count, count = 1;
    bool stamped = false;

    if (most > registry->scratch_room) {
        registry->scratch =
            mem_resize(registry->scratch, most, sizeof(*registry->scratch));
        registry->scratch_room = most;
    }
    for (uint32_t i = 0; i < attrs->count; i++)
        if (counts(registry, &attrs->at[i], &stamped))
            registry->scratch[count++] = attrs->at[i];
    registry->scratch[0] =
        (struct attr){.key = "callboard.record",
                      .key_len = sizeof("callboard.record") - 1,
                      .type = VALUE_INT,
                      .i = (int64_t)count - 1};
    if (resource->attrs.count > 0)
        memcpy(registry->scratch + count, resource->attrs.at,
               resource->attrs.count * sizeof(*registry->scratch));
    return (struct attrs){registry->scratch, count + resource->attrs.count, 0};
}

/* A record comes by often and its set of labels seldom is new: so the known
 * ones are found by a hash of the labels and the resource's number alone. */
static uint32_t resolve_labels(struct registry *registry,
                               const struct resource *resource,
                               const struct attrs *attrs, uint64_t labels)
{
    uint64_t key = hash_mix(labels, resource->id + UINT64_C(0x7265636f7264));
    uint32_t id = idmap_get(&registry->by_record, key);

    if (id != IDMAP_NONE)
        return id;

    struct resource both = {.attrs = joined(registry, resource, attrs),
                            .schema_url = resource->schema_url,
                            .id = RESOURCE_NONE};
    struct fingerprint f = attrs_fingerprint(&both.attrs);

    id = registry_find_res(registry, f, RES_RECORD);
    if (id == NONE)
        id = add(registry, &both, f, RES_RECORD);
    if (id != registry->overflow_id) {
        if (registry->by_record.count >= 2 * registry->options.max_resources)
            idmap_release(&registry->by_record);
        idmap_set(&registry->by_record, key, id);
    }
    return id;
}

uint32_t registry_resolve_record(struct registry *registry,
                                 const struct resource *resource,
                                 const struct attrs *attrs, uint64_t now_ns)
{
    struct attrs ours = {0};
    uint64_t labels = 0;
    bool stamped = false;

    if (resource->id >= registry->res_count ||
        registry->res[resource->id].rule == RULE_STAMPED)
        return resource->id;
    for (uint32_t i = 0; i < attrs->count; i++)
        if (counts(registry, &attrs->at[i], &stamped)) {
            ours.at = &attrs->at[i];
            ours.count = 1;
            labels += attrs_fingerprint(&ours).hash;
        }
    if (!stamped)
        return resource->id;
    registry->now_ns = now_ns;
    return seen(registry, resolve_labels(registry, resource, attrs, labels));
}
