/*
 * GET /api/v1/traces: traces of a scope, what stands out among them first.
 *
 * In: a scope, a window, filters. Out: groups of equal traces with counts and
 * examples, outliers, then a list, the newest or the slowest first.
 */
#include "find_traces.h"

#include "clock.h"
#include "routes.h"

enum { LIMIT = 20, COUNTED = 10000 };

#define DEFAULT_WINDOW NS_PER_HOUR

/* ---- the request ---- */

static void read_sort(struct found_traces *f)
{
    static const char *const orders[] = {"time", "duration", NULL};
    struct slice status = query_param(f->request, "status");

    f->by_duration = params_query_word(f->request, "sortBy", orders) == 1;
    f->query.errors_only = slice_equal(status, SLICE("error"));
    if (status.len > 0 && !f->query.errors_only)
        query_invalid(f->request, "status must be error, or left out");
}

static enum status read_request(struct found_traces *f)
{
    struct query_request *request = f->request;
    struct trace_query *q = &f->query;
    struct scope_filter all = {.unassigned = false};
    uint64_t limit = LIMIT;

    params_query_scope(request, &f->scope);
    params_query_range(request, DEFAULT_WINDOW, &q->start_ns, &q->end_ns);
    params_query_number(request, "limit", 1, PARAMS_MAX_PAGE, &limit);
    params_query_duration(request, "minDuration", &q->min_duration_ns);
    params_query_duration(request, "maxDuration", &q->max_duration_ns);
    q->endpoint = query_param(request, "endpoint");
    q->operation = query_param(request, "operation");
    params_query_attrs(request, &q->attrs, &q->attr_count);
    read_sort(f);
    f->limit = (uint32_t)limit;
    f->filtered = q->min_duration_ns || q->max_duration_ns || q->attr_count ||
                  q->endpoint.len > 0 || q->operation.len > 0 || q->errors_only;
    if (request->failed != OK)
        return request->failed;
    params_select(request, &f->scope, &q->resources);
    all.namespace = f->scope.namespace;
    return params_select(request, &all, &q->visible);
}

/* ---- reading ---- */

static enum status keep(struct found_traces *f,
                        const struct trace_summary *traces, uint32_t count,
                        struct found_trace **out)
{
    struct found_trace *list =
        arena_zero(f->request->arena, count, sizeof(*list));

    if (!list)
        return arena_status(f->request->arena);
    for (uint32_t i = 0; i < count; i++) {
        const struct resource_info *root =
            reply_resource(f->request, traces[i].root_resource_id);

        list[i].summary = traces[i];
        list[i].duration_ns = traces[i].end_ns - traces[i].start_ns;
        list[i].root = root ? &root->identity : &identity_hidden;
    }
    *out = list;
    return OK;
}

static enum status list_slowest(struct found_traces *f)
{
    struct slowest_traces slowest;
    enum status s = slowest_traces_read(f->request->reader, &f->query, f->limit,
                                        f->summaries, f->examined_count,
                                        f->request->arena, &slowest);

    if (s != OK)
        return s;
    f->exact = slowest.exact;
    f->more = slowest.more || f->total > f->limit;
    f->listed_count = slowest.count;
    return keep(f, slowest.at, slowest.count, &f->listed);
}

static enum status read_traces(struct found_traces *f)
{
    struct count_limit counting = {.most = COUNTED};
    struct trace_query query = f->query;
    uint64_t total;
    enum status s;

    query.limit = f->limit < FIND_EXAMINED ? FIND_EXAMINED : f->limit + 1;
    query.counting = &counting;
    s = reader_query_traces(f->request->reader, &query, f->request->arena,
                            &f->summaries, &f->examined_count, &total);
    if (s == OK)
        s = keep(f, f->summaries, f->examined_count, &f->examined);
    if (s != OK)
        return s;
    f->total = total > f->examined_count ? total : f->examined_count;
    f->is_lower_bound = counting.stopped;
    if (f->by_duration)
        return list_slowest(f);
    f->exact = true;
    f->more = f->examined_count > f->limit;
    f->listed = f->examined;
    f->listed_count = f->more ? f->limit : f->examined_count;
    return OK;
}

static enum status find_traces(struct query_request *request)
{
    struct found_traces *f = arena_zero(request->arena, 1, sizeof(*f));
    enum status s;

    if (!f)
        return arena_status(request->arena);
    f->request = request;
    s = read_request(f);
    if (s != OK)
        return s;
    s = read_traces(f);
    if (s == OK)
        s = find_trace_failures(f, f->examined, f->examined_count);
    if (s == OK && f->listed != f->examined)
        s = find_trace_failures(f, f->listed, f->listed_count);
    if (s == OK)
        s = find_trace_groups(f);
    if (s != OK)
        return query_fail_read(request, s);
    find_traces_reply(f);
    return OK;
}

const struct route routes_find_traces[] = {
    {"GET", "/api/v1/traces", ACTION_TRACES_VIEW, SCOPE_NARROWED, find_traces,
     "T", TAKES_FORM, 0, &found_traces_table},
    {0},
};
