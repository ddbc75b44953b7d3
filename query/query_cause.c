/*
 * POST and GET /api/v1/cause. In: a scope, a window and maybe a baseline. Out:
 * what cause_find() found (cause.h), written by cause_reply.c.
 */
#include "cause_reply.h"
#include "clock.h"
#include "query_request.h"

/* Three times the longest window: what it is without one. */
enum { MAX_BASELINE_DAYS = 90 };

enum status cause_run(struct query_request *request, struct cause_query *query,
                      struct cause_report **report)
{
    enum status s;

    if (!query->viewer)
        query->viewer = &request->viewer;
    query->registry = request->services->registry;
    query->catalog = request->services->catalog;
    query->reader = request->reader;
    if (query->scope.namespace.len == 0)
        query->scope.namespace = SLICE("default");
    s = cause_find(query, request->arena, report);
    if (s == ERR_INVALID) /* an empty window, or one that begins in 1970 */
        return query_fail(request, s, NULL, "endTime must be after startTime");
    return s == OK ? OK : query_fail_read(request, s);
}

static enum status answer(struct query_request *request,
                          struct cause_query *query)
{
    struct cause_report *report;
    enum status s = cause_run(request, query, &report);

    if (s != OK)
        return s;
    const struct cause_view *view = cause_view_make(report, request->arena);

    if (view)
        reply_write(&request->json, &cause_table, view);
    return OK;
}

static uint64_t baseline_time(struct query_request *request,
                              const json_t *object, const char *name)
{
    struct slice text = json_text_of(json_object_get(object, name));
    uint64_t ns = 0;

    if (!text.ptr || !clock_parse_rfc3339(text, &ns))
        query_invalid(request, "baseline.%s must be an RFC 3339 time", name);
    return ns;
}

static void read_baseline(struct query_request *request,
                          struct cause_query *query)
{
    const json_t *object = json_object_get(request->body, "baseline");
    struct cause_window *b = &query->baseline;

    if (!object || json_is_null(object))
        return;
    if (!json_is_object(object))
        query_invalid(request, "baseline must be an object");
    query->has_baseline = true;
    b->start_ns = baseline_time(request, object, "startTime");
    b->end_ns = baseline_time(request, object, "endTime");
    if (b->end_ns <= b->start_ns)
        query_invalid(request,
                      "baseline.endTime must be after baseline.startTime");
    if (b->end_ns - b->start_ns > MAX_BASELINE_DAYS * 24 * NS_PER_HOUR)
        query_invalid(request, "baseline must be at most %d days long",
                      MAX_BASELINE_DAYS);
    if (b->end_ns > query->window.start_ns)
        query_invalid(request, "baseline must end before the window starts");
}

enum status cause_read(struct query_request *request, int flags,
                       struct cause_query *query)
{
    params_scope(request, SCOPE_NEEDS_PROJECT | flags, &query->scope);
    params_range(request, &query->window.start_ns, &query->window.end_ns);
    read_baseline(request, query);
    return request->failed;
}

static enum status cause_post(struct query_request *request)
{
    struct cause_query query = {0};
    enum status s = cause_read(request, 0, &query);

    return s == OK ? answer(request, &query) : s;
}

static enum status cause_get(struct query_request *request)
{
    struct cause_query query = {0};

    params_query_scope(request, &query.scope);
    params_query_range(request, 30 * NS_PER_MIN, &query.window.start_ns,
                       &query.window.end_ns);
    if (query.scope.project.len == 0)
        query_invalid(request, "project is required");
    return request->failed == OK ? answer(request, &query) : request->failed;
}

const struct route routes_cause[] = {
    {"POST", "/api/v1/cause", ACTION_RCA_VIEW, SCOPE_BODY, cause_post, NULL,
     TAKES_JSON, 0, &cause_table},
    {"GET", "/api/v1/cause", ACTION_RCA_VIEW, SCOPE_QUERY, cause_get, NULL, 0,
     0, &cause_table},
    {0},
};
