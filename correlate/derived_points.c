/*
 * An open series as metric points: up to three, one per metric of its family,
 * which share their attributes.
 */
#include "derived_table_int.h"

#include <stdio.h>

#include "clock.h"
#include "derived.h"

#define NAME(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/* clang-format off */
#define HISTOGRAM(text) {.name = NAME(text), .unit = NAME("s"), \
    .type = METRIC_EXP_HISTOGRAM, .temporality = DELTA}
#define COUNT(text) {.name = NAME(text), .unit = NAME("1"), \
    .type = METRIC_SUM, .temporality = DELTA, .monotonic = true}

/* By family: count or durations, then errors, then client errors. */
static const struct metric metrics[DERIVED_FAMILIES][DERIVED_MAX_POINTS] = {
    [DERIVED_FAMILY_REQUESTS] = {HISTOGRAM(DERIVED_DURATION), COUNT(DERIVED_ERRORS),
                       COUNT(DERIVED_CLIENT_ERRORS)},
    [DERIVED_FAMILY_OUT] = {HISTOGRAM(DERIVED_OUT_DURATION),
                    COUNT(DERIVED_OUT_ERRORS),
                    COUNT(DERIVED_OUT_CLIENT_ERRORS)},
    [DERIVED_FAMILY_IN] = {HISTOGRAM(DERIVED_IN_DURATION), COUNT(DERIVED_IN_ERRORS),
                   COUNT(DERIVED_IN_CLIENT_ERRORS)},
    [DERIVED_FAMILY_OUT_RETRACTED] = {HISTOGRAM(DERIVED_OUT_RETRACTED_DURATION),
                         COUNT(DERIVED_OUT_RETRACTED_ERRORS),
                         COUNT(DERIVED_OUT_RETRACTED_CLIENT_ERRORS)},
    [DERIVED_FAMILY_IN_RETRACTED] = {HISTOGRAM(DERIVED_IN_RETRACTED_DURATION),
                        COUNT(DERIVED_IN_RETRACTED_ERRORS),
                        COUNT(DERIVED_IN_RETRACTED_CLIENT_ERRORS)},
    [DERIVED_FAMILY_REQUESTS_RETRACTED] = {HISTOGRAM(DERIVED_RETRACTED_DURATION),
                            COUNT(DERIVED_RETRACTED_ERRORS),
                            COUNT(DERIVED_RETRACTED_CLIENT_ERRORS)},
    [DERIVED_FAMILY_LOGS] = {COUNT(DERIVED_LOGS)},
    [DERIVED_FAMILY_RECORDS] = {COUNT(DERIVED_RECORDS)},
};
/* clang-format on */

static const char *const peer_kinds[] = {"component", "database", "queue",
                                         "external", "gateway"};
static const char *const protocols[] = {"", "http", "grpc", "db", "messaging"};
static const char *const levels[LEVEL_COUNT] = {
    "UNSET", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
static const char *const signals[SIGNAL_COUNT] = {"traces", "logs", "metrics"};

static const struct attr failed_attr = {.key = DERIVED_ERROR,
                                        .b = true,
                                        .key_len = sizeof(DERIVED_ERROR) - 1,
                                        .type = VALUE_BOOL};

enum { MAX_ATTRS = 8 };

uint32_t derived_series_point_count(const struct derived_series *series)
{
    return 1U + (series->errors > 0) + (series->client_errors > 0);
}

static void put(struct attrs *attrs, struct attr *at, const char *key,
                struct slice text)
{
    at[attrs->count++] = (struct attr){.key = key,
                                       .str = text.ptr,
                                       .len = (uint32_t)text.len,
                                       .key_len = (uint16_t)strlen(key),
                                       .type = VALUE_STRING};
}

static void put_edge(const struct derived_series *series,
                     const struct slice text[TEXT_COUNT], struct attrs *attrs,
                     struct attr *at)
{
    struct slice name = text[TEXT_NAME];

    put(attrs, at, DERIVED_ENDPOINT, text[TEXT_ENDPOINT]);
    put(attrs, at, DERIVED_PEER_KIND, slice_of(peer_kinds[series->kind]));
    if (series->kind == PEER_COMPONENT) {
        at[attrs->count++] =
            (struct attr){.key = DERIVED_PEER_ID,
                          .i = series->peer,
                          .key_len = sizeof(DERIVED_PEER_ID) - 1,
                          .type = VALUE_INT};
        put(attrs, at, DERIVED_PEER_ENDPOINT, name);
    } else {
        put(attrs, at, DERIVED_PEER_NAME, name);
    }
    if (series->kind == PEER_DATABASE || series->kind == PEER_QUEUE)
        put(attrs, at, DERIVED_PEER_SYSTEM, text[TEXT_SYSTEM]);
    if (series->kind == PEER_DATABASE)
        put(attrs, at, DERIVED_PEER_HOST, text[TEXT_HOST]);
    put(attrs, at, DERIVED_PROTOCOL, slice_of(protocols[series->protocol]));
}

static struct slice hex16(uint64_t number, struct arena *arena)
{
    char text[17];

    snprintf(text, sizeof(text), "%016llx", (unsigned long long)number);
    return arena_copy(arena, (struct slice){text, 16});
}

static struct attrs attrs_of(const struct derived_series *series,
                             struct arena *arena)
{
    struct attr *at = arena_alloc(arena, MAX_ATTRS * sizeof(*at));
    struct attrs attrs = {.at = at};
    struct slice text[TEXT_COUNT];
    size_t len = 0;

    for (int i = 0; i < TEXT_COUNT; i++)
        len += series->text_len[i];
    const char *copy = arena_copy(arena, (struct slice){series->text, len}).ptr;
    for (int i = 0; copy && i < TEXT_COUNT; i++) {
        text[i] = (struct slice){copy, series->text_len[i]};
        copy += series->text_len[i];
    }
    if (!at || !copy)
        return attrs;
    switch ((enum derived_family)series->family) {
    case DERIVED_FAMILY_REQUESTS:
    case DERIVED_FAMILY_REQUESTS_RETRACTED:
        put(&attrs, at, DERIVED_ENDPOINT, text[TEXT_ENDPOINT]);
        put(&attrs, at, DERIVED_OPERATION, text[TEXT_NAME]);
        put(&attrs, at, DERIVED_KIND,
            series->kind == SPAN_CONSUMER ? SLICE("consumer")
                                          : SLICE("server"));
        break;
    case DERIVED_FAMILY_LOGS:
        put(&attrs, at, DERIVED_TEMPLATE, text[TEXT_NAME]);
        put(&attrs, at, DERIVED_TEMPLATE_ID, hex16(series->template_id, arena));
        put(&attrs, at, DERIVED_LEVEL, slice_of(levels[series->kind]));
        break;
    case DERIVED_FAMILY_RECORDS:
        put(&attrs, at, DERIVED_SIGNAL, slice_of(signals[series->kind]));
        break;
    default:
        put_edge(series, text, &attrs, at);
    }
    return attrs;
}

static const struct histogram *histogram_of(const struct derived_series *series,
                                            struct arena *arena)
{
    struct histogram *histogram = arena_zero(arena, 1, sizeof(*histogram));
    uint32_t begin, used = expohist_used(&series->histogram, &begin);
    uint64_t *counts = arena_alloc(arena, used * sizeof(*counts));

    if (!histogram || !counts)
        return NULL;
    for (uint32_t i = 0; i < used; i++)
        counts[i] = series->histogram.counts[begin + i];
    histogram->count = series->count;
    histogram->sum = series->sum;
    histogram->min = (double)series->min_ns * 1e-9;
    histogram->max = (double)series->max_ns * 1e-9;
    histogram->has_sum = histogram->has_min = histogram->has_max = true;
    histogram->scale = used ? series->histogram.scale : EXPOHIST_SCALE;
    histogram->zero_count = series->zero_count;
    histogram->positive = (struct exp_buckets){
        .counts = counts,
        .count = used,
        .offset = used ? series->histogram.first + (int32_t)begin : 0};
    return histogram;
}

static void exemplar_of(const struct exemplar_span *kept, bool failed,
                        struct exemplar *exemplar)
{
    exemplar->time_ns = kept->time_ns;
    memcpy(exemplar->trace_id, kept->trace_id, sizeof(exemplar->trace_id));
    memcpy(exemplar->span_id, kept->span_id, sizeof(exemplar->span_id));
    exemplar->value = (double)kept->duration_ns * 1e-9;
    exemplar->attrs = (struct attrs){0};
    if (failed)
        exemplar->attrs = (struct attrs){.at = &failed_attr, .count = 1};
}

static void exemplars_of(const struct derived_series *series,
                         struct arena *arena, struct point *point)
{
    const struct exemplar_spans *kept = series->kept;
    struct exemplar *exemplars;
    uint32_t failed;

    if (!kept)
        return;
    failed = kept->failed_count < EXEMPLARS_EACH ? kept->failed_count
                                                 : EXEMPLARS_EACH;
    exemplars =
        arena_alloc(arena, (kept->slow_count + failed) * sizeof(*exemplars));
    if (!exemplars)
        return;
    for (uint32_t i = 0; i < kept->slow_count; i++)
        exemplar_of(&kept->slow[i], false, &exemplars[i]);
    for (uint32_t i = 0; i < failed; i++)
        exemplar_of(&kept->failed[i], true, &exemplars[kept->slow_count + i]);
    point->exemplars = exemplars;
    point->exemplar_count = kept->slow_count + failed;
}

uint32_t derived_series_points(const struct derived_series *series,
                               struct arena *arena,
                               struct point points[DERIVED_MAX_POINTS])
{
    const struct metric *metric = metrics[series->family];
    struct point point = {.metric = &metric[0],
                          .attrs = attrs_of(series, arena),
                          .start_ns = series->minute * NS_PER_MIN,
                          .time_ns =
                              (series->minute + UINT64_C(1)) * NS_PER_MIN,
                          .resource_id = series->resource};
    uint32_t count = 0;

    points[count] = point;
    if (metric->type == METRIC_EXP_HISTOGRAM) {
        points[count].histogram = histogram_of(series, arena);
        exemplars_of(series, arena, &points[count]);
    } else {
        points[count].is_int = true;
        points[count].i = (int64_t)series->count;
    }
    count++;
    point.is_int = true;
    if (series->errors > 0) {
        point.metric = &metric[1];
        point.i = (int64_t)series->errors;
        points[count++] = point;
    }
    if (series->client_errors > 0) {
        point.metric = &metric[2];
        point.i = (int64_t)series->client_errors;
        points[count++] = point;
    }
    return arena_status(arena) == OK ? count : 0;
}

uint64_t derived_visit(void *source, const struct bitmap *resources,
                       uint64_t start_ns, uint64_t end_ns, struct arena *arena,
                       point_visit *visit, void *arg)
{
    struct derived_table *derived = source;
    struct point *points = NULL;
    uint32_t count = 0, room = 0;
    uint64_t flushes;

    derived_lock(derived);
    flushes = derived->flushes;
    for (uint32_t i = 0; i < derived->count; i++) {
        const struct derived_series *series = &derived->series[i];
        uint64_t time_ns = (series->minute + UINT64_C(1)) * NS_PER_MIN;

        if (time_ns <= start_ns || time_ns > end_ns ||
            !bitmap_has(resources, series->resource))
            continue;
        if (room - count < DERIVED_MAX_POINTS) {
            struct point *more;

            room = room ? room * 2 : 64;
            more = arena_alloc(arena, room * sizeof(*more));
            if (!more)
                break;
            if (count > 0)
                memcpy(more, points, count * sizeof(*more));
            points = more;
        }
        count += derived_series_points(series, arena, points + count);
    }
    derived_unlock(derived);
    for (uint32_t i = 0; i < count; i++)
        visit(arg, &points[i]);
    return flushes;
}
