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

static enum status read_common(struct call *call, struct logs_request *request)
{
    struct log_query *query = &request->query;
    enum status s = params_scope(call, SCOPE_WORKFLOW, &request->scope);

    if (s == OK)
        s = params_page(call, true, &query->limit, &query->ascending);
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

static enum status read_filters(struct call *call, struct logs_request *request)
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
    enum status s = read_common(call, &request);

    if (s == OK)
        s = read_filters(call, &request);
    return s == OK ? answer(call, "logs", &request, reply_log) : s;
}

/* ---- events ---- */

/* What an entry shows; from attributes, or from the whole Event object that
 * the k8sobjects receiver puts into the body. */
struct event {
    struct slice message, type, reason, kind, name, namespace;
};

static const struct attr *map_find(const struct attr *map, const char *key)
{
    struct attrs entries;

    if (!map || map->type != VALUE_MAP)
        return NULL;
    entries = (struct attrs){map->items, map->len, 0};
    return attrs_find(&entries, slice_of(key));
}

static void take_text(struct slice *into, const struct attr *value)
{
    if (into->len == 0 && value)
        *into = attr_text(value);
}

static void read_object(struct event *event, const struct attr *body)
{
    const struct attr *object = map_find(body, "object"), *about;

    if (!object)
        object = body;
    take_text(&event->message, map_find(object, "note"));
    take_text(&event->message, map_find(object, "message"));
    take_text(&event->type, map_find(object, "type"));
    take_text(&event->reason, map_find(object, "reason"));
    about = map_find(object, "regarding");
    if (!about)
        about = map_find(object, "involvedObject");
    take_text(&event->kind, map_find(about, "kind"));
    take_text(&event->name, map_find(about, "name"));
    take_text(&event->namespace, map_find(about, "namespace"));
}

static struct slice change_reason(const struct log_record *log)
{
    const struct attr *kind =
        attrs_find(&log->attrs, SLICE(DERIVED_CHANGE_KIND));
    struct slice text = kind ? attr_text(kind) : (struct slice){NULL, 0};

    if (slice_equal(text, SLICE("version")))
        return SLICE("VersionChanged");
    if (slice_equal(text, SLICE("image")))
        return SLICE("ImageChanged");
    if (slice_equal(text, SLICE("pod-template")))
        return SLICE("PodTemplateChanged");
    return SLICE("Changed");
}

static void read_change(struct event *event, const struct log_record *log,
                        const struct source *source)
{
    event->reason = change_reason(log);
    event->kind = SLICE("Component");
    event->name = source->identity.component;
    event->type = SLICE("Normal");
}

static void read_event(struct call *call, struct event *event,
                       const struct log_record *log,
                       const struct source *source)
{
    bool normal = slice_equal(log->severity_text, SLICE("Normal"));

    memset(event, 0, sizeof(*event));
    if (slice_equal(log->event_name, SLICE(DERIVED_CHANGE)))
        read_change(event, log, source);
    if (normal || slice_equal(log->severity_text, SLICE("Warning")))
        event->type = log->severity_text;
    if (event->reason.len == 0)
        event->reason = reply_attr(&log->attrs, source, "k8s.event.reason");
    if (event->kind.len == 0)
        event->kind = reply_attr(&log->attrs, source, "k8s.object.kind");
    if (event->name.len == 0)
        event->name = reply_attr(&log->attrs, source, "k8s.object.name");
    event->namespace = reply_attr(&log->attrs, source, "k8s.namespace.name");
    if (log->body.type == VALUE_MAP)
        read_object(event, &log->body);
    if (event->message.len == 0)
        event->message = reply_value_text(call, &log->body);
    if (event->type.len == 0)
        event->type =
            log->level >= LEVEL_WARN ? SLICE("Warning") : SLICE("Normal");
    if (event->reason.len == 0)
        event->reason = log->event_name;
}

static void reply_event(struct call *call, const struct log_record *log,
                        bool exact, const struct logs_request *request)
{
    const struct source *source = reply_source(call, log->resource_id);
    struct jsonw *json = &call->json;
    struct event event;

    if (!source)
        return;
    read_event(call, &event, log, source);
    jsonw_open(json, '{');
    paging_time(call, "timestamp", log->time_ns, exact, log->arrival);
    jsonw_member_text(json, "message", event.message);
    jsonw_member_text(json, "type", event.type);
    jsonw_member_text(json, "reason", event.reason);
    if (request->scope.workflow_run.len == 0) {
        jsonw_member_open(json, "metadata", '{');
        reply_identity(call, &source->identity);
        reply_text(call, "objectKind", event.kind);
        reply_text(call, "objectName", event.name);
        reply_text(call, "objectNamespace", event.namespace);
        jsonw_close(json, '}');
        if (request->attributes) {
            jsonw_key(json, "attributes");
            jsonw_attrs(json, &log->attrs);
        }
    }
    jsonw_close(json, '}');
}

static enum status query_events(struct call *call)
{
    struct logs_request request = {.query = {.events = true}};
    enum status s = read_common(call, &request);

    return s == OK ? answer(call, "events", &request, reply_event) : s;
}

const struct route routes_logs[] = {
    {"POST", "/api/v1/logs/query", query_logs, "L", TAKES_JSON, 0},
    {"POST", "/api/v1/events/query", query_events, "E", TAKES_JSON, 0},
    {0},
};
