/*
 * change_events - change events on their way into the store, each exactly once.
 *
 * Events found in a batch of logs are appended to that batch; others become a
 * log batch of their own with the same lsn. So the watermark of logs tells
 * whether an event is committed.
 *
 * Restart: the last events are saved as a text, too. An event that was lost
 * with a memtable is written again when its batch is replayed.
 *
 * Of several partitions (correlator_changes.c) events are reported instead.
 *
 * Threads: the correlator's.
 */
#ifndef CHANGE_EVENTS_H
#define CHANGE_EVENTS_H

#include "store.h"

enum change_kind {
    CHANGE_VERSION,
    CHANGE_IMAGE,
    CHANGE_TEMPLATE,
    CHANGE_KINDS
};

enum { CHANGE_MAX_TEXT = 63, CHANGE_MAX_RECENT = 256 };

struct change_event {
    uint64_t lsn, time_ns;
    uint32_t resource;
    uint8_t kind, from_len, to_len;
    char from[CHANGE_MAX_TEXT], to[CHANGE_MAX_TEXT];
};

struct change_events {
    struct store *store;
    struct change_event *recent; /* a ring of CHANGE_MAX_RECENT */
    uint64_t count;              /* events ever added */
    uint64_t pending;            /* count when the batch began */
    uint64_t lsn;                /* of the batch */
    uint64_t committed;          /* watermark of logs at the start */
    uint64_t lost_to;            /* events up to this lsn may be missing */

    /* Of several partitions: each event goes there at once, unless `silent`;
     * nothing else is used. */
    void (*report)(void *arg, struct batch *batch);
    void *report_arg;
    bool silent;
};

MUST_CHECK enum status change_events_open(struct change_events *events,
                                          struct store *store);
void change_events_release(struct change_events *events);

/* True if events of the batch with this lsn have to be written again. */
bool change_events_lost(const struct change_events *events, uint64_t lsn);

/* Begins a batch; events that were lost with it are pending again. */
void change_events_begin(struct change_events *events, uint64_t lsn);

/* Adds an event of the batch; nothing if the store has it. Texts have at most
 * CHANGE_MAX_TEXT bytes. */
void change_events_add(struct change_events *events, uint32_t resource,
                       enum change_kind kind, struct slice from,
                       struct slice to, uint64_t time_ns);

/* Ends a batch: adds the pending events to a batch of logs, or returns them as
 * a batch to append as well; NULL without any. */
struct batch *change_events_end(struct change_events *events,
                                struct batch *batch);

#endif
