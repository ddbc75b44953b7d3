/* What routes over log records have in common; see log_reply.h. */
#include "log_reply.h"

/* ---- filters ---- */

static const struct {
    struct slice name;
    uint32_t levels;
} level_filters[] = {
    {SLICE_INIT("DEBUG"), 1u << LEVEL_DEBUG | 1u << LEVEL_TRACE},
    {SLICE_INIT("INFO"), 1u << LEVEL_INFO | 1u << LEVEL_UNSET},
    {SLICE_INIT("WARN"), 1u << LEVEL_WARN},
    {SLICE_INIT("ERROR"), 1u << LEVEL_ERROR | 1u << LEVEL_FATAL},
};

uint32_t log_level_filter(struct slice name)
{
    for (size_t i = 0; i < sizeof(level_filters) / sizeof(*level_filters); i++)
        if (slice_equal(name, level_filters[i].name))
            return level_filters[i].levels;
    return 0;
}

static void read_levels(struct query_request *request, uint32_t *levels)
{
    const struct slice *names;
    uint32_t count;

    params_list(request, "logLevels", &names, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t filter = log_level_filter(names[i]);

        if (filter == 0)
            query_invalid(request,
                          "logLevels must be any of DEBUG, INFO, WARN, ERROR");
        else if (*levels & filter)
            query_invalid(request, "logLevels must not name a level twice");
        else
            *levels |= filter;
    }
}

enum status log_filters(struct query_request *request, struct log_query *query,
                        struct log_ids *ids)
{
    const json_t *phrase = json_object_get(request->body, "searchPhrase");
    bool has_trace, has_span;

    read_levels(request, &query->levels);
    params_text(request, "searchPhrase", &query->phrase);
    if (query->phrase.len > 0) /* with the spaces at its ends */
        query->phrase = json_text_of(phrase);
    params_list(request, "searchWords", &query->words, &query->word_count);
    params_attrs(request, "attributes", &query->attrs, &query->attr_count);
    params_id(request, "traceId", ids->trace_id, sizeof(ids->trace_id),
              &has_trace);
    params_id(request, "spanId", ids->span_id, sizeof(ids->span_id), &has_span);
    query->trace_id = has_trace ? ids->trace_id : NULL;
    query->span_id = has_span ? ids->span_id : NULL;
    return request->failed;
}

/* ---- the answer ---- */

const char *log_level_name(uint8_t level)
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

static const struct reply_table log_metadata_table = REPLY_TABLE(
    struct log_metadata,
    REPLY_INLINE(struct log_metadata, identity, REPLY_POINTER, &identity_table),
    REPLY_OPTIONAL(struct log_metadata, "containerName", container),
    REPLY_OPTIONAL(struct log_metadata, "podName", pod),
    REPLY_OPTIONAL(struct log_metadata, "podNamespace", pod_namespace));

const struct reply_table log_entry_table =
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

const struct log_entry *log_view_fill(struct log_view *view,
                                      struct query_request *request,
                                      const struct log_record *log,
                                      struct list_time time, bool attributes)
{
    struct log_entry *entry = &view->entry;
    const struct resource_info *resource;

    *entry = (struct log_entry){.time = time,
                                .text = reply_value_text(request, &log->body),
                                .event_name = log->event_name,
                                .level = log_level_name(log->level),
                                .endpoint = log->endpoint};
    memcpy(entry->trace_id, log->trace_id, sizeof(entry->trace_id));
    memcpy(entry->span_id, log->span_id, sizeof(entry->span_id));
    if (attributes)
        entry->attrs = &log->attrs;
    resource = reply_resource(request, log->resource_id);
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
