/*
 * POST /api/v1/logs/query and /api/v1/events/query. Both read log records;
 * events are the stream of Kubernetes and change events.
 *
 * In the scope of a workflow run an entry is its time and text, nothing else:
 * that is how clients tell the two kinds of answer apart.
 */
#include "derived.h"
#include "paging.h"

struct logs_request {
    struct log_query query;
    struct scope_filter scope;
    struct list_window window;
    struct count_limit counting;
    bool attributes; /* in each entry */
    uint8_t trace_id[16], span_id[8];
};

static enum list_kind kind_of(const struct log_query *query)
{
    return query->events ? LIST_EVENTS : LIST_LOGS;
}

/* What both queries take: a filter that is read here applies to both. Those of
 * one are read by read_log_filters() and read_event_filters(). */
static enum status read_shared(struct call *call, struct logs_request *request)
{
    struct log_query *query = &request->query;
    enum status s = params_page(call, true, &query->limit, &query->ascending);

    if (s == OK)
        s = paging_window(call, kind_of(query), query->ascending,
                          &request->window);
    if (s == OK)
        s = params_bool(call, "includeAttributes", &request->attributes);
    if (s == OK)
        s = params_attrs(call, "attributes", &query->attrs, &query->attr_count);
    if (s != OK)
        return s;
    request->counting.most = PAGING_TOTAL;
    query->counting = &request->counting;
    query->start_ns = request->window.start_ns;
    query->end_ns = request->window.end_ns;
    query->range = request->window.range;
    query->resources =
        registry_select(call->services->registry, &request->scope, call->arena);
    return query->resources ? OK : arena_status(call->arena);
}

/* What a filter word selects: FATAL is an error, TRACE is debugging, and a
 * record without any level is shown as INFO. */
static const struct {
    struct slice name;
    uint32_t levels;
} level_filters[] = {
    {{"DEBUG", 5}, 1u << LEVEL_DEBUG | 1u << LEVEL_TRACE},
    {{"INFO", 4}, 1u << LEVEL_INFO | 1u << LEVEL_UNSET},
    {{"WARN", 4}, 1u << LEVEL_WARN},
    {{"ERROR", 5}, 1u << LEVEL_ERROR | 1u << LEVEL_FATAL},
};

static enum status read_levels(struct call *call, uint32_t *levels)
{
    const struct slice *names;
    uint32_t count;
    enum status s = params_list(call, "logLevels", &names, &count);

    for (uint32_t i = 0; s == OK && i < count; i++) {
        size_t k = 0;

        while (k < 4 && !slice_equal(names[i], level_filters[k].name))
            k++;
        if (k == 4)
            s = call_fail(call, ERR_INVALID, NULL,
                          "logLevels must be of DEBUG, INFO, WARN, ERROR");
        else if (*levels & level_filters[k].levels)
            s = call_fail(call, ERR_INVALID, NULL,
                          "logLevels must not name a level twice");
        else
            *levels |= level_filters[k].levels;
    }
    return s;
}

/* The phrase is taken as it is, with the spaces at its ends. */
static enum status read_phrase(struct call *call, struct slice *phrase)
{
    const json_t *value = json_object_get(call->body, "searchPhrase");
    enum status s = params_text(call, "searchPhrase", phrase);

    if (s == OK && phrase->len > 0)
        *phrase =
            (struct slice){json_string_value(value), json_string_length(value)};
    return s;
}

static enum status read_log_filters(struct call *call,
                                    struct logs_request *request)
{
    struct log_query *query = &request->query;
    bool has_trace, has_span;
    enum status s = read_levels(call, &query->levels);

    if (s == OK)
        s = read_phrase(call, &query->phrase);
    if (s == OK)
        s = params_list(call, "searchWords", &query->words, &query->word_count);
    if (s == OK)
        s = params_id(call, "traceId", request->trace_id,
                      sizeof(request->trace_id), &has_trace);
    if (s == OK)
        s = params_id(call, "spanId", request->span_id,
                      sizeof(request->span_id), &has_span);
    if (s != OK)
        return s;
    query->trace_id = has_trace ? request->trace_id : NULL;
    query->span_id = has_span ? request->span_id : NULL;
    return OK;
}

/* ---- logs ---- */

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

static void reply_log_metadata(struct call *call, const struct log_record *log,
                               const struct source *source)
{
    jsonw_member_open(&call->json, "metadata", '{');
    reply_identity(call, &source->identity);
    reply_text(call, "containerName",
               reply_attr(&log->attrs, source, "k8s.container.name"));
    reply_text(call, "podName",
               reply_attr(&log->attrs, source, "k8s.pod.name"));
    reply_text(call, "podNamespace",
               reply_attr(&log->attrs, source, "k8s.namespace.name"));
    jsonw_close(&call->json, '}');
}

static void reply_id(struct call *call, const char *key, const uint8_t *id,
                     size_t len)
{
    if (id_is_zero(id, len))
        return;
    jsonw_member_hex(&call->json, key, id, len);
}

static void reply_log(struct call *call, const struct log_record *log,
                      bool exact, const struct logs_request *request)
{
    struct jsonw *json = &call->json;
    const struct source *source;

    jsonw_open(json, '{');
    paging_time(call, "timestamp", log->time_ns, exact, log->arrival);
    jsonw_member_text(json, "log", reply_value_text(call, &log->body));
    if (request->scope.workflow_run.len == 0) {
        reply_text(call, "eventName", log->event_name);
        jsonw_member_text(json, "level", slice_of(level_name(log->level)));
        source = reply_source(call, log->resource_id);
        if (source)
            reply_log_metadata(call, log, source);
        reply_id(call, "traceId", log->trace_id, sizeof(log->trace_id));
        reply_id(call, "spanId", log->span_id, sizeof(log->span_id));
        reply_text(call, "endpoint", log->endpoint);
        if (request->attributes) {
            jsonw_key(json, "attributes");
            jsonw_attrs(json, &log->attrs);
        }
    }
    jsonw_close(json, '}');
}

/* One record, its time as the place it has in the list. */
typedef void reply_record(struct call *call, const struct log_record *log,
                          bool exact, const struct logs_request *request);

static enum status reply_page(struct call *call,
                              const struct logs_request *request,
                              const struct log_record *logs, uint32_t known,
                              reply_record *reply)
{
    const struct log_query *query = &request->query;
    uint32_t shown = known < query->limit ? known : query->limit;
    uint64_t *times = arena_zero(call->arena, known + 1, sizeof(*times));

    if (!times)
        return arena_status(call->arena);
    for (uint32_t i = 0; i < known; i++)
        times[i] = logs[i].time_ns;
    for (uint32_t i = 0; i < shown; i++)
        reply(call, &logs[i],
              paging_exact(&request->window, query->ascending, times, i, shown,
                           known),
              request);
    jsonw_close(&call->json, ']');
    if (known > shown) {
        struct list_place last = {.time_ns = times[shown - 1],
                                  .key_len = PLACE_NUMBER};

        list_number(last.key, logs[shown - 1].arrival);
        paging_cursor(call, kind_of(query), query->ascending, &last);
    }
    return OK;
}

/* The records that were asked for, each as `reply` writes it. One more is read
 * than is shown, to know whether there is a next page. */
static enum status answer(struct call *call, const char *key,
                          const struct logs_request *request,
                          reply_record *reply)
{
    struct log_query query = request->query;
    struct log_record *logs;
    uint32_t count;
    uint64_t total;

    query.limit++;
    enum status s = reader_query_logs(call->reader, &query, call->arena, &logs,
                                      &count, &total);
    if (s != OK)
        return call_fail_read(call, s);
    jsonw_open(&call->json, '{');
    jsonw_member_open(&call->json, key, '[');
    s = reply_page(call, request, logs, count, reply);
    if (s == OK)
        paging_end(call, total, request->counting.stopped);
    return s;
}

static enum status query_logs(struct call *call)
{
    struct logs_request request = {.attributes = false};
    enum status s = params_scope(call, SCOPE_WORKFLOW, &request.scope);

    if (s == OK)
        s = read_shared(call, &request);
    if (s == OK)
        s = read_log_filters(call, &request);
    return s == OK ? answer(call, "logs", &request, reply_log) : s;
}

/* ---- events ---- */

/* Changes that were found in the telemetry, and the reasons they show. */
static const struct {
    struct slice kind, reason;
} changes[] = {
    {{"version", 7}, {"VersionChanged", 14}},
    {{"image", 5}, {"ImageChanged", 12}},
    {{"pod-template", 12}, {"PodTemplateChanged", 18}},
};

enum { CHANGES = sizeof(changes) / sizeof(*changes), MAX_REASONS = 32 };

static enum status check_reasons(struct call *call, const struct slice *reasons,
                                 uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k <= i; k++)
            if (reasons[i].len == 0 ||
                (k < i && slice_equal(reasons[i], reasons[k])))
                return call_fail(call, ERR_INVALID, NULL,
                                 "reasons must be 1 to %d different texts",
                                 MAX_REASONS);
    return OK;
}

/* reasons: one of them must be the event's. */
static enum status read_event_filters(struct call *call,
                                      struct logs_request *request)
{
    struct log_query *query = &request->query;
    const struct slice *reasons;
    struct attr_match *any;
    uint32_t count;
    enum status s = params_list(call, "reasons", &reasons, &count);

    if (s == OK && reasons && (count == 0 || count > MAX_REASONS))
        s = call_fail(call, ERR_INVALID, NULL,
                      "reasons must be 1 to %d different texts", MAX_REASONS);
    if (s == OK)
        s = check_reasons(call, reasons, count);
    if (s != OK || count == 0)
        return s;
    any = arena_alloc(call->arena, 2 * count * sizeof(*any));
    if (!any)
        return arena_status(call->arena);
    for (uint32_t i = 0; i < count; i++) {
        any[query->any_count++] =
            (struct attr_match){SLICE("k8s.event.reason"), reasons[i]};
        for (size_t k = 0; k < CHANGES; k++)
            if (slice_equal(reasons[i], changes[k].reason))
                any[query->any_count++] = (struct attr_match){
                    SLICE(DERIVED_CHANGE_KIND), changes[k].kind};
    }
    query->any = any;
    return OK;
}

/* What an entry shows. */
struct event {
    struct slice reason, kind, name;
};

static struct slice change_reason(const struct log_record *log)
{
    const struct attr *kind =
        attrs_find(&log->attrs, SLICE(DERIVED_CHANGE_KIND));

    for (size_t i = 0; kind && i < CHANGES; i++)
        if (slice_equal(attr_text(kind), changes[i].kind))
            return changes[i].reason;
    return SLICE("Changed");
}

static struct event read_event(const struct log_record *log,
                               const struct source *source)
{
    struct event event = {
        .reason = reply_attr(&log->attrs, source, "k8s.event.reason"),
        .kind = reply_attr(&log->attrs, source, "k8s.object.kind"),
        .name = reply_attr(&log->attrs, source, "k8s.object.name")};

    if (event.reason.len == 0 &&
        slice_equal(log->event_name, SLICE(DERIVED_CHANGE)))
        return (struct event){change_reason(log), SLICE("Component"),
                              source->identity.component};
    if (event.reason.len == 0)
        event.reason = log->event_name;
    return event;
}

static void reply_event(struct call *call, const struct log_record *log,
                        bool exact, const struct logs_request *request)
{
    const struct source *source = reply_source(call, log->resource_id);
    struct jsonw *json = &call->json;
    struct event event;

    if (!source)
        return;
    event = read_event(log, source);
    jsonw_open(json, '{');
    paging_time(call, "timestamp", log->time_ns, exact, log->arrival);
    jsonw_member_text(json, "message", reply_value_text(call, &log->body));
    jsonw_member_text(json, "type", reply_event_type(log));
    jsonw_member_text(json, "reason", event.reason);
    if (request->scope.workflow_run.len == 0) {
        jsonw_member_open(json, "metadata", '{');
        reply_identity(call, &source->identity);
        reply_text(call, "objectKind", event.kind);
        reply_text(call, "objectName", event.name);
        reply_text(call, "objectNamespace",
                   reply_attr(&log->attrs, source, "k8s.namespace.name"));
        jsonw_close(json, '}');
        if (request->attributes) {
            jsonw_key(json, "attributes");
            jsonw_attrs(json, &log->attrs);
        }
    }
    jsonw_close(json, '}');
}

/* Without a scope, events of the given reasons wherever they are. */
static enum status query_events(struct call *call)
{
    struct logs_request request = {.query = {.events = true}};
    enum status s = read_event_filters(call, &request);

    if (s == OK && (request.query.any_count == 0 ||
                    json_object_get(call->body, "searchScope")))
        s = params_scope(call, SCOPE_WORKFLOW, &request.scope);
    if (s == OK)
        s = read_shared(call, &request);
    return s == OK ? answer(call, "events", &request, reply_event) : s;
}

const struct route routes_logs[] = {
    {"POST", "/api/v1/logs/query", query_logs, "L", TAKES_JSON, 0},
    {"POST", "/api/v1/events/query", query_events, "E", TAKES_JSON, 0},
    {0},
};
