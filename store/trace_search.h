/*
 * trace_search - a query for traces while it runs (read_traces.c and
 * trace_near.c).
 */
#ifndef STORE_TRACE_SEARCH_H
#define STORE_TRACE_SEARCH_H

#include "reader.h"
#include "traces.h"

struct search {
    struct reader *reader;
    const struct trace_query *query;
    struct trace_table table;
    struct block_row *rows; /* blocks of the time asked for */
    uint32_t row_count;
};

bool search_in_scope(const struct trace_query *q, const struct span *span);

/* Adds one span, which is at `root`, to its trace. */
void search_add_span(const struct search *s, struct trace_entry *entry,
                     const struct span *span, const struct trace_root *root);

/* Merges all traces of a block, or only those asked for. */
MUST_CHECK enum status search_merge_block(struct search *s, uint64_t id,
                                          bool only_asked);

/* Completes the traces asked for from blocks near them in time that were not
 * opened so far; afterwards they are complete and no longer asked for. */
MUST_CHECK enum status search_complete(struct search *s, uint32_t asked);

#endif
