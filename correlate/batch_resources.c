/*
 * A direct-mapped table by resource id. Records of one resource come together
 * nearly always, and minutes change rarely, so a record costs a comparison and
 * an addition.
 */
#include "batch_resources.h"

#include "clock.h"
#include "hash.h"
#include "tagger.h"

static void count(struct tagger *tagger, struct batch_resource *sender)
{
    const struct component *component = sender->component;
    struct derived_labels labels = {.family = DERIVED_FAMILY_RECORDS,
                                    .kind = (uint8_t)tagger->batch->signal};
    uint32_t none = UINT32_MAX;
    struct derived_series *series;

    if (!component || sender->records == 0)
        return;
    labels.identity = component->identity;
    labels.resource = component->resource;
    labels.hash = hash_mix(DERIVED_FAMILY_RECORDS << 8 | labels.kind, 1);
    series = derived_get(tagger->derived, &labels, sender->minute * NS_PER_MIN,
                         &none);
    if (series)
        derived_add_count(series, sender->records);
    sender->records = 0;
}

static void end(struct tagger *tagger, struct batch_resource *sender)
{
    count(tagger, sender);
    if (sender->newest_ns > tagger->newest_ns)
        tagger->newest_ns = sender->newest_ns;
    if (sender->component)
        registry_touch(tagger->registry, sender->component->identity,
                       tagger->batch->signal, sender->newest_ns);
}

static void begin(struct tagger *tagger, struct batch_resource *sender,
                  const struct resource *resource, uint32_t id,
                  uint64_t time_ns)
{
    uint32_t identity = registry_identity_id(tagger->registry, id);

    *sender = (struct batch_resource){
        .resource = resource,
        .id = id,
        .is_object =
            attrs_find(&resource->attrs, SLICE("k8s.object.kind")) != NULL,
        .endpoint =
            registry_endpoint_label(tagger->registry, &resource->attrs)};
    if (identity == IDENTITY_NONE)
        return;
    sender->component = components_get(tagger->components, identity);
    if (id == resource->id)
        change_detector_observe(
            tagger->changes, sender->component, resource,
            registry_resource_generation(tagger->registry, id), time_ns);
}

struct batch_resource *batch_resources_get(struct tagger *tagger,
                                           const struct resource *resource,
                                           uint32_t id, uint64_t time_ns)
{
    uint32_t at = id % BATCH_RESOURCES_CACHED;
    struct batch_resource *sender = &tagger->batch_resources.kept[at];
    uint64_t bit = UINT64_C(1) << at, minute = time_ns / NS_PER_MIN;

    if (!(tagger->batch_resources.used & bit) || sender->id != id ||
        sender->resource != resource) {
        if (tagger->batch_resources.used & bit)
            end(tagger, sender);
        begin(tagger, sender, resource, id, time_ns);
        tagger->batch_resources.used |= bit;
        sender->minute = minute;
    } else if (sender->minute != minute) {
        count(tagger, sender);
        sender->minute = minute;
    }
    sender->records++;
    if (time_ns > sender->newest_ns)
        sender->newest_ns = time_ns;
    return sender;
}

void batch_resources_count(struct tagger *tagger)
{
    for (uint32_t at = 0; at < BATCH_RESOURCES_CACHED; at++)
        if (tagger->batch_resources.used >> at & 1)
            count(tagger, &tagger->batch_resources.kept[at]);
}

void batch_resources_end(struct tagger *tagger)
{
    for (uint32_t at = 0; at < BATCH_RESOURCES_CACHED; at++)
        if (tagger->batch_resources.used >> at & 1)
            end(tagger, &tagger->batch_resources.kept[at]);
    tagger->batch_resources.used = 0;
}
