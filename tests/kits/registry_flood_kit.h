/*
 * registry_flood_kit - registries of a few places, and floods of resources that
 * fill them.
 */
#ifndef REGISTRY_FLOOD_KIT_H
#define REGISTRY_FLOOD_KIT_H

#include "registry_kit.h"

static inline uint32_t resolve_at(struct bed *bed, const char *text,
                                  uint64_t time_ns)
{
    struct resource resource = {.attrs = attrs_of(bed, text),
                                .id = RESOURCE_NONE};

    registry_resolve(bed->registry, &resource, time_ns);
    return resource.id;
}

static inline bool is_overflow(const struct bed *bed, uint32_t id)
{
    return slice_equal(attr_key(&bed->store->resource[id].attrs.at[0]),
                       SLICE("callboard.overflow"));
}

static inline void with(struct bed *bed, uint32_t resources,
                        uint32_t identities)
{
    options = (struct registry_options){.max_resources = resources,
                                        .max_identities = identities};
    bed_init(bed);
}

static inline void flood(struct bed *bed, const char *stamp, const char *key,
                         int count, uint64_t time_ns)
{
    char text[200];

    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof(text), "%s %s=%d", stamp, key, i);
        resolve_at(bed, text, time_ns);
        if (i % 1000 == 999)
            arena_reset(&bed->arena);
    }
}

#endif
