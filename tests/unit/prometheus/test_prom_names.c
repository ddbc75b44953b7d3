/* Names of OTLP metrics and labels as Prometheus writes them. */
#include <math.h>

#include "../../../prometheus/prom_names.h"
#include "test.h"

static struct arena arena;

struct name_case {
    const char *name, *unit;
    enum metric_type type;
    const char *want;
};

TEST(names_of_metrics)
{
    static const struct name_case cases[] = {
        {"http.server.request.duration", "s", METRIC_HISTOGRAM,
         "http_server_request_duration_seconds"},
        {"system.network.io", "By", METRIC_SUM,
         "system_network_io_bytes_total"},
        {"disk.io", "By/s", METRIC_GAUGE, "disk_io_bytes_per_second"},
        {"speed", "m/s", METRIC_GAUGE, "speed_meters_per_second"},
        {"rate", "/s", METRIC_GAUGE, "rate_per_second"},
        {"system.cpu.utilization", "1", METRIC_GAUGE,
         "system_cpu_utilization_ratio"},
        {"requests", "1", METRIC_SUM, "requests_total"},
        {"http.requests", "{request}", METRIC_SUM, "http_requests_total"},
        {"http_requests_total", "", METRIC_SUM, "http_requests_total"},
        {"http_requests_total", "", METRIC_GAUGE, "http_requests_total"},
        {"foo_seconds", "s", METRIC_GAUGE, "foo_seconds"},
        {"foo_seconds_total", "s", METRIC_SUM, "foo_seconds_total"},
        {"foo_total", "s", METRIC_SUM, "foo_seconds_total"},
        {"total.foo", "", METRIC_SUM, "foo_total"},
        {"foo_ratio", "1", METRIC_GAUGE, "foo_ratio"},
        {"2xx.count", "", METRIC_GAUGE, "_2xx_count"},
        {"a..b--c", "", METRIC_GAUGE, "a_b_c"},
        {"a__b", "", METRIC_GAUGE, "a__b"},
        {"_a", "", METRIC_GAUGE, "_a"},
        {"job:requests:rate5m", "", METRIC_GAUGE, "job:requests:rate5m"},
        {"jvm.memory.used", "By", METRIC_GAUGE, "jvm_memory_used_bytes"},
        {"queue", "{items}/s", METRIC_GAUGE, "queue_per_second"},
        {"power", "kW.h", METRIC_GAUGE, "power_kW_h"},
        {"load", "%", METRIC_GAUGE, "load_percent"},
        {"temperature", "Cel", METRIC_GAUGE, "temperature_celsius"},
        {"x", "requests", METRIC_GAUGE, "x_requests"},
        {"caf\xc3\xa9.size", "", METRIC_GAUGE, "caf_size"},
    };

    arena_init(&arena, NULL, SIZE_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct metric metric = {.name = slice_of(cases[i].name),
                                .unit = slice_of(cases[i].unit),
                                .type = (uint8_t)cases[i].type,
                                .monotonic = cases[i].type == METRIC_SUM};

        CHECK_TEXT(prom_metric_name(&metric, &arena), cases[i].want);
    }
    arena_release(&arena);
}

TEST(a_sum_that_can_fall_has_no_total)
{
    struct metric metric = {
        .name = SLICE("queue.size"), .unit = SLICE("1"), .type = METRIC_SUM};

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_TEXT(prom_metric_name(&metric, &arena), "queue_size");
    arena_release(&arena);
}

TEST(names_of_labels)
{
    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_TEXT(prom_label_name(SLICE("http.method"), &arena), "http_method");
    CHECK_TEXT(prom_label_name(SLICE("_x"), &arena), "_x");
    CHECK_TEXT(prom_label_name(SLICE("a:b"), &arena), "a_b");
    CHECK_TEXT(prom_label_name(SLICE("1st"), &arena), "key_1st");
    arena_release(&arena);
}

TEST(numbers_have_no_exponent)
{
    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_TEXT(prom_number(.005, &arena), "0.005");
    CHECK_TEXT(prom_number(1, &arena), "1");
    CHECK_TEXT(prom_number(1e9, &arena), "1000000000");
    CHECK_TEXT(prom_number(1e-7, &arena), "0.0000001");
    CHECK_TEXT(prom_number(.1 + .2, &arena), "0.30000000000000004");
    CHECK_TEXT(prom_number((double)INFINITY, &arena), "+Inf");
    CHECK_TEXT(prom_number(-2.5, &arena), "-2.5");
    arena_release(&arena);
}

TEST(values_of_attributes)
{
    static const struct attr items[] = {
        {.type = VALUE_INT, .i = 1},
        {.type = VALUE_STRING, .str = "a", .len = 1}};
    struct attr value = {.type = VALUE_INT, .i = -7};

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_TEXT(prom_label_value(&value, &arena), "-7");
    value = (struct attr){.type = VALUE_BOOL, .b = true};
    CHECK_TEXT(prom_label_value(&value, &arena), "true");
    value = (struct attr){.type = VALUE_DOUBLE, .d = 1.5};
    CHECK_TEXT(prom_label_value(&value, &arena), "1.5");
    value = (struct attr){.type = VALUE_ARRAY, .items = items, .len = 2};
    CHECK_TEXT(prom_label_value(&value, &arena), "[1,\"a\"]");
    value = (struct attr){.type = VALUE_BYTES, .str = "ab", .len = 2};
    CHECK_TEXT(prom_label_value(&value, &arena), "YWI=");
    arena_release(&arena);
}
