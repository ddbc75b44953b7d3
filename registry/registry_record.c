/*
 * Records that say themselves what they are about, by labels or by a pod: each
 * set of such labels makes, with the resource, a resource of its own. Its
 * attributes are a mark, the record's labels, then the resource's attributes.
 */
#include "hash.h"
#include "registry_int.h"

enum {
    STAMPS = 1 << LABEL_PROJECT | 1 << LABEL_COMPONENT |
             1 << LABEL_PROJECT_UID | 1 << LABEL_COMPONENT_UID |
             1 << LABEL_RESOURCE | 1 << LABEL_RESOURCE_UID,
    OBJECT = 1 << LABEL_OBJECT_KIND | 1 << LABEL_OBJECT_NAME,
    POD_BY_PROMETHEUS =
        1 << LABEL_PROMETHEUS_POD | 1 << LABEL_PROMETHEUS_NAMESPACE,
    POD_EXPORTED = 1 << LABEL_EXPORTED_POD | 1 << LABEL_EXPORTED_NAMESPACE
};

static uint32_t labels_in_fluent(const struct registry *registry,
                                 const struct attr *a)
{
    struct attrs one = {a, 1, 0};
    struct resource_attributes facts = {0};
    uint32_t bits = 0;

    attributes_read(&facts, &registry->labels, &one);
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
static bool says_enough(const struct resource_state *res, uint32_t bits)
{
    uint32_t all = bits;

    if (res->has_space)
        all |= 1 << LABEL_POD_NAMESPACE;
    if (res->object)
        all |= OBJECT;
    if (res->rule == RULE_STAMPED) /* these are the resource's own word */
        bits &= ~(uint32_t)(STAMPS | POD_BY_PROMETHEUS | POD_EXPORTED);
    if (bits & STAMPS || bits & 1 << LABEL_POD_UID ||
        (bits & POD_BY_PROMETHEUS) == POD_BY_PROMETHEUS ||
        (bits & POD_EXPORTED) == POD_EXPORTED)
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

    if (id != IDMAP_NONE && !registry->res[id].retry)
        return registry_mark_seen(registry, resource, id);

    struct resource both = {.attrs = joined(registry, resource, attrs),
                            .schema_url = resource->schema_url,
                            .id = RESOURCE_NONE};
    struct fingerprint f = attrs_fingerprint(&both.attrs);

    id = registry_find_resource(registry, f, RESOURCE_RECORD);
    if (id == NONE)
        id = registry_add(registry, &both, f, RESOURCE_RECORD);
    registry_mark_seen(registry, &both, id);
    if (registry->res[id].kind != RESOURCE_OVERFLOW) {
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
    const struct resource_state *res;
    uint64_t labels = 0;
    uint32_t bits = 0;

    if (resource->id >= registry->res_count)
        return resource->id;
    res = &registry->res[resource->id];
    if (res->rule == RULE_STAMPED && res->has_pod && res->has_space)
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
    return resolve_labels(registry, resource, attrs, labels);
}
