/*
 * receiver - what every receiver is given: where batches go, what is refused.
 *
 * Purpose:   part of the options of otlp_http.h and kafka.h, and all that the
 *            common part of receivers (ingest/export_request.h) knows.
 * Ownership: what it points to belongs to the caller and outlives the receiver.
 * Threads:   plain values. sink and oldest_ns are called on threads of the
 *            receiver.
 * Errors:    the sink's ready() says why nothing is accepted now.
 */
#ifndef RECEIVER_H
#define RECEIVER_H

#include "batch.h"
#include "budget.h"

struct tenants; /* tenants.h */

struct receiver_options {
    size_t max_body; /* before and after decompression; a larger one is refused
                        (HTTP 413), or a dead letter */
    /* Records older than this are rejected, in a batch that was received then;
     * NULL or 0: none. Replay of the journal uses the same function, and so
     * yields the same records. */
    uint64_t (*oldest_ns)(void *arg, enum signal signal, uint64_t received_ns);
    void *oldest_arg;
    const struct request_key *key; /* recognizes duplicate requests; NULL: none
                                      are */
    struct budget *budget;
    struct budget *bodies;   /* incomplete ones of all receivers; NULL: each has
                                its share, whatever others hold */
    struct tenants *tenants; /* NULL: no limits, nothing is counted by tenant */
    struct sink sink;
    bool as_protobuf; /* the sink wants no JSON bodies: they are rewritten */
};

/* Share of the files that a receiver's connections may be (http_slots.h). */
enum { RECEIVER_FILES_EIGHTHS = 6 };

/* Of the budget, for bodies that are not complete: half (the other half is for
 * decoding complete ones), but at least one body of the largest size, and the
 * sixteenth that is for small ones. */
static inline size_t receiver_body_share(const struct receiver_options *o)
{
    size_t half = o->budget->limit / 2;
    size_t one = o->max_body + o->max_body / 15 + 1;

    return half > one ? half : one;
}

/* For all receivers together: one may hold its share, and leaves a quarter of
 * the budget to the others. */
static inline size_t receiver_bodies_limit(const struct receiver_options *o)
{
    return receiver_body_share(o) + o->budget->limit / 4;
}

/* The time before which records of a batch are rejected; 0: none are. */
static inline uint64_t receiver_oldest_ns(const struct receiver_options *o,
                                          enum signal signal,
                                          uint64_t received_ns)
{
    return o->oldest_ns ? o->oldest_ns(o->oldest_arg, signal, received_ns) : 0;
}

#endif
