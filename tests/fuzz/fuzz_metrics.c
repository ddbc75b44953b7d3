/*
 * Metric points as hostile senders make them, brought onto a grid: starts,
 * times, values, scales and bounds from the input, in any order and of a few
 * series. A counter never shrinks, and no answer is wilder than its points.
 *
 * Input: points of 12 bytes each
 *   u8 kind and series, u8 flags, u16 start, u16 time (s), f32 value,
 *   u8 scale or bounds, u8 buckets
 */
#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "series_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { POINT_BYTES = 12, TAG = 1, BUCKETS = 8 };

#define T0     (UINT64_C(1700000000) * NS_PER_S)
#define TAGGED ((struct series_filter){.tags = TAG})

static const struct metric metrics[] = {
    {.type = METRIC_GAUGE},
    {.type = METRIC_SUM, .temporality = CUMULATIVE, .monotonic = true},
    {.type = METRIC_SUM, .temporality = DELTA, .monotonic = true},
    {.type = METRIC_HISTOGRAM, .temporality = CUMULATIVE},
    {.type = METRIC_EXP_HISTOGRAM, .temporality = CUMULATIVE},
    {.type = METRIC_EXP_HISTOGRAM, .temporality = DELTA},
    {.type = METRIC_SUMMARY},
    {.name = {"x_total", 7}, .type = METRIC_GAUGE},
};

/* What a point refers to, built from its bytes. */
struct parts {
    double bounds[BUCKETS];
    uint64_t counts[BUCKETS + 1];
    struct histogram h;
};

static uint64_t u16_at(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8;
}

static double f32_at(const uint8_t *at)
{
    float f;

    memcpy(&f, at, sizeof(f));
    return f;
}

static void build(struct parts *parts, const uint8_t *at, uint8_t type)
{
    uint32_t n = at[11] % BUCKETS;
    double value = fabs(f32_at(at + 6));

    for (uint32_t i = 0; i < BUCKETS; i++) {
        parts->bounds[i] = (double)(i + 1) * (1 + at[10] % 7);
        parts->counts[i] = at[11] >> i & 1 ? u16_at(at + 6 + i % 3) : 0;
    }
    parts->counts[BUCKETS] = at[10];
    parts->h = (struct histogram){
        .count = isfinite(value) ? (uint64_t)fmin(value, 1e15) : 7,
        .sum = value,
        .has_sum = at[1] & 2};
    if (type == METRIC_EXP_HISTOGRAM) {
        parts->h.scale = (int32_t)(at[10] % 64) - 20;
        parts->h.zero_count = at[11];
        parts->h.zero_threshold = at[1] & 4 ? 0.5 : 0;
        parts->h.positive =
            (struct exp_buckets){parts->counts, n, (int32_t)at[10] * 37 - 4000};
        parts->h.negative = (struct exp_buckets){parts->counts, n / 2, 3};
    } else if (type != METRIC_SUMMARY) {
        parts->h.bounds = parts->bounds;
        parts->h.bound_count = n;
        parts->h.counts = parts->counts;
    }
}

static void add(struct series_set *set, const uint8_t *at)
{
    const struct metric *metric = &metrics[at[0] % 8];
    struct parts parts;
    struct point point = {
        .metric = metric,
        .start_ns = u16_at(at + 2) ? T0 + u16_at(at + 2) * NS_PER_S : 0,
        .time_ns = T0 + u16_at(at + 4) * NS_PER_S,
        .d = f32_at(at + 6),
        .flags = at[1] & 1};
    struct series_point p = {.point = &point,
                             .key = at[0] >> 4,
                             .entity = at[0] >> 4 & 1,
                             .tags = TAG,
                             .factor = at[1] & 8 ? 0.001 : 1,
                             .bound = at[10]};

    if (metric->type >= METRIC_HISTOGRAM) {
        build(&parts, at, metric->type);
        point.histogram = &parts.h;
    } else if (metric->monotonic) {
        point.d = fabs(point.d); /* what is monotonic is not below zero */
    }
    if (!series_set_add(set, &p))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct grid grid = grid_make(T0 + 600 * NS_PER_S, T0 + 4200 * NS_PER_S,
                                 60 * NS_PER_S, T0 + 4000 * NS_PER_S);
    struct grid_row sums, counts;

    arena_init(&arena, NULL, SIZE_MAX);
    struct series_set *set = series_set_new(&arena, &grid);
    struct hist *hists = arena_zero(&arena, grid.count + 1, sizeof(*hists));

    if (!set || !hists || !grid_row_init(&sums, &grid, &arena) ||
        !grid_row_init(&counts, &grid, &arena))
        abort();
    for (size_t at = 0; size - at >= POINT_BYTES; at += POINT_BYTES)
        add(set, data + at);
    if (!series_set_sum(set, TAGGED, &sums) ||
        !series_set_hists(set, TAGGED, hists, &counts) ||
        !series_set_buckets(set, TAGGED, hists))
        abort();
    for (uint32_t i = 0; i < grid.count; i++) {
        if (counts.values[i] < 0)
            abort();
        (void)hist_mean(&hists[i]);
        (void)hist_quantile(&hists[i], 0.99);
    }
    arena_release(&arena);
    return 0;
}
