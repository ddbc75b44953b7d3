/*
 * The text of queries for series. Columns are named in the order of struct
 * ch_series_row. Aggregates have no names of their own: one that is called like
 * a column would stand for it in WHERE.
 */
#include "ch_read_series.h"

/* ---- columns ---- */

/* clang-format off */
#define SERIES_HEAD(table, temporality, monotonic)                            \
    "SELECT toUInt8(" table "), ResourceId, SeriesId, MetricName, "           \
    "any(MetricUnit), any(MetricDescription), " temporality ", " monotonic    \
    ", any(ScopeName), any(ScopeVersion), any(ScopeSchemaUrl), "              \
    "any(ScopeAttributes), any(ScopeTypes), any(ScopeDroppedAttrCount), "     \
    "any(Attributes), any(AttributeTypes), any(DroppedAttributes)"

#define METRIC_HEAD(table, temporality, monotonic)                            \
    "SELECT toUInt8(" table "), toUInt64(0), toUInt64(0), MetricName, "       \
    "MetricUnit, MetricDescription, " temporality ", " monotonic              \
    ", '', '', '', " MAP0 ", '', toUInt32(0), " MAP0 ", '', toUInt32(0)"

#define ANY_TEMPORALITY "any(AggregationTemporality)"
#define ANY_MONOTONIC   "any(IsMonotonic)"
#define NO_TEMPORALITY  "toInt32(0)"
#define NO_MONOTONIC    "false"

#define MAP0     "CAST(map(), 'Map(LowCardinality(String), String)')"
#define TIMES0   "CAST([], 'Array(DateTime64(9))')"
#define U8S0     "emptyArrayUInt8()"
#define U32S0    "emptyArrayUInt32()"
#define U64S0    "emptyArrayUInt64()"
#define I32S0    "emptyArrayInt32()"
#define F64S0    "emptyArrayFloat64()"
#define NESTED0(type) "CAST([], 'Array(Array(" type "))')"

#define TIMES   ", groupArray(TimeUnix), groupArray(StartTimeUnix), "         \
                "groupArray(Flags), groupArray(Corrected)"
#define LAST    ", [max(TimeUnix)], " TIMES0 ", " U32S0 ", " U8S0
#define NUMBERS ", groupArray(if(IsInt, reinterpretAsUInt64(IntValue), "      \
                "reinterpretAsUInt64(Value))), groupArray(toUInt8(IsInt))"
#define NUMBERS0 ", " U64S0 ", " U8S0
#define COUNTS   ", groupArray(Count)"
#define COUNTS0  ", " U64S0

#define PRESENT  ", groupArray(Sum), groupArray(Min), groupArray(Max), "      \
                 "groupArray(Present)"
#define PRESENT_OF_SUMMARY ", groupArray(Sum), " F64S0 ", " F64S0             \
                 ", groupArray(Present)"
#define PRESENT0 ", " F64S0 ", " F64S0 ", " F64S0 ", " U8S0
#define SCALES   ", groupArray(Scale), groupArray(ZeroCount), "               \
                 "groupArray(ZeroThreshold), groupArray(PositiveOffset), "    \
                 "groupArray(PositiveBucketCounts), "                         \
                 "groupArray(NegativeOffset), groupArray(NegativeBucketCounts)"
#define SCALES0(buckets) ", " I32S0 ", " U64S0 ", " F64S0 ", " I32S0 ", "     \
                 buckets ", " I32S0 ", " NESTED0("UInt64")
#define BOUNDS0  ", " NESTED0("Float64")
#define PAIRS0   ", CAST([], 'Array(Map(Int32, UInt64))')"
#define EXEMPLARS                                                             \
    ", groupArray(Exemplars.TimeUnix), groupArray(Exemplars.Value), "         \
    "groupArray(Exemplars.SpanId), groupArray(Exemplars.TraceId), "           \
    "groupArray(Exemplars.FilteredAttributes), groupArray(ExemplarTypes), "   \
    "groupArray(ExemplarDropped), " NESTED0("UInt8")
#define EXEMPLARS0                                                            \
    ", " NESTED0("DateTime64(9)") ", " NESTED0("Float64") ", "                \
    NESTED0("String") ", " NESTED0("String") ", "                             \
    NESTED0("Map(LowCardinality(String), String)") ", "                       \
    NESTED0("LowCardinality(String)") ", " NESTED0("UInt32") ", "             \
    NESTED0("UInt8")

/* What follows the counts, of a table that has none of it. */
#define REST0 PRESENT0 SCALES0(NESTED0("UInt64")) BOUNDS0 BOUNDS0 PAIRS0      \
              EXEMPLARS0

#define DERIVED_HEAD                                                          \
    "SELECT toUInt8(5), ResourceId, SeriesId, Metric, '', '', toInt32(1), "   \
    "true, '', '', '', " MAP0 ", '', toUInt32(0), any(Attributes), "          \
    "any(AttributeTypes), toUInt32(0)"
#define DERIVED_METRIC                                                        \
    "SELECT toUInt8(5), toUInt64(0), toUInt64(0), Metric, '', '', "           \
    "toInt32(1), true, '', '', '', " MAP0 ", '', toUInt32(0), " MAP0          \
    ", '', toUInt32(0)"
#define DERIVED_TIMES ", groupArray(toDateTime64(Time, 9)), " TIMES0 ", "     \
                      U32S0 ", " U8S0
#define DERIVED_LAST  ", [max(toDateTime64(Time, 9))], " TIMES0 ", " U32S0    \
                      ", " U8S0
#define DERIVED_NUMBERS ", groupArray(reinterpretAsUInt64(Value)), " U8S0
#define DERIVED_REST                                                          \
    ", groupArray(Sum), groupArray(Min), groupArray(Max), " U8S0              \
    ", groupArray(toInt32(Scale)), groupArray(ZeroCount), " F64S0 ", " I32S0  \
    ", " NESTED0("UInt64") ", " I32S0 ", " NESTED0("UInt64") BOUNDS0 BOUNDS0  \
    ", groupArray(Buckets), groupArray(Exemplars.1), "                        \
    "groupArray(Exemplars.4), groupArray(Exemplars.3), "                      \
    "groupArray(Exemplars.2), "                                               \
    NESTED0("Map(LowCardinality(String), String)") ", "                       \
    NESTED0("LowCardinality(String)") ", " NESTED0("UInt32")                  \
    ", groupArray(Exemplars.5)"
/* clang-format on */

static void gauge_columns(struct ch_sql *sql, enum ch_series_what what)
{
    if (what == CH_SERIES_METRICS)
        CH_SQL(sql, METRIC_HEAD("0", NO_TEMPORALITY, NO_MONOTONIC));
    else
        CH_SQL(sql, SERIES_HEAD("0", NO_TEMPORALITY, NO_MONOTONIC));
    if (what >= CH_SERIES_HEADS)
        return;
    CH_SQL(sql, TIMES NUMBERS COUNTS0);
    if (what == CH_SERIES_POINTS)
        CH_SQL(sql, PRESENT0 SCALES0(NESTED0("UInt64"))
                        BOUNDS0 BOUNDS0 PAIRS0 EXEMPLARS);
}

static void sum_columns(struct ch_sql *sql, enum ch_series_what what)
{
    if (what == CH_SERIES_METRICS)
        CH_SQL(sql, METRIC_HEAD("1", "AggregationTemporality", "IsMonotonic"));
    else
        CH_SQL(sql, SERIES_HEAD("1", ANY_TEMPORALITY, ANY_MONOTONIC));
    if (what >= CH_SERIES_HEADS)
        return;
    CH_SQL(sql, TIMES NUMBERS COUNTS0);
    if (what == CH_SERIES_POINTS)
        CH_SQL(sql, PRESENT0 SCALES0(NESTED0("UInt64"))
                        BOUNDS0 BOUNDS0 PAIRS0 EXEMPLARS);
}

static void histogram_columns(struct ch_sql *sql, enum ch_series_what what)
{
    if (what == CH_SERIES_METRICS)
        CH_SQL(sql, METRIC_HEAD("2", "AggregationTemporality", NO_MONOTONIC));
    else
        CH_SQL(sql, SERIES_HEAD("2", ANY_TEMPORALITY, NO_MONOTONIC));
    if (what == CH_SERIES_METRICS)
        return;
    CH_SQL(sql, TIMES NUMBERS0 COUNTS);
    if (what != CH_SERIES_COUNTS)
        CH_SQL(
            sql,
            PRESENT SCALES0(
                "groupArray(BucketCounts)") ", "
                                            "groupArray(ExplicitBounds)" BOUNDS0
                                                PAIRS0 EXEMPLARS);
}

static void exp_columns(struct ch_sql *sql, enum ch_series_what what)
{
    if (what == CH_SERIES_METRICS)
        CH_SQL(sql, METRIC_HEAD("3", "AggregationTemporality", NO_MONOTONIC));
    else
        CH_SQL(sql, SERIES_HEAD("3", ANY_TEMPORALITY, NO_MONOTONIC));
    if (what >= CH_SERIES_HEADS)
        return;
    CH_SQL(sql, TIMES NUMBERS0 COUNTS);
    if (what == CH_SERIES_POINTS)
        CH_SQL(sql, PRESENT SCALES BOUNDS0 BOUNDS0 PAIRS0 EXEMPLARS);
}

static void summary_columns(struct ch_sql *sql, enum ch_series_what what)
{
    if (what == CH_SERIES_METRICS)
        CH_SQL(sql, METRIC_HEAD("4", NO_TEMPORALITY, NO_MONOTONIC));
    else
        CH_SQL(sql, SERIES_HEAD("4", NO_TEMPORALITY, NO_MONOTONIC));
    if (what == CH_SERIES_METRICS)
        return;
    CH_SQL(sql, TIMES NUMBERS0 COUNTS);
    if (what != CH_SERIES_COUNTS)
        CH_SQL(sql, PRESENT_OF_SUMMARY SCALES0(NESTED0(
                        "UInt64")) ", groupArray(ValueAtQuantiles.Quantile), "
                                   "groupArray(ValueAtQuantiles.Value)" PAIRS0
                                       EXEMPLARS0);
}

static void derived_columns(struct ch_sql *sql, enum ch_series_what what)
{
    if (what == CH_SERIES_METRICS)
        CH_SQL(sql, DERIVED_METRIC);
    else
        CH_SQL(sql, DERIVED_HEAD);
    if (what >= CH_SERIES_HEADS)
        return;
    CH_SQL(sql, DERIVED_TIMES DERIVED_NUMBERS COUNTS);
    if (what == CH_SERIES_POINTS)
        CH_SQL(sql, DERIVED_REST);
}

/* Are heads of it whole points (store_query.h)? */
static bool has_whole_heads(enum ch_series_table table)
{
    return table == CH_SERIES_HISTOGRAM || table == CH_SERIES_SUMMARY;
}

/* What heads and metrics do not have is filled up, so that all rows of a
 * request are alike. */
static void fill_up(struct ch_sql *sql, enum ch_series_table table,
                    enum ch_series_what what)
{
    if (what == CH_SERIES_METRICS)
        CH_SQL(sql, ", " TIMES0 ", " TIMES0 ", " U32S0
                    ", " U8S0 NUMBERS0 COUNTS0 REST0);
    else if (what == CH_SERIES_HEADS && table == CH_SERIES_DERIVED)
        CH_SQL(sql, DERIVED_LAST NUMBERS0 COUNTS0 REST0);
    else if (what == CH_SERIES_HEADS && !has_whole_heads(table))
        CH_SQL(sql, LAST NUMBERS0 COUNTS0 REST0);
}

static void columns(struct ch_sql *sql, enum ch_series_table table,
                    enum ch_series_what what)
{
    static void (*const write[CH_SERIES_TABLES])(struct ch_sql *,
                                                 enum ch_series_what) = {
        gauge_columns, sum_columns,     histogram_columns,
        exp_columns,   summary_columns, derived_columns};

    write[table](sql, what);
    fill_up(sql, table, what);
}

static void from(struct ch_sql *sql, enum ch_series_table table)
{
    switch (table) {
    case CH_SERIES_GAUGE:
        CH_SQL(sql, " FROM otel_metrics_gauge");
        break;
    case CH_SERIES_SUM:
        CH_SQL(sql, " FROM otel_metrics_sum");
        break;
    case CH_SERIES_HISTOGRAM:
        CH_SQL(sql, " FROM otel_metrics_histogram");
        break;
    case CH_SERIES_EXP:
        CH_SQL(sql, " FROM otel_metrics_exponential_histogram");
        break;
    case CH_SERIES_SUMMARY:
        CH_SQL(sql, " FROM otel_metrics_summary");
        break;
    default:
        CH_SQL(sql, " FROM callboard_series");
    }
}

/* ---- conditions ---- */

bool ch_series_reads_sent(const struct series_query *query)
{
    uint32_t derived = 0;

    for (uint32_t i = 0; i < query->name_count; i++)
        derived += slice_starts(query->names[i], SLICE("callboard."));
    return derived == 0 || derived < query->name_count;
}

bool ch_series_reads_derived(const struct series_query *query)
{
    bool derived = query->name_count == 0;

    for (uint32_t i = 0; i < query->name_count; i++)
        derived |= slice_starts(query->names[i], SLICE("callboard."));
    return derived && !query->sent;
}

static void times(struct ch_sql *sql, const struct series_query *q,
                  bool derived)
{
    if (derived)
        CH_SQL_WITH(sql, " WHERE Time > ? AND Time <= ?",
                    CH_SECOND(q->start_ns), CH_SECOND(q->end_ns));
    else
        CH_SQL_WITH(sql, " WHERE TimeUnix > ? AND TimeUnix <= ?",
                    CH_NS(q->start_ns), CH_NS(q->end_ns));
}

static void names(struct ch_sql *sql, const struct ch_series_scope *scope)
{
    const struct slice *at = scope->names ? scope->names : scope->query->names;
    uint32_t count =
        scope->names ? scope->name_count : scope->query->name_count;

    if (count == 0)
        return;
    if (scope->derived)
        CH_SQL_WITH(sql, " AND Metric IN ?", CH_STRS(at, count));
    else
        CH_SQL_WITH(sql, " AND MetricName IN ?", CH_STRS(at, count));
}

static void group_metrics(struct ch_sql *sql, enum ch_series_table table)
{
    if (table == CH_SERIES_DERIVED)
        CH_SQL(sql, " GROUP BY Metric");
    else
        CH_SQL(sql, " GROUP BY MetricName, MetricUnit, MetricDescription");
    if (table == CH_SERIES_SUM)
        CH_SQL(sql, ", AggregationTemporality, IsMonotonic");
    else if (table == CH_SERIES_HISTOGRAM || table == CH_SERIES_EXP)
        CH_SQL(sql, ", AggregationTemporality");
}

/* Pieces of a day, of histograms of an hour: a row must not become large. Those
 * of derived points are minutes. */
static void group_series(struct ch_sql *sql, enum ch_series_table table,
                         enum ch_series_what what)
{
    if (table == CH_SERIES_DERIVED)
        CH_SQL(sql, " GROUP BY Metric, ResourceId, SeriesId");
    else
        CH_SQL(sql, " GROUP BY MetricName, ResourceId, SeriesId");
    if (what == CH_SERIES_HEADS && !has_whole_heads(table))
        return;
    if (table == CH_SERIES_DERIVED)
        CH_SQL(sql, ", intDiv(toUnixTimestamp(Time), 21600)");
    else if (table >= CH_SERIES_HISTOGRAM)
        CH_SQL(sql, ", intDiv(toUnixTimestamp64Second(TimeUnix), 3600)");
    else
        CH_SQL(sql, ", intDiv(toUnixTimestamp64Second(TimeUnix), 86400)");
}

/* What all tables of a request have in their WHERE. */
static enum status conditions(struct ch_reader *reader, struct ch_sql *sql,
                              const struct ch_series_scope *scope,
                              struct arena *work, bool *none)
{
    times(sql, scope->query, scope->derived);
    names(sql, scope);
    if (scope->series)
        CH_SQL_WITH(sql, " AND SeriesId IN ?",
                    CH_U64S(scope->series, scope->series_count));
    return ch_selection_add(reader, sql, scope->resources, scope->derived, work,
                            none);
}

enum status ch_series_sql(struct ch_reader *reader, struct ch_sql *sql,
                          const struct ch_series_scope *scope,
                          enum ch_series_what what, struct arena *work,
                          bool *none)
{
    int first = scope->derived ? CH_SERIES_DERIVED : CH_SERIES_GAUGE;
    int last = scope->derived ? CH_SERIES_DERIVED : CH_SERIES_SUMMARY;
    struct ch_sql where;
    enum status status;

    ch_sql_init(&where);
    status = conditions(reader, &where, scope, work, none);
    for (int table = first; table <= last && status == OK && !*none; table++) {
        if (table > first)
            CH_SQL(sql, " UNION ALL ");
        columns(sql, (enum ch_series_table)table, what);
        from(sql, (enum ch_series_table)table);
        CH_SQL_WITH(sql, "?", CH_PART(&where));
        if (what == CH_SERIES_METRICS)
            group_metrics(sql, (enum ch_series_table)table);
        else
            group_series(sql, (enum ch_series_table)table, what);
    }
    ch_sql_release(&where);
    return status == OK ? ch_sql_status(sql) : status;
}

enum status ch_series_resources_sql(struct ch_reader *reader,
                                    struct ch_sql *sql,
                                    const struct ch_series_scope *scope,
                                    struct arena *work, bool *none)
{
    int first = scope->derived ? CH_SERIES_DERIVED : CH_SERIES_GAUGE;
    int last = scope->derived ? CH_SERIES_DERIVED : CH_SERIES_SUMMARY;
    struct ch_sql where;
    enum status status;

    ch_sql_init(&where);
    status = conditions(reader, &where, scope, work, none);
    for (int table = first; table <= last && status == OK && !*none; table++) {
        CH_SQL(sql, "SELECT ResourceId, count()");
        from(sql, (enum ch_series_table)table);
        CH_SQL_WITH(sql, "? GROUP BY ResourceId UNION ALL ", CH_PART(&where));
    }
    CH_SQL(sql, "SELECT 0, 0 WHERE 0");
    ch_sql_release(&where);
    return status == OK ? ch_sql_status(sql) : status;
}
