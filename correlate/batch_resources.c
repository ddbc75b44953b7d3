/*
 * A direct-mapped table by resource id. Records of one resource come together
 * nearly always, and minutes change rarely, so a record costs a comparison and
 * an addition.
 */
#include "batch_resources.h"

#include "clock.h"
#include "hash.h"
#include "tagger.h"

static void count(struct tagger *tagger, struct sender *sender)
{
    const struct component *component = sender->component;
    struct series_labels labels = {.family = SERIES_RECORDS,
                                   .kind = (uint8_t)tagger->batch->signal};
    uint32_t none = UINT32_MAX;
    struct derived_series *series;

    if (!component || sender->records == 0)
        return;
    labels.identity = component->identity;
    labels.resource = component->resource;
    labels.hash = hash_mix(SERIES_RECORDS << 8 | labels.kind, 1);
    series = derive_series(tagger->derive, &labels, sender->minute * NS_PER_MIN,
                           &none);
    if (series)
        derive_add(series, sender->records);
    sender->records = 0;
}

static void end(struct tagger *tagger, struct sender *sender)
{
    count(tagger, sender);
    if (sender->newest_ns > tagger->newest_ns)
        tagger->newest_ns = sender->newest_ns;
    if (sender->component)
        registry_touch(tagger->registry, sender->component->identity,
                       tagger->batch->signal, sender->newest_ns);
}

static void begin(struct tagger *tagger, struct sender *sender,
                  const struct resource *resource, uint32_t id,
                  uint64_t time_ns)
{
    uint32_t identity = registry_identity_id(tagger->registry, id);

    *sender = (struct sender){
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
        changes_see(tagger->changes, sender->component, resource,
                    registry_resource_generation(tagger->registry, id),
                    time_ns);
}

struct sender *senders_get(struct tagger *tagger,
                           const struct resource *resource, uint32_t id,
                           uint64_t time_ns)
{
    uint32_t at = id % SENDERS_KEPT;
    struct sender *sender = &tagger->senders.kept[at];
    uint64_t bit = UINT64_C(1) << at, minute = time_ns / NS_PER_MIN;

    if (!(tagger->senders.used & bit) || sender->id != id ||
        sender->resource != resource) {
        if (tagger->senders.used & bit)
            end(tagger, sender);
        begin(tagger, sender, resource, id, time_ns);
        tagger->senders.used |= bit;
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

void senders_count(struct tagger *tagger)
{
    for (uint32_t at = 0; at < SENDERS_KEPT; at++)
        if (tagger->senders.used >> at & 1)
            count(tagger, &tagger->senders.kept[at]);
}

void senders_end(struct tagger *tagger)
{
    for (uint32_t at = 0; at < SENDERS_KEPT; at++)
        if (tagger->senders.used >> at & 1)
            end(tagger, &tagger->senders.kept[at]);
    tagger->senders.used = 0;
}
