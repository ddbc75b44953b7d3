/*
 * Callees that only the metrics of their callers show: web calls api, api calls
 * store and users, and labels say so, as each family of senders spells it.
 * There are no spans.
 */
#include "cause_world.h"

enum { STEP_S = 15, LONG_AGO_S = -1800, END_S = 900, HIT_S = 600 };
enum { REPORTER_CALLER, REPORTER_COLLECTOR };

/* How calls are told. Of the labels {from} and {to} are the ends, {bad} is
 * `good` or `failed`. */
struct family {
    const char *metric, *unit, *labels, *good, *failed;
    double per_second; /* in the unit */
    int reporter;
};

static const struct family families[] = {
    {"http.client.request.duration", "s",
     "server.address={to}.shop.svc.cluster.local server.port=8080 "
     "http.response.status_code={bad}",
     "200", "503", 1, REPORTER_CALLER},
    {"http.client.duration", "ms", "net.peer.name={to} http.status_code={bad}",
     "200", "500", 1000, REPORTER_CALLER},
    {"http_client_request_duration_seconds", "",
     "server_address={to}:8080 http_response_status_code={bad}", "200", "500",
     1, REPORTER_CALLER},
    {"http.client.request.duration", "s",
     "peer.service={to} server.address=10.0.0.9 error.type={bad}", "",
     "timeout", 1, REPORTER_CALLER},
    {"http.client.requests", "ms", "client.name={to} outcome={bad}", "SUCCESS",
     "SERVER_ERROR", 1000, REPORTER_CALLER},
    {"http_client_requests_seconds", "", "client_name={to} status={bad}", "200",
     "IO_ERROR", 1, REPORTER_CALLER},
    {"rpc.client.duration", "ms",
     "rpc.service=acme.shop.v1.{To}Service rpc.grpc.status_code={bad}", "0",
     "14", 1000, REPORTER_CALLER},
    {"grpc_client_handling_seconds", "",
     "grpc_service=shop.{To} grpc_code={bad}", "OK", "Unavailable", 1,
     REPORTER_CALLER},
    {"grpc.client.attempt.duration", "s",
     "grpc.target=dns:///{to}:7070 grpc.status={bad}", "OK", "UNAVAILABLE", 1,
     REPORTER_CALLER},
    {"istio_request_duration_milliseconds", "ms",
     "reporter=source source_workload={from} destination_workload={to} "
     "destination_workload_namespace=dp-acme response_code={bad}",
     "200", "503", 1000, REPORTER_CALLER},
    {"istio_request_duration_milliseconds", "ms",
     "reporter=source source_workload={from}-v7 destination_workload={to}-v2 "
     "destination_service_name={to} destination_service_namespace=dp-acme "
     "response_code={bad}",
     "200", "503", 1000, REPORTER_CALLER},
    {"istio_request_duration_milliseconds", "ms",
     "reporter=waypoint source_workload={from} destination_workload={to} "
     "response_code={bad}",
     "200", "503", 1000, REPORTER_COLLECTOR},
    {"response_latency_ms", "ms",
     "direction=outbound dst_deployment={to} dst_namespace=dp-acme "
     "classification={bad}",
     "success", "failure", 1000, REPORTER_CALLER},
    {"envoy_cluster_upstream_rq_time", "ms",
     "envoy_cluster_name=outbound|80||{to}.dp-acme.svc.cluster.local "
     "envoy_response_code={bad}",
     "200", "503", 1000, REPORTER_CALLER},
    {"hubble_http_request_duration_seconds", "",
     "reporter=client source_workload={from} destination_workload={to} "
     "destination_namespace=dp-acme status={bad}",
     "200", "503", 1, REPORTER_COLLECTOR},
    {"traces_service_graph_request_client_seconds", "",
     "client={from} server={to} status_code={bad}", "STATUS_CODE_UNSET",
     "STATUS_CODE_ERROR", 1, REPORTER_COLLECTOR},
    {"traces.span.metrics.duration", "ms",
     "span.kind=SPAN_KIND_CLIENT peer.service={to} status.code={bad}",
     "STATUS_CODE_UNSET", "STATUS_CODE_ERROR", 1000, REPORTER_CALLER},
    {"db.client.operation.duration", "s",
     "db.system.name=postgresql server.address={to} error.type={bad}", "",
     "timeout", 1, REPORTER_CALLER},
    {"upstream_response_seconds", "", "upstream={to} code={bad}", "200", "502",
     1, REPORTER_CALLER},
    {"proxy_request_duration_seconds", "", "target_service={to} code={bad}",
     "200", "502", 1, REPORTER_CALLER},
};
enum { FAMILIES = sizeof(families) / sizeof(*families) };

/* What was called, all in all. */
struct told {
    struct world *w;
    const struct family *family;
    uint32_t collector;
    double count[COMPONENTS][2], sum[COMPONENTS][2]; /* by callee */
    struct metric metric;
};

static char *replace(struct told *t, const char *text, const char *what,
                     const char *by)
{
    char *out = arena_zero(&t->w->bed.arena, strlen(text) + 64, 1);
    const char *at = strstr(text, what);

    strcpy(out, text);
    if (at)
        snprintf(out + (at - text), 64 + strlen(text) - (size_t)(at - text),
                 "%s%s", by, at + strlen(what));
    return out;
}

/* The labels of a family, for one end or both. */
static struct attrs labels_of(struct told *t, const char *from, const char *to,
                              bool failed)
{
    struct attr *at = arena_zero(&t->w->bed.arena, 8, sizeof(*at));
    uint32_t n = 0;
    char *text = replace(t, t->family->labels, "{from}", from), *save = NULL;
    char capital[32];

    snprintf(capital, sizeof(capital), "%s", to);
    capital[0] = (char)(capital[0] & ~0x20);
    text = replace(t, replace(t, text, "{to}", to), "{to}", to);
    text = replace(t, text, "{To}", capital);
    text =
        replace(t, text, "{bad}", failed ? t->family->failed : t->family->good);
    for (char *pair = strtok_r(text, " ", &save); pair;
         pair = strtok_r(NULL, " ", &save)) {
        char *equal = strchr(pair, '=');

        *equal = '\0';
        if (equal[1])
            at[n++] = bed_attr(pair, equal + 1);
    }
    return (struct attrs){at, n, 0};
}

static void tell_calls(struct told *t, int from, int to, int at, double calls,
                       double failing, double seconds)
{
    struct world *w = t->w;

    for (int failed = 0; failed < 2; failed++) {
        double n = calls * (failed ? failing : 1 - failing);
        struct histogram *h = arena_zero(&w->bed.arena, 1, sizeof(*h));

        t->count[to][failed] += n;
        t->sum[to][failed] += n * seconds * t->family->per_second;
        if (t->count[to][failed] < 1)
            continue;
        *h = (struct histogram){.count = (uint64_t)t->count[to][failed],
                                .sum = t->sum[to][failed],
                                .has_sum = true};
        w->bed.store->points[w->bed.store->point_count++] = (struct point){
            .metric = &t->metric,
            .attrs = labels_of(t, plain[from], plain[to], failed),
            .start_ns = (w->start_s - 1800) * NS_PER_S,
            .time_ns = (uint64_t)((int64_t)w->start_s + at) * NS_PER_S,
            .histogram = h,
            .resource_id = t->family->reporter == REPORTER_CALLER
                               ? w->resources[from]
                               : t->collector};
    }
}

/* Some percent up and down, the same in every run. */
static double near(int at, int salt)
{
    return 0.96 + 0.08 * ((at * 7919 + salt * 31 + 20000000) % 101) / 101;
}

static struct told *told_new(const struct family *family)
{
    struct world *w = world_new(plain);
    struct told *t = arena_zero(&w->bed.arena, 1, sizeof(*t));

    t->w = w;
    t->family = family;
    t->collector = bed_resource(&w->bed, "shop", "otelcol");
    t->metric = (struct metric){.name = slice_of(family->metric),
                                .unit = slice_of(family->unit),
                                .type = METRIC_HISTOGRAM,
                                .temporality = CUMULATIVE};
    return t;
}

/* Calls of one of the four are slow, or fail, from the tenth minute on, and so
 * are those of whoever waits for it. */
static void play(struct told *t, int at_fault, double slower, double failing)
{
    for (int at = LONG_AGO_S; at <= END_S; at += STEP_S) {
        double more = at > HIT_S ? slower : 0, bad = at > HIT_S ? failing : 0;
        bool below = at_fault == STORE || at_fault == USERS;
        double api = 0.05 * near(at, 1), store = 0.02 * near(at, 2);
        double users = 0.01 * near(at, 3);

        tell_calls(t, WEB, API, at, 300 * near(at, 4), bad,
                   api + (below || at_fault == API ? more : 0));
        tell_calls(t, API, STORE, at, 300 * near(at, 5),
                   at_fault == STORE ? bad : 0,
                   store + (at_fault == STORE ? more : 0));
        tell_calls(t, API, USERS, at, 300 * near(at, 6),
                   at_fault == USERS ? bad : 0,
                   users + (at_fault == USERS ? more : 0));
    }
}

TEST(callee_is_first_for_each_family_of_labels)
{
    for (int i = 0; i < FAMILIES; i++)
        for (int fails = 0; fails < 2; fails++)
            for (int at = API; at < COMPONENTS; at++) {
                struct told *t = told_new(&families[i]);

                play(t, at, fails ? 0 : 0.2, fails ? 0.3 : 0);
                if (!CHECK_TEXT(slice_of(first_of(t->w)), plain[at]))
                    printf("# family %d, %s %s\n", i, families[i].metric,
                           fails ? "fails" : "is slow");
                world_free(t->w);
            }
}

TEST(healthy_calls_are_no_cause)
{
    for (int i = 0; i < FAMILIES; i++) {
        struct told *t = told_new(&families[i]);

        play(t, STORE, 0, 0);
        CHECK_TEXT(slice_of(first_of(t->w)), "");
        world_free(t->w);
    }
}

/* The calls are the way from the cause to the users. */
TEST(labels_are_edges_of_the_call_graph)
{
    for (int i = 0; i < FAMILIES; i++) {
        struct told *t = told_new(&families[i]);
        json_t *answer;

        play(t, STORE, 0.2, 0);
        answer = ask_cause(t->w, 10, 15, "");
        CHECK_TEXT(bed_at(answer, "path.0.component"), "store");
        CHECK_TEXT(bed_at(answer, "path.1.component"), "api");
        CHECK_TEXT(bed_at(answer, "path.2.component"), "web");
        json_decref(answer);
        world_free(t->w);
    }
}

/* ---- where the calls wait ---- */

/* What a component says of its own requests. */
static void tell_served(struct told *t, int component, int at, double requests,
                        double seconds)
{
    static const struct metric metric = {
        .name = {"http.server.request.duration", 28},
        .unit = {"s", 1},
        .type = METRIC_HISTOGRAM,
        .temporality = CUMULATIVE};
    static double count[COMPONENTS], sum[COMPONENTS];
    struct world *w = t->w;
    struct histogram *h = arena_zero(&w->bed.arena, 1, sizeof(*h));

    if (at == LONG_AGO_S)
        count[component] = sum[component] = 0;
    count[component] += requests;
    sum[component] += requests * seconds;
    *h = (struct histogram){.count = (uint64_t)count[component],
                            .sum = sum[component],
                            .has_sum = true};
    w->bed.store->points[w->bed.store->point_count++] = (struct point){
        .metric = &metric,
        .start_ns = (w->start_s - 1800) * NS_PER_S,
        .time_ns = (uint64_t)((int64_t)w->start_s + at) * NS_PER_S,
        .histogram = h,
        .resource_id = w->resources[component]};
}

static void tell_cpu(struct told *t, int component, int at, double cores)
{
    static const struct metric metric = {.name = {"k8s.pod.cpu.usage", 17},
                                         .unit = {"{cpu}", 5},
                                         .type = METRIC_GAUGE};

    t->w->bed.store->points[t->w->bed.store->point_count++] = (struct point){
        .metric = &metric,
        .time_ns = (uint64_t)((int64_t)t->w->start_s + at) * NS_PER_S,
        .d = cores,
        .resource_id = t->w->resources[component]};
}

/* A caller without CPU finds all that it calls slow. */
static void play_starved(struct told *t, bool callees_report)
{
    for (int at = LONG_AGO_S; at <= END_S; at += STEP_S) {
        double more = at > HIT_S ? 0.2 : 0;
        double api = 0.05 * near(at, 1), store = 0.02 * near(at, 2);
        double users = 0.01 * near(at, 3);

        tell_calls(t, WEB, API, at, 300 * near(at, 4), 0, api + 2 * more);
        tell_calls(t, API, STORE, at, 300 * near(at, 5), 0, store + more);
        tell_calls(t, API, USERS, at, 300 * near(at, 6), 0, users + more);
        tell_cpu(t, API, at, (at > HIT_S ? 1.0 : 0.2) * near(at, 7));
        if (!callees_report)
            continue;
        tell_served(t, STORE, at, 300 * near(at, 5), store);
        tell_served(t, USERS, at, 300 * near(at, 6), users);
    }
}

TEST(caller_that_finds_all_callees_slow_is_slow_itself)
{
    for (int report = 0; report < 2; report++) {
        struct told *t = told_new(&families[0]);

        play_starved(t, report);
        if (!CHECK_TEXT(slice_of(first_of(t->w)), "api"))
            printf("# callees report: %d\n", report);
        world_free(t->w);
    }
}

/* A callee that both its callers find slow is, although one of them calls
 * nothing else. */
TEST(callee_that_all_callers_find_slow_is_slow)
{
    struct told *t = told_new(&families[0]);

    for (int at = LONG_AGO_S; at <= END_S; at += STEP_S) {
        double more = at > HIT_S ? 0.2 : 0, users = 0.01 * near(at, 3) + more;

        tell_calls(t, API, USERS, at, 300 * near(at, 6), 0, users);
        tell_calls(t, STORE, USERS, at, 300 * near(at, 7), 0, users);
        tell_calls(t, WEB, API, at, 300 * near(at, 4), 0, 0.05 + users);
        tell_calls(t, WEB, STORE, at, 300 * near(at, 8), 0, 0.02 + users);
    }
    CHECK_TEXT(slice_of(first_of(t->w)), "users");
    world_free(t->w);
}

/* The callee answers as usual, its caller waits longer. */
TEST(time_between_caller_and_callee_is_the_networks)
{
    struct told *t = told_new(&families[0]);
    json_t *answer;

    for (int at = LONG_AGO_S; at <= END_S; at += STEP_S) {
        double more = at > HIT_S ? 0.2 : 0, store = 0.02 * near(at, 2);

        tell_calls(t, WEB, API, at, 300 * near(at, 4), 0, 0.05 + store + more);
        tell_calls(t, API, STORE, at, 300 * near(at, 5), 0, store + more);
        tell_calls(t, API, USERS, at, 300 * near(at, 6), 0, 0.01 * near(at, 3));
        tell_served(t, STORE, at, 300 * near(at, 5), store);
    }
    answer = ask_cause(t->w, 10, 15, "");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
    CHECK_TEXT(bed_at(answer, "suspects.0.evidence.0.kind"), "network");
    CHECK_TEXT(bed_at(answer, "suspects.0.evidence.0.peer"), "api");
    CHECK(strstr(t->w->bed.text, "though it answers as usual"));
    json_decref(answer);
    world_free(t->w);
}

/* web measures in milliseconds, which only the name says, api in seconds: what
 * api waits for users is what web waits for api. */
TEST(latencies_in_different_units_add_up_along_calls)
{
    static const struct family by_name = {
        "istio_request_duration_milliseconds",
        "",
        "reporter=source destination_workload={to} response_code={bad}",
        "200",
        "503",
        1000,
        REPORTER_CALLER};
    struct told *t = told_new(&by_name), *api = told_new(&families[0]);
    struct world *own = api->w;
    json_t *answer;

    api->w = t->w;
    for (int at = LONG_AGO_S; at <= END_S; at += STEP_S) {
        double more = at > HIT_S ? 0.2 : 0;

        /* The numbers of the caller move less. */
        tell_calls(t, WEB, API, at, 300 * near(at, 4), 0,
                   0.02 * near(at, 1) + more);
        tell_calls(api, API, USERS, at, 300 * near(at, 6), 0,
                   0.01 * (1 + 6 * (near(at, 3) - 1)) + more);
    }
    answer = ask_cause(t->w, 10, 15, "");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "users");
    json_decref(answer);
    world_free(t->w);
    world_free(own);
}

/* ---- callees that are no components ---- */

static const struct family peers[] = {
    {"db.client.operation.duration", "s",
     "db.system.name=postgresql db.namespace=orders "
     "server.address=pg-1.example.net error.type={bad}",
     "", "timeout", 1, REPORTER_CALLER},
    {"db.client.operation.duration", "s",
     "db.system=redis db.namespace=0 server.address=cache.example.net:6379 "
     "error.type={bad}",
     "", "timeout", 1, REPORTER_CALLER},
    {"messaging.client.operation.duration", "s",
     "messaging.system=kafka messaging.destination.name=orders "
     "messaging.operation.type=send error.type={bad}",
     "", "timeout", 1, REPORTER_CALLER},
    {"http.client.request.duration", "s",
     "server.address=api.bank.example http.response.status_code={bad}", "200",
     "503", 1, REPORTER_CALLER},
    {"http.client.request.duration", "s",
     "server.address=risk.shop.svc.cluster.local "
     "http.response.status_code={bad}",
     "200", "503", 1, REPORTER_CALLER},
    {"rpc.client.call.duration", "s",
     "rpc.method=bank.v1.Ledger/Book rpc.response.status_code={bad}", "OK",
     "UNAVAILABLE", 1, REPORTER_CALLER},
};
static const struct {
    const char *kind, *name;
} peer_names[] = {{"database", "orders"}, {"database", "cache.example.net"},
                  {"queue", "orders"},    {"external", "api.bank.example"},
                  {"external", "risk"},   {"external", "bank.v1.Ledger/Book"}};

TEST(callee_that_is_no_component_is_a_peer)
{
    for (int i = 0; i < (int)(sizeof(peers) / sizeof(*peers)); i++) {
        struct told *t = told_new(&peers[i]);
        json_t *answer;

        for (int at = LONG_AGO_S; at <= END_S; at += STEP_S)
            tell_calls(t, API, STORE, at, 300 * near(at, 5),
                       at > HIT_S ? 0.3 : 0, 0.02 * near(at, 2));
        answer = ask_cause(t->w, 10, 15, "");
        CHECK_TEXT(bed_at(answer, "suspects.0.component"), peer_names[i].name);
        CHECK_TEXT(bed_at(answer, "suspects.0.kind"), peer_names[i].kind);
        CHECK_TEXT(bed_at(answer, "suspects.0.affected.0"), "api");
        json_decref(answer);
        world_free(t->w);
    }
}

/* A crawler calls a thousand hosts; the database that it calls, too, is still
 * found. */
TEST(peers_of_metrics_are_bounded)
{
    struct told *t = told_new(&peers[0]);
    static const struct metric metric = {
        .name = {"http.client.request.duration", 28},
        .unit = {"s", 1},
        .type = METRIC_HISTOGRAM,
        .temporality = CUMULATIVE};
    struct world *w = t->w;

    for (int at = LONG_AGO_S; at <= END_S; at += 150)
        for (int i = 0; i < 1000; i++) {
            struct histogram *h = arena_zero(&w->bed.arena, 1, sizeof(*h));
            struct attr *attr = arena_zero(&w->bed.arena, 1, sizeof(*attr));
            char *host = arena_zero(&w->bed.arena, 32, 1);

            snprintf(host, 32, "host-%d.example", i);
            *attr = bed_attr("server.address", host);
            *h = (struct histogram){.count = (uint64_t)(at + 2000),
                                    .sum = at + 2000,
                                    .has_sum = true};
            w->bed.store->points[w->bed.store->point_count++] = (struct point){
                .metric = &metric,
                .attrs = {attr, 1, 0},
                .start_ns = (w->start_s - 1800) * NS_PER_S,
                .time_ns = (uint64_t)((int64_t)w->start_s + at) * NS_PER_S,
                .histogram = h,
                .resource_id = w->resources[USERS]};
        }
    for (int at = LONG_AGO_S; at <= END_S; at += STEP_S)
        tell_calls(t, API, STORE, at, 300 * near(at, 5), at > HIT_S ? 0.3 : 0,
                   0.02 * near(at, 2));
    CHECK_TEXT(slice_of(first_of(w)), "orders");
    world_free(w);
}

/* What waits for a message waits the longer, the less there is to do; a server
 * may say its own address; internal spans are no calls. */
TEST(numbers_that_are_about_no_call_are_no_evidence)
{
    static const struct family none[] = {
        {"messaging.client.operation.duration", "s",
         "messaging.destination.name=store messaging.operation.type=receive",
         "", "", 1, REPORTER_CALLER},
        {"traces.span.metrics.duration", "ms",
         "span.kind=SPAN_KIND_INTERNAL server.address={to}", "", "", 1000,
         REPORTER_CALLER}};

    for (int i = 0; i < 2; i++) {
        struct told *t = told_new(&none[i]);

        for (int at = LONG_AGO_S; at <= END_S; at += STEP_S)
            tell_calls(t, API, STORE, at, 300 * near(at, 5), 0,
                       (at > HIT_S ? 2 : 0.02) * near(at, 2));
        CHECK_TEXT(slice_of(first_of(t->w)), "");
        world_free(t->w);
    }
}

TEST(address_of_a_server_is_its_own)
{
    static const struct family own = {
        "http.server.request.duration",
        "s",
        "server.address={to} http.response.status_code={bad}",
        "200",
        "500",
        1,
        REPORTER_CALLER};
    struct told *t = told_new(&own);

    for (int at = LONG_AGO_S; at <= END_S; at += STEP_S)
        tell_calls(t, API, STORE, at, 300 * near(at, 5), at > HIT_S ? 0.3 : 0,
                   0.02 * near(at, 2));
    CHECK_TEXT(slice_of(first_of(t->w)), "api");
    world_free(t->w);
}
