/*
 * changes - notices that a component runs something else than before.
 *
 * Three things are watched in resources: service.version, the image tag and
 * the pod-template-hash label. The first value of a component is no change. A
 * value never seen, or one that was gone for CHANGE_GONE_NS, on a resource
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
#ifndef CHANGE_DETECTOR_H
#define CHANGE_DETECTOR_H

#include "components.h"
#include "store.h"

#define CHANGE_GONE_NS (120 * UINT64_C(1000000000))

struct change_detector;

/* Reads what the store kept. */
MUST_CHECK enum status change_detector_open(struct change_detector **changes,
                                            struct store *store);
void change_detector_free(struct change_detector *changes);

/* True if events of the batch with this lsn have to be made again. */
bool change_detector_lost(const struct change_detector *changes, uint64_t lsn);

/* Around each batch. change_detector_end() adds what was seen to a batch of
 * logs, or returns a batch to append besides; NULL if there is none. */
void change_detector_begin(struct change_detector *changes, uint64_t lsn);
struct batch *change_detector_end(struct change_detector *changes,
                                  struct batch *batch);

/* A resource of the batch, with a record of this time. */
void change_detector_observe(struct change_detector *changes,
                             struct component *component,
                             const struct resource *resource, uint8_t life,
                             uint64_t time_ns);

#endif
