/* Why a resource has no component; see registry.h. */
#include "registry_int.h"

static enum resource_kind kind_of(const struct attrs *attrs)
{
    return attrs->count > 0 &&
                   slice_equal(attr_key(attrs->at), SLICE(RECORD_MARK))
               ? RESOURCE_RECORD
               : RESOURCE_PLAIN;
}

static bool has_pod(const struct resource_attributes *fields)
{
    uint64_t keys[POD_KEY_COUNT];

    attributes_pod_keys(fields, 0, keys);
    for (int i = 0; i < POD_KEY_COUNT; i++)
        if (keys[i])
            return true;
    return false;
}

enum unassigned_reason registry_why_unassigned(const struct registry *reg,
                                               const struct attrs *attrs)
{
    struct resource_attributes fields;

    resource_attributes_of(&fields, &reg->labels, attrs, kind_of(attrs));
    if (fields.label[LABEL_COMPONENT].len > 0 ||
        fields.label[LABEL_COMPONENT_UID].len > 0 ||
        attributes_name_service(&fields))
        return UNASSIGNED_NO_ROOM;
    if (attributes_stamped(&fields))
        return UNASSIGNED_NO_COMPONENT;
    if (has_pod(&fields))
        return UNASSIGNED_POD_NOT_STAMPED;
    return fields.service.len > 0 ? UNASSIGNED_UNKNOWN_SERVICE
                                  : UNASSIGNED_NO_SERVICE_NAME;
}

const struct registry_keys *registry_label_keys(const struct registry *reg)
{
    return &reg->options.keys;
}
