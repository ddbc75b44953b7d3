/*
 * CPU and memory of the component: the charts, and the last value of each pod,
 * from the same points.
 */
#include <stdlib.h>

#include "array.h"
#include "component_page.h"

static struct pod_usage *pod_named(struct component_page *page,
                                   struct pod_list *pods, struct slice name)
{
    struct arena *arena = page->request->arena;
    uint32_t hash = map_hash_slice(name);
    struct pod_usage *pod;

    pods->by_name.arena = arena;
    map_each(&pods->by_name, hash, at)
        if (slice_equal(pods->at[at].name, name))
            return &pods->at[at];
    pod = arena_append(arena, &pods->at, pods->count, &pods->room);
    if (!pod || !map_add(&pods->by_name, hash, pods->count))
        return NULL;
    *pod = (struct pod_usage){.name = name};
    pods->count++;
    return pod;
}

static struct pod_usage *pod_of(struct component_page *page,
                                struct pod_list *pods, uint32_t resource_id)
{
    const struct resource_info *source =
        reply_resource(page->request, resource_id);
    const struct attrs *attrs = source ? &source->resource.attrs : NULL;
    struct slice name = attrs ? reply_attr(attrs, source, "k8s.pod.name")
                              : (struct slice){NULL, 0};
    struct pod_usage *pod = name.len > 0 ? pod_named(page, pods, name) : NULL;

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

/* The metrics of which the last value of a pod is shown. */
static const struct pod_metric {
    struct slice name;
    bool whole, cpu;
} pod_metrics[] = {{SLICE_INIT("container.cpu.usage"), false, true},
                   {SLICE_INIT("container.memory.working_set"), false, false},
                   {SLICE_INIT("k8s.pod.cpu.usage"), true, true},
                   {SLICE_INIT("k8s.pod.memory.working_set"), true, false}};

static const struct pod_metric *pod_metric_of(struct slice name)
{
    for (size_t i = 0; i < sizeof(pod_metrics) / sizeof(*pod_metrics); i++)
        if (slice_equal(name, pod_metrics[i].name))
            return &pod_metrics[i];
    return NULL;
}

static void visit_pod(void *arg, const struct point *point)
{
    struct component_page *page = arg;
    const struct pod_metric *metric = pod_metric_of(point->metric->name);
    double value = point->is_int ? (double)point->i : point->d;

    if (!metric || point->time_ns < page->window.start_ns ||
        point->time_ns >= page->window.end_ns)
        return;
    struct pod_usage *pod =
        pod_of(page, metric->whole ? &page->whole_pods : &page->pods,
               point->resource_id);
    if (!pod)
        return;
    uint64_t *when = metric->cpu ? &pod->cpu_ns : &pod->memory_ns;
    double *what = metric->cpu ? &pod->cpu : &pod->memory;
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
            (void)pod_of(page, &page->pods, id);
            left--;
        }
}

static int by_name(const void *left, const void *right)
{
    const struct pod_usage *a = left, *b = right;

    return slice_compare(a->name, b->name);
}

enum status page_read_usage(struct component_page *page)
{
    struct pod_list *pods = &page->pods;
    enum status s =
        usage_query_points(page->request, page->resources, &page->grid,
                           &page->usage, visit_pod, page);

    if (s == OK && pods->count == 0)
        *pods = page->whole_pods;
    /* No metrics of pods: the pods that sent anything. */
    if (s == OK && pods->count == 0)
        list_pods(page);
    if (pods->count > 0)
        qsort(pods->at, pods->count, sizeof(*pods->at), by_name);
    return s;
}
