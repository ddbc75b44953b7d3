/* The rule of right-sizing, and its route. */
#include "cost_kit.h"
#include "right_size.h"

#define MIB    1048576.0
#define ADVICE COSTS "/recommendations"
#define DAYS(n) \
    "?startTime=2026-08-21T08:00:00Z&endTime=2026-08-2" n "T08:00:00Z"

static void fill(struct sizing *s, double cpu, double memory)
{
    for (int i = 0; i < 1000; i++) {
        usage_sizes_add(&s->usage[PRICE_CPU], PRICE_CPU, cpu * i / 1000);
        usage_sizes_add(&s->usage[PRICE_MEMORY], PRICE_MEMORY,
                        memory * (0.5 + i / 2000.0));
    }
}

static bool is_quantity(enum price_of kind, double value, const char *want)
{
    char text[QUANTITY_SIZE];

    size_quantity(text, kind, value);
    return CHECK_TEXT(slice_of(text), want);
}

TEST(quantiles_are_at_least_those_of_the_values)
{
    struct sizing s = {.periods = 0};

    fill(&s, 1, 512 * MIB);
    for (int q = 1; q <= 100; q++) {
        double got =
            usage_sizes_quantile(&s.usage[PRICE_CPU], PRICE_CPU, q / 100.0);

        CHECK(got >= q / 100.0 - 0.0011 && got <= q / 100.0 * 1.05);
    }
}

TEST(requests_follow_usage)
{
    struct sizing s = {.periods = 0};
    struct size_profile to;

    fill(&s, 1, 512 * MIB);
    s.current = (struct size_profile){{4, 4096 * MIB}, {8, 8192 * MIB}};
    to = right_size(&s);
    /* 0.95 * 1.15, the bucket's 5 % and the step of 0.1 on top */
    CHECK(to.request[PRICE_CPU] >= 1.0925 && to.request[PRICE_CPU] <= 1.3);
    CHECK(fabs(to.limit[PRICE_CPU] - 2 * to.request[PRICE_CPU]) < 0.2);
    CHECK(is_quantity(PRICE_MEMORY, to.request[PRICE_MEMORY], "624Mi"));
    CHECK(is_quantity(PRICE_MEMORY, to.limit[PRICE_MEMORY], "768Mi"));
}

TEST(small_values_have_a_floor_and_near_ones_stay)
{
    struct sizing s = {.periods = 0};
    struct size_profile to;

    fill(&s, 0.0001, 1 * MIB);
    to = right_size(&s);
    CHECK(is_quantity(PRICE_CPU, to.request[PRICE_CPU], "10m"));
    CHECK(is_quantity(PRICE_MEMORY, to.request[PRICE_MEMORY], "32Mi"));
    s = (struct sizing){.current = {{1.25, 600 * MIB}, {2.5, 800 * MIB}}};
    fill(&s, 1, 512 * MIB);
    to = right_size(&s);
    CHECK(is_quantity(PRICE_CPU, to.request[PRICE_CPU], "1250m"));
    CHECK(is_quantity(PRICE_MEMORY, to.request[PRICE_MEMORY], "600Mi"));
    CHECK(is_quantity(PRICE_MEMORY, to.limit[PRICE_MEMORY], "800Mi"));
}

TEST(where_a_limit_held_usage_down_it_is_raised)
{
    struct sizing s = {.current = {{0.1, 128 * MIB}, {0.5, 256 * MIB}},
                       .periods = 1000,
                       .throttled = 300,
                       .oom_kills = 2};
    const char *reasons[RISK_REASONS];
    struct size_profile to;
    uint32_t count;

    fill(&s, 0.5, 250 * MIB);
    to = right_size(&s);
    CHECK(to.limit[PRICE_CPU] >= 0.75);
    CHECK(to.request[PRICE_MEMORY] > 256 * MIB);
    CHECK(to.limit[PRICE_MEMORY] > 1.4 * 256 * MIB);
    CHECK_EQ(sizing_risk(&s, 1000, reasons, &count), RISK_HIGH);
    CHECK_EQ(count, 2);
}

/* Two days of usage with a daily cycle; requests four times too large. */
TEST(the_route_recommends_with_evidence)
{
    json_t *answer;
    uint32_t cart;

    cost_begin();
    cart = container("cart", "cart-1", "n", "main");
    for (int m = 0; m < 2 * 24 * 60; m += 5) {
        uint64_t t = T0 + (uint64_t)m * NS_PER_MIN;
        double day = 0.5 + 0.5 * sin(m / 1440.0 * 6.283185307);

        put(cart, "container.cpu.usage", t, 0.05 + 0.2 * day);
        put(cart, "container.memory.working_set", t, (60 + 40 * day) * MIB);
        put(cart, "k8s.container.cpu_request", t, 1);
        put(cart, "k8s.container.memory_request", t, 512 * MIB);
    }
    answer = get(ADVICE DAYS("3"));
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "items"), "[1]");
    CHECK_TEXT(bed_at(answer, "items.0.current.cpuRequest"), "1000m");
    CHECK_TEXT(bed_at(answer, "items.0.current.cpuLimit"), "0m");
    CHECK_TEXT(bed_at(answer, "items.0.current.memoryRequest"), "512Mi");
    CHECK_TEXT(bed_at(answer, "items.0.recommendation.memoryRequest"), "128Mi");
    CHECK_TEXT(bed_at(answer, "items.0.risk"), "medium");
    CHECK(near(answer, "items.0.current.cpuCost", 48 * CORE_HOUR));
    CHECK(near(answer, "items.0.evidence.cpuMax", 0.25));
    CHECK_TEXT(bed_at(answer, "items.0.evidence.hours"), "48");
    CHECK_TEXT(bed_at(answer, "items.0.evidence.replicas"), "1");
    double request =
        strtod(bed_at(answer, "items.0.recommendation.cpuRequest").ptr, NULL);
    CHECK(request >= 0.24 * 1.15 * 1000 && request <= 0.25 * 1.21 * 1000 + 10);
    double cost = number_at(answer, "items.0.recommendation.cpuCost");
    CHECK(cost > 48 * CORE_HOUR * 0.25 && cost < 48 * CORE_HOUR * 0.34);
    CHECK(number_at(answer, "items.0.saving") > 0);
    json_decref(answer);
    /* Half a day: nothing, with a reason. */
    answer = get(ADVICE "?startTime=2026-08-21T08:00:00Z&endTime="
                        "2026-08-21T20:00:00Z");
    CHECK_TEXT(bed_at(answer, "items"), "[0]");
    CHECK_TEXT(bed_at(answer, "notRecommended.0.component"), "cart");
    CHECK(strstr(bed.text, "less than a day"));
    json_decref(answer);
    cost_end();
}

/* The same advice at whatever hour it is asked for. */
TEST(the_time_of_day_does_not_change_the_advice)
{
    char first[QUANTITY_SIZE] = "";
    uint32_t cart;

    cost_begin();
    cart = container("cart", "cart-1", "n", "main");
    for (int m = 0; m < 4 * 24 * 60; m += 5) {
        double day = 0.5 + 0.5 * sin(m / 1440.0 * 6.283185307);

        put(cart, "container.cpu.usage", T0 + (uint64_t)m * NS_PER_MIN,
            0.05 + 0.2 * day);
    }
    for (int h = 0; h < 24; h += 5) {
        char path[256];
        json_t *answer;

        snprintf(path, sizeof(path),
                 ADVICE "?startTime=2026-08-2%dT%02d:00:00Z&endTime="
                        "2026-08-2%dT%02d:00:00Z",
                 h < 16 ? 1 : 2, (8 + h) % 24, h < 16 ? 3 : 4, (8 + h) % 24);
        answer = get(path);
        struct slice got = bed_at(answer, "items.0.recommendation.cpuRequest");
        CHECK(got.len > 0);
        if (h == 0)
            snprintf(first, sizeof(first), "%.*s", SLICE_ARGS(got));
        CHECK_TEXT(got, first);
        json_decref(answer);
    }
    cost_end();
}

TEST(events_of_oom_kills_are_a_risk)
{
    static struct log_record event;
    json_t *answer;
    uint32_t cart;

    cost_begin();
    cart = container("cart", "cart-1", "n", "main");
    for (int m = 0; m < 2 * 24 * 60; m += 5) {
        uint64_t t = T0 + (uint64_t)m * NS_PER_MIN;

        put(cart, "container.memory.working_set", t, 250 * MIB);
        put(cart, "k8s.container.memory_limit", t, 256 * MIB);
    }
    event = (struct log_record){.time_ns = T0 + HOUR, .resource_id = cart};
    bed.store->logs = &event;
    bed.store->log_count = 1;
    answer = get(ADVICE DAYS("3"));
    CHECK_TEXT(bed_at(answer, "items.0.risk"), "high");
    CHECK_TEXT(bed_at(answer, "items.0.evidence.oomKills"), "1");
    CHECK_TEXT(bed_at(answer, "items.0.recommendation.memoryRequest"), "320Mi");
    json_decref(answer);
    CHECK(bed.store->log_query.events);
    cost_end();
}
