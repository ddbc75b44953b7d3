/*
 * Root cause over a small simulated system: each kind of fault, other ways of
 * instrumentation, metrics or log records alone. What must not change an answer
 * is in test_cause_properties.c.
 */
#include "cause_world.h"

static void check_fault(enum fault fault, int at, const char *expected)
{
    struct world *w = world_new(plain);

    w->fault = fault;
    w->at = at;
    generate(w, true, true);
    CHECK_TEXT(slice_of(first_of(w)), expected);
    world_free(w);
}

TEST(faulty_component_is_first_for_each_kind_of_fault)
{
    for (int at = API; at < COMPONENTS; at++) {
        check_fault(CODE, at, plain[at]);
        check_fault(SLOW_NETWORK, at, plain[at]);
        check_fault(CPU, at, plain[at]);
    }
}

TEST(health_and_less_traffic_are_no_cause)
{
    check_fault(HEALTHY, WEB, "");
    check_fault(FEWER, WEB, "");
}

TEST(healthy_components_beside_do_not_matter)
{
    struct world *w = world_new(plain);
    char name[32];

    for (int i = 0; i < 996; i++) {
        snprintf(name, sizeof(name), "healthy-%d", i);
        (void)bed_resource(&w->bed, "shop", name);
    }
    w->fault = CODE;
    w->at = USERS;
    generate(w, true, true);
    CHECK_TEXT(slice_of(first_of(w)), "users");
    world_free(w);
}

TEST(query_of_a_component_includes_its_callees)
{
    struct world *w = world_new(plain);
    static const char *const asked[] = {"api", "users"};

    w->fault = CODE;
    w->at = STORE;
    generate(w, true, true);
    for (int i = 0; i < 2; i++) { /* users does not call store */
        char body[512], from[32], to[32];

        snprintf(body, sizeof(body),
                 "{\"startTime\":\"%s\",\"endTime\":\"%s\",\"searchScope\":"
                 "{\"namespace\":\"acme\",\"project\":\"shop\","
                 "\"component\":\"%s\"}}",
                 time_text(w->start_s + 600, from),
                 time_text(w->start_s + 900, to), asked[i]);
        json_t *answer = bed_ask(&w->bed, "POST", "/api/v1/cause", body);
        CHECK_EQ(w->bed.status, 200);
        CHECK_TEXT(bed_at(answer, "found"), i == 0 ? "true" : "false");
        if (i == 0)
            CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
        json_decref(answer);
    }
    world_free(w);
}

TEST(one_signal_is_enough_to_answer)
{
    struct world *w = world_new(plain);

    CHECK_TEXT(slice_of(first_of(w)), ""); /* none at all */
    w->fault = CPU;
    w->at = STORE;
    generate(w, false, true);
    CHECK_TEXT(slice_of(first_of(w)), "store");
    world_free(w);

    w = world_new(plain);
    w->fault = CODE;
    w->at = STORE;
    generate(w, true, false);
    CHECK_TEXT(slice_of(first_of(w)), "store");
    w->bed.store->span_count = 0; /* logs only */
    (void)first_of(w);
    world_free(w);
}

/* ---- other instrumentation ---- */

static struct span *span_with(struct world *w, const uint8_t id[8])
{
    uint32_t number;

    memcpy(&number, id, 4);
    return number ? &w->bed.store->spans[number - 1]
                  : NULL; /* as they are made */
}

/* The component at fault, and all who wait for it, take longer. */
static void slow_down(struct world *w)
{
    uint64_t hit = (w->start_s + 60 * (uint64_t)w->fault_from) * NS_PER_S;

    for (uint32_t i = 0; i < w->bed.store->span_count; i++) {
        struct span *s = &w->bed.store->spans[i];

        if (s->kind != SPAN_SERVER || s->start_ns < hit ||
            s->resource_id != w->resources[w->at])
            continue;
        for (; s; s = span_with(w, s->parent_span_id))
            s->end_ns += 200 * MS;
    }
}

static void forget_kinds(struct world *w, enum span_kind kind)
{
    for (uint32_t i = 0; i < w->bed.store->span_count; i++)
        w->bed.store->spans[i].kind = (uint8_t)kind;
}

/* Spans of who is asked only: their parents are those of the calls. */
static void forget_calls(struct world *w)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < w->bed.store->span_count; i++) {
        struct span *s = &w->bed.store->spans[i];
        struct span *up = span_with(w, s->parent_span_id);

        if (s->kind == SPAN_SERVER && up && up->kind == SPAN_CLIENT)
            memcpy(s->parent_span_id, up->parent_span_id, 8);
    }
    for (uint32_t i = 0; i < w->bed.store->span_count; i++)
        if (w->bed.store->spans[i].kind == SPAN_SERVER)
            w->bed.store->spans[kept++] = w->bed.store->spans[i];
    w->bed.store->span_count = kept;
}

TEST(spans_without_a_kind_suffice)
{
    static const enum fault faults[] = {CODE, SLOW_NETWORK, HEALTHY};
    static const enum span_kind kinds[] = {SPAN_UNSPECIFIED, SPAN_INTERNAL};

    for (int i = 0; i < 6; i++) {
        struct world *w = world_new(plain);

        w->fault = faults[i % 3];
        w->at = STORE;
        generate(w, true, false);
        if (w->fault == HEALTHY)
            slow_down(w);
        forget_kinds(w, kinds[i / 3]);
        CHECK_TEXT(slice_of(first_of(w)), "store");
        world_free(w);
    }
}

TEST(server_spans_suffice)
{
    for (int at = API; at < COMPONENTS; at++)
        for (int i = 0; i < 2; i++) {
            struct world *w = world_new(plain);

            w->fault = i ? CODE : HEALTHY;
            w->at = at;
            generate(w, true, false);
            if (!i)
                slow_down(w);
            forget_calls(w);
            CHECK_TEXT(slice_of(first_of(w)), plain[at]);
            world_free(w);
        }
}

/* ---- no requests are seen ---- */

struct shown { /* of a component, usually and in the fault */
    const struct metric *metric;
    double usual[COMPONENTS], faulty[COMPONENTS];
};

static void add_reading(struct world *w, const struct metric *metric,
                        int component, uint64_t time_ns, double value)
{
    w->bed.store->points[w->bed.store->point_count++] =
        (struct point){.metric = metric,
                       .time_ns = time_ns,
                       .d = value,
                       .resource_id = w->resources[component]};
}

/* Readings that differ by some percent, every step_s, from two hours before the
 * window to its end. */
static void show(struct world *w, const struct shown *s, uint32_t step_s)
{
    uint64_t from = w->start_s - 6600, hit = w->start_s + 600;

    for (uint64_t t = from; t <= w->start_s + 900; t += step_s)
        for (int component = 0; component < COMPONENTS; component++) {
            double near = 0.95 + 0.001 * ((double)(t * 7919 % 101) + component);
            double of = t > hit ? s->faulty[component] : s->usual[component];

            if (of > 0)
                add_reading(w, s->metric, component, t * NS_PER_S, near * of);
        }
}

static const struct metric latency = {
    .name = {"http.server.request.duration.p90", 32},
    .unit = {"s", 1},
    .type = METRIC_GAUGE};
static const struct metric cpu = {.name = {"cpu", 3}, .type = METRIC_GAUGE};
static const struct metric load = {.name = {"load", 4}, .type = METRIC_GAUGE};

#define EVERYBODY(x) \
    {                \
        x, x, x, x   \
    }
#define SLOW_STORE                          \
    {                                       \
        &latency, {0.06, 0.04, 0.01, 0.01}, \
        {                                   \
            0.3, 0.28, 0.25, 0.01           \
        }                                   \
    }
#define BUSY_STORE             \
    {                          \
        &cpu, EVERYBODY(0.1),  \
        {                      \
            0.1, 0.1, 0.9, 0.1 \
        }                      \
    }

TEST(metrics_alone_name_the_busy_and_slow_component)
{
    static const struct shown slow = SLOW_STORE, busy = BUSY_STORE;
    static const uint32_t steps[] = {5, 15, 60, 300};

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        struct world *w = world_new(plain);

        free(w->bed.store->points);
        w->bed.store->points = calloc(40000, sizeof(struct point));
        show(w, &slow, steps[i]);
        show(w, &busy, steps[i]);
        CHECK_TEXT(slice_of(first_of(w)), "store");
        world_free(w);
    }
}

TEST(a_rise_without_symptoms_is_not_named)
{
    static const struct shown busy = BUSY_STORE;
    static const struct shown well = {&latency, EVERYBODY(0.1), EVERYBODY(0.1)};
    struct world *w = world_new(plain);

    show(w, &busy, 60);
    CHECK_TEXT(slice_of(first_of(w)), "store"); /* who is to say */
    show(w, &well, 60);
    CHECK_TEXT(slice_of(first_of(w)), "");
    CHECK(strstr(w->bed.text, "\"component\":\"store\""));
    world_free(w);
}

TEST(more_requests_cost_more)
{
    static const struct shown more = {&load, EVERYBODY(50), EVERYBODY(150)};
    static const struct shown used = {&cpu, EVERYBODY(0.1), EVERYBODY(0.3)};
    static const struct shown slower = {&latency, EVERYBODY(0.1),
                                        EVERYBODY(0.2)};
    struct world *w = world_new(plain);

    show(w, &more, 60);
    show(w, &used, 60);
    show(w, &slower, 60);
    CHECK_TEXT(slice_of(first_of(w)), "");
    world_free(w);
}

TEST(declared_calls_separate_cause_and_affected_callers)
{
    static const struct shown slow = {
        &latency, EVERYBODY(0.1), {0.4, 0.4, 0.4, 0.1}};
    static const char catalog[] =
        "{\"components\":["
        "{\"namespace\":\"acme\",\"project\":\"shop\",\"name\":\"web\","
        "\"dependencies\":[{\"component\":\"api\"}]},"
        "{\"namespace\":\"acme\",\"project\":\"shop\",\"name\":\"api\","
        "\"dependencies\":[{\"component\":\"store\"}]}]}";
    struct world *w = world_new(plain);
    struct slice detail;

    show(w, &slow, 60);
    CHECK_EQ(
        catalog_put(w->bed.catalog, slice_of(catalog), &w->bed.arena, &detail),
        OK);
    CHECK_TEXT(slice_of(first_of(w)), "store");
    world_free(w);
}

/* A counter that begins anew was not at minus so much. */
TEST(counter_resets_are_no_cause)
{
    static const struct metric seconds = {.name = {"container.cpu.time", 18},
                                          .unit = {"s", 1},
                                          .type = METRIC_SUM,
                                          .temporality = CUMULATIVE,
                                          .monotonic = true};
    struct world *w = world_new(plain);
    double total = 5000;

    for (uint64_t t = w->start_s - 1200; t <= w->start_s + 900; t += 30) {
        total = t == w->start_s + 720 ? 3 : total + 3 + 0.01 * (double)(t % 7);
        add_reading(w, &seconds, STORE, t * NS_PER_S, total);
    }
    CHECK_TEXT(slice_of(first_of(w)), "");
    for (uint32_t i = 0; i < w->bed.store->point_count;
         i++) /* a second a second */
        if (w->bed.store->points[i].time_ns > (w->start_s + 630) * NS_PER_S)
            w->bed.store->points[i].d += (double)(i % 2 ? 27 : 28) * i;
    CHECK_TEXT(slice_of(first_of(w)), "store");
    world_free(w);
}

/* Workers of one process group share an identity: their counters interleave,
 * and neither began again whenever the other one reports. */
TEST(counters_of_two_workers_are_separate)
{
    static const struct metric seconds = {.name = {"container.cpu.time", 18},
                                          .unit = {"s", 1},
                                          .type = METRIC_SUM,
                                          .temporality = CUMULATIVE,
                                          .monotonic = true};
    struct world *w = world_new(plain);
    uint64_t starts[2] = {w->start_s - 9000, w->start_s - 8000};
    double totals[2] = {900000, 50};

    for (uint64_t t = w->start_s - 1200; t <= w->start_s + 900; t += 30)
        for (uint64_t k = 0; k < 2; k++) {
            totals[k] += 3 + 0.01 * (double)((t + k) % 7);
            add_reading(w, &seconds, STORE, (t + 7 * k) * NS_PER_S, totals[k]);
            w->bed.store->points[w->bed.store->point_count - 1].start_ns =
                starts[k] * NS_PER_S;
        }
    CHECK_TEXT(slice_of(first_of(w)), "");
    double more = 0;
    for (uint32_t i = 1; i < w->bed.store->point_count; i += 2)
        if (w->bed.store->points[i].time_ns > (w->start_s + 630) * NS_PER_S)
            w->bed.store->points[i].d += more += 27 + i % 4 / 2;
    CHECK_TEXT(slice_of(first_of(w)), "store");
    world_free(w);
}

/* Somebody else who reports about a component. */
static uint32_t other_sender(struct world *w, const char *component)
{
    struct attr at[] = {bed_attr("openchoreo.dev/namespace", "acme"),
                        bed_attr("openchoreo.dev/project", "shop"),
                        bed_attr("openchoreo.dev/component", component),
                        bed_attr("openchoreo.dev/environment", "prod"),
                        bed_attr("k8s.container.restart_count", "0")};
    struct resource resource = {.attrs = {at, 5, 0}, .id = RESOURCE_NONE};

    registry_resolve(w->bed.registry, &resource, w->start_s * NS_PER_S);
    return resource.id;
}

/* What is used and what there is, told by different resources of a pod. */
TEST(usage_and_limit_come_from_different_senders)
{
    static const struct metric used = {.name = {"container.cpu.usage", 19},
                                       .type = METRIC_GAUGE};
    static const struct metric limit = {.name = {"k8s.container.cpu_limit", 23},
                                        .type = METRIC_GAUGE};
    struct world *w = world_new(plain);
    uint32_t other = other_sender(w, "store"), mine;

    mine = w->resources[STORE];
    CHECK(other != mine);
    for (uint64_t t = w->start_s; t <= w->start_s + 900; t += 60) {
        bool faulty = t > w->start_s + 600;

        w->resources[STORE] = mine;
        add_reading(w, &used, STORE, t * NS_PER_S, faulty ? 1.9 : 0.3);
        w->resources[STORE] = other;
        add_reading(w, &limit, STORE, t * NS_PER_S, 2);
    }
    CHECK_TEXT(slice_of(first_of(w)), "store");
    CHECK(strstr(w->bed.text, "95% of its limit"));
    world_free(w);
}

static void add_lines(struct world *w, const struct metric *metric,
                      int component, uint64_t minute, const char *level,
                      const char *template, int64_t lines)
{
    struct attr *attrs = calloc(2, sizeof(*attrs));
    uint64_t at = (w->start_s / 60 + minute) * NS_PER_MIN;

    attrs[0] = bed_attr(DERIVED_TEMPLATE, template);
    attrs[1] = bed_attr(DERIVED_LEVEL, level);
    w->bed.store->points[w->bed.store->point_count++] =
        (struct point){.metric = metric,
                       .attrs = {.at = attrs, .count = 2},
                       .start_ns = at,
                       .time_ns = at + NS_PER_MIN,
                       .is_int = true,
                       .i = lines,
                       .resource_id = w->resources[component]};
}

TEST(log_rates_alone_name_the_component_with_new_errors)
{
    static const struct metric logs = {
        .name = {DERIVED_LOGS, sizeof(DERIVED_LOGS) - 1},
        .type = METRIC_SUM,
        .temporality = DELTA,
        .monotonic = true};
    struct world *w = world_new(plain);

    for (uint64_t minute = 0; minute < 15; minute++)
        for (int component = 0; component < COMPONENTS; component++) {
            add_lines(w, &logs, component, minute, "INFO", "request done", 40);
            add_lines(w, &logs, component, minute, "ERROR", "cannot audit", 4);
        }
    CHECK_TEXT(slice_of(first_of(w)), "");
    for (uint64_t minute = 10; minute < 15; minute++)
        add_lines(w, &logs, STORE, minute, "ERROR", "null pointer", 6);
    CHECK_TEXT(slice_of(first_of(w)), "store");
    CHECK(strstr(w->bed.text,
                 "logs \\\"null pointer\\\" 6 times a minute, 0 before"));
    for (uint32_t i = 0; i < w->bed.store->point_count; i++)
        free((void *)(uintptr_t)w->bed.store->points[i].attrs.at);
    world_free(w);
}

TEST(invalid_queries_are_refused)
{
    struct world *w = world_new(plain);
    const char *scope =
        "\"searchScope\":{\"namespace\":\"acme\",\"project\":\"shop\"}";
    char body[512];

    snprintf(body, sizeof(body),
             "{\"startTime\":\"2023-01-01T00:00:00Z\",\"endTime\":"
             "\"2023-01-01T00:10:00Z\",\"baseline\":{\"startTime\":"
             "\"2023-01-01T00:00:00Z\",\"endTime\":\"2023-01-01T00:05:00Z\"},"
             "%s}",
             scope);
    CHECK(strstr(bed_refused(&w->bed, "/api/v1/cause", body, 400, ""),
                 "baseline must end before"));
    snprintf(body, sizeof(body),
             "{\"startTime\":\"2023-01-01T00:00:00Z\",\"endTime\":"
             "\"2023-01-31T00:00:00Z\",%s}",
             scope);
    json_decref(bed_ask(&w->bed, "POST", "/api/v1/cause", body));
    CHECK_EQ(w->bed.status, 200);
    CHECK(strstr(bed_refused(&w->bed, "/api/v1/cause",
                             "{\"startTime\":\"2023-01-01T00:00:00Z\","
                             "\"endTime\":\"2023-01-01T00:10:00Z\","
                             "\"searchScope\":{\"namespace\":\"acme\"}}",
                             400, ""),
                 "project"));
    world_free(w);
}
