/*
 * OTLP/JSON: metrics.
 *
 * All kinds of points have their members in one table: the names do not
 * contradict each other, and one that a kind does not have is passed over like
 * any unknown one.
 */
#include "otlp_json.h"

static void exemplar_json(struct otlp *d, struct json *j,
                          struct exemplar *exemplar)
{
    enum { TIME, DOUBLE, INT, SPAN_ID, TRACE_ID, ATTRS };
    static const char *const names[] = {
        "timeUnixNano", "asDouble",           "asInt", "spanId",
        "traceId",      "filteredAttributes", NULL};
    struct list attrs = {0};
    int field;

    json_object(j);
    while ((field = json_field(j, names)) >= 0)
        switch (field) {
        case TIME:
            exemplar->time_ns = json_uint64(j);
            break;
        case DOUBLE:
            exemplar->value = json_double(j);
            break;
        case INT:
            exemplar->value = (double)json_int64(j);
            break;
        case SPAN_ID:
            json_id(j, exemplar->span_id, 8);
            break;
        case TRACE_ID:
            json_id(j, exemplar->trace_id, 16);
            break;
        default:
            otlp_json_attrs(d, j, &attrs);
        }
    exemplar->attrs = otlp_attrs(&attrs, 0);
}

static void exemplars_json(struct otlp *d, struct json *j, struct list *list)
{
    *list = (struct list){0};
    json_array(j);
    while (json_element(j)) {
        struct exemplar *exemplar = otlp_json_slot(
            d, j, list, sizeof(struct exemplar), POINT_MAX_EXEMPLARS);

        if (exemplar)
            exemplar_json(d, j, exemplar);
        else
            json_skip(j);
    }
}

static void counts_json(struct otlp *d, struct json *j, struct list *list)
{
    *list = (struct list){0};
    json_array(j);
    while (json_element(j)) {
        uint64_t *count =
            otlp_json_slot(d, j, list, sizeof(*count), UINT32_MAX);

        if (count)
            *count = json_uint64(j);
    }
}

static void bounds_json(struct otlp *d, struct json *j, struct list *list)
{
    *list = (struct list){0};
    json_array(j);
    while (json_element(j)) {
        double *bound = otlp_json_slot(d, j, list, sizeof(*bound), UINT32_MAX);

        if (bound)
            *bound = json_double(j);
    }
}

/* ExponentialHistogramDataPoint.Buckets */
static void exp_buckets_json(struct otlp *d, struct json *j,
                             struct exp_buckets *run, struct list *counts)
{
    static const char *const names[] = {"offset", "bucketCounts", NULL};
    int field;

    run->offset = 0;
    *counts = (struct list){0};
    json_object(j);
    while ((field = json_field(j, names)) >= 0)
        if (field == 0)
            run->offset = json_int32(j);
        else
            counts_json(d, j, counts);
}

static void quantiles_json(struct otlp *d, struct json *j, struct buckets *b)
{
    static const char *const names[] = {"quantile", "value", NULL};
    int field;

    b->bounds = b->values = (struct list){0};
    json_array(j);
    while (json_element(j)) {
        double quantile = 0, value = 0;

        json_object(j);
        while ((field = json_field(j, names)) >= 0)
            if (field == 0)
                quantile = json_double(j);
            else
                value = json_double(j);
        otlp_add_quantile(d, b, quantile, value);
        if (d->arena->status != OK)
            json_fail(j, d->arena->status, status_text(d->arena->status));
    }
}

enum field {
    START,
    TIME,
    ATTRS,
    FLAGS,
    EXEMPLARS,
    NUMBER_FIELDS,
    AS_INT = NUMBER_FIELDS,
    AS_DOUBLE,
    HISTOGRAM_FIELDS,
    COUNT = HISTOGRAM_FIELDS,
    SUM,
    MIN,
    MAX,
    BUCKET_COUNTS,
    BOUNDS,
    SCALE,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    POSITIVE,
    NEGATIVE,
    QUANTILES,
};

static const char *const point_names[] = {
    [START] = "startTimeUnixNano",
    [TIME] = "timeUnixNano",
    [ATTRS] = "attributes",
    [FLAGS] = "flags",
    [EXEMPLARS] = "exemplars",
    [AS_INT] = "asInt",
    [AS_DOUBLE] = "asDouble",
    [COUNT] = "count",
    [SUM] = "sum",
    [MIN] = "min",
    [MAX] = "max",
    [BUCKET_COUNTS] = "bucketCounts",
    [BOUNDS] = "explicitBounds",
    [SCALE] = "scale",
    [ZERO_COUNT] = "zeroCount",
    [ZERO_THRESHOLD] = "zeroThreshold",
    [POSITIVE] = "positive",
    [NEGATIVE] = "negative",
    [QUANTILES] = "quantileValues",
    NULL,
};

/* Bit n: a point of this type has field n. */
#define BIT(field) (1u << (field))
#define COMMON     (BIT(START) | BIT(TIME) | BIT(ATTRS) | BIT(FLAGS))
#define NUMBER     (COMMON | BIT(EXEMPLARS) | BIT(AS_INT) | BIT(AS_DOUBLE))
#define TOTALS     (COMMON | BIT(COUNT) | BIT(SUM))
#define EXTREMES   (BIT(EXEMPLARS) | BIT(MIN) | BIT(MAX))
static const uint32_t point_fields[] = {
    [METRIC_GAUGE] = NUMBER,
    [METRIC_SUM] = NUMBER,
    [METRIC_HISTOGRAM] = TOTALS | EXTREMES | BIT(BUCKET_COUNTS) | BIT(BOUNDS),
    [METRIC_EXP_HISTOGRAM] = TOTALS | EXTREMES | BIT(SCALE) | BIT(ZERO_COUNT) |
                             BIT(ZERO_THRESHOLD) | BIT(POSITIVE) |
                             BIT(NEGATIVE),
    [METRIC_SUMMARY] = TOTALS | BIT(QUANTILES),
};

static void optional_double(struct json *j, double *value, bool *has)
{
    *value = json_double(j);
    *has = true;
}

static void histogram_field(struct otlp *d, struct json *j, enum field field,
                            struct histogram *h, struct buckets *b)
{
    switch (field) {
    case COUNT:
        h->count = json_uint64(j);
        break;
    case SUM:
        optional_double(j, &h->sum, &h->has_sum);
        break;
    case MIN:
        optional_double(j, &h->min, &h->has_min);
        break;
    case MAX:
        optional_double(j, &h->max, &h->has_max);
        break;
    case BUCKET_COUNTS:
        counts_json(d, j, &b->counts);
        break;
    case BOUNDS:
        bounds_json(d, j, &b->bounds);
        break;
    case SCALE:
        h->scale = json_int32(j);
        break;
    case ZERO_COUNT:
        h->zero_count = json_uint64(j);
        break;
    case ZERO_THRESHOLD:
        h->zero_threshold = json_double(j);
        break;
    case POSITIVE:
        exp_buckets_json(d, j, &h->positive, &b->positive);
        break;
    case NEGATIVE:
        exp_buckets_json(d, j, &h->negative, &b->negative);
        break;
    default:
        quantiles_json(d, j, b);
    }
}

static void point_field(struct otlp *d, struct json *j, enum field field,
                        struct point *point, struct list *attrs,
                        struct list *exemplars)
{
    switch (field) {
    case START:
        point->start_ns = json_uint64(j);
        break;
    case TIME:
        point->time_ns = json_uint64(j);
        break;
    case ATTRS:
        otlp_json_attrs(d, j, attrs);
        break;
    case FLAGS:
        point->flags = json_uint32(j);
        break;
    case AS_INT:
        point->i = json_int64(j);
        point->is_int = true;
        break;
    case AS_DOUBLE:
        point->d = json_double(j);
        point->is_int = false;
        break;
    default:
        exemplars_json(d, j, exemplars);
    }
}

static void point_json(struct otlp *d, struct json *j,
                       const struct metric *metric)
{
    struct point *point = otlp_new_point(d, metric);
    struct list attrs = {0}, exemplars = {0};
    struct histogram *h = NULL;
    struct buckets buckets = {0};
    const char *bad = NULL;
    int field;

    if (!point) {
        json_fail(j, ERR_INTERNAL, "more points than were counted");
        return;
    }
    if (metric->type >= METRIC_HISTOGRAM) {
        h = arena_zero(d->arena, 1, sizeof(*h));
        if (!h) {
            json_fail(j, d->arena->status, status_text(d->arena->status));
            return;
        }
        point->histogram = h;
    }
    json_object(j);
    while ((field = json_field(j, point_names)) >= 0)
        if (!(point_fields[metric->type] >> field & 1))
            json_skip(j);
        else if (field >= HISTOGRAM_FIELDS)
            histogram_field(d, j, (enum field)field, h, &buckets);
        else
            point_field(d, j, (enum field)field, point, &attrs, &exemplars);
    point->attrs = otlp_attrs(&attrs, 0);
    point->exemplars = exemplars.at;
    point->exemplar_count = exemplars.count;
    if (j->status != OK)
        return;
    if (h)
        bad = otlp_set_buckets(d, h, &buckets, metric->type);
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
            metric->name = otlp_json_text(d, j);
            break;
        case DESCRIPTION:
            metric->description = otlp_json_text(d, j);
            break;
        case UNIT:
            metric->unit = otlp_json_text(d, j);
            break;
        default:
            otlp_back(d, &mark);
            otlp_set_type(metric, (enum metric_type)field);
            data_json(d, j, metric);
        }
}
