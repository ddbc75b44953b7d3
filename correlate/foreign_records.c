/*
 * Records that their sender may not write, because they or their resources
 * stamp another tenant's namespace (registry_accepts()). They are dropped
 * before the others are tagged, so that a replay, which decides the same way,
 * numbers the others alike.
 *
 * A check per resource. Log records and points may have labels of their own
 * (rule 2), so their attributes are looked through; those of spans are not.
 */
#include "tagger.h"

struct check {
    struct tagger *tagger;
    struct batch *batch;
    struct registry_refusal why; /* of the first */
    uint32_t refused;
};

/* own: attributes that may have labels, or NULL. */
static bool keep(struct check *check, const struct resource *resource,
                 const struct attrs *own)
{
    const struct registry *registry = check->tagger->registry;
    struct registry_refusal *why = check->refused == 0 ? &check->why : NULL;
    bool refused = resource->id == RESOURCE_NONE;

    if (refused && why)
        (void)!registry_accepts(registry, &resource->attrs, why);
    else if (!refused && own)
        refused = !registry_accepts_record(registry, own, why);
    check->refused += refused;
    return !refused;
}

static uint32_t keep_spans(struct check *check)
{
    struct span *spans = check->batch->spans;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < check->batch->count; i++)
        if (keep(check, spans[i].resource, NULL)) {
            if (kept != i)
                spans[kept] = spans[i];
            kept++;
        }
    return kept;
}

static uint32_t keep_logs(struct check *check)
{
    struct log_record *logs = check->batch->logs;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < check->batch->count; i++)
        if (keep(check, logs[i].resource, &logs[i].attrs)) {
            if (kept != i)
                logs[kept] = logs[i];
            kept++;
        }
    return kept;
}

static uint32_t keep_points(struct check *check)
{
    struct point *points = check->batch->points;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < check->batch->count; i++)
        if (keep(check, points[i].metric->resource, &points[i].attrs)) {
            if (kept != i)
                points[kept] = points[i];
            kept++;
        }
    return kept;
}

static uint32_t keep_records(struct check *check)
{
    switch (check->batch->signal) {
    case SIGNAL_SPANS:
        return keep_spans(check);
    case SIGNAL_LOGS:
        return keep_logs(check);
    default:
        return keep_points(check);
    }
}

void tagger_resolve_resources(struct tagger *tagger, struct batch *batch)
{
    struct check check = {.tagger = tagger, .batch = batch};
    bool refused = false;

    registry_set_writer(tagger->registry, batch->writer);
    for (uint32_t i = 0; i < batch->resource_count; i++) {
        struct resource *resource = &batch->resources[i];

        if (!registry_accepts(tagger->registry, &resource->attrs, NULL)) {
            resource->id = RESOURCE_NONE;
            refused = true;
            continue;
        }
        registry_resolve(tagger->registry, resource, batch->received_ns);
    }
    if (!batch->writer || (!refused && batch->signal == SIGNAL_SPANS))
        return;
    batch->count = keep_records(&check);
    batch->foreign = check.refused;
    if (check.refused > 0)
        batch->foreign_why =
            arena_copy_forced(&batch->arena, slice_of(check.why.text));
}
