/*
 * inner_request - a request to another route, made while one is answered.
 *
 * Purpose: an API of a tool asks the routes there are, as the same subject,
 *   with the same checks, memory, deadline and cancellation.
 * Ownership: what the inner handler allocates is in the outer arena; the answer
 *   is inner->out, until inner_request_release().
 * Threads: that of the outer request, whose route has the flag ASKS_ROUTES.
 * Errors: the answer of the inner route: inner->http_status and inner->out. If
 *   outer->waits is set afterwards, a decision is awaited: the outer handler
 *   returns at once and runs again.
 *
 *   struct query_request inner;
 *
 *   inner_request_run(outer, &asked, &inner);
 *   if (inner.http_status == 200)
 *       ... buf_slice(&inner.out) ...
 *   inner_request_release(&inner);
 */
#ifndef INNER_REQUEST_H
#define INNER_REQUEST_H

#include "query_request.h"

struct inner_request {
    const char *method, *path;          /* as in the table of routes */
    struct slice parts[HTTP_MAX_PARTS]; /* of the path, decoded */
    const struct http_param *params;    /* of the query string, decoded */
    uint32_t param_count;
    struct slice body; /* JSON, of POST and PUT */
};

/* NULL: there is none. */
const struct route *inner_request_route(const char *method, const char *path);

/* The route must exist. */
void inner_request_run(struct query_request *outer,
                       const struct inner_request *asked,
                       struct query_request *inner);
void inner_request_release(struct query_request *inner);

#endif
