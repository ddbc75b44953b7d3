/*
 * packed - one value in zstd, or as it is.
 *
 * What is read tells by itself which it is: a zstd frame, whose head names its
 * length, or anything else. So a value must not begin like a frame itself.
 *
 * Threads  any.
 */
#ifndef COMPRESS_H
#define COMPRESS_H

#include "arena.h"
#include "buf.h"

/* Appends the value, packed if that makes it shorter. */
void compress_append(struct buf *out, struct slice value);

/* The value, of at most max bytes, in the arena. ERR_CORRUPT, ERR_TOO_BIG or
 * the arena's status. */
MUST_CHECK enum status compress_read(struct slice bytes, size_t max,
                                     struct arena *arena, struct slice *value);

#endif
