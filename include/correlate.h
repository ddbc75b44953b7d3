/*
 * correlate - tags every record and derives the series.
 *
 * One thread takes batches in the order of the journal: resources to ids
 * (registry.h), endpoint and operation of spans, level of log records, edges,
 * derived series (derived.h), change events; then it appends them to the
 * store, where they can be found, and calls done: that is the acknowledgement.
 *
 * Restart  Batches read back from the journal go the same way. What the
 *          store's watermarks say is committed is left out, record streams and
 *          derived stream each by itself.
 */
#ifndef CORRELATE_H
#define CORRELATE_H

#include "batch.h"
#include "catalog.h"
#include "registry.h"
#include "status.h"
#include "store.h"

struct correlator;

struct correlator_options {
    uint32_t max_operations;     /* per endpoint; the rest is {other} */
    uint32_t max_series;         /* open derived points before a flush */
    uint32_t max_unpaired_spans; /* spans waiting for their other end */
    uint64_t edge_wait_ns;       /* how long they wait */
    uint32_t max_templates;      /* per component; the rest is {other} */
    uint64_t oldest_ns;          /* as otlp_decode, for replayed batches */
    struct budget *budget;       /* for derived batches */
    uint32_t queue;              /* batches waiting before submit waits */
};

MUST_CHECK enum status correlator_open(struct correlator **correlator,
                                       const struct correlator_options *options,
                                       struct store *store,
                                       struct registry *registry,
                                       struct catalog *catalog);

/* One decoded batch on the caller's thread: for the replay, before
 * correlator_start, and for tests. Takes it over. */
void correlator_take(struct correlator *correlator, struct batch *batch);

/* Starts the thread. */
MUST_CHECK enum status correlator_start(struct correlator *correlator);

/* Where the journal sends synced batches. submit waits when the queue is full
 * (back-pressure towards the journal, whose sink then refuses). */
struct sink correlator_sink(struct correlator *correlator);

/* Drains the queue, flushes the derived series to the store, ends the thread
 * and frees. NULL is fine. */
void correlator_close(struct correlator *correlator);

#endif
