/*
 * slowest_traces - the slowest traces of a query.
 *
 * Purpose: with the store's filter by duration. The k-th slowest of the traces
 *   that are known is a lower bound for the k-th slowest of all. Those above it
 *   are read; if that are too many, the k-th slowest among them is the next
 *   bound.
 * Ownership: lists are in the arena.
 * Threads: that of the reader.
 * Errors: those of reader_query_traces().
 */
#ifndef SLOWEST_TRACES_H
#define SLOWEST_TRACES_H

#include "store.h"

enum { SLOWEST_KNOWN = 2000 };

struct slowest_traces {
    struct trace_summary *at; /* the slowest first */
    uint32_t count;           /* at most `limit` */
    bool more,
        exact; /* exact: none of the others is slower than one of these */
};

/* known: the first matches, SLOWEST_KNOWN or, if the limit is larger, as many
 * as that; fewer: they are all. Of the query order, range and counting are not
 * used. */
MUST_CHECK enum status slowest_traces_read(
    struct reader *reader, const struct trace_query *query, uint32_t limit,
    const struct trace_summary *known, uint32_t known_count,
    struct arena *arena, struct slowest_traces *out);

#endif
