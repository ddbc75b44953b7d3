/*
 * edges_int - what the pairing of ends (edges.c) shares with the one who keeps
 * it over a restart (edges_state.c).
 */
#ifndef EDGES_INT_H
#define EDGES_INT_H

#include "edges.h"
#include "ends.h"

struct serving;

/* Tables of ends, by why they are in it. */
enum ends_table {
    WAITING, /* for the other end; by the caller's span */
    HELD,    /* complete, but for the caller's endpoint; by the span above */
    LATE,    /* settled alone; by the caller's span */
    ENDS_TABLES
};

struct edges {
    struct edges_options options;
    struct ends ends[ENDS_TABLES];
    struct serving *serving;
    uint32_t saves; /* for names: see edges_state.c */
};

/* Puts the end into the table. If there is no room for it the oldest one is
 * settled, or the end itself if too many have its key. The target: of a caller
 * that is held, to be counted; of one that is late, counted; else PEER_NONE. */
void edges_put(struct edges *edges, enum ends_table table,
               const struct end *end, const struct target *target);

#endif
