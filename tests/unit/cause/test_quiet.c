/*
 * Windows in which nothing is wrong, and what might be taken for a cause: no
 * cause is named.
 */
#include "cause_world.h"

static bool is_found(struct world *w, const char *suspect)
{
    json_t *answer = ask_cause(w, 10, 15, "");
    bool found = json_is_true(json_object_get(answer, "found"));

    if (suspect)
        CHECK_TEXT(bed_at(answer, "suspects.0.component"), suspect);
    json_decref(answer);
    return found;
}

/* Usage of a limit, in percent, of the store; the others rest. */
static void add_usage(struct world *w, int minute, double percent)
{
    uint64_t at = (w->start_s + (uint64_t)minute * 60 + 30) * NS_PER_S;

    add_gauge(w, STORE, at, percent / 100);
    add_gauge(w, API, at, 0.2);
}

/* A garbage collector, a cache that is filled and emptied. */
TEST(usage_that_goes_up_and_down_is_usual)
{
    static const double saw_tooth[] = {50, 52, 56, 63, 70, 78};
    struct world *w = world_new(plain);

    generate(w, true, false);
    for (int minute = -20; minute < 15; minute++)
        add_usage(w, minute, saw_tooth[(minute + 60) % 6]);
    json_t *answer = ask_cause(w, 10, 15, "");
    CHECK_TEXT(bed_at(answer, "found"), "false");
    CHECK(!strstr(w->bed.text, "of its limit"));
    json_decref(answer);
    world_free(w);
}

TEST(usage_that_nobody_feels_is_a_remark)
{
    struct world *w = world_new(plain);

    generate(w, true, false);
    for (int minute = 0; minute < 15; minute++)
        add_usage(w, minute, minute < 10 ? 50 : 78);
    CHECK(!is_found(w, "store"));
    CHECK(strstr(w->bed.text, "from 50% to 78% of its limit"));
    CHECK(strstr(w->bed.text, "\"confidence\":0,") ||
          strstr(w->bed.text, "\"confidence\":0.0,"));
    world_free(w);
}

TEST(usage_is_a_cause_where_callers_are_slow_or_fail)
{
    struct world *w = world_new(plain);

    w->fault = ERRORS;
    w->at = STORE;
    generate(w, true, false);
    for (int minute = 0; minute < 15; minute++)
        add_usage(w, minute, minute < 10 ? 50 : 78);
    CHECK(is_found(w, "store"));
    world_free(w);
}

TEST(usage_near_its_limit_is_a_cause_though_nobody_feels_it_yet)
{
    struct world *w = world_new(plain);

    generate(w, true, false);
    for (int minute = 0; minute < 15; minute++)
        add_usage(w, minute, minute < 10 ? 50 : 93);
    CHECK(is_found(w, "store"));
    world_free(w);
}

/* A nightly job uses a database that sends no spans; no request is slow. */
TEST(use_of_a_component_without_requests_is_a_remark_where_spans_show_requests)
{
    static const struct metric cpu = {.name = SLICE_INIT("container.cpu.usage"),
                                      .unit = SLICE_INIT("{cpu}"),
                                      .type = METRIC_GAUGE};
    struct world *w = world_new(plain);
    uint32_t ledger = bed_resource(&w->bed, "shop", "ledger");

    generate(w, true, false);
    for (int i = 0; i < 15 * 4; i++)
        w->bed.store->points[w->bed.store->point_count++] = (struct point){
            .metric = &cpu,
            .time_ns = (w->start_s + (uint64_t)i * 15 + 7) * NS_PER_S,
            .d = (i < 10 * 4 ? 0.05 : 0.4) + 0.001 * (i % 3),
            .resource_id = ledger};
    CHECK(!is_found(w, "ledger"));
    world_free(w);
}

/* ---- telemetry that is lost ---- */

typedef bool log_filter(const struct world *w, const struct log_record *log);

/* Log records of the window for which `is_lost` says so never arrived. */
static void lose_logs(struct world *w, log_filter *is_lost)
{
    struct log_record *logs = w->bed.store->logs;
    uint64_t from_ns = (w->start_s + 600) * NS_PER_S;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < w->bed.store->log_count; i++)
        if (logs[i].time_ns < from_ns || !is_lost(w, &logs[i]))
            logs[kept++] = logs[i];
    w->bed.store->log_count = kept;
}

static bool is_any(const struct world *w, const struct log_record *log)
{
    (void)w;
    (void)log;
    return true;
}

static bool is_of_store(const struct world *w, const struct log_record *log)
{
    return log->resource_id == w->resources[STORE];
}

/* As the agents of one node in three. */
static bool is_of_third_pod(const struct world *w, const struct log_record *log)
{
    (void)w;
    return log->trace_id[0] % 3 == 0;
}

static bool is_done_of_store(const struct world *w,
                             const struct log_record *log)
{
    struct slice text = attr_text(&log->body);

    return is_of_store(w, log) && slice_equal(text, SLICE("request done, all "
                                                          "is well"));
}

/* All it writes is one statement, and that for a minute of the window. */
static bool is_late_of_store(const struct world *w,
                             const struct log_record *log)
{
    return is_of_store(w, log) && log->time_ns > (w->start_s + 660) * NS_PER_S;
}

static bool is_found_without(log_filter *is_lost)
{
    struct world *w = world_new(plain);
    bool found;

    generate(w, true, false);
    lose_logs(w, is_lost);
    found = is_found(w, NULL);
    world_free(w);
    return found;
}

TEST(logs_that_stop_are_no_cause)
{
    CHECK(!is_found_without(is_any));
    CHECK(!is_found_without(is_of_store));
    CHECK(!is_found_without(is_of_third_pod));
}

TEST(the_only_statement_of_a_component_may_be_lost)
{
    struct world *w = world_new(plain);
    struct log_record *logs = w->bed.store->logs;
    uint32_t kept = 0;

    generate(w, true, false);
    for (uint32_t i = 0; i < w->bed.store->log_count; i++)
        if (!is_of_store(w, &logs[i]) || is_done_of_store(w, &logs[i]))
            logs[kept++] = logs[i];
    w->bed.store->log_count = kept;
    lose_logs(w, is_late_of_store);
    CHECK(!is_found(w, NULL));
    world_free(w);
}

TEST(one_statement_that_stops_is_a_cause)
{
    CHECK(is_found_without(is_done_of_store));
}

/* A fault shows although the logs stop at the same time. */
TEST(fault_is_found_without_logs)
{
    struct world *w = world_new(plain);

    w->fault = SLOW_NETWORK;
    w->at = STORE;
    generate(w, true, false);
    lose_logs(w, is_any);
    CHECK(is_found(w, "store"));
    world_free(w);
}

/* Of users from minute 10 on, and the requests that are counted from them. */
static void lose_spans(struct world *w, int component)
{
    struct store *store = w->bed.store;
    uint64_t from_ns = (w->start_s + 600) * NS_PER_S;
    uint32_t kept = 0, mine = w->resources[component];

    for (uint32_t i = 0; i < store->span_count; i++)
        if (store->spans[i].start_ns < from_ns ||
            store->spans[i].resource_id != mine)
            store->spans[kept++] = store->spans[i];
    store->span_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < store->point_count; i++)
        if (store->points[i].time_ns <= from_ns ||
            store->points[i].resource_id != mine)
            store->points[kept++] = store->points[i];
    store->point_count = kept;
}

/* What api counts of its calls to users, by name; all fail from `failing` on.
 */
static void count_calls(struct world *w, int failing)
{
    uint32_t users = registry_identity_id(w->bed.registry, w->resources[USERS]);

    for (int minute = 0; minute < 15; minute++) {
        struct point *at = &w->bed.store->points[w->bed.store->point_count];

        add_requests(w, 2, API, (w->start_s + (uint64_t)minute * 60) * NS_PER_S,
                     20, minute >= failing ? 20 : 0);
        for (int i = 0; i < 2; i++) {
            struct attr *attrs = arena_zero(&w->bed.arena, 2, sizeof(*attrs));

            attrs[0] = bed_attr(DERIVED_PEER_KIND, "component");
            attrs[1] = bed_attr(DERIVED_PEER_ID, "");
            attrs[1].type = VALUE_INT;
            attrs[1].i = users;
            at[i].attrs = (struct attrs){attrs, 2, 0};
        }
    }
}

/* Its callers wait as long as before, and not for themselves. */
TEST(spans_that_are_lost_are_no_cause)
{
    struct world *w = world_new(plain);

    generate(w, true, false);
    lose_spans(w, API);
    CHECK(!is_found(w, NULL));
    world_free(w);
}

TEST(calls_that_go_well_had_an_answer)
{
    for (int fails = 0; fails < 2; fails++) {
        struct world *w = world_new(plain);

        generate(w, true, false);
        lose_spans(w, USERS);
        count_calls(w, fails ? 10 : 15);
        CHECK_EQ(is_found(w, fails ? "users" : NULL), fails);
        world_free(w);
    }
}

/* Records of a signal in the minutes until `end`, as the correlator counts. */
static void add_records(struct world *w, int component, const char *signal,
                        int end)
{
    static const struct metric metric = {
        .name = {DERIVED_RECORDS, sizeof(DERIVED_RECORDS) - 1},
        .type = METRIC_SUM};

    for (int minute = 0; minute < end; minute++) {
        uint64_t at = (w->start_s + (uint64_t)minute * 60) * NS_PER_S;
        struct attr *attr = arena_zero(&w->bed.arena, 1, sizeof(*attr));

        *attr = bed_attr(DERIVED_SIGNAL, signal);
        w->bed.store->points[w->bed.store->point_count++] =
            (struct point){.metric = &metric,
                           .attrs = {attr, 1, 0},
                           .start_ns = at,
                           .time_ns = at + NS_PER_MIN,
                           .is_int = true,
                           .i = 40,
                           .resource_id = w->resources[component]};
    }
}

TEST(telemetry_that_stops_is_a_remark)
{
    struct world *w = world_new(plain);

    generate(w, true, false);
    for (int c = 0; c < COMPONENTS; c++) {
        add_records(w, c, "traces", c == USERS ? 12 : 15);
        add_records(w, c, "metrics", 15);
        add_records(w, c, "logs", c == STORE || c == USERS ? 12 : 15);
    }
    lose_logs(w, is_of_store);
    json_t *answer = ask_cause(w, 10, 15,
                               ",\"baseline\":{\"startTime\":"
                               "\"2023-11-14T22:14:00Z\",\"endTime\":"
                               "\"2023-11-14T22:24:00Z\"}");
    CHECK_TEXT(bed_at(answer, "found"), "false");
    CHECK_EQ(json_array_size(json_object_get(answer, "remarks")), 1);
    /* users has no requests: it has no spans and no log records */
    CHECK_TEXT(bed_at(answer, "remarks.0.text"),
               "no log records of 1 component arrive since 22:26 UTC, other "
               "telemetry of it does: store");
    CHECK_TEXT(bed_at(answer, "remarks.0.startTime"), "2023-11-14T22:26:00Z");
    json_decref(answer);
    world_free(w);
}
