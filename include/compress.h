/*
 * compress - single values compressed with zstd, or stored as they are.
 *
 * Purpose:   compress_append() stores whichever is shorter. Stored bytes that
 *            begin like a zstd frame are one, so a value must not begin so.
 *            zstd_decompress() serves the formats that store frames themselves.
 * Ownership: results are in the arena, or in the caller's memory.
 * Threads:   any. Each keeps a decompression context until it ends: libzstd
 *            executes CPUID to create one, which the host of a virtual machine
 *            has to emulate: ten times the time of decompressing a chunk.
 * Errors:    ERR_CORRUPT, ERR_TOO_BIG, or the arena's status; SIZE_MAX.
 */
#ifndef COMPRESS_H
#define COMPRESS_H

#include "arena.h"
#include "buf.h"

/* Appends the value, compressed if that makes it shorter. */
void compress_append(struct buf *out, struct slice value);

/* The value, of at most max bytes, in the arena. */
MUST_CHECK enum status compress_read(struct slice bytes, size_t max,
                                     struct arena *arena, struct slice *value);

/* The size of the result, or SIZE_MAX if `from` is not one whole frame or does
 * not fit. */
size_t zstd_decompress(void *to, size_t room, const void *from, size_t len);

#endif
