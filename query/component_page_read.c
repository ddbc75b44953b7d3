/*
 * One pass over the derived series of a component: each point is put where it
 * belongs by the name of its metric. What is kept of a point is copied, as it
 * is good during its visit only.
 */
#include "clock.h"
#include "component_page.h"
#include "derived.h"

static struct slice keep(struct component_page *page, struct slice text)
{
    return arena_copy(page->request->arena, text);
}

static void add(struct component_page *page, struct tally_map *map,
                struct tally *tally, const struct point *point, double share)
{
    if (!tally || !tally_add(map, tally, point, share))
        page->full = true;
}

/* ---- endpoints, operations, examples ---- */

static struct tally *served_at(struct component_page *page,
                               struct tally_map *map, struct slice endpoint,
                               struct slice operation, struct slice kind)
{
    uint64_t key = key_text(key_text(key_text(1, endpoint), operation), kind);
    struct tally *tally = tally_at(map, key);

    if (tally && !tally->item) {
        struct served_operation *served =
            arena_alloc(page->request->arena, sizeof(*served));

        if (served)
            *served = (struct served_operation){
                keep(page, endpoint), keep(page, operation), keep(page, kind)};
        tally->item = served;
    }
    return tally && tally->item ? tally : NULL;
}

static void add_example(struct trace_examples *examples,
                        const struct exemplar *exemplar,
                        const struct served_operation *served)
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
    example->endpoint = served->endpoint;
    example->operation = served->operation;
    example->seconds = exemplar->value;
    example->time_ns = exemplar->time_ns;
}

static void add_examples(struct component_page *page, const struct point *point,
                         const struct served_operation *served)
{
    for (uint32_t i = 0; i < point->exemplar_count; i++) {
        const struct exemplar *e = &point->exemplars[i];
        const struct attr *error = attrs_find(&e->attrs, SLICE(DERIVED_ERROR));
        bool failed = error && error->type == VALUE_BOOL && error->b;

        if (e->time_ns < page->window.start_ns ||
            e->time_ns >= page->window.end_ns)
            continue;
        add_example(&page->slowest, e, served);
        if (failed)
            add_example(&page->failed, e, served);
    }
}

static void add_served(struct component_page *page, const struct point *point,
                       int sign, double now, double before)
{
    struct slice endpoint = point_text(point, DERIVED_ENDPOINT);
    struct slice operation = point_text(point, DERIVED_OPERATION);
    struct slice kind = point_text(point, DERIVED_KIND);
    struct slice none = {NULL, 0};

    /* The chart's first and last step reach over the edges of the window. */
    if (point->time_ns > page->grid.start_ns &&
        point->start_ns < grid_end(&page->grid) &&
        !red_add(&page->red, page->request->arena, point))
        page->full = true;
    if (before > 0)
        add(page, &page->totals, tally_at(&page->totals, 1), point,
            sign * before);
    if (now <= 0)
        return;
    add(page, &page->totals, tally_at(&page->totals, 0), point, sign * now);
    add(page, &page->endpoints,
        served_at(page, &page->endpoints, endpoint, none, none), point,
        sign * now);
    struct tally *op =
        served_at(page, &page->operations, endpoint, operation, kind);
    add(page, &page->operations, op, point, sign * now);
    if (op)
        add_examples(page, point, op->item);
}

/* ---- callers and callees ---- */

static void read_peer(struct component_page *page, const struct point *point,
                      struct call_peer *peer)
{
    int64_t id = point_int(point, DERIVED_PEER_ID, -1);
    const struct identity *identity =
        id >= 0
            ? tally_identity(&page->peers, page->request->services->registry,
                             (uint32_t)id)
            : NULL;

    *peer = (struct call_peer){
        .kind = point_text(point, DERIVED_PEER_KIND),
        .name = point_text(point, DERIVED_PEER_NAME),
        .system = point_text(point, DERIVED_PEER_SYSTEM),
        .host = point_text(point, DERIVED_PEER_HOST),
        .queue = slice_equal(point_text(point, DERIVED_PROTOCOL),
                             SLICE("messaging"))};
    if (identity)
        peer->identity = *identity;
}

static uint64_t peer_key(const struct call_peer *peer, bool calls)
{
    const struct slice parts[] = {peer->kind,
                                  peer->name,
                                  peer->system,
                                  peer->identity.namespace,
                                  peer->identity.project,
                                  peer->identity.component,
                                  peer->identity.environment};
    uint64_t key = 1U + peer->queue + 2U * calls;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        key = key_text(key, parts[i]);
    return key;
}

static bool name_peer(struct component_page *page, const struct tally *tally,
                      const struct point *point, double now)
{
    struct call_peer *peer = tally->item;
    const struct {
        struct slice *name;
        const char *key;
    } names[] = {{&peer->endpoint, DERIVED_ENDPOINT},
                 {&peer->peer_endpoint, DERIVED_PEER_ENDPOINT},
                 {&peer->protocol, DERIVED_PROTOCOL}};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (!tally_name(&page->names, tally, names[i].name,
                        point_text(point, names[i].key), point, now))
            return false;
    return true;
}

static void add_peer(struct component_page *page, struct tally_map *map,
                     const struct point *point, double now)
{
    struct call_peer peer;

    read_peer(page, point, &peer);
    struct tally *tally = tally_at(map, peer_key(&peer, map == &page->callees));
    if (tally && !tally->item) {
        struct call_peer *copy =
            arena_alloc(page->request->arena, sizeof(*copy));
        struct slice *texts[] = {&peer.kind, &peer.name, &peer.system,
                                 &peer.host};

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
            *texts[i] = keep(page, *texts[i]);
        if (copy)
            *copy = peer;
        tally->item = copy;
    }
    add(page, map, tally && tally->item ? tally : NULL, point, now);
    if (!page->full && !name_peer(page, tally, point, now))
        page->full = true;
}

/* ---- log templates ---- */

static void add_template(struct component_page *page, const struct point *point,
                         double now, double before)
{
    struct slice id = point_text(point, DERIVED_TEMPLATE_ID);
    struct slice level = point_text(point, DERIVED_LEVEL);
    struct tally *tally =
        tally_at(&page->templates, key_text(key_text(1, id), level));
    double value = point->is_int ? (double)point->i : point->d;

    if (tally && !tally->item) {
        struct seen_template *seen =
            arena_zero(page->request->arena, 1, sizeof(*seen));

        if (seen) {
            seen->id = keep(page, id);
            seen->level = keep(page, level);
            seen->text = keep(page, point_text(point, DERIVED_TEMPLATE));
        }
        tally->item = seen;
    }
    if (!tally || !tally->item) {
        page->full = true;
        return;
    }
    struct seen_template *seen = tally->item;
    seen->count += value * now;
    seen->before += value * before;
    tally->requests = seen->count; /* what tally_sorted sorts by */
    if (now <= 0)
        return;
    if (!seen->first_ns || point->start_ns < seen->first_ns)
        seen->first_ns = point->start_ns;
    if (point->time_ns > seen->last_ns)
        seen->last_ns = point->time_ns < page->window.now_ns
                            ? point->time_ns
                            : page->window.now_ns;
}

static void visit(void *arg, const struct point *point)
{
    struct component_page *page = arg;
    double now = window_share(&page->window, point);
    double before = window_share_before(&page->window, point);
    int sign;
    enum tally_part part = tally_part(point, &sign);

    if (page->full)
        return;
    if (part == PART_SERVED)
        add_served(page, point, sign, now, before);
    else if (part == PART_LOGS && (now > 0 || before > 0))
        add_template(page, point, now, before);
    else if (part != PART_LOGS && now > 0)
        add_peer(page, part == PART_OUT ? &page->callees : &page->callers,
                 point, sign * now);
}

static enum status read_names(struct component_page *page,
                              const struct slice *names, uint32_t count,
                              bool before, point_visit *each)
{
    struct series_query query = {
        .names = names, .name_count = count, .resources = page->resources};

    window_query(&page->window, &query);
    if (!before)
        query.start_ns = page->window.start_ns;
    if (before && page->grid.start_ns < query.start_ns)
        query.start_ns = page->grid.start_ns;
    if (before && grid_end(&page->grid) + NS_PER_MIN > query.end_ns)
        query.end_ns = grid_end(&page->grid) + NS_PER_MIN;
    enum status s =
        reader_query_series(page->request->reader, &query, each, page);
    return s == OK ? OK : query_fail_read(page->request, s);
}

enum status page_read_series(struct component_page *page)
{
    enum status s = read_names(page, derived_names, DERIVED_NAMES, true, visit);

    if (s == OK && !tally_set_names(&page->names))
        page->full = true;
    return s;
}

/* ---- pods ---- */

static struct pod_usage *pod_of(struct component_page *page,
                                uint32_t resource_id)
{
    const struct resource_info *source =
        reply_resource(page->request, resource_id);

    if (!source)
        return NULL;
    struct slice name =
        reply_attr(&source->resource.attrs, source, "k8s.pod.name");
    if (name.len == 0)
        return NULL;
    struct tally *tally = tally_at(&page->pods, key_text(1, name));
    if (tally && !tally->item) {
        struct pod_usage *pod =
            arena_zero(page->request->arena, 1, sizeof(*pod));

        if (pod)
            pod->name = name;
        tally->item = pod;
    }
    struct pod_usage *pod = tally ? tally->item : NULL;
    if (pod) {
        const struct attrs *attrs = &source->resource.attrs;

        if (!pod->namespace.len)
            pod->namespace = reply_attr(attrs, source, "k8s.namespace.name");
        if (!pod->ip.len)
            pod->ip = reply_attr(attrs, source, "k8s.pod.ip");
        if (!pod->version.len)
            pod->version = reply_attr(attrs, source, "service.version");
    }
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

enum status page_read_pods(struct component_page *page)
{
    static const struct slice container[] = {
        {"container.cpu.usage", 19}, {"container.memory.working_set", 28}};
    static const struct slice whole[] = {{"k8s.pod.cpu.usage", 17},
                                         {"k8s.pod.memory.working_set", 26}};
    enum status s = read_names(page, container, 2, false, visit_pod);

    if (s == OK && page->pods.count == 0)
        s = read_names(page, whole, 2, false, visit_pod);
    /* Nobody reports on its pods: those that sent anything. */
    if (s == OK && page->pods.count == 0)
        list_pods(page);
    return s;
}
