/*
 * changes - notices that a component runs something else than before.
 *
 * Three things are watched in resources: service.version, the image tag and
 * the pod-template-hash label. The first value of a component is no change. A
 * value never seen, or one that was gone for CHANGES_GONE_NS, on a resource
 * (pod, process) never seen is: so the pods of a rolling update, old and new
 * side by side, make one event, and going back to the old version makes
 * another.
 *
 * Events are log records (derived.h). Those that a batch of logs showed are put
 * into that batch; otherwise they make a log batch of their own with the same
 * lsn. So the watermark of logs says of each whether it is committed.
 *
 * Restart  What each component runs is read from the resources the store
 *          keeps. The last events are kept as a text besides: one that the
 *          store lost with its head is made again when its batch is replayed.
 *
 * Threads  the correlator's.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include "components.h"
#include "store.h"

#define CHANGES_GONE_NS (120 * UINT64_C(1000000000))

struct changes;

/* Reads what the store kept. */
MUST_CHECK enum status changes_open(struct changes **changes,
                                    struct store *store);
void changes_free(struct changes *changes);

/* True if events of the batch with this lsn have to be made again. */
bool changes_lost(const struct changes *changes, uint64_t lsn);

/* Around each batch. changes_end() adds what was seen to a batch of logs, or
 * returns a batch to append besides; NULL if there is none. */
void changes_begin(struct changes *changes, uint64_t lsn);
struct batch *changes_end(struct changes *changes, struct batch *batch);

/* A resource of the batch, with a record of this time. */
void changes_see(struct changes *changes, struct component *component,
                 const struct resource *resource, uint8_t life,
                 uint64_t time_ns);

#endif
