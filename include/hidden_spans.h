/*
 * hidden_spans - spans of a trace that the viewer may not see, between spans
 * that he may.
 *
 * Purpose: a trace in one namespace, of which the viewer sees some projects or
 *   components only, keeps its shape: beside a visible span its hidden parent
 *   and children are listed, with their ids and times and the name "hidden".
 *   Spans of other namespaces are left out, as they are for everybody.
 * Ownership: what is added is in the request's arena.
 * Threads: one request, one thread.
 * Errors: those of the reader, answered with query_fail.
 */
#ifndef HIDDEN_SPANS_H
#define HIDDEN_SPANS_H

#include "query_request.h"

enum { HIDDEN_SPANS_MAX = 200 }; /* of one trace */

/* Those of the namespace beside visible ones of query->visible, by start. */
struct hidden_spans {
    struct span *spans;
    uint32_t count;
};
MUST_CHECK enum status hidden_spans_find(struct query_request *request,
                                         const struct span_query *query,
                                         struct slice namespace,
                                         struct hidden_spans *found);

/* A page of spans as it was read, of query->visible. */
struct span_page {
    struct span *spans;
    uint32_t count;
    uint64_t total;
};

/* Adds those of the namespace to the page. */
MUST_CHECK enum status hidden_spans_add(struct query_request *request,
                                        const struct span_query *query,
                                        struct slice namespace,
                                        struct span_page *page);

#endif
