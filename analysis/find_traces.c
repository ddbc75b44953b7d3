/*
 * GET /api/v1/traces: traces of a scope, what stands out among them first.
 *
 * In: a scope, a window, filters. Out: groups of equal traces with counts and
 * examples, outliers, then a list, the newest or the slowest first.
 *
 * The slowest ones are found with the store's filter by duration: the k-th
 * slowest of the traces that are known is a lower bound for the k-th slowest of
 * all. Those above it are read; if that are too many, the k-th slowest among
 * them is the next bound.
 */
#include "find_traces.h"

#include <stdlib.h>

#include "clock.h"
#include "routes.h"

enum { LIMIT = 20, ROUNDS = 8, COUNTED = 10000 };

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

static enum status load(struct found_traces *f, uint64_t min_duration_ns,
                        uint32_t limit, struct found_trace **list,
                        uint32_t *count)
{
    /* Once is enough. */
    struct count_limit counting = {.most = f->examined ? 1 : COUNTED};
    struct trace_query query = f->query;
    struct trace_summary *traces;
    uint64_t total;
    enum status s;

    query.limit = limit;
    query.counting = &counting;
    if (min_duration_ns > query.min_duration_ns)
        query.min_duration_ns = min_duration_ns;
    s = reader_query_traces(f->request->reader, &query, f->request->arena,
                            &traces, count, &total);
    if (s != OK)
        return s;
    if (!f->examined) {
        f->total = total > *count ? total : *count;
        f->is_lower_bound = counting.stopped;
    }
    return keep(f, traces, *count, list);
}

static int slowest_first(const void *left, const void *right)
{
    const struct found_trace *a = left, *b = right;

    if (a->duration_ns != b->duration_ns)
        return a->duration_ns > b->duration_ns ? -1 : 1;
    return memcmp(a->summary.trace_id, b->summary.trace_id, 16);
}

/* The slowest of `count` known ones, which are put in order; at least this many
 * are that slow. */
static uint64_t bound_of(struct found_trace *known, uint32_t count,
                         uint32_t limit)
{
    qsort(known, count, sizeof(*known), slowest_first);
    return count < limit ? 0 : known[limit - 1].duration_ns;
}

static enum status list_slowest(struct found_traces *f)
{
    uint32_t most = f->limit < FIND_EXAMINED ? FIND_EXAMINED : f->limit;
    uint32_t count = f->examined_count;
    struct found_trace *known =
        arena_alloc(f->request->arena, count * sizeof(*known));
    uint64_t bound = 0;
    enum status s = OK;

    if (!known)
        return arena_status(f->request->arena);
    if (count > 0)
        memcpy(known, f->examined, count * sizeof(*known));
    f->exact = count < FIND_EXAMINED;
    for (int i = 0; i < ROUNDS && !f->exact && s == OK; i++) {
        uint64_t next = bound_of(known, count, f->limit);

        f->exact = i > 0 && next <= bound; /* the rest is equally slow */
        bound = next;
        if (!f->exact)
            s = load(f, bound, most + 1, &known, &count);
        f->exact |= count <= most;
    }
    bound_of(known, count, f->limit);
    f->more = count > f->limit || f->total > f->limit;
    f->listed = known;
    f->listed_count = count < f->limit ? count : f->limit;
    return s;
}

static enum status read_traces(struct found_traces *f)
{
    uint32_t most = f->limit < FIND_EXAMINED ? FIND_EXAMINED : f->limit + 1;
    enum status s = load(f, 0, most, &f->examined, &f->examined_count);

    if (s != OK)
        return s;
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
