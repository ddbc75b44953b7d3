/*
 * What the agents of a cluster and an SDK report about a pod: kubelet (CPU,
 * memory), cAdvisor (throttled periods), an agent that watches sockets
 * (retransmitted segments), the SDK (requests, pools, lag of consumers); once a
 * minute what the cluster knows (limits, restarts, deployments), and nodes and
 * databases, which belong to no component.
 *
 * Only the noise of memory is drawn from the world, so that the rest of it does
 * not depend on what is reported.
 */
#include "shop.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "hash.h"

static const double bounds[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                0.5,   0.75, 1,     2.5,  5,     7.5, 10};
enum { BOUNDS = 14, POOL_SIZE = 10 };
#define MIB         1048576.0
#define CPU_LIMIT   0.5
#define MEMORY_FULL (256 * MIB)
/* From its usual size to its limit. */
static const double FILL_SECONDS = 130;

void gauges_observe(struct pod *pod, double seconds)
{
    int i = 0;

    while (i < BOUNDS && seconds > bounds[i])
        i++;
    pod->buckets[i]++;
    pod->count++;
    pod->sum += seconds;
}

/* From 0 to 1, the same for the same pod and time. */
static double noise(const struct pod *pod, uint64_t now_ns, uint64_t what)
{
    uint64_t h = hash_mix(hash_bytes(pod->uid, sizeof(pod->uid), what), now_ns);

    return (double)(h >> 11) * 0x1p-53;
}

/* ---- OTLP ---- */

/* A report of one resource. */
struct gauge_report {
    struct world *w;
    uint64_t now_ns;
    struct buf resource, records;
    uint32_t points;
};

static void metric(struct gauge_report *r, const char *name, const char *unit,
                   uint32_t data_field, struct slice data)
{
    struct buf m;

    buf_init(&m, 1 << 20);
    pb_bytes(&m, 1, slice_of(name));
    pb_bytes(&m, 3, slice_of(unit));
    pb_bytes(&m, data_field, data);
    pb_bytes(&r->records, 2, buf_slice(&m));
    buf_release(&m);
    r->points++;
}

/* With a label, if key is not NULL. */
static void labelled(struct gauge_report *r, const char *name, const char *unit,
                     double value, const char *key, const char *label)
{
    struct emit_attr attr = {key, EMIT_TEXT, label, 0, 0};
    struct buf point, gauge;

    buf_init(&point, 4096);
    buf_init(&gauge, 4096);
    pb_fixed64(&point, 3, r->now_ns);
    pb_double(&point, 4, value);
    if (key)
        emit_attr(&point, 7, &attr);
    pb_bytes(&gauge, 1, buf_slice(&point));
    metric(r, name, unit, 5, buf_slice(&gauge));
    buf_release(&point);
    buf_release(&gauge);
}

static void number(struct gauge_report *r, const char *name, const char *unit,
                   double value)
{
    labelled(r, name, unit, value, NULL, NULL);
}

static void counter(struct gauge_report *r, const char *name, const char *unit,
                    double value)
{
    struct buf point, sum;

    buf_init(&point, 4096);
    buf_init(&sum, 4096);
    pb_fixed64(&point, 2, r->w->options->start_ns);
    pb_fixed64(&point, 3, r->now_ns);
    pb_double(&point, 4, value);
    pb_bytes(&sum, 1, buf_slice(&point));
    pb_uint(&sum, 2, 2);
    pb_uint(&sum, 3, 1);
    metric(r, name, unit, 7, buf_slice(&sum));
    buf_release(&point);
    buf_release(&sum);
}

static void histogram(struct gauge_report *r, const struct pod *pod)
{
    struct buf point, data;
    struct emit_attr method = {"http.request.method", EMIT_TEXT, "GET", 0, 0};
    struct emit_attr scheme = {"url.scheme", EMIT_TEXT, "http", 0, 0};

    buf_init(&point, 4096);
    buf_init(&data, 4096);
    pb_fixed64(&point, 2, r->w->options->start_ns);
    pb_fixed64(&point, 3, r->now_ns);
    pb_fixed64(&point, 4, pod->count);
    pb_double(&point, 5, pod->sum);
    pb_bytes(&point, 6,
             (struct slice){(const char *)pod->buckets, (BOUNDS + 1) * 8});
    pb_bytes(&point, 7, (struct slice){(const char *)bounds, sizeof(bounds)});
    emit_attr(&point, 9, &method);
    emit_attr(&point, 9, &scheme);
    pb_bytes(&data, 1, buf_slice(&point));
    pb_uint(&data, 2, 2);
    metric(r, "http.server.request.duration", "s", 9, buf_slice(&data));
    buf_release(&point);
    buf_release(&data);
}

static void begin(struct gauge_report *r, struct world *w, uint64_t now_ns)
{
    *r = (struct gauge_report){.w = w, .now_ns = now_ns};
    buf_init(&r->resource, 1 << 16);
    buf_init(&r->records, 1 << 20);
}

static void end(struct gauge_report *r)
{
    struct world *w = r->w;

    if (r->points > 0)
        emit_request(&w->points, buf_slice(&r->resource),
                     buf_slice(&r->records));
    w->points_made += r->points;
    w->point_count += r->points;
    if (w->point_count >= (uint32_t)w->options->batch)
        world_flush_points(w);
    buf_release(&r->resource);
    buf_release(&r->records);
}

/* ---- a pod ---- */

/* A container that fills its memory is killed, starts anew and goes on. */
static double memory_of(struct world *w, struct component *c, struct pod *pod,
                        const struct fault_spec *f, uint64_t now_ns)
{
    double usual =
        (60 + 40 * world_uniform(w)) * MIB + (double)(pod->count % 4096) * 1024;
    double pace = 0.9 + 0.2 * noise(pod, 0, 1);

    if (!f || f->memory <= 0) {
        pod->full_from_ns = 0;
        return usual;
    }
    if (pod->full_from_ns == 0)
        pod->full_from_ns = w->fault_since_ns;
    double seconds = (double)(now_ns - pod->full_from_ns) / 1e9;
    double memory = usual + 170 * MIB * pace * seconds / FILL_SECONDS;

    if (memory < MEMORY_FULL)
        return memory;
    pod->full_from_ns = now_ns;
    pod->was_killed = true;
    pod->restarts++;
    events_of_kill(w, c, pod, now_ns);
    return MEMORY_FULL - MIB / 4;
}

/* A tenth of a second is a period of the CPU's quota. */
static void report_cpu(struct gauge_report *r, struct pod *pod,
                       const struct fault_spec *f)
{
    double seconds = (double)r->w->options->scrape_ns / 1e9;
    double cpu = pod->cpu_seconds / seconds + 0.01, share = 0.001;

    if (f && f->cpu > 0)
        cpu = CPU_LIMIT * f->cpu * (1 - 0.02 * noise(pod, r->now_ns, 2));
    if (f && f->throttled > 0)
        share = f->throttled - 0.1 * noise(pod, r->now_ns, 3);
    if (f && f->dead)
        cpu = 0.002;
    pod->cpu_seconds = 0;
    pod->periods += 10 * seconds;
    pod->throttled += 10 * seconds * share;
    number(r, "container.cpu.usage", "{cpu}", cpu);
    counter(r, "container_cpu_cfs_periods_total", "", pod->periods);
    counter(r, "container_cpu_cfs_throttled_periods_total", "", pod->throttled);
}

static bool has_pool(const struct component *c)
{
    return strcmp(c->spec->language, "java") == 0 ||
           strcmp(c->spec->language, "dotnet") == 0;
}

static bool consumes(const struct component *c)
{
    for (int i = 0; i < shop_op_count; i++)
        if (shop_ops[i].consumer &&
            &shop_components[shop_ops[i].component] == c->spec)
            return true;
    return false;
}

/* What a process tells of itself. */
static void report_process(struct gauge_report *r, struct component *c,
                           struct pod *pod, const struct fault_spec *f)
{
    static const char state[] = "db.client.connection.state";
    bool full = f && f->pool;
    double waiting = 1 + noise(pod, r->now_ns, 5);
    int used = full ? POOL_SIZE : 1 + (int)(3 * noise(pod, r->now_ns, 4));

    if (f && f->dead)
        return;
    histogram(r, pod);
    if (has_pool(c)) {
        labelled(r, "db.client.connection.count", "{connection}", used, state,
                 "used");
        labelled(r, "db.client.connection.count", "{connection}",
                 POOL_SIZE - used, state, "idle");
        number(r, "db.client.connection.max", "{connection}", POOL_SIZE);
        number(r, "db.client.connection.pending_requests", "{request}",
               full ? (int)(6 * waiting) : 0);
    }
    if (f && f->lag)
        waiting += (double)(r->now_ns - r->w->fault_since_ns) / 1e9;
    if (consumes(c))
        number(r, "kafka.consumer.records_lag_max", "{record}", (int)waiting);
}

/* What the cluster knows of it. */
static void report_states(struct gauge_report *r, const struct pod *pod,
                          const struct fault_spec *f)
{
    bool ready = !f || !f->dead;

    number(r, "k8s.container.cpu_request", "{cpu}", 0.1);
    number(r, "k8s.container.cpu_limit", "{cpu}", CPU_LIMIT);
    number(r, "k8s.container.memory_request", "By", 128 * MIB);
    number(r, "k8s.container.memory_limit", "By", MEMORY_FULL);
    number(r, "k8s.container.restarts", "{restart}", pod->restarts);
    number(r, "k8s.container.ready", "", ready);
    if (pod->was_killed)
        labelled(r, "kube_pod_container_status_last_terminated_reason", "", 1,
                 "reason", "OOMKilled");
}

/* Every minute, and at most with every fourth report of pods. */
bool gauges_tell_states(struct world *w, uint64_t now_ns)
{
    uint64_t step = 4 * w->options->scrape_ns;

    if (step < NS_PER_MIN)
        step = NS_PER_MIN;
    if (w->states_ns > 0 && now_ns < w->states_ns + step)
        return false;
    w->states_ns = now_ns;
    return true;
}

void gauges_report(struct world *w, struct component *c, struct pod *pod,
                   uint64_t now_ns)
{
    const struct fault_spec *f = fault_now(w);
    struct gauge_report r;

    if (!fault_is_at(f, c, pod))
        f = NULL;
    double memory = memory_of(w, c, pod, f, now_ns);
    double seconds = (double)w->options->scrape_ns / 1e9;

    begin(&r, w, now_ns);
    emit_resource(&r.resource, c, pod);
    pod->retransmits += seconds * ((f ? f->retransmits : 0) + 0.1) *
                        (0.5 + noise(pod, now_ns, 6));
    report_cpu(&r, pod, f);
    number(&r, "container.memory.working_set", "By",
           f && f->dead ? 2 * MIB : memory);
    counter(&r, "container_net_tcp_retransmits_total", "",
            (double)(uint64_t)pod->retransmits);
    report_process(&r, c, pod, f);
    if (w->states_ns == now_ns)
        report_states(&r, pod, f);
    end(&r);
}

/* ---- nodes, deployments and databases ---- */

static void report_node(struct world *w, int node, uint64_t now_ns)
{
    const struct fault_spec *f = fault_now(w);
    struct gauge_report r;
    struct pod as = {.uid = "node"};
    char name[16];
    bool full = false;

    for (int i = 0; f && f->neighbour && i < SHOP_COMPONENTS; i++)
        full = full || (i % 3 == node / 3 &&
                        strcmp(shop_components[i].name, f->component) == 0);
    snprintf(name, sizeof(name), "node-%d", node);
    begin(&r, w, now_ns);
    emit_text(&r.resource, "k8s.node.name", name);
    as.uid[5] = name[5];
    double busy = 0.8 + 0.4 * noise(&as, now_ns, 7);
    number(&r, "k8s.node.cpu.usage", "{cpu}",
           full ? 3.97 + 0.03 * noise(&as, now_ns, 8) : busy);
    number(&r, "k8s.node.allocatable_cpu", "{cpu}", 4);
    number(&r, "k8s.node.condition_ready", "", 1);
    end(&r);
}

static void report_deployment(struct world *w, const struct component *c,
                              uint64_t now_ns)
{
    const struct fault_spec *f = fault_now(w);
    bool down = fault_is_at(f, c, &c->pods[0]) && f->dead;
    struct gauge_report r;
    char name[64];

    snprintf(name, sizeof(name), "%s-production", c->spec->name);
    begin(&r, w, now_ns);
    emit_text(&r.resource, "k8s.namespace.name",
              "dp-acme-shop-production-1a2b3c4d");
    emit_text(&r.resource, "k8s.deployment.name", name);
    number(&r, "k8s.deployment.desired", "{pod}", c->pod_count);
    number(&r, "k8s.deployment.available", "{pod}", down ? 0 : c->pod_count);
    end(&r);
}

static void report_database(struct world *w, const char *name, uint64_t now_ns)
{
    const struct fault_spec *f = fault_now(w);
    bool full = fault_hits(f, name) && f->target_fails;
    struct gauge_report r;
    struct pod as = {.uid = "database"};
    char text[40];

    as.uid[8] = name[0];
    begin(&r, w, now_ns);
    emit_text(&r.resource, "k8s.namespace.name", "data");
    snprintf(text, sizeof(text), "%s-0", name);
    emit_text(&r.resource, "k8s.pod.name", text);
    emit_text(&r.resource, "k8s.statefulset.name", name);
    emit_text(&r.resource, "k8s.volume.name", "data");
    number(&r, "k8s.volume.capacity", "By", 20 * 1024 * MIB);
    number(&r, "k8s.volume.available", "By",
           full ? 0 : (4000 + 100 * noise(&as, now_ns, 9)) * MIB);
    number(&r, "container.cpu.usage", "{cpu}",
           0.2 + 0.1 * noise(&as, now_ns, 10));
    end(&r);
}

void gauges_report_cluster(struct world *w, uint64_t now_ns)
{
    static const char *const databases[] = {"catalog-db", "orders-db",
                                            "inventory-db", "users-db"};

    for (int node = 0; node < 9; node++)
        report_node(w, node, now_ns);
    for (int i = 0; i < w->options->shops * SHOP_COMPONENTS; i++)
        report_deployment(w, &w->components[i], now_ns);
    for (size_t i = 0; i < sizeof(databases) / sizeof(*databases); i++)
        report_database(w, databases[i], now_ns);
}
