/* What would assign a sender, and the answer; see unassigned.h. */
#include <ctype.h>

#include "clock.h"
#include "empty_reply.h"
#include "unassigned.h"

static struct slice text_of(const struct sender *s, const char *key)
{
    return attrs_text(&s->attrs, slice_of(key));
}

/* The name that it goes by elsewhere; empty: none. */
static struct slice guess_name(const struct sender *s)
{
    static const char *const keys[] = {"k8s.deployment.name",
                                       "k8s.statefulset.name",
                                       "k8s.daemonset.name",
                                       "k8s.cronjob.name",
                                       "k8s.container.name",
                                       "container.name",
                                       "faas.name",
                                       "process.executable.name",
                                       "job",
                                       NULL};

    for (int i = 0; keys[i]; i++)
        if (text_of(s, keys[i]).len > 0)
            return text_of(s, keys[i]);
    return (struct slice){NULL, 0};
}

/* What people may know it by, even if it is no name for a component. */
static struct slice shown_name(const struct sender *s)
{
    static const char *const keys[] = {
        "k8s.pod.name",           "host.name", "service.name", "k8s.node.name",
        "telemetry.sdk.language", NULL};
    struct slice name = guess_name(s);

    for (int i = 0; keys[i] && name.len == 0; i++)
        name = text_of(s, keys[i]);
    return name;
}

static struct slice known_or(struct slice name, const char *otherwise)
{
    return name.len > 0 && !slice_equal(name, SLICE("default"))
               ? name
               : slice_of(otherwise);
}

enum { LABELS = 4 };

static void make_labels(struct query_request *request, const struct sender *s,
                        struct attr at[LABELS])
{
    const struct registry_keys *keys =
        registry_label_keys(request->services->registry);
    struct slice project = s->identity.project.len > 0
                               ? s->identity.project
                               : text_of(s, "service.namespace");
    const struct {
        struct slice key, value;
    } rows[LABELS] = {
        {keys->namespace, known_or(s->identity.namespace, "NAMESPACE")},
        {keys->project, known_or(project, "PROJECT")},
        {keys->component, known_or(guess_name(s), "COMPONENT")},
        {keys->environment, known_or(s->identity.environment, "ENVIRONMENT")}};

    for (int i = 0; i < LABELS; i++)
        at[i] = (struct attr){.key = rows[i].key.ptr,
                              .key_len = (uint16_t)rows[i].key.len,
                              .type = VALUE_STRING,
                              .str = rows[i].value.ptr,
                              .len = (uint32_t)rows[i].value.len};
}

/* Percent-encoded, as OTEL_RESOURCE_ATTRIBUTES wants it. */
static void add_encoded(struct buf *out, struct slice text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (isalnum(c) || (c && strchr("-_./:", c))) {
            buf_byte(out, text.ptr[i]);
            continue;
        }
        buf_byte(out, '%');
        buf_byte(out, digits[c >> 4]);
        buf_byte(out, digits[c & 15]);
    }
}

static struct slice make_example(struct query_request *request,
                                 const struct attr at[LABELS])
{
    struct slice text;
    struct buf out;

    buf_init(&out, 8192);
    for (int i = 0; i < LABELS; i++) {
        buf_add(&out, i == 0 ? SLICE("OTEL_RESOURCE_ATTRIBUTES=") : SLICE(","));
        buf_add(&out, attr_key(&at[i]));
        buf_byte(&out, '=');
        add_encoded(&out, attr_text(&at[i]));
    }
    text = arena_copy(request->arena, buf_slice(&out));
    buf_release(&out);
    return text;
}

static const struct {
    const char *name, *why;
} reasons[UNASSIGNED_REASONS] = {
    [UNASSIGNED_NO_SERVICE_NAME] = {"noServiceName",
                                    "its resources have neither labels of the "
                                    "control plane nor service.name"},
    [UNASSIGNED_UNKNOWN_SERVICE] = {"unknownService",
                                    "its service.name is the one that an SDK "
                                    "sends when none is configured"},
    [UNASSIGNED_POD_NOT_STAMPED] =
        {"podNotStamped", "its resources name a pod, but nothing that was "
                          "received from that pod has labels of the control "
                          "plane, nor do they have a service.name"},
    [UNASSIGNED_NO_COMPONENT] = {"noComponent",
                                 "its resources have the label of a project, "
                                 "but of no component, and no service.name"},
    [UNASSIGNED_NO_ROOM] = {"noRoom",
                            "the registry had no room for its component; it is "
                            "tried again when it sends (--max-identities)"},
};

/* ---- the answer ---- */

struct records_view {
    uint64_t spans, logs, metrics;
};
static const struct reply_table records_table =
    REPLY_TABLE(struct records_view, REPLY(struct records_view, "spans", spans),
                REPLY(struct records_view, "logs", logs),
                REPLY(struct records_view, "metrics", metrics));

struct sender_view {
    struct slice name, namespace, project, environment, example;
    uint32_t resources;
    const struct attrs *attributes, *labels;
    struct records_view records;
    uint64_t first_ns, last_ns;
    const char *reason, *why;
    struct attrs of_labels;
    struct attr label[LABELS];
};
static const struct reply_table sender_table = REPLY_TABLE(
    struct sender_view, REPLY(struct sender_view, "name", name),
    REPLY(struct sender_view, "namespace", namespace),
    REPLY_OPTIONAL(struct sender_view, "project", project),
    REPLY(struct sender_view, "environment", environment),
    REPLY(struct sender_view, "resources", resources),
    REPLY_ATTRS(struct sender_view, "attributes", attributes),
    REPLY_OBJECT(struct sender_view, "records", records, 0, &records_table),
    REPLY_OPTIONAL_TIME(struct sender_view, "firstSeen", first_ns),
    REPLY_OPTIONAL_TIME(struct sender_view, "lastSeen", last_ns),
    REPLY(struct sender_view, "reason", reason),
    REPLY(struct sender_view, "why", why),
    REPLY_ATTRS(struct sender_view, "labels", labels),
    REPLY(struct sender_view, "example", example));

struct times_view {
    uint64_t start_ns, end_ns;
};
static const struct reply_table times_table = REPLY_TABLE(
    struct times_view, REPLY_TIME(struct times_view, "startTime", start_ns),
    REPLY_TIME(struct times_view, "endTime", end_ns));

struct unassigned_view {
    struct reply_list senders;
    uint32_t total, resources;
    struct times_view window;
    const struct empty_reply *empty;
    int64_t took_ms;
};
const struct reply_table unassigned_table = REPLY_TABLE(
    struct unassigned_view,
    REPLY_LIST(struct unassigned_view, "senders", senders, &sender_table),
    REPLY(struct unassigned_view, "total", total),
    REPLY(struct unassigned_view, "resources", resources),
    REPLY_OBJECT(struct unassigned_view, "window", window, 0, &times_table),
    REPLY_OBJECT(struct unassigned_view, "empty", empty, REPLY_POINTER,
                 &empty_table),
    REPLY(struct unassigned_view, "tookMs", took_ms));

struct sender_writer {
    struct unassigned_list *list;
    struct sender_view view;
};

static const void *sender_item(void *arg, uint32_t i)
{
    struct sender_writer *writer = arg;
    const struct sender *s = &writer->list->senders[i];
    struct sender_view *view = &writer->view;

    *view = (struct sender_view){.name = shown_name(s),
                                 .namespace = s->identity.namespace,
                                 .project = s->identity.project,
                                 .environment = s->identity.environment,
                                 .resources = s->resources,
                                 .attributes = &s->attrs,
                                 .records = {s->counts.of[SIGNAL_SPANS],
                                             s->counts.of[SIGNAL_LOGS],
                                             s->counts.of[SIGNAL_METRICS]},
                                 .first_ns = s->counts.first_ns,
                                 .last_ns = s->counts.last_ns,
                                 .reason = reasons[s->reason].name,
                                 .why = reasons[s->reason].why};
    make_labels(writer->list->request, s, view->label);
    view->of_labels = (struct attrs){.at = view->label, .count = LABELS};
    view->labels = &view->of_labels;
    view->example = make_example(writer->list->request, view->label);
    return view;
}

/* Nothing was sent in the scope, or all of it has components. */
static const struct empty_reply *why_empty(struct unassigned_list *l)
{
    static const struct empty_reply assigned = {
        .reason = "filter",
        .message =
            SLICE_INIT("every sender in the window belongs to a component")};
    const struct empty_of of = {.scope = l->scope,
                                .start_ns = l->start_ns,
                                .end_ns = l->end_ns,
                                .what = "telemetry",
                                .signal = SIGNAL_COUNT,
                                .filtered = true};
    const struct empty_reply *empty = empty_reply_of(l->request, &of);

    return empty && strcmp(empty->reason, "filter") == 0 ? &assigned : empty;
}

void unassigned_reply(struct unassigned_list *l, uint64_t limit)
{
    struct sender_writer writer = {.list = l};
    struct unassigned_view view = {
        .senders = {l->sender_count < limit ? l->sender_count : (uint32_t)limit,
                    NULL, sender_item, &writer},
        .total = l->sender_count,
        .window = {l->start_ns, l->end_ns},
        .took_ms = query_took_ms(l->request)};

    for (uint32_t i = 0; i < l->sender_count; i++)
        view.resources += l->senders[i].resources;
    if (l->sender_count == 0)
        view.empty = why_empty(l);
    reply_write(&l->request->json, &unassigned_table, &view);
}
