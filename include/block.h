/*
 * block - one sealed head: many records as columns, in one run of bytes.
 *
 * A block is self-contained (its own dictionaries) and is read column by
 * column: what a question does not need is neither inflated nor decoded. The
 * format is drawn in the head of block.c and told in docs/format.md.
 *
 * Spans are sorted by trace id, then start; logs by resource id, then time.
 *
 * Threads  a writer or an open block is used by one thread at a time.
 */
#ifndef BLOCK_H
#define BLOCK_H

#include "arena.h"
#include "bitmap.h"
#include "buf.h"
#include "record.h"
#include "status.h"
#include "store_query.h"

/* What is kept beside the block, to skip it or to count without opening it. */
struct block_meta {
    uint32_t count;
    uint64_t min_ns, max_ns;  /* spans: of start_ns; logs: of time_ns */
    uint64_t max_end_ns;      /* spans */
    uint64_t max_duration_ns; /* spans */
    uint32_t levels;          /* logs: bits of levels that occur; spans: bit
                                 SPAN_ERROR if a span failed */
};

/* Buffers that are used again for every block. */
struct block_writer;
struct block_writer *block_writer_new(void);
void block_writer_free(struct block_writer *writer);

/*
 * Spans on their way into a block, coded as they come, while they are in the
 * cache. What is added may go, but for the scope, which must stay where it is
 * until the rows are reset.  */
struct span_rows;
struct span_rows *span_rows_new(void);
void span_rows_free(struct span_rows *rows); /* NULL is fine */
void span_rows_reset(struct span_rows *rows);
uint32_t span_rows_count(const struct span_rows *rows);
void span_rows_add(struct span_rows *rows, const struct span *span);

/*
 * Encodes count records. `block` gets the columns, `summary` a short run of
 * bytes kept beside it: resource ids with their counts (logs: by level) and
 * the filters over trace ids and over words. The arrays of pointers are sorted
 * in place. ERR_TOO_BIG if a cap of the bufs is met.
 */
MUST_CHECK enum status block_write_spans(struct block_writer *writer,
                                         const struct span **spans,
                                         uint32_t count, struct buf *block,
                                         struct buf *summary,
                                         struct block_meta *meta);
/* The same of rows, which are to be reset then. */
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

/* ---- the summary: may the block be skipped? ---- */

/* How many records the resources have, by level (logs) or all in [0]
 * (spans); false if the summary is damaged. */
bool summary_counts(struct slice summary, const struct bitmap *resources,
                    uint64_t counts[LEVEL_COUNT]);
/* Adds the resources that have records; false if it is damaged. */
bool summary_resources(struct slice summary, struct bitmap *resources);
/* May it hold this trace / this phrase / this word? Never false if it does. */
bool summary_may_have_trace(struct slice summary, const uint8_t trace_id[16]);
/* The same for many traces: the filter once, then each. */
struct slice summary_trace_filter(struct slice summary);
bool trace_filter_may_have(struct slice filter, const uint8_t trace_id[16]);
bool summary_may_have_phrase(struct slice summary, struct slice phrase);
bool summary_may_have_word(struct slice summary, struct slice word);

/* ---- reading ---- */

struct block;

/* Checks header and checksums of what it reads. bytes must stay as long as
 * the block. All memory comes from the arena. ERR_CORRUPT, ERR_UNSUPPORTED
 * (newer version), ERR_BUSY (arena). */
MUST_CHECK enum status block_open(struct block **block, struct slice bytes,
                                  struct arena *arena);
uint32_t block_count(const struct block *block);

/*
 * Rows that match, in the block's order, as bits in *rows (row i: bit i & 63
 * of word i / 64; arena). Logs: everything of log_query but limit and order.
 */
MUST_CHECK enum status block_match_logs(struct block *block,
                                        const struct log_query *query,
                                        uint64_t **rows, uint64_t *matches);

/* time_ns of every row (arena), for putting matches in order. */
MUST_CHECK enum status block_times(struct block *block, const uint64_t **times);

/* arrival of every row (arena). A block from before that was kept has none:
 * its rows count from `first`, which is to be said before they are read. */
void block_set_first_arrival(struct block *block, uint64_t first);
MUST_CHECK enum status block_arrivals(struct block *block,
                                      const uint64_t **arrivals);

/* One row with all its members, in the arena of the block. */
MUST_CHECK enum status block_read_log(struct block *block, uint32_t row,
                                      struct log_record *log);
MUST_CHECK enum status block_read_span(struct block *block, uint32_t row,
                                       bool whole, struct span *span);

/* Rows of a trace: first and how many (0: none). */
MUST_CHECK enum status block_find_trace(struct block *block,
                                        const uint8_t trace_id[16],
                                        uint32_t *first, uint32_t *count);

/* The span ids of all rows, 8 bytes each. */
MUST_CHECK enum status block_span_ids(struct block *block, const uint8_t **ids);

/* Is a row of these of one of the resources? */
bool block_any_resource(struct block *block, uint32_t first, uint32_t count,
                        const struct bitmap *resources);

/* One entry per trace with a span in this block. Where the query has visible
 * resources, of the spans of those; none may be left then. */
struct block_trace {
    uint8_t trace_id[16];
    uint32_t first, count;     /* rows */
    uint64_t start_ns, end_ns; /* earliest start, latest end */
    uint32_t root;             /* row of the span without a parent, or of
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

/* The same tests on a record in memory, for the head. */
bool match_log(const struct log_record *log, const struct log_query *query);
bool match_span(const struct span *span, const struct trace_query *query);

#endif
