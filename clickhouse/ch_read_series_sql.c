/*
 * The text of queries for series, a request for each table; columns are those
 * of ch_read_series_row.c, in its order. Every expression takes ClickHouse some
 * time before it reads anything, so a table is asked for what it has only, and
 * what all rows of a series share is one tuple. Aggregates have no names of
 * their own: one that is called like a column would stand for it in WHERE.
 */
#include "ch_read_series.h"

/* ---- columns ---- */

/* clang-format off */
#define SHARED                                                                \
    "MetricUnit, MetricDescription, ScopeName, ScopeVersion, "                \
    "ScopeSchemaUrl, ScopeAttributes, ScopeTypes, ScopeDroppedAttrCount, "    \
    "Attributes, AttributeTypes, DroppedAttributes"

#define TIMES                                                                 \
    ", groupArray(TimeUnix), groupArray(StartTimeUnix), "                     \
    "groupArray(Flags), groupArray(Corrected)"
#define LAST ", [max(TimeUnix)]"
#define NUMBERS                                                               \
    ", groupArray(if(IsInt, reinterpretAsUInt64(IntValue), "                  \
    "reinterpretAsUInt64(Value))), groupArray(IsInt)"
#define COUNTS ", groupArray(Count)"
#define MOMENTS                                                               \
    ", groupArray(Sum), groupArray(Min), groupArray(Max), groupArray(Present)"
#define EXEMPLARS                                                             \
    ", groupArray(Exemplars.TimeUnix), groupArray(Exemplars.Value), "         \
    "groupArray(Exemplars.SpanId), groupArray(Exemplars.TraceId), "           \
    "groupArray(Exemplars.FilteredAttributes), groupArray(ExemplarTypes)"
/* clang-format on */

static void head(struct ch_sql *sql, enum ch_series_table table)
{
    if (table == CH_SERIES_DERIVED)
        CH_SQL(sql, "SELECT ResourceId, SeriesId, Metric, "
                    "any((Attributes, AttributeTypes))");
    else if (table == CH_SERIES_SUM)
        CH_SQL(sql, "SELECT ResourceId, SeriesId, MetricName, any((" SHARED
                    ", AggregationTemporality, IsMonotonic))");
    else if (table == CH_SERIES_HISTOGRAM || table == CH_SERIES_EXP)
        CH_SQL(sql, "SELECT ResourceId, SeriesId, MetricName, any((" SHARED
                    ", AggregationTemporality))");
    else
        CH_SQL(sql,
               "SELECT ResourceId, SeriesId, MetricName, any((" SHARED "))");
}

static void number_columns(struct ch_sql *sql, enum ch_series_what what)
{
    if (what == CH_SERIES_HEADS)
        CH_SQL(sql, LAST);
    else
        CH_SQL(sql, TIMES NUMBERS);
    if (what == CH_SERIES_POINTS)
        CH_SQL(sql, EXEMPLARS);
}

/* Heads of histograms and summaries are whole points (store_query.h). */
static void histogram_columns(struct ch_sql *sql, enum ch_series_what what)
{
    CH_SQL(sql, TIMES COUNTS);
    if (what != CH_SERIES_COUNTS)
        CH_SQL(sql, MOMENTS ", groupArray(BucketCounts), "
                            "groupArray(ExplicitBounds)");
    if (what == CH_SERIES_POINTS || what == CH_SERIES_HEADS)
        CH_SQL(sql, EXEMPLARS);
}

static void exp_columns(struct ch_sql *sql, enum ch_series_what what)
{
    if (what == CH_SERIES_HEADS)
        CH_SQL(sql, LAST);
    else
        CH_SQL(sql, TIMES COUNTS);
    if (what == CH_SERIES_POINTS || what == CH_SERIES_VALUES)
        CH_SQL(sql,
               MOMENTS ", groupArray(Scale), groupArray(ZeroCount), "
                       "groupArray(ZeroThreshold), groupArray(PositiveOffset), "
                       "groupArray(PositiveBucketCounts), "
                       "groupArray(NegativeOffset), "
                       "groupArray(NegativeBucketCounts)");
    if (what == CH_SERIES_POINTS)
        CH_SQL(sql, EXEMPLARS);
}

static void summary_columns(struct ch_sql *sql, enum ch_series_what what)
{
    CH_SQL(sql, TIMES COUNTS);
    if (what != CH_SERIES_COUNTS)
        CH_SQL(sql, ", groupArray(Sum), groupArray(Present), "
                    "groupArray(ValueAtQuantiles.Quantile), "
                    "groupArray(ValueAtQuantiles.Value)");
}

static void derived_columns(struct ch_sql *sql, enum ch_series_what what)
{
    if (what == CH_SERIES_HEADS)
        CH_SQL(sql, ", [max(Time)]");
    else
        CH_SQL(sql, ", groupArray(Time), groupArray(Value), groupArray(Count)");
    if (what == CH_SERIES_POINTS || what == CH_SERIES_VALUES)
        CH_SQL(sql, ", groupArray(Sum), groupArray(Min), groupArray(Max), "
                    "groupArray(toInt32(Scale)), groupArray(ZeroCount), "
                    "groupArray(Buckets)");
    if (what == CH_SERIES_POINTS)
        CH_SQL(sql, ", groupArray(Exemplars)");
}

static void columns(struct ch_sql *sql, enum ch_series_table table,
                    enum ch_series_what what)
{
    static void (*const write[CH_SERIES_TABLES])(struct ch_sql *,
                                                 enum ch_series_what) = {
        number_columns, number_columns,  histogram_columns,
        exp_columns,    summary_columns, derived_columns};

    head(sql, table);
    write[table](sql, what);
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

/* Pieces of a day, of histograms of an hour: a row must not become large. Those
 * of derived points are minutes. */
static void keys(struct ch_sql *sql, enum ch_series_table table,
                 enum ch_series_what what)
{
    bool whole_heads =
        table == CH_SERIES_HISTOGRAM || table == CH_SERIES_SUMMARY;

    if (table == CH_SERIES_DERIVED)
        CH_SQL(sql, "Metric, ResourceId, SeriesId");
    else
        CH_SQL(sql, "MetricName, ResourceId, SeriesId");
    if (what == CH_SERIES_HEADS && !whole_heads)
        return;
    if (table == CH_SERIES_DERIVED)
        CH_SQL(sql, ", intDiv(toUnixTimestamp(Time), 21600)");
    else if (table >= CH_SERIES_HISTOGRAM)
        CH_SQL(sql, ", intDiv(toUnixTimestamp64Second(TimeUnix), 3600)");
    else
        CH_SQL(sql, ", intDiv(toUnixTimestamp64Second(TimeUnix), 86400)");
}

/* In an order of their own, or sums of the same points would differ in the last
 * digit from one query to the next. */
static void group(struct ch_sql *sql, enum ch_series_table table,
                  enum ch_series_what what)
{
    CH_SQL(sql, " GROUP BY ");
    keys(sql, table, what);
    CH_SQL(sql, " ORDER BY ");
    keys(sql, table, what);
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

/* Those of which the primary key alone tells whether there are any. ClickHouse
 * takes longer to look at the other conditions than to read a table in vain. */
static enum status key_conditions(struct ch_reader *reader, struct ch_sql *sql,
                                  const struct ch_series_scope *scope,
                                  struct arena *work, bool *none)
{
    CH_SQL(sql, " WHERE 1");
    names(sql, scope);
    return ch_selection_add_names(reader, sql, scope->resources, scope->derived,
                                  work, none);
}

/* ---- requests ---- */

enum status ch_series_sql(struct ch_reader *reader, struct ch_sql *sql,
                          const struct ch_series_scope *scope,
                          enum ch_series_table table, enum ch_series_what what,
                          struct arena *work, bool *none)
{
    enum status status;

    columns(sql, table, what);
    from(sql, table);
    status = conditions(reader, sql, scope, work, none);
    group(sql, table, what);
    return status == OK ? ch_sql_status(sql) : status;
}

static void add_table(struct ch_sql *sql, const struct ch_sql *where,
                      enum ch_series_table table)
{
    CH_SQL_WITH(sql, "SELECT toUInt8(?)", CH_UINT(table));
    from(sql, table);
    CH_SQL_WITH(sql, "? LIMIT 1", CH_PART(where));
}

static void add_metrics(struct ch_sql *sql, const struct ch_sql *where,
                        enum ch_series_table table)
{
    CH_SQL_WITH(sql, "SELECT toUInt8(?), ", CH_UINT(table));
    if (table == CH_SERIES_DERIVED)
        CH_SQL(sql, "Metric, '', '', toInt32(1), true");
    else
        CH_SQL(sql, "MetricName, MetricUnit, MetricDescription, ");
    if (table == CH_SERIES_SUM)
        CH_SQL(sql, "AggregationTemporality, IsMonotonic");
    else if (table == CH_SERIES_HISTOGRAM || table == CH_SERIES_EXP)
        CH_SQL(sql, "AggregationTemporality, false");
    else if (table != CH_SERIES_DERIVED)
        CH_SQL(sql, "toInt32(0), false");
    from(sql, table);
    CH_SQL_WITH(sql, "? GROUP BY ALL", CH_PART(where));
}

static void add_resources(struct ch_sql *sql, const struct ch_sql *where,
                          enum ch_series_table table)
{
    CH_SQL(sql, "SELECT ResourceId, count()");
    from(sql, table);
    CH_SQL_WITH(sql, "? GROUP BY ResourceId", CH_PART(where));
}

enum status ch_series_list_sql(struct ch_reader *reader, struct ch_sql *sql,
                               const struct ch_series_scope *scope,
                               enum ch_series_listed listed, struct arena *work,
                               bool *none)
{
    static void (*const add[])(struct ch_sql *, const struct ch_sql *,
                               enum ch_series_table) = {
        [CH_SERIES_LIST_TABLES] = add_table,
        [CH_SERIES_LIST_METRICS] = add_metrics,
        [CH_SERIES_LIST_RESOURCES] = add_resources};
    int first = scope->derived ? CH_SERIES_DERIVED : CH_SERIES_GAUGE;
    int last = scope->derived ? CH_SERIES_DERIVED : CH_SERIES_SUMMARY;
    struct ch_sql where;
    enum status status;

    ch_sql_init(&where);
    status = (listed == CH_SERIES_LIST_TABLES ? key_conditions : conditions)(
        reader, &where, scope, work, none);
    for (int table = first; table <= last && status == OK && !*none; table++) {
        CH_SQL(sql, "(");
        add[listed](sql, &where, (enum ch_series_table)table);
        if (table < last)
            CH_SQL(sql, ") UNION ALL ");
        else
            CH_SQL(sql, ")");
    }
    ch_sql_release(&where);
    return status == OK ? ch_sql_status(sql) : status;
}
