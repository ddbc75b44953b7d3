/*
 * call_target - what a call goes to, and the series that count it.
 *
 * Threads: the correlator's.
 */
#ifndef CALL_TARGET_H
#define CALL_TARGET_H

#include "component_cache.h"
#include "derived_table.h"
#include "endpoint.h"

/* What is needed to resolve and count calls. */
struct call_context {
    struct cardinality_limit *limit;
    struct derived_table *derived;
    struct components *components;
    struct registry *registry;
    uint32_t max_targets; /* names per component; the rest is {other} */
};

/* One span's side of a call. */
struct call_span {
    struct component *component;
    struct counted_name *endpoint; /* served while calling, or called; NULL */
    struct counted_name *host;     /* of a CLIENT; NULL: it names none */
    uint64_t start_ns, duration_ns;
    uint32_t weight; /* calls that this one represents */
    uint16_t port;
    uint8_t protocol; /* enum protocol */
    bool failed, client_error;
};

struct call_target {
    union {
        struct call_span callee; /* PEER_COMPONENT */
        struct {
            struct counted_name *name;
            struct slice system, host; /* of a database or queue */
        };
    };
    uint8_t kind; /* enum peer_kind; PEER_NONE: no target */
};

/* The target that the caller's span names: a database or a queue; else
 * PEER_NONE, and the caller's host is set. True if the span has to wait for a
 * callee. The texts of the target are those of the span. */
bool call_target_read(const struct call_context *context,
                      struct call_span *caller, const struct semconv *semconv,
                      struct call_target *target);

/* The callee that the caller was paired with. */
struct call_target call_target_met(const struct call_span *caller,
                                   const struct call_span *callee);

/* What the host of a CLIENT without a callee resolves to: a component or an
 * external host; PEER_NONE without a host. */
struct call_target call_target_of_host(const struct call_context *context,
                                       const struct call_span *caller);

/* Copies the texts of a target that outlives its span. */
void call_target_retain(const struct call_context *context,
                        const struct call_span *caller,
                        struct call_target *target);

/* Counts an edge: on both components if the target is a component, nothing if
 * both are the same. retract: subtracts one that was counted with the same
 * arguments. */
void call_target_count(const struct call_context *context,
                       const struct call_span *caller,
                       const struct call_target *target, bool retract);

/* Counts an edge from the queue that a CONSUMER names; nothing without one. */
void call_target_count_queue(const struct call_context *context,
                             const struct call_span *consumer,
                             const struct semconv *semconv);

/* Counts a request from outside. */
void call_target_count_gateway(const struct call_context *context,
                               const struct call_span *callee,
                               const struct semconv *semconv);

/* The series of the requests of an operation; NULL while muted. */
struct derived_series *request_series(struct derived_table *derived,
                                      enum derived_family family,
                                      const struct component *component,
                                      enum span_kind kind,
                                      const struct counted_name *endpoint,
                                      struct counted_name *operation,
                                      uint64_t time_ns);

#endif
