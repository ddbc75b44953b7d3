/* ch_read_dead_letters - messages that could not be decoded (metadata.h). */
#ifndef CH_READ_DEAD_LETTERS_H
#define CH_READ_DEAD_LETTERS_H

#include "ch_reader.h"
#include "metadata.h"

MUST_CHECK enum status ch_query_dead_letters(
    struct ch_reader *reader, const struct dead_letter_query *query,
    struct arena *arena, struct dead_letter_row **letters, uint32_t *count,
    uint64_t *total);

#endif
