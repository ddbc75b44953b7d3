/*
 * series - metric points as chunks of bytes.
 *
 * A chunk holds points of one resource whose times lie in one hour, series by
 * series, each in order of time. The format is drawn in the head of series.c
 * and told in docs/format.md.
 *
 * Threads  a writer is used by one thread at a time.
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
    struct slice bytes;
};

/* Memory that is used again for every section. */
struct series_writer;
struct series_writer *series_writer_new(void);
void series_writer_free(struct series_writer *writer);

/* Gives each chunk to `chunk`, whose first failure ends the writing and is
 * returned. `add_up`: delta points of one series and time become one. */
MUST_CHECK enum status series_write(
    struct series_writer *writer, const struct point *const *points,
    uint32_t count, bool add_up,
    enum status (*chunk)(void *arg, const struct chunk *chunk), void *arg);

/* Visits the points of a chunk with start_ns < time <= end_ns of the metrics
 * named in query (resources are not looked at). What is visited refers to
 * `bytes` and to the arena, and is good during the visit only. ERR_CORRUPT,
 * ERR_UNSUPPORTED, or the arena's status. */
MUST_CHECK enum status series_read(struct slice bytes, uint32_t resource,
                                   const struct series_query *query,
                                   struct arena *arena, point_visit *visit,
                                   void *arg);

bool series_query_matches(const struct series_query *query, struct slice name);

#endif
