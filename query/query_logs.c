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
    params_attrs(request, "attributes", &query->attrs, &query->attr_count);
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

/* ---- filters of logs ---- */

/* What a filter word selects: FATAL is an error, TRACE is debugging, and a
 * record without any level is shown as INFO. */
static const struct {
    struct slice name;
    uint32_t levels;
} level_filters[] = {
    {SLICE_INIT("DEBUG"), 1u << LEVEL_DEBUG | 1u << LEVEL_TRACE},
    {SLICE_INIT("INFO"), 1u << LEVEL_INFO | 1u << LEVEL_UNSET},
    {SLICE_INIT("WARN"), 1u << LEVEL_WARN},
    {SLICE_INIT("ERROR"), 1u << LEVEL_ERROR | 1u << LEVEL_FATAL},
};

static void read_levels(struct query_request *request, uint32_t *levels)
{
    const struct slice *names;
    uint32_t count;

    params_list(request, "logLevels", &names, &count);
    for (uint32_t i = 0; i < count; i++) {
        size_t k = 0;

        while (k < 4 && !slice_equal(names[i], level_filters[k].name))
            k++;
        if (k == 4)
            query_invalid(request,
                          "logLevels must be any of DEBUG, INFO, WARN, ERROR");
        else if (*levels & level_filters[k].levels)
            query_invalid(request, "logLevels must not name a level twice");
        else
            *levels |= level_filters[k].levels;
    }
}

static enum status read_log_filters(struct query_request *request,
                                    struct log_search *search)
{
    const json_t *phrase = json_object_get(request->body, "searchPhrase");
    struct log_query *query = &search->query;
    bool has_trace, has_span;

    read_levels(request, &query->levels);
    params_text(request, "searchPhrase", &query->phrase);
    if (query->phrase.len > 0) /* with the spaces at its ends */
        query->phrase = json_text_of(phrase);
    params_list(request, "searchWords", &query->words, &query->word_count);
    params_id(request, "traceId", search->trace_id, sizeof(search->trace_id),
              &has_trace);
    params_id(request, "spanId", search->span_id, sizeof(search->span_id),
              &has_span);
    query->trace_id = has_trace ? search->trace_id : NULL;
    query->span_id = has_span ? search->span_id : NULL;
    return request->failed;
}

/* ---- the answer ---- */

static const char *level_name(uint8_t level)
{
    switch (level) {
    case LEVEL_TRACE:
    case LEVEL_DEBUG:
        return "DEBUG";
    case LEVEL_WARN:
        return "WARN";
    case LEVEL_ERROR:
        return "ERROR";
    case LEVEL_FATAL:
        return "FATAL";
    default:
        return "INFO";
    }
}

struct log_metadata {
    const struct identity *identity;
    struct slice container, pod, pod_namespace;
};
static const struct reply_table log_metadata_table = REPLY_TABLE(
    struct log_metadata,
    REPLY_INLINE(struct log_metadata, identity, REPLY_POINTER, &identity_table),
    REPLY_OPTIONAL(struct log_metadata, "containerName", container),
    REPLY_OPTIONAL(struct log_metadata, "podName", pod),
    REPLY_OPTIONAL(struct log_metadata, "podNamespace", pod_namespace));

struct log_entry {
    struct list_time time;
    struct slice text, event_name, endpoint;
    const char *level;
    const struct log_metadata *metadata; /* NULL: of a workflow run */
    uint8_t trace_id[16], span_id[8];
    const struct attrs *attrs;
};
static const struct reply_table log_entry_table =
    REPLY_TABLE(struct log_entry, REPLY(struct log_entry, "timestamp", time),
                REPLY(struct log_entry, "log", text),
                REPLY_OPTIONAL(struct log_entry, "eventName", event_name),
                REPLY_OPTIONAL(struct log_entry, "level", level),
                REPLY_OBJECT(struct log_entry, "metadata", metadata,
                             REPLY_POINTER, &log_metadata_table),
                REPLY_OPTIONAL(struct log_entry, "traceId", trace_id),
                REPLY_OPTIONAL(struct log_entry, "spanId", span_id),
                REPLY_OPTIONAL(struct log_entry, "endpoint", endpoint),
                REPLY_ATTRS(struct log_entry, "attributes", attrs));

struct log_view {
    struct log_entry entry;
    struct log_metadata metadata;
};

static const void *log_item(void *arg, uint32_t i)
{
    const struct log_list *list = arg;
    const struct log_record *log = &list->logs[i];
    struct log_view *view = list->entry;
    struct log_entry *entry = &view->entry;
    const struct resource_info *resource;

    *entry =
        (struct log_entry){.time = paging_time(&list->page, i),
                           .text = reply_value_text(list->request, &log->body)};
    if (list->search->scope.workflow_run.len > 0)
        return entry;
    entry->event_name = log->event_name;
    entry->level = level_name(log->level);
    entry->endpoint = log->endpoint;
    memcpy(entry->trace_id, log->trace_id, sizeof(entry->trace_id));
    memcpy(entry->span_id, log->span_id, sizeof(entry->span_id));
    if (list->search->attributes)
        entry->attrs = &log->attrs;
    resource = reply_resource(list->request, log->resource_id);
    if (!resource)
        return entry; /* the arena is full: this answer is replaced */
    view->metadata = (struct log_metadata){
        &resource->identity,
        reply_attr(&log->attrs, resource, "k8s.container.name"),
        reply_attr(&log->attrs, resource, "k8s.pod.name"),
        reply_attr(&log->attrs, resource, "k8s.namespace.name")};
    entry->metadata = &view->metadata;
    return entry;
}

static const struct reply_table logs_table =
    LIST_REPLY_TABLE("logs", &log_entry_table);

static enum status query_logs(struct query_request *request)
{
    struct log_search search = {.attributes = false};
    struct log_view view;

    params_scope(request, SCOPE_WORKFLOW, &search.scope);
    log_search_read(request, &search);
    if (read_log_filters(request, &search) != OK)
        return request->failed;
    return log_search_answer(request, &search, log_item, &view, &logs_table);
}

const struct route routes_logs[] = {
    {"POST", "/api/v1/logs/query", ACTION_LOGS_VIEW, SCOPE_BODY, query_logs,
     "L", TAKES_JSON, 0, &logs_table},
    {0},
};
