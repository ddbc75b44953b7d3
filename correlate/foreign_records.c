/*
 * Records that their sender may not write, because they or their resources
 * stamp another tenant's namespace (registry_accepts()): they are dropped, the
 * others are stored. A replay decides the same way.
 *
 * A check per resource. Log records and points may have labels of their own
 * (rule 2), which are compared where they are read; labels of spans have no
 * effect.
 */
#include "tagger.h"

void tagger_note_foreign(struct tagger *tagger, struct batch *batch,
                         const struct attrs *attrs)
{
    struct registry_refusal why;

    if (batch->foreign++ == 0 &&
        !registry_accepts(tagger->registry, attrs, &why))
        batch->foreign_why =
            arena_copy_forced(&batch->arena, slice_of(why.text));
}

static bool keep(struct tagger *tagger, struct batch *batch,
                 const struct resource *resource)
{
    if (resource->id != RESOURCE_NONE)
        return true;
    tagger_note_foreign(tagger, batch, &resource->attrs);
    return false;
}

static uint32_t keep_spans(struct tagger *tagger, struct batch *batch)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < batch->count; i++)
        if (keep(tagger, batch, batch->spans[i].resource))
            batch->spans[kept++] = batch->spans[i];
    return kept;
}

static uint32_t keep_logs(struct tagger *tagger, struct batch *batch)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < batch->count; i++)
        if (keep(tagger, batch, batch->logs[i].resource))
            batch->logs[kept++] = batch->logs[i];
    return kept;
}

static uint32_t keep_points(struct tagger *tagger, struct batch *batch)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < batch->count; i++)
        if (keep(tagger, batch, batch->points[i].metric->resource))
            batch->points[kept++] = batch->points[i];
    return kept;
}

void tagger_resolve_resources(struct tagger *tagger, struct batch *batch)
{
    bool accepted = true;

    registry_set_writer(tagger->registry, batch->writer);
    if (batch->source)
        registry_set_topic(tagger->registry, batch->source->topic);
    for (uint32_t i = 0; i < batch->resource_count; i++)
        accepted &= registry_resolve_accepted(
            tagger->registry, &batch->resources[i], batch->received_ns);
    if (accepted)
        return;
    if (batch->signal == SIGNAL_SPANS)
        batch->count = keep_spans(tagger, batch);
    else if (batch->signal == SIGNAL_LOGS)
        batch->count = keep_logs(tagger, batch);
    else
        batch->count = keep_points(tagger, batch);
}
