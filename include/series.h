/*
 * series - metric points encoded as chunks of bytes.
 *
 * A chunk holds the points of one resource in one hour, series by series, each
 * in order of time. The format is drawn in the head of series.c and described
 * in docs/format.md.
 *
 * Purpose:   the storage format of metrics, written and read.
 * Ownership: a writer reuses its memory; a chunk is valid during the call it is
 *            given to. Visited points refer to the bytes and to the arena, and
 *            are valid during the visit.
 * Threads:   a writer is used by one at a time; reading has no state.
 * Errors:    ERR_TOO_BIG when writing; ERR_CORRUPT, ERR_UNSUPPORTED or the
 *            arena's status when reading.
 */
#ifndef SERIES_H
#define SERIES_H

#include "arena.h"
#include "buf.h"
#include "record.h"
#include "status.h"
#include "store_query.h"

static inline uint64_t series_hour(uint64_t time_ns)
{
    return time_ns / (UINT64_C(3600) * 1000000000);
}

struct chunk {
    uint32_t resource, count;
    uint64_t hour;
    struct slice bytes, tails; /* tails may be empty */
};

/* A chunk as it is stored. */
struct chunk_bytes {
    struct slice bytes, tails;
    /* Gives the tails when they are needed, instead; NULL: they are here. */
    struct slice (*load_tails)(void *arg);
    void *arg;
};

struct series_writer;
struct series_writer *series_writer_new(void);
void series_writer_free(struct series_writer *writer);

/* Calls `chunk` for each chunk; its first failure ends the writing and is
 * returned. add_up: delta points of one series and time are added. */
MUST_CHECK enum status series_write(
    struct series_writer *writer, const struct point *const *points,
    uint32_t count, bool add_up,
    enum status (*chunk)(void *arg, const struct chunk *chunk), void *arg);

/* Visits the points of a chunk with start_ns < time <= end_ns of the metrics
 * named in query; the query's resources are ignored. */
MUST_CHECK enum status series_read(const struct chunk_bytes *chunk,
                                   uint32_t resource,
                                   const struct series_query *query,
                                   struct arena *arena, point_visit *visit,
                                   void *arg);

/* True if the points of these bytes have tails that are stored apart. */
bool series_needs_tails(struct slice bytes);

#endif
