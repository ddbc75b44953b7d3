/*
 * series_code - the points of one series as bytes, and back.
 *
 * The format is drawn in the head of series.c.
 */
#ifndef STORE_SERIES_CODE_H
#define STORE_SERIES_CODE_H

#include "arena.h"
#include "buf.h"
#include "byte_reader.h"
#include "record.h"

/* The points are of one series, in order of time; count > 0. */
void points_write(struct buf *out, const struct point *const *points,
                  uint32_t count);

/* What the points of a series have in common. */
struct series_of {
    const struct metric *metric;
    struct attrs attrs;
    uint32_t resource_id;
};

/* Visits those with start_ns < time <= end_ns. in->bad is set if the bytes
 * are damaged or the arena gives no more. */
void points_read(struct byte_reader *in, uint32_t count,
                 const struct series_of *series, uint64_t start_ns,
                 uint64_t end_ns, struct arena *arena,
                 void (*visit)(void *arg, const struct point *point),
                 void *arg);

#endif
