/* Deltas as counters, and the series that the correlator derives. */
#include "derived.h"
#include "prometheus_kit.h"

enum { HOUR = 3600 };

static struct point *delta(uint32_t resource, double seconds, double value)
{
    struct point *point = kit_put("jobs", METRIC_SUM, DELTA, resource, seconds);

    point->d = value;
    return point;
}

/* The only series asked for, without its labels; "" if there are more. */
static const char *samples(const char *name, double from, double to)
{
    static char text[65536];
    const char *at;

    kit_ask(name, from, to);
    at = strstr(kit.text, "} ");
    snprintf(text, sizeof(text), "%s",
             kit.line_count == 1 ? (at ? at + 2 : strchr(kit.text, ' ') + 1)
                                 : "");
    kit_close();
    return text;
}

static struct promql_series kept;
static double kept_values[4000];
static int64_t kept_times[4000];

static enum status keep(void *arg, const struct promql_series *series)
{
    uint32_t *count = arg;

    for (uint32_t i = 0; i < series->count && *count < 4000; i++) {
        kept_values[*count] = series->values[i];
        kept_times[(*count)++] = series->times[i] - KIT_MS;
    }
    kept = *series;
    return OK;
}

static uint32_t kept_count(const char *name, double from, double to)
{
    struct promql_select select = {.start_ms = KIT_MS + (int64_t)(from * 1000),
                                   .end_ms = KIT_MS + (int64_t)(to * 1000),
                                   .function = ""};
    uint32_t count = 0;

    kit_open();
    kit_match("__name__", "=", name);
    select.matchers = kit.matchers;
    select.matcher_count = kit.count;
    CHECK_EQ(
        kit.source.promql.select(kit.source.promql.arg, &select, keep, &count),
        OK);
    kit_close();
    return count;
}

TEST(deltas_become_a_counter)
{
    uint32_t none;

    kit_begin();
    none = kit_resource(NULL);
    delta(none, 120, 5);
    delta(none, 300, 2);
    delta(none, 270, 3); /* out of order, not at a full minute */
    CHECK_TEXT(slice_of(samples("jobs_total", -60, 300)),
               "0@0.001r 0@60 5@120 5@180 5@240 8@270 10@300");
    bed_release(&bed);
}

TEST(a_sample_does_not_depend_on_the_range)
{
    uint32_t none, all, part;
    double values[4000];

    kit_begin();
    none = kit_resource(NULL);
    for (int i = 1; i <= 100; i++)
        delta(none, 60 * i, i);
    all = kept_count("jobs_total", 0, 3 * HOUR);
    memcpy(values, kept_values, sizeof(values));
    part = kept_count("jobs_total", 1700, 3 * HOUR);
    CHECK(part > 0 && part < all);
    for (uint32_t i = 0; i < part; i++)
        CHECK(values[all - part + i] == kept_values[i]);
    /* the hour in which it ended, then an hour of zeros */
    CHECK_EQ(kept_times[part - 1], 3 * HOUR * 1000);
    CHECK(kept_values[part - 1] == 0);
    CHECK_EQ(kept_count("jobs_total", 3 * HOUR, 9 * HOUR), 0);
    bed_release(&bed);
}

TEST(an_hour_has_all_of_its_deltas)
{
    uint32_t none, count;

    kit_begin();
    none = kit_resource(NULL);
    delta(none, HOUR, 7);      /* of the hour that ends */
    delta(none, HOUR + 30, 1); /* of the next one */
    count = kept_count("jobs_total", 0, HOUR);
    CHECK(kept_values[0] == 0);
    CHECK_EQ(kept_times[0], 1);
    CHECK(kept_values[count - 1] == 7);
    count = kept_count("jobs_total", HOUR, HOUR + 60);
    CHECK_EQ(count, 1);
    CHECK(kept_values[0] == 1);
    bed_release(&bed);
}

/* rate() extrapolates by the distance of samples: one more at each full hour
 * would make the rate fall there. */
TEST(samples_are_a_minute_apart_over_a_full_hour)
{
    uint32_t none, count;

    kit_begin();
    none = kit_resource(NULL);
    for (int i = 1; i <= 150; i++)
        delta(none, 60 * i, 1);
    count = kept_count("jobs_total", 0, 150 * 60);
    CHECK_EQ(count, 151); /* and the 0 at its beginning */
    for (uint32_t i = 1; i < count; i++) {
        CHECK_EQ(kept_times[i], i * 60 * 1000);
        CHECK(kept_values[i] == (i - 1) % 60 + 1);
    }
    bed_release(&bed);
}

/* ---- derived ---- */

static struct point *derived(const char *name, uint32_t resource,
                             double seconds, int64_t value)
{
    struct point *point = kit_put(name, METRIC_SUM, DELTA, resource, seconds);

    point->is_int = true;
    point->i = value;
    return point;
}

static struct point *duration(const char *name, uint32_t resource,
                              double seconds, uint64_t count)
{
    struct point *point =
        kit_put(name, METRIC_EXP_HISTOGRAM, DELTA, resource, seconds);
    uint64_t *counts = arena_alloc(&bed.arena, sizeof(*counts));

    *counts = count;
    *kit_histogram(point) = (struct histogram){.count = count,
                                               .sum = .1 * (double)count,
                                               .has_sum = true,
                                               .scale = 0,
                                               .positive = {counts, 1, -4}};
    return point;
}

static struct point *request(struct point *point)
{
    kit_attr(point, DERIVED_ENDPOINT, "http");
    kit_attr(point, DERIVED_OPERATION, "GET /");
    return kit_attr(point, DERIVED_KIND, "server");
}

static uint32_t component(const char *name)
{
    uint32_t id = bed_resource(&bed, "shop", name);

    registry_touch(bed.registry, registry_identity_id(bed.registry, id),
                   SIGNAL_SPANS, KIT_T0 + 170 * NS_PER_S);
    return registry_derived_resource(bed.registry,
                                     registry_identity_id(bed.registry, id));
}

#define OWN                                                      \
    "component=\"cart\",endpoint=\"http\",environment=\"prod\"," \
    "kind=\"server\",namespace=\"acme\",operation=\"GET /\","    \
    "project=\"shop\""

TEST(requests)
{
    uint32_t cart;

    kit_begin();
    cart = component("cart");
    request(duration(DERIVED_DURATION, cart, 60, 4));
    request(duration(DERIVED_DURATION, cart, 60, 2)); /* parts add up */
    request(duration(DERIVED_RETRACTED_DURATION, cart, 60, 1));
    request(derived(DERIVED_ERRORS, cart, 120, 1));
    request(duration(DERIVED_DURATION, cart, 120, 3));
    CHECK_TEXT(kit_ask("callboard_requests_total", 0, 600),
               "callboard_requests_total{" OWN
               "} 0@0.001r 5@60 8@120 8@180"); /* ends with the last record */
    kit_close();
    CHECK_TEXT(slice_of(samples("callboard_request_errors_total", 0, 600)),
               "0@0.001r 0@60 1@120 1@180");
    CHECK_TEXT(
        slice_of(samples("callboard_request_client_errors_total", 0, 600)),
        "0@0.001r 0@60 0@120 0@180");
    CHECK_TEXT(
        slice_of(samples("callboard_request_duration_seconds_sum", 60, 120)),
        "0.8@120");
    CHECK_TEXT(slice_of(samples("callboard_request_duration_seconds", 60, 120)),
               "{schema:0 count:8 sum:0.8 -4:[8]}@120");
    kit_open();
    kit_match("__name__", "=", "callboard_request_duration_seconds_bucket");
    kit_match("le", "=~", "0.05|0.075|0.1|0.25|\\+Inf");
    kit_select(60, 120);
    CHECK_EQ(kit.line_count, 5);
    CHECK(strstr(kit.text, "le=\"0.05\",namespace=\"acme\",operation=\"GET "
                           "/\",project=\"shop\"} 0@120") != NULL);
    CHECK(strstr(kit.text, "le=\"0.25\",namespace=\"acme\",operation=\"GET "
                           "/\",project=\"shop\"} 8@120") != NULL);
    kit_close();
    bed_release(&bed);
}

TEST(matchers_choose_components)
{
    uint32_t cart, pay;

    kit_begin();
    cart = component("cart");
    pay = component("pay");
    request(duration(DERIVED_DURATION, cart, 60, 4));
    request(duration(DERIVED_DURATION, pay, 60, 4));
    kit_open();
    kit_match("__name__", "=", "callboard_requests_total");
    kit_match("component", "=", "pay");
    kit_select(0, 60);
    CHECK_EQ(kit.line_count, 1);
    CHECK_EQ(bed.store->series_resources, 2); /* received and derived */
    kit_close();
    kit_open();
    kit_match("__name__", "=", "callboard_requests_total");
    kit_match("component", "=~", "pay|cart");
    kit_match("project", "!=", "other");
    kit_select(0, 60);
    CHECK_EQ(kit.line_count, 2);
    kit_close();
    bed_release(&bed);
}

static struct point *call(struct point *point, const char *peer_kind)
{
    return kit_attr(kit_attr(point, DERIVED_PEER_KIND, peer_kind),
                    DERIVED_PROTOCOL, "http");
}

/* To or from a component. */
static struct point *call_of(struct point *point, uint32_t derived_resource)
{
    struct attr *at;

    call(point, "component");
    at = kit_attrs[point - kit_points];
    at[point->attrs.count++] = (struct attr){
        .key = DERIVED_PEER_ID,
        .key_len = sizeof(DERIVED_PEER_ID) - 1,
        .type = VALUE_INT,
        .i = registry_identity_id(bed.registry, derived_resource)};
    return point;
}

TEST(calls_and_the_service_graph)
{
    uint32_t cart, pay;

    kit_begin();
    cart = component("cart");
    pay = component("pay");
    call_of(duration(DERIVED_OUT_DURATION, cart, 60, 4), pay);
    call_of(duration(DERIVED_IN_DURATION, pay, 60, 4), cart);
    kit_attr(call(duration(DERIVED_OUT_DURATION, cart, 60, 2), "database"),
             DERIVED_PEER_NAME, "orders");
    kit_attr(call(duration(DERIVED_IN_DURATION, cart, 60, 1), "gateway"),
             DERIVED_PEER_NAME, "internet");
    CHECK_TEXT(
        kit_ask("callboard_call_requests_total", 0, 60),
        "callboard_call_requests_total{component=\"cart\",direction=\"in\","
        "environment=\"prod\",namespace=\"acme\",peer_kind=\"gateway\","
        "peer_name=\"internet\",project=\"shop\",protocol=\"http\"} "
        "0@0.001r 1@60\n"
        "callboard_call_requests_total{component=\"cart\",direction=\"out\","
        "environment=\"prod\",namespace=\"acme\",peer_component=\"pay\","
        "peer_environment=\"prod\",peer_kind=\"component\",peer_name=\"pay\","
        "peer_namespace=\"acme\",peer_project=\"shop\",project=\"shop\","
        "protocol=\"http\"} 0@0.001r 4@60\n"
        "callboard_call_requests_total{component=\"cart\",direction=\"out\","
        "environment=\"prod\",namespace=\"acme\",peer_kind=\"database\","
        "peer_name=\"orders\",project=\"shop\",protocol=\"http\"} "
        "0@0.001r 2@60\n"
        "callboard_call_requests_total{component=\"pay\",direction=\"in\","
        "environment=\"prod\",namespace=\"acme\",peer_component=\"cart\","
        "peer_environment=\"prod\",peer_kind=\"component\","
        "peer_name=\"cart\",peer_namespace=\"acme\",peer_project=\"shop\","
        "project=\"shop\",protocol=\"http\"} 0@0.001r 4@60");
    kit_close();
#define SHOP "environment=\"prod\",namespace=\"acme\",project=\"shop\","
    CHECK_TEXT(
        kit_ask("traces_service_graph_request_total", 0, 60),
        "traces_service_graph_request_total{client=\"cart\",component=\"cart\","
        "connection_type=\"database\"," SHOP
        "server=\"orders\"} 0@0.001r 2@60\n"
        "traces_service_graph_request_total{client=\"cart\",component="
        "\"cart\"," SHOP "server=\"pay\"} 0@0.001r 4@60\n"
        "traces_service_graph_request_total{client=\"internet\","
        "component=\"cart\",connection_type=\"virtual_node\"," SHOP
        "server=\"cart\"} 0@0.001r 1@60");
    kit_close();
    bed_release(&bed);
}

TEST(peers_that_may_not_be_seen_have_no_name)
{
    uint32_t cart, vault;

    kit_begin();
    cart = component("cart");
    vault = bed_resource_in(&bed, "rival", "p", "vault");
    vault = registry_derived_resource(
        bed.registry, registry_identity_id(bed.registry, vault));
    call_of(duration(DERIVED_OUT_DURATION, cart, 60, 4), vault);
    call_of(duration(DERIVED_IN_DURATION, vault, 60, 4), cart);
    bed_allow(&bed, actions_named(SLICE("viewer")), "acme", "*", "*");
    kit_ask("callboard_call_requests_total", 0, 60);
    CHECK_EQ(kit.line_count, 1);
    CHECK(strstr(kit.text, "peer_name=\"hidden\"") != NULL);
    CHECK(strstr(kit.text, "vault") == NULL);
    kit_close();
    bed_release(&bed);
}

TEST(log_records)
{
    uint32_t cart;
    struct point *point;

    kit_begin();
    cart = component("cart");
    point = derived(DERIVED_LOGS, cart, 60, 9);
    kit_attr(point, DERIVED_LEVEL, "ERROR");
    kit_attr(point, DERIVED_TEMPLATE, "no <*>");
    kit_attr(point, DERIVED_TEMPLATE_ID, "00000000000000ff");
    CHECK_TEXT(kit_ask("callboard_log_records_total", 0, 60),
               "callboard_log_records_total{component=\"cart\","
               "environment=\"prod\",level=\"ERROR\",namespace=\"acme\","
               "project=\"shop\",template=\"no <*>\","
               "template_id=\"00000000000000ff\"} 0@0.001r 9@60");
    kit_close();
    bed_release(&bed);
}

TEST(exemplars_of_durations)
{
    struct exemplar exemplar = {.time_ns = KIT_T0 + 30 * NS_PER_S,
                                .value = .25,
                                .trace_id = {1, 2, 255}};
    struct prometheus_list list = {.start_ms = KIT_MS,
                                   .end_ms = KIT_MS + 60000};
    const struct prometheus_exemplars *series;
    struct prometheus_selector selector;
    struct point *point;
    uint32_t cart, count;

    kit_begin();
    cart = component("cart");
    point = request(duration(DERIVED_DURATION, cart, 60, 4));
    point->exemplars = &exemplar;
    point->exemplar_count = 1;
    kit_open();
    kit_match("__name__", "=", "callboard_request_duration_seconds_bucket");
    selector = (struct prometheus_selector){kit.matchers, kit.count};
    list.selectors = &selector;
    list.count = 1;
    CHECK_EQ(prometheus_exemplars(&kit.source, &list, &series, &count), OK);
    if (CHECK_EQ(count, 1) && CHECK_EQ(series[0].count, 1)) {
        CHECK_TEXT(
            promql_label_value(&series[0].at[0].labels, SLICE("trace_id")),
            "0102ff00000000000000000000000000");
        CHECK_TEXT(promql_label_value(&series[0].series, SLICE("__name__")),
                   "callboard_request_duration_seconds_bucket");
        CHECK(series[0].at[0].value == .25);
    }
    kit_close();
    bed_release(&bed);
}

TEST(metadata)
{
    const struct prometheus_metadata *metadata;
    struct point *point;
    uint32_t count;

    kit_begin();
    point = kit_gauge("jvm.memory.used", kit_resource(NULL), 60, 1);
    kit_metric(point)->unit = SLICE("By");
    kit_metric(point)->description = SLICE("Memory in use.");
    kit_open();
    kit.request.now_ns = KIT_T0 + NS_PER_HOUR;
    CHECK_EQ(prometheus_metadata(&kit.source, SLICE("jvm_memory_used_bytes"), 0,
                                 &metadata, &count),
             OK);
    if (CHECK_EQ(count, 1)) {
        CHECK_TEXT(slice_of(metadata[0].type), "gauge");
        CHECK_TEXT(metadata[0].help, "Memory in use.");
        CHECK_TEXT(metadata[0].unit, "bytes");
    }
    CHECK_EQ(prometheus_metadata(&kit.source, SLICE(""), 0, &metadata, &count),
             OK);
    CHECK(count > 10);
    kit_close();
    bed_release(&bed);
}
