/*
 *   queue ─► take: tag, count, append, done ─► store
 *              └► derived table ──flush──► store
 *
 * Watermarks are read once, at the start: what lies at or below them was
 * committed in an earlier life, so a replayed batch is appended, or counted, or
 * both, or neither.
 *
 * Flush  A derived batch carries the lsn of the last batch that is counted
 *        whole. When the table is full in the middle of a batch, the number of
 *        its records that are counted is saved along ("correlator.position"),
 *        and a replay leaves them out.
 *
 * The lock of the derived table is not held while the store is called: readers
 * of the store wait for that lock.
 */
#include "correlate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "queue.h"
#include "stats.h"
#include "tagger.h"

static const char POSITION[] = "correlator.position";

#define TICK_NS NS_PER_S

struct correlator {
    struct correlator_options options;
    struct store *store;
    struct tagger tagger;
    struct queue *queue;
    pthread_t thread;
    bool started;

    uint64_t committed[STREAM_COUNT]; /* watermarks at the start */
    uint64_t position_lsn, position;  /* records of that batch counted */
    uint64_t last_lsn;                /* of the batch taken last */
    uint64_t counted_lsn;             /* of the last one counted whole */
    uint64_t flushed_lsn;
};

/* ---- flush ---- */

/* Called with the lock held; gives it up while the store is at work. */
static void flush(struct correlator *correlator)
{
    struct derive *derive = correlator->tagger.derive;
    uint64_t lsn = correlator->counted_lsn;
    struct batch *batch = derive_batch(derive, correlator->options.budget, lsn);

    derive_unlock(derive);
    store_append(correlator->store, batch);
    derive_lock(derive);
    derive_flushed(derive, lsn);
    correlator->flushed_lsn = lsn;
}

static void flush_inside(void *arg, uint64_t step)
{
    struct correlator *correlator = arg;
    char text[64];
    int len = snprintf(text, sizeof(text), "%llu %llu",
                       (unsigned long long)correlator->last_lsn,
                       (unsigned long long)step);

    if (correlator->last_lsn > correlator->counted_lsn)
        store_save_text(correlator->store, POSITION,
                        (struct slice){text, (size_t)len});
    flush(correlator);
}

static void flush_if_wanted(struct correlator *correlator)
{
    bool news = derive_count(correlator->tagger.derive) > 0 ||
                correlator->counted_lsn > correlator->flushed_lsn;

    if (!news ||
        !store_wants_derived(correlator->store, correlator->counted_lsn))
        return;
    derive_lock(correlator->tagger.derive);
    flush(correlator);
    derive_unlock(correlator->tagger.derive);
}

/* ---- one batch ---- */

static enum stream stream_of(enum signal signal)
{
    static const enum stream streams[SIGNAL_COUNT] = {
        [SIGNAL_SPANS] = STREAM_SPANS,
        [SIGNAL_LOGS] = STREAM_LOGS,
        [SIGNAL_METRICS] = STREAM_METRICS};

    return streams[signal];
}

static void append(struct correlator *correlator, struct batch *batch)
{
    static const enum stats_id lags[SIGNAL_COUNT] = {
        [SIGNAL_SPANS] = STATS_LAG_SPANS,
        [SIGNAL_LOGS] = STATS_LAG_LOGS,
        [SIGNAL_METRICS] = STATS_LAG_METRICS};
    uint64_t newest = correlator->tagger.newest_ns, now = clock_wall_ns();

    if (batch->count > 0)
        stats_set(lags[batch->signal],
                  now > newest ? (now - newest) / NS_PER_S : 0);
    batch_ref(batch); /* the store takes the other one */
    store_append(correlator->store, batch);
}

/* How many of the records, in the order they are tagged, are counted. */
static uint64_t counted_of(const struct correlator *correlator, uint64_t lsn)
{
    if (lsn <= correlator->committed[STREAM_DERIVED])
        return UINT64_MAX;
    return lsn == correlator->position_lsn ? correlator->position : 0;
}

static void tag(struct correlator *correlator, struct batch *batch)
{
    struct derive *derive = correlator->tagger.derive;
    bool stored = batch->lsn <= correlator->committed[stream_of(batch->signal)];
    struct batch *events;

    derive_lock(derive);
    /* Calls that an earlier life has settled are not counted again. */
    derive_mute(derive, batch->lsn <= correlator->committed[STREAM_DERIVED]);
    tagger_expire(&correlator->tagger, batch->received_ns);
    correlator->last_lsn = batch->lsn;
    events = tagger_take(&correlator->tagger, batch,
                         counted_of(correlator, batch->lsn));
    correlator->counted_lsn = batch->lsn;
    derive_unlock(derive);
    if (!stored)
        append(correlator, batch);
    if (events)
        store_append(correlator->store, events);
}

void correlator_take(struct correlator *correlator, struct batch *batch)
{
    uint64_t lsn = batch->lsn;

    if (lsn > correlator->committed[stream_of(batch->signal)] ||
        lsn > correlator->committed[STREAM_DERIVED] ||
        changes_lost(correlator->tagger.changes, lsn))
        tag(correlator, batch);
    batch_done(batch, OK);
    batch_free(batch);
    flush_if_wanted(correlator);
}

/* ---- the thread ---- */

static void *run(void *arg)
{
    struct correlator *correlator = arg;

    for (;;) {
        struct batch *batch = queue_pop(correlator->queue, TICK_NS);

        if (batch) {
            batch->next = NULL;
            correlator_take(correlator, batch);
            continue;
        }
        if (queue_closed(correlator->queue) &&
            queue_length(correlator->queue) == 0)
            return NULL;
        derive_lock(correlator->tagger.derive);
        tagger_expire(&correlator->tagger, clock_wall_ns());
        derive_unlock(correlator->tagger.derive);
        flush_if_wanted(correlator);
    }
}

static void submit(void *arg, struct batch *batch)
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
    return (struct sink){.submit = submit, .ready = ready, .arg = correlator};
}

/* ---- life ---- */

static enum status load_position(struct correlator *correlator)
{
    struct slice text = {NULL, 0};
    unsigned long long lsn, step;
    char copy[64] = {0};
    struct arena arena;
    enum status status;

    arena_init(&arena, NULL, 1024 * 1024);
    status = store_load_text(correlator->store, POSITION, &arena, &text);
    if (status == OK && text.len < sizeof(copy)) {
        slice_copy(copy, text);
        if (sscanf(copy, "%llu %llu", &lsn, &step) == 2) {
            correlator->position_lsn = lsn;
            correlator->position = step;
        }
    }
    arena_release(&arena);
    return status;
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
    for (int stream = 0; stream < STREAM_COUNT; stream++)
        correlator->committed[stream] =
            store_watermark(store, (enum stream)stream);
    correlator->counted_lsn = correlator->flushed_lsn =
        correlator->committed[STREAM_DERIVED];
    status = load_position(correlator);
    if (status == OK)
        status =
            tagger_open(&correlator->tagger, options, store, registry, catalog);
    if (status != OK) {
        tagger_close(&correlator->tagger);
        queue_free(correlator->queue);
        free(correlator);
        return status;
    }
    correlator->tagger.flush = flush_inside;
    correlator->tagger.flush_arg = correlator;
    derive_flushed(correlator->tagger.derive, correlator->flushed_lsn);
    store_set_open_series(
        store, (struct open_series){.visit = derive_visit,
                                    .source = correlator->tagger.derive});
    *out = correlator;
    return OK;
}

enum status correlator_start(struct correlator *correlator)
{
    if (pthread_create(&correlator->thread, NULL, run, correlator) != 0)
        return ERR_IO;
    correlator->started = true;
    return OK;
}

void correlator_close(struct correlator *correlator)
{
    if (!correlator)
        return;
    queue_close(correlator->queue);
    if (correlator->started)
        pthread_join(correlator->thread, NULL);
    derive_lock(correlator->tagger.derive);
    while (edges_expire(correlator->tagger.edges, UINT64_MAX))
        if (derive_low(correlator->tagger.derive))
            flush(correlator);
    if (derive_count(correlator->tagger.derive) > 0 ||
        correlator->counted_lsn > correlator->flushed_lsn)
        flush(correlator);
    derive_unlock(correlator->tagger.derive);
    store_set_open_series(correlator->store, (struct open_series){0});
    tagger_close(&correlator->tagger);
    queue_free(correlator->queue);
    free(correlator);
}
