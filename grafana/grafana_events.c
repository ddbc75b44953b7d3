/*
 * Events of Kubernetes, and changes: versions, images, releases, incidents. As
 * a table and, by their fields time, timeEnd, text, title, tags, as
 * annotations.
 */
#include "clock.h"
#include "derived.h"
#include "event_reply.h"
#include "grafana_columns.h"
#include "grafana_handlers.h"
#include "grafana_records.h"

enum { EVENTS = 200, EVENTS_MAX = 1000 };

static const struct slice change_kinds[] = {
    SLICE_INIT("version"), SLICE_INIT("image"), SLICE_INIT("pod-template"),
    SLICE_INIT("release")};
enum { KINDS = sizeof(change_kinds) / sizeof(*change_kinds) };

/* ---- events ---- */

enum {
    EVENT_TIME,
    EVENT_MESSAGE,
    EVENT_TYPE,
    EVENT_REASON,
    EVENT_OBJECT_KIND,
    EVENT_OBJECT,
    EVENT_COMPONENT,
    EVENT_PROJECT,
    EVENT_ENVIRONMENT,
    EVENT_NAMESPACE,
    EVENT_COLUMNS
};
static const struct column event_columns[EVENT_COLUMNS] = {
    {"time", FIELD_TIME, NULL, "Time", NULL, NULL},
    {"text", FIELD_STRING, NULL, "Message", NULL, NULL},
    {"type", FIELD_STRING, NULL, "Type", NULL, NULL},
    {"reason", FIELD_STRING, NULL, "Reason", NULL, NULL},
    {"objectKind", FIELD_STRING, NULL, "Kind", NULL, NULL},
    {"object", FIELD_STRING, NULL, "Object", NULL, NULL},
    {"component", FIELD_STRING, NULL, "Component", NULL, NULL},
    {"project", FIELD_STRING, NULL, "Project", NULL, NULL},
    {"environment", FIELD_STRING, NULL, "Environment", NULL, NULL},
    {"namespace", FIELD_STRING, NULL, "Namespace", NULL, NULL},
};

static void add_event(struct grafana_query *q, struct grafana_field **f,
                      const struct log_record *log)
{
    struct event_view view;
    const struct identity *identity;

    if (!event_view_fill(&view, q->request, log))
        return; /* the arena is full: this answer is replaced */
    identity = view.metadata.identity;
    field_time(f[EVENT_TIME], log->time_ns);
    field_text(f[EVENT_MESSAGE], view.entry.message);
    field_text(f[EVENT_TYPE], view.entry.type);
    field_text(f[EVENT_REASON], view.entry.reason);
    field_text(f[EVENT_OBJECT_KIND], view.metadata.kind);
    field_text(f[EVENT_OBJECT], view.metadata.name);
    field_text(f[EVENT_COMPONENT], identity->component);
    field_text(f[EVENT_PROJECT], identity->project);
    field_text(f[EVENT_ENVIRONMENT], identity->environment);
    field_text(f[EVENT_NAMESPACE], identity->namespace);
}

/* Any of the reasons; a change has the reason of its kind. */
static void match_reasons(struct grafana_query *q, struct log_query *query)
{
    uint32_t count;
    const struct slice *reasons = payload_texts(q, "reason", &count);
    struct attr_match *any =
        arena_zero(q->request->arena, 2 * (size_t)count, sizeof(*any));

    for (uint32_t i = 0; any && i < count; i++) {
        struct slice kind = event_change_kind(reasons[i]);

        any[query->any_count++] =
            (struct attr_match){SLICE("k8s.event.reason"), reasons[i]};
        if (kind.len > 0)
            any[query->any_count++] =
                (struct attr_match){SLICE(DERIVED_CHANGE_KIND), kind};
    }
    query->any = any;
}

enum status grafana_events(struct grafana_query *q)
{
    struct records records = {
        .q = q,
        .query = {.events = true},
        .limit = payload_number(q, "limit", EVENTS, EVENTS_MAX)};
    struct grafana_field *f[EVENT_COLUMNS];
    struct grafana_frame *frame;
    enum status s;

    match_reasons(q, &records.query);
    if (payload_bool(q, "warnings", false))
        records.query.levels =
            1u << LEVEL_WARN | 1u << LEVEL_ERROR | 1u << LEVEL_FATAL;
    s = records_read(&records);
    if (s != OK)
        return s;
    frame = FRAME_COLUMNS(q, "events", event_columns, f);
    link_row_component(f[EVENT_COMPONENT]);
    for (uint32_t i = 0; i < records.count; i++) {
        frame_row(frame);
        add_event(q, f, records.at[i]);
    }
    records_notices(&records, frame, "events", SIGNAL_LOGS);
    return OK;
}

/* ---- changes ---- */

enum {
    CHANGE_TIME,
    CHANGE_END,
    CHANGE_TEXT, /* the first text: that of an annotation */
    CHANGE_TITLE,
    CHANGE_KIND,
    CHANGE_FROM,
    CHANGE_TO,
    CHANGE_COMPONENT,
    CHANGE_PROJECT,
    CHANGE_ENVIRONMENT,
    CHANGE_NAMESPACE,
    CHANGE_RELEASE,
    CHANGE_COMMIT,
    CHANGE_TAGS,
    CHANGE_ID,
    CHANGE_COLOR,
    CHANGE_COLUMNS
};
static const struct column change_columns[CHANGE_COLUMNS] = {
    {"time", FIELD_TIME, NULL, "Time", NULL, NULL},
    {"timeEnd", FIELD_TIME, NULL, "Until", NULL,
     "When a release had succeeded or failed"},
    {"text", FIELD_STRING, NULL, "What", NULL, NULL},
    {"title", FIELD_STRING, NULL, "Title", NULL, NULL},
    {"kind", FIELD_STRING, NULL, "Kind", NULL, NULL},
    {"from", FIELD_STRING, NULL, "From", NULL, NULL},
    {"to", FIELD_STRING, NULL, "To", NULL, NULL},
    {"component", FIELD_STRING, NULL, "Component", NULL, NULL},
    {"project", FIELD_STRING, NULL, "Project", NULL, NULL},
    {"environment", FIELD_STRING, NULL, "Environment", NULL, NULL},
    {"namespace", FIELD_STRING, NULL, "Namespace", NULL, NULL},
    {"release", FIELD_STRING, NULL, "Release", NULL, NULL},
    {"commit", FIELD_STRING, NULL, "Commit", NULL, NULL},
    {"tags", FIELD_STRING, NULL, "Tags", NULL, NULL},
    {"id", FIELD_STRING, NULL, "Id", NULL, NULL},
    {"color", FIELD_STRING, NULL, "Color", NULL, NULL},
};

/* Kinds of the payload, else all that are stored. Incidents are not: they are
 * found when they are asked for. */
static bool match_kinds(struct grafana_query *q, struct log_query *query)
{
    uint32_t count;
    const struct slice *kinds = payload_texts(q, "kind", &count);
    struct attr_match *any;
    bool incidents = false;

    if (count == 0) {
        kinds = change_kinds;
        count = KINDS;
    }
    any = arena_zero(q->request->arena, count, sizeof(*any));
    for (uint32_t i = 0; any && i < count; i++)
        if (slice_equal(kinds[i], SLICE("incident")))
            incidents = true;
        else
            any[query->any_count++] =
                (struct attr_match){SLICE(DERIVED_CHANGE_KIND), kinds[i]};
    query->any = any;
    return incidents;
}

/* The end of a release, among the records of the answer: the next phase of the
 * same name. */
static uint64_t release_end(struct grafana_query *q,
                            const struct records *records, uint32_t start,
                            const struct change_item *item)
{
    const struct log_record *log = records->at[start];

    for (uint32_t i = start; i-- > 0;) { /* newest first */
        struct change_item other;

        if (records->at[i]->resource_id != log->resource_id ||
            !slice_equal(attrs_text(&records->at[i]->attrs,
                                    SLICE(DERIVED_CHANGE_RELEASE)),
                         item->release))
            continue;
        change_item_fill(&other, q->request, records->at[i]);
        if (!slice_equal(other.phase, item->phase))
            return other.time_ns;
    }
    return 0;
}

static void add_change(struct grafana_query *q, struct grafana_field **f,
                       const struct records *records, uint32_t i)
{
    const struct log_record *log = records->at[i];
    const struct identity *identity =
        reply_resource_identity(q->request, log->resource_id);
    struct arena *arena = q->request->arena;
    struct change_item item;

    if (!identity)
        return; /* the arena is full: this answer is replaced */
    change_item_fill(&item, q->request, log);
    field_time(f[CHANGE_TIME], item.time_ns);
    if (item.release.len > 0)
        field_time(f[CHANGE_END], release_end(q, records, i, &item));
    field_text(f[CHANGE_TEXT], item.message);
    field_text(f[CHANGE_TITLE],
               arena_format(arena, "%.*s: %.*s", (int)identity->component.len,
                            identity->component.ptr, (int)item.kind.len,
                            item.kind.ptr));
    field_text(f[CHANGE_COLOR], slice_equal(item.phase, SLICE("failed"))
                                    ? SLICE("red")
                                    : SLICE("blue"));
    field_text(f[CHANGE_KIND], item.kind);
    field_text(f[CHANGE_FROM], item.from);
    field_text(f[CHANGE_TO], item.to);
    field_text(f[CHANGE_COMPONENT], identity->component);
    field_text(f[CHANGE_PROJECT], identity->project);
    field_text(f[CHANGE_ENVIRONMENT], identity->environment);
    field_text(f[CHANGE_NAMESPACE], identity->namespace);
    field_text(f[CHANGE_RELEASE], item.release);
    field_text(f[CHANGE_COMMIT], item.commit);
    field_text(f[CHANGE_TAGS], arena_format(arena, "%.*s,%.*s,%.*s",
                                            (int)identity->component.len,
                                            identity->component.ptr,
                                            (int)identity->environment.len,
                                            identity->environment.ptr,
                                            (int)item.kind.len, item.kind.ptr));
    field_text(f[CHANGE_ID], arena_format(arena, "%016llx",
                                          (unsigned long long)log->arrival));
}

/* ---- incidents: what the search for a cause finds ---- */

struct change_rows {
    struct grafana_query *q;
    struct grafana_frame *frame;
    struct grafana_field **f;
};

static void add_incident(void *arg, const struct incident_region *incident)
{
    struct change_rows *rows = arg;
    const struct identity *identity = incident->identity;
    struct arena *arena = rows->q->request->arena;
    struct grafana_field **f = rows->f;

    frame_row(rows->frame);
    field_time(f[CHANGE_TIME], incident->start_ns);
    field_time(f[CHANGE_END], incident->end_ns);
    field_text(f[CHANGE_TEXT], incident->text);
    field_text(f[CHANGE_TITLE], arena_format(arena, "%.*s: incident",
                                             (int)identity->component.len,
                                             identity->component.ptr));
    field_text(f[CHANGE_KIND], SLICE("incident"));
    field_text(f[CHANGE_COLOR], SLICE("red"));
    field_text(f[CHANGE_TAGS], arena_format(arena, "%.*s,incident",
                                            (int)identity->component.len,
                                            identity->component.ptr));
    field_text(f[CHANGE_ID],
               arena_format(arena, "incident-%016llx",
                            (unsigned long long)incident->start_ns));
    field_text(f[CHANGE_COMPONENT], identity->component);
    field_text(f[CHANGE_PROJECT], identity->project);
    field_text(f[CHANGE_ENVIRONMENT], identity->environment);
    field_text(f[CHANGE_NAMESPACE], identity->namespace);
}

enum status grafana_changes(struct grafana_query *q)
{
    struct records records = {
        .q = q,
        .query = {.events = true},
        .limit = payload_number(q, "limit", EVENTS, EVENTS_MAX)};
    struct grafana_field *f[CHANGE_COLUMNS];
    struct change_rows rows = {.q = q, .f = f};
    bool incidents = match_kinds(q, &records.query);
    enum status s = OK;

    if (records.query.any_count > 0)
        s = records_read(&records);
    if (s != OK)
        return s;
    rows.frame = FRAME_COLUMNS(q, "changes", change_columns, f);
    link_row_component(f[CHANGE_COMPONENT]);
    for (uint32_t i = 0; i < records.count; i++) {
        frame_row(rows.frame);
        add_change(q, f, &records, i);
    }
    if (incidents)
        s = cause_incidents(q, rows.frame, add_incident, &rows);
    if (records.query.any_count > 0 && (!incidents || rows.frame->rows == 0))
        records_notices(&records, rows.frame, "changes", SIGNAL_LOGS);
    return s;
}
