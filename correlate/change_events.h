/*
 * change_log - change events on their way into the store, each exactly once.
 *
 * Threads  the correlator's.
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
    uint64_t count;              /* events ever put into it */
    uint64_t pending;            /* count when the batch began */
    uint64_t lsn;                /* of the batch */
    uint64_t committed;          /* by the logs' watermark at the start */
    uint64_t lost_to;            /* events up to this lsn may be missing */
};

MUST_CHECK enum status change_events_open(struct change_events *log,
                                          struct store *store);
void change_events_release(struct change_events *log);

/* A batch begins; events lost with it are pending again. */
void change_events_begin(struct change_events *log, uint64_t lsn);

/* An event of the batch, dropped if the store has it. Texts have at most
 * CHANGE_MAX_TEXT bytes. */
void change_events_add(struct change_events *log, uint32_t resource,
                       enum change_kind kind, struct slice from,
                       struct slice to, uint64_t time_ns);

/* The pending events, into the batch or as one of their own; see changes.h. */
struct batch *change_events_end(struct change_events *log, struct batch *batch);

#endif
