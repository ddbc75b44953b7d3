/* What a stored resource was made of: see registry.h. */
#include "registry_shared.h"

static bool is_marked(const struct attrs *attrs, struct slice mark)
{
    return attrs->count > 0 && slice_equal(attr_key(attrs->at), mark);
}

struct stored_resource registry_stored(const struct registry *reg, uint32_t id,
                                       const struct attrs *attrs)
{
    struct stored_resource out = {.attrs = *attrs};
    const struct resource_state *state;

    if (id >= reg->resources.count)
        return out;
    state = &reg->resources.at[id];
    out.of_tenant = state->of_tenant;
    out.synthetic =
        state->kind == RESOURCE_DERIVED || state->kind == RESOURCE_OVERFLOW;
    out.derived = state->kind == RESOURCE_DERIVED;
    if (out.synthetic) {
        out.attrs = (struct attrs){.at = NULL};
    } else if (is_marked(attrs, SLICE(RECORD_MARK))) {
        uint64_t labels = (uint64_t)attrs->at[0].i;

        if (attrs->at[0].type != VALUE_INT || labels >= attrs->count)
            labels = 0;
        out.labels = (struct attrs){attrs->at + 1, (uint32_t)labels, 0};
        out.attrs.at += 1 + labels;
        out.attrs.count -= 1 + (uint32_t)labels;
    }
    return out;
}
