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
#include "store_query.h"

/* The points are of one series, in order of time; count > 0. The tail is of
 * histograms. */
void points_write(struct buf *out, struct buf *tail,
                  const struct point *const *points, uint32_t count);

/* Where the points of a series are. */
struct points_bytes {
    struct byte_reader *in;
    struct byte_reader *tail; /* of histograms; NULL: version 1, all is in
                                 `in`, or only counts are wanted */
    bool counts_only;         /* histograms have their counts only */
};

/* What the points of a series have in common. */
struct series_of {
    const struct metric *metric;
    struct attrs attrs;
    uint32_t resource_id;
};

/* Who is told of the points. */
struct points_visit {
    void (*point)(void *arg, const struct point *point);
    /* counts_only: instead, if not NULL. */
    void (*counts)(void *arg, const struct series_counts *counts);
    void *arg;
};

/* Visits those with start_ns < time <= end_ns. A reader is bad if the bytes
 * are damaged or the arena gives no more. */
void points_read(const struct points_bytes *bytes, uint32_t count,
                 const struct series_of *series, uint64_t start_ns,
                 uint64_t end_ns, struct arena *arena,
                 const struct points_visit *visit);

#endif
