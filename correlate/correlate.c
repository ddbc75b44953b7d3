/*
 *   queue ─► correlator_take: tag, count, append, done ─► store
 *              └► derived table ──────flush─────────────► store
 *
 * The way of a batch through this folder:
 *
 *   correlate.c        drops a repeated request, skips what is committed
 *   foreign_records.c  drops records that their sender may not write
 *   tagger.c           resource ids; then each record by its signal:
 *   tagger_spans.c       semconv.c, systems.c   attributes, protocol, system
 *                        semconv_outcome.c      failed or not
 *                        semconv_sampling.c     weight
 *                        endpoint.c             endpoint
 *                        endpoint_operation.c   operation
 *                        edges.c                its call, with call_target.c
 *   tagger_logs.c        log_fields.c, severity.c   trace context, level
 *                        templates.c            count by template
 *   batch_resources.c  per resource: component (component_cache.c), records,
 *                        new versions (change_detector.c)
 *   derived_table.c    the counts of a minute
 *   derived_points.c     as metrics
 *
 * Between two batches the thread does what others want done (thread_calls.c).
 *
 * Watermarks are read once, at the start: what lies at or below them was
 * committed before. A replayed batch is appended, or counted, or both, or
 * neither.
 *
 * Derived points are counted exactly once. Every flush is one derived batch,
 * committed as a whole, that holds
 *
 *   the points    of everything counted since the flush before
 *   the position  the lsn of the last batch that is counted completely, and the
 *                 number of counted records of the next one, if the table was
 *                 full in the middle of a batch
 *   the spans     that wait for another span of their call (edges.h), in which
 *                 records before the position still take part
 *
 * A replay continues from the last committed state: records before the position
 * are tagged for their own stream, but neither counted nor paired; records
 * after it are. What was counted or settled after the last flush is lost with
 * the memory and done again.
 *
 * The lock of the derived table is not held while the store is called: queries,
 * which hold the store's lock, wait for it.
 */
#include "correlate.h"

#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "correlator_int.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

#define TICK_NS NS_PER_S
/* How long a caller waits while batches are not taken (disk full). */
#define CALL_WAIT_NS (10 * NS_PER_S)

enum { STATE_VERSION = 6, OLDEST_STATE_VERSION = 5 };

/* ---- flush ---- */

static void output(struct correlator *correlator, struct batch *batch)
{
    if (correlator->options.append)
        correlator->options.append(correlator->options.append_arg, batch);
    else
        store_append(correlator->store, batch);
}

/* Called with the lock held; releases it while it calls the store. */
void correlator_flush_locked(struct correlator *correlator)
{
    bool partition = correlator->options.append;
    struct derived_table *derived = correlator->tagger.derived;
    struct buf state;
    struct batch *batch;

    buf_init(&state, CORRELATOR_STATE_MAX);
    if (!partition) { /* of a partition: only with a checkpoint */
        buf_varint(&state, STATE_VERSION);
        buf_varint(&state, correlator->part_lsn);
        buf_varint(&state, correlator->part);
        edges_pack(correlator->tagger.edges, &state);
    }
    batch = derived_batch(
        derived, correlator->options.budget, correlator->counted_lsn,
        partition ? correlator->newest_ns : clock_wall_ns(), buf_slice(&state));
    buf_release(&state);

    derived_unlock(derived);
    output(correlator, batch);
    derived_lock(derived);
    derived_flushed(derived);
    correlator->flushed_lsn = correlator->appended[STREAM_DERIVED] =
        correlator->counted_lsn;
}

/* Flushes in the middle of a batch. The position only advances: in a replayed
 * batch, this may be called for records before it. */
static void flush_inside(void *arg, uint64_t step)
{
    struct correlator *correlator = arg;

    if (correlator->taking > correlator->counted_lsn) {
        if (correlator->part_lsn != correlator->taking ||
            correlator->part < step)
            correlator->part = step;
        correlator->part_lsn = correlator->taking;
    }
    correlator_flush_locked(correlator);
}

static bool has_unflushed(const struct correlator *correlator)
{
    return correlator->tagger.derived->count > 0 ||
           correlator->counted_lsn > correlator->flushed_lsn;
}

static void flush_if_due(struct correlator *correlator)
{
    if (correlator->options.append || !has_unflushed(correlator) ||
        !store_derived_flush_due(correlator->store, correlator->counted_lsn))
        return;
    derived_lock(correlator->tagger.derived);
    correlator_flush_locked(correlator);
    derived_unlock(correlator->tagger.derived);
}

/* ---- one batch ---- */

static void append(struct correlator *correlator, struct batch *batch)
{
    uint64_t newest = correlator->tagger.newest_ns, now = clock_wall_ns();

    if (batch->count > 0) {
        stats_set(STATS_LAG_SPANS + batch->signal,
                  now > newest ? (now - newest) / NS_PER_S : 0);
        stats_set(STATS_LAST_SPANS + batch->signal,
                  batch->received_ns / NS_PER_S);
    }
    /* A batch of refused records alone is written nowhere. */
    if (batch->count > 0)
        correlator->appended[stream_of(batch->signal)] = batch->lsn;
    batch_ref(batch); /* the store takes the other reference */
    output(correlator, batch);
}

/* The number of records, in the order of tagging, that are counted already. */
static uint64_t counted_records(const struct correlator *correlator,
                                uint64_t lsn)
{
    if (lsn <= correlator->committed[STREAM_DERIVED])
        return UINT64_MAX;
    return lsn == correlator->part_lsn ? correlator->part : 0;
}

/* At most one line a minute: each request has the reason in its answer. */
static void note_foreign(struct correlator *correlator,
                         const struct batch *batch)
{
    if (batch->foreign > 0 && !request_hash_none(batch->hash))
        recent_refusals_add(&correlator->refusals, batch);
    if (batch->foreign == 0 ||
        (!correlator->started && !correlator->options.append))
        return; /* replayed: was noted */
    stats_add(STATS_RECORDS_FOREIGN, batch->foreign);
    correlator->foreign += batch->foreign;
    if (batch->received_ns - correlator->foreign_logged_ns < NS_PER_MIN)
        return;
    log_warn("correlate", "refused records that their sender may not write",
             log_uint("records", correlator->foreign),
             log_slice("tenant", writer_tenant(batch->writer)),
             log_slice("reason", batch->foreign_why));
    correlator->foreign_logged_ns = batch->received_ns;
    correlator->foreign = 0;
}

static void tag(struct correlator *correlator, struct batch *batch)
{
    struct derived_table *derived = correlator->tagger.derived;
    bool stored = batch->lsn <= correlator->committed[stream_of(batch->signal)];
    uint64_t counted = counted_records(correlator, batch->lsn);
    struct batch *events;

    derived_lock(derived);
    if (counted < UINT64_MAX)
        tagger_expire(&correlator->tagger, batch->received_ns);
    correlator->taking = batch->lsn;
    events = tagger_take(&correlator->tagger, batch, counted);
    correlator->taking = 0;
    if (counted < UINT64_MAX)
        correlator->counted_lsn = batch->lsn;
    derived_unlock(derived);
    note_foreign(correlator, batch);
    if (!stored)
        append(correlator, batch);
    if (events)
        output(correlator, events);
}

/*
 * Drops the records of a request that was stored before; those that were
 * refused then are refused again. This happens after the journal, in one thread
 * and in the order of the journal, so that a replay decides the same way. A
 * copy that arrives while the first request is being synced comes after it; if
 * the first is refused, the copy is stored.
 */
static void drop_duplicate(struct correlator *correlator, struct batch *batch)
{
    if (request_hash_none(batch->hash))
        return;
    if (recent_requests_has(&correlator->requests, batch->hash, batch->lsn)) {
        stats_add(STATS_DUPLICATE_REQUESTS,
                  correlator->started ||
                      correlator->options.append); /* not at replay */
        recent_refusals_repeat(&correlator->refusals, batch);
        batch->duplicate = true;
        batch->count = batch->resource_count = 0;
        batch->hash = (struct request_hash){0, 0};
    } else if (!recent_requests_has(&correlator->requests, batch->hash,
                                    batch->lsn + 1)) {
        recent_requests_add(&correlator->requests, batch->hash, batch->lsn);
    }
}

/* Unpacks the spans that waited at the last flush, before the first batch is
 * taken: with 65,536 of them that takes 10 ms, in which the ports open. */
static void unpack_state(struct correlator *correlator)
{
    if (byte_reader_left(&correlator->state) == 0)
        return;
    components_refresh(correlator->tagger.components);
    derived_lock(correlator->tagger.derived);
    edges_unpack(correlator->tagger.edges, &correlator->state,
                 correlator->state_version < STATE_VERSION);
    derived_unlock(correlator->tagger.derived);
    correlator->state = byte_reader_over((struct slice){NULL, 0});
    arena_release(&correlator->state_memory);
}

void correlator_take(struct correlator *correlator, struct batch *batch)
{
    uint64_t lsn = batch->lsn;

    correlator->newest_ns = batch->received_ns;
    unpack_state(correlator);
    drop_duplicate(correlator, batch);
    if (lsn > correlator->committed[stream_of(batch->signal)] ||
        lsn > correlator->committed[STREAM_DERIVED] ||
        change_events_lost(&correlator->tagger.change_events, lsn))
        tag(correlator, batch);
    batch_done(batch, OK);
    batch_free(batch);
    flush_if_due(correlator);
}

/* ---- the thread ---- */

static void *run(void *arg)
{
    struct correlator *correlator = arg;

    unpack_state(correlator);
    for (;;) {
        struct batch *batch = queue_pop(correlator->queue, TICK_NS);

        thread_calls_serve(&correlator->calls);
        if (batch) {
            batch->next = NULL;
            correlator_take(correlator, batch);
            continue;
        }
        if (queue_closed(correlator->queue) &&
            queue_length(correlator->queue) == 0)
            return NULL;
        derived_lock(correlator->tagger.derived);
        tagger_expire(&correlator->tagger, clock_wall_ns());
        derived_unlock(correlator->tagger.derived);
        flush_if_due(correlator);
    }
}

/* ---- deleting a namespace ---- */

struct deletion {
    struct correlator *correlator;
    struct slice namespace;
    struct registry_deletion *out;
    uint64_t appended[STREAM_COUNT];
};

/* What was counted and appended so far is written now: the journal would bring
 * it back. */
static enum status delete_namespace(void *arg)
{
    struct deletion *deletion = arg;
    struct correlator *correlator = deletion->correlator;
    enum status status;

    unpack_state(correlator);
    derived_lock(correlator->tagger.derived);
    if (has_unflushed(correlator))
        correlator_flush_locked(correlator);
    derived_unlock(correlator->tagger.derived);
    status = registry_delete(correlator->tagger.registry, deletion->namespace,
                             clock_wall_ns(), deletion->out);
    store_flush(correlator->store);
    memcpy(deletion->appended, correlator->appended,
           sizeof(deletion->appended));
    return status;
}

static bool is_written(const struct deletion *deletion)
{
    struct store *store = deletion->correlator->store;
    bool written = true;

    for (int stream = 0; stream < STREAM_COUNT; stream++)
        written &= store_watermark(store, (enum stream)stream) >=
                   deletion->appended[stream];
    return written;
}

enum status correlator_delete(struct correlator *correlator,
                              struct slice namespace,
                              struct registry_deletion *out)
{
    struct deletion deletion = {correlator, namespace, out, {0}};
    const struct timespec pause = {.tv_nsec = 10 * (long)NS_PER_MS};
    uint64_t until;
    enum status status = thread_calls_run(&correlator->calls, delete_namespace,
                                          &deletion, CALL_WAIT_NS);

    if (status != OK)
        return status;
    until = clock_monotonic_ns() + CALL_WAIT_NS;
    while (!is_written(&deletion)) {
        if (clock_monotonic_ns() >= until)
            return ERR_BUSY; /* a crash now would bring it back */
        nanosleep(&pause, NULL);
    }
    return metadata_sync(store_metadata(correlator->store));
}

static void submit_batch(void *arg, struct batch *batch)
{
    struct correlator *correlator = arg;

    if (queue_push_wait(correlator->queue, batch))
        return;
    batch_done(batch, ERR_STOPPING);
    batch_free(batch);
}

static enum status ready(void *arg)
{
    struct correlator *correlator = arg;

    if (queue_closed(correlator->queue))
        return ERR_STOPPING;
    if (queue_length(correlator->queue) >= correlator->options.queue)
        return ERR_BUSY;
    return store_health(correlator->store);
}

struct sink correlator_sink(struct correlator *correlator)
{
    return (struct sink){
        .submit = submit_batch, .ready = ready, .arg = correlator};
}

/* ---- start and stop ---- */

static void load_request(void *arg, struct request_hash hash, uint64_t lsn)
{
    recent_requests_add(arg, hash, lsn);
}

static enum status load_state(struct correlator *correlator)
{
    struct arena *memory = &correlator->state_memory;
    struct slice text = {NULL, 0};
    struct byte_reader in;
    enum status status;

    arena_init(memory, NULL, 2 * (size_t)CORRELATOR_STATE_MAX);
    status = metadata_load_derived_state(store_metadata(correlator->store),
                                         memory, &text);
    if (status != OK || text.len == 0)
        return status;
    in = byte_reader_over(text);
    correlator->state_version = byte_reader_varint(&in);
    if (correlator->state_version >= OLDEST_STATE_VERSION &&
        correlator->state_version <= STATE_VERSION) {
        correlator->part_lsn = byte_reader_varint(&in);
        correlator->part = byte_reader_varint(&in);
        correlator->state = in; /* see unpack_state() */
    } else {
        /* Written by another version: spans that wait are not paired. */
        log_warn("correlate", "ignored saved state of another version",
                 LOG_NONE);
    }
    return OK;
}

/* What the store has of earlier runs. */
static enum status load_stored(struct correlator *correlator)
{
    struct store *store = correlator->store;
    enum status status;

    for (int stream = 0; stream < STREAM_COUNT; stream++)
        correlator->committed[stream] =
            store_watermark(store, (enum stream)stream);
    correlator->counted_lsn = correlator->flushed_lsn =
        correlator->committed[STREAM_DERIVED];
    status = load_state(correlator);
    if (status == OK)
        status = metadata_load_requests(store_metadata(store), load_request,
                                        &correlator->requests);
    return status;
}

static void correlator_free(struct correlator *correlator)
{
    tagger_close(&correlator->tagger);
    recent_requests_release(&correlator->requests);
    recent_refusals_release(&correlator->refusals);
    queue_free(correlator->queue);
    thread_calls_release(&correlator->calls);
    arena_release(&correlator->state_memory);
    free(correlator);
}

enum status correlator_open(struct correlator **out,
                            const struct correlator_options *options,
                            struct store *store, struct registry *registry,
                            struct catalog *catalog)
{
    struct correlator *correlator = mem_zero(1, sizeof(*correlator));
    enum status status;

    correlator->options = *options;
    correlator->store = store;
    correlator->queue = queue_new(options->queue);
    thread_calls_init(&correlator->calls);
    status =
        tagger_open(&correlator->tagger, options, store, registry, catalog);
    if (status == OK && !options->append)
        status = load_stored(correlator);
    if (status != OK) {
        correlator_free(correlator);
        return status;
    }
    correlator->tagger.flush = flush_inside;
    correlator->tagger.flush_arg = correlator;
    if (!options->append)
        store_set_open_series(
            store, (struct open_series){.visit = derived_visit,
                                        .source = correlator->tagger.derived});
    *out = correlator;
    return OK;
}

enum status correlator_start(struct correlator *correlator)
{
    correlator->started = true; /* the thread looks at it */
    if (pthread_create(&correlator->thread, NULL, run, correlator) == 0)
        return OK;
    correlator->started = false;
    return ERR_IO;
}

void correlator_close(struct correlator *correlator)
{
    if (!correlator)
        return;
    queue_close(correlator->queue);
    if (correlator->started)
        pthread_join(correlator->thread, NULL);
    unpack_state(correlator); /* or the flush would lose it */
    if (!correlator->options.append) {
        derived_lock(correlator->tagger.derived);
        if (has_unflushed(correlator))
            correlator_flush_locked(correlator);
        derived_unlock(correlator->tagger.derived);
        store_set_open_series(correlator->store, (struct open_series){0});
    }
    correlator_free(correlator);
}
