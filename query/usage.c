/*
 * Many metrics say the same thing (metric_names.h). A pod's share of a row is
 * taken from the best source it has and from that one only: sources are ranked,
 * containers before the pod as a whole, ready gauges before counters. Which pod
 * a series is about says the point (Prometheus labels) or the resource
 * (k8s.pod.name); without either the resource stands for itself.
 */
#include "usage.h"

#include "hash.h"
#include "metric_names.h"
#include "series_set.h"

_Static_assert((int)USAGE_ROWS == (int)METRIC_USAGE_MEANINGS &&
                   (int)USAGE_MEMORY == (int)METRIC_MEMORY_USAGE &&
                   (int)USAGE_DISK_WRITE == (int)METRIC_DISK_WRITE,
               "a row for each meaning");

const char *const usage_names[USAGE_ROWS] = {
    "cpuUsage",
    "cpuRequests",
    "cpuLimits",
    "memoryUsage",
    "memoryRequests",
    "memoryLimits",
    "networkReceiveBytes",
    "networkTransmitBytes",
    "diskReadBytes",
    "diskWriteBytes",
};

static struct slice text_attr(const struct attrs *attrs, const char *key)
{
    const struct attr *a = attrs_find(attrs, slice_of(key));

    return a ? attr_text(a) : (struct slice){NULL, 0};
}

static uint64_t pod_hash(struct slice namespace, struct slice pod)
{
    uint64_t hash = hash_bytes(namespace.ptr, namespace.len, 1);

    return hash_bytes(pod.ptr, pod.len, hash) | 1; /* never 0 */
}

/* 0: the point does not say which pod it is about. */
static uint64_t pod_of_point(const struct attrs *attrs)
{
    struct slice pod = text_attr(attrs, "pod");

    return pod.len ? pod_hash(text_attr(attrs, "namespace"), pod) : 0;
}

struct usage_visit {
    struct query_request *request;
    struct series_set *set;
    const struct metric_name *last; /* the next point is like it, mostly */
    bool failed;
};

static void visit_usage(void *arg, const struct point *point)
{
    struct usage_visit *visit = arg;
    struct slice name = point->metric->name;
    struct series_point p = {.point = point};

    if (!visit->last || !slice_equal(visit->last->name, name))
        visit->last = metric_name_find(name);
    for (p.known = visit->last; p.known && !visit->failed;
         p.known = metric_name_next(p.known)) {
        if (p.known->meaning >= METRIC_USAGE_MEANINGS ||
            !metric_fits(p.known, &point->attrs))
            continue;
        p.key = series_key(point);
        p.group = pod_of_point(&point->attrs);
        p.family = p.known->meaning;
        p.rank = p.known->rank;
        p.tags = 1u << p.known->meaning;
        p.factor = metric_factor(p.known, point->metric);
        visit->failed = !series_set_add(visit->set, &p);
    }
}

/* Series whose points do not name a pod: their resource does, or is one. */
static uint64_t group_of(void *arg, uint32_t resource_id, uint64_t group)
{
    struct query_request *request = arg;
    struct resource resource;
    struct slice pod;

    if (group)
        return group;
    if (reader_resource(request->reader, resource_id, request->arena,
                        &resource) != OK)
        return (uint64_t)resource_id << 1;
    pod = text_attr(&resource.attrs, "k8s.pod.name");
    if (pod.len)
        return pod_hash(text_attr(&resource.attrs, "k8s.namespace.name"), pod);
    pod = text_attr(&resource.attrs, "k8s.pod.uid");
    return pod.len ? pod_hash((struct slice){NULL, 0}, pod)
                   : (uint64_t)resource_id << 1;
}

enum status usage_query(struct query_request *request,
                        const struct bitmap *resources, const struct grid *grid,
                        struct grid_row rows[USAGE_ROWS])
{
    struct usage_visit visit = {.request = request};
    struct series_query query = {.resources = resources};
    enum status s;

    query.names = metric_names_of(METRIC_CPU_USAGE, METRIC_DISK_WRITE,
                                  request->arena, &query.name_count);
    if (!query.names)
        return arena_status(request->arena);
    for (int i = 0; i < USAGE_ROWS; i++)
        if (!grid_row_init(&rows[i], grid, request->arena))
            return arena_status(request->arena);
    visit.set = series_set_new(request->arena, grid);
    if (!visit.set)
        return arena_status(request->arena);
    query.start_ns = series_set_from(visit.set);
    query.end_ns = series_set_until(visit.set);
    s = reader_query_series(request->reader, &query, visit_usage, &visit);
    if (s != OK)
        return query_fail_read(request, s);
    if (visit.failed)
        return arena_status(request->arena);
    series_set_regroup(visit.set, group_of, request);
    for (uint32_t i = 0; i < USAGE_ROWS; i++)
        if (!series_set_sum(visit.set, 1u << i, &rows[i]))
            return arena_status(request->arena);
    return OK;
}
