/*
 * series_kit - a set of series over a grid, and points put into it.
 */
#ifndef SERIES_KIT_H
#define SERIES_KIT_H

#include <math.h>
#include <stdio.h>

#include "clock.h"
#include "series_set.h"
#include "test.h"

#define T0     (UINT64_C(1700000100) * NS_PER_S) /* a multiple of 300 s */
#define S      NS_PER_S
#define TAGGED ((struct series_filter){.tags = 1})

static struct arena arena;
static struct grid grid;
static struct series_set *set;
static struct grid_row row;

static inline void start(uint32_t cells, uint64_t step_ns)
{
    arena_init(&arena, NULL, SIZE_MAX);
    grid = grid_make(T0, T0 + cells * step_ns, step_ns, T0 + NS_PER_DAY);
    set = series_set_new(&arena, &grid);
    CHECK(grid_row_init(&row, &grid, &arena));
}

static inline void stop(void)
{
    arena_release(&arena);
}

static struct metric gauge = {.type = METRIC_GAUGE};
static struct metric counter = {
    .type = METRIC_SUM, .temporality = CUMULATIVE, .monotonic = true};
static struct metric delta = {
    .type = METRIC_SUM, .temporality = DELTA, .monotonic = true};

static inline void add(const struct metric *metric, uint64_t key,
                       uint64_t group, uint32_t rank, uint64_t start_ns,
                       uint64_t time_ns, double v)
{
    struct point point = {
        .metric = metric, .start_ns = start_ns, .time_ns = time_ns, .d = v};
    struct series_point p = {.point = &point,
                             .key = key,
                             .entity = group,
                             .rank = rank,
                             .tags = 1,
                             .factor = 1};

    CHECK(series_set_add(set, &p));
}

static inline bool is(uint32_t cell, double want)
{
    bool good = row.known[cell] && fabs(row.values[cell] - want) < 1e-6;

    if (!good)
        printf("# cell %u: %s %g, not %g\n", cell,
               row.known[cell] ? "known" : "unknown", row.values[cell], want);
    return good;
}

#endif
