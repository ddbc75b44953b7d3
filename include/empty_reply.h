/*
 * empty_reply - why an answer about a scope has nothing in it.
 *
 * Purpose:   "never seen, did you mean cart", "last seen at ...", "nothing in
 *   the window": one member `empty` of every answer that may have no rows.
 * Ownership: texts and lists are in the request's arena.
 * Threads:   one request, one thread.
 * Errors:    NULL: the arena is full.
 *
 *   if (rows == 0)
 *       reply.empty = empty_reply_of(request, &(struct empty_of){
 *           .scope = scope, .start_ns = ..., .what = "log records", ...});
 *   REPLY_OBJECT(struct x_reply, "empty", empty, REPLY_POINTER, &empty_table)
 */
#ifndef EMPTY_REPLY_H
#define EMPTY_REPLY_H

#include "query_request.h"
#include "record.h"
#include "reply_table.h"

enum { EMPTY_SIMILAR = 5 };

struct empty_of {
    struct scope_filter scope;
    uint64_t start_ns, end_ns;
    const char *what;   /* "requests", "log records" */
    enum signal signal; /* that it is made of; SIGNAL_COUNT: of any */
    bool filtered;      /* by more than scope and window */
};

struct empty_reply {
    const char *reason; /* unknown, declared, never, before, filter, window */
    struct slice message;
    uint64_t last_seen_ns;     /* 0: never */
    struct reply_list similar; /* names, the nearest first */
};
extern const struct reply_table empty_table;

/* Only of what may be seen. */
const struct empty_reply *empty_reply_of(struct query_request *request,
                                         const struct empty_of *of);

#endif
