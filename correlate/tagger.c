/*
 * Order within a batch: resources to ids, then record by record, at last the
 * change events. Only between two records, tables that run low are emptied: the
 * derived table by a flush that notes how far the batch is; the names by
 * settling the waiting calls, which are the only ones to refer to names beyond
 * their batch.
 */
#include "tagger.h"

#include "clock.h"
#include "correlator_changes.h"
#include "stats.h"

/* Names of operations and peers in the table: more than there are open series,
 * while these are not many. */
enum { MIN_NAMES = 4 * 1024, MAX_NAMES = 48 * 1024, BYTES_PER_NAME = 128 };

static uint32_t name_count(uint32_t max_series)
{
    uint32_t limit = max_series < MAX_NAMES ? max_series : MAX_NAMES;
    uint32_t count = limit + limit / 2;

    if (count < MIN_NAMES)
        return MIN_NAMES;
    return count < MAX_NAMES ? count : MAX_NAMES;
}

/* How often a group that is full gets room for other names. */
#define CLEAR_INTERVAL_NS NS_PER_HOUR

enum status tagger_open(struct tagger *tagger,
                        const struct correlator_options *options,
                        struct store *store, struct registry *registry,
                        struct catalog *catalog)
{
    uint32_t names = name_count(options->max_series);
    struct call_context context = {.registry = registry,
                                   .max_targets = options->max_operations};
    enum status status;

    semconv_init();
    tagger->options = *options;
    tagger->registry = registry;
    context.components = tagger->components = components_new(registry, catalog);
    context.limit = tagger->limit =
        cardinality_new(names, names * BYTES_PER_NAME);
    context.derived = tagger->derived = derived_new(options->max_series);
    tagger->edges =
        edges_new(&context, options->max_unpaired_spans, options->edge_wait_ns);
    tagger->edges->resources = options->resources;
    buf_init(&tagger->template.shown, 4 * TEMPLATE_MAX_LINE);
    if (options->changes) {
        tagger->changes = correlator_changes_detector(options->changes);
        return OK;
    }
    status = change_events_open(&tagger->change_events, store);
    if (status != OK)
        return status;
    return change_detector_open(&tagger->changes, &tagger->change_events, store,
                                registry);
}

void tagger_close(struct tagger *tagger)
{
    if (!tagger->options.changes)
        change_detector_free(tagger->changes);
    change_events_release(&tagger->change_events);
    edges_free(tagger->edges);
    buf_release(&tagger->template.shown);
    derived_free(tagger->derived);
    cardinality_free(tagger->limit);
    components_free(tagger->components);
}

static void make_room(struct tagger *tagger)
{
    if (!derived_low(tagger->derived))
        return;
    batch_resources_count(tagger);
    stats_add(STATS_SERIES_EVICTED, 1);
    tagger->flush(tagger->flush_arg, tagger->step);
}

static void clear_names(struct tagger *tagger)
{
    bool muted;

    stats_add(STATS_UNPAIRED_SPANS_EVICTED, edges_count(tagger->edges));
    /* While muted, the store has counted the records, but not the calls that
     * still wait. */
    batch_resources_count(tagger);
    muted = tagger->derived->muted;
    tagger->derived->muted = false;
    while (edges_expire(tagger->edges, UINT64_MAX))
        make_room(tagger);
    tagger->derived->muted = muted;
    edges_forget(tagger->edges);
    cardinality_clear(tagger->limit);
}

void tagger_step(struct tagger *tagger)
{
    make_room(tagger);
    if (cardinality_low(tagger->limit))
        clear_names(tagger);
    if (tagger->step++ == tagger->muted_to) {
        batch_resources_count(tagger); /* drops them: the store has them */
        tagger->derived->muted = false;
    }
}

void tagger_expire(struct tagger *tagger, uint64_t now_ns)
{
    while (edges_expire(tagger->edges, now_ns))
        make_room(tagger);
    stats_set(STATS_UNPAIRED_SPANS, edges_count(tagger->edges));
}

static void tag_points(struct tagger *tagger, struct batch *batch)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        struct point *point = &batch->points[i];
        const struct resource *resource = point->metric->resource;

        tagger_step(tagger);
        point->resource_id = registry_resolve_record(
            tagger->registry, resource, &point->attrs, batch->received_ns);
        if (point->resource_id == RESOURCE_NONE) {
            tagger_note_foreign(tagger, batch, &point->attrs);
            continue;
        }
        if (kept++ != i)
            batch->points[kept - 1] = *point;
        batch_resources_get(tagger, resource, point->resource_id,
                            point->time_ns);
    }
    batch->count = kept;
}

static void begin(struct tagger *tagger, struct batch *batch, uint64_t muted_to)
{
    tagger->batch = batch;
    tagger->number++;
    tagger->step = 0;
    tagger->muted_to = muted_to;
    tagger->newest_ns = 0;
    components_refresh(tagger->components);
    if (batch->received_ns - tagger->cleared_ns > CLEAR_INTERVAL_NS) {
        if (tagger->limit->refused > 0)
            clear_names(tagger);
        tagger->cleared_ns = batch->received_ns;
    }
    change_events_begin(&tagger->change_events, batch->lsn);
    tagger_resolve_resources(tagger, batch);
    tagger->derived->muted = true; /* until step muted_to */
}

struct batch *tagger_take(struct tagger *tagger, struct batch *batch,
                          uint64_t muted_to)
{
    begin(tagger, batch, muted_to);
    switch (batch->signal) {
    case SIGNAL_SPANS:
        tagger_spans(tagger, batch);
        break;
    case SIGNAL_LOGS:
        tagger_logs(tagger, batch);
        break;
    default:
        tag_points(tagger, batch);
    }
    batch_resources_end(tagger);
    registry_set_writer(tagger->registry, NULL);
    tagger->derived->muted = false;
    /* Counts the held calls whose caller arrived. Not in a batch that is only
     * replayed for the store: the waiting spans may be newer, and its time is
     * not a clock that was set back. */
    if (muted_to < UINT64_MAX)
        tagger_expire(tagger, batch->received_ns);
    stats_set(STATS_SERIES_OPEN, tagger->derived->count);
    return change_events_end(&tagger->change_events, batch);
}
