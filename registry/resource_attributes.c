/*
 * The fingerprint adds up one hash per attribute, so the order of the
 * attributes does not count. Sums, not exclusive ors: an attribute that occurs
 * twice would cancel itself.
 */
#include "resource_attributes.h"

#include "attr_hash.h"
#include "hash.h"

/* A cut name has at least this many bytes. */
enum { TENANT_BYTES = NAME_MAX_BYTES - 7 };

struct fingerprint attrs_fingerprint(const struct attrs *attrs)
{
    struct fingerprint f = {attrs->count, attrs->count};

    for (uint32_t i = 0; i < attrs->count; i++) {
        const struct attr *a = &attrs->at[i];
        uint64_t key = hash_bytes(a->key, a->key_len, 0);
        uint64_t value = attr_value_hash(a);

        f.hash += hash_mix(key, value);
        f.check += hash_mix(value + UINT64_C(0x2545f4914f6cdd1d), key);
    }
    return f;
}

uint64_t fingerprint_key(struct fingerprint f, enum resource_kind kind,
                         uint64_t sender)
{
    uint64_t key = kind == RESOURCE_PLAIN
                       ? f.hash
                       : hash_mix(f.hash, UINT64_C(0x9e6c63d0676a9a99) * kind);

    return sender ? hash_mix(key, sender) : key;
}

/* ---- fields ---- */

/* The member of each known key, as OpenTelemetry names it and as fluent-bit
 * does inside "kubernetes". */
static const struct {
    struct slice key, fluent;
    size_t field;
} known[] = {
/* clang-format off */
#define AT(member) offsetof(struct resource_attributes, member)
    {SLICE_INIT("service.name"),                SLICE_INIT(""),             AT(service)},
    {SLICE_INIT("service.namespace"),           SLICE_INIT(""),             AT(service_namespace)},
    {SLICE_INIT("deployment.environment.name"), SLICE_INIT(""),             AT(environment)},
    {SLICE_INIT("deployment.environment"),      SLICE_INIT(""),             AT(old_environment)},
    {SLICE_INIT("container.id"),                SLICE_INIT("docker_id"),    AT(container_id)},
    {SLICE_INIT("k8s.service.name"),            SLICE_INIT(""),             AT(k8s_service)},
    {SLICE_INIT("k8s.pod.ip"),                  SLICE_INIT("pod_ip"),       AT(ip)},
    {SLICE_INIT(""),                            SLICE_INIT("pod_id"),       AT(label[LABEL_POD_UID])},
    {SLICE_INIT(""),                            SLICE_INIT("pod_name"),     AT(label[LABEL_POD_NAME])},
    {SLICE_INIT(""), SLICE_INIT("namespace_name"), AT(label[LABEL_POD_NAMESPACE])},
    {SLICE_INIT(""), SLICE_INIT("container_name"), AT(label[LABEL_CONTAINER])},
#undef TEXT
#undef AT
    /* clang-format on */
};

static void set(struct slice *field, struct slice value)
{
    if (field->len == 0)
        *field = value;
}

/* The shortest key wins: it is the sender's own; the copies that collectors add
 * have a prefix. */
static void set_label(struct resource_attributes *fields, enum label label,
                      struct slice key, struct slice value)
{
    struct slice *own = &fields->label[label], other = value;

    if (value.len == 0)
        return;
    if (own->len == 0 || key.len < fields->label_key_len[label]) {
        other = *own;
        *own = value;
        fields->label_key_len[label] = key.len;
    }
    if (label < LABEL_ENDPOINT && other.len > 0 && !slice_equal(*own, other))
        fields->other[label] = other;
}

static void set_known(struct resource_attributes *fields, struct slice key,
                      struct slice value, bool fluent)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        struct slice name = fluent ? known[i].fluent : known[i].key;

        if (name.len > 0 && slice_equal(name, key)) {
            char *field = (char *)fields + known[i].field;

            set((struct slice *)(void *)field, value);
            return;
        }
    }
}

static void read_one(struct resource_attributes *fields,
                     const struct labels *labels, const struct attr *a)
{
    struct slice key = attr_key(a), value = attr_text(a);
    struct slice fluent = SLICE("kubernetes.");
    enum label label = labels_match(labels, key);

    if (label != LABEL_NONE)
        set_label(fields, label, key, value);
    else if (slice_starts(key, fluent))
        set_known(fields, slice_from(key, fluent.len), value, true);
    else
        set_known(fields, key, value, false);
}

static bool holds_labels(struct slice key)
{
    static const char *const names[] = {"labels", "annotations", "pod_labels",
                                        "pod_annotations"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_equal(key, slice_of(names[i])))
            return true;
    return false;
}

/* fluent-bit's record: { pod_name, ..., labels: {}, annotations: {} }. */
static void read_fluent(struct resource_attributes *fields,
                        const struct labels *labels, const struct attr *map)
{
    for (uint32_t i = 0; i < map->len; i++) {
        const struct attr *a = &map->items[i];

        if (a->type == VALUE_MAP && holds_labels(attr_key(a)))
            for (uint32_t k = 0; k < a->len; k++)
                read_one(fields, labels, &a->items[k]);
        else
            set_known(fields, attr_key(a), attr_text(a), true);
    }
}

void attributes_read(struct resource_attributes *fields,
                     const struct labels *labels, const struct attrs *attrs)
{
    for (uint32_t i = 0; i < attrs->count; i++) {
        const struct attr *a = &attrs->at[i];

        if (a->type == VALUE_STRING)
            read_one(fields, labels, a);
        else if (a->type == VALUE_MAP &&
                 slice_equal(attr_key(a), SLICE("kubernetes")))
            read_fluent(fields, labels, a);
    }
}

/* A Kubernetes event is about its object, not about the pod that reported it.
 */
static void take_object(struct resource_attributes *fields)
{
    bool pod = slice_equal(fields->label[LABEL_OBJECT_KIND], SLICE("Pod"));
    struct slice none = {NULL, 0};

    if (fields->label[LABEL_OBJECT_KIND].len == 0)
        return;
    fields->label[LABEL_POD_UID] = pod ? fields->label[LABEL_OBJECT_UID] : none;
    fields->label[LABEL_POD_NAME] =
        pod ? fields->label[LABEL_OBJECT_NAME] : none;
}

static bool attributes_name_pod(const struct resource_attributes *fields)
{
    return fields->label[LABEL_POD_UID].len > 0 ||
           (fields->label[LABEL_POD_NAME].len > 0 &&
            fields->label[LABEL_POD_NAMESPACE].len > 0);
}

/* Of a record only: elsewhere "pod" and "namespace" are ordinary words. Where
 * they name the scraped target (kube-state-metrics), the pod that the metric is
 * about is in "exported_pod". */
static void take_prometheus(struct resource_attributes *fields)
{
    bool exported = fields->label[LABEL_EXPORTED_POD].len > 0 &&
                    fields->label[LABEL_EXPORTED_NAMESPACE].len > 0;
    struct slice pod =
        fields->label[exported ? LABEL_EXPORTED_POD : LABEL_PROMETHEUS_POD];
    struct slice namespace =
        fields->label[exported ? LABEL_EXPORTED_NAMESPACE
                               : LABEL_PROMETHEUS_NAMESPACE];

    if (!attributes_name_pod(fields) && pod.len > 0 && namespace.len > 0) {
        fields->label[LABEL_POD_NAME] = pod;
        fields->label[LABEL_POD_NAMESPACE] = namespace;
    }
}

/* Completes the pod or object that the record names from its resource: the k8s
 * events receiver has the namespace in the record and the rest there. */
static void take_rest(struct resource_attributes *fields,
                      const struct resource_attributes *resource)
{
    struct slice *own = fields->label;

    if (own[LABEL_POD_NAME].len == 0)
        for (unsigned i = LABEL_OBJECT_KIND; i <= LABEL_OBJECT_UID; i++)
            set(&own[i], resource->label[i]);
    if (own[LABEL_POD_NAME].len > 0 || own[LABEL_OBJECT_NAME].len > 0)
        set(&own[LABEL_POD_NAMESPACE], resource->label[LABEL_POD_NAMESPACE]);
    set(&own[LABEL_CONTAINER], resource->label[LABEL_CONTAINER]);
}

/* The resource is a collector's and describes the collector: its pod is not the
 * record's. Its service serves for the record until the record's pod is known.
 */
static void read_record(struct resource_attributes *fields,
                        const struct labels *labels, const struct attrs *attrs)
{
    struct attrs own = {attrs->at + 1, attrs->count - 1, 0}, rest = {0};
    struct resource_attributes collector = {0};
    int64_t of_record = attrs->at[0].type == VALUE_INT ? attrs->at[0].i : 0;

    if (of_record >= 0 && of_record < (int64_t)own.count) {
        rest.at = own.at + of_record;
        rest.count = own.count - (uint32_t)of_record;
        own.count = (uint32_t)of_record;
    }
    attributes_read(fields, labels, &own);
    attributes_read(&collector, labels, &rest);
    take_prometheus(fields);
    take_rest(fields, &collector);
    if (attributes_stamped(fields))
        return;
    if (attributes_stamped(&collector)) {
        for (unsigned i = 0; i < LABEL_POD_UID; i++)
            set(&fields->label[i], collector.label[i]);
        fields->borrowed = true;
    }
    set(&fields->service, collector.service);
    set(&fields->service_namespace, collector.service_namespace);
    set(&fields->environment, collector.environment);
    set(&fields->old_environment, collector.old_environment);
}

void resource_attributes_of(struct resource_attributes *fields,
                            const struct labels *labels,
                            const struct attrs *attrs, enum resource_kind kind)
{
    memset(fields, 0, sizeof(*fields));
    if (kind == RESOURCE_RECORD && attrs->count > 0)
        read_record(fields, labels, attrs);
    else
        attributes_read(fields, labels, attrs);
    take_object(fields);
}

uint64_t pod_key_of_tenant(uint64_t key, uint64_t tenant)
{
    return key ? hash_mix(hash_mix(key, UINT64_C(0x74656e616e74)), tenant) | 1
               : 0;
}

void attributes_pod_keys(const struct resource_attributes *fields,
                         uint64_t tenant, uint64_t keys[POD_KEY_COUNT])
{
    struct slice uid = fields->label[LABEL_POD_UID];
    struct slice name = fields->label[LABEL_POD_NAME];
    struct slice namespace = fields->label[LABEL_POD_NAMESPACE];
    struct slice container = fields->container_id;

    memset(keys, 0, POD_KEY_COUNT * sizeof(*keys));
    if (fields->borrowed) /* a sender cannot claim the pod of another */
        return;
    if (uid.len > 0)
        keys[POD_KEY_UID] = hash_bytes(uid.ptr, uid.len, 1) | 1;
    if (name.len > 0 && namespace.len > 0)
        keys[POD_KEY_NAME] =
            hash_mix(hash_bytes(namespace.ptr, namespace.len, 2),
                     hash_bytes(name.ptr, name.len, 3)) |
            1;
    if (container.len > 0)
        keys[POD_KEY_CONTAINER] =
            hash_bytes(container.ptr, container.len, 4) | 1;
    for (unsigned i = 0; tenant && i < POD_KEY_COUNT; i++)
        keys[i] = pod_key_of_tenant(keys[i], tenant);
}

uint64_t tenant_of(struct slice namespace)
{
    size_t len = namespace.len < TENANT_BYTES ? namespace.len : TENANT_BYTES;

    return hash_bytes(namespace.ptr, len, 6) | 1;
}

uint64_t attributes_tenant(const struct resource_attributes *fields)
{
    struct slice namespace = fields->label[LABEL_NAMESPACE];

    if (namespace.len == 0)
    namespace = fields->given[IDENTITY_NAMESPACE];
    if (namespace.len == 0 && attributes_stamped(fields))
    namespace = SLICE("default");
    return namespace.len == 0 ? 0 : tenant_of(namespace);
}

bool attributes_name_namespace(const struct resource_attributes *fields)
{
    return fields->label[LABEL_NAMESPACE].len > 0 ||
           fields->given[IDENTITY_NAMESPACE].len > 0;
}

uint8_t attributes_rule(const struct resource_attributes *fields,
                        enum resource_kind kind)
{
    return kind == RESOURCE_RECORD && !fields->borrowed ? RULE_STAMPED_RECORD
                                                        : RULE_STAMPED;
}

bool attributes_stamped(const struct resource_attributes *fields)
{
    return fields->label[LABEL_COMPONENT].len > 0 ||
           fields->label[LABEL_COMPONENT_UID].len > 0 ||
           fields->label[LABEL_PROJECT].len > 0 ||
           fields->label[LABEL_PROJECT_UID].len > 0 ||
           fields->label[LABEL_RESOURCE].len > 0 ||
           fields->label[LABEL_RESOURCE_UID].len > 0;
}

/* SDKs write "unknown_service" or "unknown_service:java" for "not set". */
bool attributes_name_service(const struct resource_attributes *fields)
{
    return fields->service.len > 0 &&
           !slice_starts(fields->service, SLICE("unknown_service"));
}
