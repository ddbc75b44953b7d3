/* Events and changes as answers show them; see event_reply.h. */
#include "event_reply.h"

#include "derived.h"

/* Changes that were found in the telemetry, and the reasons they show. */
static const struct {
    struct slice kind, reason;
} changes[] = {
    {SLICE_INIT("version"), SLICE_INIT("VersionChanged")},
    {SLICE_INIT("image"), SLICE_INIT("ImageChanged")},
    {SLICE_INIT("pod-template"), SLICE_INIT("PodTemplateChanged")},
};

enum { CHANGES = sizeof(changes) / sizeof(*changes) };

struct slice event_change_kind(struct slice reason)
{
    for (size_t i = 0; i < CHANGES; i++)
        if (slice_equal(reason, changes[i].reason))
            return changes[i].kind;
    return (struct slice){NULL, 0};
}

/* ---- events ---- */

static const struct reply_table event_metadata_table = REPLY_TABLE(
    struct event_metadata,
    REPLY_INLINE(struct event_metadata, identity, REPLY_POINTER,
                 &identity_table),
    REPLY_OPTIONAL(struct event_metadata, "objectKind", kind),
    REPLY_OPTIONAL(struct event_metadata, "objectName", name),
    REPLY_OPTIONAL(struct event_metadata, "objectNamespace", namespace));

const struct reply_table event_entry_table = REPLY_TABLE(
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

bool event_view_fill(struct event_view *view, struct query_request *request,
                     const struct log_record *log)
{
    const struct resource_info *resource =
        reply_resource(request, log->resource_id);

    if (!resource)
        return false;
    view->entry =
        (struct event_entry){.message = reply_value_text(request, &log->body),
                             .type = reply_event_type(log),
                             .metadata = &view->metadata};
    set_object(&view->entry, &view->metadata, log, resource);
    return true;
}

/* ---- changes of a component ---- */

const struct reply_table change_table = REPLY_TABLE(
    struct change_item, REPLY_TIME(struct change_item, "timestamp", time_ns),
    REPLY(struct change_item, "type", type),
    REPLY(struct change_item, "kind", kind),
    REPLY_OPTIONAL(struct change_item, "from", from),
    REPLY_OPTIONAL(struct change_item, "to", to),
    REPLY_OPTIONAL(struct change_item, "release", release),
    REPLY_OPTIONAL(struct change_item, "commit", commit),
    REPLY_OPTIONAL(struct change_item, "phase", phase),
    REPLY_OPTIONAL(struct change_item, "reason", reason),
    REPLY(struct change_item, "message", message));

void change_item_fill(struct change_item *item, struct query_request *request,
                      const struct log_record *log)
{
    const struct {
        struct slice *to;
        const char *key;
    } texts[] = {{&item->kind, DERIVED_CHANGE_KIND},
                 {&item->from, DERIVED_CHANGE_FROM},
                 {&item->to, DERIVED_CHANGE_TO},
                 {&item->release, DERIVED_CHANGE_RELEASE},
                 {&item->commit, DERIVED_CHANGE_COMMIT},
                 {&item->phase, DERIVED_CHANGE_PHASE},
                 {&item->reason, "k8s.event.reason"}};

    *item =
        (struct change_item){.time_ns = log->time_ns,
                             .type = reply_event_type(log),
                             .message = reply_value_text(request, &log->body)};
    for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++)
        *texts[k].to = attrs_text(&log->attrs, slice_of(texts[k].key));
    if (item->kind.len == 0)
        item->kind = SLICE("kubernetes");
}
