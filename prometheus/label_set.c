/*
 * Sets of labels: of attributes, of resources, of identities.
 */
#include "prom_names.h"
#include "selection.h"

static uint32_t find(const struct label_set *set, struct slice name)
{
    uint32_t low = 0, high = set->count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (slice_compare(set->at[mid].name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct slice join(struct slice a, struct slice b, struct arena *arena)
{
    char *at = arena_alloc(arena, a.len + 1 + b.len);

    if (!at)
        return a;
    slice_copy(at, a);
    at[a.len] = ';';
    slice_copy(at + a.len + 1, b);
    return (struct slice){at, a.len + 1 + b.len};
}

bool labels_put(struct label_set *set, struct slice name, struct slice value,
                enum label_rule rule, struct arena *arena)
{
    uint32_t at = find(set, name);
    struct promql_label *label = &set->at[at];
    bool differs;

    if (value.len == 0 || name.len == 0)
        return false;
    if (at < set->count && slice_equal(label->name, name)) {
        differs = !slice_equal(label->value, value);
        if (rule == LABEL_REPLACE)
            label->value = value;
        else if (rule == LABEL_JOIN)
            label->value = join(label->value, value, arena);
        return differs;
    }
    if (set->count == LABELS_MAX)
        return false;
    memmove(label + 1, label, (set->count - at) * sizeof(*label));
    *label = (struct promql_label){name, value};
    set->count++;
    return false;
}

/* ---- attributes ---- */

/* In the order of their keys, as values are joined. */
static uint32_t next_key(const struct attrs *attrs, const struct attr *last)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t i = 0; i < attrs->count; i++) {
        struct slice key = attr_key(&attrs->at[i]);

        if (last && slice_compare(key, attr_key(last)) <= 0)
            continue;
        if (best == UINT32_MAX ||
            slice_compare(key, attr_key(&attrs->at[best])) < 0)
            best = i;
    }
    return best;
}

static bool has_label(const struct label_set *set, struct slice name)
{
    uint32_t at = find(set, name);

    return at < set->count && slice_equal(set->at[at].name, name);
}

void labels_put_attrs(struct label_set *set, const struct attrs *attrs,
                      struct arena *arena)
{
    bool collide = false;

    for (uint32_t i = 0; i < attrs->count && !collide; i++) {
        struct slice name = prom_label_name(attr_key(&attrs->at[i]), arena);

        collide = has_label(set, name);
        if (!collide)
            labels_put(set, name, prom_label_value(&attrs->at[i], arena),
                       LABEL_KEEP, arena);
    }
    if (!collide)
        return;
    set->count = 0;
    for (uint32_t i = next_key(attrs, NULL); i != UINT32_MAX;
         i = next_key(attrs, &attrs->at[i]))
        labels_put(set, prom_label_name(attr_key(&attrs->at[i]), arena),
                   prom_label_value(&attrs->at[i], arena), LABEL_JOIN, arena);
}

/* ---- resources ---- */

/* Those that tell instances of a component apart, and where they run: what
 * Prometheus' guide for OpenTelemetry promotes, and four more. */
static const char *const promoted[] = {
    "service.name",
    "service.namespace",
    "service.instance.id",
    "service.version",
    "cloud.availability_zone",
    "cloud.region",
    "container.name",
    "deployment.environment",
    "deployment.environment.name",
    "host.name",
    "k8s.cluster.name",
    "k8s.container.name",
    "k8s.cronjob.name",
    "k8s.daemonset.name",
    "k8s.deployment.name",
    "k8s.job.name",
    "k8s.namespace.name",
    "k8s.node.name",
    "k8s.pod.name",
    "k8s.pod.uid",
    "k8s.replicaset.name",
    "k8s.statefulset.name",
    NULL,
};

void labels_put_identity(struct label_set *set, const struct identity *identity)
{
    static const struct slice names[IDENTITY_NAMES] = {
        [IDENTITY_NAMESPACE] = SLICE_INIT("namespace"),
        [IDENTITY_PROJECT] = SLICE_INIT("project"),
        [IDENTITY_COMPONENT] = SLICE_INIT("component"),
        [IDENTITY_ENVIRONMENT] = SLICE_INIT("environment"),
    };

    for (int i = 0; i < IDENTITY_NAMES; i++)
        labels_put(set, names[i], identity->text[i], LABEL_KEEP, NULL);
}

static void put_job(struct label_set *set, const struct attrs *attrs,
                    struct arena *arena)
{
    static const struct slice instance_key = SLICE_INIT("service.instance.id");
    struct slice service = attrs_text(attrs, SLICE("service.name"));
    struct slice space = attrs_text(attrs, SLICE("service.namespace"));
    const struct attr *instance = attrs_find(attrs, instance_key);
    char *at;

    if (service.len > 0 && space.len > 0 &&
        (at = arena_alloc(arena, space.len + 1 + service.len))) {
        slice_copy(at, space);
        at[space.len] = '/';
        slice_copy(at + space.len + 1, service);
        service = (struct slice){at, space.len + 1 + service.len};
    }
    labels_put(set, SLICE("job"), service, LABEL_KEEP, arena);
    if (instance)
        labels_put(set, SLICE("instance"), prom_label_value(instance, arena),
                   LABEL_KEEP, arena);
}

void labels_put_resource(struct label_set *set, const struct attrs *attrs,
                         const struct identity *identity, struct arena *arena)
{
    if (attrs->count == 0)
        return;
    put_job(set, attrs, arena);
    for (int i = 0; promoted[i]; i++) {
        const struct attr *found = attrs_find(attrs, slice_of(promoted[i]));

        if (found)
            labels_put(set, prom_label_name(attr_key(found), arena),
                       prom_label_value(found, arena), LABEL_KEEP, arena);
    }
    if (identity->rule != RULE_UNASSIGNED && identity->rule != RULE_NONE)
        labels_put_identity(set, identity);
    else if (attrs_find(attrs, SLICE("k8s.namespace.name")))
        labels_put(set, SLICE("namespace"), identity->namespace, LABEL_KEEP,
                   arena);
}

bool labels_put_target(struct label_set *set, const struct attrs *attrs,
                       struct arena *arena)
{
    static const char *const identifying[] = {
        "service.name", "service.namespace", "service.instance.id", NULL};
    struct label_set others;
    struct attr *at = arena_zero(arena, attrs->count + 1, sizeof(*at));
    struct attrs rest = {.at = at};

    put_job(set, attrs, arena);
    if (!at || set->count == 0)
        return false;
    for (uint32_t i = 0; i < attrs->count; i++) {
        bool skip = false;

        for (int k = 0; identifying[k]; k++)
            skip |=
                slice_equal(attr_key(&attrs->at[i]), slice_of(identifying[k]));
        if (!skip)
            at[rest.count++] = attrs->at[i];
    }
    others.count = 0;
    labels_put_attrs(&others, &rest, arena);
    for (uint32_t i = 0; i < others.count; i++)
        labels_put(set, others.at[i].name, others.at[i].value, LABEL_KEEP,
                   arena);
    return rest.count > 0;
}
