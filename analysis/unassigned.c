/*
 * GET /api/v1/unassigned: who the senders without a component are. In: a
 * namespace and a window. Out: resources that differ in the instance only are
 * one sender, with the counts that the correlator keeps of each of them.
 */
#include "unassigned.h"

#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "component.h"
#include "derived.h"
#include "hash.h"
#include "routes.h"

enum {
    LIMIT = 100,
    LOOKED_INTO = 5000, /* resources, those with most records */
    SHOWN_ATTRS = 32,
};

/* ---- counting ---- */

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

/* ---- the request ---- */

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
    unassigned_reply(&l, limit);
    return OK;
}

const struct route routes_unassigned[] = {
    {"GET", "/api/v1/unassigned", ACTION_METRICS_VIEW, SCOPE_NARROWED,
     list_unassigned, NULL, 0, 0, &unassigned_table},
    {0},
};
