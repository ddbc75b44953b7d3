/*
 * prometheus_kit - points put into a bed (fake_query.h), and what the source of
 * series makes of them, as text:
 *
 *   http_requests_total{method="GET"} 1@60 3@120r
 *
 * one line a series, sorted; times in seconds after KIT_T0, r: a reset before.
 */
#ifndef PROMETHEUS_KIT_H
#define PROMETHEUS_KIT_H

#include <math.h>

#include "../../prometheus/prometheus_source.h"
#include "fake_query.h"
#include "regex_match.h"

#define KIT_T0 (UINT64_C(1787299200) * NS_PER_S) /* a full hour */
#define KIT_MS ((int64_t)(KIT_T0 / NS_PER_MS))

enum { KIT_POINTS = 4000, KIT_ATTRS = 8, KIT_LINES = 400 };

static struct bed bed;
static struct point kit_points[KIT_POINTS];
static struct metric kit_metrics[KIT_POINTS];
static struct histogram kit_histograms[KIT_POINTS];
static struct attr kit_attrs[KIT_POINTS][KIT_ATTRS];

static inline void kit_begin(void)
{
    bed_init(&bed);
    bed.store->points = kit_points;
}

/* A point `seconds` after KIT_T0. */
static inline struct point *kit_put(const char *name, enum metric_type type,
                                    enum temporality temporality,
                                    uint32_t resource, double seconds)
{
    uint32_t i = bed.store->point_count++;

    kit_metrics[i] = (struct metric){.name = slice_of(name),
                                     .type = (uint8_t)type,
                                     .temporality = (uint8_t)temporality,
                                     .monotonic = type == METRIC_SUM};
    kit_histograms[i] = (struct histogram){0};
    kit_points[i] =
        (struct point){.metric = &kit_metrics[i],
                       .time_ns = KIT_T0 + (uint64_t)(seconds * 1e9),
                       .resource_id = resource};
    if (type > METRIC_SUM)
        kit_points[i].histogram = &kit_histograms[i];
    return &kit_points[i];
}

static inline struct point *kit_attr(struct point *point, const char *key,
                                     const char *value)
{
    struct attr *at = kit_attrs[point - kit_points];

    if (point->attrs.count < KIT_ATTRS)
        at[point->attrs.count++] = bed_attr(key, value);
    point->attrs.at = at;
    return point;
}

static inline struct metric *kit_metric(const struct point *point)
{
    return &kit_metrics[point - kit_points];
}

static inline struct histogram *kit_histogram(const struct point *point)
{
    return &kit_histograms[point - kit_points];
}

static inline struct point *kit_gauge(const char *name, uint32_t resource,
                                      double seconds, double value)
{
    struct point *point =
        kit_put(name, METRIC_GAUGE, TEMPORALITY_UNSPECIFIED, resource, seconds);

    point->d = value;
    return point;
}

/* A resource of nothing but these attributes, NULL at the end. */
static inline uint32_t kit_resource(const char *const *texts)
{
    struct attr *at = arena_zero(&bed.arena, 16, sizeof(*at));
    struct resource resource = {.attrs = {at, 0, 0}, .id = RESOURCE_NONE};

    for (int i = 0; texts && texts[i]; i += 2)
        at[resource.attrs.count++] = bed_attr(texts[i], texts[i + 1]);
    registry_resolve(bed.registry, &resource, KIT_T0);
    return resource.id;
}

/* ---- asking ---- */

struct kit_query {
    struct arena arena;
    struct query_request request;
    struct reader reader;
    struct prometheus_source source;
    struct promql_matcher matchers[8];
    struct regex *regex[8];
    uint32_t count;
    char *lines[KIT_LINES];
    uint32_t line_count;
    char text[65536];
};
static struct kit_query kit;

static inline void kit_open(void)
{
    static const struct route route = {.action = ACTION_METRICS_VIEW};

    memset(&kit, 0, sizeof(kit));
    arena_init(&kit.arena, NULL, bed.max_memory);
    query_request_init(&kit.request, &bed.options, &kit.arena, 1 << 20);
    kit.reader = (struct reader){.store = bed.store};
    kit.request.route = &route;
    kit.request.reader = &kit.reader;
    kit.request.now_ns = KIT_T0 + 30 * NS_PER_DAY;
    query_request_subject(&kit.request, bed.subject);
    prometheus_source_init(&kit.source, &kit.request);
}

static inline void kit_close(void)
{
    for (uint32_t i = 0; i < kit.count; i++)
        regex_free(kit.regex[i]);
    for (uint32_t i = 0; i < kit.line_count; i++)
        free(kit.lines[i]);
    buf_release(&kit.request.out);
    arena_release(&kit.arena);
}

/* name "__name__", op "=", "!=", "=~" or "!~". */
static inline void kit_match(const char *name, const char *op,
                             const char *value)
{
    struct promql_matcher *m = &kit.matchers[kit.count];
    char error[REGEX_ERROR];

    m->name = slice_of(name);
    m->value = slice_of(value);
    m->op = strcmp(op, "=") == 0    ? PROMQL_EQUAL
            : strcmp(op, "!=") == 0 ? PROMQL_NOT_EQUAL
            : strcmp(op, "=~") == 0 ? PROMQL_REGEX
                                    : PROMQL_NOT_REGEX;
    if (m->op >= PROMQL_REGEX)
        CHECK_EQ(regex_compile(&kit.regex[kit.count], m->value, error), OK);
    m->regex = kit.regex[kit.count++];
}

static inline void kit_print_number(char *out, double v)
{
    if (promql_is_stale(v))
        strcat(out, "stale");
    else
        sprintf(out + strlen(out), "%.9g", v);
}

static inline void kit_print_histogram(char *out,
                                       const struct promql_histogram *h)
{
    sprintf(out + strlen(out), "{schema:%d count:%g sum:%g", h->schema,
            h->count, h->sum);
    if (h->zero_count > 0)
        sprintf(out + strlen(out), " zero:%g", h->zero_count);
    if (h->positive.count > 0) {
        sprintf(out + strlen(out), " %d:[", h->positive.offset);
        for (uint32_t i = 0; i < h->positive.count; i++)
            sprintf(out + strlen(out), "%s%g", i ? " " : "",
                    h->positive.counts[i]);
        strcat(out, "]");
    }
    strcat(out, "}");
}

static inline enum status kit_print(void *arg,
                                    const struct promql_series *series)
{
    static char line[65536];
    struct slice name = promql_label_value(&series->labels, SLICE("__name__"));
    const char *comma = "{";

    (void)arg;
    sprintf(line, "%.*s", SLICE_ARGS(name));
    for (uint32_t i = 0; i < series->labels.count; i++)
        if (!slice_equal(series->labels.at[i].name, SLICE("__name__"))) {
            sprintf(line + strlen(line), "%s%.*s=\"%.*s\"", comma,
                    SLICE_ARGS(series->labels.at[i].name),
                    SLICE_ARGS(series->labels.at[i].value));
            comma = ",";
        }
    if (*comma == ',')
        strcat(line, "}");
    for (uint32_t i = 0; i < series->count; i++) {
        strcat(line, " ");
        if (series->histograms && series->histograms[i])
            kit_print_histogram(line, series->histograms[i]);
        else
            kit_print_number(line, series->values[i]);
        sprintf(line + strlen(line), "@%.9g",
                (double)(series->times[i] - KIT_MS) / 1000);
        if (series->resets && series->resets[i / 64] >> (i & 63) & 1)
            strcat(line, "r");
    }
    if (kit.line_count < KIT_LINES)
        kit.lines[kit.line_count++] = strdup(line);
    return OK;
}

static inline int kit_compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The series in (from, to], in seconds after KIT_T0; after kit_match(). */
static inline struct slice kit_select(double from, double to)
{
    struct promql_select select = {.matchers = kit.matchers,
                                   .matcher_count = kit.count,
                                   .start_ms = KIT_MS + (int64_t)(from * 1000),
                                   .end_ms = KIT_MS + (int64_t)(to * 1000),
                                   .function = ""};
    size_t len = 0;

    CHECK_EQ(kit.source.promql.select(kit.source.promql.arg, &select, kit_print,
                                      NULL),
             OK);
    qsort(kit.lines, kit.line_count, sizeof(*kit.lines), kit_compare);
    for (uint32_t i = 0; i < kit.line_count; i++)
        len += (size_t)snprintf(kit.text + len, sizeof(kit.text) - len, "%s%s",
                                i ? "\n" : "", kit.lines[i]);
    return (struct slice){kit.text, len};
}

/* One question: a name by `=`. */
static inline struct slice kit_ask(const char *name, double from, double to)
{
    kit_open();
    kit_match("__name__", "=", name);
    return kit_select(from, to);
}

#endif
