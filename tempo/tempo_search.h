/*
 * tempo_search - one search for traces while it runs.
 *
 *   tempo_plan.c    what the store can filter of a query
 *   tempo_find.c    candidates, and which of them match
 *   tempo_result.c  the answer of one trace
 *
 * Purpose:   TraceQL over the stored traces, newest first, within bounds of
 *            time and memory.
 * Ownership: all is in the arena of the request; the query is released by its
 *            handler.
 * Threads:   one request, one thread.
 * Errors:    those of the reader; what a bound cut off is told by `partial`.
 */
#ifndef TEMPO_SEARCH_H
#define TEMPO_SEARCH_H

#include "tempo_int.h"
#include "traceql.h"

enum {
    TEMPO_MAX_TRACES = 1000, /* of one answer */
    TEMPO_MAX_SPANS = 5000,  /* of one trace that are looked at */
    TEMPO_SECONDS = 8        /* of one search; then it is partial */
};

struct tempo_result {
    uint64_t start_ns;
    uint8_t trace_id[16];
    struct slice json;
};

struct tempo_search {
    struct query_request *request;
    struct traceql query;
    uint64_t start_ns, end_ns;           /* the end is exclusive */
    uint64_t min_duration, max_duration; /* of the trace; 0: any */
    uint64_t limit, spans_per_set;       /* spans_per_set 0: all */
    uint64_t deadline_ns;

    /* ---- the plan ---- */
    const struct bitmap *visible; /* NULL: all */
    struct bitmap *resources;     /* a match has a span of one of these */
    struct trace_query wanted;    /* what the store filters */
    struct attr_match attrs[8];
    bool selective;       /* worth asking the store for traces */
    bool only_resources;  /* what the store filters is all there is */
    bool needs_attrs;     /* of spans, before their trace is read */
    uint8_t kinds;        /* bits 1 << enum span_kind; 0: all */
    uint8_t trace_id[16]; /* the only one */
    bool one_trace;

    /* ---- what was found ---- */
    struct tempo_result *results;
    uint32_t count, room;
    uint32_t traces; /* looked at */
    bool partial;
};

enum status tempo_plan(struct tempo_search *search);
enum status tempo_find(struct tempo_search *search);
/* May a trace with this span match? */
enum traceql_truth tempo_candidate(const struct traceql_set *set,
                                   const struct traceql_subject *subject);

/* Visits the resources of a set, the newest first, at most so many; what the
 * subject points to is valid during the visit. */
typedef void tempo_resource_visit(void *arg, uint32_t id,
                                  const struct traceql_subject *subject);
enum status tempo_each_resource(struct query_request *request,
                                const struct bitmap *set, uint32_t most,
                                tempo_resource_visit *visit, void *arg);

/* The visible spans of a trace; none: count 0. *cut: there are more; NULL: it
 * does not matter. */
enum status tempo_read_trace(struct query_request *request,
                             const struct span_query *query,
                             struct arena *arena, struct traceql_trace *trace,
                             bool *cut);

/* Reads a trace; if it matches it is added to the results. */
enum status tempo_look_at(struct tempo_search *search,
                          const uint8_t trace_id[16]);

#endif
