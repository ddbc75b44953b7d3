/*
 * POST /api/v1alpha1/traces/query: the newest traces page by page, the slowest,
 * or a sample from all over the window with the number of all.
 */
#include "paging.h"
#include "query_traces_int.h"
#include "slowest_traces.h"
#include "span_reply.h"

/* Traces that are counted beside a sample. */
enum { SAMPLE_COUNTED = 100000 };

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
const struct reply_table traces_list_table = REPLY_TABLE(
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
    return traces_select_visible(request, &scope, &query->visible);
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

/* How many match; the first ones by time. Where memory does not suffice to
 * tell, it is a lower bound. */
static enum status count_traces(struct query_request *request,
                                const struct trace_query *query,
                                struct spread_traces *first, uint64_t *total,
                                bool *is_lower_bound)
{
    struct count_limit counting = {.most = SAMPLE_COUNTED, .patient = true};
    struct trace_query all = *query;
    enum status s;

    all.counting = &counting;
    all.ascending = false;
    *first = (struct spread_traces){.traces = NULL};
    s = reader_query_traces(request->reader, &all, request->arena,
                            &first->traces, &first->count, total);
    if (s == ERR_TOO_BIG)
        *total = first->count = 0;
    *is_lower_bound |= s != OK || counting.stopped;
    return s == ERR_TOO_BIG ? OK : s;
}

static uint64_t count_failed(const struct spread_traces *found)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < found->count; i++)
        n += found->traces[i].has_errors;
    return n;
}

/* Some of many. */
static enum status read_spread(struct query_request *request,
                               const struct trace_query *query,
                               struct spread_traces *found,
                               struct traces_reply *reply)
{
    struct trace_query spread = *query, failed = *query;
    struct spread_traces first;
    enum status s;

    spread.limit--;
    failed.limit = 1;
    failed.errors_only = true;
    s = count_traces(request, &failed, &first, &reply->failed,
                     &reply->list.end.is_lower_bound);
    if (s == OK)
        s = reader_spread_traces(request->reader, &spread, request->arena,
                                 found);
    if (s == OK && reply->list.end.total < found->count)
        reply->list.end.total = found->count;
    return s;
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
    struct spread_traces found;
    struct list_end *end = &reply->list.end;
    enum status s =
        count_traces(request, query, &found, &end->total, &end->is_lower_bound);

    if (s == OK && (found.count == query->limit || end->is_lower_bound))
        s = read_spread(request, query, &found, reply);
    else if (s == OK)
        reply->failed = count_failed(&found);
    if (s != OK)
        return s;
    if (query->ascending)
        reverse(found.traces, found.count);
    list->traces = found.traces;
    list->page.records = found.traces;
    list->page.known = found.count;
    reply->list.records =
        (struct reply_list){found.count, NULL, trace_item, list};
    reply->has_failed = &reply->failed;
    end->took_ms = query_took_ms(request);
    return OK;
}

enum status traces_query_list(struct query_request *request)
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
    reply_write(&request->json, &traces_list_table, &reply);
    return OK;
}
