/*
 * What a kubelet (CPU, memory), the cluster (requests, limits) and an SDK
 * (request histogram) report about a pod.
 */
#include "shop.h"

#include <string.h>

static const double bounds[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                0.5,   0.75, 1,     2.5,  5,     7.5, 10};
enum { BOUNDS = 14 };

void gauges_observe(struct pod *pod, double seconds)
{
    int i = 0;

    while (i < BOUNDS && seconds > bounds[i])
        i++;
    pod->buckets[i]++;
    pod->count++;
    pod->sum += seconds;
}

static void metric(struct buf *out, const char *name, const char *unit,
                   uint32_t data_field, struct slice data)
{
    struct buf m;

    buf_init(&m, 1 << 20);
    pb_bytes(&m, 1, slice_of(name));
    pb_bytes(&m, 3, slice_of(unit));
    pb_bytes(&m, data_field, data);
    pb_bytes(out, 2, buf_slice(&m));
    buf_release(&m);
}

static void number(struct buf *out, const char *name, const char *unit,
                   double value, uint64_t now_ns)
{
    struct buf point, gauge;

    buf_init(&point, 4096);
    buf_init(&gauge, 4096);
    pb_fixed64(&point, 3, now_ns);
    pb_double(&point, 4, value);
    pb_bytes(&gauge, 1, buf_slice(&point));
    metric(out, name, unit, 5, buf_slice(&gauge));
    buf_release(&point);
    buf_release(&gauge);
}

static void histogram(struct buf *out, const struct pod *pod, uint64_t start_ns,
                      uint64_t now_ns)
{
    struct buf point, data;
    struct emit_attr method = {"http.request.method", EMIT_TEXT, "GET", 0, 0};
    struct emit_attr scheme = {"url.scheme", EMIT_TEXT, "http", 0, 0};

    buf_init(&point, 4096);
    buf_init(&data, 4096);
    pb_fixed64(&point, 2, start_ns);
    pb_fixed64(&point, 3, now_ns);
    pb_fixed64(&point, 4, pod->count);
    pb_double(&point, 5, pod->sum);
    pb_bytes(&point, 6,
             (struct slice){(const char *)pod->buckets, (BOUNDS + 1) * 8});
    pb_bytes(&point, 7, (struct slice){(const char *)bounds, sizeof(bounds)});
    emit_attr(&point, 9, &method);
    emit_attr(&point, 9, &scheme);
    pb_bytes(&data, 1, buf_slice(&point));
    pb_uint(&data, 2, 2);
    metric(out, "http.server.request.duration", "s", 9, buf_slice(&data));
    buf_release(&point);
    buf_release(&data);
}

void gauges_report(struct world *w, struct component *c, struct pod *pod,
                   uint64_t now_ns)
{
    double seconds = (double)w->options->scrape_ns / 1e9;
    double cpu = pod->cpu_seconds / seconds + 0.01;
    double memory = (60 + 40 * world_uniform(w)) * 1048576 +
                    (double)(pod->count % 4096) * 1024;
    const struct fault_spec *f = fault_now(w);

    if (fault_is_at(f, c, pod) && f->load >= 0.5)
        cpu = 0.5 * f->load;
    if (fault_is_at(f, c, pod) && f->memory > 0) /* full after five minutes */
        memory += 160.0 * 1048576 * (double)(now_ns - w->fault_since_ns) / 3e11;
    if (memory > 255.0 * 1048576)
        memory = 255.0 * 1048576;
    struct buf resource, records;

    buf_init(&resource, 1 << 16);
    buf_init(&records, 1 << 20);
    emit_resource(&resource, c, pod);
    number(&records, "container.cpu.usage", "{cpu}", cpu, now_ns);
    number(&records, "container.memory.working_set", "By", memory, now_ns);
    number(&records, "k8s.container.cpu_request", "{cpu}", 0.1, now_ns);
    number(&records, "k8s.container.cpu_limit", "{cpu}", 0.5, now_ns);
    number(&records, "k8s.container.memory_request", "By", 128 * 1048576.0,
           now_ns);
    number(&records, "k8s.container.memory_limit", "By", 256 * 1048576.0,
           now_ns);
    histogram(&records, pod, w->options->start_ns, now_ns);
    emit_request(&w->points, buf_slice(&resource), buf_slice(&records));
    w->points_made += 7;
    w->point_count += 7;
    if (w->point_count >= (uint32_t)w->options->batch)
        world_flush_points(w);
    pod->cpu_seconds = 0;
    buf_release(&resource);
    buf_release(&records);
}
