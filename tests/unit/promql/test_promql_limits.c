/*
 * The evaluator at its limits: memory that ends anywhere, a source that fails,
 * too many steps, too much work; and how much memory it takes.
 */
#include "promql_kit.h"
#include "test.h"

static struct kit kit;

static const char *const queries[] = {
    "sum by (a) (rate(c_total[3m]))",
    "avg(g) / on () group_right () g",
    "c_total * on (a) group_left (team) info",
    "topk(2, g) or -c_total",
    "quantile by (a) (0.5, g)",
    "count_values(\"v\", g)",
    "max_over_time(rate(c_total[2m])[10m:1m])",
    "g and on (a) c_total unless on (b) info",
    "{__name__=~\"g|c_total\"} > 5",
    "abs({a=\"1\", b!=\"1\", __name__!~\"h|info\"} offset 2m)",
    "sum(rate(h[5m])) + avg(h) * 2",
    "absent_over_time(nothing{a=\"1\"}[5m])",
    "stddev(g) + stdvar(g) + count(g) + group(g)",
    "quantile_over_time(0.9, g[5m])",
    "-g",
    "g[5m]",
    "g[5m:30s]",
};
enum { QUERIES = sizeof(queries) / sizeof(queries[0]) };

static void load(void)
{
    kit_clear(&kit);
    kit_load(&kit, "g{a=\"1\", b=\"1\"} 1+1x30", 60000);
    kit_load(&kit, "g{a=\"1\", b=\"2\"} 1 stale 4 5 6x20", 60000);
    kit_load(&kit, "g{a=\"2\", b=\"3\"} 9-1x30", 60000);
    kit_load(&kit, "c_total{a=\"1\", b=\"1\"} 0+10x10 0+5x20", 60000);
    kit_load(&kit, "c_total{a=\"2\", b=\"1\"} 5+10x30", 60000);
    kit_load(&kit, "info{a=\"1\", team=\"x\"} 1x30", 60000);
    kit_load(&kit, "info{a=\"2\", team=\"y\"} 1x30", 60000);
    kit_load(&kit,
             "h{a=\"1\"} {{schema:0 count:3 sum:4 buckets:[1 2]}} "
             "{{schema:0 count:6 sum:8 buckets:[2 4]}}",
             60000);
}

static struct promql_time time_of(uint32_t query, bool range)
{
    struct promql_time time = {.start_ms = 120000, .end_ms = 120000};

    if (range && strchr(queries[query], '[') != queries[query] + 1) {
        time.end_ms = 1200000;
        time.step_ms = 60000;
    }
    return time;
}

/* Evaluates in an arena of this size. */
static enum status run(uint32_t query, bool range, size_t cap, size_t *used,
                       uint32_t *count)
{
    struct promql_time time = time_of(query, range);
    struct promql_result result = {0};
    struct promql_error error = {{0}, false};
    struct arena arena;
    enum status s;

    arena_init(&arena, NULL, cap);
    s = kit_query(&kit, slice_of(queries[query]), &time, &arena, &result,
                  &error);
    if (s != OK && s != ERR_TOO_BIG)
        fprintf(stderr, "# %s: %s\n", queries[query], error.text);
    *used = arena_size(&arena);
    *count = result.count;
    arena_release(&arena);
    return s;
}

TEST(memory_that_ends_anywhere_ends_the_query)
{
    load();
    for (uint32_t i = 0; i < 2 * QUERIES; i++) {
        size_t all, used;
        uint32_t count, again;
        unsigned failures = 0;

        CHECK_EQ(run(i / 2, i % 2, SIZE_MAX, &all, &count), OK);
        CHECK(count > 0);
        for (size_t cap = 0; cap < all; cap += all / 40 + 1)
            failures += run(i / 2, i % 2, cap, &used, &again) == ERR_TOO_BIG;
        CHECK(failures > 0);
    }
}

/* ---- a source that fails ---- */

struct broken {
    uint32_t series_before;
    bool visited_after_failure;
};

static enum status broken_select(void *arg, const struct promql_select *select,
                                 promql_visit *visit, void *visit_arg)
{
    struct broken *broken = arg;

    (void)select;
    for (uint32_t i = 0; i < broken->series_before; i++) {
        enum status s = visit(visit_arg, &kit.series[i]);

        if (s != OK)
            return s;
    }
    return ERR_IO;
}

TEST(the_error_of_a_source_is_that_of_the_query)
{
    load();
    for (uint32_t i = 0; i < QUERIES; i++) {
        struct broken broken = {.series_before = i % 4};
        struct promql_source source = {.select = broken_select, .arg = &broken};
        struct promql_time time = time_of(i, true);
        struct promql_result result;
        struct promql_error error = {{0}, false};
        const struct promql_query *query;
        struct arena arena;

        arena_init(&arena, NULL, SIZE_MAX);
        CHECK_EQ(promql_parse(&arena, slice_of(queries[i]), &query, &error),
                 OK);
        CHECK_EQ(
            promql_evaluate(query, &time, &source, &arena, &result, &error),
            ERR_IO);
        arena_release(&arena);
    }
}

/* ---- a source that is asked whether to go on ---- */

struct patience {
    struct promql_source of;
    unsigned asked, most;
};

static enum status impatient_select(void *arg,
                                    const struct promql_select *select,
                                    promql_visit *visit, void *visit_arg)
{
    struct patience *patience = arg;

    return patience->of.select(patience->of.arg, select, visit, visit_arg);
}

static enum status impatient_check(void *arg)
{
    struct patience *patience = arg;

    return ++patience->asked > patience->most ? ERR_DEADLINE : OK;
}

/* None of them is long for its source: it is the evaluator that works. */
TEST(long_work_ends_at_the_deadline)
{
    static const char *const texts[] = {
        "quantile_over_time(0.5, sum(g)[60m:10ms])",
        "mad_over_time(vector(1)[60m:10ms])",
        "max_over_time(sum_over_time(vector(time())[1m:10ms])[30m:100ms])",
        "rate(sum(c_total)[60m:5ms])",
        "g * on (a) group_left sum by (a) (g) > 0 or -g",
        "vector(1) + vector(2) * (scalar(g) ^ time()) - abs(vector(3))",
        "label_replace(label_join(g, \"x\", \"\", \"a\"), \"y\", \"$1\", "
        "\"x\", "
        "\"(.*)\")",
        "topk(1, sort(g)) + on () group_left () count(count_values(\"v\", g))",
    };

    load();
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct patience patience = {.of = kit_source(&kit), .most = 1};
        struct promql_source source = {impatient_select, impatient_check,
                                       &patience};
        struct promql_time time = {
            .start_ms = 60000, .end_ms = 1260000, .step_ms = 20};
        struct promql_result result;
        struct promql_error error;
        const struct promql_query *query;
        struct arena arena;

        arena_init(&arena, NULL, SIZE_MAX);
        CHECK_EQ(promql_parse(&arena, slice_of(texts[i]), &query, &error), OK);
        if (!CHECK_EQ(
                promql_evaluate(query, &time, &source, &arena, &result, &error),
                ERR_DEADLINE))
            printf("# %s\n", texts[i]);
        CHECK_EQ(patience.asked, patience.most + 1);
        arena_release(&arena);
    }
}

/* ---- bounds ---- */

static enum status ask(const char *text, struct promql_time time,
                       struct promql_error *error)
{
    struct promql_result result;
    struct arena arena;
    enum status s;

    arena_init(&arena, NULL, SIZE_MAX);
    s = kit_query(&kit, slice_of(text), &time, &arena, &result, error);
    arena_release(&arena);
    return s;
}

TEST(times_and_steps_are_bounded)
{
    struct promql_error error;

    load();
    CHECK_EQ(ask("g", (struct promql_time){.start_ms = 5, .end_ms = 4}, &error),
             ERR_INVALID);
    CHECK_EQ(ask("g",
                 (struct promql_time){.end_ms = INT64_C(1) << 40, .step_ms = 1},
                 &error),
             ERR_INVALID);
    CHECK_EQ(ask("g",
                 (struct promql_time){
                     .start_ms = INT64_MIN, .end_ms = INT64_MAX, .step_ms = 1},
                 &error),
             ERR_INVALID);
    CHECK(error.execution);
}

TEST(work_is_bounded)
{
    struct promql_error error;

    load();
    CHECK_EQ(ask("max_over_time(sum(g)[60m:5ms])",
                 (struct promql_time){
                     .end_ms = 1800000, .step_ms = 100, .lookback_ms = 0},
                 &error),
             ERR_INVALID);
    CHECK(strstr(error.text, "too many samples") != NULL);
}

/* ---- memory ---- */

static struct promql_result steps;
static struct arena memory; /* of them, and of what was needed on the way */

/* At 1000 steps of a second. */
static void ask_steps(const char *query)
{
    struct promql_time time = {.end_ms = 999000, .step_ms = 1000};
    struct promql_error error;

    arena_init(&memory, NULL, SIZE_MAX);
    CHECK_EQ(kit_query(&kit, slice_of(query), &time, &memory, &steps, &error),
             OK);
}

static void forget(void)
{
    arena_release(&memory);
    kit_clear(&kit);
}

TEST(a_sum_keeps_no_series)
{
    char line[64];

    kit_clear(&kit);
    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof(line), "c_total{a=\"%d\", b=\"%d\"} 0+7x100",
                 i % 5, i);
        kit_load(&kit, line, 10000);
    }
    ask_steps("sum by (a) (rate(c_total[1m]))");
    CHECK_EQ(steps.count, 5);
    /* 1000 steps of 8 bytes: five sums, and what one series needs. */
    CHECK(arena_size(&memory) < 200 * 1000);
    forget();
}

TEST(topk_keeps_few_series)
{
    char line[64];

    kit_clear(&kit);
    for (int i = 0; i < 2000; i++) { /* each value once, in no order */
        snprintf(line, sizeof(line), "g{a=\"%d\", b=\"%d\"} %dx100", i % 2, i,
                 i * 7 % 2000);
        kit_load(&kit, line, 10000);
    }
    ask_steps("topk by (a) (3, g) - 0");
    CHECK_EQ(steps.count, 6);
    for (uint32_t i = 0; i < steps.count; i++)
        for (uint32_t step = 0; step < 1000; step++)
            CHECK(steps.series[i].values[step] >= 1994);
    /* 1000 steps of 8 bytes: of 2000 series a few hundred at a time. */
    CHECK(arena_size(&memory) < 5000 * 1000);
    forget();
}
