/*
 * endpoint - what a span served or called: endpoint and operation.
 *
 * Served (SERVER, CONSUMER): the endpoint is the stamped one, else the declared
 * one that fits port or path, else named after the protocol. Called (CLIENT,
 * PRODUCER): only the operation; the endpoint is the callee's business.
 *
 * An operation is never a raw path: where there is no route, segments that are
 * numbers, UUIDs or long hex become {id}; operations of an endpoint are limit
 * (cardinality_limit.h).
 *
 * Threads  the correlator's.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "cardinality_limit.h"
#include "components.h"
#include "derived_table.h"
#include "outcome.h"
#include "record.h"
#include "semconv.h"

enum { ENDPOINT_MAX_COUNT = 64 }; /* of one component */

struct tags {
    struct limited_name *endpoint;  /* NULL: none */
    struct limited_name *operation; /* NULL: none */
    enum protocol protocol;
    enum outcome outcome; /* these two by the caller, afterwards */
    uint32_t weight;      /* spans that this one stands for, 1 or more */
};

/* stamped: the label on span or resource; empty if there is none. */
void endpoint_served(struct cardinality_limit *limit, uint32_t max_operations,
                     struct component *component, const struct span *span,
                     const struct semconv *semconv, struct slice stamped,
                     struct tags *tags);

void endpoint_called(struct cardinality_limit *limit, uint32_t max_operations,
                     const struct component *component, const struct span *span,
                     const struct semconv *semconv, struct tags *tags);

enum protocol endpoint_protocol(const struct span *span,
                                const struct semconv *semconv);

/* ---- text (operation.c) ---- */

enum { OPERATION_MAX_TEXT = CARDINALITY_MAX_TEXT };

/* "GET /users/{id}", "shop.Cart/Add", "send orders", "SELECT users"; in out,
 * which has OPERATION_MAX_TEXT bytes. */
struct slice operation_text(const struct span *span,
                            const struct semconv *semconv,
                            enum protocol protocol, char *out);

/* Path without query, fragment and parameters of segments, ids masked; the
 * same for out. */
struct slice operation_mask_path(struct slice path, char *out, size_t room);

#endif
