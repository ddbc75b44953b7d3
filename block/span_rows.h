/*
 * span_rows - spans encoded as rows when they arrive, while they are in the
 * cache, put in order when the block is written.
 *
 * Every text has become a number in a dictionary, so a row is small and of
 * fixed size, and writing the block never looks at a record again.
 *
 * For block_*.c only; the public interface is struct span_rows in block.h.
 */
#ifndef SPAN_ROWS_H
#define SPAN_ROWS_H

#include "block_columns.h"

enum {
    SPAN_CHUNK = 1024, /* rows allocated at once */
    SPAN_CHUNKS = BLOCK_MAX_ROWS / SPAN_CHUNK
};

/* Whole words, without padding: see span_rows.differing. */
struct span_row {
    uint8_t trace_id[16], span_id[8], parent_id[8];
    uint64_t start_ns, duration;
    uint32_t name, operation, endpoint, status_message, trace_state;
    uint32_t resource, scope, flags;
    uint32_t dropped_events, dropped_links;
    uint32_t event_count, link_count, event_first, link_first;
    uint8_t kind, status, marks, unused[5];
};

enum { SPAN_ROW_WORDS = sizeof(struct span_row) / sizeof(uint64_t) };

struct span_rows {
    struct scratch scratch; /* of everything here */
    struct buf value;       /* for encoding */
    struct span_row *chunks[SPAN_CHUNKS];
    uint32_t count;
    uint64_t differing[SPAN_ROW_WORDS]; /* bits in which rows differ */
    struct dict name, operation, endpoint, status_message, trace_state;
    struct text_column event_name, link_trace_id, link_span_id, link_state;
    struct numbers event_time, link_flags;
    struct attrs_writer attrs, event_attrs, link_attrs;
    struct owner_writer owners;
};

/* A block of spans being written. */
struct span_block_writer {
    struct block_builder *out;
    struct span_rows *coded;
    const struct span_row *rows; /* in order */
    const uint32_t *order;       /* numbers of the rows as added */
    uint32_t count;
    struct numbers trace_count, trace_start, trace_length, trace_root;
    uint64_t *parents, *starts;
    char *trace_ids, *parent_ids;
    uint32_t parent_id_count;
    struct summary_writer summary;
    struct block_meta *meta;
    struct map by_id; /* places in a large trace, by span id */
};

/* Copies the rows in order: sets rows and order. */
void spans_sort(struct span_block_writer *spans);
/* Then computes parents, starts and the columns of traces; meta and summary. */
void spans_add_traces(struct span_block_writer *spans);

static inline struct span_row *span_row_at(const struct span_rows *rows,
                                           uint32_t i)
{
    return &rows->chunks[i / SPAN_CHUNK][i % SPAN_CHUNK];
}

#endif
