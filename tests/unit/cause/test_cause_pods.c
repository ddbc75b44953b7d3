/*
 * Metrics of pods that come and go, without spans: a new pod has no history of
 * its own. Two pods of each component from half an hour before the window on;
 * the pods of one are replaced, or get another beside them.
 */
#include "cause_world.h"

enum shape {
    HISTOGRAMS,
    DELTAS, /* of histograms */
    COUNTERS,
    ERROR_COUNTERS, /* a counter of all requests, and one of failures */
    GAUGES,
    STATUS_GAUGES,
    SHAPES
};
/* By the resource of each, by a label of points, or not at all. */
enum pod_names { RESOURCES, LABELS, NO_NAMES, POD_NAMES };
enum { MAX_PODS = 24, STEP_S = 15, LONG_AGO_S = -1800 };

struct pod {
    int component, number;
    int from_s, until_s, fails_from_s; /* of the world's first minute */
    double failing, slower, hungrier;
    double served[2], waited[2], cpu; /* good and failed requests */
    uint32_t resource;
};

struct fleet {
    struct world *w;
    enum shape shape;
    enum pod_names names;
    struct pod pods[MAX_PODS];
    int count;
};

/* ---- what pods send ---- */

static const struct metric pod_metrics[] = {
    {.name = {"http.server.request.duration", 28},
     .unit = {"s", 1},
     .type = METRIC_HISTOGRAM,
     .temporality = CUMULATIVE},
    {.name = {"http_requests_total", 19},
     .type = METRIC_SUM,
     .temporality = CUMULATIVE,
     .monotonic = true},
    {.name = {"http.server.request.duration", 28},
     .unit = {"s", 1},
     .type = METRIC_HISTOGRAM,
     .temporality = DELTA},
    {.name = {"http_request_errors_total", 25},
     .type = METRIC_SUM,
     .temporality = CUMULATIVE,
     .monotonic = true},
    {.name = {"latency_p95", 11}, .type = METRIC_GAUGE},
    {.name = {"request_rate", 12}, .type = METRIC_GAUGE},
    {.name = {"error_rate", 10}, .type = METRIC_GAUGE},
    {.name = {"process_cpu_seconds_total", 25},
     .type = METRIC_SUM,
     .temporality = CUMULATIVE,
     .monotonic = true},
    {.name = {"process_resident_memory_bytes", 29}, .type = METRIC_GAUGE},
};
enum {
    DURATION,
    REQUESTS,
    DURATION_DELTA,
    ERROR_COUNT,
    P95,
    RATE,
    ERROR_RATE,
    CPU_TIME,
    MEMORY
};

static struct point *tell(struct fleet *f, struct pod *pod, int metric, int at,
                          const char *status)
{
    struct world *w = f->w;
    struct point *p = &w->bed.store->points[w->bed.store->point_count++];
    struct attr *attrs = arena_zero(&w->bed.arena, 2, sizeof(*attrs));
    char *name = arena_zero(&w->bed.arena, 32, 1);
    uint32_t n = 0;

    snprintf(name, 32, "%s-%d", plain[pod->component], pod->number);
    if (status)
        attrs[n++] = bed_attr("code", status);
    if (f->names == LABELS)
        attrs[n++] = bed_attr("pod", name);
    *p = (struct point){.metric = &pod_metrics[metric],
                        .attrs = {attrs, n, 0},
                        .time_ns =
                            (uint64_t)((int64_t)w->start_s + at) * NS_PER_S,
                        .resource_id = pod->resource};
    if (p->metric->type != METRIC_GAUGE)
        p->start_ns = (uint64_t)((int64_t)w->start_s + pod->from_s) * NS_PER_S;
    return p;
}

static void tell_requests(struct fleet *f, struct pod *pod, int at,
                          const double *now, double seconds)
{
    static const char *const status[] = {"200", "500"};

    for (int failed = 0; failed < 2; failed++) {
        struct histogram *h;

        pod->served[failed] += now[failed];
        pod->waited[failed] += now[failed] * seconds;
        if (pod->served[failed] < 1) /* nothing to count yet */
            continue;
        switch (f->shape) {
        case HISTOGRAMS:
            h = arena_zero(&f->w->bed.arena, 1, sizeof(*h));
            *h = (struct histogram){.count = (uint64_t)pod->served[failed],
                                    .sum = pod->waited[failed],
                                    .has_sum = true};
            tell(f, pod, DURATION, at, status[failed])->histogram = h;
            break;
        case DELTAS:
            if (now[failed] < 1)
                break;
            h = arena_zero(&f->w->bed.arena, 1, sizeof(*h));
            *h = (struct histogram){.count = (uint64_t)now[failed],
                                    .sum = now[failed] * seconds,
                                    .has_sum = true};
            struct point *p = tell(f, pod, DURATION_DELTA, at, status[failed]);
            p->histogram = h;
            p->start_ns = p->time_ns - STEP_S * NS_PER_S;
            break;
        case ERROR_COUNTERS:
            tell(f, pod, failed ? ERROR_COUNT : REQUESTS, at, NULL)->d =
                pod->served[1] + (failed ? 0 : pod->served[0]);
            break;
        case COUNTERS:
            tell(f, pod, REQUESTS, at, status[failed])->d = pod->served[failed];
            break;
        case STATUS_GAUGES:
            tell(f, pod, RATE, at, status[failed])->d = now[failed] / STEP_S;
            break;
        default:
            tell(f, pod, failed ? ERROR_RATE : RATE, at, NULL)->d =
                (now[failed] + (failed ? 0 : now[1])) / STEP_S;
        }
    }
    if (f->shape > DELTAS)
        tell(f, pod, P95, at, NULL)->d = 2 * seconds;
}

/* Some percent up and down, the same in every run. */
static double near(int at, const struct pod *pod)
{
    return 0.96 +
           0.08 * ((at * 7919 + pod->number * 31 + 20000000) % 101) / 101;
}

/* A process that starts is slow, busy and small. */
static void report_pod(struct fleet *f, struct pod *pod, int at, int alive)
{
    bool warm = at - pod->from_s > 60 || pod->from_s == LONG_AGO_S;
    double asked = 600.0 / alive * near(at, pod);
    double seconds = 0.02 * near(at + 40, pod) * pod->slower * (warm ? 1 : 5);
    double failed = at > pod->fails_from_s ? asked * pod->failing : 0;
    const double now[2] = {asked - failed, failed};

    tell_requests(f, pod, at, now, seconds);
    pod->cpu += asked * 0.002 * near(at + 80, pod) * pod->hungrier +
                (warm ? 0 : 0.7 * STEP_S);
    tell(f, pod, CPU_TIME, at, NULL)->d = pod->cpu;
    tell(f, pod, MEMORY, at, NULL)->d =
        1e8 * near(at / 300, pod) * (warm ? 1 : 0.6);
}

/* ---- a fleet ---- */

static struct pod *add_pod(struct fleet *f, int component, int from_s)
{
    struct pod *pod = &f->pods[f->count++];
    char name[32];

    *pod = (struct pod){.component = component,
                        .number = f->count,
                        .from_s = from_s,
                        .until_s = 900,
                        .fails_from_s = from_s,
                        .slower = 1,
                        .hungrier = 1,
                        .resource = f->w->resources[component]};
    snprintf(name, sizeof(name), "%s-%d", plain[component], f->count);
    struct attr at[] = {bed_attr("openchoreo.dev/namespace", "acme"),
                        bed_attr("openchoreo.dev/project", "shop"),
                        bed_attr("openchoreo.dev/component", plain[component]),
                        bed_attr("openchoreo.dev/environment", "prod"),
                        bed_attr("service.instance.id", name)};
    struct resource resource = {.attrs = {at, 5, 0}, .id = RESOURCE_NONE};
    if (f->names == RESOURCES) {
        registry_resolve(f->w->bed.registry, &resource,
                         f->w->start_s * NS_PER_S);
        pod->resource = resource.id;
    }
    return pod;
}

static struct fleet *fleet_new(enum shape shape, enum pod_names names)
{
    struct fleet *f = calloc(1, sizeof(*f));

    *f = (struct fleet){.w = world_new(plain), .shape = shape, .names = names};
    free(f->w->bed.store->points);
    f->w->bed.store->points = calloc(40000, sizeof(struct point));
    for (int i = 0; i < 2 * COMPONENTS; i++)
        add_pod(f, i / 2, LONG_AGO_S);
    return f;
}

/* The answer's first suspect; "" if there is none. */
static const char *cause_in(struct fleet *f)
{
    static char name[128];

    for (int at = LONG_AGO_S + STEP_S; at <= 900; at += STEP_S)
        for (int i = 0; i < f->count; i++) {
            struct pod *pod = &f->pods[i];
            int alive = 0;

            for (int k = 0; k < f->count; k++)
                alive += f->pods[k].component == pod->component &&
                         at > f->pods[k].from_s && at <= f->pods[k].until_s;
            if (at > pod->from_s && at <= pod->until_s)
                report_pod(f, pod, at, alive);
        }
    snprintf(name, sizeof(name), "%s", first_of(f->w));
    return name;
}

static void fleet_free(struct fleet *f)
{
    world_free(f->w);
    free(f);
}

/* All pods of a component are replaced, one every step_s. */
static void roll_out(struct fleet *f, int component, int from_s, int step_s,
                     double failing, double slower)
{
    for (int i = 0; i < 2; i++, from_s += step_s) {
        struct pod *pod = add_pod(f, component, from_s);

        pod->failing = failing;
        pod->slower = slower;
        f->pods[2 * component + i].until_s = from_s;
    }
}

/* Callers of what fails fail a little, as they call others, too. */
static void let_callers_fail(struct fleet *f, double failing, int from_s)
{
    roll_out(f, API, from_s, 0, failing, 1);
}

#define FOR_ALL_SENDERS(shape, names)            \
    for (int shape = 0; shape < SHAPES; shape++) \
        for (int names = 0; names < POD_NAMES; names++)

/* ---- bad versions ---- */

TEST(new_pods_that_fail_are_the_cause)
{
    FOR_ALL_SENDERS(shape, names)
    {
        struct fleet *f = fleet_new((enum shape)shape, (enum pod_names)names);

        roll_out(f, STORE, 615, 0, 0.6, 1);
        let_callers_fail(f, 0.2, 615);
        if (!CHECK_TEXT(slice_of(cause_in(f)), "store"))
            printf("# shape %d, names %d\n", shape, names);
        fleet_free(f);
    }
}

TEST(new_pods_that_are_slow_are_the_cause)
{
    FOR_ALL_SENDERS(shape, names)
    {
        struct fleet *f = fleet_new((enum shape)shape, (enum pod_names)names);

        roll_out(f, STORE, 615, 90, 0, 8);
        if (!CHECK_TEXT(slice_of(cause_in(f)), "store"))
            printf("# shape %d, names %d\n", shape, names);
        fleet_free(f);
    }
}

TEST(one_bad_pod_beside_the_old_ones_is_the_cause)
{
    FOR_ALL_SENDERS(shape, names)
    {
        struct fleet *f = fleet_new((enum shape)shape, (enum pod_names)names);

        add_pod(f, STORE, 615)->failing = 0.5;
        if (!CHECK_TEXT(slice_of(cause_in(f)), "store"))
            printf("# shape %d, names %d\n", shape, names);
        fleet_free(f);
    }
}

/* The window is from 600 to 900 s, its baseline ends at 540 s. */
TEST(a_rollout_before_the_window_is_the_cause)
{
    static const int hits[] = {330, 480, 555, 590, 700, 800};

    for (size_t i = 0; i < sizeof(hits) / sizeof(*hits); i++)
        FOR_ALL_SENDERS(shape, names)
        {
            struct fleet *f =
                fleet_new((enum shape)shape, (enum pod_names)names);

            roll_out(f, STORE, hits[i], 0, 0.6, 1);
            if (!CHECK_TEXT(slice_of(cause_in(f)), "store"))
                printf("# at %d s, shape %d, names %d\n", hits[i], shape,
                       names);
            fleet_free(f);
        }
}

/* Of ten pods each shows the same; eight pieces of evidence are listed. */
TEST(what_many_pods_show_is_told_once)
{
    FOR_ALL_SENDERS(shape, names)
    {
        struct fleet *f = fleet_new((enum shape)shape, (enum pod_names)names);
        json_t *answer, *evidence;
        bool changed = false;

        for (int i = 0; i < 10; i++)
            add_pod(f, STORE, 615)->failing = 0.6;
        f->pods[2 * STORE].until_s = f->pods[2 * STORE + 1].until_s = 615;
        CHECK_TEXT(slice_of(cause_in(f)), "store");
        answer = json_loads(f->w->bed.text, 0, NULL);
        evidence = json_object_get(
            json_array_get(json_object_get(answer, "suspects"), 0), "evidence");
        for (size_t i = 0; i < json_array_size(evidence); i++) {
            json_t *e = json_array_get(evidence, i);

            changed |= json_string_value(json_object_get(e, "text")) &&
                       !strcmp(json_string_value(json_object_get(e, "text")),
                               "all pods were replaced");
            for (size_t k = 0; k < i; k++)
                CHECK(!json_object_get(e, "metric") ||
                      !json_equal(json_object_get(e, "metric"),
                                  json_object_get(json_array_get(evidence, k),
                                                  "metric")));
        }
        if (!CHECK(changed || names == NO_NAMES))
            printf("# shape %d, names %d\n", shape, names);
        json_decref(answer);
        fleet_free(f);
    }
}

/* Each pod lives for two scrapes. */
TEST(pods_that_crash_again_and_again_are_the_cause)
{
    for (int shape = 0; shape < SHAPES; shape++) {
        struct fleet *f = fleet_new((enum shape)shape, RESOURCES);

        for (int i = 0; i < 8; i++) {
            struct pod *pod = add_pod(f, STORE, 615 + 35 * i);

            pod->failing = 0.9;
            pod->until_s = pod->from_s + 2 * STEP_S;
        }
        f->pods[2 * STORE].until_s = f->pods[2 * STORE + 1].until_s = 615;
        if (!CHECK_TEXT(slice_of(cause_in(f)), "store"))
            printf("# shape %d\n", shape);
        fleet_free(f);
    }
}

/* Old pods fail for the first time: that nobody counted failures before means
 * that there were none. */
TEST(failures_that_were_never_counted_before_are_the_cause)
{
    FOR_ALL_SENDERS(shape, names)
    {
        struct fleet *f = fleet_new((enum shape)shape, (enum pod_names)names);

        f->pods[2 * STORE].failing = 0.3;
        f->pods[2 * STORE].fails_from_s = 615;
        if (!CHECK_TEXT(slice_of(cause_in(f)), "store"))
            printf("# shape %d, names %d\n", shape, names);
        fleet_free(f);
    }
}

/* ---- who changed ---- */

/* A pod that goes on with its name and resource, as of a StatefulSet. */
static struct pod *restart_pod(struct fleet *f, struct pod *old, int at)
{
    struct pod *pod = &f->pods[f->count++];

    *pod = *old;
    pod->from_s = old->until_s = at;
    return pod;
}

static void fail_from(struct fleet *f, int component, double failing, int at)
{
    for (int i = 0; i < 2; i++) {
        f->pods[2 * component + i].failing = failing;
        f->pods[2 * component + i].fails_from_s = at;
    }
}

/* Two fail alike, and their calls are not known. */
TEST(of_equals_the_one_whose_pods_are_new_is_the_cause)
{
    FOR_ALL_SENDERS(shape, names)
    {
        struct fleet *f = fleet_new((enum shape)shape, (enum pod_names)names);

        roll_out(f, STORE, 615, 0, 0.3, 1);
        fail_from(f, API, 0.3, 615);
        if (!CHECK_TEXT(slice_of(cause_in(f)), "store"))
            printf("# shape %d, names %d\n", shape, names);
        CHECK(names == NO_NAMES ||
              strstr(f->w->bed.text, "all pods were replaced"));
        fleet_free(f);
    }
}

TEST(of_equals_the_one_whose_processes_are_new_is_the_cause)
{
    FOR_ALL_SENDERS(shape, names)
    {
        struct fleet *f = fleet_new((enum shape)shape, (enum pod_names)names);

        fail_from(f, API, 0.3, 615);
        fail_from(f, STORE, 0.3, 615);
        for (int i = 0; i < 2; i++)
            restart_pod(f, &f->pods[2 * STORE + i], 615);
        if (!CHECK_TEXT(slice_of(cause_in(f)), "store"))
            printf("# shape %d, names %d\n", shape, names);
        fleet_free(f);
    }
}

/* Who suffers is restarted later. */
TEST(a_restart_after_the_symptoms_began_is_their_consequence)
{
    FOR_ALL_SENDERS(shape, names)
    {
        struct fleet *f = fleet_new((enum shape)shape, (enum pod_names)names);

        roll_out(f, STORE, 615, 0, 0.3, 1);
        fail_from(f, API, 0.3, 615);
        for (int i = 0; i < 2; i++)
            restart_pod(f, &f->pods[2 * API + i], 780);
        if (!CHECK_TEXT(slice_of(cause_in(f)), "store"))
            printf("# shape %d, names %d\n", shape, names);
        fleet_free(f);
    }
}

/* ---- nothing is wrong ---- */

TEST(a_good_version_is_no_cause)
{
    static const int hits[] = {330, 480, 555, 615, 700, 800, 850};

    for (size_t i = 0; i < sizeof(hits) / sizeof(*hits); i++)
        FOR_ALL_SENDERS(shape, names)
        {
            struct fleet *f =
                fleet_new((enum shape)shape, (enum pod_names)names);

            roll_out(f, STORE, hits[i], i % 2 ? 0 : 60, 0, 1);
            if (!CHECK_TEXT(slice_of(cause_in(f)), ""))
                printf("# at %d s, shape %d, names %d\n", hits[i], shape,
                       names);
            fleet_free(f);
        }
}

/* More pods with less to do, and fewer with more. */
TEST(more_and_fewer_pods_are_no_cause)
{
    FOR_ALL_SENDERS(shape, names)
    {
        struct fleet *f = fleet_new((enum shape)shape, (enum pod_names)names);

        if (names == NO_NAMES) { /* most requests are slow for minutes */
            fleet_free(f);
            continue;
        }
        for (int i = 0; i < 4; i++)
            add_pod(f, STORE, 615 + 30 * i);
        f->pods[2 * API].until_s = 630;
        if (!CHECK_TEXT(slice_of(cause_in(f)), ""))
            printf("# shape %d, names %d\n", shape, names);
        fleet_free(f);
    }
}
