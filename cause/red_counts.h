/*
 * red_counts - requests, errors and durations of each operation in the periods,
 * and of each peer as its callers see it.
 */
#ifndef RED_COUNTS_H
#define RED_COUNTS_H

#include "call_graph.h"
#include "hist.h"
#include "interned_terms.h"

/* Counts of the baseline, and of the window from each attempt on. */
struct red_amounts {
    double baseline, window[RCA_ATTEMPTS];
};

/* Durations likewise, in seconds. */
struct red_durations {
    struct hist baseline, window[RCA_ATTEMPTS];
};

/* Of an operation of a component, or of all calls to a peer. */
struct red_count {
    uint32_t candidate;
    struct slice operation;
    struct red_amounts requests, errors;
    struct red_durations *durations; /* of peers only */
};

struct red_counts {
    struct arena *arena;
    const struct rca_times *times;
    struct interned_terms keys;
    struct red_count *at; /* by number of the key */
    uint32_t room, component_count;
    struct call_graph *graph;
    struct red_amounts *called, *answered, *failed_calls; /* by component */
};

/* Calls that are met are added to the graph. */
MUST_CHECK enum status red_counts_read(struct red_counts *counts,
                                       struct reader *reader,
                                       struct candidates *candidates,
                                       struct call_graph *graph,
                                       const struct rca_times *times,
                                       struct arena *arena);

/* The number of an operation in `at`; NO_INDEX: it is not there. */
uint32_t red_count_find(const struct red_counts *counts, uint32_t candidate,
                        struct slice operation);

/* Requests that a component served in the window. */
static inline double red_served(const struct red_counts *counts,
                                uint32_t component)
{
    return counts->answered[component].window[0];
}

/* Has it served requests in either period? */
static inline bool red_any_served(const struct red_counts *counts,
                                  uint32_t candidate)
{
    return candidate < counts->component_count &&
           counts->answered[candidate].baseline +
                   counts->answered[candidate].window[0] >
               0;
}

#endif
