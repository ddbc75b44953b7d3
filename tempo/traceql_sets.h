/*
 * traceql_sets - sets of spans of one trace, as a mark for each span.
 *
 * Purpose:   filters and their relations, for traceql_run.c.
 * Ownership: marks are in the arena.
 * Threads:   one at a time.
 * Errors:    NULL: the arena is full.
 */
#ifndef TRACEQL_SETS_H
#define TRACEQL_SETS_H

#include "traceql.h"

/* A mark for each span of the trace that is in the set. */
bool *traceql_marks(const struct traceql_set *set,
                    const struct traceql_trace *trace, struct arena *arena);

#endif
