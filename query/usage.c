/*
 * Many metrics say the same thing. A pod's share of a row is taken from the
 * best source it has and from that one only: sources are ranked, containers
 * before the pod as a whole, ready gauges before counters. Which pod a series
 * is about says the point (Prometheus labels) or the resource (k8s.pod.name);
 * without either the resource stands for itself.
 */
#include "usage.h"

#include "hash.h"
#include "series_set.h"

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

/* What a point must have besides the name. */
enum need {
    ANY,
    CONTAINER, /* cAdvisor has a row for the whole pod, too: not that one */
    CPU,       /* resource="cpu" */
    MEMORY,
    RECEIVE, /* direction */
    TRANSMIT,
    READ,
    WRITE
};

struct usage_source {
    struct slice name;
    uint8_t row, rank, need;
};

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/* Those of one name stand together. */
/* clang-format off */
static const struct usage_source sources[] = {
    {TEXT("container.cpu.usage"), USAGE_CPU, 0, ANY},
    {TEXT("container_cpu_usage_seconds_total"), USAGE_CPU, 1, CONTAINER},
    {TEXT("container.cpu.time"), USAGE_CPU, 2, ANY},
    {TEXT("k8s.pod.cpu.usage"), USAGE_CPU, 3, ANY},
    {TEXT("k8s.pod.cpu.utilization"), USAGE_CPU, 4, ANY}, /* in cores */
    {TEXT("k8s.pod.cpu.time"), USAGE_CPU, 5, ANY},
    {TEXT("process.cpu.time"), USAGE_CPU, 6, ANY},
    {TEXT("k8s.container.cpu_request"), USAGE_CPU_REQUESTS, 0, ANY},
    {TEXT("k8s.container.cpu.request.desired"), USAGE_CPU_REQUESTS, 1, ANY},
    {TEXT("kube_pod_container_resource_requests"), USAGE_CPU_REQUESTS, 2, CPU},
    {TEXT("kube_pod_container_resource_requests"), USAGE_MEMORY_REQUESTS, 2, MEMORY},
    {TEXT("k8s.container.cpu_limit"), USAGE_CPU_LIMITS, 0, ANY},
    {TEXT("k8s.container.cpu.limit.desired"), USAGE_CPU_LIMITS, 1, ANY},
    {TEXT("kube_pod_container_resource_limits"), USAGE_CPU_LIMITS, 2, CPU},
    {TEXT("kube_pod_container_resource_limits"), USAGE_MEMORY_LIMITS, 2, MEMORY},
    {TEXT("container.memory.working_set"), USAGE_MEMORY, 0, ANY},
    {TEXT("container_memory_working_set_bytes"), USAGE_MEMORY, 1, CONTAINER},
    {TEXT("k8s.pod.memory.working_set"), USAGE_MEMORY, 2, ANY},
    {TEXT("container.memory.usage"), USAGE_MEMORY, 3, ANY},
    {TEXT("k8s.pod.memory.usage"), USAGE_MEMORY, 4, ANY},
    {TEXT("process.memory.usage"), USAGE_MEMORY, 5, ANY},
    {TEXT("k8s.container.memory_request"), USAGE_MEMORY_REQUESTS, 0, ANY},
    {TEXT("k8s.container.memory.request.desired"), USAGE_MEMORY_REQUESTS, 1, ANY},
    {TEXT("k8s.container.memory_limit"), USAGE_MEMORY_LIMITS, 0, ANY},
    {TEXT("k8s.container.memory.limit.desired"), USAGE_MEMORY_LIMITS, 1, ANY},
    {TEXT("k8s.pod.network.io"), USAGE_NETWORK_RECEIVE, 0, RECEIVE},
    {TEXT("k8s.pod.network.io"), USAGE_NETWORK_TRANSMIT, 0, TRANSMIT},
    {TEXT("container.network.io"), USAGE_NETWORK_RECEIVE, 1, RECEIVE},
    {TEXT("container.network.io"), USAGE_NETWORK_TRANSMIT, 1, TRANSMIT},
    {TEXT("container_network_receive_bytes_total"), USAGE_NETWORK_RECEIVE, 2, ANY},
    {TEXT("container_network_transmit_bytes_total"), USAGE_NETWORK_TRANSMIT, 2, ANY},
    {TEXT("container.disk.io"), USAGE_DISK_READ, 0, READ},
    {TEXT("container.disk.io"), USAGE_DISK_WRITE, 0, WRITE},
    {TEXT("container_fs_reads_bytes_total"), USAGE_DISK_READ, 1, CONTAINER},
    {TEXT("container_fs_writes_bytes_total"), USAGE_DISK_WRITE, 1, CONTAINER},
};
/* clang-format on */
enum { SOURCES = sizeof(sources) / sizeof(sources[0]) };

static struct slice text_attr(const struct attrs *attrs, const char *key)
{
    const struct attr *a = attrs_find(attrs, slice_of(key));

    return a ? attr_text(a) : (struct slice){NULL, 0};
}

static bool attr_is(const struct attrs *attrs, const char *key,
                    const char *value)
{
    return slice_equal(text_attr(attrs, key), slice_of(value));
}

static bool has_direction(const struct attrs *attrs, const char *value)
{
    return attr_is(attrs, "direction", value) ||
           attr_is(attrs, "network.io.direction", value) ||
           attr_is(attrs, "disk.io.direction", value);
}

static bool need_met(uint8_t need, const struct attrs *attrs)
{
    struct slice container;

    switch ((enum need)need) {
    case ANY:
        return true;
    case CONTAINER:
        container = text_attr(attrs, "container");
        return container.len > 0 && !slice_equal(container, SLICE("POD"));
    case CPU:
        return attr_is(attrs, "resource", "cpu");
    case MEMORY:
        return attr_is(attrs, "resource", "memory");
    case RECEIVE:
        return has_direction(attrs, "receive");
    case TRANSMIT:
        return has_direction(attrs, "transmit");
    case READ:
        return has_direction(attrs, "read");
    case WRITE:
        return has_direction(attrs, "write");
    }
    return false;
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
    struct call *call;
    struct series_set *set;
    size_t last; /* source of the point before; the next is like it, mostly */
    bool failed;
};

/* The first source of this name; SOURCES if there is none. */
static size_t find_source(const struct usage_visit *visit, struct slice name)
{
    size_t at = visit->last;

    if (at < SOURCES && slice_equal(sources[at].name, name))
        return at;
    for (at = 0; at < SOURCES; at++)
        if (slice_equal(sources[at].name, name))
            break;
    return at;
}

static void visit_usage(void *arg, const struct point *point)
{
    struct usage_visit *visit = arg;
    size_t at = find_source(visit, point->metric->name);
    struct series_point p = {.point = point, .factor = 1};

    visit->last = at;
    for (; at < SOURCES && !visit->failed &&
           slice_equal(sources[at].name, sources[visit->last].name);
         at++) {
        if (!need_met(sources[at].need, &point->attrs))
            continue;
        p.key = series_key(point);
        p.group = pod_of_point(&point->attrs);
        p.family = sources[at].row;
        p.rank = sources[at].rank;
        p.tags = 1u << sources[at].row;
        visit->failed = !series_set_add(visit->set, &p);
    }
}

/* Series whose points do not name a pod: their resource does, or is one. */
static uint64_t group_of(void *arg, uint32_t resource_id, uint64_t group)
{
    struct call *call = arg;
    struct resource resource;
    struct slice pod;

    if (group)
        return group;
    if (reader_resource(call->reader, resource_id, call->arena, &resource) !=
        OK)
        return (uint64_t)resource_id << 1;
    pod = text_attr(&resource.attrs, "k8s.pod.name");
    if (pod.len)
        return pod_hash(text_attr(&resource.attrs, "k8s.namespace.name"), pod);
    pod = text_attr(&resource.attrs, "k8s.pod.uid");
    return pod.len ? pod_hash((struct slice){NULL, 0}, pod)
                   : (uint64_t)resource_id << 1;
}

enum status usage_query(struct call *call, const struct idset *resources,
                        const struct grid *grid, struct row rows[USAGE_ROWS])
{
    struct slice names[SOURCES];
    struct usage_visit visit = {.call = call};
    struct series_query query = {
        .resources = resources, .names = names, .name_count = SOURCES};
    enum status s;

    for (size_t i = 0; i < SOURCES; i++)
        names[i] = sources[i].name;
    for (int i = 0; i < USAGE_ROWS; i++)
        if (!row_init(&rows[i], grid, call->arena))
            return arena_status(call->arena);
    visit.set = series_set_new(call->arena, grid);
    if (!visit.set)
        return arena_status(call->arena);
    query.start_ns = series_set_from(visit.set);
    query.end_ns = series_set_until(visit.set);
    s = reader_query_series(call->reader, &query, visit_usage, &visit);
    if (s != OK)
        return call_fail_read(call, s);
    if (visit.failed)
        return arena_status(call->arena);
    series_set_regroup(visit.set, group_of, call);
    for (uint32_t i = 0; i < USAGE_ROWS; i++)
        if (!series_set_sum(visit.set, 1u << i, &rows[i]))
            return arena_status(call->arena);
    return OK;
}
