/*
 * edges_int - what the pairing of ends (edges.c) shares with the one who keeps
 * it over a restart (edges_state.c).
 */
#ifndef EDGES_INT_H
#define EDGES_INT_H

#include "edges.h"
#include "recent_spans.h"
#include "unpaired_spans.h"

/* Tables of ends, by why they are in it. */
enum ends_table {
    WAITING, /* for the other end; by the caller's span, or what a callee knows
                of the spans between */
    HELD,    /* complete, but for the spans above the caller; by the next one */
    LATE,    /* settled alone; by the caller's span */
    ASKING,  /* for the span above a caller that waits; `above` is that one */
    LINKED,  /* links of a CONSUMER that waits; by the producer's span */
    ENDS_TABLES
};

struct edges {
    struct edges_options options;
    struct ends ends[ENDS_TABLES];
    struct span_tree *tree;
    uint32_t saves; /* for names: see edges_state.c */
};

/* ---- edges_ancestors.c: the spans above the two ends ---- */

/* Goes up from a caller as far as the spans above it are known: until one
 * serves, or none is left. `above` is where it stopped. */
void edges_climb(struct edges *edges, struct end *caller);

/* Result of searching for the caller above a callee. */
enum meeting {
    MEETING_DONE,   /* an edge was counted, or none is to be */
    MEETING_NESTED, /* no request of its own: its component was serving it */
    MEETING_NOBODY, /* no span above calls */
    MEETING_LATER   /* the span with this key is not known, or calls nobody that
                       it could be; the same after a restart, which forgets */
};
enum meeting edges_look_up(struct edges *edges, struct end *callee,
                           struct span_key *key);

/* A span has come: callees below it, and calls and CLIENTs below it, that
 * waited for it go on. */
void edges_tell(struct edges *edges, const struct span_key *key, bool calls);

/* ---- edges.c ---- */

/* The first end from `at` on that is a caller's, or a callee's. */
uint32_t edges_side(const struct ends *ends, uint32_t at, bool caller);

/* The callee meets a caller with this key, if there is one. */
bool edges_meet_caller(struct edges *edges, const struct span_key *key,
                       struct end *callee);

/* False if a caller of this identity has been counted: a batch of messages of
 * one producer is one call. */
bool edges_note_caller(struct end *callee, uint32_t identity);

/* A caller that waits may be part of the call of one above it. */
void edges_ask_above(struct edges *edges, const struct end *caller);

/* Puts the end into the table. If there is no room for it the oldest one is
 * settled, or the end itself if too many have its key. The target: of a caller
 * that is held, to be counted; of one that is late, counted; else PEER_NONE. */
void edges_put(struct edges *edges, enum ends_table table,
               const struct end *end, const struct target *target);

#endif
