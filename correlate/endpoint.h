/*
 * endpoint - endpoint and operation of a span.
 *
 * SERVER, CONSUMER: the endpoint is the stamped one, else the declared one that
 * matches port or path, else it has the name of the protocol. CLIENT, PRODUCER:
 * only an operation; the endpoint is on the callee's span.
 *
 * An operation never contains a raw path: without a route, path segments that
 * are numbers, UUIDs or long hex become {id}. The operations of an endpoint
 * have a limit (cardinality_limit.h).
 *
 * Threads: the correlator's.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "cardinality_limit.h"
#include "component_cache.h"
#include "semconv.h"

enum { ENDPOINT_MAX_COUNT = 64 }; /* of one component */

struct tags {
    struct counted_name *endpoint;  /* NULL: none */
    struct counted_name *operation; /* NULL: none */
    enum protocol protocol;
    enum outcome outcome; /* this and weight are set by the caller */
    uint32_t weight;      /* spans that this one represents, at least 1 */
};

/* Finds endpoint, operation and protocol of a span that serves or calls.
 * stamped: the endpoint label on span or resource; empty without one. */
void endpoint_find(struct cardinality_limit *limit, uint32_t max_operations,
                   struct component *component, const struct semconv *semconv,
                   struct slice stamped, struct tags *tags);

/* ---- endpoint_operation.c ---- */

enum { OPERATION_MAX_TEXT = CARDINALITY_MAX_TEXT };

/* "GET /users/{id}", "shop.Cart/Add", "send orders", "SELECT users". Written to
 * out, which has OPERATION_MAX_TEXT bytes. */
struct slice operation_text(const struct semconv *semconv,
                            enum protocol protocol, char *out);

/* The path without query, fragment and parameters of segments, with ids
 * masked. Written to out, which has `room` bytes. */
struct slice operation_mask_path(struct slice path, char *out, size_t room);

#endif
