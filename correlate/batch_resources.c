/*
 * A direct-mapped table by resource id; a resource that was replaced is looked
 * up again. Records of one resource nearly always come together and minutes
 * change rarely, so a record costs a comparison and an addition.
 */
#include "clock.h"
#include "hash.h"
#include "tagger.h"

static void count_records(struct tagger *tagger, struct batch_resource *entry)
{
    const struct component *component = entry->component;
    struct derived_labels labels = {.family = DERIVED_FAMILY_RECORDS,
                                    .kind = (uint8_t)tagger->batch->signal};

    if (!component || entry->records == 0)
        return;
    labels.identity = component->identity;
    /* Senders without a component are told apart by their resources. */
    labels.resource = component->unassigned ? entry->id : component->resource;
    labels.hash = hash_mix(DERIVED_FAMILY_RECORDS << 8 | labels.kind,
                           component->unassigned ? 2 + (uint64_t)entry->id : 1);
    derived_add_count(
        derived_get(tagger->derived, &labels, entry->minute * NS_PER_MIN, NULL),
        entry->records);
    entry->records = 0;
}

static void end(struct tagger *tagger, struct batch_resource *entry)
{
    count_records(tagger, entry);
    if (entry->newest_ns > tagger->newest_ns)
        tagger->newest_ns = entry->newest_ns;
    if (entry->component)
        registry_touch(tagger->registry, entry->component->identity,
                       tagger->batch->signal, entry->newest_ns);
}

static void begin(struct tagger *tagger, struct batch_resource *entry,
                  const struct resource *resource, uint32_t id,
                  uint64_t time_ns)
{
    uint32_t identity = registry_identity_id(tagger->registry, id);

    *entry = (struct batch_resource){
        .resource = resource,
        .id = id,
        .is_object =
            attrs_find(&resource->attrs, SLICE("k8s.object.kind")) != NULL,
        .endpoint =
            registry_endpoint_label(tagger->registry, &resource->attrs)};
    if (identity == IDENTITY_NONE)
        return;
    entry->component = components_get(tagger->components, identity);
    if (id == resource->id)
        change_detector_observe(
            tagger->changes, entry->component, resource,
            registry_resource_generation(tagger->registry, id), time_ns);
}

struct batch_resource *batch_resources_get(struct tagger *tagger,
                                           const struct resource *resource,
                                           uint32_t id, uint64_t time_ns)
{
    uint32_t at = id % BATCH_RESOURCES_CACHED;
    struct batch_resource *entry = &tagger->resources.at[at];
    uint64_t bit = UINT64_C(1) << at, minute = time_ns / NS_PER_MIN;

    if (!(tagger->resources.used & bit) || entry->id != id ||
        entry->resource != resource) {
        if (tagger->resources.used & bit)
            end(tagger, entry);
        begin(tagger, entry, resource, id, time_ns);
        tagger->resources.used |= bit;
        entry->minute = minute;
    } else if (entry->minute != minute) {
        count_records(tagger, entry);
        entry->minute = minute;
    }
    entry->records++;
    if (time_ns > entry->newest_ns)
        entry->newest_ns = time_ns;
    return entry;
}

void batch_resources_count(struct tagger *tagger)
{
    for (uint32_t at = 0; at < BATCH_RESOURCES_CACHED; at++)
        if (tagger->resources.used >> at & 1)
            count_records(tagger, &tagger->resources.at[at]);
}

void batch_resources_end(struct tagger *tagger)
{
    for (uint32_t at = 0; at < BATCH_RESOURCES_CACHED; at++)
        if (tagger->resources.used >> at & 1)
            end(tagger, &tagger->resources.at[at]);
    tagger->resources.used = 0;
}
