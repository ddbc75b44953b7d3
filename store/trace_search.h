/*
 * trace_search - a query for traces while it runs: read_traces.c drives it,
 * trace_candidates.c finds traces that may be on the page, trace_assembly.c
 * collects all spans of a trace.
 */
#ifndef STORE_TRACE_SEARCH_H
#define STORE_TRACE_SEARCH_H

#include "block_cursor.h"
#include "top_n.h"
#include "trace_table.h"

/* Further from a trace's known spans its others are not searched. */
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

/* A trace that is being assembled. */
struct trace_lookup {
    struct trace_entry *entry;
    uint64_t start_ns, end_ns; /* known when its blocks were selected */
    uint64_t low_ns, high_ns;  /* blocks up to here were searched before */
};

struct trace_search {
    struct reader *reader;
    const struct trace_query *query;
    struct trace_table table;
    struct top_n top; /* the page */
    uint64_t total;
    uint32_t cost; /* of counting alone */

    struct block_walk walk;
    struct block_row row; /* the next block */
    bool has_row;
    struct trace_candidates block; /* of the block opened last */
    struct trace_candidates memory;
    bool memory_more; /* memory has more after them */

    struct trace_lookup *lookups;
    uint32_t lookup_count, lookup_room;
};

/* ---- trace_candidates.c ---- */

MUST_CHECK enum status trace_candidates_open(struct trace_search *s);
MUST_CHECK enum status trace_candidates_close(struct trace_search *s);

/* The first start, in order of the page, that a trace which was not met can
 * have; false: all were met. */
bool trace_candidates_bound(const struct trace_search *s, uint64_t *start_ns);

/* Can the trace of this span match, can a block have such spans? */
bool trace_is_candidate(const struct trace_query *query,
                        const struct span *span);
MUST_CHECK enum status trace_block_may(struct trace_search *s,
                                       const struct block_row *row, bool *may);

/* Puts up to `count` candidates into the table, or opens a block. */
MUST_CHECK enum status trace_candidates_take(struct trace_search *s,
                                             uint32_t count);

/* ---- read_traces.c ---- */

/* reader and query are set. */
void trace_search_init(struct trace_search *s);

/* The page, of the traces that are assembled. */
MUST_CHECK enum status trace_page(struct trace_search *s, struct arena *arena,
                                  struct trace_summary **traces,
                                  uint32_t *count);

/* ---- trace_assembly.c ---- */

/* Both work on the entries that are selected, and end with none selected. */

/* Collects the spans of the traces anew, from memory and all blocks near them
 * in time; afterwards the traces are complete. */
MUST_CHECK enum status trace_assemble(struct trace_search *s);

/* Marks those as late of which no span lies before `start_ns`. */
MUST_CHECK enum status trace_find_late(struct trace_search *s,
                                       uint64_t start_ns);

#endif
