/*
 * From attributes to a resource id. What is known is one hash and one look
 * into a map, without a lock; what is new gets its identity by the rules:
 *
 *   stamped itself             -> STAMPED; its pod learns
 *   stamped on the record      -> STAMPED_RECORD
 *   its pod is known           -> LEARNED
 *   it has a service name      -> INFERRED
 *   else                       -> UNASSIGNED
 *
 * The last two hang in their pod's list and wait (registry_pod.c).
 *
 * A record that says itself what it is about, by labels or by a pod, makes a
 * resource of its own: a mark, what it says, then the resource's attributes.
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

uint32_t registry_find_res(const struct registry *registry,
                           struct fingerprint f, enum res_kind kind)
{
    uint64_t key = fingerprint_key(f, kind);
    uint32_t id = idmap_get(&registry->res_by_hash, key);

    if (id != IDMAP_NONE && registry->res[id].check != f.check &&
        registry->res[id].check != CHECK_UNKNOWN)
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
    uint8_t rule = facts_rule(facts, (enum res_kind)res->kind);
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
    stats_add(STATS_CUT_VALUES, resource->attrs.count - kept.attrs.count);
    if (kept.schema_url.len > NAMES_MAX_LEN)
        kept.schema_url.len = 0;
    store_save_resource(registry->store, id, registry->identity_of[id],
                        registry->res[id].hash, &kept);
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
    save(registry, id, resource);
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

enum {
    STAMPS = 1 << LABEL_PROJECT | 1 << LABEL_COMPONENT |
             1 << LABEL_PROJECT_UID | 1 << LABEL_COMPONENT_UID |
             1 << LABEL_RESOURCE | 1 << LABEL_RESOURCE_UID,
    OBJECT = 1 << LABEL_OBJECT_KIND | 1 << LABEL_OBJECT_NAME,
    POD_BY_PROMETHEUS =
        1 << LABEL_PROMETHEUS_POD | 1 << LABEL_PROMETHEUS_NAMESPACE
};

static uint32_t labels_in_fluent(const struct registry *registry,
                                 const struct attr *a)
{
    struct attrs one = {a, 1, 0};
    struct facts facts = {0};
    uint32_t bits = 0;

    facts_read(&facts, &registry->labels, &one);
    for (unsigned i = 0; i < LABEL_COUNT; i++)
        bits |= (uint32_t)(facts.label[i].len > 0) << i;
    return bits;
}

/* Bits of the labels this attribute brings, 0 for nearly every one. */
static uint32_t labels_in(const struct registry *registry, const struct attr *a)
{
    if (a->type == VALUE_STRING) {
        enum label label = labels_match(&registry->labels, attr_key(a));

        return label == LABEL_NONE || label == LABEL_ENDPOINT || a->len == 0
                   ? 0
                   : UINT32_C(1) << label;
    }
    if (a->type == VALUE_MAP && slice_equal(attr_key(a), SLICE("kubernetes")))
        return labels_in_fluent(registry, a);
    return 0;
}

/* Whether these, with what the resource says, say what the record is about. */
static bool says_enough(const struct res *res, uint32_t bits)
{
    uint32_t all = bits;

    if (res->k8s_namespace)
        all |= 1 << LABEL_POD_NAMESPACE;
    if (res->object)
        all |= OBJECT;
    if (res->rule == RULE_STAMPED) /* these are the resource's own word */
        bits &= ~(uint32_t)(STAMPS | POD_BY_PROMETHEUS);
    if (bits & STAMPS || bits & 1 << LABEL_POD_UID ||
        (bits & POD_BY_PROMETHEUS) == POD_BY_PROMETHEUS)
        return true;
    if (bits & 1 << LABEL_POD_NAME && all & 1 << LABEL_POD_NAMESPACE)
        return true;
    return bits & (OBJECT | 1 << LABEL_POD_NAMESPACE) &&
           (all & OBJECT) == OBJECT && all & 1 << LABEL_POD_NAMESPACE;
}

/* The record's labels, behind a mark that says how many they are, then the
 * attributes of the resource. */
static struct attrs joined(struct registry *registry,
                           const struct resource *resource,
                           const struct attrs *attrs)
{
    uint32_t most = 1 + attrs->count + resource->attrs.count, count = 1;
    struct attr *to = registry_scratch(registry, most);

    for (uint32_t i = 0; i < attrs->count; i++)
        if (labels_in(registry, &attrs->at[i]))
            to[count++] = attrs->at[i];
    to[0] = (struct attr){.key = RECORD_MARK,
                          .key_len = sizeof(RECORD_MARK) - 1,
                          .type = VALUE_INT,
                          .i = (int64_t)count - 1};
    if (resource->attrs.count > 0)
        memcpy(to + count, resource->attrs.at,
               resource->attrs.count * sizeof(*to));
    return (struct attrs){to, count + resource->attrs.count, 0};
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
    const struct res *res;
    uint64_t labels = 0;
    uint32_t bits = 0;

    if (resource->id >= registry->res_count)
        return resource->id;
    res = &registry->res[resource->id];
    if (res->rule == RULE_STAMPED && res->pod_name && res->k8s_namespace)
        return resource->id;
    for (uint32_t i = 0; i < attrs->count; i++) {
        uint32_t found = labels_in(registry, &attrs->at[i]);

        if (found) {
            struct attrs one = {&attrs->at[i], 1, 0};

            labels += attrs_fingerprint(&one).hash;
            bits |= found;
        }
    }
    if (!says_enough(res, bits))
        return resource->id;
    registry->now_ns = now_ns;
    return seen(registry, resolve_labels(registry, resource, attrs, labels));
}
