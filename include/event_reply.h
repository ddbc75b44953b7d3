/*
 * event_reply - Kubernetes events, and changes that were found in the
 * telemetry, as answers show them.
 *
 * Purpose: reason and object of an event, and from what to what a change is, in
 *   one place. Both are log records of the events stream.
 * Ownership: views borrow from the record, the resource and the request's
 *   arena.
 * Threads: one request, one thread.
 * Errors: none is answered; a full arena is seen after the handler.
 */
#ifndef EVENT_REPLY_H
#define EVENT_REPLY_H

#include "query_request.h"

struct event_metadata {
    const struct identity *identity;
    struct slice kind, name, namespace; /* of the object */
};

struct event_entry {
    struct list_time time;
    struct slice message, type, reason;
    const struct event_metadata *metadata; /* NULL: of a workflow run */
    const struct attrs *attrs;             /* NULL: left out */
};
extern const struct reply_table event_entry_table;

struct event_view {
    struct event_entry entry;
    struct event_metadata metadata;
};

/* Without its time, and without attributes. False: the arena is full. */
bool event_view_fill(struct event_view *view, struct query_request *request,
                     const struct log_record *log);

/* The kind of change that shows this reason (VersionChanged ...); empty: none.
 */
struct slice event_change_kind(struct slice reason);

/* A change of a component; kind "kubernetes": an event that is no change. */
struct change_item {
    uint64_t time_ns;
    struct slice type, kind, from, to, release, commit, phase, reason, message;
};
extern const struct reply_table change_table;

void change_item_fill(struct change_item *item, struct query_request *request,
                      const struct log_record *log);

#endif
