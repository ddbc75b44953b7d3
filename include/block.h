/*
 * block - many records as columns, in one piece of bytes.
 *
 * A block is self-contained (it has its own dictionaries) and is read column by
 * column: what a query does not need is neither decompressed nor decoded. Spans
 * are sorted by trace id, then start; logs by resource id, then time. The
 * format is drawn in the head of block.c and described in docs/format.md.
 *
 * Purpose:   the storage format of spans and logs: written (block_*_write.c),
 *            skipped by its summary, read and searched.
 * Ownership: writers reuse their memory. An open block, and all that is read
 *            from it, lives in the arena and points into the bytes, which must
 *            stay as long.
 * Threads:   a writer or an open block is used by one thread at a time.
 * Errors:    ERR_CORRUPT, ERR_UNSUPPORTED (newer version), ERR_BUSY or
 *            ERR_TOO_BIG (arena) when reading; the first one sticks.
 */
#ifndef BLOCK_H
#define BLOCK_H

#include "arena.h"
#include "bitmap.h"
#include "buf.h"
#include "record.h"
#include "status.h"
#include "store_query.h"

/* Stored beside the block, to skip it or to count without opening it. */
struct block_meta {
    uint32_t count;
    uint64_t min_ns, max_ns;  /* spans: of start_ns; logs: of time_ns */
    uint64_t max_end_ns;      /* spans */
    uint64_t max_duration_ns; /* spans */
    uint32_t levels;          /* logs: a bit per level that occurs; spans: bit
                                 SPAN_ERROR if a span failed */
};

struct block_writer;
struct block_writer *block_writer_new(void);
void block_writer_free(struct block_writer *writer);

/* Spans encoded as they arrive, while they are in the CPU's cache, for a block
 * written later. An added span may be freed, but not its scope, which must stay
 * until the rows are reset. */
struct span_rows;
struct span_rows *span_rows_new(void);
void span_rows_free(struct span_rows *rows); /* NULL is allowed */
void span_rows_reset(struct span_rows *rows);
uint32_t span_rows_count(const struct span_rows *rows);
void span_rows_add(struct span_rows *rows, const struct span *span);

/*
 * Encodes count records: their columns into `block`, and into `summary` a few
 * bytes stored beside it: resource ids with their counts (logs: by level) and
 * Bloom filters of trace ids and words. The arrays of pointers are sorted in
 * place. ERR_TOO_BIG if a buf reaches its cap.
 */
MUST_CHECK enum status block_write_spans(struct block_writer *writer,
                                         const struct span **spans,
                                         uint32_t count, struct buf *block,
                                         struct buf *summary,
                                         struct block_meta *meta);
/* The same for rows, which must be reset afterwards. */
MUST_CHECK enum status block_write_span_rows(struct block_writer *writer,
                                             struct span_rows *rows,
                                             struct buf *block,
                                             struct buf *summary,
                                             struct block_meta *meta);
MUST_CHECK enum status block_write_logs(struct block_writer *writer,
                                        const struct log_record **logs,
                                        uint32_t count, struct buf *block,
                                        struct buf *summary,
                                        struct block_meta *meta);

/* ---- the summary: can the block be skipped? ---- */

/* Counts the records of the resources (NULL: all), by level (logs) or all in
 * [0] (spans); false if the summary is damaged. */
bool summary_counts(struct slice summary, const struct bitmap *resources,
                    uint64_t counts[LEVEL_COUNT]);
/* Adds the resources that have records; false if the summary is damaged. */
bool summary_resources(struct slice summary, struct bitmap *resources);
/* False if the block certainly has no such trace, phrase or word. */
bool summary_may_have_trace(struct slice summary, const uint8_t trace_id[16]);
/* The same for many traces: the filter is read once. */
struct slice summary_trace_filter(struct slice summary);
bool trace_filter_may_have(struct slice filter, const uint8_t trace_id[16]);
bool summary_may_have_phrase(struct slice summary, struct slice phrase);
bool summary_may_have_word(struct slice summary, struct slice word);

/* ---- reading ---- */

struct block;

/* Checks the header; the checksum of a column when it is first read. */
MUST_CHECK enum status block_open(struct block **block, struct slice bytes,
                                  struct arena *arena);
uint32_t block_count(const struct block *block);

/* The rows that match everything of the query but limit and order, as a bitmap
 * (row i: bit i & 63 of word i / 64). */
MUST_CHECK enum status block_match_logs(struct block *block,
                                        const struct log_query *query,
                                        uint64_t **rows, uint64_t *matches);

/* time_ns (logs) or start_ns (spans) of every row. */
MUST_CHECK enum status block_times(struct block *block, const uint64_t **times);

/* The arrival of every row. A block written before arrivals were stored has
 * none: its rows are numbered from `first`, which must be set before. */
void block_set_first_arrival(struct block *block, uint64_t first);
MUST_CHECK enum status block_arrivals(struct block *block,
                                      const uint64_t **arrivals);

/* Reads one row. whole: also trace state, flags, scope, attributes, events and
 * links. */
MUST_CHECK enum status block_read_log(struct block *block, uint32_t row,
                                      struct log_record *log);
/* Only time, ids, level, resource and body. */
MUST_CHECK enum status block_read_log_brief(struct block *block, uint32_t row,
                                            struct log_record *log);
/* The trace id of a log record; zero if it has none. */
MUST_CHECK enum status block_log_trace_id(struct block *block, uint32_t row,
                                          uint8_t trace_id[16]);
MUST_CHECK enum status block_read_span(struct block *block, uint32_t row,
                                       bool whole, struct span *span);

/* The rows of a trace: the first, and how many (0: none). */
MUST_CHECK enum status block_find_trace(struct block *block,
                                        const uint8_t trace_id[16],
                                        uint32_t *first, uint32_t *count);

/* The span ids of all rows, 8 bytes each. */
MUST_CHECK enum status block_span_ids(struct block *block, const uint8_t **ids);

/* True if one of these rows belongs to one of the resources. */
bool block_any_resource(struct block *block, uint32_t first, uint32_t count,
                        const struct bitmap *resources);

/* A trace that has spans in this block; if the query has visible resources,
 * counted by their spans only, which may be none. */
struct block_trace {
    uint8_t trace_id[16];
    uint32_t first, count;     /* rows */
    uint64_t start_ns, end_ns; /* earliest start, latest end */
    uint32_t root;             /* row of the span without a parent, else of
                                  the earliest one */
    bool has_root;
    bool matches;    /* a span matches the query (in `resources`, time ...) */
    bool has_errors; /* a span in `resources` has failed */
};
/* Every trace of the block, by trace id. */
MUST_CHECK enum status block_traces(struct block *block,
                                    const struct trace_query *query,
                                    struct block_trace **traces,
                                    uint32_t *count);
/* The traces of a sample that overlap its time and have a span of one of its
 * resources. The others are not looked at: much cheaper than block_traces(). */
MUST_CHECK enum status block_sample_traces(struct block *block,
                                           const struct sample_query *query,
                                           struct block_trace **traces,
                                           uint32_t *count);
/* The spans of one of these that the query wants and that start in its time. */
MUST_CHECK enum status block_visit_sample(struct block *block,
                                          const struct sample_query *query,
                                          const struct block_trace *trace,
                                          span_visit *visit, void *arg);

/* The same tests for a record in memory. */
bool match_log(const struct log_record *log, const struct log_query *query);
bool match_span(const struct span *span, const struct trace_query *query);

#endif
