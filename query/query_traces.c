/*
 * Traces: the list, the spans of one, one span.
 *
 *   POST /api/v1alpha1/traces/query
 *   POST /api/v1alpha1/traces/{traceId}/spans/query
 *   GET, POST /api/v1alpha1/traces/{traceId}/spans/{spanId}
 *
 * A trace is in a scope if any of its spans is; then all of it is shown that
 * the scope's namespace sent, because half a trace explains nothing. A trace
 * that has no span in the scope is treated as if it did not exist.
 *
 * In: filters. Out: a page of summaries or spans (span_reply.c). Where traces
 * are searched: store.h.
 */
#include "hex.h"
#include "hidden_spans.h"
#include "paging.h"
#include "slowest_traces.h"
#include "span_reply.h"

/* Spans of one answer: a trace is read in few pages, each within the bound of
 * an answer. */
enum { SPANS_MAX = 10000 };
/* Traces that are counted beside a sample. */
enum { SAMPLE_COUNTED = 100000 };

/* Which spans of a trace in the scope are shown. Spans that other namespaces
 * sent in the same trace are hidden. */
static enum status select_visible(struct query_request *request,
                                  const struct scope_filter *scope,
                                  const struct bitmap **visible)
{
    struct scope_filter all = {.namespace = scope->namespace};

    if (scope->workflow_run.len > 0)
        all = *scope;
    return params_select(request, &all, visible);
}

/* ---- the list ---- */

struct trace_view {
    struct list_time start;
    struct slice root_component, root_project;
    const char *root_kind;
    const struct trace_summary *trace;
    uint64_t duration_ns;
};

static const struct reply_table trace_head_table = REPLY_TABLE(
    struct trace_summary, REPLY(struct trace_summary, "traceId", trace_id),
    REPLY(struct trace_summary, "traceName", root_name),
    REPLY(struct trace_summary, "spanCount", span_count),
    REPLY(struct trace_summary, "rootSpanId", root_span_id),
    REPLY(struct trace_summary, "rootSpanName", root_name),
    REPLY_TIME(struct trace_summary, "endTime", end_ns),
    REPLY(struct trace_summary, "hasErrors", has_errors));

static const struct reply_table trace_table = REPLY_TABLE(
    struct trace_view,
    REPLY_INLINE(struct trace_view, trace, REPLY_POINTER, &trace_head_table),
    REPLY_OPTIONAL(struct trace_view, "rootSpanKind", root_kind),
    REPLY_OPTIONAL(struct trace_view, "rootComponent", root_component),
    REPLY_OPTIONAL(struct trace_view, "rootProject", root_project),
    REPLY(struct trace_view, "startTime", start),
    REPLY(struct trace_view, "durationNs", duration_ns));

struct traces_reply {
    struct list_reply list;
    uint64_t failed;
    const uint64_t *has_failed; /* NULL: not counted */
    bool exact;
    const bool *has_exact; /* NULL: it is by time */
};
static const struct reply_table traces_table = REPLY_TABLE(
    struct traces_reply,
    REPLY_LIST(struct traces_reply, "traces", list.records, &trace_table),
    REPLY_INLINE(struct traces_reply, list.end, 0, &list_end_table),
    REPLY_ROW_OF(struct traces_reply, "failed", has_failed, const uint64_t *,
                 REPLY_TYPE_UINT64, REPLY_POINTER, NULL),
    REPLY_ROW_OF(struct traces_reply, "exact", has_exact, const bool *,
                 REPLY_TYPE_BOOL, REPLY_POINTER, NULL));

/* The traces found, while they are written one at a time. */
struct trace_list {
    struct query_request *request;
    const struct trace_summary *traces;
    struct list_page page;
    struct trace_view view;
};

static const void *trace_item(void *arg, uint32_t i)
{
    struct trace_list *list = arg;
    const struct trace_summary *trace = &list->traces[i];
    const struct resource_info *root =
        reply_resource(list->request, trace->root_resource_id);

    list->view =
        (struct trace_view){.start = paging_time(&list->page, i),
                            .root_kind = span_kind_name(trace->root_kind),
                            .trace = trace,
                            .duration_ns = trace->end_ns - trace->start_ns};
    if (root) {
        list->view.root_component = root->identity.component;
        list->view.root_project = root->identity.project;
    }
    return &list->view;
}

/* Which traces, of those that match. */
enum trace_choice { CHOOSE_BY_TIME, CHOOSE_SLOWEST, CHOOSE_SAMPLE };

static enum trace_choice read_choice(struct query_request *request,
                                     const struct list_window *window)
{
    static const char *const orders[] = {"time", "duration", NULL};
    bool slowest = params_word(request, "sortBy", orders) == 1, sample = false;
    struct slice cursor;

    params_bool(request, "sample", &sample);
    params_text(request, "cursor", &cursor);
    if (sample && slowest)
        query_invalid(request,
                      "sample must not be combined with sortBy duration");
    if ((sample || slowest) && cursor.len > 0)
        query_invalid(request, "cursor must not be combined with %s",
                      sample ? "sample" : "sortBy duration");
    if (slowest && window->ascending)
        query_invalid(request, "sortOrder must be desc with sortBy duration");
    return sample ? CHOOSE_SAMPLE : slowest ? CHOOSE_SLOWEST : CHOOSE_BY_TIME;
}

static enum status read_traces_request(struct query_request *request,
                                       struct trace_query *query,
                                       struct list_window *window,
                                       enum trace_choice *choice)
{
    struct scope_filter scope;
    bool attributes = false; /* of spans; a list of traces shows none */

    params_scope(request, 0, &scope);
    paging_window(request, LIST_TRACES, 1, PARAMS_MAX_PAGE, window);
    *choice = read_choice(request, window);
    params_bool(request, "includeAttributes", &attributes);
    params_attrs(request, "attributes", &query->attrs, &query->attr_count);
    params_duration(request, "minDuration", &query->min_duration_ns);
    params_duration(request, "maxDuration", &query->max_duration_ns);
    params_bool(request, "errorsOnly", &query->errors_only);
    params_text(request, "operation", &query->operation);
    params_select(request, &scope, &query->resources);
    query->limit = window->limit + 1;
    query->ascending = window->ascending;
    query->counting = &window->counting;
    query->start_ns = window->start_ns;
    query->end_ns = window->end_ns;
    query->range = window->range;
    return select_visible(request, &scope, &query->visible);
}

static enum status read_by_time(struct trace_list *list,
                                const struct trace_query *query,
                                struct traces_reply *reply)
{
    struct trace_summary *traces;
    uint64_t total;
    enum status s =
        reader_query_traces(list->request->reader, query, list->request->arena,
                            &traces, &list->page.known, &total);

    list->page.records = list->traces = traces;
    if (s == OK)
        reply->list =
            paging_list(list->request, &list->page, trace_item, list, total);
    return s;
}

static enum status read_slowest(struct trace_list *list,
                                const struct trace_query *query,
                                struct traces_reply *reply)
{
    struct query_request *request = list->request;
    struct trace_query first = *query;
    struct slowest_traces slowest = {.at = NULL};
    struct trace_summary *known;
    uint32_t count;
    uint64_t total;
    enum status s;

    first.limit = SLOWEST_KNOWN;
    s = reader_query_traces(request->reader, &first, request->arena, &known,
                            &count, &total);
    if (s == OK)
        s = slowest_traces_read(request->reader, query, query->limit - 1, known,
                                count, request->arena, &slowest);
    list->page.records = list->traces = slowest.at;
    list->page.known = slowest.count;
    reply->exact = slowest.exact;
    reply->has_exact = &reply->exact;
    if (s == OK)
        reply->list = paging_list(request, &list->page, trace_item, list,
                                  total > count ? total : count);
    return s;
}

/* How many match; where memory does not suffice to tell, not fewer than *total
 * already is. */
static enum status count_traces(struct query_request *request,
                                const struct trace_query *query, bool failed,
                                uint64_t *total, bool *is_lower_bound)
{
    struct count_limit counting = {.most = SAMPLE_COUNTED, .patient = true};
    struct trace_query all = *query;
    struct trace_summary *traces;
    uint64_t counted;
    uint32_t count;
    enum status s;

    all.limit = 1;
    all.counting = &counting;
    all.errors_only |= failed;
    s = reader_query_traces(request->reader, &all, request->arena, &traces,
                            &count, &counted);
    *is_lower_bound |= s != OK || counting.stopped;
    if (s == OK && counted > *total)
        *total = counted;
    return s == ERR_TOO_BIG ? OK : s;
}

static void reverse(struct trace_summary *traces, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        struct trace_summary t = traces[i];

        traces[i] = traces[count - 1 - i];
        traces[count - 1 - i] = t;
    }
}

static enum status read_sample(struct trace_list *list,
                               const struct trace_query *query,
                               struct traces_reply *reply)
{
    struct query_request *request = list->request;
    struct trace_query spread = *query;
    struct spread_traces found;
    struct list_end *end = &reply->list.end;
    enum status s;

    spread.limit--;
    s = reader_spread_traces(request->reader, &spread, request->arena, &found);
    if (s != OK)
        return s;
    list->traces = found.traces;
    list->page.records = found.traces;
    list->page.known = found.count;
    reply->list.records =
        (struct reply_list){found.count, NULL, trace_item, list};
    reply->has_failed = &reply->failed;
    end->total = found.count;
    for (uint32_t i = 0; i < found.count; i++)
        reply->failed += found.traces[i].has_errors;
    if (found.more)
        s = count_traces(request, query, false, &end->total,
                         &end->is_lower_bound);
    if (s == OK && found.more)
        s = count_traces(request, query, true, &reply->failed,
                         &end->is_lower_bound);
    if (query->ascending)
        reverse(found.traces, found.count);
    end->took_ms = query_took_ms(request);
    return s;
}

static enum status query_traces(struct query_request *request)
{
    static enum status (*const choices[])(
        struct trace_list *, const struct trace_query *,
        struct traces_reply *) = {read_by_time, read_slowest, read_sample};
    struct trace_query query = {0};
    struct trace_list list = {.request = request};
    struct traces_reply reply = {.failed = 0};
    struct list_window window = {0};
    enum trace_choice choice;
    enum status s = read_traces_request(request, &query, &window, &choice);

    if (s != OK)
        return s;
    list.page.window = &window;
    s = choices[choice](&list, &query, &reply);
    if (s != OK)
        return query_fail_read(request, s);
    reply_write(&request->json, &traces_table, &reply);
    return OK;
}

/* ---- the spans of a trace ---- */

static const struct reply_table spans_table =
    LIST_REPLY_TABLE("spans", &span_table);

/* The spans found, while they are written one at a time. */
struct span_list {
    struct query_request *request;
    const struct span *spans;
    struct list_page page;
    struct span_view view;
    bool whole;
};

static const void *span_item(void *arg, uint32_t i)
{
    struct span_list *list = arg;

    return span_view_fill(&list->view, list->request, &list->spans[i],
                          paging_time(&list->page, i), list->whole);
}

static enum status read_path_id(struct query_request *request, int part,
                                const char *name, uint8_t *id, size_t len)
{
    if (!hex_bytes(request->parts[part], id, len))
        query_invalid(request, "%s must be %zu hexadecimal digits", name,
                      2 * len);
    return request->failed;
}

static enum status read_spans_request(struct query_request *request,
                                      struct span_query *query,
                                      uint8_t trace_id[16],
                                      struct list_window *window,
                                      struct slice *namespace)
{
    struct scope_filter scope;

    params_scope(request, 0, &scope);
    *namespace = scope.namespace;
    paging_window(request, LIST_SPANS, 1, SPANS_MAX, window);
    params_bool(request, "includeAttributes", &query->whole);
    read_path_id(request, 0, "traceId", trace_id, 16);
    params_select(request, &scope, &query->resources);
    query->trace_id = trace_id;
    query->limit = window->limit + 1;
    query->ascending = window->ascending;
    query->counting = &window->counting;
    query->range = window->range; /* the trace is shown whole otherwise */
    return select_visible(request, &scope, &query->visible);
}

static enum status query_spans(struct query_request *request)
{
    struct span_query query = {0};
    struct span_list list = {.request = request};
    struct list_window window = {0};
    uint8_t trace_id[16];
    struct slice namespace;
    struct span_page page;
    enum status s =
        read_spans_request(request, &query, trace_id, &window, &namespace);

    if (s != OK)
        return s;
    s = reader_query_spans(request->reader, &query, request->arena, &page.spans,
                           &page.count, &page.total);
    if (s != OK)
        return query_fail_read(request, s);
    s = hidden_spans_add(request, &query, namespace, &page);
    if (s != OK)
        return s;
    list.spans = page.spans;
    list.whole = query.whole;
    list.page = (struct list_page){&window, page.spans, page.count};
    paging_reply(request, &spans_table, &list.page, span_item, &list,
                 page.total);
    return OK;
}

/* ---- one span ---- */

/* Whether the trace has a span in the scope. */
static enum status is_in_scope(struct query_request *request,
                               const uint8_t trace_id[16],
                               const struct scope_filter *scope, bool *yes)
{
    struct count_limit counting = {.most = 1};
    struct span_query query = {
        .trace_id = trace_id, .limit = 1, .counting = &counting};
    struct span *spans;
    uint32_t count;
    uint64_t total;
    enum status s = params_select(request, scope, &query.resources);

    if (s != OK)
        return s;
    s = reader_query_spans(request->reader, &query, request->arena, &spans,
                           &count, &total);
    *yes = s == OK && count > 0;
    return s == OK ? OK : query_fail_read(request, s);
}

/* The service may know what the grants do not cover. */
static enum status may_see_span(struct query_request *request,
                                const struct span *span)
{
    struct identity identity;

    if (!registry_resource_identity(request->services->registry,
                                    span->resource_id, request->arena,
                                    &identity))
        return ERR_FORBIDDEN;
    const struct scope_filter scope = {.namespace = identity.namespace,
                                       .project = identity.project,
                                       .component = identity.component,
                                       .environment = identity.environment};
    return params_may_see(request, request->viewer.action, &scope);
}

/* By its id; visible NULL: of all. Not found, too: it may not be seen. */
static enum status find_span(struct query_request *request,
                             const uint8_t trace_id[16], const uint8_t id[8],
                             const struct bitmap *visible, struct span *span)
{
    enum status s = reader_find_span(request->reader, trace_id, id, visible,
                                     request->arena, span);

    if (s != ERR_NOT_FOUND || !visible || !request->asker)
        return s;
    s = reader_find_span(request->reader, trace_id, id, NULL, request->arena,
                         span);
    if (s == OK)
        s = may_see_span(request, span);
    return s == ERR_FORBIDDEN ? ERR_NOT_FOUND : s;
}

/* scope NULL: any, of what may be seen. */
static enum status span_details(struct query_request *request,
                                const struct scope_filter *scope)
{
    uint8_t trace_id[16], id[8];
    const struct bitmap *visible = NULL;
    struct span_view view;
    struct span span;
    bool shown = true;
    enum status s;

    read_path_id(request, 1, "spanId", id, sizeof(id));
    s = read_path_id(request, 0, "traceId", trace_id, sizeof(trace_id));
    if (s == OK && scope)
        s = is_in_scope(request, trace_id, scope, &shown);
    if (s == OK)
        s = scope ? select_visible(request, scope, &visible)
                  : params_visible(request, &visible);
    if (s != OK)
        return s;
    s = shown ? find_span(request, trace_id, id, visible, &span)
              : ERR_NOT_FOUND;
    if (request->failed != OK)
        return request->failed;
    if (s == ERR_NOT_FOUND)
        return query_fail(request, s, "OBS-V1-T-07", "Span not found");
    if (s != OK)
        return query_fail_read(request, s);
    if (span_view_fill(&view, request, &span,
                       (struct list_time){.ns = span.start_ns}, true))
        reply_write(&request->json, &span_table, &view);
    return OK;
}

static enum status get_span(struct query_request *request)
{
    return span_details(request, NULL);
}

static enum status post_span(struct query_request *request)
{
    struct scope_filter scope;
    enum status s = params_scope(request, 0, &scope);

    return s == OK ? span_details(request, &scope) : s;
}

const struct route routes_traces[] = {
    {"POST", "/api/v1alpha1/traces/query", ACTION_TRACES_VIEW, SCOPE_BODY,
     query_traces, "T", TAKES_JSON, 0, &traces_table},
    {"POST", "/api/v1alpha1/traces/{}/spans/query", ACTION_TRACES_VIEW,
     SCOPE_BODY, query_spans, "T", TAKES_JSON, 0, &spans_table},
    {"GET", "/api/v1alpha1/traces/{}/spans/{}", ACTION_TRACES_VIEW,
     SCOPE_OBJECT, get_span, "T", 0, 0, &span_table},
    {"POST", "/api/v1alpha1/traces/{}/spans/{}", ACTION_TRACES_VIEW, SCOPE_BODY,
     post_span, "T", TAKES_JSON, 0, &span_table},
    {0},
};
