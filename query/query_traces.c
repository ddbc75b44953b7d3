/*
 * Traces: the list (query_traces_list.c), the spans of one, one span.
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
#include "query_traces_int.h"
#include "span_reply.h"

/* Spans of one answer: a trace is read in few pages, each within the bound of
 * an answer. */
enum { SPANS_MAX = 10000 };

enum status traces_select_visible(struct query_request *request,
                                  const struct scope_filter *scope,
                                  const struct bitmap **visible)
{
    struct scope_filter all = {.namespace = scope->namespace};

    if (scope->workflow_run.len > 0)
        all = *scope;
    return params_select(request, &all, visible);
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
    return traces_select_visible(request, &scope, &query->visible);
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
        s = scope ? traces_select_visible(request, scope, &visible)
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
     traces_query_list, "T", TAKES_JSON, 0, &traces_list_table},
    {"POST", "/api/v1alpha1/traces/{}/spans/query", ACTION_TRACES_VIEW,
     SCOPE_BODY, query_spans, "T", TAKES_JSON, 0, &spans_table},
    {"GET", "/api/v1alpha1/traces/{}/spans/{}", ACTION_TRACES_VIEW,
     SCOPE_OBJECT, get_span, "T", 0, 0, &span_table},
    {"POST", "/api/v1alpha1/traces/{}/spans/{}", ACTION_TRACES_VIEW, SCOPE_BODY,
     post_span, "T", TAKES_JSON, 0, &span_table},
    {0},
};
