/*
 * dead_letter - a message that could not be decoded, as the body of a batch.
 *
 * A batch with encoding BATCH_DEAD_LETTER goes the way of all others, journal
 * and correlator, so that its place among them holds; the store makes a row of
 * table dead_letter out of it.
 */
#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H

#include "batch.h"

/* Of a message beyond it only the beginning is kept. */
enum { DEAD_LETTER_MAX_BYTES = 64 * 1024, DEAD_LETTER_MAX_REASON = 1024 };

struct dead_letter {
    struct slice reason; /* why, in words; cut at its bound */
    struct slice bytes;  /* the message, cut at its bound */
    uint64_t size;       /* of all of it */
};

/* Bytes of the body of such a batch. */
size_t dead_letter_size(const struct dead_letter *dead_letter);

/* Makes the batch one; dead_letter_size() bytes were taken from its budget. */
struct batch *dead_letter_new(enum signal signal,
                              const struct dead_letter *dead_letter,
                              struct budget *budget);

/* What a batch holds, as views into its body; zeros if it is none. */
struct dead_letter dead_letter_read(const struct batch *batch);

#endif
