/* Costs of the components of an environment, from points to the answer. */
#include "cost_kit.h"

/* The hour that is paid is the larger of both, hour by hour. */
TEST(the_larger_of_request_and_usage_is_paid)
{
    json_t *answer;
    uint32_t cart;

    cost_begin();
    cart = container("cart", "cart-1", "node-a", "main");
    put_run(cart, "k8s.container.cpu_request", 0, 2, 0.5);
    put_run(cart, "k8s.container.memory_request", 0, 2, GIB);
    put_run(cart, "container.cpu.usage", 0, 1, 0.2);
    put_run(cart, "container.cpu.usage", 1, 2, 0.8);
    put_run(cart, "container.memory.working_set", 0, 2, GIB / 4);
    answer = get(COSTS FROM_TO "10:00:00Z");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "items"), "[1]");
    CHECK(near(answer, "items.0.cpuCost", 1.3 * CORE_HOUR));
    CHECK(near(answer, "items.0.memoryCost", 2 * GIB_HOUR));
    CHECK(near(answer, "items.0.cpuUsedCost", CORE_HOUR));
    CHECK(
        near(answer, "items.0.efficiency",
             (CORE_HOUR + 0.5 * GIB_HOUR) / (1.3 * CORE_HOUR + 2 * GIB_HOUR)));
    CHECK_TEXT(bed_at(answer, "items.0.component"), "cart");
    CHECK_TEXT(bed_at(answer, "items.0.namespace"), "acme");
    CHECK_TEXT(bed_at(answer, "items.0.environmentUid"), ENV_UID);
    CHECK_TEXT(bed_at(answer, "items.0.componentUid"),
               "00000000-0000-0000-0000-000000000000");
    CHECK_TEXT(bed_at(answer, "prices.currency"), "USD");
    CHECK_TEXT(bed_at(answer, "prices.source"), "default");
    json_decref(answer);
    answer = get(COSTS FROM_TO "10:00:00Z&granularity=1h");
    CHECK_TEXT(bed_at(answer, "items"), "[2]");
    CHECK(near(answer, "items.0.cpuCost", 0.5 * CORE_HOUR));
    CHECK(near(answer, "items.1.cpuCost", 0.8 * CORE_HOUR));
    CHECK_TEXT(bed_at(answer, "items.1.startTime"), "2026-08-21T09:00:00Z");
    CHECK_TEXT(bed_at(answer, "items.1.endTime"), "2026-08-21T10:00:00Z");
    json_decref(answer);
    cost_end();
}

/* A pod that comes or goes within an hour pays its part, and so do two at the
 * same time; the window may begin and end at any time. */
TEST(parts_of_hours_and_replaced_pods)
{
    json_t *answer;

    cost_begin();
    put_run(container("cart", "cart-1", "n", "main"),
            "k8s.container.cpu_request", 0, 0.5, 1);
    put_run(container("cart", "cart-2", "n", "main"),
            "k8s.container.cpu_request", 0.25, 2, 1);
    answer = get(COSTS FROM_TO "10:00:00Z");
    /* The last sample of each holds for a minute and a half. */
    CHECK(near(answer, "items.0.cpuCost", (0.5 + 1.75 + 0.5 / 60) * CORE_HOUR));
    CHECK_TEXT(bed_at(answer, "items.0.missing.0"), "cpuUsage");
    json_decref(answer);
    answer = get(COSTS "?startTime=2026-08-21T08:10:00Z&endTime="
                       "2026-08-21T08:20:00Z");
    CHECK(near(answer, "items.0.cpuCost", 15 / 60.0 * CORE_HOUR));
    json_decref(answer);
    cost_end();
}

TEST(what_several_sources_say_counts_once)
{
    json_t *answer;
    uint32_t kubelet, cluster, pod, sdk;

    cost_begin();
    kubelet = container("cart", "cart-1", "n", "main");
    cluster = container("cart", "cart-1", "n", "other");
    pod = container("cart", "cart-1", "n", NULL);
    sdk = resource_with((const char *const[]){
        "openchoreo.dev/namespace", "acme", "openchoreo.dev/project", "shop",
        "openchoreo.dev/component", "cart", "openchoreo.dev/environment",
        "prod", "service.instance.id", "7", NULL});
    put_run(kubelet, "container.cpu.usage", 0, 1, 0.3);
    put_run(cluster, "container.cpu.usage", 0, 1, 0.2);
    put_run(pod, "k8s.pod.cpu.usage", 0, 1, 0.5);
    for (int m = 0; m < 60; m++)
        put(sdk, "process.cpu.time", T0 + (uint64_t)m * NS_PER_MIN, m * 18);
    put_run(cluster, "k8s.container.cpu_request", 0, 1, 0.1);
    for (int m = 0; m < 60; m++) {
        struct point *p = put(pod, "kube_pod_container_resource_requests",
                              T0 + (uint64_t)m * NS_PER_MIN, 0.1);

        put_label(p, "pod", "cart-1");
        put_label(p, "namespace", "dp-acme");
        put_label(p, "resource", "cpu");
    }
    answer = get(COSTS FROM_TO "09:00:00Z");
    CHECK(near(answer, "items.0.cpuCost", 0.5 * CORE_HOUR));
    CHECK(near(answer, "items.0.efficiency", 1));
    json_decref(answer);
    cost_end();
}

enum { PODS = 30, HOURS = 30 };

/* Random pods, each with its hours: the sum over pods and hours of what is
 * larger, computed naively, however the window is read. */
TEST(random_pods_pay_the_naive_sum)
{
    double cpu[3] = {0}, memory[3] = {0};
    json_t *whole, *narrow;

    cost_begin();
    for (int i = 0; i < PODS; i++) {
        char name[16], pod[16];
        uint64_t first = draw(HOURS - 1),
                 last = first + 1 + draw(HOURS - first);

        snprintf(name, sizeof(name), "c%d", i % 3);
        snprintf(pod, sizeof(pod), "pod-%d", i);
        uint32_t id = container(name, pod, "n", "main");

        last = last < HOURS ? last : HOURS;
        for (uint64_t h = first; h < last; h++) {
            double request = (double)draw(100) / 50, bytes = GIB * request;
            double used = (double)draw(100) / 50;
            bool requested = draw(5) > 0, measured = draw(5) > 0;
            double from = (double)h, to = (double)h + 1;

            if (requested) {
                put_run(id, "k8s.container.cpu_request", from, to, request);
                put_run(id, "k8s.container.memory_request", from, to, bytes);
            }
            if (measured) {
                put_run(id, "container.cpu.usage", from, to, used);
                put_run(id, "container.memory.working_set", from, to, 7e8);
            }
            cpu[i % 3] += fmax(requested ? request : 0, measured ? used : 0);
            memory[i % 3] +=
                fmax(requested ? bytes : 0, measured ? 7e8 : 0) / GIB;
        }
    }
    whole = get(COSTS FROM_TO "20:00:00Z&endTime=2026-08-22T14:00:00Z");
    json_decref(whole);
    whole = get(COSTS
                "?startTime=2026-08-21T08:00:00Z&endTime=2026-08-22T14:00:00Z");
    CHECK_TEXT(bed_at(whole, "items"), "[3]");
    for (size_t i = 0; i < 3; i++) {
        const json_t *item = json_array_get(json_object_get(whole, "items"), i);
        int c = bed_at(item, "component").ptr[1] - '0';
        double got = number_at(item, "cpuCost") / CORE_HOUR;

        /* Samples at the borders of runs hold a little longer. */
        CHECK(fabs(got - cpu[c]) <= 0.02 * cpu[c]);
        got = number_at(item, "memoryCost") / GIB_HOUR;
        CHECK(fabs(got - memory[c]) <= 0.02 * memory[c]);
    }
    bed.max_memory = 1 << 20;
    narrow = get(
        COSTS "?startTime=2026-08-21T08:00:00Z&endTime=2026-08-22T14:00:00Z");
    CHECK_EQ(bed.status, 200);
    for (size_t i = 0; i < 3; i++) {
        const json_t *a = json_array_get(json_object_get(whole, "items"), i);
        const json_t *b = json_array_get(json_object_get(narrow, "items"), i);

        CHECK(near(b, "cpuCost", number_at(a, "cpuCost")));
        CHECK(near(b, "memoryCost", number_at(a, "memoryCost")));
        CHECK(near(b, "efficiency", number_at(a, "efficiency")));
    }
    json_decref(whole);
    json_decref(narrow);
    cost_end();
}

static void refused(const char *path, int status, const char *message)
{
    json_t *answer = get(path);

    CHECK_EQ(bed.status, status);
    CHECK(strstr(bed.text, message));
    CHECK_TEXT(bed_at(answer, "errorCode"), "");
    CHECK_TEXT(bed_at(answer, "title"),
               status == 403 ? "forbidden" : "badRequest");
    json_decref(answer);
}

TEST(parameters_are_checked)
{
    static const char *const wrong[] = {"0h",  "1m",  "h",  "1.5h", "-1d",
                                        "01h", "1h1", "1H", "1 h"};

    cost_begin();
    refused(COSTS, 400, "startTime is required");
    refused(COSTS "?startTime=2026-08-21T08:00:00Z", 400,
            "endTime is required");
    refused(COSTS "?startTime=yesterday&endTime=2026-08-21T08:00:00Z", 400,
            "startTime must be an RFC 3339 time");
    refused(COSTS FROM_TO "08:00:00Z", 400, "endTime must be after startTime");
    refused(COSTS
            "?startTime=2020-08-21T08:00:00Z&endTime=2026-08-21T08:00:00Z",
            400, "at most 400 days");
    refused(COSTS FROM_TO "09:00:00Z&component=cart", 400,
            "project is required when component is provided");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        char path[256];

        snprintf(path, sizeof(path), COSTS FROM_TO "09:00:00Z&granularity=%s",
                 wrong[i]);
        refused(path, 400, "granularity must be");
    }
    bed_allow(&bed, ACTION_BIT(ACTION_FINOPS_VIEW), "beta", "*", "*");
    refused(COSTS FROM_TO "09:00:00Z", 403, "finops:view");
    cost_end();
}

/* As OpenChoreo's Observer asks an adapter. */
TEST(uids_are_accepted_as_names)
{
    json_t *answer;

    cost_begin();
    put_run(container("cart", "cart-1", "n", "main"),
            "k8s.container.cpu_request", 0, 1, 1);
    answer =
        get("/api/v1alpha1/costs/namespaces/acme/environments/" ENV_UID FROM_TO
            "09:00:00Z&projectUid=shop&componentUid=cart");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "items.0.environment"), "prod");
    json_decref(answer);
    cost_end();
}

/* Of data that is gone the answer says from when on there is some. */
TEST(a_window_before_the_data_says_where_it_begins)
{
    json_t *answer;

    cost_begin();
    put_run(container("cart", "cart-1", "n", "main"),
            "k8s.container.cpu_request", 0, 1, 1);
    answer = get(COSTS "?startTime=2026-07-21T08:00:00Z&endTime="
                       "2026-08-21T10:00:00Z&granularity=1w");
    CHECK_TEXT(bed_at(answer, "items"), "[1]");
    CHECK_TEXT(bed_at(answer, "dataStartTime"), "2026-08-21T08:00:00Z");
    CHECK_TEXT(bed_at(answer, "items.0.hours"), "2");
    json_decref(answer);
    answer = get(COSTS "?startTime=2026-07-21T08:00:00Z&endTime="
                       "2026-07-22T10:00:00Z");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "items"), "[0]");
    json_decref(answer);
    cost_end();
}

/* What OpenCost says of a node wins over a row, a row over the default. */
TEST(prices_of_nodes)
{
    json_t *answer;
    uint32_t node;

    cost_begin();
    put_run(container("cart", "cart-1", "node-a", "main"),
            "k8s.container.cpu_request", 0, 1, 1);
    node =
        resource_with((const char *const[]){"service.name", "opencost", NULL});
    for (int m = 0; m < 60; m++)
        put_label(put(node, "node_cpu_hourly_cost",
                      T0 + (uint64_t)m * NS_PER_MIN, 0.25),
                  "node", "node-a");
    answer = get(COSTS FROM_TO "09:00:00Z");
    CHECK(near(answer, "items.0.cpuCost", 0.25));
    json_decref(answer);
    cost_end();
}

/* Each step of each component is memory, and an item. */
TEST(an_answer_has_a_limit_of_items)
{
    json_t *answer;

    cost_begin();
    for (int i = 0; i < 12; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        put_run(container(name, name, "n", "main"), "k8s.container.cpu_request",
                0, 1, 1);
    }
    answer = get(COSTS "?startTime=2025-08-21T08:00:00Z&endTime="
                       "2026-08-21T10:00:00Z&granularity=1h");
    CHECK_EQ(bed.status, 400);
    CHECK(strstr(bed.text, "granularity is too small"));
    json_decref(answer);
    answer = get(COSTS "?startTime=2025-08-21T08:00:00Z&endTime="
                       "2026-08-21T10:00:00Z&granularity=1d");
    CHECK_TEXT(bed_at(answer, "items"), "[12]");
    json_decref(answer);
    answer = get("/api/v1alpha1/costs/namespaces/acme/environments/none" FROM_TO
                 "09:00:00Z");
    CHECK_TEXT(bed_at(answer, "items"), "[0]");
    CHECK(bed_at(answer, "empty.message").len > 0);
    json_decref(answer);
    cost_end();
}
