/*
 * memory_store - an engine of store.h and metadata.h in memory, for tests above
 * the store. A test that includes this runs without SQLite (symbols of the test
 * win over those of the library). It keeps what is appended and saved, answers
 * queries over it, and has switches for what a test wants to happen.
 *
 * Records to query are the batches that were appended, and arrays that the test
 * sets (spans, logs, points, traces). A second registry or correlator on the
 * same store sees what a restart would see.
 *
 * Threads: as store.h, except that a test changes nothing while queries run.
 */
#ifndef MEMORY_STORE_H
#define MEMORY_STORE_H

#include "memory_metadata.h"
#include "memory_reader.h"
#include "memory_state.h"
#include "store_resources.h"

void store_append(struct store *store, struct batch *batch)
{
    if (store->drop_batches) {
        batch_free(batch);
        return;
    }
    *(struct batch **)array_append(&store->batches, store->count,
                                   &store->batch_room) = batch;
    store->count++;
}

bool store_derived_flush_due(struct store *store, uint64_t last_lsn)
{
    return store->flush_due ||
           (store->flush_every > 0 && last_lsn % store->flush_every == 0);
}

uint64_t store_watermark(struct store *store, enum stream stream)
{
    return store->watermark[stream];
}

void store_flush(struct store *store)
{
    for (uint32_t i = 0; i < store->count; i++) {
        const struct batch *batch = store->batches[i];
        uint64_t *watermark =
            &store->watermark[batch->derived ? STREAM_DERIVED
                                             : stream_of(batch->signal)];

        if (*watermark < batch->lsn)
            *watermark = batch->lsn;
    }
}

uint64_t store_last_log_lsn(struct store *store)
{
    return store->tail.arrival >> ARRIVAL_BITS;
}

uint64_t store_oldest_ns(struct store *store)
{
    return store->oldest_ns;
}

const char *store_health_reason(struct store *store)
{
    (void)store;
    return NULL;
}

enum status store_health(struct store *store)
{
    return store->health;
}

void store_set_open_series(struct store *store, struct open_series source)
{
    store->open = source;
}

uint64_t store_retention(const struct store *store, enum signal signal)
{
    (void)store;
    (void)signal;
    return 0;
}

void store_set_resources(struct store *store,
                         const struct store_resources *resources)
{
    (void)store;
    (void)resources;
}

#endif
