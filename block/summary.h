/*
 * summary - writes what is stored beside a block to skip it; for block_*.c
 * only. Its readers are in block.h.
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "block_file.h"
#include "bloom.h"

struct summary_writer {
    struct bloom_filter traces, words, numbers, trigrams;
    bool has_text; /* all filters, not only that of traces */
};

void summary_init(struct summary_writer *summary, struct scratch *scratch,
                  bool has_text);

void summary_add_trace(struct summary_writer *summary,
                       const uint8_t trace_id[16]);

/* Adds the words of a text. */
void summary_add_words(struct summary_writer *summary, struct slice text);

/* Adds the trigrams of a text. Of a variable in a line the caller gives the two
 * bytes on either side too. */
void summary_add_trigrams(struct summary_writer *summary, struct slice text);

/* Appends the summary. counts: of resource ids[i], by level, from i *
 * LEVEL_COUNT on. */
void summary_put(struct summary_writer *summary, enum block_type kind,
                 const uint32_t *ids, const uint32_t *counts, uint32_t id_count,
                 struct scratch *scratch, struct buf *out);

#endif
