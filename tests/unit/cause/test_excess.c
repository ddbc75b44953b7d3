/*
 * Whose latency and failures they are: sums along calls, proxies, calls that
 * the graph lacks. Then the same seen from outside, by metrics alone.
 */
#include "excess.h"

#include <math.h>

#include "cause_world.h"
#include "latency_mean.h"

enum { NODES = 5, GATEWAY = 0, BALANCER, FIRST, SECOND, TABLE };

struct bench {
    struct arena arena;
    struct call_graph graph;
    struct component_flows at[NODES];
    struct flow_list flows;
    struct excess excess;
};

static void bench_init(struct bench *b)
{
    static const double usual[NODES] = {0.1, 0.05, 0.045, 0.03, 0.01};
    static const double requests[NODES] = {1000, 500, 500, 500, 2000};
    struct candidates candidates = {.component_count = NODES, .count = NODES};

    *b = (struct bench){.flows = {.at = b->at, .count = NODES}};
    arena_init(&b->arena, NULL, SIZE_MAX);
    CHECK(call_graph_init(&b->graph, &candidates, &b->arena));
    for (int i = 0; i < NODES; i++)
        b->at[i] = (struct component_flows){
            .requests = requests[i],
            .sort = 1,
            .of = {[FLOW_LATENCY] = {.known = true, .usual = usual[i]},
                   [FLOW_FAILURES] = {.known = true}}};
}

static void rises(struct bench *b, int node, enum flow_kind kind, double rise)
{
    b->at[node].of[kind].rise = rise;
    b->at[node].of[kind].certainty = 1;
    b->at[node].of[kind].onset_ns = 600 * NS_PER_S;
}

static void find(struct bench *b)
{
    call_graph_close(&b->graph, NODES);
    CHECK(excess_find(&b->excess, &b->flows, &b->graph, &b->arena));
}

static double own(const struct bench *b, int node, enum flow_kind kind)
{
    return b->excess.own[kind][node];
}

static double share(const struct bench *b, int caller, int callee)
{
    for (uint32_t i = 0; i < b->excess.share_count; i++)
        if (b->excess.shares[i].caller == (uint32_t)caller &&
            b->excess.shares[i].callee == (uint32_t)callee)
            return b->excess.shares[i].share;
    return 0;
}

static bool near(double got, double want)
{
    if (fabs(got - want) > 0.011)
        printf("# %g, not %g\n", got, want);
    return fabs(got - want) <= 0.011;
}

/* gateway -> first (every second request), second -> table (four times) */
static void declare(struct bench *b)
{
    call_graph_add(&b->graph, GATEWAY, FIRST);
    call_graph_add(&b->graph, GATEWAY, SECOND);
    call_graph_add(&b->graph, SECOND, TABLE);
}

TEST(what_callees_take_longer_adds_up)
{
    struct bench b;

    bench_init(&b);
    declare(&b);
    rises(&b, GATEWAY, FLOW_LATENCY, 0.05);
    rises(&b, SECOND, FLOW_LATENCY, 0.09);
    rises(&b, TABLE, FLOW_LATENCY, 0.03); /* three calls take 0.09 */
    find(&b);
    CHECK(near(own(&b, TABLE, FLOW_LATENCY), 1));
    CHECK(near(own(&b, SECOND, FLOW_LATENCY), 0));
    CHECK(near(own(&b, GATEWAY, FLOW_LATENCY), 0.1)); /* half of 0.09 */
    CHECK(near(share(&b, SECOND, TABLE), 1));
    arena_release(&b.arena);
}

TEST(a_tiny_rise_below_explains_nothing)
{
    struct bench b;

    bench_init(&b);
    declare(&b);
    rises(&b, SECOND, FLOW_LATENCY, 0.9);
    rises(&b, TABLE, FLOW_LATENCY, 0.005);
    find(&b);
    CHECK(own(&b, SECOND, FLOW_LATENCY) > 0.97);
    arena_release(&b.arena);
}

TEST(a_rise_that_may_be_chance_explains_less)
{
    struct bench b;

    bench_init(&b);
    declare(&b);
    rises(&b, GATEWAY, FLOW_LATENCY, 0.05);
    rises(&b, FIRST, FLOW_LATENCY, 0.1);
    b.at[FIRST].of[FLOW_LATENCY].certainty = 0.5;
    find(&b);
    CHECK(near(own(&b, GATEWAY, FLOW_LATENCY), 0.5));
    arena_release(&b.arena);
}

TEST(failures_add_up_likewise)
{
    struct bench b;

    bench_init(&b);
    declare(&b);
    rises(&b, GATEWAY, FLOW_FAILURES, 0.2);
    rises(&b, FIRST, FLOW_FAILURES, 0.4);
    find(&b);
    CHECK(near(own(&b, GATEWAY, FLOW_FAILURES), 0));
    CHECK(near(own(&b, FIRST, FLOW_FAILURES), 1));
    arena_release(&b.arena);
}

TEST(who_is_not_measured_is_passed_through)
{
    struct bench b;

    bench_init(&b);
    declare(&b);
    b.at[SECOND].of[FLOW_LATENCY].known = false;
    rises(&b, GATEWAY, FLOW_LATENCY, 0.06);
    rises(&b, TABLE, FLOW_LATENCY, 0.03);
    find(&b);
    CHECK(near(share(&b, GATEWAY, TABLE), 1));
    arena_release(&b.arena);
}

TEST(circles_of_calls_end)
{
    struct bench b;

    bench_init(&b);
    declare(&b);
    call_graph_add(&b.graph, TABLE, GATEWAY);
    for (int i = 0; i < NODES; i++) {
        b.at[i].of[FLOW_LATENCY].known = i == GATEWAY;
        rises(&b, i, FLOW_LATENCY, 0.1);
    }
    find(&b);
    CHECK(near(own(&b, GATEWAY, FLOW_LATENCY), 1));
    arena_release(&b.arena);
}

/* ---- calls that the graph lacks ---- */

TEST(a_balancer_beside_its_target_speaks_for_it)
{
    struct bench b;

    bench_init(&b);
    declare(&b);
    call_graph_add(&b.graph, GATEWAY, BALANCER);
    rises(&b, GATEWAY, FLOW_LATENCY, 0.1);
    rises(&b, BALANCER, FLOW_LATENCY, 0.2);
    rises(&b, FIRST, FLOW_LATENCY, 0.19);
    find(&b);
    CHECK(own(&b, BALANCER, FLOW_LATENCY) < 0.1);
    CHECK(near(own(&b, FIRST, FLOW_LATENCY), 1)); /* not the reverse */
    CHECK(near(share(&b, BALANCER, FIRST), 0.95));
    arena_release(&b.arena);
}

TEST(a_name_tells_the_proxy_if_numbers_do_not)
{
    struct bench b;

    bench_init(&b);
    declare(&b);
    call_graph_add(&b.graph, GATEWAY, BALANCER);
    b.at[BALANCER].of[FLOW_LATENCY].usual = 0.04; /* less than its target */
    b.at[BALANCER].is_proxy = true;
    rises(&b, BALANCER, FLOW_FAILURES, 0.2);
    rises(&b, FIRST, FLOW_FAILURES, 0.21);
    find(&b);
    CHECK(own(&b, BALANCER, FLOW_FAILURES) < 0.1);
    CHECK(near(own(&b, FIRST, FLOW_FAILURES), 1));
    arena_release(&b.arena);
    CHECK(name_is_of_proxy(SLICE("cards-lb")));
    CHECK(name_is_of_proxy(SLICE("CardsLoadBalancer")));
    CHECK(name_is_of_proxy(SLICE("apiGateway")));
    CHECK(!name_is_of_proxy(SLICE("album")));
}

TEST(a_missing_call_is_found_by_the_same_rise)
{
    struct bench b;

    bench_init(&b);
    call_graph_add(&b.graph, GATEWAY, FIRST); /* second -> table is unknown */
    call_graph_add(&b.graph, GATEWAY, SECOND);
    rises(&b, SECOND, FLOW_LATENCY, 0.08);
    rises(&b, TABLE, FLOW_LATENCY, 0.02);
    b.at[TABLE].requests = 2000; /* four times 0.02 s */
    b.at[SECOND].of[FLOW_LATENCY].usual = 0.05;
    find(&b);
    CHECK(near(own(&b, SECOND, FLOW_LATENCY), 0));
    CHECK(near(own(&b, TABLE, FLOW_LATENCY), 1));
    b.excess.share_count = 0;
    b.at[TABLE].of[FLOW_LATENCY].onset_ns += 20 * NS_PER_MIN; /* another */
    find(&b);
    CHECK(near(own(&b, SECOND, FLOW_LATENCY), 1));
    arena_release(&b.arena);
}

TEST(without_a_graph_no_calls_are_guessed)
{
    struct bench b;

    bench_init(&b);
    for (int i = 0; i < NODES; i++)
        rises(&b, i, FLOW_LATENCY, 0.1);
    find(&b);
    CHECK_EQ(b.excess.share_count, 0);
    arena_release(&b.arena);
}

/* Who waits at most a second for an answer is not slower by five. */
TEST(a_balancer_is_known_by_its_usual_numbers)
{
    struct bench b;

    bench_init(&b);
    declare(&b);
    call_graph_add(&b.graph, GATEWAY, BALANCER);
    b.at[BALANCER].is_proxy = true;
    rises(&b, BALANCER, FLOW_LATENCY, 0.9);
    rises(&b, BALANCER, FLOW_FAILURES, 0.4);
    rises(&b, FIRST, FLOW_LATENCY, 5);
    find(&b);
    CHECK(near(own(&b, BALANCER, FLOW_LATENCY), 0));
    CHECK(near(share(&b, BALANCER, FIRST), 1));
    b.excess.share_count = 0;
    b.at[FIRST].requests = 900; /* others than those of the balancer */
    find(&b);
    CHECK(near(own(&b, BALANCER, FLOW_LATENCY), 1));
    arena_release(&b.arena);
}

TEST(the_callee_is_known_of_which_most_calls_fail)
{
    struct bench b;

    bench_init(&b);
    declare(&b);
    rises(&b, GATEWAY, FLOW_LATENCY, 0.2);
    rises(&b, FIRST, FLOW_FAILURES, 0.3);
    rises(&b, SECOND, FLOW_FAILURES, 0.2);
    find(&b);
    CHECK_EQ(b.excess.failing_callee[GATEWAY], FIRST);
    CHECK_EQ(b.excess.failing_callee[SECOND], NO_INDEX); /* it is not slow */
    arena_release(&b.arena);
}

/* ---- the mean of a latency ---- */

static struct flow *part(struct latency_parts *parts, const char *name,
                         double usual, double rise)
{
    struct flow *flow = latency_part(parts, slice_of(name));

    *flow = (struct flow){
        .known = true, .usual = usual, .rise = rise, .certainty = 1};
    return flow;
}

TEST(a_mean_is_made_of_quantiles)
{
    struct latency_parts parts = {0};

    CHECK(!latency_mean(&parts).known);
    (void)part(&parts, "latency_maximum", 9, 9);
    CHECK(near(latency_mean(&parts).rise, 9));
    (void)part(&parts, "latency_p90", 2, 3);
    CHECK(near(latency_mean(&parts).rise, 3));
    (void)part(&parts, "Latency_P50", 1, 0);
    CHECK(near(latency_mean(&parts).usual, 0.7 * 1 + 0.3 * 2));
    CHECK(near(latency_mean(&parts).rise, 0.3 * 3));
    (void)part(&parts, "latency.99", 3, 4);
    CHECK(near(latency_mean(&parts).rise, 0.245 * 3 + 0.055 * 4));
    (void)part(&parts, "latency", 1.2, 0.5);
    CHECK(near(latency_mean(&parts).rise, 0.5));
    (void)part(&parts, "Latency.Average", 1.2, 0.6);
    CHECK(near(latency_mean(&parts).rise, 0.6));
}

/* ---- from outside ---- */

struct seen { /* usually and in the fault */
    double latency[2], failed[2], requests[2];
};

static const struct metric latency = {
    .name = {"latency.average", 15}, .unit = {"s", 1}, .type = METRIC_GAUGE};
static const struct metric failed = {.name = {"faults", 6},
                                     .type = METRIC_GAUGE};
static const struct metric requests = {.name = {"requests", 8},
                                       .type = METRIC_GAUGE};

static void add(struct world *w, const struct metric *metric, int component,
                uint64_t s, double value)
{
    w->bed.store->points[w->bed.store->point_count++] =
        (struct point){.metric = metric,
                       .time_ns = s * NS_PER_S,
                       .d = value,
                       .resource_id = w->resources[component]};
}

/* A point a minute; values differ by some percent. */
static char answer[256 << 10];

static const char *first_with(const char *const names[COMPONENTS],
                              const struct seen seen[COMPONENTS],
                              const char *catalog)
{
    static char first[128];
    struct world *w = world_new(names);
    struct slice detail;

    for (uint64_t s = w->start_s - 6600; s <= w->start_s + 900; s += 60)
        for (int c = 0; c < COMPONENTS; c++) {
            bool ill = s > w->start_s + 600;
            uint64_t n = s / 60;
            double wave =
                0.95 + 0.001 * (double)((n * 7919 + (uint64_t)c) % 101);

            add(w, &latency, c, s, wave * seen[c].latency[ill]);
            add(w, &requests, c, s, wave * seen[c].requests[ill]);
            add(w, &failed, c, s, seen[c].failed[ill] + (double)(n % 3));
        }
    CHECK_EQ(
        catalog_put(w->bed.catalog, slice_of(catalog), &w->bed.arena, &detail),
        OK);
    snprintf(first, sizeof(first), "%s", first_of(w));
    snprintf(answer, sizeof(answer), "%s", w->bed.text);
    world_free(w);
    return first;
}

#define NODE(name, calls)                                           \
    "{\"namespace\":\"acme\",\"project\":\"shop\",\"name\":\"" name \
    "\",\"dependencies\":[" calls "]}"
#define CALL(name) "{\"component\":\"" name "\"}"

/* The balancer has the larger numbers; its target is to blame. */
TEST(a_balancer_that_is_a_leaf_is_not_named)
{
    static const char *const names[] = {"entry", "pay-lb", "pay", "cards"};
    static const char catalog[] = "{\"components\":[" NODE(
        "entry", CALL("pay-lb") "," CALL("pay") "," CALL("cards")) "]}";
    static const struct seen seen[] = {
        {{.05, .05}, {0, 1900}, {9000, 9000}},
        {{.031, .031}, {0, 2000}, {5000, 5000}},
        {{.03, .03}, {0, 1950}, {5000, 5000}},
        {{.02, .02}, {0, 0}, {2000, 2000}},
    };

    CHECK_TEXT(slice_of(first_with(names, seen, catalog)), "pay");
}

/* Twice the requests everywhere are load; six times as many at one, which its
 * caller did not send, are not. */
TEST(requests_that_no_caller_sent_excuse_nothing)
{
    static const char *const names[] = {"entry", "pay", "cards", "mail"};
    static const char catalog[] = "{\"components\":[" NODE(
        "entry", CALL("pay") "," CALL("mail")) "," NODE("pay",
                                                        CALL("cards")) "]}";
    static const struct seen seen[] = {
        {{.08, .23}, {0, 300}, {5000, 5000}},
        {{.05, .2}, {0, 320}, {5000, 5000}},
        {{.02, .1}, {0, 1500}, {5000, 30000}},
        {{.02, .02}, {0, 0}, {5000, 5000}},
    };
    static const struct seen load[] = {
        {{.08, .1}, {0, 0}, {5000, 15000}},
        {{.05, .07}, {0, 0}, {5000, 15000}},
        {{.02, .03}, {0, 0}, {5000, 15000}},
        {{.02, .03}, {0, 0}, {5000, 15000}},
    };

    CHECK_TEXT(slice_of(first_with(names, seen, catalog)), "cards");
    CHECK(strstr(answer,
                 "gets about 6 times as many requests as before, and its "
                 "callers do not send more (requests)"));
    CHECK_TEXT(slice_of(first_with(names, load, catalog)), "");
}

/* Calls that fail at once and are made again take the caller's time. */
TEST(who_calls_a_failing_one_again_is_not_named)
{
    static const char *const names[] = {"entry", "pay", "cards-table", "mail"};
    static const char catalog[] = "{\"components\":[" NODE(
        "entry",
        CALL("pay") "," CALL("mail")) "," NODE("pay", CALL("cards-table")) "]}";
    static const struct seen seen[] = {
        {{.05, .45}, {0, 30}, {5000, 5000}},
        {{.03, .43}, {0, 30}, {5000, 5000}},
        {{.004, .004}, {0, 3000}, {5000, 8000}},
        {{.02, .02}, {0, 0}, {5000, 5000}},
    };

    CHECK_TEXT(slice_of(first_with(names, seen, catalog)), "cards-table");
}

/* More requests of all excuse time as far as they slow the others. */
TEST(load_excuses_what_it_does_to_others)
{
    static const char *const names[] = {"entry", "pay", "cards", "mail"};
    static const char catalog[] = "{\"components\":[" NODE(
        "entry", CALL("pay") "," CALL("mail")) "," NODE("pay",
                                                        CALL("cards")) "]}";
    static const struct seen seen[] = {
        {{.2, .2}, {0, 0}, {5000, 9000}},
        {{.05, .05}, {0, 0}, {5000, 9000}},
        {{.02, .02}, {0, 0}, {5000, 9000}},
        {{.1, .18}, {0, 0}, {2000, 3600}},
    };

    CHECK_TEXT(slice_of(first_with(names, seen, catalog)), "mail");
}
