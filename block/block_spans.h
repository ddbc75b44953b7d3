/*
 * block_spans - the traces of an open block; for block_spans_*.c only.
 */
#ifndef BLOCK_SPANS_H
#define BLOCK_SPANS_H

#include "block_file.h"

struct trace_index {
    uint32_t count;
    const uint8_t *ids; /* 16 bytes each, ascending */
    uint32_t *first;    /* row; count + 1 of them */
    struct ints *start, *length, *root;
    struct slice span_ids, parent_ids; /* read when needed */
};

/* NULL, and a sticky error of the block, if it is damaged. */
struct trace_index *block_trace_table(struct block *block);

/* Start of each row, or NULL. */
const uint64_t *block_starts(struct block *block);

#endif
