/*
 * A key is compared from its end: the tail must fold to one of the labels, and
 * the rest must be empty or fold to one of the prefixes. Prefixes are folded as
 * well, because stores that flatten keys write
 * "k8s_pod_labels_openchoreo_dev_component".
 */
#include "labels.h"

const struct registry_keys registry_default_keys = {
    .namespace = SLICE_INIT("openchoreo.dev/namespace"),
    .project = SLICE_INIT("openchoreo.dev/project"),
    .component = SLICE_INIT("openchoreo.dev/component"),
    .environment = SLICE_INIT("openchoreo.dev/environment"),
    .project_uid = SLICE_INIT("openchoreo.dev/project-uid"),
    .component_uid = SLICE_INIT("openchoreo.dev/component-uid"),
    .environment_uid = SLICE_INIT("openchoreo.dev/environment-uid"),
    .resource = SLICE_INIT("openchoreo.dev/resource"),
    .resource_uid = SLICE_INIT("openchoreo.dev/resource-uid"),
    .endpoint = SLICE_INIT("openchoreo.dev/endpoint-name"),
};

/* Of labels and, from ANNOTATIONS on, of annotations. The longest has
 * LABELS_MAX_PREFIX bytes. */
static const struct slice prefixes[] = {
    SLICE_INIT(""),
    SLICE_INIT("k8s_pod_labels_"),
    SLICE_INIT("k8s_pod_label_"),
    SLICE_INIT("k8s_object_label_"),
    SLICE_INIT("kubernetes_labels_"),
    SLICE_INIT("label_"),
    SLICE_INIT("kubernetes_pod_labels_"),
    SLICE_INIT(""),
    SLICE_INIT("k8s_pod_annotations_"),
    SLICE_INIT("k8s_pod_annotation_"),
    SLICE_INIT("kubernetes_annotations_"),
    SLICE_INIT("kubernetes_pod_annotations_"),
};

enum { PREFIX_COUNT = sizeof(prefixes) / sizeof(*prefixes), ANNOTATIONS = 7 };

static char fold(char c)
{
    return c == '.' || c == '/' || c == '-' ? '_' : c;
}

/* True if the key ends in this tail, which is folded. */
static bool ends_folded(struct slice key, struct slice tail)
{
    if (key.len < tail.len)
        return false;
    /* Backwards, because the labels begin alike. */
    for (size_t i = 1; i <= tail.len; i++)
        if (fold(key.ptr[key.len - i]) != tail.ptr[tail.len - i])
            return false;
    return true;
}

/* The range of prefixes of a label; the first one is empty. */
static size_t first_prefix(enum label label)
{
    return label == LABEL_TASK ? ANNOTATIONS : 0;
}

static size_t end_prefix(enum label label)
{
    if (label >= LABEL_POD_UID)
        return 1;
    return label == LABEL_TASK ? PREFIX_COUNT : ANNOTATIONS;
}

static uint32_t tail_bit(char c)
{
    return UINT32_C(1) << (c & 31);
}

static enum status set_key(struct labels *labels, enum label label,
                           struct slice key)
{
    if (key.len > LABELS_MAX_KEY)
        return ERR_INVALID;
    labels->keys[label].len = (uint32_t)key.len;
    if (key.len == 0)
        return OK;
    for (size_t i = 0; i < key.len; i++)
        labels->keys[label].text[i] = fold(key.ptr[i]);

    char last = labels->keys[label].text[key.len - 1];
    uint32_t tails = tail_bit(last);

    if (last == '_') /* the sender's may be any byte that folds to it */
        tails |= tail_bit('.') | tail_bit('/') | tail_bit('-');
    for (size_t i = first_prefix(label); i < end_prefix(label); i++)
        labels->tails[key.len + prefixes[i].len] |= tails;
    return OK;
}

enum status labels_init(struct labels *labels, const struct registry_keys *keys)
{
    static const struct slice fixed[LABEL_COUNT - REGISTRY_KEYS] = {
        [LABEL_TASK - REGISTRY_KEYS] =
            SLICE_INIT("workflows.argoproj.io/node-name"),
        [LABEL_POD_UID - REGISTRY_KEYS] = SLICE_INIT("k8s.pod.uid"),
        [LABEL_POD_NAME - REGISTRY_KEYS] = SLICE_INIT("k8s.pod.name"),
        [LABEL_POD_NAMESPACE - REGISTRY_KEYS] =
            SLICE_INIT("k8s.namespace.name"),
        [LABEL_PROMETHEUS_POD - REGISTRY_KEYS] = SLICE_INIT("pod"),
        [LABEL_PROMETHEUS_NAMESPACE - REGISTRY_KEYS] = SLICE_INIT("namespace"),
        [LABEL_EXPORTED_POD - REGISTRY_KEYS] = SLICE_INIT("exported_pod"),
        [LABEL_EXPORTED_NAMESPACE - REGISTRY_KEYS] =
            SLICE_INIT("exported_namespace"),
        [LABEL_CONTAINER - REGISTRY_KEYS] = SLICE_INIT("k8s.container.name"),
        [LABEL_OBJECT_KIND - REGISTRY_KEYS] = SLICE_INIT("k8s.object.kind"),
        [LABEL_OBJECT_NAME - REGISTRY_KEYS] = SLICE_INIT("k8s.object.name"),
        [LABEL_OBJECT_UID - REGISTRY_KEYS] = SLICE_INIT("k8s.object.uid"),
    };
    enum status status = OK;

    memset(labels, 0, sizeof(*labels));
    for (unsigned i = 0; i < LABEL_COUNT && status == OK; i++)
        status = set_key(labels, (enum label)i,
                         i < REGISTRY_KEYS ? keys->key[i]
                                           : fixed[i - REGISTRY_KEYS]);
    return status;
}

bool labels_spell(const struct labels *labels, enum label label,
                  struct slice key)
{
    struct slice tail = {labels->keys[label].text, labels->keys[label].len};
    struct slice front;

    if (tail.len == 0 || !ends_folded(key, tail))
        return false;
    front = (struct slice){key.ptr, key.len - tail.len};
    for (size_t i = first_prefix(label); i < end_prefix(label); i++)
        if (front.len == prefixes[i].len && ends_folded(front, prefixes[i]))
            return true;
    return false;
}

enum label labels_match_slowly(const struct labels *labels, struct slice key)
{
    for (unsigned label = 0; label < LABEL_COUNT; label++)
        if (labels_spell(labels, (enum label)label, key))
            return (enum label)label;
    return LABEL_NONE;
}
