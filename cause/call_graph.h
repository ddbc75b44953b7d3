/*
 * call_graph - which candidate calls which, as bit rows.
 *
 * All calls are added first; call_graph_close() then finds what each candidate
 * reaches through others.
 */
#ifndef CALL_GRAPH_H
#define CALL_GRAPH_H

#include "candidates.h"

struct call_graph {
    uint64_t *calls, *reach; /* row: caller, bit: callee */
    uint32_t rows, words;    /* words of a row */
};

/* For all candidates there may be. False: the arena is full. */
MUST_CHECK bool call_graph_init(struct call_graph *graph,
                                const struct candidates *candidates,
                                struct arena *arena);
void call_graph_add(struct call_graph *graph, uint32_t from, uint32_t to);
/* Dependencies of the catalogue are calls, even if none is seen. */
void call_graph_add_declared(struct call_graph *graph,
                             const struct candidates *candidates,
                             struct catalog *catalog);
/* candidates: how many there are in the end. */
void call_graph_close(struct call_graph *graph, uint32_t candidates);

static inline bool call_graph_calls(const struct call_graph *graph,
                                    uint32_t from, uint32_t to)
{
    return graph->calls[(size_t)from * graph->words + to / 64] >> (to & 63) & 1;
}

/* Directly or through others. */
static inline bool call_graph_reaches(const struct call_graph *graph,
                                      uint32_t from, uint32_t to)
{
    return graph->reach[(size_t)from * graph->words + to / 64] >> (to & 63) & 1;
}

/* The first callee from a number on; NO_INDEX: there is none. */
static inline uint32_t call_graph_callee(const struct call_graph *graph,
                                         uint32_t from, uint32_t at)
{
    const uint64_t *row = &graph->calls[(size_t)from * graph->words];

    for (uint32_t w = at / 64; w < graph->words; w++) {
        uint64_t bits =
            row[w] & (w == at / 64 ? UINT64_MAX << (at & 63) : UINT64_MAX);

        if (bits)
            return w * 64 + (uint32_t)__builtin_ctzll(bits);
    }
    return NO_INDEX;
}

/* Is it a component that no other component calls? */
bool call_graph_is_entry(const struct call_graph *graph,
                         const struct candidates *candidates, uint32_t to);

#endif
