/*
 * POST /api/v1/events/query: Kubernetes events, and changes that were found in
 * the telemetry. Both are log records of the events stream (query_logs.h).
 */
#include "derived.h"
#include "event_reply.h"
#include "query_logs.h"

enum { MAX_REASONS = 32 };

static enum status check_reasons(struct query_request *request,
                                 const struct slice *reasons, uint32_t count)
{
    bool valid = !reasons || (count > 0 && count <= MAX_REASONS);

    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k <= i; k++)
            valid &= reasons[i].len > 0 &&
                     (k == i || !slice_equal(reasons[i], reasons[k]));
    if (!valid)
        query_invalid(request, "reasons must be 1 to %d different strings",
                      MAX_REASONS);
    return request->failed;
}

/* reasons: one of them must be the event's. */
static enum status read_event_filters(struct query_request *request,
                                      struct log_search *search)
{
    struct log_query *query = &search->query;
    const struct slice *reasons;
    struct attr_match *any;
    struct slice kind;
    uint32_t count;

    params_attrs(request, "attributes", &query->attrs, &query->attr_count);
    params_list(request, "reasons", &reasons, &count);
    if (check_reasons(request, reasons, count) != OK || count == 0)
        return request->failed;
    any = arena_alloc(request->arena, 2 * count * sizeof(*any));
    if (!any)
        return arena_status(request->arena);
    for (uint32_t i = 0; i < count; i++) {
        any[query->any_count++] =
            (struct attr_match){SLICE("k8s.event.reason"), reasons[i]};
        kind = event_change_kind(reasons[i]);
        if (kind.len > 0)
            any[query->any_count++] =
                (struct attr_match){SLICE(DERIVED_CHANGE_KIND), kind};
    }
    query->any = any;
    return OK;
}

/* ---- the answer ---- */

static const void *event_item(void *arg, uint32_t i)
{
    const struct log_list *list = arg;
    const struct log_record *log = &list->logs[i];
    struct event_view *view = list->entry;

    if (!event_view_fill(view, list->request, log))
        return NULL; /* the arena is full: this answer is replaced */
    view->entry.time = paging_time(&list->page, i);
    if (list->search->scope.workflow_run.len > 0)
        view->entry.metadata = NULL;
    else if (list->search->attributes)
        view->entry.attrs = &log->attrs;
    return &view->entry;
}

static const struct reply_table events_table =
    LIST_REPLY_TABLE("events", &event_entry_table);

/* Without a scope, events of the given reasons wherever they are. */
static enum status query_events(struct query_request *request)
{
    struct log_search search = {.query = {.events = true}};
    struct event_view view;
    enum status s = read_event_filters(request, &search);

    if (s == OK && (search.query.any_count == 0 ||
                    json_object_get(request->body, "searchScope")))
        s = params_scope(request, SCOPE_WORKFLOW, &search.scope);
    if (s == OK)
        s = log_search_read(request, &search);
    return s == OK ? log_search_answer(request, &search, event_item, &view,
                                       &events_table)
                   : s;
}

const struct route routes_events[] = {
    {"POST", "/api/v1/events/query", ACTION_EVENTS_VIEW, SCOPE_BODY,
     query_events, "E", TAKES_JSON, 0, &events_table},
    {0},
};
