/*
 * What the attributes of a resource say: their fingerprint, and the few of
 * them that identity, pods and hosts come from.
 *
 * The fingerprint adds up one hash per attribute, so the order in which a
 * sender lists them does not count. Sums, not exclusive ors: an attribute that
 * comes twice would cancel itself.
 */
#include "attr_hash.h"
#include "hash.h"
#include "registry_int.h"

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

uint64_t fingerprint_key(struct fingerprint f, enum resource_kind kind)
{
    return kind == RESOURCE_PLAIN
               ? f.hash
               : hash_mix(f.hash, UINT64_C(0x9e6c63d0676a9a99) * kind);
}

/* ---- facts ---- */

/* Where each known key goes, as OpenTelemetry names it and as fluent-bit does
 * inside "kubernetes". */
static const struct {
    struct slice key, fluent;
    size_t field;
} known[] = {
/* clang-format off */
#define AT(member) offsetof(struct resource_attributes, member)
#define TEXT(literal) {(literal), sizeof(literal) - 1}
    {TEXT("service.name"),                TEXT(""),             AT(service)},
    {TEXT("service.namespace"),           TEXT(""),             AT(service_namespace)},
    {TEXT("deployment.environment.name"), TEXT(""),             AT(environment)},
    {TEXT("deployment.environment"),      TEXT(""),             AT(old_environment)},
    {TEXT("container.id"),                TEXT("docker_id"),    AT(container_id)},
    {TEXT("k8s.service.name"),            TEXT(""),             AT(k8s_service)},
    {TEXT("k8s.pod.ip"),                  TEXT("pod_ip"),       AT(ip)},
    {TEXT(""),                            TEXT("pod_id"),       AT(label[LABEL_POD_UID])},
    {TEXT(""),                            TEXT("pod_name"),     AT(label[LABEL_POD_NAME])},
    {TEXT(""), TEXT("namespace_name"), AT(label[LABEL_POD_NAMESPACE])},
    {TEXT(""), TEXT("container_name"), AT(label[LABEL_CONTAINER])},
#undef TEXT
#undef AT
    /* clang-format on */
};

static void set(struct slice *field, struct slice value)
{
    if (field->len == 0)
        *field = value;
}

/* The bare key, the shortest, is the sender's own word; the copies that
 * collectors add come with a prefix. */
static void set_label(struct resource_attributes *facts, enum label label,
                      struct slice key, struct slice value)
{
    if (value.len > 0 && (facts->label[label].len == 0 ||
                          key.len < facts->label_key_len[label])) {
        facts->label[label] = value;
        facts->label_key_len[label] = key.len;
    }
}

static void set_known(struct resource_attributes *facts, struct slice key,
                      struct slice value, bool fluent)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        struct slice name = fluent ? known[i].fluent : known[i].key;

        if (name.len > 0 && slice_equal(name, key)) {
            char *field = (char *)facts + known[i].field;

            set((struct slice *)(void *)field, value);
            return;
        }
    }
}

static void read_one(struct resource_attributes *facts,
                     const struct labels *labels, const struct attr *a)
{
    struct slice key = attr_key(a), value = attr_text(a);
    struct slice fluent = SLICE("kubernetes.");
    enum label label = labels_match(labels, key);

    if (label != LABEL_NONE)
        set_label(facts, label, key, value);
    else if (slice_starts(key, fluent))
        set_known(facts, slice_from(key, fluent.len), value, true);
    else
        set_known(facts, key, value, false);
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
static void read_fluent(struct resource_attributes *facts,
                        const struct labels *labels, const struct attr *map)
{
    for (uint32_t i = 0; i < map->len; i++) {
        const struct attr *a = &map->items[i];

        if (a->type == VALUE_MAP && holds_labels(attr_key(a)))
            for (uint32_t k = 0; k < a->len; k++)
                read_one(facts, labels, &a->items[k]);
        else
            set_known(facts, attr_key(a), attr_text(a), true);
    }
}

void attributes_read(struct resource_attributes *facts,
                     const struct labels *labels, const struct attrs *attrs)
{
    for (uint32_t i = 0; i < attrs->count; i++) {
        const struct attr *a = &attrs->at[i];

        if (a->type == VALUE_STRING)
            read_one(facts, labels, a);
        else if (a->type == VALUE_MAP &&
                 slice_equal(attr_key(a), SLICE("kubernetes")))
            read_fluent(facts, labels, a);
    }
}

/* A Kubernetes event is about its object, whichever pod reported it. */
static void take_object(struct resource_attributes *facts)
{
    bool pod = slice_equal(facts->label[LABEL_OBJECT_KIND], SLICE("Pod"));
    struct slice none = {NULL, 0};

    if (facts->label[LABEL_OBJECT_KIND].len == 0)
        return;
    facts->label[LABEL_POD_UID] = pod ? facts->label[LABEL_OBJECT_UID] : none;
    facts->label[LABEL_POD_NAME] = pod ? facts->label[LABEL_OBJECT_NAME] : none;
}

bool attributes_name_pod(const struct resource_attributes *facts)
{
    return facts->label[LABEL_POD_UID].len > 0 ||
           (facts->label[LABEL_POD_NAME].len > 0 &&
            facts->label[LABEL_POD_NAMESPACE].len > 0);
}

/* Of a record only: "pod" and "namespace" are ordinary words elsewhere. Where
 * Prometheus gave these to the scraped target (kube-state-metrics), what the
 * metric is about is "exported_". */
static void take_prometheus(struct resource_attributes *facts)
{
    bool exported = facts->label[LABEL_EXPORTED_POD].len > 0 &&
                    facts->label[LABEL_EXPORTED_NAMESPACE].len > 0;
    struct slice pod =
        facts->label[exported ? LABEL_EXPORTED_POD : LABEL_PROMETHEUS_POD];
    struct slice namespace =
        facts->label[exported ? LABEL_EXPORTED_NAMESPACE
                              : LABEL_PROMETHEUS_NAMESPACE];

    if (!attributes_name_pod(facts) && pod.len > 0 && namespace.len > 0) {
        facts->label[LABEL_POD_NAME] = pod;
        facts->label[LABEL_POD_NAMESPACE] = namespace;
    }
}

/* What the record leaves open of the pod or the object that it names: the k8s
 * events receiver has the namespace here and the rest there. */
static void take_rest(struct resource_attributes *facts,
                      const struct resource_attributes *resource)
{
    struct slice *own = facts->label;

    if (own[LABEL_POD_NAME].len == 0)
        for (unsigned i = LABEL_OBJECT_KIND; i <= LABEL_OBJECT_UID; i++)
            set(&own[i], resource->label[i]);
    if (own[LABEL_POD_NAME].len > 0 || own[LABEL_OBJECT_NAME].len > 0)
        set(&own[LABEL_POD_NAMESPACE], resource->label[LABEL_POD_NAMESPACE]);
    set(&own[LABEL_CONTAINER], resource->label[LABEL_CONTAINER]);
}

/* The resource is a collector's and speaks of itself: its pod is not the
 * record's. Its service is what the record goes by until its pod is known. */
static void read_record(struct resource_attributes *facts,
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
    attributes_read(facts, labels, &own);
    attributes_read(&collector, labels, &rest);
    take_prometheus(facts);
    take_rest(facts, &collector);
    if (attributes_stamped(facts))
        return;
    if (attributes_stamped(&collector)) {
        for (unsigned i = 0; i < LABEL_POD_UID; i++)
            set(&facts->label[i], collector.label[i]);
        facts->borrowed = true;
    }
    set(&facts->service, collector.service);
    set(&facts->service_namespace, collector.service_namespace);
    set(&facts->environment, collector.environment);
    set(&facts->old_environment, collector.old_environment);
}

void resource_attributes_of(struct resource_attributes *facts,
                            const struct labels *labels,
                            const struct attrs *attrs, enum resource_kind kind)
{
    memset(facts, 0, sizeof(*facts));
    if (kind == RESOURCE_RECORD && attrs->count > 0)
        read_record(facts, labels, attrs);
    else
        attributes_read(facts, labels, attrs);
    take_object(facts);
}

/* A name that may be left out leaves the last quarter to names that must not.
 */
static uint32_t keep(struct registry *registry, struct slice text)
{
    uint32_t name = intern_add_within(&registry->names, text,
                                      registry->names.max_bytes / 4 * 3);

    return name == INTERN_FULL ? 0 : name;
}

void attributes_pod_keys(const struct resource_attributes *facts,
                         uint64_t keys[POD_KEY_COUNT])
{
    struct slice uid = facts->label[LABEL_POD_UID];
    struct slice name = facts->label[LABEL_POD_NAME];
    struct slice namespace = facts->label[LABEL_POD_NAMESPACE];
    struct slice container = facts->container_id;

    memset(keys, 0, POD_KEY_COUNT * sizeof(*keys));
    if (facts->borrowed) /* a sender cannot claim another's pod */
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
}

static bool is_helper(struct slice container)
{
    return slice_equal(container, SLICE("init")) ||
           slice_equal(container, SLICE("wait"));
}

void attributes_set_flags(const struct resource_attributes *facts,
                          struct resource_state *res)
{
    struct slice object = facts->label[LABEL_OBJECT_NAME];

    res->has_space = facts->label[LABEL_POD_NAMESPACE].len > 0;
    res->has_pod = facts->label[LABEL_POD_NAME].len > 0 || object.len > 0;
    res->object = facts->label[LABEL_OBJECT_KIND].len > 0 && object.len > 0;
    res->helper = is_helper(facts->label[LABEL_CONTAINER]);
    res->says_space = attributes_tenant(facts) != 0;
}

void attributes_store(struct registry *registry,
                      const struct resource_attributes *facts,
                      enum resource_kind kind, struct live_resource *live)
{
    struct slice name = facts->label[LABEL_POD_NAME];

    if (name.len == 0)
        name = facts->label[LABEL_OBJECT_NAME];
    live->k8s_namespace = keep(registry, facts->label[LABEL_POD_NAMESPACE]);
    live->pod_name = keep(registry, name);
    live->task = keep(registry, facts->label[LABEL_TASK]);
    live->ip = keep(registry, facts->ip);
    live->k8s_service = keep(registry, facts->k8s_service);
    /* What a record goes by is not the name of the pod's own service. */
    if (attributes_name_service(facts) && kind == RESOURCE_PLAIN)
        live->service = keep(registry, facts->service);
}

uint64_t tenant_of(struct slice namespace)
{
    size_t len = namespace.len < TENANT_BYTES ? namespace.len : TENANT_BYTES;

    return hash_bytes(namespace.ptr, len, 6) | 1;
}

uint64_t attributes_tenant(const struct resource_attributes *facts)
{
    struct slice namespace = facts->label[LABEL_NAMESPACE];

    if (namespace.len == 0 && attributes_stamped(facts))
    namespace = SLICE("default");
    return namespace.len == 0 ? 0 : tenant_of(namespace);
}

uint8_t attributes_rule(const struct resource_attributes *facts,
                        enum resource_kind kind)
{
    return kind == RESOURCE_RECORD && !facts->borrowed ? RULE_STAMPED_RECORD
                                                       : RULE_STAMPED;
}

bool attributes_stamped(const struct resource_attributes *facts)
{
    return facts->label[LABEL_COMPONENT].len > 0 ||
           facts->label[LABEL_COMPONENT_UID].len > 0 ||
           facts->label[LABEL_PROJECT].len > 0 ||
           facts->label[LABEL_PROJECT_UID].len > 0 ||
           facts->label[LABEL_RESOURCE].len > 0 ||
           facts->label[LABEL_RESOURCE_UID].len > 0;
}

/* SDKs say "unknown_service" or "unknown_service:java" for "not set". */
bool attributes_name_service(const struct resource_attributes *facts)
{
    return facts->service.len > 0 &&
           !slice_starts(facts->service, SLICE("unknown_service"));
}
