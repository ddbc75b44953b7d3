/*
 * dead_letter - a message that cannot be decoded, as the body of a batch.
 *
 * Purpose:   a batch with encoding BATCH_DEAD_LETTER passes through journal and
 *            correlator like all others, so the order of messages is kept; the
 *            store makes a row of the table dead_letter of it.
 * Ownership: dead_letter_new() copies; what dead_letter_read() returns points
 *            into the batch.
 * Threads:   any.
 * Errors:    reason and bytes are truncated at their bounds; a damaged body
 *            reads as empty.
 */
#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H

#include "batch.h"

/* Only the beginning of a longer message is stored. */
enum { DEAD_LETTER_MAX_BYTES = 64 * 1024, DEAD_LETTER_MAX_REASON = 1024 };

struct dead_letter {
    struct slice reason; /* why it cannot be decoded */
    struct slice bytes;  /* of the message */
    uint64_t size;       /* of the whole message */
};

/* Bytes of the body of its batch. */
size_t dead_letter_size(const struct dead_letter *dead_letter);

/* dead_letter_size() bytes were taken from the budget. */
struct batch *dead_letter_new(enum signal signal,
                              const struct dead_letter *dead_letter,
                              struct budget *budget);

/* Of a batch with a dead letter; empty for any other. */
struct dead_letter dead_letter_read(const struct batch *batch);

#endif
