/*
 * correlate - tags every record and derives the series.
 *
 * Purpose:   one thread takes batches in the order of the journal: resources to
 *            ids (registry.h), endpoint and operation of spans, level of log
 *            records, edges, derived series (derived.h), change events. Then it
 *            appends them to the store, where queries find them, and calls
 *            done: that is the acknowledgement. Batches replayed from the
 *            journal go the same way; what is committed according to the
 *            store's watermarks is skipped, separately for records and for
 *            derived series.
 *
 *            With an output of its own (options.append) a correlator is that of
 *            one Kafka partition (partition/): what it makes depends on its
 *            state and the batches only, so another instance that continues
 *            from the state makes the same.
 * Ownership: store, registry and catalogue belong to the caller and outlive the
 *            correlator. Batches become its own.
 * Threads:   open, take, start and close by one thread at a time; the sink by
 *            any.
 * Errors:    open and start return a status. A batch that comes after close
 *            began is refused with ERR_STOPPING.
 */
#ifndef CORRELATE_H
#define CORRELATE_H

#include "batch.h"
#include "buf.h"
#include "catalog.h"
#include "registry.h"
#include "status.h"
#include "store.h"

struct correlator;
struct correlator_changes;
struct store_resources;

struct correlator_options {
    uint32_t max_operations;     /* per endpoint; the rest is {other} */
    uint32_t max_series;         /* open derived points before a flush */
    uint32_t max_unpaired_spans; /* waiting for another span of their call */
    uint64_t edge_wait_ns;       /* how long they wait */
    uint32_t max_templates;      /* per component; the rest is {other} */
    uint64_t oldest_ns;          /* as for otlp_decode(); replayed batches */
    struct budget *budget;       /* for derived batches */
    uint32_t queue;              /* batches waiting before submit waits */

    /* Of a partition; NULL: batches are appended to the store, which also
     * keeps the state. append takes a reference of the batch over; batch->lsn
     * is the offset + 1. */
    void (*append)(void *arg, struct batch *batch);
    void *append_arg;
    const struct store_resources *resources; /* names identities in the state */
    struct correlator_changes *changes; /* of all partitions; NULL: its own */
};

MUST_CHECK enum status correlator_open(struct correlator **correlator,
                                       const struct correlator_options *options,
                                       struct store *store,
                                       struct registry *registry,
                                       struct catalog *catalog);

/* Takes one decoded batch on the caller's thread: for the replay, before
 * correlator_start(), and for tests. */
void correlator_take(struct correlator *correlator, struct batch *batch);

/* Starts the thread. */
MUST_CHECK enum status correlator_start(struct correlator *correlator);

/* The sink for synced batches of the journal. submit waits while the queue is
 * full: back-pressure on the journal, whose sink then refuses requests. */
struct sink correlator_sink(struct correlator *correlator);

/* registry_delete() between two batches; on return it is durable, and what was
 * taken before is stored, so that no replay brings it back. From any thread,
 * once it is started. ERR_NOT_FOUND: there is nothing of the namespace;
 * ERR_BUSY: the store was not written to for ten seconds. */
MUST_CHECK enum status correlator_delete(struct correlator *correlator,
                                         struct slice namespace,
                                         struct registry_deletion *out);

/* ---- of a partition: no thread is started ---- */

/* Appends the derived points counted since the last flush. */
void correlator_flush(struct correlator *correlator);

/* Settles the calls that have waited long enough at this time; and since when
 * the last of those that wait does, 0 if none waits. Otherwise time is that of
 * the batches. */
void correlator_expire(struct correlator *correlator, uint64_t now_ns);
uint64_t correlator_last_waits_since(const struct correlator *correlator);

/* The state between two batches, after a flush, as bytes; and back into a new
 * correlator. Resources that it refers to must be known to the registry.
 * ERR_UNSUPPORTED: of another version; ERR_MALFORMED. */
void correlator_save(struct correlator *correlator, struct buf *out);
MUST_CHECK enum status correlator_restore(struct correlator *correlator,
                                          struct slice state);

/* What the correlators of all partitions of an instance know of the versions
 * that components run. report gets each change as a batch with one log record;
 * it takes the batch over. */
MUST_CHECK enum status correlator_changes_open(
    struct correlator_changes **changes, struct store *store,
    const struct registry *registry,
    void (*report)(void *arg, struct batch *batch), void *arg);
void correlator_changes_close(struct correlator_changes *changes);
/* A resource that another instance saw first, which reports what changed. */
void correlator_changes_learn(struct correlator_changes *changes,
                              uint32_t identity,
                              const struct resource *resource,
                              uint8_t generation, uint64_t time_ns);

/* Drains the queue, flushes the derived series to the store, ends the thread
 * and frees. NULL is allowed. */
void correlator_close(struct correlator *correlator);

#endif
