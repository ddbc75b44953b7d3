/*
 * edges_int - what the pairing of spans (edges.c) shares with the one who keeps
 * it over a restart (edges_state.c).
 */
#ifndef EDGES_INT_H
#define EDGES_INT_H

#include "edges.h"
#include "recent_spans.h"
#include "unpaired_spans.h"

/* Tables of spans, by why they are in it. */
enum unpaired_table {
    WAITING, /* for the other end; by the caller's span, or what a callee knows
                of the spans between */
    HELD,    /* complete, but for the spans above the caller; by the next one */
    LATE,    /* settled alone; by the caller's span */
    AWAITING_PARENT, /* for the span above a caller that waits; `above` is that
                        one */
    LINKED, /* links of a CONSUMER that waits; by the producer's span */
    UNPAIRED_TABLES
};

struct edges {
    struct edges_options options;
    struct unpaired_spans spans[UNPAIRED_TABLES];
    struct recent_spans *recent;
    uint32_t saves; /* for names: see edges_state.c */
};

/* ---- edges_ancestors.c: the spans above the two spans ---- */

/* Goes up from a caller as far as the spans above it are known: until one
 * serves, or none is left. `above` is where it stopped. */
void edges_walk_up(struct edges *edges, struct unpaired_span *caller);

/* Result of searching for the caller above a callee. */
enum caller_search {
    CALLER_FOUND,  /* an edge was counted, or none is to be */
    CALLER_NESTED, /* no request of its own: its component was serving it */
    CALLER_NONE,   /* no span above calls */
    CALLER_UNKNOWN /* the span with this key is not known, or calls nobody that
                     it could be; the same after a restart, which forgets */
};
enum caller_search edges_find_caller(struct edges *edges,
                                     struct unpaired_span *callee,
                                     struct span_key *key);

/* A span has come: callees below it, and calls and CLIENTs below it, that
 * waited for it go on. */
void edges_notify(struct edges *edges, const struct span_key *key, bool calls);

/* ---- edges.c ---- */

/* The first end from `at` on that is a caller's, or a callee's. */
uint32_t edges_find_side(const struct unpaired_spans *spans, uint32_t at,
                         bool caller);

/* The callee meets a caller with this key, if there is one. */
bool edges_pair_caller(struct edges *edges, const struct span_key *key,
                       struct unpaired_span *callee);

/* False if a caller of this identity has been counted: a batch of messages of
 * one producer is one call. */
bool edges_add_caller(struct unpaired_span *callee, uint32_t identity);

/* A caller that waits may be part of the call of one above it. */
void edges_await_parent(struct edges *edges,
                        const struct unpaired_span *caller);

/* Puts the end into the table. If there is no room for it the oldest one is
 * settled, or the end itself if too many have its key. The target: of a caller
 * that is held, to be counted; of one that is late, counted; else PEER_NONE. */
void edges_put(struct edges *edges, enum unpaired_table table,
               const struct unpaired_span *end,
               const struct call_target *target);

#endif
