/*
 * Records whose own attributes name a component or a pod: each set of such
 * labels makes, together with the resource, a resource of its own. Its
 * attributes are a mark, the record's labels, then the resource's attributes.
 */
#include "hash.h"
#include "registry_shared.h"

enum {
    STAMPS = 1 << LABEL_PROJECT | 1 << LABEL_COMPONENT |
             1 << LABEL_PROJECT_UID | 1 << LABEL_COMPONENT_UID |
             1 << LABEL_RESOURCE | 1 << LABEL_RESOURCE_UID,
    /* What is compared with the sender's scopes. */
    COMPARED = STAMPS | 1 << LABEL_NAMESPACE | 1 << LABEL_ENVIRONMENT,
    OBJECT = 1 << LABEL_OBJECT_KIND | 1 << LABEL_OBJECT_NAME,
    POD_BY_PROMETHEUS =
        1 << LABEL_PROMETHEUS_POD | 1 << LABEL_PROMETHEUS_NAMESPACE,
    POD_EXPORTED = 1 << LABEL_EXPORTED_POD | 1 << LABEL_EXPORTED_NAMESPACE
};

static uint32_t labels_in_fluent(const struct registry *reg,
                                 const struct attr *a)
{
    struct attrs one = {a, 1, 0};
    struct resource_attributes fields = {.borrowed = false};
    uint32_t bits = 0;

    attributes_read(&fields, &reg->labels, &one);
    for (unsigned i = 0; i < LABEL_COUNT; i++)
        bits |= (uint32_t)(fields.label[i].len > 0) << i;
    return bits;
}

/* Bits of the labels in this attribute; 0 for nearly every attribute. */
static uint32_t labels_in(const struct registry *reg, const struct attr *a)
{
    if (a->type == VALUE_STRING) {
        enum label label = labels_match(&reg->labels, attr_key(a));

        return label == LABEL_NONE || label == LABEL_ENDPOINT || a->len == 0
                   ? 0
                   : UINT32_C(1) << label;
    }
    if (a->type == VALUE_MAP && slice_equal(attr_key(a), SLICE("kubernetes")))
        return labels_in_fluent(reg, a);
    return 0;
}

/* Whether these labels, with those of the resource, name a component, a pod or
 * an object. */
static bool is_complete(const struct resource_state *state, uint32_t bits)
{
    uint32_t all = bits;

    if (state->has_namespace)
        all |= 1 << LABEL_POD_NAMESPACE;
    if (state->object)
        all |= OBJECT;
    if (state->rule == RULE_STAMPED) /* the resource's own labels win */
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

static struct attrs joined(struct registry *reg,
                           const struct resource *resource,
                           const struct attrs *attrs)
{
    uint32_t most = 1 + attrs->count + resource->attrs.count, count = 1;
    struct attr *to = registry_scratch(reg, most);

    for (uint32_t i = 0; i < attrs->count; i++)
        if (labels_in(reg, &attrs->at[i]))
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

/* Labels of the record and of its resource may be accepted, but not together.
 */
static bool may_add(const struct registry *reg, const struct attrs *attrs)
{
    struct resource_attributes fields;

    resource_attributes_of(&fields, &reg->labels, attrs, RESOURCE_RECORD);
    return sender_complete(reg, &fields);
}

/* Sets of labels repeat from record to record, so known ones are found by a
 * hash of the labels and the resource's id alone. */
static uint32_t resolve_labels(struct registry *reg,
                               const struct resource *resource,
                               const struct attrs *attrs, uint64_t labels,
                               bool compare)
{
    struct key_map *map = &reg->live.by_record;
    uint64_t key = hash_mix(labels, resource->id + UINT64_C(0x7265636f7264));
    uint32_t id = key_map_get(map, key);

    if (compare && !registry_was_accepted(reg, id) &&
        !registry_accepts(reg, attrs, NULL))
        return RESOURCE_NONE;
    if (id != NONE && !reg->resources.at[id].retry && !shared_is_due(reg, id)) {
        if (compare)
            registry_note_accepted(reg, id);
        return registry_mark_seen(reg, resource, id);
    }

    struct resource both = {.attrs = joined(reg, resource, attrs),
                            .schema_url = resource->schema_url,
                            .id = RESOURCE_NONE};
    struct fingerprint f = attrs_fingerprint(&both.attrs);
    uint64_t hash = fingerprint_key(f, RESOURCE_RECORD, reg->sender.key);

    id = registry_find_resource(reg, hash, f.check);
    if (id == NONE && !may_add(reg, &both.attrs))
        return resource->id;
    if (id == NONE)
        id = registry_add(reg, &both, f, RESOURCE_RECORD);
    registry_mark_seen(reg, &both, id);
    if (reg->resources.at[id].kind != RESOURCE_OVERFLOW) {
        if (map->index.count >= 2 * reg->options.max_resources)
            key_map_release(map);
        key_map_set(map, key, id);
    }
    if (compare)
        registry_note_accepted(reg, id);
    return id;
}

uint32_t registry_resolve_record(struct registry *reg,
                                 const struct resource *resource,
                                 const struct attrs *attrs, uint64_t now_ns)
{
    const struct resource_state *state;
    uint64_t labels = 0;
    uint32_t bits = 0;
    bool compare;

    if (resource->id >= reg->resources.count)
        return resource->id;
    state = &reg->resources.at[resource->id];
    if (state->rule == RULE_STAMPED && state->has_pod && state->has_namespace)
        return resource->id;
    for (uint32_t i = 0; i < attrs->count; i++) {
        uint32_t found = labels_in(reg, &attrs->at[i]);

        if (found) {
            struct attrs one = {&attrs->at[i], 1, 0};

            labels += attrs_fingerprint(&one).hash;
            bits |= found;
        }
    }
    compare = reg->sender.writer && bits & COMPARED;
    if (!is_complete(state, bits))
        return compare && !registry_accepts(reg, attrs, NULL) ? RESOURCE_NONE
                                                              : resource->id;
    registry_set_now(reg, now_ns);
    return resolve_labels(reg, resource, attrs, labels, compare);
}
