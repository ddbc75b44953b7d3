/*
 * GET /api/v1/unassigned: who the senders without a component are. In: a
 * namespace and a window. Out: resources that differ in the instance only are
 * one sender, with the counts that the correlator keeps of each of them.
 */
#include <ctype.h>
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "component.h"
#include "derived.h"
#include "empty_reply.h"
#include "hash.h"
#include "routes.h"

enum {
    LIMIT = 100,
    LOOKED_INTO = 5000, /* resources, those with most records */
    SHOWN_ATTRS = 32,
};

/* ---- counting ---- */

struct sender_counts {
    uint32_t resource;
    uint64_t of[SIGNAL_COUNT]; /* records */
    uint64_t first_ns, last_ns;
};

struct sender {
    struct identity identity;
    uint64_t key;
    uint32_t resources, newest; /* newest: the resource that sent last */
    struct attrs attrs;         /* of that one, those that tell who it is */
    enum unassigned_reason reason;
    struct sender_counts counts;
};

struct unassigned_list {
    struct query_request *request;
    uint64_t start_ns, end_ns;
    struct scope_filter scope;
    const struct bitmap *resources;
    uint32_t *row_of; /* by resource: number + 1 */
    struct sender_counts *rows;
    uint32_t row_count, row_room;
    struct sender *senders;
    uint32_t sender_count, sender_room;
    struct map by_key;
    bool full;
};

static uint64_t all_of(const struct sender_counts *c)
{
    return c->of[SIGNAL_SPANS] + c->of[SIGNAL_LOGS] + c->of[SIGNAL_METRICS];
}

static void add_counts(struct sender_counts *to, const struct sender_counts *c)
{
    for (int i = 0; i < SIGNAL_COUNT; i++)
        to->of[i] += c->of[i];
    if (to->first_ns == 0 || c->first_ns < to->first_ns)
        to->first_ns = c->first_ns;
    if (c->last_ns > to->last_ns)
        to->last_ns = c->last_ns;
}

static void count_point(void *arg, const struct point *p)
{
    static const char *const signals[SIGNAL_COUNT] = {"traces", "logs",
                                                      "metrics"};
    struct unassigned_list *l = arg;
    struct slice signal = attrs_text(&p->attrs, SLICE(DERIVED_SIGNAL));
    struct sender_counts one = {.resource = p->resource_id,
                                .first_ns = p->start_ns,
                                .last_ns = p->start_ns};
    uint32_t *row = &l->row_of[p->resource_id];

    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (slice_equal(signal, slice_of(signals[i])))
            one.of[i] = p->is_int && p->i > 0 ? (uint64_t)p->i : 0;
    if (*row == 0) {
        if (!arena_append(l->request->arena, &l->rows, l->row_count,
                          &l->row_room)) {
            l->full = true;
            return;
        }
        l->rows[l->row_count] =
            (struct sender_counts){.resource = one.resource};
        *row = ++l->row_count;
    }
    add_counts(&l->rows[*row - 1], &one);
}

static int most_first(const void *left, const void *right)
{
    const struct sender_counts *a = left, *b = right;
    uint64_t x = all_of(a), y = all_of(b);

    return x != y ? (x > y ? -1 : 1)
                  : (a->resource > b->resource) - (a->resource < b->resource);
}

static enum status read_counts(struct unassigned_list *l)
{
    static const struct slice name = SLICE_INIT(DERIVED_RECORDS);
    /* Of all minutes that overlap the window: the last one may not be over. */
    const struct series_query query = {
        .start_ns = l->start_ns / NS_PER_MIN * NS_PER_MIN,
        .end_ns = (l->end_ns / NS_PER_MIN + 1) * NS_PER_MIN,
        .resources = l->resources,
        .names = &name,
        .name_count = 1};
    enum status s;

    l->row_of = arena_zero(l->request->arena, l->resources->limit + 1,
                           sizeof(*l->row_of));
    if (!l->row_of)
        return arena_status(l->request->arena);
    s = reader_query_series(l->request->reader, &query, count_point, l);
    if (l->row_count > 0)
        qsort(l->rows, l->row_count, sizeof(*l->rows), most_first);
    return s == OK && l->full ? arena_status(l->request->arena) : s;
}

/* ---- who it is ---- */

static bool starts_any(struct slice key, const char *const prefixes[])
{
    for (int i = 0; prefixes[i]; i++)
        if (slice_starts(key, slice_of(prefixes[i])))
            return true;
    return false;
}

static bool tells(struct slice key)
{
    static const char *const prefixes[] = {"service.",
                                           "k8s.",
                                           "kubernetes",
                                           "host.name",
                                           "host.id",
                                           "container.",
                                           "telemetry.sdk.",
                                           "process.executable.name",
                                           "process.runtime.name",
                                           "deployment.",
                                           "cloud.",
                                           "faas.",
                                           "os.type",
                                           "openchoreo.dev/",
                                           "job",
                                           "instance",
                                           "server.address",
                                           NULL};

    return starts_any(key, prefixes);
}

/* Of one pod, host or process. */
static bool is_of_instance(struct slice key)
{
    static const char *const prefixes[] = {"k8s.pod.",
                                           "k8s.node.",
                                           "k8s.replicaset.",
                                           "k8s.job.",
                                           "host.",
                                           "container.id",
                                           "service.instance.",
                                           "process.",
                                           "instance",
                                           "k8s.container.restart_count",
                                           "cloud.",
                                           "server.address",
                                           "kubernetes.pod_",
                                           "kubernetes.host",
                                           "kubernetes.docker_id",
                                           NULL};

    return starts_any(key, prefixes) ||
           (key.len > 4 &&
            slice_equal(slice_from(key, key.len - 4), SLICE(".uid")));
}

/* Any order of attributes is the same sender. */
static uint64_t sender_key(const struct identity *identity,
                           const struct attrs *attrs)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < attrs->count; i++) {
        struct slice key = attr_key(&attrs->at[i]);
        struct slice value = attr_text(&attrs->at[i]);

        if (attrs->at[i].type == VALUE_STRING && tells(key) &&
            !is_of_instance(key))
            sum += key_text(key_text(1, key), value);
    }
    return hash_mix(key_identity(1, identity), sum);
}

static struct attrs telling(struct arena *arena, const struct attrs *attrs)
{
    struct attr *at = arena_alloc(arena, SHOWN_ATTRS * sizeof(*at));
    uint32_t count = 0;

    for (uint32_t i = 0; at && i < attrs->count && count < SHOWN_ATTRS; i++)
        if (tells(attr_key(&attrs->at[i])))
            at[count++] = attrs->at[i];
    return (struct attrs){.at = at, .count = count};
}

static struct sender *sender_of(struct unassigned_list *l, uint64_t key)
{
    map_each(&l->by_key, map_hash(key), i) {
        if (l->senders[i].key == key)
            return &l->senders[i];
    }
    struct sender *sender = arena_append(l->request->arena, &l->senders,
                                         l->sender_count, &l->sender_room);

    if (!sender || !map_add(&l->by_key, map_hash(key), l->sender_count)) {
        l->full = true;
        return NULL;
    }
    *sender = (struct sender){.key = key};
    l->sender_count++;
    return sender;
}

/* The synthetic resource of an identity, which tells nothing. */
static bool is_synthetic(const struct attrs *attrs)
{
    return attrs->count == 0 ||
           slice_equal(attr_key(attrs->at), SLICE("callboard.identity"));
}

static void add_resource(struct unassigned_list *l,
                         const struct sender_counts *counts)
{
    struct query_request *request = l->request;
    const struct resource_info *info =
        reply_resource(request, counts->resource);

    if (!info || is_synthetic(&info->resource.attrs))
        return;
    const struct attrs *attrs = &info->resource.attrs;
    struct sender *sender = sender_of(l, sender_key(&info->identity, attrs));

    if (!sender)
        return;
    if (sender->resources++ == 0 || counts->last_ns > sender->counts.last_ns) {
        sender->identity = info->identity;
        sender->attrs = telling(request->arena, attrs);
        sender->reason =
            registry_why_unassigned(request->services->registry, attrs);
    }
    add_counts(&sender->counts, counts);
}

static int most_of_senders(const void *left, const void *right)
{
    const struct sender *a = left, *b = right;
    uint64_t x = all_of(&a->counts), y = all_of(&b->counts);

    return x != y ? (x > y ? -1 : 1) : (a->key > b->key) - (a->key < b->key);
}

/* ---- what would assign it ---- */

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
    struct slice namespace, project, environment, example;
    uint32_t resources;
    const struct attrs *attributes, *labels;
    struct records_view records;
    uint64_t first_ns, last_ns;
    const char *reason, *why;
    struct attrs of_labels;
    struct attr label[LABELS];
};
static const struct reply_table sender_table = REPLY_TABLE(
    struct sender_view, REPLY(struct sender_view, "namespace", namespace),
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
static const struct reply_table unassigned_list_table = REPLY_TABLE(
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

    *view = (struct sender_view){.namespace = s->identity.namespace,
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

static void answer(struct unassigned_list *l, uint64_t limit)
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
    reply_write(&l->request->json, &unassigned_list_table, &view);
}

static enum status read_request(struct unassigned_list *l, uint64_t *limit)
{
    struct scope_filter unassigned;

    params_query_scope(l->request, &l->scope);
    if (l->scope.project.len > 0)
        query_invalid(l->request,
                      "project must be left out: a sender without a component "
                      "belongs to none");
    params_query_range(l->request, NS_PER_DAY, &l->start_ns, &l->end_ns);
    params_query_number(l->request, "limit", 1, PARAMS_MAX_PAGE, limit);
    unassigned = l->scope;
    unassigned.unassigned = true;
    return params_select(l->request, &unassigned, &l->resources);
}

static enum status list_unassigned(struct query_request *request)
{
    struct unassigned_list l = {.request = request};
    uint64_t limit = LIMIT;
    enum status s = read_request(&l, &limit);

    if (s != OK)
        return s;
    l.by_key.arena = request->arena;
    s = read_counts(&l);
    if (s != OK)
        return query_fail_read(request, s);
    for (uint32_t i = 0; i < l.row_count && i < LOOKED_INTO; i++)
        add_resource(&l, &l.rows[i]);
    if (l.sender_count > 0)
        qsort(l.senders, l.sender_count, sizeof(*l.senders), most_of_senders);
    answer(&l, limit);
    return OK;
}

const struct route routes_unassigned[] = {
    {"GET", "/api/v1/unassigned", ACTION_METRICS_VIEW, SCOPE_NARROWED,
     list_unassigned, NULL, 0, 0, &unassigned_list_table},
    {0},
};
