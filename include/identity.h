/*
 * identity - vocabulary: what a resource resolves to.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdint.h>

#include "slice.h"

/* Which rule of design.md section 3 found it; a smaller one is stronger. */
enum identity_rule {
    RULE_NONE,
    RULE_STAMPED,        /* labels in the resource */
    RULE_STAMPED_RECORD, /* labels on the record or data point */
    RULE_LEARNED,        /* its pod was seen with a stamped identity */
    RULE_INFERRED,       /* service.namespace, service.name */
    RULE_UNASSIGNED
};

#define IDENTITY_NONE UINT32_MAX

/*
 * Numbers are dense, from 0; one is given to another identity only when nothing
 * that is stored can refer to it any more. An UNASSIGNED identity has empty
 * project and component. Where a pod is known, an UNASSIGNED or INFERRED
 * identity belongs to that pod only, so that it can be re-tagged as a whole. A
 * uid that is not known is empty.
 */
struct identity {
    uint32_t id;
    uint8_t rule; /* enum identity_rule */
    struct slice namespace, project, component, environment;
    struct slice project_uid, component_uid, environment_uid;
};

#endif
