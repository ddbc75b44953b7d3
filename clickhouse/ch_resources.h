/*
 * ch_resources - the log of resources (resource_log.h) in callboard_resources.
 *
 * What the registry adds waits in columns. A thread inserts it within half a
 * second, and whoever writes a block does so first: no record is stored before
 * its resource. The same thread looks for rows that others inserted and keeps
 * them until the registry takes them.
 *
 * Rows are found by the time of their insertion, of ClickHouse's clock. Rows of
 * a time may be visible after later ones (an insertion that took long, a
 * replica): each look counts the rows of the last WINDOW_NS by their time, and
 * reads those times whose count has changed.
 *
 *   Kind        resource, names, deleted, namespace
 *   Facts       1 byte version; change, kind, rule: 1 byte each; first time as
 *               LEB128; then the sender's bytes
 *   SeenAt      when it was seen last, or until when it was deleted
 *
 * Times when components were seen are one value of callboard_values, of kind
 * "seen": of all instances, who saves has read it before.
 *
 * Purpose:   struct resource_log over ClickHouse.
 * Ownership: the client is borrowed.
 * Threads:   ch_resources_flush(): any. The log: as resource_log.h.
 * Errors:    what cannot be inserted waits and is tried again.
 */
#ifndef CH_RESOURCES_H
#define CH_RESOURCES_H

#include <stdatomic.h>

#include "ch_client.h"
#include "resource_log.h"

struct ch_resources;

/* poll_ms: 0: half a second; UINT32_MAX: no thread, ch_resources_poll(). */
struct ch_resources *ch_resources_open(struct ch_client *client,
                                       uint32_t poll_ms);
/* Inserts what waits, if ClickHouse takes it at once. NULL is fine. */
void ch_resources_close(struct ch_resources *resources);

/* As long as it is open. */
const struct resource_log *ch_resources_log(
    const struct ch_resources *resources);

/* All that was added before is inserted. */
MUST_CHECK enum status ch_resources_flush(struct ch_resources *resources,
                                          const atomic_bool *cancelled,
                                          struct ch_error *error);
/* One look for what others inserted; by the thread, if there is one. */
MUST_CHECK enum status ch_resources_poll(struct ch_resources *resources);

#endif
