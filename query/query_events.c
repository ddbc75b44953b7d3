/*
 * POST /api/v1/events/query: Kubernetes events, and changes that were found in
 * the telemetry. Both are log records of the events stream (query_logs.h).
 */
#include "derived.h"
#include "query_logs.h"

/* Changes that were found in the telemetry, and the reasons they show. */
static const struct {
    struct slice kind, reason;
} changes[] = {
    {SLICE_INIT("version"), SLICE_INIT("VersionChanged")},
    {SLICE_INIT("image"), SLICE_INIT("ImageChanged")},
    {SLICE_INIT("pod-template"), SLICE_INIT("PodTemplateChanged")},
};

enum { CHANGES = sizeof(changes) / sizeof(*changes), MAX_REASONS = 32 };

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
    uint32_t count;

    params_list(request, "reasons", &reasons, &count);
    if (check_reasons(request, reasons, count) != OK || count == 0)
        return request->failed;
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

/* ---- the answer ---- */

struct event_metadata {
    const struct identity *identity;
    struct slice kind, name, namespace;
};
static const struct reply_table event_metadata_table = REPLY_TABLE(
    struct event_metadata,
    REPLY_INLINE(struct event_metadata, identity, REPLY_POINTER,
                 &identity_table),
    REPLY_OPTIONAL(struct event_metadata, "objectKind", kind),
    REPLY_OPTIONAL(struct event_metadata, "objectName", name),
    REPLY_OPTIONAL(struct event_metadata, "objectNamespace", namespace));

struct event_entry {
    struct list_time time;
    struct slice message, type, reason;
    const struct event_metadata *metadata; /* NULL: of a workflow run */
    const struct attrs *attrs;
};
static const struct reply_table event_entry_table = REPLY_TABLE(
    struct event_entry, REPLY(struct event_entry, "timestamp", time),
    REPLY(struct event_entry, "message", message),
    REPLY(struct event_entry, "type", type),
    REPLY(struct event_entry, "reason", reason),
    REPLY_OBJECT(struct event_entry, "metadata", metadata, REPLY_POINTER,
                 &event_metadata_table),
    REPLY_ATTRS(struct event_entry, "attributes", attrs));

static struct slice change_reason(const struct log_record *log)
{
    struct slice kind = attrs_text(&log->attrs, SLICE(DERIVED_CHANGE_KIND));

    for (size_t i = 0; i < CHANGES; i++)
        if (slice_equal(kind, changes[i].kind))
            return changes[i].reason;
    return SLICE("Changed");
}

/* Reason and object of an event, from its attributes; of a change, from what
 * changed. */
static void set_object(struct event_entry *entry,
                       struct event_metadata *metadata,
                       const struct log_record *log,
                       const struct resource_info *resource)
{
    *metadata = (struct event_metadata){
        &resource->identity,
        reply_attr(&log->attrs, resource, "k8s.object.kind"),
        reply_attr(&log->attrs, resource, "k8s.object.name"),
        reply_attr(&log->attrs, resource, "k8s.namespace.name")};
    entry->reason = reply_attr(&log->attrs, resource, "k8s.event.reason");
    if (entry->reason.len > 0)
        return;
    if (slice_equal(log->event_name, SLICE(DERIVED_CHANGE))) {
        entry->reason = change_reason(log);
        metadata->kind = SLICE("Component");
        metadata->name = resource->identity.component;
    } else {
        entry->reason = log->event_name;
    }
}

struct event_view {
    struct event_entry entry;
    struct event_metadata metadata;
};

static const void *event_item(void *arg, uint32_t i)
{
    const struct log_list *list = arg;
    const struct log_record *log = &list->logs[i];
    struct event_view *view = list->entry;
    const struct resource_info *resource =
        reply_resource(list->request, log->resource_id);

    if (!resource)
        return NULL; /* the arena is full: this answer is replaced */
    view->entry = (struct event_entry){
        .time = paging_time(&list->page, i),
        .message = reply_value_text(list->request, &log->body),
        .type = reply_event_type(log)};
    set_object(&view->entry, &view->metadata, log, resource);
    if (list->search->scope.workflow_run.len == 0) {
        view->entry.metadata = &view->metadata;
        view->entry.attrs = list->search->attributes ? &log->attrs : NULL;
    }
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
