/*
 * One pass over the derived series of a component fills all tables of the page;
 * they are grouped again by peers and endpoints afterwards.
 */
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "component_page.h"
#include "derived.h"
#include "reply_metrics.h"

/* ---- endpoints, operations, examples ---- */

static void add_example(struct trace_examples *examples,
                        const struct exemplar *exemplar,
                        const struct metric_group *group)
{
    uint32_t at = examples->count;

    if (at == PAGE_TRACES && exemplar->value <= examples->list[at - 1].seconds)
        return;
    for (uint32_t i = 0; i < examples->count; i++)
        if (memcmp(examples->list[i].span_id, exemplar->span_id, 8) == 0)
            return;
    if (at < PAGE_TRACES)
        examples->count++;
    else
        at--;
    for (; at > 0 && examples->list[at - 1].seconds < exemplar->value; at--)
        examples->list[at] = examples->list[at - 1];
    struct trace_example *example = &examples->list[at];
    memcpy(example->trace_id, exemplar->trace_id, 16);
    memcpy(example->span_id, exemplar->span_id, 8);
    example->endpoint = metric_label(group, BY_ENDPOINT);
    example->operation = metric_label(group, BY_OPERATION);
    example->seconds = exemplar->value;
    example->time_ns = exemplar->time_ns;
}

/* Exemplars of the durations that go into the table of operations. */
static void visit_operation(void *arg, struct metric_group *group,
                            const struct point *point)
{
    struct component_page *page = arg;

    for (uint32_t i = 0; i < point->exemplar_count; i++) {
        const struct exemplar *e = &point->exemplars[i];
        const struct attr *error = attrs_find(&e->attrs, SLICE(DERIVED_ERROR));

        if (e->time_ns < page->window.start_ns ||
            e->time_ns >= page->window.end_ns)
            continue;
        add_example(&page->slowest, e, group);
        if (error && error->type == VALUE_BOOL && error->b)
            add_example(&page->failed, e, group);
    }
}

static uint64_t endpoint_key(void *arg, const struct metric_group *group)
{
    (void)arg;
    return key_text(1, metric_label(group, BY_ENDPOINT));
}

/* ---- callers and callees ---- */

static struct call_peer peer_of(struct component_page *page,
                                const struct metric_group *calls)
{
    const struct identity *identity =
        reply_peer_identity(page->request, &calls->labels[CALL_PEER_ID]);
    struct call_peer peer = {.kind = metric_label(calls, CALL_PEER_KIND),
                             .name = metric_label(calls, CALL_PEER_NAME),
                             .system = metric_label(calls, CALL_PEER_SYSTEM),
                             .host = metric_label(calls, CALL_PEER_HOST)};

    if (identity == &identity_hidden) /* all such are one */
        peer = (struct call_peer){.kind = SLICE("external"),
                                  .name = SLICE(PEER_HIDDEN),
                                  .hidden = true};
    else if (identity)
        peer.identity = *identity;
    return peer;
}

static uint64_t peer_key(const struct call_peer *peer, bool queue)
{
    uint64_t key = key_identity(1U + queue, &peer->identity);

    return key_text(key_text(key_text(key, peer->kind), peer->name),
                    peer->system);
}

static bool add_calls(struct component_page *page, struct metric_table *peers,
                      struct metric_group *calls)
{
    bool queue =
        slice_equal(metric_label(calls, CALL_PROTOCOL), SLICE("messaging"));
    struct call_peer *item, peer = peer_of(page, calls);
    struct metric_group *group =
        metric_group_with(peers, peer_key(&peer, queue), sizeof(peer));

    if (!group)
        return false;
    item = group->item;
    if (!item->calls)
        *item = peer;
    if (queue && peer.identity.component.len > 0)
        item->via = "queue";
    calls->next = item->calls;
    item->calls = calls;
    return metric_group_add(peers, group, calls);
}

/* From calls by all labels to one group for each peer. */
static bool group_peers(struct component_page *page, struct metric_table *peers,
                        const struct metric_table *calls, const struct red *red)
{
    for (uint32_t i = 0; i < calls->count; i++)
        if (!add_calls(page, peers, calls->groups[i]))
            return false;
    for (uint32_t i = 0; i < peers->count; i++) {
        struct call_peer *peer = peers->groups[i]->item;

        peer->endpoint =
            metric_top_label(calls, peer->calls, CALL_ENDPOINT, red->requests);
        if (!peer->hidden)
            peer->peer_endpoint = metric_top_label(
                calls, peer->calls, CALL_PEER_ENDPOINT, red->requests);
        peer->protocol =
            metric_top_label(calls, peer->calls, CALL_PROTOCOL, red->requests);
    }
    return true;
}

/* ---- the pass ---- */

static void init_tables(struct component_page *page,
                        struct metric_table *calls_in,
                        struct metric_table *calls_out)
{
    static const char *const operation[] = {DERIVED_ENDPOINT, DERIVED_OPERATION,
                                            DERIVED_KIND, NULL};
    struct arena *arena = page->request->arena;
    const struct grid *now = &page->window.now, *before = &page->window.before;

    red_init(&page->served, RED_SERVED);
    red_init(&page->charted, RED_SERVED);
    red_init(&page->in, RED_IN);
    red_init(&page->out, RED_OUT);
    red_table_init(&page->operations, arena, now, operation, &page->served);
    red_table_init(&page->endpoints, arena, now, NULL, &page->served);
    red_table_init(&page->total, arena, now, NULL, &page->served);
    red_table_init(&page->before, arena, before, NULL, &page->served);
    red_table_init(&page->chart, arena, &page->grid, NULL, &page->charted);
    red_table_init(calls_in, arena, now, red_call_labels, &page->in);
    red_table_init(calls_out, arena, now, red_call_labels, &page->out);
    red_table_init(&page->callers, arena, now, NULL, &page->in);
    red_table_init(&page->callees, arena, now, NULL, &page->out);
    page->operations.visit = visit_operation;
    page->operations.visit_arg = page;
    log_templates_init(&page->templates, page->request, &page->window);
}

enum status page_read_series(struct component_page *page)
{
    struct metric_table in, out;
    struct metric_table *tables[] = {
        &page->operations,    &page->before,          &page->chart, &in, &out,
        &page->templates.now, &page->templates.before};
    enum status s;

    init_tables(page, &in, &out);
    s = read_metrics(page->request, page->resources, NULL, tables,
                     sizeof(tables) / sizeof(*tables));
    /* No spans: the charts come from the metrics of SDKs, if any. */
    if (s == OK && !metric_seen(&page->chart, &page->charted.latency))
        s = red_query_sdk(page->request, page->resources, &page->grid,
                          &page->charted, &page->chart);
    if (s != OK)
        return s;
    return metric_regroup(&page->total, &page->operations, NULL, NULL) &&
                   metric_regroup(&page->endpoints, &page->operations,
                                  endpoint_key, NULL) &&
                   group_peers(page, &page->callers, &in, &page->in) &&
                   group_peers(page, &page->callees, &out, &page->out)
               ? OK
               : arena_status(page->request->arena);
}

/* ---- pods ---- */

static struct pod_usage *pod_named(struct component_page *page,
                                   struct slice name)
{
    struct arena *arena = page->request->arena;
    uint32_t hash = map_hash_slice(name);
    struct pod_usage *pod;

    map_each(&page->pod_index, hash, at)
        if (slice_equal(page->pods[at].name, name))
            return &page->pods[at];
    pod = arena_append(arena, &page->pods, page->pod_count, &page->pod_room);
    if (!pod || !map_add(&page->pod_index, hash, page->pod_count))
        return NULL;
    *pod = (struct pod_usage){.name = name};
    page->pod_count++;
    return pod;
}

static struct pod_usage *pod_of(struct component_page *page,
                                uint32_t resource_id)
{
    const struct resource_info *source =
        reply_resource(page->request, resource_id);
    const struct attrs *attrs = source ? &source->resource.attrs : NULL;
    struct slice name = attrs ? reply_attr(attrs, source, "k8s.pod.name")
                              : (struct slice){NULL, 0};
    struct pod_usage *pod = name.len > 0 ? pod_named(page, name) : NULL;

    if (!pod)
        return NULL;
    if (!pod->namespace.len)
        pod->namespace = reply_attr(attrs, source, "k8s.namespace.name");
    if (!pod->ip.len)
        pod->ip = reply_attr(attrs, source, "k8s.pod.ip");
    if (!pod->version.len)
        pod->version = reply_attr(attrs, source, "service.version");
    return pod;
}

static void visit_pod(void *arg, const struct point *point)
{
    struct component_page *page = arg;
    bool cpu = point->metric->name.len > 10 &&
               slice_equal(
                   slice_from(point->metric->name, point->metric->name.len - 9),
                   SLICE("cpu.usage"));
    double value = point->is_int ? (double)point->i : point->d;

    if (point->time_ns < page->window.start_ns ||
        point->time_ns >= page->window.end_ns)
        return;
    struct pod_usage *pod = pod_of(page, point->resource_id);
    if (!pod)
        return;
    uint64_t *when = cpu ? &pod->cpu_ns : &pod->memory_ns;
    double *what = cpu ? &pod->cpu : &pod->memory;
    if (point->time_ns < *when)
        return;
    /* Containers of a pod report at the same time and add up. */
    *what = point->time_ns == *when ? *what + value : value;
    *when = point->time_ns;
}

/* By resource, newest first. */
static void list_pods(struct component_page *page)
{
    uint32_t left = PAGE_PODS;

    for (uint32_t id = page->resources->limit; id-- > 0 && left > 0;)
        if (bitmap_has(page->resources, id)) {
            (void)pod_of(page, id);
            left--;
        }
}

static enum status read_pods(struct component_page *page,
                             const struct slice *names, uint32_t count)
{
    const struct series_query query = {.start_ns = page->window.start_ns,
                                       .end_ns =
                                           page->window.end_ns + NS_PER_MIN,
                                       .names = names,
                                       .name_count = count,
                                       .resources = page->resources};
    enum status s =
        reader_query_series(page->request->reader, &query, visit_pod, page);

    return s == OK ? OK : query_fail_read(page->request, s);
}

static int by_name(const void *left, const void *right)
{
    const struct pod_usage *a = left, *b = right;

    return slice_compare(a->name, b->name);
}

enum status page_read_pods(struct component_page *page)
{
    static const struct slice container[] = {
        SLICE_INIT("container.cpu.usage"),
        SLICE_INIT("container.memory.working_set")};
    static const struct slice whole[] = {
        SLICE_INIT("k8s.pod.cpu.usage"),
        SLICE_INIT("k8s.pod.memory.working_set")};
    enum status s = read_pods(page, container, 2);

    if (s == OK && page->pod_count == 0)
        s = read_pods(page, whole, 2);
    /* No metrics of pods: the pods that sent anything. */
    if (s == OK && page->pod_count == 0)
        list_pods(page);
    if (page->pod_count > 0)
        qsort(page->pods, page->pod_count, sizeof(*page->pods), by_name);
    return s;
}
