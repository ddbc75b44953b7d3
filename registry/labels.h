/*
 * labels - which attribute keys are labels of the control plane, in any
 * collector's spelling.
 *
 * One label has the keys "openchoreo.dev/component-uid",
 * "k8s.pod.labels.openchoreo.dev/component-uid",
 * "kubernetes.labels.openchoreo_dev/component-uid" and
 * "label_openchoreo_dev_component_uid". A known prefix is removed, then the
 * rest is compared with '.', '/' and '-' read as '_'.
 *
 * Nearly every key is no label, so labels_match() first looks into a table by
 * length and last byte, which few other keys pass.
 *
 * Threads  any: a struct labels does not change after labels_init().
 */
#ifndef LABELS_H
#define LABELS_H

#include <stdint.h>

#include "record.h"
#include "registry.h"
#include "slice.h"
#include "status.h"

/* The labels of the control plane, in the order of struct registry_keys; then
 * what names the pod that a record is about, in the spellings of OpenTelemetry
 * and Prometheus, without prefixes. */
enum label {
    LABEL_NAMESPACE,
    LABEL_PROJECT,
    LABEL_COMPONENT,
    LABEL_ENVIRONMENT,
    LABEL_PROJECT_UID,
    LABEL_COMPONENT_UID,
    LABEL_ENVIRONMENT_UID,
    LABEL_RESOURCE,
    LABEL_RESOURCE_UID,
    LABEL_ENDPOINT,
    LABEL_TASK, /* Argo's annotation: the node of a workflow */
    LABEL_POD_UID,
    LABEL_POD_NAME,
    LABEL_POD_NAMESPACE,
    LABEL_PROMETHEUS_POD,
    LABEL_PROMETHEUS_NAMESPACE,
    LABEL_EXPORTED_POD, /* when the two above name the scraped target */
    LABEL_EXPORTED_NAMESPACE,
    LABEL_CONTAINER,
    LABEL_OBJECT_KIND, /* what a Kubernetes event is about */
    LABEL_OBJECT_NAME,
    LABEL_OBJECT_UID,
    LABEL_COUNT,
    LABEL_NONE = LABEL_COUNT
};

enum { LABELS_MAX_KEY = 128, LABELS_MAX_PREFIX = 27 };

struct labels {
    /* By length of a spelling: bit (last byte & 31) is set. */
    uint32_t tails[LABELS_MAX_KEY + LABELS_MAX_PREFIX + 1];
    struct {
        char text[LABELS_MAX_KEY]; /* folded */
        uint32_t len;              /* 0: not used */
    } keys[LABEL_COUNT];
};

/* ERR_INVALID if a key is longer than LABELS_MAX_KEY. An empty key matches
 * nothing. */
MUST_CHECK enum status labels_init(struct labels *labels,
                                   const struct registry_keys *keys);

/* True if the key spells this label. */
bool labels_spell(const struct labels *labels, enum label label,
                  struct slice key);

/* The rest of labels_match(), for keys that pass the table. */
enum label labels_match_slowly(const struct labels *labels, struct slice key);

/* The label that the key spells, or LABEL_NONE. */
static inline enum label labels_match(const struct labels *labels,
                                      struct slice key)
{
    if (key.len == 0 || key.len > LABELS_MAX_KEY + LABELS_MAX_PREFIX ||
        !(labels->tails[key.len] >> (key.ptr[key.len - 1] & 31) & 1))
        return LABEL_NONE;
    return labels_match_slowly(labels, key);
}

#endif
