/*
 * An entry of the derived table as metric points: one to three, one per metric
 * of its family, with the same attributes.
 */
#include <stdio.h>

#include "array.h"
#include "clock.h"
#include "derived.h"
#include "derived_table.h"

/* clang-format off */
#define HISTOGRAM(text) {.name = SLICE_INIT(text), .unit = SLICE_INIT("s"), \
    .type = METRIC_EXP_HISTOGRAM, .temporality = DELTA}
#define COUNT(text) {.name = SLICE_INIT(text), .unit = SLICE_INIT("1"), \
    .type = METRIC_SUM, .temporality = DELTA, .monotonic = true}
#define RED(what) {HISTOGRAM(DERIVED_##what##DURATION), \
    COUNT(DERIVED_##what##ERRORS), COUNT(DERIVED_##what##CLIENT_ERRORS)}

/* By family: count or durations, then errors, then client errors. */
static const struct metric metrics[DERIVED_FAMILIES][DERIVED_MAX_POINTS] = {
    [DERIVED_FAMILY_REQUESTS] = RED(),
    [DERIVED_FAMILY_OUT] = RED(OUT_),
    [DERIVED_FAMILY_IN] = RED(IN_),
    [DERIVED_FAMILY_REQUESTS_RETRACTED] = RED(RETRACTED_),
    [DERIVED_FAMILY_OUT_RETRACTED] = RED(OUT_RETRACTED_),
    [DERIVED_FAMILY_IN_RETRACTED] = RED(IN_RETRACTED_),
    [DERIVED_FAMILY_LOGS] = {COUNT(DERIVED_LOGS)},
    [DERIVED_FAMILY_RECORDS] = {COUNT(DERIVED_RECORDS)},
};
/* clang-format on */

static const char *const peer_kinds[] = {"component", "database", "queue",
                                         "external", "gateway"};
static const char *const levels[LEVEL_COUNT] = {
    "UNSET", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
static const char *const signals[SIGNAL_COUNT] = {"traces", "logs", "metrics"};

static const struct attr failed_attr = {.key = DERIVED_ERROR,
                                        .b = true,
                                        .key_len = sizeof(DERIVED_ERROR) - 1,
                                        .type = VALUE_BOOL};

enum { MAX_ATTRS = 8 };

/* The three writers below return the number of attributes written. */

static uint32_t write_edge(const struct derived_series *series,
                           const struct slice text[TEXT_COUNT], struct attr *at)
{
    const char *name_key = DERIVED_PEER_NAME;
    uint32_t count = 0;

    at[count++] = attr_string(DERIVED_ENDPOINT, text[TEXT_ENDPOINT]);
    at[count++] =
        attr_string(DERIVED_PEER_KIND, slice_of(peer_kinds[series->kind]));
    if (series->kind == PEER_COMPONENT) {
        at[count++] = (struct attr){.key = DERIVED_PEER_ID,
                                    .i = series->peer,
                                    .key_len = sizeof(DERIVED_PEER_ID) - 1,
                                    .type = VALUE_INT};
        name_key = DERIVED_PEER_ENDPOINT;
    }
    at[count++] = attr_string(name_key, text[TEXT_NAME]);
    if (series->kind == PEER_DATABASE || series->kind == PEER_QUEUE)
        at[count++] = attr_string(DERIVED_PEER_SYSTEM, text[TEXT_SYSTEM]);
    if (series->kind == PEER_DATABASE)
        at[count++] = attr_string(DERIVED_PEER_HOST, text[TEXT_HOST]);
    at[count++] = attr_string(DERIVED_PROTOCOL,
                              protocol_name((enum protocol)series->protocol));
    return count;
}

static uint32_t write_template(const struct derived_series *series,
                               struct slice template, struct attr *at,
                               struct arena *arena)
{
    char id[17];

    snprintf(id, sizeof(id), "%016llx",
             (unsigned long long)series->template_id);
    at[0] = attr_string(DERIVED_TEMPLATE, template);
    at[1] = attr_string(DERIVED_TEMPLATE_ID,
                        arena_copy(arena, (struct slice){id, 16}));
    at[2] = attr_string(DERIVED_LEVEL, slice_of(levels[series->kind]));
    return 3;
}

static uint32_t write_attrs(const struct derived_series *series,
                            const struct slice text[TEXT_COUNT],
                            struct attr *at, struct arena *arena)
{
    switch ((enum derived_family)series->family) {
    case DERIVED_FAMILY_REQUESTS:
    case DERIVED_FAMILY_REQUESTS_RETRACTED:
        at[0] = attr_string(DERIVED_ENDPOINT, text[TEXT_ENDPOINT]);
        at[1] = attr_string(DERIVED_OPERATION, text[TEXT_NAME]);
        at[2] = attr_string(DERIVED_KIND, series->kind == SPAN_CONSUMER
                                              ? SLICE("consumer")
                                              : SLICE("server"));
        return 3;
    case DERIVED_FAMILY_LOGS:
        return write_template(series, text[TEXT_NAME], at, arena);
    case DERIVED_FAMILY_RECORDS:
        at[0] = attr_string(DERIVED_SIGNAL, slice_of(signals[series->kind]));
        return 1;
    default:
        return write_edge(series, text, at);
    }
}

static struct attrs attrs_of(const struct derived_series *series,
                             struct arena *arena)
{
    struct attr *at = arena_alloc(arena, MAX_ATTRS * sizeof(*at));
    struct slice text[TEXT_COUNT];
    const char *copy;
    size_t len = 0;

    for (int i = 0; i < TEXT_COUNT; i++)
        len += series->text_len[i];
    copy = arena_copy(arena, (struct slice){series->text, len}).ptr;
    if (!at || !copy)
        return (struct attrs){.at = at};
    for (int i = 0; i < TEXT_COUNT; i++) {
        text[i] = (struct slice){copy, series->text_len[i]};
        copy += series->text_len[i];
    }
    return (struct attrs){.at = at,
                          .count = write_attrs(series, text, at, arena)};
}

static const struct histogram *histogram_of(const struct derived_series *series,
                                            struct arena *arena)
{
    struct histogram *histogram = arena_zero(arena, 1, sizeof(*histogram));
    uint32_t begin, used = duration_used(&series->histogram, &begin);
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
    histogram->scale = used ? series->histogram.scale : DURATION_SCALE;
    histogram->zero_count = series->zero_count;
    histogram->positive = (struct exp_buckets){
        .counts = counts,
        .count = used,
        .offset = used ? series->histogram.first + (int32_t)begin : 0};
    return histogram;
}

static void write_exemplar(const struct exemplar_span *span, bool failed,
                           struct exemplar *exemplar)
{
    *exemplar = (struct exemplar){.time_ns = span->time_ns,
                                  .value = (double)span->duration_ns * 1e-9};
    memcpy(exemplar->trace_id, span->trace_id, sizeof(exemplar->trace_id));
    memcpy(exemplar->span_id, span->span_id, sizeof(exemplar->span_id));
    if (failed)
        exemplar->attrs = (struct attrs){.at = &failed_attr, .count = 1};
}

static void write_exemplars(const struct exemplar_spans *spans,
                            struct arena *arena, struct point *point)
{
    uint32_t failed = spans->failed_count < EXEMPLARS_EACH ? spans->failed_count
                                                           : EXEMPLARS_EACH;
    struct exemplar *exemplars =
        arena_alloc(arena, (spans->slow_count + failed) * sizeof(*exemplars));

    if (!exemplars)
        return;
    for (uint32_t i = 0; i < spans->slow_count; i++)
        write_exemplar(&spans->slow[i], false, &exemplars[i]);
    for (uint32_t i = 0; i < failed; i++)
        write_exemplar(&spans->failed[i], true,
                       &exemplars[spans->slow_count + i]);
    point->exemplars = exemplars;
    point->exemplar_count = spans->slow_count + failed;
}

uint32_t derived_series_points(const struct derived_series *series,
                               struct arena *arena,
                               struct point points[DERIVED_MAX_POINTS])
{
    const struct metric *metric = metrics[series->family];
    uint64_t values[DERIVED_MAX_POINTS] = {series->count, series->errors,
                                           series->client_errors};
    struct point point = {.attrs = attrs_of(series, arena),
                          .start_ns = series->minute * NS_PER_MIN,
                          .time_ns =
                              (series->minute + UINT64_C(1)) * NS_PER_MIN,
                          .resource_id = series->resource};
    uint32_t count = 0;

    for (int i = 0; i < DERIVED_MAX_POINTS; i++) {
        if (i > 0 && values[i] == 0)
            continue;
        points[count] = point;
        points[count].metric = &metric[i];
        if (metric[i].type == METRIC_EXP_HISTOGRAM) {
            points[count].histogram = histogram_of(series, arena);
            if (series->exemplars)
                write_exemplars(series->exemplars, arena, &points[count]);
        } else {
            points[count].is_int = true;
            points[count].i = (int64_t)values[i];
        }
        count++;
    }
    return arena_status(arena) == OK ? count : 0;
}

/* Whether it has a point that the query wants. */
static bool is_wanted(const struct series_query *query,
                      const struct derived_series *series)
{
    const struct metric *metric = metrics[series->family];
    const uint64_t values[DERIVED_MAX_POINTS] = {1, series->errors,
                                                 series->client_errors};
    uint64_t time_ns = (series->minute + UINT64_C(1)) * NS_PER_MIN;

    if (time_ns <= query->start_ns || time_ns > query->end_ns ||
        !bitmap_has(query->resources, series->resource))
        return false;
    for (int i = 0; i < DERIVED_MAX_POINTS; i++)
        if (values[i] > 0 && series_query_matches(query, metric[i].name))
            return true;
    return false;
}

uint64_t derived_visit(void *source, const struct series_query *query,
                       struct arena *arena, point_visit *visit, void *arg)
{
    struct derived_table *derived = source;
    uint64_t flushes;

    derived_lock(derived);
    flushes = derived->flushes;
    for (uint32_t i = 0; i < derived->count; i++) {
        struct point *points;
        uint32_t count;

        if (!is_wanted(query, &derived->series[i]))
            continue;
        points = arena_alloc(arena, DERIVED_MAX_POINTS * sizeof(*points));
        if (!points)
            break;
        count = derived_series_points(&derived->series[i], arena, points);
        for (uint32_t k = 0; k < count; k++)
            if (series_query_matches(query, points[k].metric->name))
                visit(arg, &points[k]);
    }
    derived_unlock(derived);
    return flushes;
}
