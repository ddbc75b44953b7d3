/*
 * The messages of metric points (opentelemetry/proto/metrics/v1), one per type
 * of metric. A metric itself is read by otlp_wire.c and otlp_json.c, because
 * its points depend on its type.
 */
#include "otlp_messages.h"

/* ---- exemplars ---- */

struct exemplar_message {
    struct exemplar exemplar;
    struct otlp_number value;
    struct otlp_list attrs;
};

static const struct otlp_field exemplar_fields[] = {
    [2] = OTLP_FIELD(struct exemplar_message, exemplar.time_ns, "timeUnixNano",
                     OTLP_FIXED64),
    [3] =
        OTLP_FIELD(struct exemplar_message, value, "asDouble", OTLP_AS_DOUBLE),
    [4] = OTLP_FIELD(struct exemplar_message, exemplar.span_id, "spanId",
                     OTLP_SPAN_ID),
    [5] = OTLP_FIELD(struct exemplar_message, exemplar.trace_id, "traceId",
                     OTLP_TRACE_ID),
    [6] = OTLP_FIELD(struct exemplar_message, value, "asInt", OTLP_AS_INT),
    [7] = OTLP_FIELD(struct exemplar_message, attrs, "filteredAttributes",
                     OTLP_ATTRS),
};

static bool finish_exemplar(struct otlp_decoder *d, const void *at, void *slot)
{
    const struct exemplar_message *message = at;
    const struct otlp_number *value = &message->value;
    struct exemplar *exemplar = slot;

    (void)d;
    *exemplar = message->exemplar;
    exemplar->value = value->is_int ? (double)value->i : value->d;
    exemplar->attrs = otlp_attrs(&message->attrs, 0);
    return true;
}

static const struct otlp_message exemplar_message = {
    OTLP_STRUCT(exemplar_fields, struct exemplar_message), .attrs = 7,
    .max = POINT_MAX_EXEMPLARS, .slot_size = sizeof(struct exemplar),
    .finish = finish_exemplar};

/* ---- buckets and quantiles ---- */

static const struct otlp_field exp_buckets_fields[] = {
    [1] = OTLP_FIELD(struct otlp_exp_buckets, offset, "offset", OTLP_SINT32),
    [2] = OTLP_FIELD(struct otlp_exp_buckets, counts, "bucketCounts",
                     OTLP_VARINTS),
};
static const struct otlp_message exp_buckets_message = {
    OTLP_STRUCT(exp_buckets_fields, struct otlp_exp_buckets)};

static const struct otlp_field quantile_fields[] = {
    [1] = OTLP_FIELD(struct otlp_quantile, quantile, "quantile", OTLP_DOUBLE),
    [2] = OTLP_FIELD(struct otlp_quantile, value, "value", OTLP_DOUBLE),
};

static bool finish_quantile(struct otlp_decoder *d, const void *at, void *slot)
{
    (void)d;
    memcpy(slot, at, sizeof(struct otlp_quantile));
    return true;
}

static const struct otlp_message quantile_message = {
    OTLP_STRUCT(quantile_fields, struct otlp_quantile),
    .max = POINT_MAX_BUCKETS, .slot_size = sizeof(struct otlp_quantile),
    .finish = finish_quantile};

/* ---- points ---- */

struct number_message {
    struct point point;
    struct otlp_list attrs, exemplars;
    struct otlp_number value;
};

struct histogram_message {
    struct number_message common; /* its value is not used */
    struct histogram histogram;
    struct otlp_number sum, min, max;
    struct otlp_buckets buckets;
};

#define NUMBER(member, json, kind) \
    OTLP_FIELD(struct number_message, member, json, kind)
#define HISTOGRAM(member, json, kind) \
    OTLP_FIELD(struct histogram_message, member, json, kind)
#define EXEMPLARS                                                 \
    OTLP_SUB_FIELD(struct number_message, exemplars, "exemplars", \
                   OTLP_ELEMENTS, exemplar_message)
/* The fields that all types have, and all but numbers. */
#define COMMON_FIELDS                                                \
    [2] = NUMBER(point.start_ns, "startTimeUnixNano", OTLP_FIXED64), \
    [3] = NUMBER(point.time_ns, "timeUnixNano", OTLP_FIXED64)
#define TOTALS_FIELDS                                        \
    [4] = HISTOGRAM(histogram.count, "count", OTLP_FIXED64), \
    [5] = HISTOGRAM(sum, "sum", OTLP_AS_DOUBLE)

static const struct otlp_field number_fields[] = {
    COMMON_FIELDS,
    [4] = NUMBER(value, "asDouble", OTLP_AS_DOUBLE),
    [5] = EXEMPLARS,
    [6] = NUMBER(value, "asInt", OTLP_AS_INT),
    [7] = NUMBER(attrs, "attributes", OTLP_ATTRS),
    [8] = NUMBER(point.flags, "flags", OTLP_UINT32),
};
static const struct otlp_field histogram_fields[] = {
    COMMON_FIELDS,
    TOTALS_FIELDS,
    [6] = HISTOGRAM(buckets.counts, "bucketCounts", OTLP_FIXED64S),
    [7] = HISTOGRAM(buckets.bounds, "explicitBounds", OTLP_DOUBLES),
    [8] = EXEMPLARS,
    [9] = NUMBER(attrs, "attributes", OTLP_ATTRS),
    [10] = NUMBER(point.flags, "flags", OTLP_UINT32),
    [11] = HISTOGRAM(min, "min", OTLP_AS_DOUBLE),
    [12] = HISTOGRAM(max, "max", OTLP_AS_DOUBLE),
};
static const struct otlp_field exp_histogram_fields[] = {
    [1] = NUMBER(attrs, "attributes", OTLP_ATTRS),
    COMMON_FIELDS,
    TOTALS_FIELDS,
    [6] = HISTOGRAM(histogram.scale, "scale", OTLP_SINT32),
    [7] = HISTOGRAM(histogram.zero_count, "zeroCount", OTLP_FIXED64),
    [8] = OTLP_SUB_FIELD(struct histogram_message, buckets.positive, "positive",
                         OTLP_MESSAGE, exp_buckets_message),
    [9] = OTLP_SUB_FIELD(struct histogram_message, buckets.negative, "negative",
                         OTLP_MESSAGE, exp_buckets_message),
    [10] = NUMBER(point.flags, "flags", OTLP_UINT32),
    [11] = EXEMPLARS,
    [12] = HISTOGRAM(min, "min", OTLP_AS_DOUBLE),
    [13] = HISTOGRAM(max, "max", OTLP_AS_DOUBLE),
    [14] = HISTOGRAM(histogram.zero_threshold, "zeroThreshold", OTLP_DOUBLE),
};
static const struct otlp_field summary_fields[] = {
    COMMON_FIELDS,
    TOTALS_FIELDS,
    [6] = OTLP_SUB_FIELD(struct histogram_message, buckets.quantiles,
                         "quantileValues", OTLP_ELEMENTS, quantile_message),
    [7] = NUMBER(attrs, "attributes", OTLP_ATTRS),
    [8] = NUMBER(point.flags, "flags", OTLP_UINT32),
};

static void set_common(const struct otlp_decoder *d,
                       const struct number_message *message,
                       struct point *point)
{
    *point = message->point;
    point->metric = d->metric;
    point->resource_id = RESOURCE_NONE;
    point->attrs = otlp_attrs(&message->attrs, 0);
    point->exemplars = message->exemplars.at;
    point->exemplar_count = message->exemplars.count;
}

static bool finish_number(struct otlp_decoder *d, const void *at, void *slot)
{
    const struct number_message *message = at;
    struct point *point = slot;

    set_common(d, message, point);
    point->is_int = message->value.is_int;
    point->i = message->value.i; /* or the bits of the double */
    otlp_accept_point(d, point, NULL);
    return true;
}

static bool finish_histogram(struct otlp_decoder *d, const void *at, void *slot)
{
    const struct histogram_message *message = at;
    struct histogram *h = arena_alloc(d->arena, sizeof(*h));
    struct point *point = slot;
    const char *bad;

    if (!h)
        return false;
    *h = message->histogram;
    h->sum = message->sum.d;
    h->has_sum = message->sum.present;
    h->min = message->min.d;
    h->has_min = message->min.present;
    h->max = message->max.d;
    h->has_max = message->max.present;
    bad = otlp_set_buckets(d, h, &message->buckets, d->metric->type);
    set_common(d, &message->common, point);
    point->histogram = h;
    otlp_accept_point(d, point, bad);
    return true;
}

#define POINTS(rows, attrs_field, message, done)                   \
    {                                                              \
        OTLP_STRUCT(rows, struct message), .attrs = (attrs_field), \
                                           .finish = (done)        \
    }

const struct otlp_message otlp_points[] = {
    [METRIC_GAUGE] = POINTS(number_fields, 7, number_message, finish_number),
    [METRIC_SUM] = POINTS(number_fields, 7, number_message, finish_number),
    [METRIC_HISTOGRAM] =
        POINTS(histogram_fields, 9, histogram_message, finish_histogram),
    [METRIC_EXP_HISTOGRAM] =
        POINTS(exp_histogram_fields, 1, histogram_message, finish_histogram),
    [METRIC_SUMMARY] =
        POINTS(summary_fields, 7, histogram_message, finish_histogram),
};

_Static_assert(sizeof(struct histogram_message) <= OTLP_MAX_MESSAGE,
               "messages fit the readers' buffers");
