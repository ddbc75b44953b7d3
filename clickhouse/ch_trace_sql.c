/*
 * The text of queries for traces. Conditions are on spans, but for those after
 * HAVING, which are on whole traces.
 */
#include "ch_trace_search.h"

#include "ch_span_rows.h"

#define END_NS "toUInt64(toUnixTimestamp64Nano(Timestamp)) + Duration"
#define FAILED "(Failed OR StatusCode = 'Error')"
#define LENGTH_NS \
    "max(" END_NS ") - toUInt64(toUnixTimestamp64Nano(min(Timestamp)))"

bool ch_trace_about_whole(const struct trace_query *q)
{
    return q->errors_only || q->min_duration_ns || q->max_duration_ns;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

/* ---- conditions ---- */

static void add_times(struct ch_sql *sql, uint64_t low_ns, uint64_t high_ns)
{
    CH_SQL_WITH(sql, " AND Timestamp >= ?", CH_NS(low_ns));
    if (high_ns < UINT64_MAX)
        CH_SQL_WITH(sql, " AND Timestamp < ?", CH_NS(high_ns));
}

/* Spans for which the search is: those that match, or failed ones. */
static void add_candidates(const struct ch_trace_search *s, struct ch_sql *sql)
{
    CH_SQL_WITH(sql, "?", CH_PART(&s->scope));
    if (s->query->errors_only)
        CH_SQL(sql, " AND " FAILED);
    else
        CH_SQL_WITH(sql, "?", CH_PART(&s->spans));
}

/* Where the time begins in which candidates are searched. */
static uint64_t first_ns(const struct trace_query *q)
{
    return q->errors_only ? minus(q->start_ns, CH_TRACE_LONG_NS) : q->start_ns;
}

static uint64_t end_ns(const struct trace_query *q)
{
    return q->errors_only ? plus(q->end_ns, CH_TRACE_LONG_NS) : q->end_ns;
}

static void add_slice(const struct ch_trace_search *s, struct ch_sql *sql,
                      const struct ch_trace_slice *slice)
{
    add_times(sql, slice->low_ns, slice->high_ns);
    if (slice->kind == CH_SLICE_BEFORE || slice->kind == CH_SLICE_LONG)
        CH_SQL_WITH(sql, " AND " END_NS " >= ?", CH_UINT(first_ns(s->query)));
    if (slice->kind == CH_SLICE_LONG)
        CH_SQL_WITH(sql, " AND Duration >= ?", CH_UINT(CH_TRACE_LONG_NS));
    add_candidates(s, sql);
    if (slice->kind == CH_SLICE_ACROSS) {
        CH_SQL(sql, " AND TraceId IN (SELECT TraceId FROM otel_traces WHERE 1");
        add_times(sql, minus(slice->low_ns, CH_TRACE_NEAR_NS), slice->low_ns);
        CH_SQL_WITH(sql, "?)", CH_PART(&s->visible));
    }
}

/* How far around candidates the spans of a trace lie that decide whether it
 * takes long enough. */
static uint64_t reach_ns(const struct trace_query *q)
{
    return plus(q->min_duration_ns, CH_TRACE_NEAR_NS);
}

static void add_durations(const struct trace_query *q, struct ch_sql *sql)
{
    if (q->min_duration_ns)
        CH_SQL_WITH(sql, " AND " LENGTH_NS " >= ?",
                    CH_UINT(q->min_duration_ns));
    if (q->max_duration_ns)
        CH_SQL_WITH(sql, " AND " LENGTH_NS " <= ?",
                    CH_UINT(q->max_duration_ns));
}

/* ---- candidates ---- */

static void add_order(const struct trace_query *q, struct ch_sql *sql,
                      uint64_t limit)
{
    if (q->ascending)
        CH_SQL(sql, " ORDER BY 2");
    else
        CH_SQL(sql, " ORDER BY 2 DESC");
    CH_SQL_WITH(sql, " LIMIT ?", CH_UINT(limit));
}

/* Without a look at their traces. */
static void plain_candidates(const struct ch_trace_search *s,
                             struct ch_sql *sql,
                             const struct ch_trace_slice *slice)
{
    if (s->query->ascending)
        CH_SQL(sql, "SELECT TraceId, min(Timestamp)");
    else
        CH_SQL(sql, "SELECT TraceId, max(Timestamp)");
    CH_SQL(sql, " FROM otel_traces WHERE 1");
    add_slice(s, sql, slice);
    CH_SQL(sql, " GROUP BY TraceId");
}

/* Those whose traces take as long as is asked for. */
static void measured_candidates(const struct ch_trace_search *s,
                                struct ch_sql *sql,
                                const struct ch_trace_slice *slice)
{
    struct ch_sql in_slice;

    ch_sql_init(&in_slice);
    add_slice(s, &in_slice, slice);
    if (s->query->ascending)
        CH_SQL_WITH(sql, "SELECT TraceId, minIf(Timestamp, 1?)",
                    CH_PART(&in_slice));
    else
        CH_SQL_WITH(sql, "SELECT TraceId, maxIf(Timestamp, 1?)",
                    CH_PART(&in_slice));
    CH_SQL(sql, " FROM otel_traces WHERE 1");
    add_times(sql, minus(slice->low_ns, reach_ns(s->query)),
              plus(slice->high_ns, reach_ns(s->query)));
    CH_SQL_WITH(sql,
                "? AND TraceId IN (SELECT TraceId FROM otel_traces WHERE 1?)"
                " GROUP BY TraceId HAVING 1",
                CH_PART(&s->visible), CH_PART(&in_slice));
    add_durations(s->query, sql);
    ch_sql_release(&in_slice);
}

void ch_trace_candidates_sql(const struct ch_trace_search *s,
                             struct ch_sql *sql,
                             const struct ch_trace_slice *slice, uint64_t limit)
{
    if (s->query->min_duration_ns || s->query->max_duration_ns)
        measured_candidates(s, sql, slice);
    else
        plain_candidates(s, sql, slice);
    add_order(s->query, sql, limit);
}

/* ---- whole traces ---- */

/* By the times of their first and last spans, so that days are left out. */
static void add_ids(struct ch_sql *sql, uint8_t (*ids)[16], uint32_t count)
{
    struct ch_term list = CH_HEXES(ids, 16, count);

    CH_SQL_WITH(sql,
                " WHERE TraceId IN ? AND Timestamp >= (SELECT min(Start) FROM "
                "otel_traces_trace_id_ts WHERE TraceId IN ?) AND Timestamp < "
                "toDateTime64((SELECT max(End) FROM otel_traces_trace_id_ts "
                "WHERE TraceId "
                "IN ?), 9) + toIntervalSecond(1)",
                list, list, list);
}

/* A span that matches, or may. */
static void add_match(const struct ch_trace_search *s, struct ch_sql *sql)
{
    const struct trace_query *q = s->query;

    CH_SQL_WITH(sql, "1?? AND " END_NS " >= ?", CH_PART(&s->scope),
                CH_PART(&s->spans), CH_UINT(q->start_ns));
    if (q->end_ns < UINT64_MAX)
        CH_SQL_WITH(sql, " AND Timestamp < ?", CH_NS(q->end_ns));
}

void ch_trace_complete_sql(const struct ch_trace_search *s, struct ch_sql *sql,
                           uint8_t (*ids)[16], uint32_t count)
{
    struct ch_sql match;

    ch_sql_init(&match);
    add_match(s, &match);
    CH_SQL_WITH(sql,
                "SELECT TraceId, min(Timestamp), max(" END_NS "), count(), "
                "countIf(" FAILED "?), countIf(?), countIf(? AND ?), ",
                CH_PART(&s->scope), CH_PART(&match), CH_PART(&match),
                CH_PART(&s->certain));
    CH_SQL(sql, "argMin((SpanId, toString(SpanName), toUInt8(transform("
                "toString(SpanKind), ['Internal', 'Server', 'Client', "
                "'Producer', 'Consumer'], [1, 2, 3, 4, 5], 0)), ResourceId), "
                "(ParentSpanId NOT IN ('', '0000000000000000'), Timestamp, "
                "SpanId)) FROM otel_traces");
    add_ids(sql, ids, count);
    CH_SQL_WITH(sql, "? GROUP BY TraceId", CH_PART(&s->visible));
    ch_sql_release(&match);
}

void ch_trace_decode(struct ch_trace *row, struct byte_reader *in)
{
    struct trace_summary *t = &row->summary;

    (void)ch_read_id(in, row->id, sizeof(row->id));
    t->start_ns = ch_read_time64(in);
    t->end_ns = ch_read_u64(in);
    t->span_count = (uint32_t)ch_read_u64(in);
    t->has_errors = ch_read_u64(in) > 0;
    row->possible = ch_read_u64(in);
    row->certain = ch_read_u64(in);
    (void)ch_read_id(in, t->root_span_id, sizeof(t->root_span_id));
    t->root_name = ch_read_string(in);
    t->root_kind = ch_read_u8(in);
    row->root_key = ch_read_u64(in);
}

void ch_trace_uncertain_sql(const struct ch_trace_search *s, struct ch_sql *sql,
                            uint8_t (*ids)[16], uint32_t count)
{
    CH_SQL(sql, "SELECT ");
    ch_span_columns(sql, true);
    CH_SQL(sql, " FROM otel_traces");
    add_ids(sql, ids, count);
    CH_SQL(sql, " AND ");
    add_match(s, sql);
    CH_SQL_WITH(sql, "? AND NOT (?)", CH_PART(&s->visible),
                CH_PART(&s->certain));
}

/* ---- how many ---- */

/* Candidates of the whole time; those long before it are searched by their
 * duration. */
static void all_candidates(const struct ch_trace_search *s, struct ch_sql *sql)
{
    uint64_t first = first_ns(s->query), early = minus(first, CH_TRACE_LONG_NS);
    const struct ch_trace_slice near = {early, end_ns(s->query),
                                        CH_SLICE_BEFORE};
    const struct ch_trace_slice before = {0, early, CH_SLICE_LONG};

    CH_SQL(sql, "SELECT TraceId FROM otel_traces WHERE 1");
    add_slice(s, sql, &near);
    if (early == 0)
        return;
    CH_SQL(sql, " UNION ALL SELECT TraceId FROM otel_traces WHERE 1");
    add_slice(s, sql, &before);
}

static void add_position(struct ch_sql *sql, const struct list_position *place,
                         bool after)
{
    if (!place)
        return;
    if (place->key_len == 0 && after)
        CH_SQL_WITH(sql, " AND min(Timestamp) > ?", CH_NS(place->time_ns));
    else if (place->key_len == 0)
        CH_SQL_WITH(sql, " AND min(Timestamp) < ?", CH_NS(place->time_ns));
    else if (after)
        CH_SQL_WITH(sql, " AND (min(Timestamp), TraceId) > (?, ?)",
                    CH_NS(place->time_ns), CH_HEX(place->key, place->key_len));
    else
        CH_SQL_WITH(sql, " AND (min(Timestamp), TraceId) < (?, ?)",
                    CH_NS(place->time_ns), CH_HEX(place->key, place->key_len));
}

/* Those of the candidates that match as a whole. */
static void whole_total(const struct ch_trace_search *s, struct ch_sql *sql)
{
    const struct trace_query *q = s->query;
    uint64_t reach =
        reach_ns(q) > CH_TRACE_LONG_NS ? reach_ns(q) : CH_TRACE_LONG_NS;

    CH_SQL(sql, "SELECT TraceId FROM otel_traces WHERE 1");
    add_times(sql, minus(q->start_ns, reach), plus(q->end_ns, reach));
    CH_SQL_WITH(sql, "? AND TraceId IN (", CH_PART(&s->visible));
    all_candidates(s, sql);
    CH_SQL(sql, ") GROUP BY TraceId HAVING 1");
    add_durations(q, sql);
    add_position(sql, q->range.after, true);
    add_position(sql, q->range.before, false);
    if (!q->errors_only)
        return;
    CH_SQL(sql, " AND countIf(");
    add_match(s, sql);
    CH_SQL(sql, ") > 0");
}

void ch_trace_total_sql(const struct ch_trace_search *s, struct ch_sql *sql,
                        uint64_t most)
{
    const struct trace_query *q = s->query;

    CH_SQL(sql, "SELECT count() FROM (SELECT DISTINCT TraceId FROM (");
    if (ch_trace_about_whole(q) || q->range.after || q->range.before)
        whole_total(s, sql);
    else
        all_candidates(s, sql);
    CH_SQL(sql, ")");
    if (most > 0)
        CH_SQL_WITH(sql, " LIMIT ?", CH_UINT(most));
    CH_SQL(sql, ")");
}

/* ---- spread over the time ---- */

/* Candidates that reach into the time, but for those from long before it. */
static void add_near(const struct ch_trace_search *s, struct ch_sql *sql)
{
    const struct ch_trace_slice near = {
        minus(first_ns(s->query), CH_TRACE_LONG_NS), end_ns(s->query),
        CH_SLICE_BEFORE};

    add_slice(s, sql, &near);
}

void ch_trace_spans_sql(const struct ch_trace_search *s, struct ch_sql *sql)
{
    CH_SQL(sql, "SELECT count() FROM otel_traces WHERE 1");
    add_near(s, sql);
}

/* Of each trace its spans in scope; the slice by the first of them. */
static void outlines(const struct ch_trace_search *s, struct ch_sql *sql,
                     const struct ch_trace_spread *spread)
{
    const struct trace_query *q = s->query;
    double width = (double)(q->end_ns - q->start_ns) / spread->slices;

    CH_SQL_WITH(sql,
                "(SELECT toUInt32(least(floor(toFloat64(greatest(toUInt64("
                "toUnixTimestamp64Nano(min(Timestamp))), ?) - ?) / ?), ?)) AS "
                "slice, TraceId, min(Timestamp) AS begin, max(" END_NS
                ") AS end, cityHash64(TraceId) AS hash, "
                "max(" FAILED ") AS any_failed FROM otel_traces WHERE 1",
                CH_UINT(q->start_ns), CH_UINT(q->start_ns), CH_FLOAT(width),
                CH_UINT(spread->slices - 1));
    add_near(s, sql);
    if (spread->share < 1)
        CH_SQL_WITH(
            sql,
            " AND (toUInt64(toUnixTimestamp64Nano(Timestamp)) - ?) % ?"
            " < ?",
            CH_UINT(q->start_ns), CH_UINT(spread->piece_ns),
            CH_UINT((uint64_t)((double)spread->piece_ns * spread->share)));
    CH_SQL(sql, " GROUP BY TraceId");
    if (q->max_duration_ns)
        CH_SQL_WITH(sql,
                    " HAVING end - toUInt64(toUnixTimestamp64Nano(begin))"
                    " <= ?",
                    CH_UINT(q->max_duration_ns));
    CH_SQL(sql, ")");
}

#define BY_LENGTH \
    " ORDER BY slice, end - toUInt64(toUnixTimestamp64Nano(begin)) DESC, hash"

static void add_list(const struct ch_trace_search *s, struct ch_sql *sql,
                     const struct ch_trace_spread *spread, uint32_t list)
{
    CH_SQL_WITH(sql,
                "(SELECT toUInt8(?), slice, TraceId, begin, end, hash FROM ",
                CH_UINT(list));
    outlines(s, sql, spread);
    if (list == 1)
        CH_SQL(sql, " WHERE any_failed");
    if (list == 0 || spread->by_duration)
        CH_SQL(sql, BY_LENGTH);
    else
        CH_SQL(sql, " ORDER BY slice, hash");
    CH_SQL_WITH(sql, " LIMIT ? BY slice)",
                CH_UINT(list == 2 ? s->query->limit : spread->extremes));
}

void ch_trace_spread_sql(const struct ch_trace_search *s, struct ch_sql *sql,
                         const struct ch_trace_spread *spread)
{
    for (uint32_t list = 0; list < 3; list++) {
        if (list > 0)
            CH_SQL(sql, " UNION ALL ");
        add_list(s, sql, spread, list);
    }
}
