/*
 * `seen` has an entry per resource, by id: the identity and the values it had
 * when it was last read. A known resource costs an array access and updates
 * when its values were seen last.
 *
 * The versions of a component are found by the number of its identity, which is
 * used again when the component is gone: the generation tells them apart. Four
 * values per attribute are stored: those that run side by side, and what they
 * replaced.
 */
#include "change_detector.h"

#include <stdlib.h>

#include "array.h"
#include "hash.h"
#include "mem.h"

enum {
    MAX_COMPONENTS = 8192, /* changes of other components are not detected */
    MAX_SEEN = 1 << 22,
    MAX_VALUES = 4,
    NO_VALUE = MAX_VALUES,
    RECLAIM_STEPS = 16 /* entries checked for one that is free again */
};

struct watched_value {
    uint64_t hash; /* of the whole text */
    uint64_t last_ns;
    uint8_t len;
    char text[CHANGE_MAX_TEXT];
};

struct watched_attribute {
    struct watched_value values[MAX_VALUES];
    uint8_t count, current;
};

struct component_versions {
    uint32_t identity;
    uint8_t generation; /* registry_identity_generation() */
    struct watched_attribute attributes[CHANGE_KINDS];
};

struct seen_resource {
    uint32_t identity; /* + 1; 0: never seen */
    uint8_t value[CHANGE_KINDS];
    uint8_t generation;
};

struct change_detector {
    struct change_events *events;
    const struct registry *registry;
    struct component_versions *versions;
    uint32_t version_count, reclaim_at;
    uint32_t *version_of; /* index in versions + 1, by identity */
    uint32_t version_of_count;
    struct seen_resource *seen; /* by resource */
    uint32_t seen_count;
};

/* ---- resources ---- */

static struct seen_resource *seen_of(struct change_detector *detector,
                                     uint32_t resource)
{
    return resource < MAX_SEEN
               ? array_at(&detector->seen, &detector->seen_count, resource)
               : NULL;
}

/* Any spelling of the label: "k8s.pod.label.pod-template-hash", "..._hash". */
static bool is_template_hash(struct slice key)
{
    struct slice label = SLICE("pod-template-hash");
    const char *tail = key.ptr + key.len - label.len;

    if (key.len < label.len)
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (tail[i] != label.ptr[i] &&
            !(label.ptr[i] == '-' && (tail[i] == '_' || tail[i] == '.')))
            return false;
    return true;
}

static void read_values(const struct attrs *attrs,
                        struct slice values[CHANGE_KINDS])
{
    memset(values, 0, CHANGE_KINDS * sizeof(*values));
    for (uint32_t i = 0; i < attrs->count; i++) {
        const struct attr *attr = &attrs->at[i];
        struct slice key = attr_key(attr);

        if (slice_equal(key, SLICE("service.version"))) {
            values[CHANGE_VERSION] = attr_text(attr);
        } else if (slice_equal(key, SLICE("container.image.tags")) ||
                   (slice_equal(key, SLICE("container.image.tag")) &&
                    values[CHANGE_IMAGE].len == 0)) {
            if (attr->type == VALUE_ARRAY && attr->len > 0)
                attr = attr->items;
            values[CHANGE_IMAGE] = attr_text(attr);
        } else if (is_template_hash(key)) {
            values[CHANGE_TEMPLATE] = attr_text(attr);
        }
    }
}

/* ---- components ---- */

/* A free entry, or one whose component is gone; NULL if none was found. */
static struct component_versions *new_versions(struct change_detector *detector)
{
    if (!detector->versions)
        detector->versions =
            mem_zero(MAX_COMPONENTS, sizeof(*detector->versions));
    if (detector->version_count < MAX_COMPONENTS)
        return &detector->versions[detector->version_count++];
    for (int i = 0; i < RECLAIM_STEPS; i++) {
        struct component_versions *versions =
            &detector->versions[detector->reclaim_at++ % MAX_COMPONENTS];

        if (registry_identity_generation(detector->registry,
                                         versions->identity) !=
            versions->generation) {
            detector->version_of[versions->identity] = 0;
            return versions;
        }
    }
    return NULL;
}

/* The versions of a component; NULL if there are none, or no room to create
 * them. */
static struct component_versions *versions_of(struct change_detector *detector,
                                              uint32_t identity, bool create)
{
    uint8_t generation =
        registry_identity_generation(detector->registry, identity);
    struct component_versions *versions = NULL;
    uint32_t *number;

    if (identity >= MAX_SEEN)
        return NULL;
    number =
        array_at(&detector->version_of, &detector->version_of_count, identity);
    if (*number > 0)
        versions = &detector->versions[*number - 1];
    if (versions && versions->generation == generation)
        return versions;
    if (!create)
        return NULL;
    if (!versions)
        versions = new_versions(detector);
    if (!versions)
        return NULL;
    *versions = (struct component_versions){.identity = identity,
                                            .generation = generation};
    *number = (uint32_t)(versions - detector->versions) + 1;
    return versions;
}

static uint8_t find_value(const struct watched_attribute *attribute,
                          uint64_t hash)
{
    for (uint8_t i = 0; i < attribute->count; i++)
        if (attribute->values[i].hash == hash)
            return i;
    return NO_VALUE;
}

/* Replaces the value not seen for longest, but never the current one. */
static uint8_t add_value(struct watched_attribute *attribute, struct slice text,
                         uint64_t hash)
{
    uint8_t at = attribute->count;

    if (at < MAX_VALUES) {
        attribute->count++;
    } else {
        at = attribute->current == 0;
        for (uint8_t i = 0; i < MAX_VALUES; i++)
            if (i != attribute->current &&
                attribute->values[i].last_ns < attribute->values[at].last_ns)
                at = i;
    }
    text = slice_truncate(text, CHANGE_MAX_TEXT);
    attribute->values[at] =
        (struct watched_value){.hash = hash, .len = (uint8_t)text.len};
    slice_copy(attribute->values[at].text, text);
    return at;
}

/* The number of a value that a resource has, and whether it is a change.
 * is_new: the resource was never seen before. */
static uint8_t observe_value(struct watched_attribute *attribute,
                             struct slice text, uint64_t time_ns, bool is_new,
                             bool *change)
{
    uint64_t hash = hash_bytes(text.ptr, text.len, 0);
    uint8_t at = find_value(attribute, hash);
    bool gone = true;

    if (at == NO_VALUE)
        at = add_value(attribute, text, hash);
    else
        gone = time_ns > attribute->values[at].last_ns + CHANGE_GONE_NS;
    *change =
        is_new && gone && attribute->count > 1 && at != attribute->current;
    if (time_ns > attribute->values[at].last_ns)
        attribute->values[at].last_ns = time_ns;
    return at;
}

static struct slice value_text(const struct watched_value *value)
{
    return (struct slice){value->text, value->len};
}

/* The values of a known resource were seen again. */
static void renew(struct component_versions *versions,
                  const struct seen_resource *seen, uint64_t time_ns)
{
    for (int kind = 0; kind < CHANGE_KINDS; kind++) {
        struct watched_value *value =
            &versions->attributes[kind].values[seen->value[kind] % MAX_VALUES];

        if (seen->value[kind] != NO_VALUE && time_ns > value->last_ns)
            value->last_ns = time_ns;
    }
}

void change_detector_observe(struct change_detector *detector,
                             const struct component *component,
                             const struct resource *resource,
                             uint8_t generation, uint64_t time_ns)
{
    struct seen_resource *seen = seen_of(detector, resource->id);
    uint32_t identity = component->identity;
    struct slice values[CHANGE_KINDS];
    bool is_new;

    if (!seen)
        return;
    if (seen->generation != generation)
        *seen = (struct seen_resource){.generation = generation};
    is_new = seen->identity == 0;
    if (seen->identity == identity + 1) {
        struct component_versions *versions =
            versions_of(detector, identity, false);

        if (versions)
            renew(versions, seen, time_ns);
        return;
    }
    seen->identity = identity + 1;
    memset(seen->value, NO_VALUE, sizeof(seen->value));
    read_values(&resource->attrs, values);
    for (int kind = 0; kind < CHANGE_KINDS; kind++) {
        struct component_versions *versions =
            values[kind].len ? versions_of(detector, identity, true) : NULL;
        struct watched_attribute *attribute;
        uint8_t previous;
        bool change;

        if (!versions)
            continue;
        attribute = &versions->attributes[kind];
        seen->value[kind] =
            observe_value(attribute, values[kind], time_ns, is_new, &change);
        if (!change)
            continue;
        previous = attribute->current;
        attribute->current = seen->value[kind];
        change_events_add(
            detector->events, resource->id, (enum change_kind)kind,
            value_text(&attribute->values[previous]),
            value_text(&attribute->values[attribute->current]), time_ns);
    }
}

/* ---- start ---- */

static void load_identity(void *arg, const struct identity *identity)
{
    (void)arg;
    (void)identity;
}

/* The newest resources come first: the first value is the current one. */
static void load_resource(void *arg, uint32_t id, uint32_t identity,
                          uint64_t hash, const struct resource *resource)
{
    struct change_detector *detector = arg;
    struct seen_resource *seen = seen_of(detector, id);
    struct slice values[CHANGE_KINDS];
    bool change;

    (void)hash;
    if (!seen || identity >= MAX_SEEN)
        return;
    read_values(&resource->attrs, values);
    seen->identity = identity + 1;
    memset(seen->value, NO_VALUE, sizeof(seen->value));
    for (int kind = 0; kind < CHANGE_KINDS; kind++) {
        struct component_versions *versions =
            values[kind].len ? versions_of(detector, identity, true) : NULL;

        if (versions && versions->attributes[kind].count < MAX_VALUES)
            seen->value[kind] = observe_value(&versions->attributes[kind],
                                              values[kind], 0, true, &change);
        else if (versions)
            seen->value[kind] =
                find_value(&versions->attributes[kind],
                           hash_bytes(values[kind].ptr, values[kind].len, 0));
    }
}

enum status change_detector_open(struct change_detector **out,
                                 struct change_events *events,
                                 struct store *store,
                                 const struct registry *registry)
{
    struct change_detector *detector = mem_zero(1, sizeof(*detector));

    detector->events = events;
    detector->registry = registry;
    *out = detector;
    return metadata_load(store_metadata(store), load_identity, load_resource,
                         detector);
}

void change_detector_free(struct change_detector *detector)
{
    if (!detector)
        return;
    free(detector->versions);
    free(detector->version_of);
    free(detector->seen);
    free(detector);
}
