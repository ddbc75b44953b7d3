/*
 * Events and states of pods as evidence: what is a cause, what explains one,
 * and what is as usual.
 */
#include <math.h>

#include "cause_world.h"

/* Requests of api fail; web calls it, and it calls store and users. Requests
 * are counted; of the fault there are no traces, which would show who fails
 * first. */
static struct world *failing_world(void)
{
    struct world *w = world_new(plain);

    w->fault = ERRORS;
    w->at = API;
    generate(w, true, true);
    uint64_t hit = (w->start_s + 60 * (uint64_t)w->fault_from) * NS_PER_S;
    uint32_t *spans = &w->bed.store->span_count;

    while (w->bed.store->spans[*spans - 1].start_ns >= hit)
        --*spans;
    w->bed.store->log_count = 0;
    return w;
}

static struct attrs event_attrs(struct world *w, const char *reason)
{
    struct attr *at = arena_zero(&w->bed.arena, 6, sizeof(*at));

    at[0] = bed_attr("k8s.event.reason", reason);
    at[1] = bed_attr("k8s.object.kind", "Pod");
    at[2] = bed_attr("k8s.object.name", "store-6d9f-x2x4z");
    return (struct attrs){at, 3, 0};
}

static struct log_record *add_event(struct world *w, int component, int minute,
                                    const char *reason, const char *message)
{
    struct log_record *l = &w->bed.store->logs[w->bed.store->log_count++];

    *l = (struct log_record){
        .time_ns = (w->start_s + (uint64_t)minute * 60 + 5) * NS_PER_S,
        .event_name = SLICE("k8s"),
        .body = bed_attr("", message),
        .level = LEVEL_WARN,
        .attrs = event_attrs(w, reason),
        .resource_id = w->resources[component]};
    return l;
}

/* A member of the answer about minutes 10 to 15; "" if nothing is named. */
static const char *told(struct world *w, const char *member)
{
    static char text[512];
    json_t *answer = ask_cause(w, 10, 15, "");
    struct slice s = bed_at(answer, member);

    snprintf(text, sizeof(text), "%.*s", (int)s.len, s.ptr);
    if (!json_is_true(json_object_get(answer, "found")))
        text[0] = '\0';
    json_decref(answer);
    return text;
}

static double score_of(struct world *w, const char *kind)
{
    json_t *answer = ask_cause(w, 10, 15, "");
    size_t i, k;
    json_t *suspect, *e;
    double score = 0;

    json_array_foreach(json_object_get(answer, "suspects"), i, suspect)
        json_array_foreach(
            json_object_get(suspect, "evidence"), k,
            e) if (strcmp(json_string_value(json_object_get(e, "kind")),
                          kind) == 0) score =
            fmax(score, json_number_value(json_object_get(e, "score")));
    json_decref(answer);
    return score;
}

static const struct {
    const char *reason, *message, *kind, *says;
} down[] = {
    {"OOMKilling", "Memory cgroup out of memory: Killed process 4711 (java)",
     "resource", "killed for using more memory than its limit (OOMKilled)"},
    {"BackOff", "Back-off restarting failed container main in pod store-x",
     "availability", "a container fails again and again (CrashLoopBackOff)"},
    {"BackOff", "Back-off pulling image \"registry/store:2\"", "availability",
     "its image cannot be pulled (ImagePullBackOff): Back-off pulling image "
     "\"registry/store:2\""},
    {"Failed", "Error: ImagePullBackOff", "availability",
     "its image cannot be pulled (ImagePullBackOff)"},
    {"FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.",
     "availability",
     "a pod cannot be scheduled (FailedScheduling): 0/3 nodes are available: "
     "3 Insufficient cpu."},
    {"NodeNotReady", "Node is not ready", "availability",
     "a node with its pods is not ready (NodeNotReady)"},
};

TEST(what_stops_pods_is_the_cause_where_callers_suffer)
{
    for (size_t i = 0; i < sizeof(down) / sizeof(*down); i++) {
        struct world *w = failing_world();

        char cause[300];

        CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "api");
        (void)add_event(w, STORE, 9, down[i].reason, down[i].message);
        CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "store");
        CHECK_TEXT(slice_of(told(w, "suspects.0.evidence.0.kind")),
                   down[i].kind);
        snprintf(cause, sizeof(cause), "store: %s", down[i].says);
        CHECK_TEXT(
            slice_truncate(slice_of(told(w, "summary.cause")), strlen(cause)),
            cause);
        world_free(w);
    }
}

TEST(nobody_suffers_and_nothing_is_named)
{
    for (size_t i = 0; i < sizeof(down) / sizeof(*down); i++) {
        struct world *w = world_new(plain);

        generate(w, true, true);
        (void)add_event(w, STORE, 11, down[i].reason, down[i].message);
        CHECK_TEXT(slice_of(told(w, "summary.cause")), "");
        CHECK(score_of(w, down[i].kind) > 0);
        world_free(w);
    }
}

TEST(what_happens_all_the_time_is_no_news)
{
    struct world *w = failing_world();

    for (int minute = 0; minute < 15; minute++)
        (void)add_event(w, STORE, minute, "BackOff", "Back-off restarting x");
    CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "api");
    world_free(w);
}

/* The receiver was started late, but the event says when it began. */
TEST(an_event_repeated_since_long_ago_is_no_news)
{
    struct world *w = failing_world();
    struct log_record *l;
    struct attr *at;

    l = add_event(w, STORE, 12, "BackOff", "Back-off restarting x");
    at = (struct attr *)(uintptr_t)l->attrs.at;
    at[3] = (struct attr){
        .key = "k8s.event.count", .key_len = 15, .type = VALUE_INT, .i = 900};
    at[4] = bed_attr("k8s.event.start_time", "2023-11-14 08:00:00 +0000 UTC");
    l->attrs.count = 5;
    CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "api");
    l->attrs.count = 3;
    CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "store");
    world_free(w);
}

TEST(a_pod_that_starts_is_not_ready_at_first)
{
    struct world *w = failing_world();

    for (int i = 0; i < 3; i++)
        (void)add_event(w, STORE, 11, "Unhealthy",
                        "Readiness probe failed: connection refused");
    CHECK(score_of(w, "availability") > 1);
    add_event(w, STORE, 10, "Started", "Started container main")->level =
        LEVEL_INFO;
    CHECK(score_of(w, "availability") < 0.01);
    world_free(w);
}

/* What cannot work without a callee that is down crashes, too. */
TEST(the_deepest_that_is_down_is_the_cause)
{
    struct world *w = world_new(plain);

    w->fault = ERRORS;
    w->at = STORE;
    generate(w, true, true);
    for (int minute = 10; minute < 15; minute++)
        for (int component = API; component <= STORE; component++)
            (void)add_event(w, component, minute, "BackOff",
                            "Back-off restarting failed container");
    CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "store");
    world_free(w);
}

/* ---- changes ---- */

static double score_of_change(int minute)
{
    struct world *w = world_new(plain);
    double score;

    w->fault = CPU;
    w->at = API;
    generate(w, true, true);
    add_event(w, API, minute, "ScalingReplicaSet",
              "Scaled down replica set api-6d from 4 to 1")
        ->level = LEVEL_INFO;
    score = score_of(w, "change");
    world_free(w);
    return score;
}

TEST(a_change_counts_the_more_the_nearer_it_is)
{
    CHECK(score_of_change(9) > 1.2 * score_of_change(1));
    CHECK(score_of_change(9) > 2 * score_of_change(13)); /* after the onset */
    CHECK(score_of_change(13) > 0);
}

TEST(a_failed_release_is_a_sentence)
{
    struct world *w = failing_world();
    struct log_record *l;

    l = add_event(w, API, 9, "DeploymentFailed",
                  "release v12 (commit 1a2b3c4) failed: ImagePullBackOff");
    l->event_name = SLICE(DERIVED_CHANGE);
    ((struct attr *)(uintptr_t)l->attrs.at)[3] =
        bed_attr(DERIVED_CHANGE_KIND, "release");
    l->attrs.count = 4;
    CHECK_TEXT(slice_of(told(w, "changes.0.text")),
               "release v12 (commit 1a2b3c4) failed: ImagePullBackOff");
    CHECK_TEXT(slice_of(told(w, "changes.0.kind")), "release");
    CHECK(score_of(w, "change") > 2);
    world_free(w);

    w = failing_world(); /* of another sender: its message is not shown */
    (void)add_event(w, API, 9, "DeploymentFailed", "{\"phase\":1}");
    json_t *answer = ask_cause(w, 10, 15, "");
    char *text = json_dumps(json_object_get(answer, "suspects"), 0);
    CHECK(strstr(text, "\"text\": \"a release failed\""));
    free(text);
    json_decref(answer);
    world_free(w);
}

/* ---- states in metrics ---- */

static void add_state(struct world *w, const struct metric *metric,
                      const char *reason, int component, int minute,
                      double value)
{
    struct attr *at = arena_zero(&w->bed.arena, 1, sizeof(*at));

    *at = bed_attr("reason", reason);
    w->bed.store->points[w->bed.store->point_count++] = (struct point){
        .metric = metric,
        .attrs = {at, 1, 0},
        .time_ns = (w->start_s + (uint64_t)minute * 60 + 30) * NS_PER_S,
        .d = value,
        .resource_id = w->resources[component]};
}

static const struct metric terminated = {
    .name = SLICE_INIT("kube_pod_container_status_last_terminated_reason"),
    .type = METRIC_GAUGE};
static const struct metric restarts = {
    .name = SLICE_INIT("k8s.container.restarts"), .type = METRIC_GAUGE};

TEST(states_of_containers_tell_what_events_tell)
{
    struct world *w = failing_world();

    for (int minute = 0; minute < 15; minute++)
        add_state(w, &terminated, "OOMKilled", STORE, minute, minute >= 11);
    CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "store");
    CHECK_TEXT(slice_truncate(slice_of(told(w, "summary.cause")), 13),
               "store: killed");
    world_free(w);

    w = failing_world();
    for (int minute = 0; minute < 15; minute++)
        add_state(w, &restarts, "", STORE, minute, minute < 11 ? 7 : minute);
    CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "store");
    CHECK_TEXT(slice_truncate(slice_of(told(w, "summary.cause")), 40),
               "store: its containers restarted (7 times");
    world_free(w);
}

TEST(a_state_that_lasts_is_no_news)
{
    struct world *w = failing_world();

    for (int minute = 0; minute < 15; minute++)
        add_state(w, &terminated, "OOMKilled", STORE, minute, 1);
    CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "api");
    world_free(w);
}

/* ---- limits ---- */

static void add_value(struct world *w, const struct metric *metric,
                      int component, int minute, double value)
{
    w->bed.store->points[w->bed.store->point_count++] = (struct point){
        .metric = metric,
        .start_ns = w->start_s * NS_PER_S,
        .time_ns = (w->start_s + (uint64_t)minute * 60 + 30) * NS_PER_S,
        .d = value,
        .resource_id = w->resources[component]};
}

#define COUNTER(text)                                                    \
    {                                                                    \
        .name = SLICE_INIT(text), .type = METRIC_SUM, .monotonic = true, \
        .temporality = CUMULATIVE                                        \
    }
static const struct metric throttled = COUNTER("container_cpu_cfs_throttled_"
                                               "periods_total"),
                           periods = COUNTER("container_cpu_cfs_periods_total");
static const struct metric available = {.name =
                                            SLICE_INIT("k8s.volume.available"),
                                        .type = METRIC_GAUGE},
                           capacity = {.name =
                                           SLICE_INIT("k8s.volume.capacity"),
                                       .type = METRIC_GAUGE};

TEST(a_throttled_container_is_slow_because_of_it)
{
    struct world *w = failing_world();

    for (int minute = 0; minute < 15; minute++) {
        int hit = minute > 10 ? minute - 10 : 0;

        add_value(w, &periods, STORE, minute, 600 * minute);
        add_value(w, &throttled, STORE, minute, 510 * hit);
    }
    CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "store");
    CHECK_TEXT(slice_of(told(w, "suspects.0.evidence.0.text")),
               "CPU throttling rose from 0.0% to 85.0% of its "
               "periods");
    world_free(w);
}

TEST(a_volume_whose_rest_goes_to_nothing_is_full)
{
    struct world *w = failing_world();

    for (int minute = 0; minute < 15; minute++) {
        add_value(w, &capacity, STORE, minute, 1e9);
        add_value(w, &available, STORE, minute,
                  minute < 10 ? 7e8 - 1e6 * minute : 0);
    }
    CHECK_TEXT(slice_of(told(w, "suspects.0.component")), "store");
    CHECK_TEXT(slice_of(told(w, "suspects.0.evidence.0.text")),
               "the volume at 100% of its capacity, 30% before");
    world_free(w);
}
