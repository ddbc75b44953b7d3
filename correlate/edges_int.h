/*
 * edges_int - what the table of waiting ends (edges.c) shares with the one who
 * keeps it over a restart (edges_state.c).
 */
#ifndef EDGES_INT_H
#define EDGES_INT_H

#include "edges.h"
#include "peers.h"

#define EDGES_NONE UINT32_MAX

struct end {
    uint8_t trace_id[16], span_id[8]; /* of the caller */
    uint64_t parent;                  /* hash of the caller's parent; 0: none */
    uint64_t arrived_ns;
    struct call call;
    uint32_t chain, older, newer;
    uint8_t kind; /* enum span_kind */
};

struct serving;

struct edges {
    struct edges_options options;
    struct end *ends;
    uint32_t *heads;
    uint32_t mask, free, fresh, oldest, newest, open;
    struct serving *serving;
    uint32_t saves; /* for names: see edges_state.c */
};

/* Lets the model wait under this key, as the newest. Settles the oldest one if
 * the table is full, or the model itself if too many have its key. */
void edges_put(struct edges *edges, const uint8_t trace_id[16],
               const uint8_t span_id[8], const struct end *model);

#endif
