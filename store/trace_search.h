/*
 * trace_search - a query for traces while it runs: read_traces.c, where
 * candidates come from (trace_candidates.c), and what is known of one as a
 * whole (trace_assembly.c).
 */
#ifndef STORE_TRACE_SEARCH_H
#define STORE_TRACE_SEARCH_H

#include "reader.h"
#include "trace_table.h"

/* Further from a trace's known spans its others are not looked for. */
#define TRACE_NEAR_NS (5 * NS_PER_MIN)

/* A trace that may be on the page, as one source knows it. */
struct trace_candidate {
    uint8_t id[16];
    uint64_t start_ns, end_ns;
    uint64_t order; /* among those of one start */
};

/* Candidates of a source, in order of the page. */
struct trace_candidates {
    struct trace_candidate *at;
    uint32_t count, next, room;
};

/* A trace that is put together. */
struct trace_lookup {
    struct trace_entry *entry;
    uint64_t start_ns, end_ns; /* known when its blocks were looked for */
    uint64_t low_ns, high_ns;  /* blocks up to here were asked before */
};

struct trace_search {
    struct reader *reader;
    const struct trace_query *query;
    struct trace_table table;
    struct top top; /* the page */
    uint64_t total;
    uint32_t cost; /* of counting alone */

    struct block_walk walk;
    struct block_row row; /* the next block */
    bool has_row;
    struct trace_candidates block; /* of the block opened last */
    struct trace_candidates head;
    bool head_more; /* memory has more behind them */

    struct trace_lookup *asked;
    uint32_t asked_room;
};

/* ---- trace_candidates.c ---- */

MUST_CHECK enum status sources_open(struct trace_search *s);
MUST_CHECK enum status sources_close(struct trace_search *s);

/* The first start, in order of the page, that a trace which was not met can
 * have; false: all were met. */
bool sources_bound(const struct trace_search *s, uint64_t *start_ns);

/* Puts up to `count` candidates into the table, or opens a block. */
MUST_CHECK enum status sources_take(struct trace_search *s, uint32_t count);

/* ---- trace_assembly.c ---- */

/* Puts the traces asked for together anew, from memory and all blocks near
 * them in time; afterwards they are complete and no longer asked for. */
MUST_CHECK enum status search_complete(struct trace_search *s, uint32_t asked);

/* Of the traces asked for, those of which nothing lies before `start_ns` are
 * late; none is asked for any longer. */
MUST_CHECK enum status search_find_late(struct trace_search *s, uint32_t asked,
                                        uint64_t start_ns);

#endif
