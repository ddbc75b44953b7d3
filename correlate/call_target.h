/*
 * peers - what is on the other side of a call, and the series that counts it.
 *
 * Threads  the correlator's.
 */
#ifndef CALL_TARGET_H
#define CALL_TARGET_H

#include "edges.h"

/* One end of a call. */
struct call_span {
    struct component *component;
    struct limited_name *endpoint; /* served while calling, or called; NULL */
    struct limited_name *host;     /* a CLIENT's; NULL: it did not say */
    uint64_t start_ns, duration_ns;
    uint32_t weight; /* calls that this one stands for */
    uint16_t port;
    uint8_t protocol; /* enum protocol */
    bool failed, client_error;
};

/* What a call is to. */
struct call_target {
    union {
        struct call_span callee; /* PEER_COMPONENT: the other end */
        struct {
            struct limited_name *name;
            struct slice system, host; /* of a database or queue */
        };
    };
    uint8_t kind; /* enum peer_kind; PEER_NONE */
};

/* What a caller's span says by itself: a database, a queue, else PEER_NONE and
 * the caller's host filled in. True if it has to wait for a callee. The texts
 * are the span's. */
bool call_target_read(const struct edges_options *options,
                      struct call_span *caller, const struct span *span,
                      const struct semconv *semconv,
                      struct call_target *target);

/* The callee that the caller met. */
struct call_target call_target_met(const struct call_span *caller,
                                   const struct call_span *callee);

/* What the host of a CLIENT without a callee means: a component or an external
 * host. PEER_NONE if it has none. */
struct call_target call_target_of_host(const struct edges_options *options,
                                       const struct call_span *caller);

/* An edge: of both components if the target is one, none if both are one. back:
 * takes one off that was counted with the same arguments. */
void call_target_count(const struct edges_options *options,
                       const struct call_span *caller,
                       const struct call_target *target, bool back);

/* Takes a request off that a component was counted as serving: it is part of
 * another one. operation NULL: it is not known any more. */
void call_target_retract_request(const struct edges_options *options,
                                 const struct call_span *served,
                                 const struct limited_name *operation);

/* Copies the texts of a target that outlives its span. */
void call_target_retain(const struct edges_options *options,
                        const struct call_span *caller,
                        struct call_target *target);

/* An edge from the queue that the span names; none if it names none. */
void call_target_count_queue(const struct edges_options *options,
                             const struct call_span *call,
                             const struct semconv *semconv);

/* An IP address, with or without a port; not a name. */
bool url_is_address(struct slice host);

/* A request from outside. */
void call_target_count_gateway(const struct edges_options *options,
                               const struct call_span *callee,
                               const struct semconv *semconv);

#endif
