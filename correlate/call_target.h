/*
 * peers - what is on the other side of a call, and the series that counts it.
 *
 * Threads  the correlator's.
 */
#ifndef PEERS_H
#define PEERS_H

#include "edges.h"

/* One end of a call. */
struct call_span {
    struct component *component;
    struct capped_name *endpoint; /* served while calling, or called; NULL */
    struct capped_name *host;     /* a CLIENT's; NULL: it did not say */
    uint64_t start_ns, duration_ns;
    uint32_t weight; /* calls that this one stands for */
    uint16_t port;
    uint8_t protocol; /* enum protocol */
    bool failed, client_error;
};

/* What a call is to. */
struct target {
    union {
        struct call_span callee; /* PEER_COMPONENT: the other end */
        struct {
            struct capped_name *name;
            struct slice system, host; /* of a database or queue */
        };
    };
    uint8_t kind; /* enum peer_kind; PEER_NONE */
};

/* What a caller's span says by itself: a database, a queue, else PEER_NONE and
 * the caller's host filled in. True if it has to wait for a callee. The texts
 * are the span's. */
bool peers_at_once(const struct edges_options *options,
                   struct call_span *caller, const struct span *span,
                   const struct semconv *semconv, struct target *target);

/* The callee that the caller met. */
struct target peers_met(const struct call_span *caller,
                        const struct call_span *callee);

/* What the host of a CLIENT without a callee means: a component or an external
 * host. PEER_NONE if it has none. */
struct target peers_alone(const struct edges_options *options,
                          const struct call_span *caller);

/* An edge: of both components if the target is one, none if both are one. back:
 * takes one off that was counted with the same arguments. */
void peers_count(const struct edges_options *options,
                 const struct call_span *caller, const struct target *target,
                 bool back);

/* Takes a request off that a component was counted as serving: it is part of
 * another one. operation NULL: it is not known any more. */
void peers_served_back(const struct edges_options *options,
                       const struct call_span *served,
                       const struct capped_name *operation);

/* Copies the texts of a target that outlives its span. */
void peers_keep(const struct edges_options *options,
                const struct call_span *caller, struct target *target);

/* An edge from the queue that the span names; none if it names none. */
void peers_from_queue(const struct edges_options *options,
                      const struct call_span *call,
                      const struct semconv *semconv);

/* An IP address, with or without a port; not a name. */
bool peers_is_address(struct slice host);

/* A request from outside. */
void peers_gateway(const struct edges_options *options,
                   const struct call_span *callee,
                   const struct semconv *semconv);

#endif
