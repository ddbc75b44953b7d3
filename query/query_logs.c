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
static enum status read_shared(struct query_request *request,
                               struct logs_request *args)
{
    struct log_query *query = &args->query;
    enum status s =
        params_page(request, true, &query->limit, &query->ascending);

    if (s == OK)
        s = paging_window(request, kind_of(query), query->ascending,
                          &args->window);
    if (s == OK)
        s = params_bool(request, "includeAttributes", &args->attributes);
    if (s == OK)
        s = params_attrs(request, "attributes", &query->attrs,
                         &query->attr_count);
    if (s != OK)
        return s;
    args->counting.most = PAGING_TOTAL;
    query->counting = &args->counting;
    query->start_ns = args->window.start_ns;
    query->end_ns = args->window.end_ns;
    query->range = args->window.range;
    query->resources = registry_select(request->services->registry,
                                       &args->scope, request->arena);
    return query->resources ? OK : arena_status(request->arena);
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

static enum status read_levels(struct query_request *request, uint32_t *levels)
{
    const struct slice *names;
    uint32_t count;
    enum status s = params_list(request, "logLevels", &names, &count);

    for (uint32_t i = 0; s == OK && i < count; i++) {
        size_t k = 0;

        while (k < 4 && !slice_equal(names[i], level_filters[k].name))
            k++;
        if (k == 4)
            s = query_fail(request, ERR_INVALID, NULL,
                           "logLevels must be of DEBUG, INFO, WARN, ERROR");
        else if (*levels & level_filters[k].levels)
            s = query_fail(request, ERR_INVALID, NULL,
                           "logLevels must not name a level twice");
        else
            *levels |= level_filters[k].levels;
    }
    return s;
}

/* The phrase is taken as it is, with the spaces at its ends. */
static enum status read_phrase(struct query_request *request,
                               struct slice *phrase)
{
    const json_t *value = json_object_get(request->body, "searchPhrase");
    enum status s = params_text(request, "searchPhrase", phrase);

    if (s == OK && phrase->len > 0)
        *phrase =
            (struct slice){json_string_value(value), json_string_length(value)};
    return s;
}

static enum status read_log_filters(struct query_request *request,
                                    struct logs_request *args)
{
    struct log_query *query = &args->query;
    bool has_trace, has_span;
    enum status s = read_levels(request, &query->levels);

    if (s == OK)
        s = read_phrase(request, &query->phrase);
    if (s == OK)
        s = params_list(request, "searchWords", &query->words,
                        &query->word_count);
    if (s == OK)
        s = params_id(request, "traceId", args->trace_id,
                      sizeof(args->trace_id), &has_trace);
    if (s == OK)
        s = params_id(request, "spanId", args->span_id, sizeof(args->span_id),
                      &has_span);
    if (s != OK)
        return s;
    query->trace_id = has_trace ? args->trace_id : NULL;
    query->span_id = has_span ? args->span_id : NULL;
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

static void reply_log_metadata(struct query_request *request,
                               const struct log_record *log,
                               const struct resource_info *source)
{
    jsonw_member_open(&request->json, "metadata", '{');
    reply_identity(request, &source->identity);
    reply_text(request, "containerName",
               reply_attr(&log->attrs, source, "k8s.container.name"));
    reply_text(request, "podName",
               reply_attr(&log->attrs, source, "k8s.pod.name"));
    reply_text(request, "podNamespace",
               reply_attr(&log->attrs, source, "k8s.namespace.name"));
    jsonw_close(&request->json, '}');
}

static void reply_id(struct query_request *request, const char *key,
                     const uint8_t *id, size_t len)
{
    if (id_is_zero(id, len))
        return;
    jsonw_member_hex(&request->json, key, id, len);
}

static void reply_log(struct query_request *request,
                      const struct log_record *log, bool exact,
                      const struct logs_request *args)
{
    struct jsonw *json = &request->json;
    const struct resource_info *source;

    jsonw_open(json, '{');
    paging_time(request, "timestamp", log->time_ns, exact, log->arrival);
    jsonw_member_text(json, "log", reply_value_text(request, &log->body));
    if (args->scope.workflow_run.len == 0) {
        reply_text(request, "eventName", log->event_name);
        jsonw_member_text(json, "level", slice_of(level_name(log->level)));
        source = reply_resource(request, log->resource_id);
        if (source)
            reply_log_metadata(request, log, source);
        reply_id(request, "traceId", log->trace_id, sizeof(log->trace_id));
        reply_id(request, "spanId", log->span_id, sizeof(log->span_id));
        reply_text(request, "endpoint", log->endpoint);
        if (args->attributes) {
            jsonw_key(json, "attributes");
            jsonw_attrs(json, &log->attrs);
        }
    }
    jsonw_close(json, '}');
}

/* One record, its time as the place it has in the list. */
typedef void reply_record(struct query_request *request,
                          const struct log_record *log, bool exact,
                          const struct logs_request *args);

static enum status reply_page(struct query_request *request,
                              const struct logs_request *args,
                              const struct log_record *logs, uint32_t known,
                              reply_record *reply)
{
    const struct log_query *query = &args->query;
    uint32_t shown = known < query->limit ? known : query->limit;
    uint64_t *times = arena_zero(request->arena, known + 1, sizeof(*times));

    if (!times)
        return arena_status(request->arena);
    for (uint32_t i = 0; i < known; i++)
        times[i] = logs[i].time_ns;
    for (uint32_t i = 0; i < shown; i++)
        reply(request, &logs[i],
              paging_exact(&args->window, query->ascending, times, i, shown,
                           known),
              args);
    jsonw_close(&request->json, ']');
    if (known > shown) {
        struct list_place last = {.time_ns = times[shown - 1],
                                  .key_len = PLACE_NUMBER};

        list_number(last.key, logs[shown - 1].arrival);
        paging_cursor(request, kind_of(query), query->ascending, &last);
    }
    return OK;
}

/* The records that were asked for, each as `reply` writes it. One more is read
 * than is shown, to know whether there is a next page. */
static enum status answer(struct query_request *request, const char *key,
                          const struct logs_request *args, reply_record *reply)
{
    struct log_query query = args->query;
    struct log_record *logs;
    uint32_t count;
    uint64_t total;

    query.limit++;
    enum status s = reader_query_logs(request->reader, &query, request->arena,
                                      &logs, &count, &total);
    if (s != OK)
        return query_fail_read(request, s);
    jsonw_open(&request->json, '{');
    jsonw_member_open(&request->json, key, '[');
    s = reply_page(request, args, logs, count, reply);
    if (s == OK)
        paging_end(request, total, args->counting.stopped);
    return s;
}

static enum status query_logs(struct query_request *request)
{
    struct logs_request args = {.attributes = false};
    enum status s = params_scope(request, SCOPE_WORKFLOW, &args.scope);

    if (s == OK)
        s = read_shared(request, &args);
    if (s == OK)
        s = read_log_filters(request, &args);
    return s == OK ? answer(request, "logs", &args, reply_log) : s;
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

static enum status check_reasons(struct query_request *request,
                                 const struct slice *reasons, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k <= i; k++)
            if (reasons[i].len == 0 ||
                (k < i && slice_equal(reasons[i], reasons[k])))
                return query_fail(request, ERR_INVALID, NULL,
                                  "reasons must be 1 to %d different texts",
                                  MAX_REASONS);
    return OK;
}

/* reasons: one of them must be the event's. */
static enum status read_event_filters(struct query_request *request,
                                      struct logs_request *args)
{
    struct log_query *query = &args->query;
    const struct slice *reasons;
    struct attr_match *any;
    uint32_t count;
    enum status s = params_list(request, "reasons", &reasons, &count);

    if (s == OK && reasons && (count == 0 || count > MAX_REASONS))
        s = query_fail(request, ERR_INVALID, NULL,
                       "reasons must be 1 to %d different texts", MAX_REASONS);
    if (s == OK)
        s = check_reasons(request, reasons, count);
    if (s != OK || count == 0)
        return s;
    any = arena_alloc(request->arena, 2 * count * sizeof(*any));
    if (!any)
        return arena_status(request->arena);
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
struct event_fields {
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

static struct event_fields read_event(const struct log_record *log,
                                      const struct resource_info *source)
{
    struct event_fields event = {
        .reason = reply_attr(&log->attrs, source, "k8s.event.reason"),
        .kind = reply_attr(&log->attrs, source, "k8s.object.kind"),
        .name = reply_attr(&log->attrs, source, "k8s.object.name")};

    if (event.reason.len == 0 &&
        slice_equal(log->event_name, SLICE(DERIVED_CHANGE)))
        return (struct event_fields){change_reason(log), SLICE("Component"),
                                     source->identity.component};
    if (event.reason.len == 0)
        event.reason = log->event_name;
    return event;
}

static void reply_event(struct query_request *request,
                        const struct log_record *log, bool exact,
                        const struct logs_request *args)
{
    const struct resource_info *source =
        reply_resource(request, log->resource_id);
    struct jsonw *json = &request->json;
    struct event_fields event;

    if (!source)
        return;
    event = read_event(log, source);
    jsonw_open(json, '{');
    paging_time(request, "timestamp", log->time_ns, exact, log->arrival);
    jsonw_member_text(json, "message", reply_value_text(request, &log->body));
    jsonw_member_text(json, "type", reply_event_type(log));
    jsonw_member_text(json, "reason", event.reason);
    if (args->scope.workflow_run.len == 0) {
        jsonw_member_open(json, "metadata", '{');
        reply_identity(request, &source->identity);
        reply_text(request, "objectKind", event.kind);
        reply_text(request, "objectName", event.name);
        reply_text(request, "objectNamespace",
                   reply_attr(&log->attrs, source, "k8s.namespace.name"));
        jsonw_close(json, '}');
        if (args->attributes) {
            jsonw_key(json, "attributes");
            jsonw_attrs(json, &log->attrs);
        }
    }
    jsonw_close(json, '}');
}

/* Without a scope, events of the given reasons wherever they are. */
static enum status query_events(struct query_request *request)
{
    struct logs_request args = {.query = {.events = true}};
    enum status s = read_event_filters(request, &args);

    if (s == OK && (args.query.any_count == 0 ||
                    json_object_get(request->body, "searchScope")))
        s = params_scope(request, SCOPE_WORKFLOW, &args.scope);
    if (s == OK)
        s = read_shared(request, &args);
    return s == OK ? answer(request, "events", &args, reply_event) : s;
}

const struct route routes_logs[] = {
    {"POST", "/api/v1/logs/query", query_logs, "L", TAKES_JSON, 0},
    {"POST", "/api/v1/events/query", query_events, "E", TAKES_JSON, 0},
    {0},
};
