/*
 * store_help - batches, points and a data directory for tests of the store.
 */
#ifndef STORE_HELP_H
#define STORE_HELP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "batch.h"
#include "store.h"
#include "test.h"

/* A new directory under TMPDIR; removed by temp_remove. */
static inline void temp_make(char path[64])
{
    const char *tmp = getenv("TMPDIR");

    snprintf(path, 64, "%s/cb-store-XXXXXX",
             tmp && strlen(tmp) < 32 ? tmp : "/tmp");
    CHECK(mkdtemp(path) != NULL);
}

static inline void temp_remove(const char *path)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    CHECK_EQ(system(command), 0);
}

static inline struct store_options options_in(const char *dir)
{
    return (struct store_options){.dir = dir,
                                  .block_spans = 1000,
                                  .block_logs = 1000,
                                  .memtable_bytes = 1 << 20,
                                  .memtable_age_ns =
                                      UINT64_C(3600) * 1000000000};
}

/* count points of a sum named `name` on a resource, a second apart. */
static inline struct batch *points_batch(uint64_t lsn, bool derived,
                                         const char *name, uint32_t resource,
                                         uint64_t time_ns, uint32_t count,
                                         int64_t value)
{
    struct batch *batch = batch_new(SIGNAL_METRICS, NULL, 0, NULL);
    struct metric *metric = arena_zero(&batch->arena, 1, sizeof(*metric));

    batch->lsn = lsn;
    batch->derived = derived;
    metric->name = arena_copy(&batch->arena, slice_of(name));
    metric->type = METRIC_SUM;
    metric->temporality = DELTA;
    metric->monotonic = true;
    batch->count = count;
    batch->points = arena_zero(&batch->arena, count, sizeof(struct point));
    for (uint32_t i = 0; i < count; i++)
        batch->points[i] =
            (struct point){.metric = metric,
                           .resource_id = resource,
                           .is_int = true,
                           .i = value,
                           .start_ns = time_ns,
                           .time_ns = time_ns + i * UINT64_C(1000000000)};
    return batch;
}

/* count points of a histogram, a second apart: 2, 3 and `value` measurements in
 * three buckets. */
static inline struct batch *histograms_batch(uint64_t lsn, bool derived,
                                             uint32_t resource,
                                             uint64_t time_ns, uint32_t count,
                                             uint64_t value)
{
    struct batch *batch =
        points_batch(lsn, derived, "h", resource, time_ns, count, 0);
    struct arena *arena = &batch->arena;
    struct metric *metric = arena_zero(arena, 1, sizeof(*metric));
    struct histogram *at = arena_zero(arena, count, sizeof(*at));
    double *bounds = arena_zero(arena, 2, sizeof(*bounds));

    *metric = *batch->points[0].metric;
    metric->type = METRIC_HISTOGRAM;
    bounds[0] = 1;
    bounds[1] = 10;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *counts = arena_zero(arena, 3, sizeof(*counts));

        counts[0] = 2;
        counts[1] = 3;
        counts[2] = value;
        at[i] = (struct histogram){.count = 5 + value,
                                   .sum = (double)value,
                                   .has_sum = true,
                                   .bound_count = 2,
                                   .bounds = bounds,
                                   .counts = counts};
        batch->points[i].metric = metric;
        batch->points[i].is_int = false;
        batch->points[i].histogram = &at[i];
    }
    return batch;
}

/* All spans of a trace, by start, then by id. */
static inline enum status query_trace(struct reader *reader,
                                      const uint8_t trace_id[16], bool whole,
                                      struct arena *arena, struct span **spans,
                                      uint32_t *count)
{
    const struct span_query all = {.trace_id = trace_id,
                                   .whole = whole,
                                   .ascending = true,
                                   .limit = UINT32_MAX};
    uint64_t total;

    return reader_query_spans(reader, &all, arena, spans, count, &total);
}

#endif
