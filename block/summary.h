/*
 * summary - what is kept beside a block to skip it; for block_*.c only. The
 * readers' side is in block.h.
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "block_file.h"
#include "bloom.h"

struct summary_writer {
    struct bloom_filter traces, words, numbers, trigrams;
    bool has_text; /* all but traces are there */
};

void summary_init(struct summary_writer *summary, struct scratch *scratch,
                  bool has_text);

void summary_add_trace(struct summary_writer *summary,
                       const uint8_t trace_id[16]);

/* The words of a text. */
void summary_add_words(struct summary_writer *summary, struct slice text);

/* The trigrams that a phrase is looked up by. Of a text that stands between
 * others the caller gives two bytes of them on either side. */
void summary_add_trigrams(struct summary_writer *summary, struct slice text);

/* Writes it. counts: of resource ids[i], by level, from i * LEVEL_COUNT on. */
void summary_put(struct summary_writer *summary, enum block_type kind,
                 const uint32_t *ids, const uint32_t *counts, uint32_t id_count,
                 struct scratch *scratch, struct buf *out);

#endif
