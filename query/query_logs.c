/*
 * POST /api/v1/logs/query, and what it has in common with events
 * (query_logs.h). In: filters. Out: a page of records.
 *
 * In the scope of a workflow run an entry is its time and text, nothing else:
 * that is how clients tell the two kinds of answer apart.
 */
#include "query_logs.h"

enum status log_search_read(struct query_request *request,
                            struct log_search *search)
{
    struct log_query *query = &search->query;

    paging_window(request, query->events ? LIST_EVENTS : LIST_LOGS, 0,
                  PARAMS_MAX_PAGE, &search->window);
    params_bool(request, "includeAttributes", &search->attributes);
    query->limit = search->window.limit + 1;
    query->ascending = search->window.ascending;
    query->counting = &search->window.counting;
    query->start_ns = search->window.start_ns;
    query->end_ns = search->window.end_ns;
    query->range = search->window.range;
    return params_select(request, &search->scope, &query->resources);
}

enum status log_search_answer(struct query_request *request,
                              const struct log_search *search, reply_item *item,
                              void *entry, const struct reply_table *table)
{
    struct log_list list = {
        .request = request, .search = search, .entry = entry};
    struct log_record *logs;
    uint32_t count;
    uint64_t total;
    enum status s = reader_query_logs(request->reader, &search->query,
                                      request->arena, &logs, &count, &total);

    if (s != OK)
        return query_fail_read(request, s);
    list.logs = logs;
    list.page = (struct list_page){&search->window, logs, count};
    paging_reply(request, table, &list.page, item, &list, total);
    return OK;
}

/* ---- the answer ---- */

static const void *log_item(void *arg, uint32_t i)
{
    const struct log_list *list = arg;
    const struct log_record *log = &list->logs[i];
    struct log_view *view = list->entry;

    if (list->search->scope.workflow_run.len == 0)
        return log_view_fill(view, list->request, log,
                             paging_time(&list->page, i),
                             list->search->attributes);
    view->entry =
        (struct log_entry){.time = paging_time(&list->page, i),
                           .text = reply_value_text(list->request, &log->body)};
    return &view->entry;
}

static const struct reply_table logs_table =
    LIST_REPLY_TABLE("logs", &log_entry_table);

static enum status query_logs(struct query_request *request)
{
    struct log_search search = {.attributes = false};
    struct log_view view;

    params_scope(request, SCOPE_WORKFLOW, &search.scope);
    log_search_read(request, &search);
    if (log_filters(request, &search.query, &search.ids) != OK)
        return request->failed;
    return log_search_answer(request, &search, log_item, &view, &logs_table);
}

const struct route routes_logs[] = {
    {"POST", "/api/v1/logs/query", ACTION_LOGS_VIEW, SCOPE_BODY, query_logs,
     "L", TAKES_JSON, 0, &logs_table},
    {0},
};
