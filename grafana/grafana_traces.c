/*
 * Traces as a table and as a scatter plot: the list of the query API.
 */
#include <stdio.h>

#include "clock.h"
#include "grafana_columns.h"
#include "grafana_handlers.h"
#include "grafana_records.h"
#include "hex.h"
#include "span_reply.h"

enum { TRACES = 50, TRACES_MAX = 1000, SCATTER = 500 };

struct trace_rows {
    struct trace_query query;
    struct count_limit counting;
    struct trace_summary *at;
    uint32_t count, limit;
    uint64_t total;
};

/* "250ms", or a number of milliseconds. */
static enum status read_duration(struct grafana_query *q, const char *name,
                                 uint64_t *ns)
{
    struct slice text = payload_text(q, name);
    uint32_t ms;

    *ns = 0;
    if (text.len == 0 || clock_parse_duration(text, ns))
        return OK;
    ms = payload_number(q, name, 0, UINT32_MAX);
    *ns = ms * NS_PER_MS;
    if (ms == 0)
        return query_refuse(q, "%s must be a duration such as 250ms or 1.5s",
                            name);
    return OK;
}

/* A filter of one value, which the store tests. */
static bool is_one(const struct grafana_filter *f)
{
    return f->op == FILTER_IS && f->count == 1;
}

static bool is_span_text(const struct grafana_filter *f)
{
    return slice_equal(f->key, SLICE("operation")) ||
           slice_equal(f->key, SLICE("endpoint"));
}

static struct slice only_value(const struct grafana_query *q, const char *key)
{
    for (const struct grafana_filter *f = q->filters; f; f = f->next)
        if (is_one(f) && slice_equal(f->key, slice_of(key)))
            return f->values[0];
    return (struct slice){NULL, 0};
}

static enum status read_filters(struct grafana_query *q,
                                struct trace_rows *rows)
{
    struct trace_query *query = &rows->query;
    enum status s = read_duration(q, "min_duration", &query->min_duration_ns);

    if (s == OK)
        s = read_duration(q, "max_duration", &query->max_duration_ns);
    query->errors_only = slice_equal(payload_text(q, "status"), SLICE("error"));
    query->operation = only_value(q, "operation");
    query->endpoint = only_value(q, "endpoint");
    query->attrs = filter_matches(q, &query->attr_count);
    return s;
}

/* Filters that a list of traces is not tested by. */
static void note_filters(const struct grafana_query *q,
                         struct grafana_frame *frame)
{
    for (const struct grafana_filter *f = q->filters; f; f = f->next)
        if (!filter_is_done(f) && !(is_span_text(f) && is_one(f)))
            frame_notice(frame, NOTICE_WARNING,
                         "traces are filtered by one value (=) of a name "
                         "only: the filter on %.*s is not applied",
                         (int)min_u64(f->key.len, 100), f->key.ptr);
}

static enum status read_query(struct grafana_query *q, struct trace_rows *rows,
                              uint32_t standard)
{
    struct trace_query *query = &rows->query;
    enum status s;

    *rows = (struct trace_rows){
        .limit = payload_number(q, "limit", standard, TRACES_MAX)};
    s = read_filters(q, rows);
    if (s == OK)
        s = params_visible(q->request, &query->visible);
    query->resources = q->sent;
    query->start_ns = q->start_ns;
    query->end_ns = q->end_ns;
    query->limit = rows->limit;
    return s;
}

/* The newest ones, and whether there are more. */
static enum status read_traces(struct grafana_query *q, struct trace_rows *rows)
{
    struct trace_query *query = &rows->query;
    struct query_request *request = q->request;
    enum status s = read_query(q, rows, TRACES);

    if (s != OK)
        return s;
    rows->counting = (struct count_limit){.most = rows->limit + 1};
    query->counting = &rows->counting;
    query->limit = rows->limit + 1;
    s = reader_query_traces(request->reader, query, request->arena, &rows->at,
                            &rows->count, &rows->total);
    return s == OK ? OK : query_fail_read(request, s);
}

static uint32_t shown(const struct trace_rows *rows)
{
    return rows->count < rows->limit ? rows->count : rows->limit;
}

/* Which filters were not applied, and why there are none. */
static void note_rows(struct grafana_query *q, const struct trace_rows *rows,
                      uint32_t count, struct grafana_frame *frame)
{
    const struct trace_query *query = &rows->query;
    const char *what = query->errors_only || query->min_duration_ns > 0 ||
                               query->max_duration_ns > 0
                           ? "traces that match status and duration"
                           : "traces";

    note_filters(q, frame);
    if (count == 0)
        query_empty(q, frame, what, SIGNAL_SPANS);
}

static void note_limit(struct grafana_query *q, const struct trace_rows *rows,
                       struct grafana_frame *frame)
{
    note_rows(q, rows, rows->count, frame);
    if (rows->count > rows->limit)
        frame_notice(frame, NOTICE_INFO,
                     "the last %u traces; raise limit or narrow the time range "
                     "to see more",
                     rows->limit);
}

/* ---- traces ---- */

enum {
    TRACE_ID,
    TRACE_START,
    TRACE_COMPONENT,
    TRACE_ROOT,
    TRACE_DURATION,
    TRACE_SPANS,
    TRACE_ERRORS,
    TRACE_KIND,
    TRACE_PROJECT,
    TRACE_COLUMNS
};
static const struct column trace_columns[TRACE_COLUMNS] = {
    {"traceID", FIELD_STRING, NULL, "Trace", NULL, NULL},
    {"startTime", FIELD_TIME, NULL, "Start", NULL, NULL},
    {"component", FIELD_STRING, NULL, "Root component", NULL, NULL},
    {"operation", FIELD_STRING, NULL, "Root operation", NULL, NULL},
    {"duration", FIELD_NUMBER, "ns", "Duration", NULL, NULL},
    {"spans", FIELD_NUMBER, "short", "Spans", NULL, NULL},
    {"failed", FIELD_BOOL, NULL, "Failed", NULL,
     "A span of the selected components failed"},
    {"kind", FIELD_STRING, NULL, "Kind", NULL, NULL},
    {"project", FIELD_STRING, NULL, "Project", NULL, NULL},
};

static void add_trace(struct grafana_query *q, struct grafana_field **f,
                      const struct trace_summary *trace)
{
    const struct identity *root =
        reply_resource_identity(q->request, trace->root_resource_id);

    field_text(f[TRACE_ID], hex_text(q->request->arena, trace->trace_id,
                                     sizeof(trace->trace_id)));
    field_time(f[TRACE_START], trace->start_ns);
    field_text(f[TRACE_ROOT], trace->root_name);
    field_number(f[TRACE_DURATION], (double)(trace->end_ns - trace->start_ns));
    field_number(f[TRACE_SPANS], trace->span_count);
    field_bool(f[TRACE_ERRORS], trace->has_errors);
    field_text(f[TRACE_KIND], slice_of(span_kind_name(trace->root_kind)));
    if (!root)
        return;
    field_text(f[TRACE_COMPONENT], root->component);
    field_text(f[TRACE_PROJECT], root->project);
}

enum status grafana_traces(struct grafana_query *q)
{
    struct grafana_field *f[TRACE_COLUMNS];
    struct grafana_frame *frame;
    struct trace_rows rows;
    enum status s = read_traces(q, &rows);

    if (s != OK)
        return s;
    frame = FRAME_COLUMNS(q, "traces", trace_columns, f);
    if (frame)
        frame->visual = "table";
    link_row_trace(f[TRACE_ID]);
    for (uint32_t i = 0; i < shown(&rows); i++) {
        frame_row(frame);
        add_trace(q, f, &rows.at[i]);
    }
    note_limit(q, &rows, frame);
    return OK;
}

/* ---- trace_scatter: what succeeded and what failed, in two fields, all over
 * the time ---- */

enum {
    POINT_TIME,
    POINT_GOOD,
    POINT_FAILED,
    POINT_TRACE,
    POINT_ROOT,
    POINT_COLUMNS
};
static const struct column point_columns[POINT_COLUMNS] = {
    {"time", FIELD_TIME, NULL, NULL, NULL, NULL},
    {"duration", FIELD_NUMBER, "ns", "Without errors", "green", NULL},
    {"durationFailed", FIELD_NUMBER, "ns", "With errors", "red", NULL},
    {"traceID", FIELD_STRING, NULL, "Trace", NULL, NULL},
    {"operation", FIELD_STRING, NULL, "Root operation", NULL, NULL},
};

static void add_point(struct grafana_query *q, struct grafana_field **f,
                      const struct trace_summary *trace)
{
    field_time(f[POINT_TIME], trace->start_ns);
    field_number(f[trace->has_errors ? POINT_FAILED : POINT_GOOD],
                 (double)(trace->end_ns - trace->start_ns));
    field_text(f[POINT_TRACE], hex_text(q->request->arena, trace->trace_id,
                                        sizeof(trace->trace_id)));
    field_text(f[POINT_ROOT], trace->root_name);
}

static void note_spread(const struct spread_traces *spread,
                        struct grafana_frame *frame)
{
    if (spread->more)
        frame_notice(frame, NOTICE_INFO,
                     "%u traces from all over the time range: in each part of "
                     "it the slowest, failed ones and some of the others%s; "
                     "raise limit or narrow the time range to see more",
                     spread->count,
                     spread->partial ? ", of a part of the data" : "");
}

enum status grafana_trace_scatter(struct grafana_query *q)
{
    static const struct slice points = SLICE_INIT(
        "{\"drawStyle\":\"points\",\"pointSize\":6,\"showPoints\":\"always\"}");
    struct grafana_field *f[POINT_COLUMNS];
    struct grafana_frame *frame;
    struct spread_traces spread;
    struct trace_rows rows;
    enum status s = read_query(q, &rows, SCATTER);

    if (s != OK)
        return s;
    s = reader_spread_traces(q->request->reader, &rows.query, q->request->arena,
                             &spread);
    if (s != OK)
        return query_fail_read(q->request, s);
    frame = FRAME_COLUMNS(q, "traces", point_columns, f);
    if (!frame || !f[POINT_ROOT])
        return OK; /* the arena is full */
    f[POINT_GOOD]->custom = f[POINT_FAILED]->custom = points;
    link_row_trace(f[POINT_TRACE]);
    for (uint32_t i = spread.count; i-- > 0;) { /* oldest first, as graphs */
        frame_row(frame);
        add_point(q, f, &spread.traces[i]);
    }
    note_rows(q, &rows, spread.count, frame);
    note_spread(&spread, frame);
    return OK;
}
