/*
 * same_points - random points of all types, sent and derived, in both engines,
 * for test_same_series.c.
 */
#ifndef SAME_POINTS_H
#define SAME_POINTS_H

#include "derived.h"
#include "same_kit.h"

enum { METRICS = 15, BATCHES = 40, POINTS = 120, MINUTES = 400, SETS = 4 };

#define BASE (UINT64_C(1700000040) * NS_PER_S) /* a whole minute */

static struct arena texts; /* of the metrics and their attributes */
static struct metric metrics[METRICS];
static struct attrs metric_attrs[METRICS][SETS];
static const double bounds[] = {0.005, 0.1, 1, 2.5, 10};
static const double quantiles[] = {0, 0.5, 0.99};

static void make_metrics(void)
{
    arena_init(&texts, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < METRICS; i++) {
        struct metric *m = &metrics[i];

        *m = (struct metric){.name = arena_format(&texts, "it's.metric_%u", i),
                             .unit = i % 3 ? SLICE("s") : SLICE(""),
                             .description = SLICE("what it is"),
                             .scope = random_scope(&texts),
                             .type = (uint8_t)(i % (METRIC_SUMMARY + 1))};
        same_plain_scope(m->scope);
        if (m->type != METRIC_GAUGE && m->type != METRIC_SUMMARY)
            m->temporality = i % 2 ? DELTA : CUMULATIVE;
        m->monotonic = m->type == METRIC_SUM && i % 4;
        for (uint32_t k = 0; k < SETS; k++) {
            metric_attrs[i][k] = random_attrs(&texts, 4);
            same_plain_nans(metric_attrs[i][k].at, metric_attrs[i][k].count);
        }
    }
}

static uint64_t *random_counts(struct arena *arena, uint32_t count,
                               uint64_t *sum)
{
    uint64_t *counts = arena_zero(arena, count + 1, sizeof(*counts));

    for (uint32_t i = 0; i < count; i++) {
        counts[i] = test_random(3) ? test_random(9) : 0;
        *sum += counts[i];
    }
    return counts;
}

static struct exp_buckets random_buckets(struct arena *arena, uint64_t *sum)
{
    uint32_t count = test_random(6);

    return (struct exp_buckets){random_counts(arena, count, sum), count,
                                (int32_t)test_random(40) - 20};
}

static const struct histogram *random_histogram(struct arena *arena,
                                                enum metric_type type)
{
    struct histogram *h = arena_zero(arena, 1, sizeof(*h));

    h->has_sum = type == METRIC_SUMMARY || test_random(4);
    h->has_min = h->has_max = type != METRIC_SUMMARY && test_random(3);
    h->sum = h->has_sum ? test_random(1000) * 0.25 : 0;
    h->min = h->has_min ? 0.25 : 0;
    h->max = h->has_max ? 100 + test_random(9) : 0;
    if (type == METRIC_EXP_HISTOGRAM) {
        h->scale = (int32_t)test_random(6);
        h->zero_count = h->count = test_random(4);
        h->positive = random_buckets(arena, &h->count);
        h->negative = random_buckets(arena, &h->count);
    } else if (type == METRIC_HISTOGRAM && test_random(5)) {
        h->bound_count = 1 + test_random(5);
        h->bounds = bounds;
        h->counts = random_counts(arena, h->bound_count + 1, &h->count);
    } else if (type == METRIC_SUMMARY) {
        h->count = test_random(100);
        h->bound_count = test_random(4);
        h->bounds = h->values = quantiles;
    }
    return h;
}

static void random_exemplars(struct arena *arena, struct point *point)
{
    uint32_t count = test_random(4) ? 0 : 1 + test_random(3);
    struct exemplar *all = arena_zero(arena, 3, sizeof(*all));

    for (uint32_t i = 0; i < count; i++) {
        random_id(all[i].trace_id, 16, 9);
        random_id(all[i].span_id, 8, 9);
        all[i].time_ns = point->time_ns - test_random(1000);
        all[i].value = test_random(100) * 0.5;
        all[i].attrs = random_attrs(arena, 2);
        same_plain_nans(all[i].attrs.at, all[i].attrs.count);
    }
    point->exemplars = all;
    point->exemplar_count = count;
}

static void random_point(struct arena *arena, struct point *point)
{
    uint32_t metric = test_random(METRICS);

    *point = (struct point){
        .metric = &metrics[metric],
        .attrs = metric_attrs[metric][test_random(SETS)],
        .time_ns = BASE + test_random(MINUTES) * NS_PER_MIN + test_random(3),
        .flags = test_random(9) ? 0 : POINT_NO_VALUE,
        .corrected = test_random(9) ? 0 : CORRECTED_TIME,
        .resource_id = test_random(SAME_RESOURCES)};
    if (test_random(3))
        point->start_ns = BASE - test_random(9);
    if (point->metric->type == METRIC_SUMMARY) {
        point->histogram = random_histogram(arena, METRIC_SUMMARY);
        return;
    }
    if (point->metric->type > METRIC_SUM) {
        point->histogram =
            random_histogram(arena, (enum metric_type)point->metric->type);
    } else if (point->flags == 0) {
        point->is_int = test_random(2);
        if (point->is_int)
            point->i = test_random(9) ? (int64_t)test_random(100) - 50
                                      : (int64_t)test_random64();
        else
            point->d = test_random(1000) * -0.125;
    }
    random_exemplars(arena, point);
}

static void add_points(struct same *same)
{
    struct batch *batch = batch_new(SIGNAL_METRICS, NULL, 0, NULL);

    batch->count = 1 + test_random(POINTS);
    batch->points =
        arena_zero(&batch->arena, batch->count, sizeof(*batch->points));
    for (uint32_t i = 0; i < batch->count; i++)
        random_point(&batch->arena, &batch->points[i]);
    same_add(same, batch);
}

static const struct metric derived[] = {
    {.name = SLICE_INIT(DERIVED_DURATION),
     .unit = SLICE_INIT("s"),
     .type = METRIC_EXP_HISTOGRAM,
     .temporality = DELTA},
    {.name = SLICE_INIT(DERIVED_ERRORS),
     .unit = SLICE_INIT("1"),
     .type = METRIC_SUM,
     .temporality = DELTA,
     .monotonic = true},
    {.name = SLICE_INIT(DERIVED_OUT_DURATION),
     .unit = SLICE_INIT("s"),
     .type = METRIC_EXP_HISTOGRAM,
     .temporality = DELTA},
    {.name = SLICE_INIT(DERIVED_LOGS),
     .unit = SLICE_INIT("1"),
     .type = METRIC_SUM,
     .temporality = DELTA,
     .monotonic = true}};
enum { DERIVED = sizeof(derived) / sizeof(*derived) };

static struct attrs derived_attrs(struct arena *arena, bool edge)
{
    struct attr *at = arena_zero(arena, 3, sizeof(*at));

    at[0] = attr_string(DERIVED_ENDPOINT,
                        arena_format(arena, "http%u", test_random(2)));
    at[1] = attr_string(DERIVED_OPERATION,
                        arena_format(arena, "GET /it's/%u", test_random(3)));
    if (!edge)
        return (struct attrs){.at = at, .count = 2};
    at[1] = attr_string(DERIVED_PEER_KIND, SLICE("component"));
    at[2] = (struct attr){.key = DERIVED_PEER_ID,
                          .i = test_random(SAME_IDENTITIES),
                          .key_len = sizeof(DERIVED_PEER_ID) - 1,
                          .type = VALUE_INT};
    return (struct attrs){.at = at, .count = 3};
}

static void derived_exemplars(struct arena *arena, struct point *point)
{
    static const struct attr failed = {.key = DERIVED_ERROR,
                                       .b = true,
                                       .key_len = sizeof(DERIVED_ERROR) - 1,
                                       .type = VALUE_BOOL};

    random_exemplars(arena, point);
    for (uint32_t i = 0; i < point->exemplar_count; i++) {
        struct exemplar *e = (struct exemplar *)(uintptr_t)&point->exemplars[i];

        e->attrs = (struct attrs){&failed, test_random(2), 0};
    }
}

static void derived_point(struct arena *arena, struct point *point)
{
    const struct metric *metric = &derived[test_random(DERIVED)];

    *point = (struct point){
        .metric = metric,
        .attrs = derived_attrs(arena, metric == &derived[2]),
        .time_ns = BASE + test_random(MINUTES) * NS_PER_MIN,
        .resource_id = SAME_DERIVED + test_random(SAME_IDENTITIES)};
    point->start_ns = point->time_ns - NS_PER_MIN;
    if (metric->type == METRIC_SUM) {
        point->is_int = true;
        point->i = 1 + test_random(20);
        return;
    }
    struct histogram *h = arena_zero(arena, 1, sizeof(*h));
    h->has_sum = h->has_min = h->has_max = true;
    h->sum = 1 + test_random(1000) * 0.25;
    h->min = 0.125 * (1 + test_random(4));
    h->max = 100 + test_random(9);
    h->scale = test_random(5) ? 4 : 2 + (int32_t)test_random(2);
    h->zero_count = h->count = test_random(3);
    h->positive = random_buckets(arena, &h->count);
    point->histogram = h;
    derived_exemplars(arena, point);
}

static void add_derived(struct same *same)
{
    struct batch *batch = batch_new(SIGNAL_METRICS, NULL, 0, NULL);

    batch->derived = true;
    batch->count = 1 + test_random(4 * POINTS);
    batch->points =
        arena_zero(&batch->arena, batch->count, sizeof(*batch->points));
    for (uint32_t i = 0; i < batch->count; i++)
        derived_point(&batch->arena, &batch->points[i]);
    same_add(same, batch);
}

static struct same *open_with_points(void)
{
    struct same *same = same_open();

    if (!same)
        return NULL;
    make_metrics();
    for (uint32_t i = 0; i < BATCHES; i++) {
        same->moved = i > BATCHES / 2;
        add_points(same);
        if (same->moved)
            add_derived(same);
        if (test_random(6) == 0)
            same_write(same);
        if (test_random(8) == 0)
            store_flush(same->store);
    }
    same->moved = true;
    same_write(same);
    return same;
}

#endif
