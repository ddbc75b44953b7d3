/*
 * trace_sample - the traces and log records that an analysis looks at, of
 * either period, as trees of spans.
 *
 * trace_sample.c reads them, trace_build.c links them. A busy project is
 * sampled: whole traces, chosen by a hash of their id.
 */
#ifndef TRACE_SAMPLE_H
#define TRACE_SAMPLE_H

#include "array.h"
#include "candidates.h"
#include "hash.h"
#include "interned_terms.h"

struct rca_span {
    uint64_t trace_id[2], id, parent_id;
    uint64_t start_ns, end_ns;
    uint32_t trace;     /* its number in the sample */
    uint32_t component; /* or NO_INDEX */
    uint32_t resource;  /* that sent it */
    uint32_t name;      /* its operation or name, a term */
    uint32_t parent;    /* or NO_INDEX */
    uint32_t request;   /* the span with which its component was called */
    uint32_t first_child, next_sibling;
    uint8_t kind;
    bool failed;
    bool lost_answer; /* a call that usually has an answer, and has none */
};

struct rca_log {
    uint64_t time_ns;
    uint64_t trace_id[2], span_id;
    uint32_t span;        /* its number in the sample */
    uint32_t fingerprint; /* of the statement that wrote it, a term */
    uint8_t level;
};

struct rca_trace {
    uint32_t first, count; /* spans */
    uint64_t start_ns, end_ns;
};

/* Of one period. */
struct trace_sample {
    struct rca_span *spans;
    struct rca_log *logs;
    struct rca_trace *traces;
    uint32_t span_count, span_room, log_count, log_room, trace_count;
    struct map index; /* spans by trace and id */
    bool is_part;     /* others of the period were not read */
};

struct trace_samples {
    struct arena *arena;
    struct interned_terms terms; /* names of spans, fingerprints of logs */
    struct trace_sample period[PERIODS];
};

/* Reads at most about max_spans spans and log records of each period, and
 * links them. */
MUST_CHECK enum status trace_samples_read(struct trace_samples *samples,
                                          struct reader *reader,
                                          struct candidates *candidates,
                                          const struct rca_times *times,
                                          uint32_t max_spans,
                                          struct arena *arena);

/* trace_build.c: traces of spans in any order. False: the arena is full. */
MUST_CHECK bool trace_build(struct trace_sample *sample,
                            const struct cause_window *period,
                            struct arena *arena);

/* lost_answers.c: marks them, when both periods are built. False: the arena is
 * full. */
MUST_CHECK bool trace_find_lost_answers(struct trace_samples *samples);

/* log_fingerprint.c: the statement that wrote a log record, as a term.
 * NO_INDEX: the arena is full. */
uint32_t log_fingerprint(struct interned_terms *terms,
                         const struct log_record *log);

/* The key of the term of a span's name. */
static inline uint64_t span_name_key(struct slice name)
{
    return hash_mix(1, hash_bytes(name.ptr, name.len, 0));
}

/* Does a request to the component begin with this span? */
static inline bool span_is_served(const struct rca_span *span)
{
    return span->kind == SPAN_SERVER || span->kind == SPAN_CONSUMER;
}

#endif
