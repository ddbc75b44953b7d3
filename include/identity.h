/*
 * identity - what a resource resolves to: a component in an environment.
 *
 * Purpose:    vocabulary of registry, correlator, store and queries.
 * Ownership:  the texts are borrowed; whoever fills an identity says how long
 *             they last.
 * Threads:    plain values, no rule of their own.
 * Errors:     none.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdint.h>

#include "slice.h"

/* The rule that found an identity (docs/correlation.md); a smaller one is
 * stronger. */
enum identity_rule {
    RULE_NONE,
    RULE_STAMPED,        /* labels in the resource */
    RULE_STAMPED_RECORD, /* labels on the record or data point */
    RULE_LEARNED,        /* its pod was seen with a stamped identity */
    RULE_INFERRED,       /* service.namespace, service.name */
    RULE_UNASSIGNED
};

/* Index of a text; identities sort by the first IDENTITY_NAMES of them. */
enum identity_text {
    IDENTITY_NAMESPACE,
    IDENTITY_PROJECT,
    IDENTITY_COMPONENT,
    IDENTITY_ENVIRONMENT,
    IDENTITY_NAMES,
    IDENTITY_PROJECT_UID = IDENTITY_NAMES,
    IDENTITY_COMPONENT_UID,
    IDENTITY_ENVIRONMENT_UID,
    IDENTITY_TEXTS
};

#define IDENTITY_NONE UINT32_MAX

/*
 * Ids are dense and start at 0. An id is reused only when no stored record can
 * refer to it any more; registry_identity_generation() tells the uses apart.
 * An UNASSIGNED identity has empty project and component. Where the pod is
 * known, an UNASSIGNED or INFERRED identity belongs to that pod only, so it can
 * be re-tagged as a whole. An unknown uid is empty.
 */
struct identity {
    uint32_t id;
    uint8_t rule; /* enum identity_rule */
    union {
        struct {
            struct slice namespace, project, component, environment;
            struct slice project_uid, component_uid, environment_uid;
        };
        struct slice text[IDENTITY_TEXTS];
    };
};

#endif
