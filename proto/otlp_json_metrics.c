/*
 * OTLP/JSON: metrics.
 *
 * Each kind of points has its table; a member that it does not have is passed
 * over like any unknown one.
 */
#include "otlp_json.h"

static void as_int_json(struct otlp *d, struct json *j, void *at)
{
    (void)d;
    *(double *)at = (double)json_int64(j);
}

static bool exemplar_json(struct otlp *d, struct json *j, void *at)
{
    static const struct member members[] = {
        MEMBER(struct exemplar, time_ns, "timeUnixNano", otlp_json_uint64),
        MEMBER(struct exemplar, value, "asDouble", otlp_json_double),
        MEMBER(struct exemplar, value, "asInt", as_int_json),
        MEMBER(struct exemplar, span_id, "spanId", otlp_json_span_id),
        MEMBER(struct exemplar, trace_id, "traceId", otlp_json_trace_id),
        MEMBER(struct exemplar, attrs, "filteredAttributes", otlp_json_attrs),
        {0},
    };

    otlp_json_members(d, j, members, at);
    return true;
}

static void exemplars_json(struct otlp *d, struct json *j, void *at)
{
    struct point *point = at;
    struct list list;

    otlp_json_array(d, j, &list, sizeof(struct exemplar), POINT_MAX_EXEMPLARS,
                    exemplar_json);
    point->exemplars = list.at;
    point->exemplar_count = list.count;
}

static bool count_json(struct otlp *d, struct json *j, void *at)
{
    otlp_json_uint64(d, j, at);
    return true;
}

static void counts_json(struct otlp *d, struct json *j, void *at)
{
    otlp_json_array(d, j, at, sizeof(uint64_t), UINT32_MAX, count_json);
}

static bool bound_json(struct otlp *d, struct json *j, void *at)
{
    otlp_json_double(d, j, at);
    return true;
}

static void bounds_json(struct otlp *d, struct json *j, void *at)
{
    otlp_json_array(d, j, at, sizeof(double), UINT32_MAX, bound_json);
}

static void int32_json(struct otlp *d, struct json *j, void *at)
{
    (void)d;
    *(int32_t *)at = json_int32(j);
}

struct run {
    int32_t offset;
    struct list counts;
};

/* A double that may be there or not. */
struct optional {
    double value;
    bool has;
};

/* A point, and what else there is while it is read. */
struct whole {
    struct point point;
    struct histogram histogram;
    struct optional sum, min, max;
    struct run positive, negative;
    struct buckets buckets;
};

static void optional_json(struct otlp *d, struct json *j, void *at)
{
    (void)d;
    *(struct optional *)at = (struct optional){json_double(j), true};
}

/* ExponentialHistogramDataPoint.Buckets */
static void run_json(struct otlp *d, struct json *j, void *at)
{
    static const struct member members[] = {
        MEMBER(struct run, offset, "offset", int32_json),
        MEMBER(struct run, counts, "bucketCounts", counts_json),
        {0},
    };

    *(struct run *)at = (struct run){.offset = 0};
    otlp_json_members(d, j, members, at);
}

static void quantiles_json(struct otlp *d, struct json *j, void *at)
{
    struct pair {
        double quantile, value;
    };
    static const struct member members[] = {
        MEMBER(struct pair, quantile, "quantile", otlp_json_double),
        MEMBER(struct pair, value, "value", otlp_json_double),
        {0},
    };
    struct buckets *b = at;

    b->bounds = b->values = (struct list){0};
    json_array(j);
    while (json_element(j)) {
        struct pair pair = {0, 0};

        otlp_json_members(d, j, members, &pair);
        otlp_add_quantile(d, b, pair.quantile, pair.value);
        if (d->arena->status != OK)
            json_fail(j, d->arena->status, status_text(d->arena->status));
    }
}

static void number_json(struct otlp *d, struct json *j, void *at)
{
    struct point *point = at;

    (void)d;
    point->i = json_int64(j);
    point->is_int = true;
}

static void real_json(struct otlp *d, struct json *j, void *at)
{
    struct point *point = at;

    (void)d;
    point->d = json_double(j);
    point->is_int = false;
}

/* clang-format off */
#define COMMON \
    MEMBER(struct whole, point.start_ns, "startTimeUnixNano", otlp_json_uint64), \
    MEMBER(struct whole, point.time_ns, "timeUnixNano", otlp_json_uint64), \
    MEMBER(struct whole, point.attrs, "attributes", otlp_json_attrs), \
    MEMBER(struct whole, point.flags, "flags", otlp_json_uint32)
#define TOTALS \
    MEMBER(struct whole, histogram.count, "count", otlp_json_uint64), \
    MEMBER(struct whole, sum, "sum", optional_json)
#define EXTREMES \
    MEMBER(struct whole, point, "exemplars", exemplars_json), \
    MEMBER(struct whole, min, "min", optional_json), \
    MEMBER(struct whole, max, "max", optional_json)
/* clang-format on */

static const struct member number_members[] = {
    COMMON,
    MEMBER(struct whole, point, "exemplars", exemplars_json),
    MEMBER(struct whole, point, "asInt", number_json),
    MEMBER(struct whole, point, "asDouble", real_json),
    {0},
};
static const struct member histogram_members[] = {
    COMMON,
    TOTALS,
    EXTREMES,
    MEMBER(struct whole, buckets.counts, "bucketCounts", counts_json),
    MEMBER(struct whole, buckets.bounds, "explicitBounds", bounds_json),
    {0},
};
static const struct member exp_members[] = {
    COMMON,
    TOTALS,
    EXTREMES,
    MEMBER(struct whole, histogram.scale, "scale", int32_json),
    MEMBER(struct whole, histogram.zero_count, "zeroCount", otlp_json_uint64),
    MEMBER(struct whole, histogram.zero_threshold, "zeroThreshold",
           otlp_json_double),
    MEMBER(struct whole, positive, "positive", run_json),
    MEMBER(struct whole, negative, "negative", run_json),
    {0},
};
static const struct member summary_members[] = {
    COMMON,
    TOTALS,
    MEMBER(struct whole, buckets, "quantileValues", quantiles_json),
    {0},
};
static const struct member *const point_members[] = {
    [METRIC_GAUGE] = number_members,
    [METRIC_SUM] = number_members,
    [METRIC_HISTOGRAM] = histogram_members,
    [METRIC_EXP_HISTOGRAM] = exp_members,
    [METRIC_SUMMARY] = summary_members,
};

/* The histogram of the point; NULL if the arena is full. */
static struct histogram *histogram_of(struct otlp *d, struct whole *whole)
{
    struct histogram *h = arena_zero(d->arena, 1, sizeof(*h));

    if (!h)
        return NULL;
    *h = whole->histogram;
    h->sum = whole->sum.value;
    h->has_sum = whole->sum.has;
    h->min = whole->min.value;
    h->has_min = whole->min.has;
    h->max = whole->max.value;
    h->has_max = whole->max.has;
    h->positive.offset = whole->positive.offset;
    h->negative.offset = whole->negative.offset;
    whole->buckets.positive = whole->positive.counts;
    whole->buckets.negative = whole->negative.counts;
    return h;
}

static void point_json(struct otlp *d, struct json *j,
                       const struct metric *metric)
{
    struct point *point = otlp_new_point(d, metric);
    struct whole whole = {.sum = {0}};
    struct histogram *h;
    const char *bad = NULL;

    if (!point) {
        json_fail(j, ERR_INTERNAL, "more points than were counted");
        return;
    }
    whole.point = *point;
    otlp_json_members(d, j, point_members[metric->type], &whole);
    *point = whole.point;
    if (j->status != OK)
        return;
    if (metric->type >= METRIC_HISTOGRAM) {
        h = histogram_of(d, &whole);
        if (h)
            bad = otlp_set_buckets(d, h, &whole.buckets, metric->type);
        else
            json_fail(j, d->arena->status, status_text(d->arena->status));
        point->histogram = h;
    }
    if (j->status == OK)
        otlp_take_point(d, point, bad);
}

/* Gauge, Sum, Histogram, ExponentialHistogram or Summary, as metric->type. */
static void data_json(struct otlp *d, struct json *j, struct metric *metric)
{
    enum { POINTS, TEMPORALITY, MONOTONIC };
    static const char *const names[] = {"dataPoints", "aggregationTemporality",
                                        "isMonotonic", NULL};
    static const char *const temporalities[] = {"UNSPECIFIED", "DELTA",
                                                "CUMULATIVE", NULL};
    struct mark mark = otlp_mark(d);
    bool has_temporality =
        metric->type != METRIC_GAUGE && metric->type != METRIC_SUMMARY;
    int field;

    json_object(j);
    while ((field = json_field(j, names)) >= 0)
        if (field == POINTS) {
            otlp_back(d, &mark);
            json_array(j);
            while (json_element(j))
                point_json(d, j, metric);
        } else if (field == TEMPORALITY && has_temporality) {
            metric->temporality =
                otlp_enum(json_enum(j, temporalities), CUMULATIVE);
        } else if (field == MONOTONIC && metric->type == METRIC_SUM) {
            metric->monotonic = json_bool(j);
        } else {
            json_skip(j);
        }
}

void otlp_json_metric(struct otlp *d, struct json *j)
{
    enum { NAME = METRIC_SUMMARY + 1, DESCRIPTION, UNIT };
    static const char *const names[] = {
        [METRIC_GAUGE] = "gauge",
        [METRIC_SUM] = "sum",
        [METRIC_HISTOGRAM] = "histogram",
        [METRIC_EXP_HISTOGRAM] = "exponentialHistogram",
        [METRIC_SUMMARY] = "summary",
        [NAME] = "name",
        [DESCRIPTION] = "description",
        [UNIT] = "unit",
        NULL,
    };
    struct metric *metric = otlp_new_metric(d);
    struct mark mark = otlp_mark(d);
    int field;

    if (!metric) {
        json_fail(j, ERR_INTERNAL, "more metrics than were counted");
        return;
    }
    json_object(j);
    while ((field = json_field(j, names)) >= 0)
        switch (field) {
        case NAME:
            otlp_json_text(d, j, &metric->name);
            break;
        case DESCRIPTION:
            otlp_json_text(d, j, &metric->description);
            break;
        case UNIT:
            otlp_json_text(d, j, &metric->unit);
            break;
        default:
            otlp_back(d, &mark);
            otlp_set_type(metric, (enum metric_type)field);
            data_json(d, j, metric);
        }
}
