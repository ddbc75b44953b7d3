/*
 * Rows of the five tables otel_metrics_*: points as they were sent.
 *
 * SeriesId is a hash of the metric with its scope, and of the attributes as a
 * set: points of a resource with the same one are one series, and stand
 * together in the sort key.
 */
#include <math.h>

#include "attr_hash.h"
#include "ch_write.h"

/* What all tables begin with. */
enum {
    RESOURCE_ATTRIBUTES,
    RESOURCE_SCHEMA_URL,
    SCOPE_NAME,
    SCOPE_VERSION,
    SCOPE_ATTRIBUTES,
    SCOPE_DROPPED,
    SCOPE_SCHEMA_URL,
    SERVICE_NAME,
    METRIC_NAME,
    METRIC_DESCRIPTION,
    METRIC_UNIT,
    ATTRIBUTES,
    START_TIME,
    TIME,
    FLAGS,
    SCOPE_TYPES,
    ATTRIBUTE_TYPES,
    DROPPED_ATTRIBUTES,
    CORRECTED,
    SERIES_ID,
    NAMES,
    OWN = NAMES + CH_NAME_COLUMNS /* the first of the table itself */
};

/* clang-format off */
#define COMMON \
    {"ResourceAttributes", CH_REPEATED}, \
    {"ResourceSchemaUrl", "LowCardinality(String)"}, {"ScopeName", "LowCardinality(String)"}, \
    {"ScopeVersion", "LowCardinality(String)"}, {"ScopeAttributes", CH_REPEATED}, \
    {"ScopeDroppedAttrCount", "UInt32"}, {"ScopeSchemaUrl", "LowCardinality(String)"}, \
    {"ServiceName", "LowCardinality(String)"}, {"MetricName", "LowCardinality(String)"}, \
    {"MetricDescription", "LowCardinality(String)"}, {"MetricUnit", "LowCardinality(String)"}, \
    {"Attributes", "Map(LowCardinality(String), String)"}, {"StartTimeUnix", "DateTime64(9)"}, \
    {"TimeUnix", "DateTime64(9)"}, {"Flags", "UInt32"}, \
    {"ScopeTypes", "LowCardinality(String)"}, {"AttributeTypes", "LowCardinality(String)"}, \
    {"DroppedAttributes", "UInt32"}, {"Corrected", "UInt8"}, \
    {"SeriesId", "UInt64"}, CH_NAME_DEFS

enum { X_ATTRIBUTES, X_TIME, X_VALUE, X_SPAN_ID, X_TRACE_ID, X_TYPES,
       X_COLUMNS };
#define EXEMPLARS \
    {"Exemplars.FilteredAttributes", "Array(Map(LowCardinality(String), String))"}, \
    {"Exemplars.TimeUnix", "Array(DateTime64(9))"}, \
    {"Exemplars.Value", "Array(Float64)"}, \
    {"Exemplars.SpanId", "Array(String)"}, \
    {"Exemplars.TraceId", "Array(String)"}, \
    {"ExemplarTypes", "Array(LowCardinality(String))"}

enum { N_EXEMPLARS = OWN, N_VALUE = N_EXEMPLARS + X_COLUMNS, N_IS_INT,
       N_INT_VALUE, GAUGE_COLUMNS, N_TEMPORALITY = GAUGE_COLUMNS, N_MONOTONIC,
       SUM_COLUMNS };
#define NUMBER EXEMPLARS, {"Value", "Float64"}, {"IsInt", "Bool"}, \
    {"IntValue", "Int64"}

enum { M_COUNT, M_SUM, M_MIN, M_MAX, M_PRESENT, M_COLUMNS };
#define MOMENTS {"Count", "UInt64"}, {"Sum", "Float64"}, {"Min", "Float64"}, \
    {"Max", "Float64"}, {"Present", "UInt8"}

enum { H_EXEMPLARS = OWN, H_MOMENTS = H_EXEMPLARS + X_COLUMNS,
       H_TEMPORALITY = H_MOMENTS + M_COLUMNS, H_COUNTS, H_BOUNDS,
       HISTOGRAM_COLUMNS };
enum { E_SCALE = H_TEMPORALITY + 1, E_ZERO_COUNT, E_ZERO_THRESHOLD,
       E_POSITIVE_OFFSET, E_POSITIVE, E_NEGATIVE_OFFSET, E_NEGATIVE,
       EXP_HISTOGRAM_COLUMNS };
#define HISTOGRAM EXEMPLARS, MOMENTS, {"AggregationTemporality", "Int32"}

enum { S_COUNT = OWN, S_SUM, S_PRESENT, S_QUANTILES, S_VALUES,
       SUMMARY_COLUMNS };
/* clang-format on */

/* Bits of Present. */
enum { HAS_SUM = 1, HAS_MIN = 2, HAS_MAX = 4 };

static const struct ch_column_def gauges[GAUGE_COLUMNS] = {COMMON, NUMBER};
static const struct ch_column_def sums[SUM_COLUMNS] = {
    COMMON,
    NUMBER,
    {"AggregationTemporality", "Int32"},
    {"IsMonotonic", "Bool"}};
static const struct ch_column_def histograms[HISTOGRAM_COLUMNS] = {
    COMMON,
    HISTOGRAM,
    {"BucketCounts", "Array(UInt64)"},
    {"ExplicitBounds", "Array(Float64)"}};
static const struct ch_column_def exp_histograms[EXP_HISTOGRAM_COLUMNS] = {
    COMMON,
    HISTOGRAM,
    {"Scale", "Int32"},
    {"ZeroCount", "UInt64"},
    {"ZeroThreshold", "Float64"},
    {"PositiveOffset", "Int32"},
    {"PositiveBucketCounts", "Array(UInt64)"},
    {"NegativeOffset", "Int32"},
    {"NegativeBucketCounts", "Array(UInt64)"}};
static const struct ch_column_def summaries[SUMMARY_COLUMNS] = {
    COMMON,
    {"Count", "UInt64"},
    {"Sum", "Float64"},
    {"Present", "UInt8"},
    {"ValueAtQuantiles.Quantile", "Array(Float64)"},
    {"ValueAtQuantiles.Value", "Array(Float64)"}};

static const struct ch_origin_columns origin_columns = {
    .service = SERVICE_NAME,
    .resource_attributes = RESOURCE_ATTRIBUTES,
    .resource_schema_url = RESOURCE_SCHEMA_URL,
    .scope_name = SCOPE_NAME,
    .scope_version = SCOPE_VERSION,
    .scope_schema_url = SCOPE_SCHEMA_URL,
    .scope_attributes = SCOPE_ATTRIBUTES,
    .scope_types = SCOPE_TYPES,
    .scope_dropped = SCOPE_DROPPED,
    .names = NAMES};

const struct ch_insert_def ch_gauges_def = {"otel_metrics_gauge", gauges,
                                            GAUGE_COLUMNS};
const struct ch_insert_def ch_sums_def = {"otel_metrics_sum", sums,
                                          SUM_COLUMNS};
const struct ch_insert_def ch_histograms_def = {"otel_metrics_histogram",
                                                histograms, HISTOGRAM_COLUMNS};
const struct ch_insert_def ch_exp_histograms_def = {
    "otel_metrics_exponential_histogram", exp_histograms,
    EXP_HISTOGRAM_COLUMNS};
const struct ch_insert_def ch_summaries_def = {"otel_metrics_summary",
                                               summaries, SUMMARY_COLUMNS};

static const struct histogram no_histogram;

/* ---- what all tables have ---- */

static uint64_t hash_text(struct slice text, uint64_t hash)
{
    return hash_bytes(text.ptr, text.len, hash);
}

/* Of all that points of a series have in common beside attributes and
 * resource. */
static uint64_t metric_hash(const struct metric *metric)
{
    const struct scope *scope = metric->scope;
    uint64_t hash = (uint64_t)metric->type << 3 |
                    (uint64_t)metric->temporality << 1 | metric->monotonic;

    hash = hash_text(metric->name, hash);
    hash = hash_text(metric->description, hash);
    hash = hash_text(metric->unit, hash);
    if (!scope)
        return hash;
    hash = hash_text(scope->name, hash);
    hash = hash_text(scope->version, hash);
    hash = hash_text(scope->schema_url, hash);
    return hash_mix(hash, attrs_hash(&scope->attrs));
}

static uint64_t series_id(struct ch_writer *writer, const struct point *point)
{
    if (point->metric != writer->metric)
        writer->metric_hash = metric_hash(point->metric);
    writer->metric = point->metric;
    /* A reader takes the attributes of one row for all of a series. */
    return hash_mix(writer->metric_hash + point->attrs.dropped,
                    attrs_hash(&point->attrs));
}

static void put_common(struct ch_writer *writer, struct ch_column **c,
                       const struct point *point)
{
    const struct metric *metric = point->metric;

    ch_put_string(c[METRIC_NAME], metric->name);
    ch_put_string(c[METRIC_DESCRIPTION], metric->description);
    ch_put_string(c[METRIC_UNIT], metric->unit);
    ch_put_attrs(writer, c[ATTRIBUTES], &point->attrs);
    ch_put_ns(c[START_TIME], point->start_ns);
    ch_put_ns(c[TIME], point->time_ns);
    ch_put_uint(c[FLAGS], point->flags);
    ch_put_types(writer, c[ATTRIBUTE_TYPES], &point->attrs);
    ch_put_uint(c[DROPPED_ATTRIBUTES], point->attrs.dropped);
    ch_put_uint(c[CORRECTED], point->corrected);
    ch_put_uint(c[SERIES_ID], series_id(writer, point));
}

/* Ids of exemplars are in hex even if they are zero, as the exporter has it. */
static void put_exemplars(struct ch_writer *writer, struct ch_column **c,
                          const struct point *point)
{
    for (uint32_t i = 0; i < point->exemplar_count; i++) {
        const struct exemplar *exemplar = &point->exemplars[i];

        ch_put_attrs(writer, ch_element(c[X_ATTRIBUTES]), &exemplar->attrs);
        ch_put_ns(ch_element(c[X_TIME]), exemplar->time_ns);
        ch_put_float(ch_element(c[X_VALUE]), exemplar->value);
        ch_put_hex(ch_element(c[X_SPAN_ID]), exemplar->span_id, 8);
        ch_put_hex(ch_element(c[X_TRACE_ID]), exemplar->trace_id, 16);
        ch_put_types(writer, ch_element(c[X_TYPES]), &exemplar->attrs);
    }
}

static void put_counts(struct ch_column *column, const uint64_t *counts,
                       uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        ch_put_uint(ch_element(column), counts[i]);
}

static void put_doubles(struct ch_column *column, const double *values,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        ch_put_float(ch_element(column), values[i]);
}

static uint8_t present(const struct histogram *h)
{
    return (uint8_t)((h->has_sum ? HAS_SUM : 0) | (h->has_min ? HAS_MIN : 0) |
                     (h->has_max ? HAS_MAX : 0));
}

/* ---- by type ---- */

static void put_number(struct ch_writer *writer, struct ch_column **c,
                       const struct point *point)
{
    put_exemplars(writer, c + N_EXEMPLARS, point);
    ch_put_float(c[N_VALUE], point->is_int ? (double)point->i : point->d);
    ch_put_uint(c[N_IS_INT], point->is_int);
    ch_put_int(c[N_INT_VALUE], point->is_int ? point->i : 0);
    if (point->metric->type != METRIC_SUM)
        return;
    ch_put_uint(c[N_TEMPORALITY], point->metric->temporality);
    ch_put_uint(c[N_MONOTONIC], point->metric->monotonic);
}

static void put_moments(struct ch_column **c, const struct histogram *h)
{
    ch_put_uint(c[M_COUNT], h->count);
    ch_put_float(c[M_SUM], h->has_sum ? h->sum : 0);
    ch_put_float(c[M_MIN], h->has_min ? h->min : 0);
    ch_put_float(c[M_MAX], h->has_max ? h->max : 0);
    ch_put_uint(c[M_PRESENT], present(h));
}

static void put_histogram(struct ch_writer *writer, struct ch_column **c,
                          const struct point *point, const struct histogram *h)
{
    put_exemplars(writer, c + H_EXEMPLARS, point);
    put_moments(c + H_MOMENTS, h);
    ch_put_uint(c[H_TEMPORALITY], point->metric->temporality);
    if (point->metric->type == METRIC_HISTOGRAM) {
        put_counts(c[H_COUNTS], h->counts, h->counts ? h->bound_count + 1 : 0);
        put_doubles(c[H_BOUNDS], h->bounds, h->bound_count);
        return;
    }
    ch_put_int(c[E_SCALE], h->scale);
    ch_put_uint(c[E_ZERO_COUNT], h->zero_count);
    ch_put_float(c[E_ZERO_THRESHOLD], h->zero_threshold);
    ch_put_int(c[E_POSITIVE_OFFSET], h->positive.offset);
    put_counts(c[E_POSITIVE], h->positive.counts, h->positive.count);
    ch_put_int(c[E_NEGATIVE_OFFSET], h->negative.offset);
    put_counts(c[E_NEGATIVE], h->negative.counts, h->negative.count);
}

static void put_summary(struct ch_column **c, const struct histogram *h)
{
    ch_put_uint(c[S_COUNT], h->count);
    ch_put_float(c[S_SUM], h->has_sum ? h->sum : 0);
    ch_put_uint(c[S_PRESENT], present(h));
    put_doubles(c[S_QUANTILES], h->bounds, h->bound_count);
    put_doubles(c[S_VALUES], h->values, h->bound_count);
}

static void put_values(struct ch_writer *writer, struct ch_column **c,
                       const struct point *point)
{
    const struct histogram *h =
        point->histogram ? point->histogram : &no_histogram;

    switch ((enum metric_type)point->metric->type) {
    case METRIC_GAUGE:
    case METRIC_SUM:
        put_number(writer, c, point);
        break;
    case METRIC_HISTOGRAM:
    case METRIC_EXP_HISTOGRAM:
        put_histogram(writer, c, point, h);
        break;
    case METRIC_SUMMARY:
        put_summary(c, h);
        break;
    }
}

static const enum ch_write_table tables[] = {
    [METRIC_GAUGE] = CH_WRITE_GAUGES,
    [METRIC_SUM] = CH_WRITE_SUMS,
    [METRIC_HISTOGRAM] = CH_WRITE_HISTOGRAMS,
    [METRIC_EXP_HISTOGRAM] = CH_WRITE_EXP_HISTOGRAMS,
    [METRIC_SUMMARY] = CH_WRITE_SUMMARIES,
};

void ch_write_points(struct ch_writer *writer, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct point *point = &batch->points[i];
        const struct ch_origin origin = {
            point->metric->resource, point->metric->scope, point->resource_id};
        enum ch_write_table table = tables[point->metric->type];
        struct ch_insert *insert = &writer->inserts[table];
        struct ch_column **c = ch_insert_columns(insert);

        ch_put_origin(writer, table, &origin_columns, &origin);
        put_common(writer, c, point);
        put_values(writer, c, point);
        ch_insert_row(insert, ch_row_weight(writer));
    }
}
