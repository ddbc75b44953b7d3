/*
 * span_reply - a span as answers show it.
 *
 * Purpose: the table of a span, and the struct it is written from.
 * Ownership: a view borrows from the span, the resource and the request's
 *   arena.
 * Threads: one request, one thread.
 * Errors: none is answered; a full arena is seen after the handler.
 */
#ifndef SPAN_REPLY_H
#define SPAN_REPLY_H

#include "query_request.h"
#include "reply_table.h"

struct span_status_reply {
    const char *code;
    struct slice message;
};

/* What is shown with includeAttributes only. */
struct span_details {
    const struct attrs *attrs, *resource_attrs;
    struct reply_list events, links;
};

struct span_view {
    struct list_time start;
    const char *kind;
    bool time_corrected, end_before_start;
    uint64_t duration_ns;
    struct span_status_reply status;
    struct slice component, project;
    const struct span *span;
    const struct span_details *details; /* NULL: left out */
    struct span_details with_details;
};
extern const struct reply_table span_table;

/* NULL: the arena is full. */
const struct span_view *span_view_fill(struct span_view *view,
                                       struct query_request *request,
                                       const struct span *span,
                                       struct list_time start, bool details);

const char *span_kind_name(uint8_t kind); /* "" if unspecified */

#endif
