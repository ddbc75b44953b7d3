/* Series that were sent, as the source hands them over. */
#include "prometheus_kit.h"

#define OF_NOTHING kit_resource(NULL)

static struct point *counter(uint32_t resource, double seconds, double start,
                             double value)
{
    struct point *point =
        kit_put("requests", METRIC_SUM, CUMULATIVE, resource, seconds);

    point->start_ns = KIT_T0 + (uint64_t)(start * 1e9);
    point->d = value;
    return point;
}

TEST(an_empty_resource_adds_no_label)
{
    uint32_t none;

    kit_begin();
    none = OF_NOTHING;
    kit_attr(kit_attr(kit_gauge("http_requests", none, 60, 1), "job", "api"),
             "instance", "0");
    kit_attr(
        kit_attr(kit_gauge("http_requests", none, 30.001, 2), "instance", "0"),
        "job", "api"); /* earlier, and other order of labels */
    kit_gauge("http_requests", none, 60, (double)INFINITY);
    kit_gauge("http_requests", none, 120, 0)->flags = POINT_NO_VALUE;
    kit_attr(kit_gauge("other", none, 120, 0), "job", "");
    CHECK_TEXT(kit_ask("http_requests", 0, 300),
               "http_requests inf@60 stale@120\n"
               "http_requests{instance=\"0\",job=\"api\"} 2@30.001 1@60");
    kit_close();
    CHECK_TEXT(kit_ask("other", 0, 300), "other 0@120");
    kit_close();
    CHECK_TEXT(kit_ask("http_requests", 60, 119), "");
    kit_close();
    bed_release(&bed);
}

TEST(matchers_of_all_kinds)
{
    uint32_t none;

    kit_begin();
    none = OF_NOTHING;
    kit_attr(kit_gauge("a", none, 60, 1), "x", "1");
    kit_attr(kit_gauge("b", none, 60, 2), "x", "2");
    kit_gauge("c", none, 60, 3);
    kit_open();
    kit_match("__name__", "=~", "a|c");
    CHECK_TEXT(kit_select(0, 60), "a{x=\"1\"} 1@60\nc 3@60");
    kit_close();
    kit_open();
    kit_match("__name__", "!=", "a");
    kit_match("x", "!~", "9.*");
    CHECK_TEXT(kit_select(0, 60), "b{x=\"2\"} 2@60\nc 3@60");
    kit_close();
    kit_open();
    kit_match("x", "=", "");
    kit_match("__name__", "!~", "target.*");
    CHECK_TEXT(kit_select(0, 60), "c 3@60");
    kit_close();
    bed_release(&bed);
}

TEST(resources_give_their_labels)
{
    static const char *const texts[] = {"service.name",
                                        "cart",
                                        "service.namespace",
                                        "shop",
                                        "service.instance.id",
                                        "7",
                                        "k8s.pod.name",
                                        "cart-1",
                                        "process.pid",
                                        "12",
                                        NULL};
    uint32_t pod;

    kit_begin();
    pod = kit_resource(texts);
    kit_attr(kit_gauge("queue.size", pod, 60, 5), "k8s.pod.name", "mine");
    kit_open();
    kit_match("__name__", "=", "queue_size");
    kit_match("job", "=", "shop/cart");
    kit_match("instance", "=", "7");
    kit_match("component", "=", "cart");
    kit_match("k8s_pod_name", "=", "mine");
    kit_match("process_pid", "=", "");
    CHECK(kit_select(0, 60).len > 0);
    kit_close();
    kit_open();
    kit_match("__name__", "=", "target_info");
    CHECK_TEXT(kit_select(0, 60),
               "target_info{instance=\"7\",job=\"shop/cart\","
               "k8s_pod_name=\"cart-1\",process_pid=\"12\"} 1@60");
    kit_close();
    bed_release(&bed);
}

TEST(equal_labels_are_one_series)
{
    static const char *const old[] = {"service.name", "cart", "process.pid",
                                      "1", NULL};
    static const char *const new[] = {"service.name", "cart", "process.pid",
                                      "2", NULL};
    static const char *const third[] = {"service.name", "pay", "process.pid",
                                        "3", NULL};
    uint32_t a, b, c;

    kit_begin();
    a = kit_resource(old);
    b = kit_resource(new);
    c = kit_resource(third);
    kit_gauge("size", b, 90, 2);
    kit_gauge("size", a, 60, 1);
    kit_gauge("size", a, 90, 9); /* the same time */
    /* a name that is spelled otherwise, and labels that say otherwise */
    kit_attr(kit_gauge("x.y", a, 30, 4), "service.name", "both");
    kit_attr(kit_gauge("x_y", c, 60, 5), "service.name", "both");
    kit_open();
    kit_match("__name__", "=", "size");
    kit_select(0, 300);
    CHECK_EQ(kit.line_count, 1);
    CHECK(strstr(kit.text, "} 1@60 ") != NULL);
    kit_close();
    kit_open();
    kit_match("service_name", "=", "both");
    kit_match("__name__", "=~", "x_.*");
    kit_select(0, 300);
    CHECK_EQ(kit.line_count, 2); /* component differs */
    kit_close();
    bed_release(&bed);
}

TEST(names_by_which_a_series_is_found)
{
    struct point *point;
    uint32_t none;

    kit_begin();
    none = OF_NOTHING;
    counter(none, 60, 0, 3);
    point = kit_gauge("jvm.memory.used", none, 60, 7);
    kit_metric(point)->unit = SLICE("By");
    CHECK_TEXT(kit_ask("requests_total", 0, 60), "requests_total 3@60");
    kit_close();
    CHECK_TEXT(kit_ask("requests", 0, 60), "requests 3@60");
    kit_close();
    CHECK_TEXT(kit_ask("jvm.memory.used", 0, 60), "jvm.memory.used 7@60");
    kit_close();
    kit_open();
    kit_match("__name__", "=~", "jvm.*");
    CHECK_TEXT(kit_select(0, 60), "jvm_memory_used_bytes 7@60");
    kit_close();
    bed_release(&bed);
}

TEST(a_new_start_is_a_reset)
{
    uint32_t none;

    kit_begin();
    none = OF_NOTHING;
    counter(none, 60, 0, 3);
    counter(none, 120, 0, 5);
    counter(none, 180, 130, 8); /* more than before, and begun again */
    counter(none, 240, 130, 9);
    CHECK_TEXT(kit_ask("requests_total", 0, 300),
               "requests_total 3@60 5@120 8@180r 9@240");
    kit_close();
    bed_release(&bed);
}

static void fill(struct histogram *h, uint64_t a, uint64_t b, uint64_t c)
{
    static const double bounds[] = {.5, 1};
    uint64_t *counts = arena_alloc(&bed.arena, 3 * sizeof(*counts));

    counts[0] = a;
    counts[1] = b;
    counts[2] = c;
    *h = (struct histogram){.count = a + b + c,
                            .sum = 2.5,
                            .has_sum = true,
                            .bound_count = 2,
                            .bounds = bounds,
                            .counts = counts};
}

TEST(classic_histograms)
{
    struct point *point;
    uint32_t none;

    kit_begin();
    none = OF_NOTHING;
    point = kit_put("wait.time", METRIC_HISTOGRAM, CUMULATIVE, none, 60);
    kit_metric(point)->unit = SLICE("s");
    fill(kit_histogram(point), 1, 2, 3);
    kit_open();
    kit_match("__name__", "=~", "wait.*");
    CHECK_TEXT(kit_select(0, 60), "wait_time_seconds_bucket{le=\"+Inf\"} 6@60\n"
                                  "wait_time_seconds_bucket{le=\"0.5\"} 1@60\n"
                                  "wait_time_seconds_bucket{le=\"1\"} 3@60\n"
                                  "wait_time_seconds_count 6@60\n"
                                  "wait_time_seconds_sum 2.5@60");
    kit_close();
    kit_open();
    kit_match("__name__", "=", "wait_time_seconds_bucket");
    kit_match("le", "=", "1");
    CHECK_TEXT(kit_select(0, 60), "wait_time_seconds_bucket{le=\"1\"} 3@60");
    kit_close();
    CHECK_TEXT(kit_ask("wait.time_bucket", 0, 60),
               "wait.time_bucket{le=\"+Inf\"} 6@60\n"
               "wait.time_bucket{le=\"0.5\"} 1@60\n"
               "wait.time_bucket{le=\"1\"} 3@60");
    kit_close();
    CHECK_TEXT(kit_ask("wait.time", 0, 60),
               "wait.time {schema:-53 count:6 sum:2.5 0:[1 2 3]}@60");
    kit_close();
    bed_release(&bed);
}

TEST(exponential_histograms_are_native)
{
    static const uint64_t counts[] = {1, 2, 3, 4};
    struct point *point;
    uint32_t none;

    kit_begin();
    none = OF_NOTHING;
    point = kit_put("d", METRIC_EXP_HISTOGRAM, CUMULATIVE, none, 60);
    *kit_histogram(point) = (struct histogram){.count = 11,
                                               .sum = 4,
                                               .has_sum = true,
                                               .scale = 3,
                                               .zero_count = 1,
                                               .positive = {counts, 4, -2}};
    point = kit_put("d", METRIC_EXP_HISTOGRAM, CUMULATIVE, none, 120);
    *kit_histogram(point) = (struct histogram){
        .count = 10, .has_sum = true, .scale = 9, .positive = {counts, 4, 0}};
    kit_put("d", METRIC_EXP_HISTOGRAM, CUMULATIVE, none, 180)->flags =
        POINT_NO_VALUE;
    CHECK_TEXT(kit_ask("d", 0, 300),
               "d {schema:3 count:11 sum:4 zero:1 -2:[1 2 3 4]}@60 "
               "{schema:8 count:10 sum:0 0:[3 7]}@120 stale@180");
    kit_close();
    bed_release(&bed);
}

TEST(summaries_have_quantiles)
{
    static const double quantiles[] = {.5, .99}, values[] = {1, 3};
    struct point *point;
    uint32_t none;

    kit_begin();
    none = OF_NOTHING;
    point = kit_put("rpc", METRIC_SUMMARY, CUMULATIVE, none, 60);
    *kit_histogram(point) = (struct histogram){.count = 10,
                                               .sum = 20,
                                               .has_sum = true,
                                               .bound_count = 2,
                                               .bounds = quantiles,
                                               .values = values};
    kit_open();
    kit_match("__name__", "=~", "rpc.*");
    CHECK_TEXT(kit_select(0, 60), "rpc_count 10@60\n"
                                  "rpc_sum 20@60\n"
                                  "rpc{quantile=\"0.5\"} 1@60\n"
                                  "rpc{quantile=\"0.99\"} 3@60");
    kit_close();
    bed_release(&bed);
}

/* A resource with more than the memory holds is read in parts. */
TEST(large_resources_are_read_in_parts)
{
    enum { SERIES = 100, POINTS = 39 };
    static const char *const texts[] = {"service.name", "state", "k8s.pod.name",
                                        "state-1", NULL};
    static char names[SERIES][16];
    uint32_t resource;

    for (int late = 0; late < 2; late++) {
        kit_begin();
        resource = kit_resource(texts);
        for (int i = 0; i < SERIES; i++) {
            snprintf(names[i], sizeof(names[i]), "p%d", i);
            for (int k = 1; k <= POINTS; k++)
                kit_attr(kit_gauge("ready", resource, 60 * k, i),
                         late ? "k8s.pod.name" : "pod", names[i]);
        }
        bed.max_memory = 192 * 1024; /* of samples there are 94 KB in room of
                                        twice that */
        kit_open();
        kit_match("__name__", "=", "ready");
        kit_select(0, 3600);
        CHECK_EQ(kit.line_count, SERIES);
        for (uint32_t i = 0; i + 1 < kit.line_count; i++)
            CHECK(strcmp(kit.lines[i], kit.lines[i + 1]) != 0);
        CHECK_EQ(kit.source.samples, SERIES * POINTS);
        kit_close();
        bed_release(&bed);
    }
}

TEST(colliding_labels_are_joined)
{
    uint32_t none;

    kit_begin();
    none = OF_NOTHING;
    kit_attr(kit_attr(kit_gauge("a", none, 60, 1), "x_y", "2"), "x.y", "1");
    CHECK_TEXT(kit_ask("a", 0, 60), "a{x_y=\"1;2\"} 1@60");
    kit_close();
    bed_release(&bed);
}

TEST(lists)
{
    struct prometheus_list list = {.start_ms = KIT_MS,
                                   .end_ms = KIT_MS + 60000};
    const struct slice *texts;
    const struct promql_labels *series;
    uint32_t none, count;

    kit_begin();
    none = OF_NOTHING;
    kit_attr(kit_gauge("b", none, 60, 1), "x", "2");
    kit_attr(kit_gauge("a", none, 60, 1), "x", "1");
    kit_gauge("later", none, 90, 1);
    kit_open();
    CHECK_EQ(prometheus_label_names(&kit.source, &list, &texts, &count), OK);
    if (CHECK_EQ(count, 2)) {
        CHECK_TEXT(texts[0], "__name__");
        CHECK_TEXT(texts[1], "x");
    }
    CHECK_EQ(prometheus_label_values(&kit.source, &list, SLICE("__name__"),
                                     &texts, &count),
             OK);
    if (CHECK_EQ(count, 2))
        CHECK_TEXT(texts[0], "a");
    list.limit = 1;
    CHECK_EQ(prometheus_series(&kit.source, &list, &series, &count), OK);
    CHECK_EQ(count, 1);
    CHECK(list.cut);
    kit_close();
    bed_release(&bed);
}

TEST(a_viewer_sees_only_his_series)
{
    struct prometheus_list list = {.start_ms = KIT_MS,
                                   .end_ms = KIT_MS + 60000};
    const struct slice *texts;
    uint32_t count;

    kit_begin();
    kit_gauge("secret_size", bed_resource_in(&bed, "rival", "p", "vault"), 60,
              1);
    kit_gauge("size", bed_resource_in(&bed, "acme", "shop", "cart"), 60, 2);
    bed_allow(&bed, actions_named(SLICE("viewer")), "acme", "*", "*");
    kit_open();
    kit_match("__name__", "!=", "target_info");
    kit_select(0, 60);
    CHECK_EQ(kit.line_count, 1);
    CHECK(strncmp(kit.text, "size{", 5) == 0);
    CHECK_EQ(prometheus_label_values(&kit.source, &list, SLICE("component"),
                                     &texts, &count),
             OK);
    if (CHECK_EQ(count, 1))
        CHECK_TEXT(texts[0], "cart");
    kit_close();
    bed_release(&bed);
}
