/*
 * peers - what is on the other side of a call, and the series that counts it.
 *
 * Threads  the correlator's.
 */
#ifndef PEERS_H
#define PEERS_H

#include "edges.h"

/* One end of a call. */
struct call {
    struct component *component;
    struct capped_name *endpoint; /* served while calling, or called; NULL */
    struct capped_name *host;     /* a CLIENT's; NULL: it did not say */
    uint64_t start_ns, duration_ns;
    uint16_t port;
    uint8_t protocol; /* enum protocol */
    bool failed;
};

/* An edge of both components. Nothing if they are one. */
void peers_met(const struct edges_options *options, const struct call *caller,
               const struct call *callee);

/* A CLIENT without a callee: a component or an external host. */
void peers_alone(const struct edges_options *options,
                 const struct call *caller);

/* Counts what a caller's span says by itself (database, queue) and fills in
 * the host. True if it has to wait for a callee. */
bool peers_at_once(const struct edges_options *options, struct call *caller,
                   const struct span *span, const struct semconv *semconv);

/* An edge from or to the queue that the span names; none if it names none. */
void peers_queue(const struct edges_options *options, const struct call *call,
                 enum series_family family, const struct semconv *semconv);

/* A request from outside. */
void peers_gateway(const struct edges_options *options,
                   const struct call *callee, const struct semconv *semconv);

#endif
