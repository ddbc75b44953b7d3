/*
 * The tables and their columns: first those of the Collector's exporter in its
 * order, then ours. See ch_schema_tables.h.
 *
 * Sort keys begin with the names of the component, which nearly every query
 * has, and go on with the time; metrics with the series. Days are partitions,
 * so that retention drops whole ones. TraceId has a Bloom filter, bodies one of
 * their tokens and one of their pieces of four bytes; a minmax index on the
 * time serves lists of the newest over many components.
 */
#include "ch_schema_tables.h"

#define TEXT "String"
#define LC   "LowCardinality(String)"
#define MAP  "Map(LowCardinality(String), String)"
#define NS   "DateTime64(9)"

#define ZSTD  "CODEC(ZSTD(1))"
#define DELTA "CODEC(Delta(8), ZSTD(1))"

/* Names known when the row was inserted; what the resource is called now is in
 * callboard_resources. */
static const struct ch_schema_column names[] = {
    {"Namespace", LC, ZSTD},        {"Project", LC, ZSTD},
    {"Component", LC, ZSTD},        {"Environment", LC, ZSTD},
    {"ResourceId", "UInt64", ZSTD}, {0}};

static const struct ch_schema_column spans[] = {
    {"Timestamp", NS, DELTA},
    {"TraceId", TEXT, ZSTD},
    {"SpanId", TEXT, ZSTD},
    {"ParentSpanId", TEXT, ZSTD},
    {"TraceState", TEXT, ZSTD},
    {"SpanName", LC, ZSTD},
    {"SpanKind", LC, ZSTD},
    {"ServiceName", LC, ZSTD},
    {"ResourceAttributes", MAP, ZSTD},
    {"ScopeName", TEXT, ZSTD},
    {"ScopeVersion", TEXT, ZSTD},
    {"SpanAttributes", MAP, ZSTD},
    {"Duration", "UInt64", "CODEC(T64, ZSTD(1))"},
    {"StatusCode", LC, ZSTD},
    {"StatusMessage", TEXT, ZSTD},
    {"Events.Timestamp", "Array(" NS ")", ZSTD},
    {"Events.Name", "Array(" LC ")", ZSTD},
    {"Events.Attributes", "Array(" MAP ")", ZSTD},
    {"Links.TraceId", "Array(String)", ZSTD},
    {"Links.SpanId", "Array(String)", ZSTD},
    {"Links.TraceState", "Array(String)", ZSTD},
    {"Links.Attributes", "Array(" MAP ")", ZSTD},
    {0}};

static const struct ch_schema_column spans_ours[] = {
    {"Endpoint", LC, ZSTD},
    {"Operation", LC, ZSTD},
    {"Failed", "Bool", ZSTD},
    {"Flags", "UInt32", ZSTD},
    {"Corrected", "UInt8", ZSTD},
    {"DroppedAttributes", "UInt32", ZSTD},
    {"DroppedEvents", "UInt32", ZSTD},
    {"DroppedLinks", "UInt32", ZSTD},
    {"AttributeTypes", LC, ZSTD},
    {"EventTypes", "Array(" LC ")", ZSTD},
    {"EventDropped", "Array(UInt32)", ZSTD},
    {"LinkTypes", "Array(" LC ")", ZSTD},
    {"LinkDropped", "Array(UInt32)", ZSTD},
    {"Links.Flags", "Array(UInt32)", ZSTD},
    {"ScopeSchemaUrl", LC, ZSTD},
    {"ScopeAttributes", MAP, ZSTD},
    {"ScopeTypes", LC, ZSTD},
    {"Arrival", "UInt64", DELTA},
    {0}};

static const struct ch_schema_index span_indexes[] = {
    {"idx_trace_id", "TraceId", "bloom_filter(0.001) GRANULARITY 1"},
    {"idx_time", "Timestamp", "minmax GRANULARITY 1"},
    {"idx_resource", "ResourceId", "set(256) GRANULARITY 1"},
    {"idx_duration", "Duration", "minmax GRANULARITY 1"},
    {"idx_span_attr_key", "mapKeys(SpanAttributes)",
     "bloom_filter(0.01) GRANULARITY 1"},
    {"idx_span_attr_value", "mapValues(SpanAttributes)",
     "bloom_filter(0.01) GRANULARITY 1"},
    {0}};

/* The exporter fills this with a view; we insert it with each block, with a
 * token of its own. */
static const struct ch_schema_column trace_times[] = {
    {"TraceId", TEXT, ZSTD},
    {"Start", "SimpleAggregateFunction(min, DateTime)",
     "CODEC(Delta(4), ZSTD(1))"},
    {"End", "SimpleAggregateFunction(max, DateTime)",
     "CODEC(Delta(4), ZSTD(1))"},
    {0}};

static const struct ch_schema_column logs[] = {
    {"Timestamp", NS, DELTA},
    {"TimestampTime", "DateTime",
     "DEFAULT toDateTime(Timestamp) CODEC(Delta(4), ZSTD(1))"},
    {"TraceId", TEXT, ZSTD},
    {"SpanId", TEXT, ZSTD},
    {"TraceFlags", "UInt8", NULL},
    {"SeverityText", LC, ZSTD},
    {"SeverityNumber", "UInt8", NULL},
    {"ServiceName", LC, ZSTD},
    {"Body", TEXT, ZSTD},
    {"ResourceSchemaUrl", LC, ZSTD},
    {"ResourceAttributes", MAP, ZSTD},
    {"ScopeSchemaUrl", LC, ZSTD},
    {"ScopeName", TEXT, ZSTD},
    {"ScopeVersion", LC, ZSTD},
    {"ScopeAttributes", MAP, ZSTD},
    {"LogAttributes", MAP, ZSTD},
    {"EventName", TEXT, ZSTD},
    {0}};

/* InsertedAt: each record of an insert has one of its own, in their order:
 * ch_read_log_tail.c. */
static const struct ch_schema_column logs_ours[] = {
    {"Level", "UInt8", ZSTD},
    {"ObservedTimestamp", NS, DELTA},
    {"Arrival", "UInt64", DELTA},
    {"InsertedAt", NS,
     "DEFAULT now64(9) + toIntervalNanosecond(rowNumberInAllBlocks()) " DELTA},
    {"BodyType", LC, ZSTD},
    {"AttributeTypes", LC, ZSTD},
    {"ScopeTypes", LC, ZSTD},
    {"DroppedAttributes", "UInt32", ZSTD},
    {"Corrected", "UInt8", ZSTD},
    {"Flags", "UInt32", ZSTD},
    {0}};

static const struct ch_schema_index log_indexes[] = {
    {"idx_trace_id", "TraceId", "bloom_filter(0.001) GRANULARITY 1"},
    {"idx_time", "Timestamp", "minmax GRANULARITY 1"},
    {"idx_inserted", "InsertedAt", "minmax GRANULARITY 1"},
    {"idx_resource", "ResourceId", "set(256) GRANULARITY 1"},
    {"idx_level", "Level", "set(8) GRANULARITY 1"},
    {"idx_body_type", "BodyType", "set(8) GRANULARITY 1"},
    {"idx_log_attr_key", "mapKeys(LogAttributes)",
     "bloom_filter(0.01) GRANULARITY 1"},
    {"idx_log_attr_value", "mapValues(LogAttributes)",
     "bloom_filter(0.01) GRANULARITY 1"},
    {"idx_lower_body", "lower(Body)", "tokenbf_v1(32768, 3, 0) GRANULARITY 1"},
    {"idx_body_ngram", "Body", "ngrambf_v1(4, 32768, 3, 0) GRANULARITY 1"},
    {0}};

/* What all tables of metrics begin with. */
static const struct ch_schema_column metrics[] = {
    {"ResourceAttributes", MAP, ZSTD},
    {"ResourceSchemaUrl", TEXT, ZSTD},
    {"ScopeName", TEXT, ZSTD},
    {"ScopeVersion", TEXT, ZSTD},
    {"ScopeAttributes", MAP, ZSTD},
    {"ScopeDroppedAttrCount", "UInt32", ZSTD},
    {"ScopeSchemaUrl", TEXT, ZSTD},
    {"ServiceName", LC, ZSTD},
    {"MetricName", LC, ZSTD},
    {"MetricDescription", TEXT, ZSTD},
    {"MetricUnit", TEXT, ZSTD},
    {"Attributes", MAP, ZSTD},
    {"StartTimeUnix", NS, DELTA},
    {"TimeUnix", NS, DELTA},
    {"Flags", "UInt32", ZSTD},
    /* ours */
    {"ScopeTypes", LC, ZSTD},
    {"AttributeTypes", LC, ZSTD},
    {"DroppedAttributes", "UInt32", ZSTD},
    {"Corrected", "UInt8", ZSTD},
    {"SeriesId", "UInt64", ZSTD}, /* hash of metric, scope and attributes */
    {0}};

#define EXEMPLARS                                             \
    {"Exemplars.FilteredAttributes", "Array(" MAP ")", ZSTD}, \
        {"Exemplars.TimeUnix", "Array(" NS ")", ZSTD},        \
        {"Exemplars.Value", "Array(Float64)", ZSTD},          \
        {"Exemplars.SpanId", "Array(String)", ZSTD},          \
        {"Exemplars.TraceId", "Array(String)", ZSTD},         \
        {"ExemplarTypes", "Array(" LC ")", ZSTD},             \
    {                                                         \
        "ExemplarDropped", "Array(UInt32)", ZSTD              \
    }
/* Value has 53 bits of an integer, IntValue all. */
#define NUMBER                                                      \
    {"Value", "Float64", ZSTD}, {"IsInt", "Bool", ZSTD}, /* ours */ \
    {                                                               \
        "IntValue", "Int64", ZSTD                                   \
    }
#define TEMPORALITY                             \
    {                                           \
        "AggregationTemporality", "Int32", ZSTD \
    }
/* Present: bits 1 Sum, 2 Min, 4 Max. */
#define MOMENTS                                             \
    {"Count", "UInt64", DELTA}, {"Sum", "Float64", ZSTD},   \
        {"Min", "Float64", ZSTD}, {"Max", "Float64", ZSTD}, \
    {                                                       \
        "Present", "UInt8", ZSTD                            \
    }

static const struct ch_schema_column gauges[] = {NUMBER, EXEMPLARS, {0}};
static const struct ch_schema_column sums[] = {
    NUMBER, EXEMPLARS, TEMPORALITY, {"IsMonotonic", "Bool", ZSTD}, {0}};
static const struct ch_schema_column histograms[] = {
    MOMENTS,
    {"BucketCounts", "Array(UInt64)", ZSTD},
    {"ExplicitBounds", "Array(Float64)", ZSTD},
    EXEMPLARS,
    TEMPORALITY,
    {0}};
static const struct ch_schema_column exp_histograms[] = {
    MOMENTS,
    {"Scale", "Int32", ZSTD},
    {"ZeroCount", "UInt64", ZSTD},
    {"ZeroThreshold", "Float64", ZSTD},
    {"PositiveOffset", "Int32", ZSTD},
    {"PositiveBucketCounts", "Array(UInt64)", ZSTD},
    {"NegativeOffset", "Int32", ZSTD},
    {"NegativeBucketCounts", "Array(UInt64)", ZSTD},
    EXEMPLARS,
    TEMPORALITY,
    {0}};
static const struct ch_schema_column summaries[] = {
    {"Count", "UInt64", DELTA},
    {"Sum", "Float64", ZSTD},
    {"Present", "UInt8", ZSTD},
    {"ValueAtQuantiles.Quantile", "Array(Float64)", ZSTD},
    {"ValueAtQuantiles.Value", "Array(Float64)", ZSTD},
    {0}};

static const struct ch_schema_index metric_indexes[] = {
    {"idx_time", "TimeUnix", "minmax GRANULARITY 1"},
    {"idx_resource", "ResourceId", "set(256) GRANULARITY 1"},
    {0}};

/* Parts of one minute of a series add up: in merges, and when they are read.
 * ResourceId is the key of the identity's anchor; SeriesId the hash of metric,
 * attributes and their types. Exemplars are tuples of time, trace id, span id,
 * value and "failed". */
static const struct ch_schema_column derived[] = {
    {"Metric", LC, ZSTD},
    {"SeriesId", "UInt64", ZSTD},
    {"Scale", "Int8", ZSTD},
    {"Time", "DateTime", "CODEC(Delta(4), ZSTD(1))"},
    /* the same in all rows of a SeriesId */
    {"Attributes", "SimpleAggregateFunction(any, Map(String, String))", ZSTD},
    {"AttributeTypes", "SimpleAggregateFunction(any, String)", ZSTD},
    {"Value", "SimpleAggregateFunction(sum, Int64)", ZSTD},
    {"Count", "SimpleAggregateFunction(sum, UInt64)", ZSTD},
    {"Sum", "SimpleAggregateFunction(sum, Float64)", ZSTD},
    {"ZeroCount", "SimpleAggregateFunction(sum, UInt64)", ZSTD},
    {"Min", "SimpleAggregateFunction(min, Float64)", ZSTD},
    {"Max", "SimpleAggregateFunction(max, Float64)", ZSTD},
    {"Buckets", "SimpleAggregateFunction(sumMap, Map(Int32, UInt64))", ZSTD},
    {"Exemplars",
     "SimpleAggregateFunction(groupArrayArray, Array(Tuple(" NS
     ", String, String, Float64, Bool)))",
     ZSTD},
    {0}};

static const struct ch_schema_index derived_indexes[] = {
    {"idx_time", "Time", "minmax GRANULARITY 1"}, {0}};

/* A log of what instances learn of resources. */
static const struct ch_schema_column resources[] = {
    {"Kind", LC, ZSTD},
    {"SchemaUrl", TEXT, ZSTD},
    {"Attributes", MAP, ZSTD},
    {"AttributeTypes", TEXT, ZSTD},
    {"Facts", TEXT, ZSTD}, /* what else the registry knows, packed */
    {"SeenAt", NS, DELTA},
    {"InsertedAt", NS, "DEFAULT now64(9) " DELTA},
    {0}};

/* The catalogue, reports, tokens and named values: the last version counts. */
static const struct ch_schema_column values[] = {
    {"Kind", LC, ZSTD},
    {"Name", TEXT, ZSTD},
    {"Version", "UInt64", ZSTD},
    {"Value", TEXT, ZSTD},
    {"Deleted", "Bool", ZSTD},
    {"InsertedAt", NS, "DEFAULT now64(9) " DELTA},
    {0}};

static const struct ch_schema_column dead_letters[] = {
    {"Id", "UInt64", ZSTD},        {"Topic", LC, ZSTD},
    {"Partition", "UInt32", ZSTD}, {"Offset", "UInt64", DELTA},
    {"ReceivedAt", NS, DELTA},     {"MessageTime", "DateTime64(3)", DELTA},
    {"Reason", TEXT, ZSTD},        {"Size", "UInt64", ZSTD},
    {"Bytes", TEXT, ZSTD},         {0}};

/* The state of a task after the message before Offset. */
static const struct ch_schema_column checkpoints[] = {
    {"Topic", LC, ZSTD},
    {"Partition", "UInt32", ZSTD},
    {"Offset", "UInt64", ZSTD},
    {"State", TEXT, ZSTD},
    {"InsertedAt", NS, "DEFAULT now64(9) " DELTA},
    {0}};

static const struct ch_schema_column versions[] = {
    {"Version", "UInt32", NULL}, {"InsertedAt", NS, "DEFAULT now64(9)"}, {0}};

#define BY_NAMES "Namespace, Project, Component, Environment"

#define LOGS(name_)                                                        \
    {                                                                      \
        .name = name_, .columns = {logs, names, logs_ours},                \
        .indexes = log_indexes, .engine = "",                              \
        .partition = "toDate(TimestampTime)",                              \
        .order = BY_NAMES ", Timestamp, Arrival", .time = "TimestampTime", \
        .signal = SIGNAL_LOGS, .stream = STREAM_LOGS                       \
    }

#define METRICS(name_, columns_)                                          \
    {                                                                     \
        .name = name_, .columns = {metrics, columns_, names},             \
        .indexes = metric_indexes, .engine = "",                          \
        .partition = "toDate(TimeUnix)",                                  \
        .order = BY_NAMES ", MetricName, ResourceId, SeriesId, TimeUnix", \
        .time = "toDateTime(TimeUnix)", .signal = SIGNAL_METRICS,         \
        .stream = STREAM_METRICS                                          \
    }

const struct ch_table ch_tables[] = {
    {.name = "otel_traces",
     .columns = {spans, names, spans_ours},
     .indexes = span_indexes,
     .engine = "",
     .partition = "toDate(Timestamp)",
     .order = BY_NAMES ", Timestamp",
     .time = "toDateTime(Timestamp)",
     .signal = SIGNAL_SPANS,
     .stream = STREAM_SPANS},
    {.name = "otel_traces_trace_id_ts",
     .columns = {trace_times},
     .engine = "Aggregating",
     .partition = "toDate(Start)",
     .order = "TraceId",
     .time = "Start",
     .signal = SIGNAL_SPANS,
     .stream = STREAM_SPANS,
     .lookup = true},
    LOGS("otel_logs"),
    LOGS("callboard_events"),
    METRICS("otel_metrics_gauge", gauges),
    METRICS("otel_metrics_sum", sums),
    METRICS("otel_metrics_histogram", histograms),
    METRICS("otel_metrics_exponential_histogram", exp_histograms),
    METRICS("otel_metrics_summary", summaries),
    {.name = "callboard_series",
     .columns = {names, derived},
     .indexes = derived_indexes,
     .engine = "Aggregating",
     .partition = "toDate(Time)",
     .order = BY_NAMES ", Metric, ResourceId, SeriesId, Scale, Time",
     /* A component's day is some thousand wide rows. */
     .granularity = 1024,
     .time = "Time",
     .signal = SIGNAL_METRICS,
     .stream = STREAM_DERIVED},
    {.name = "callboard_resources",
     .columns = {names, resources},
     .engine = "",
     .partition = "toDate(InsertedAt)",
     .order = "InsertedAt",
     .time = "toDateTime(InsertedAt)",
     .signal = SIGNAL_COUNT,
     .stream = STREAM_COUNT},
    {.name = "callboard_values",
     .columns = {values},
     .engine = "Replacing",
     .version = "Version",
     .order = "Kind, Name",
     .signal = SIGNAL_COUNT,
     .stream = STREAM_COUNT},
    {.name = "callboard_dead_letters",
     .columns = {dead_letters},
     .engine = "",
     .partition = "toDate(ReceivedAt)",
     .order = "Topic, Partition, Offset",
     .time = "toDateTime(ReceivedAt)",
     .signal = SIGNAL_LOGS,
     .stream = STREAM_COUNT},
    {.name = "callboard_checkpoints",
     .columns = {checkpoints},
     .engine = "",
     .order = "Topic, Partition, Offset",
     .signal = SIGNAL_COUNT,
     .stream = STREAM_COUNT},
    {.name = "callboard_schema",
     .columns = {versions},
     .engine = "",
     .order = "Version",
     .signal = SIGNAL_COUNT,
     .stream = STREAM_COUNT},
};
const size_t ch_table_count = sizeof(ch_tables) / sizeof(*ch_tables);

const struct ch_schema_column *ch_table_column(const struct ch_table *table,
                                               size_t index)
{
    for (size_t i = 0; i < CH_TABLE_LISTS && table->columns[i]; i++)
        for (const struct ch_schema_column *c = table->columns[i]; c->name; c++)
            if (index-- == 0)
                return c;
    return NULL;
}
