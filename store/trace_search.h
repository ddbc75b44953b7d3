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
};

bool search_in_scope(const struct trace_query *q, const struct span *span);

/* Adds one span, which is at `root`, to its trace. */
void search_add_span(const struct search *s, struct trace_entry *entry,
                     const struct span *span, const struct trace_root *root);

/* Adds what is in memory to the traces in the table, or those asked for. */
void search_add_head(struct search *s, bool only_asked);

/* Merges what a block has of matching traces, or of those asked for. */
MUST_CHECK enum status search_merge_block(struct search *s, uint64_t id,
                                          bool only_asked);

/* Puts the traces asked for together anew, from memory and all blocks near
 * them in time; afterwards they are complete and no longer asked for. */
MUST_CHECK enum status search_complete(struct search *s, uint32_t asked);

#endif
