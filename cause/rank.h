/*
 * rank - the order of the suspects.
 */
#ifndef RANK_H
#define RANK_H

#include "call_graph.h"
#include "evidence.h"
#include "red_counts.h"

struct rank_input {
    struct arena *arena;
    const struct candidates *candidates;
    const struct call_graph *graph;
    const struct evidence_set *evidence; /* its lists are sorted */
    const struct red_counts *red;
    struct slice asked; /* this component and what it calls are suspects; empty:
                           all are */
};

/* Fills in suspects, found and confidence. False: the arena is full. */
MUST_CHECK bool rank_suspects(const struct rank_input *input,
                              struct cause_report *report);

#endif
