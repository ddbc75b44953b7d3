/* The two kinds of metric answers, from points to charts. */
#include <math.h>

#include "derived.h"
#include "fake_query.h"

#define PATH "/api/v1/metrics/query"
#define TIMES                                 \
    "\"startTime\":\"2026-08-21T08:00:00Z\"," \
    "\"endTime\":\"2026-08-21T08:10:00Z\",\"step\":\"5m\""
#define SCOPE "\"searchScope\":{\"namespace\":\"acme\",\"project\":\"shop\"}"
#define T0    (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */
#define MIN   NS_PER_MIN

enum { MAX_POINTS = 400 };

static struct bed bed;
static struct point points[MAX_POINTS];
static struct metric metrics[MAX_POINTS];
static struct histogram hists[MAX_POINTS];
static struct attr attrs[MAX_POINTS][2];

static struct point *put(const char *name, uint8_t type, uint8_t temporality,
                         uint32_t resource, uint64_t time_ns)
{
    uint32_t i = bed.store->point_count++;

    bed.store->points = points;
    metrics[i] = (struct metric){.name = slice_of(name),
                                 .type = type,
                                 .temporality = temporality,
                                 .monotonic = true};
    points[i] = (struct point){.metric = &metrics[i],
                               .start_ns = time_ns - MIN,
                               .time_ns = time_ns,
                               .resource_id = resource};
    return &points[i];
}

static void put_attr(struct point *point, const char *key, const char *value)
{
    struct attr *at = attrs[point - points];

    at[point->attrs.count] = bed_attr(key, value);
    point->attrs.at = at;
    point->attrs.count++;
}

static json_t *ask(const char *metric)
{
    char body[512];

    snprintf(body, sizeof(body), "{" TIMES "," SCOPE ",\"metric\":\"%s\"}",
             metric);
    return bed_ask(&bed, "POST", PATH, body);
}

static bool near(const json_t *answer, const char *path, double want)
{
    double got = strtod(bed_at(answer, path).ptr, NULL);
    bool good = fabs(got - want) <= 0.02 * fabs(want) + 1e-9;

    if (!good)
        printf("# %s: %g, not %g\n", path, got, want);
    return good;
}

static const uint64_t sixty[] = {60};

/* Ten minutes of 60 requests of about 100 ms, 3 of them failing, as the
 * correlator writes them. */
static void put_derived(uint32_t resource)
{
    for (uint64_t m = 1; m <= 10; m++) {
        struct point *p = put(DERIVED_DURATION, METRIC_EXP_HISTOGRAM, DELTA,
                              resource, T0 + m * MIN);
        struct histogram *h = &hists[p - points];

        *h = (struct histogram){.count = 60, .sum = 6, .has_sum = true};
        h->scale = 3; /* (0.0917, 0.1] holds the 100 ms */
        h->positive = (struct exp_buckets){sixty, 1, -27};
        p->histogram = h;
        put_attr(p, DERIVED_KIND, "server");
        p = put(DERIVED_ERRORS, METRIC_SUM, DELTA, resource, T0 + m * MIN);
        p->is_int = true;
        p->i = 3;
        put_attr(p, DERIVED_KIND, "server");
    }
}

TEST(http_from_derived_series)
{
    json_t *answer;

    bed_init(&bed);
    put_derived(bed_resource(&bed, "shop", "cart"));
    answer = ask("http");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "requestCount"), "[2]");
    CHECK_TEXT(bed_at(answer, "requestCount.0.timestamp"),
               "2026-08-21T08:00:00Z");
    CHECK_TEXT(bed_at(answer, "requestCount.1.timestamp"),
               "2026-08-21T08:05:00Z");
    CHECK(near(answer, "requestCount.0.value", 1));
    CHECK(near(answer, "requestCount.1.value", 1));
    CHECK(near(answer, "unsuccessfulRequestCount.0.value", 0.05));
    CHECK(near(answer, "successfulRequestCount.0.value", 0.95));
    CHECK(near(answer, "meanLatency.0.value", 0.1));
    CHECK(fabs(strtod(bed_at(answer, "latencyP50.0.value").ptr, NULL) - 0.1) <
          0.01);
    CHECK(fabs(strtod(bed_at(answer, "latencyP99.1.value").ptr, NULL) - 0.1) <
          0.01);
    json_decref(answer);
    bed_release(&bed);
}

TEST(consumers_are_not_http)
{
    json_t *answer;

    bed_init(&bed);
    put_derived(bed_resource(&bed, "shop", "cart"));
    for (uint32_t i = 0; i < bed.store->point_count; i++)
        attrs[i][0] = bed_attr(DERIVED_KIND, "consumer");
    answer = ask("http");
    CHECK_TEXT(bed_at(answer, "requestCount"), "[0]");
    CHECK_TEXT(bed_at(answer, "latencyP90"), "[0]");
    json_decref(answer);
    bed_release(&bed);
}

/* No spans: the histogram of the SDK, cumulative, in milliseconds. */
TEST(http_from_sdk_metrics)
{
    static const double bounds[] = {50, 100, 200};
    static uint64_t counts[20][4];
    uint32_t resource;
    json_t *answer;

    bed_init(&bed);
    resource = bed_resource(&bed, "shop", "cart");
    for (uint64_t m = 0; m < 20; m++) {
        bool failed = m % 2;
        uint64_t n = (m / 2 + 1) * (failed ? 6 : 54);
        struct point *p = put("http.server.duration", METRIC_HISTOGRAM,
                              CUMULATIVE, resource, T0 + (m / 2 + 1) * MIN);
        struct histogram *h = &hists[p - points];

        metrics[p - points].unit = SLICE("ms");
        counts[m][1] = n;
        *h = (struct histogram){.count = n,
                                .sum = 80.0 * (double)n,
                                .has_sum = true,
                                .bound_count = 3,
                                .bounds = bounds,
                                .counts = counts[m]};
        p->histogram = h;
        p->start_ns = T0;
        put_attr(p, "http.status_code", failed ? "500" : "200");
    }
    answer = ask("http");
    CHECK_EQ(bed.status, 200);
    CHECK(near(answer, "requestCount.0.value", 1));
    CHECK(near(answer, "requestCount.1.value", 1));
    CHECK(near(answer, "unsuccessfulRequestCount.1.value", 0.1));
    CHECK(near(answer, "meanLatency.0.value", 0.08));
    CHECK(near(answer, "latencyP50.0.value", 0.075));
    json_decref(answer);
    bed_release(&bed);
}

static json_t *ask_page(void)
{
    return bed_ask(&bed, "GET",
                   "/api/v1/components/acme/shop/cart?step=5m"
                   "&startTime=2026-08-21T08:00:00Z"
                   "&endTime=2026-08-21T08:10:00Z",
                   NULL);
}

/* The charts of the component page, with spans and without: the figures and
 * lists are of spans alone. */
TEST(the_page_charts_what_there_is)
{
    json_t *answer;

    bed_init(&bed);
    put_derived(bed_resource(&bed, "shop", "cart"));
    answer = ask_page();
    CHECK_EQ(bed.status, 200);
    CHECK(near(answer, "summary.requestCount", 600));
    CHECK(near(answer, "summary.errorRatio", 0.05));
    CHECK(near(answer, "series.requestRate.1.value", 1));
    CHECK(near(answer, "series.errorRate.0.value", 0.05));
    CHECK_TEXT(bed_at(answer, "endpoints"), "[1]");
    CHECK_TEXT(bed_at(answer, "endpoints.0.operations.0.kind"), "server");
    json_decref(answer);
    bed_release(&bed);

    bed_init(&bed);
    uint32_t resource = bed_resource(&bed, "shop", "cart");
    for (uint64_t m = 1; m <= 10; m++) {
        struct point *p = put("http_requests_total", METRIC_SUM, CUMULATIVE,
                              resource, T0 + m * MIN);

        p->start_ns = T0;
        p->d = (double)(m * 60);
        put_attr(p, "code", "503");
    }
    answer = ask_page();
    CHECK_EQ(bed.status, 200);
    CHECK(near(answer, "summary.requestCount", 0));
    CHECK(near(answer, "series.requestRate.1.value", 1));
    CHECK(near(answer, "series.errorRate.1.value", 1));
    CHECK_TEXT(bed_at(answer, "series.latencyP99"), "[0]");
    CHECK_TEXT(bed_at(answer, "endpoints"), "[0]");
    json_decref(answer);
    bed_release(&bed);
}

static void put_log(uint32_t resource, const char *id, uint64_t time_ns)
{
    struct point *p = put(DERIVED_LOGS, METRIC_SUM, DELTA, resource, time_ns);

    p->is_int = true;
    p->i = 7;
    put_attr(p, DERIVED_TEMPLATE_ID, id);
    put_attr(p, DERIVED_TEMPLATE, "disk <*> is full");
}

/* A template is new if the time before has none; one that is only there is not
 * shown. */
TEST(log_templates_of_the_page)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t resource = bed_resource(&bed, "shop", "cart");
    put_log(resource, "a", T0 - MIN);
    put_log(resource, "a", T0 + MIN);
    put_log(resource, "a", T0 + 2 * MIN);
    put_log(resource, "b", T0 + 2 * MIN);
    put_log(resource, "c", T0 - MIN);
    answer = ask_page();
    CHECK_TEXT(bed_at(answer, "logTemplates"), "[2]");
    CHECK_TEXT(bed_at(answer, "logTemplates.0.templateId"), "a");
    CHECK_TEXT(bed_at(answer, "logTemplates.0.template"), "disk <*> is full");
    CHECK_TEXT(bed_at(answer, "logTemplates.0.count"), "14");
    CHECK_TEXT(bed_at(answer, "logTemplates.0.new"), "false");
    CHECK_TEXT(bed_at(answer, "logTemplates.0.firstSeen"),
               "2026-08-21T08:00:00Z");
    CHECK_TEXT(bed_at(answer, "logTemplates.0.lastSeen"),
               "2026-08-21T08:02:00Z");
    CHECK_TEXT(bed_at(answer, "logTemplates.1.new"), "true");
    json_decref(answer);
    bed_release(&bed);
}

TEST(resource_from_kubelet_and_kube_state)
{
    uint32_t resource;
    json_t *answer;

    bed_init(&bed);
    resource = bed_resource(&bed, "shop", "cart");
    for (uint64_t m = 0; m < 10; m++) {
        struct point *p = put("container.cpu.usage", METRIC_GAUGE, 0, resource,
                              T0 + m * MIN + 1);

        p->d = 0.25;
        p = put("k8s.pod.cpu.usage", METRIC_GAUGE, 0, resource,
                T0 + m * MIN + 1);
        p->d = 0.3; /* the same pod as a whole: never both */
        p = put("container.memory.working_set", METRIC_GAUGE, 0, resource,
                T0 + m * MIN + 1);
        p->is_int = true;
        p->i = 1000000;
        p = put("k8s.container.memory_limit", METRIC_GAUGE, 0, resource,
                T0 + m * MIN + 1);
        p->is_int = true;
        p->i = 5000000;
        p = put("k8s.pod.network.io", METRIC_SUM, CUMULATIVE, resource,
                T0 + (m + 1) * MIN);
        p->start_ns = T0;
        p->is_int = true;
        p->i = (int64_t)(m + 1) * 6000;
        put_attr(p, "direction", "receive");
    }
    answer = ask("resource");
    CHECK_EQ(bed.status, 200);
    CHECK(near(answer, "cpuUsage.0.value", 0.25));
    CHECK(near(answer, "cpuUsage.1.value", 0.25));
    CHECK_TEXT(bed_at(answer, "cpuUsage"), "[2]");
    CHECK(near(answer, "memoryUsage.1.value", 1e6));
    CHECK(near(answer, "memoryLimits.0.value", 5e6));
    CHECK(near(answer, "networkReceiveBytes.0.value", 100));
    CHECK_TEXT(bed_at(answer, "cpuRequests"), "[0]");
    CHECK_TEXT(bed_at(answer, "networkTransmitBytes"), "[0]");
    CHECK_TEXT(bed_at(answer, "diskReadBytes"), "[0]");
    json_decref(answer);
    bed_release(&bed);
}

/* cAdvisor by way of a Prometheus receiver: pods are in the points. */
TEST(resource_from_prometheus_names)
{
    uint32_t resource;
    json_t *answer;

    bed_init(&bed);
    resource = bed_resource(&bed, "shop", "scraper");
    for (uint64_t m = 0; m <= 11; m++)
        for (int k = 0; k < 3; k++) {
            struct point *p =
                put("container_cpu_usage_seconds_total", METRIC_SUM, CUMULATIVE,
                    resource, T0 - MIN + 1 + m * MIN);

            p->start_ns = 0;
            p->d = 30.0 * (double)m;
            put_attr(p, "pod", k == 1 ? "cart-2" : "cart-1");
            put_attr(p, "container", k == 2 ? "" : "main"); /* whole pod */
        }
    for (int k = 0; k < 2; k++) {
        struct point *p = put("kube_pod_container_resource_limits",
                              METRIC_GAUGE, 0, resource, T0 + 1);

        p->d = k ? 2 : 4e9;
        put_attr(p, "resource", k ? "cpu" : "memory");
    }
    answer = ask("resource");
    CHECK(near(answer, "cpuUsage.0.value", 1));
    CHECK(near(answer, "cpuUsage.1.value", 1));
    CHECK(near(answer, "cpuLimits.0.value", 2));
    CHECK(near(answer, "memoryLimits.0.value", 4e9));
    json_decref(answer);
    bed_release(&bed);
}

TEST(nothing_known_is_empty_lists)
{
    json_t *answer;

    bed_init(&bed);
    answer = ask("resource");
    CHECK_EQ(bed.status, 200);
    CHECK_EQ(json_object_size(answer), 10);
    CHECK_TEXT(bed_at(answer, "diskWriteBytes"), "[0]");
    json_decref(answer);
    answer = ask("http");
    CHECK_EQ(json_object_size(answer), 7);
    json_decref(answer);
    bed_release(&bed);
}

/* A counter or a part of a histogram: a value that grows by `more` a minute,
 * from a minute before the window on. */
static void put_growing(const char *name, uint8_t type, uint32_t resource,
                        const char *key, const char *value, double more)
{
    for (uint64_t m = 0; m <= 11; m++) {
        struct point *p =
            put(name, type, CUMULATIVE, resource, T0 + m * MIN - MIN + 1);

        metrics[p - points].monotonic = type == METRIC_SUM;
        p->start_ns = 0;
        p->d = 500 + more * (double)m;
        if (key)
            put_attr(p, key, value);
    }
}

/* Micrometer through a Prometheus receiver without types: count, sum and
 * buckets arrive as gauges. */
TEST(http_from_parts_of_a_prometheus_histogram)
{
    static const char *const le[] = {"0.1", "0.5", "+Inf"};
    static const double counts[] = {30, 54, 60};
    uint32_t resource;
    json_t *answer;

    bed_init(&bed);
    resource = bed_resource(&bed, "shop", "cart");
    put_growing("http_server_requests_seconds_count", METRIC_GAUGE, resource,
                "status", "200", 54);
    put_growing("http_server_requests_seconds_count", METRIC_GAUGE, resource,
                "status", "503", 6);
    put_growing("http_server_requests_seconds_sum", METRIC_GAUGE, resource,
                NULL, NULL, 12);
    for (int i = 0; i < 3; i++)
        put_growing("http_server_requests_seconds_bucket", METRIC_SUM, resource,
                    "le", le[i], counts[i]);
    answer = ask("http");
    CHECK(near(answer, "requestCount.0.value", 1));
    CHECK(near(answer, "requestCount.1.value", 1));
    CHECK(near(answer, "unsuccessfulRequestCount.0.value", 0.1));
    CHECK(near(answer, "meanLatency.0.value", 0.2));
    CHECK(near(answer, "latencyP50.0.value", 0.1));
    CHECK(near(answer, "latencyP90.0.value", 0.5));
    json_decref(answer);
    bed_release(&bed);
}

/* A summary: mean from sum and count; its quantiles cannot be added up. */
TEST(http_from_a_summary)
{
    static const double quantiles[] = {0.5, 0.99}, values[] = {70, 900};
    json_t *answer;

    bed_init(&bed);
    uint32_t resource = bed_resource(&bed, "shop", "cart");
    for (uint64_t m = 0; m <= 10; m++) {
        struct point *p = put("http.server.requests", METRIC_SUMMARY, 0,
                              resource, T0 + m * MIN);

        metrics[p - points].unit = SLICE("milliseconds");
        p->start_ns = T0 - NS_PER_DAY;
        hists[p - points] = (struct histogram){.count = 1000 + 120 * m,
                                               .sum = 6000.0 * (double)m,
                                               .has_sum = true,
                                               .bound_count = 2,
                                               .bounds = quantiles,
                                               .values = values};
        p->histogram = &hists[p - points];
        put_attr(p, "outcome", "SUCCESS");
    }
    answer = ask("http");
    CHECK(near(answer, "requestCount.0.value", 2));
    CHECK(near(answer, "meanLatency.0.value", 0.05));
    CHECK_TEXT(bed_at(answer, "latencyP50"), "[0]");
    json_decref(answer);
    bed_release(&bed);
}

/* One name is enough: those of a worse rank say the same again. */
TEST(http_from_the_best_name_only)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t resource = bed_resource(&bed, "shop", "cart");
    put_growing("http_requests_total", METRIC_SUM, resource, "code", "200", 60);
    put_growing("istio_requests_total", METRIC_SUM, resource, "reporter",
                "destination", 60);
    put_growing("istio_requests_total", METRIC_SUM, resource, "reporter",
                "source", 600);
    answer = ask("http");
    CHECK(near(answer, "requestCount.0.value", 1));
    json_decref(answer);
    bed_release(&bed);
}

/* HTTP and RPC of one component add up; the mesh saw both of them. */
TEST(rpc_counts_beside_http_and_a_mesh_alone)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t resource = bed_resource(&bed, "shop", "cart");
    uint32_t mesh = bed_resource(&bed, "shop", "web");
    put_growing("http_requests_total", METRIC_SUM, resource, "code", "200", 60);
    put_growing("grpc_server_handled_total", METRIC_SUM, resource, "grpc_code",
                "Internal", 30);
    put_growing("istio_requests_total", METRIC_SUM, resource, NULL, NULL, 90);
    put_growing("istio_requests_total", METRIC_SUM, mesh, NULL, NULL, 60);
    answer = ask("http");
    CHECK(near(answer, "requestCount.0.value", 2.5));
    CHECK(near(answer, "unsuccessfulRequestCount.0.value", 0.5));
    json_decref(answer);
    bed_release(&bed);
}

/* A histogram whose optional sum is missing has requests and no mean. */
TEST(a_missing_sum_is_no_mean_of_zero)
{
    static const double bounds[] = {0.1};
    static const uint64_t counts[] = {0, 60};
    json_t *answer;

    bed_init(&bed);
    uint32_t resource = bed_resource(&bed, "shop", "cart");
    for (uint64_t m = 1; m <= 10; m++) {
        struct point *p = put("http.server.request.duration", METRIC_HISTOGRAM,
                              DELTA, resource, T0 + m * MIN);

        hists[p - points] = (struct histogram){
            .count = 60, .bound_count = 1, .bounds = bounds, .counts = counts};
        p->histogram = &hists[p - points];
    }
    answer = ask("http");
    CHECK(near(answer, "requestCount.0.value", 1));
    CHECK_TEXT(bed_at(answer, "meanLatency"), "[0]");
    json_decref(answer);
    bed_release(&bed);
}

/* An exporter without types: the counter comes as a gauge. */
TEST(cpu_from_a_counter_that_is_a_gauge)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t resource = bed_resource(&bed, "shop", "cart");
    put_growing("container_cpu_usage_seconds_total", METRIC_GAUGE, resource,
                "container", "main", 30);
    answer = ask("resource");
    CHECK(near(answer, "cpuUsage.0.value", 0.5));
    CHECK(near(answer, "cpuUsage.1.value", 0.5));
    json_decref(answer);
    bed_release(&bed);
}

/* The unit decides, in whatever words; memory by its best source. */
TEST(units_of_usage)
{
    static const struct {
        const char *name, *unit;
        double value;
    } rows[] = {{"container.cpu.usage", "%", 25},
                {"k8s.container.cpu_limit", "millicores", 500},
                {"container.memory.rss", "By", 7},
                {"container.memory.usage", "MiBy", 64},
                {"k8s.container.memory_limit", "GiB", 1}};
    json_t *answer;

    bed_init(&bed);
    uint32_t resource = bed_resource(&bed, "shop", "cart");
    for (uint64_t m = 0; m < 10; m++)
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            struct point *p =
                put(rows[i].name, METRIC_GAUGE, 0, resource, T0 + m * MIN + 1);

            metrics[p - points].unit = slice_of(rows[i].unit);
            p->d = rows[i].value;
        }
    answer = ask("resource");
    CHECK(near(answer, "cpuUsage.0.value", 0.25));
    CHECK(near(answer, "cpuLimits.0.value", 0.5));
    CHECK(near(answer, "memoryUsage.0.value", 64 * 1048576.0));
    CHECK(near(answer, "memoryLimits.0.value", 1073741824.0));
    json_decref(answer);
    bed_release(&bed);
}

/* Directions in another order are the same series. */
TEST(attributes_in_any_order)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t resource = bed_resource(&bed, "shop", "cart");
    for (uint64_t m = 0; m <= 10; m++) {
        struct point *p = put("k8s.pod.network.io", METRIC_SUM, CUMULATIVE,
                              resource, T0 + m * MIN);

        p->start_ns = T0 - NS_PER_DAY;
        p->d = 1e9 + 6000.0 * (double)m;
        put_attr(p, m % 2 ? "direction" : "interface", m % 2 ? "receive" : "e");
        put_attr(p, m % 2 ? "interface" : "direction", m % 2 ? "e" : "receive");
    }
    answer = ask("resource");
    CHECK(near(answer, "networkReceiveBytes.0.value", 100));
    CHECK(near(answer, "networkReceiveBytes.1.value", 100));
    json_decref(answer);
    bed_release(&bed);
}

/* cAdvisor's row of a whole pod is better than none. */
TEST(cpu_of_a_pod_without_rows_of_containers)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t resource = bed_resource(&bed, "shop", "cart");
    put_growing("container_cpu_usage_seconds_total", METRIC_SUM, resource,
                "pod", "cart-1", 30);
    answer = ask("resource");
    CHECK(near(answer, "cpuUsage.0.value", 0.5));
    json_decref(answer);
    bed_release(&bed);
}
