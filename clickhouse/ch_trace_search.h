/*
 * ch_trace_search - a query for traces while it runs: ch_read_traces.c and
 * ch_spread_traces.c find traces that may match, ch_trace_complete.c asks for
 * all of the spans of these, ch_trace_sql.c writes the text.
 */
#ifndef CH_TRACE_SEARCH_H
#define CH_TRACE_SEARCH_H

#include "ch_read.h"
#include "map.h"

/* What is further from the spans of a trace is not of it, for a filter by
 * duration; failed spans are searched so far around the time of the query. */
#define CH_TRACE_NEAR_NS (5 * NS_PER_MIN)
/* Spans that start earlier than this before the time of a query are searched by
 * their duration. */
#define CH_TRACE_LONG_NS NS_PER_HOUR

/* A trace that may match. */
struct ch_trace {
    uint8_t id[16];
    bool complete;              /* what follows is known */
    uint64_t certain, possible; /* spans that match; that may match */
    uint64_t root_key;
    struct trace_summary summary;
};

/* A part of the time, by the start of spans. */
struct ch_trace_slice {
    uint64_t low_ns, high_ns; /* start inclusive, end exclusive */
    enum {
        CH_SLICE_WITHIN, /* of the query's time */
        CH_SLICE_BEFORE, /* before it: spans that reach into it */
        CH_SLICE_LONG,   /* long before it */
        CH_SLICE_ACROSS, /* of traces with a span before the slice */
    } kind;
};

struct ch_trace_search {
    struct ch_reader *reader;
    const struct trace_query *query;
    struct arena work;
    struct ch_sql scope;   /* " AND ...": spans of the resources */
    struct ch_sql visible; /* likewise */
    struct ch_sql spans;   /* on one span: attributes, operation, endpoint */
    struct ch_sql certain; /* match_span() would say the same */
    bool tests;            /* some may not be certain */
    bool none;             /* nothing matches */
    struct map by_id;
    struct ch_trace **at;
    uint32_t count, room;
};

/* ---- ch_trace_complete.c ---- */

MUST_CHECK enum status ch_trace_search_init(struct ch_trace_search *s,
                                            struct ch_reader *reader,
                                            const struct trace_query *query);
/* Also after an error. */
void ch_trace_search_release(struct ch_trace_search *s);

/* The trace with this id, added if there is none; NULL: no memory. */
struct ch_trace *ch_trace_add(struct ch_trace_search *s, const uint8_t id[16]);

/* Asks for the spans of all traces that are not complete. */
MUST_CHECK enum status ch_trace_complete(struct ch_trace_search *s);

bool ch_trace_matches(const struct ch_trace_search *s,
                      const struct ch_trace *trace);

/* Those that match in the order of the query, from its range; the first
 * `limit`. */
MUST_CHECK enum status ch_trace_page(struct ch_trace_search *s,
                                     struct arena *arena,
                                     struct trace_summary **traces,
                                     uint32_t *count);

/* How many match, and where the last one of the page starts if it is full. */
uint64_t ch_trace_count(struct ch_trace_search *s, bool *full,
                        uint64_t *last_ns);

/* ---- ch_trace_sql.c ---- */

/* Is the query about the trace as a whole? */
bool ch_trace_about_whole(const struct trace_query *query);

/* Traces with candidates of a slice: TraceId, and the latest (ascending: the
 * earliest) start of these, in this order. */
void ch_trace_candidates_sql(const struct ch_trace_search *s,
                             struct ch_sql *sql,
                             const struct ch_trace_slice *slice,
                             uint64_t limit);

/* What is known of traces, of ch_trace_decode(). */
void ch_trace_complete_sql(const struct ch_trace_search *s, struct ch_sql *sql,
                           uint8_t (*ids)[16], uint32_t count);
void ch_trace_decode(struct ch_trace *row, struct byte_reader *in);

/* The spans of traces that may match, but are not certain. */
void ch_trace_uncertain_sql(const struct ch_trace_search *s, struct ch_sql *sql,
                            uint8_t (*ids)[16], uint32_t count);

/* One number: how many traces match, at most `most` (0: all). */
void ch_trace_total_sql(const struct ch_trace_search *s, struct ch_sql *sql,
                        uint64_t most);

/* Rows of a spread: which list (0 slowest, 1 failed, 2 others), slice, TraceId,
 * start, end and hash of a trace's spans in scope, each list in its order. */
struct ch_trace_spread {
    uint32_t slices, extremes;
    bool by_duration; /* all lists */
    /* Of each piece of time only this share is read; 1: all. */
    uint64_t piece_ns;
    double share;
};
void ch_trace_spread_sql(const struct ch_trace_search *s, struct ch_sql *sql,
                         const struct ch_trace_spread *spread);
/* One number: spans in scope in the time of the query. */
void ch_trace_spans_sql(const struct ch_trace_search *s, struct ch_sql *sql);

#endif
