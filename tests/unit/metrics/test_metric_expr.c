/* Expressions: selected, grouped, on a grid, of points of every kind. */
#include "metric_expr.h"

#include <math.h>
#include <stdio.h>

#include "clock.h"
#include "derived.h"
#include "test.h"

#define T0  (UINT64_C(1700000100) * NS_PER_S) /* a multiple of 300 s */
#define MIN NS_PER_MIN

enum { MAX_POINTS = 64 };

static struct arena arena;
static struct grid grid;
static struct point points[MAX_POINTS];
static struct metric metrics[MAX_POINTS];
static struct histogram hists[MAX_POINTS];
static struct attr attrs[MAX_POINTS][2];
static uint32_t point_count;
static struct series_query asked;
static uint32_t left_out; /* points of series that are not wanted */

static void begin(uint32_t cells)
{
    arena_init(&arena, NULL, SIZE_MAX);
    grid = grid_make(T0, T0 + cells * MIN, MIN, T0 + NS_PER_DAY);
    point_count = left_out = 0;
}

static struct point *put(const char *name, uint8_t type, uint8_t temporality,
                         uint32_t minute, double value)
{
    uint32_t i = point_count++;

    metrics[i] = (struct metric){.name = slice_of(name),
                                 .type = type,
                                 .temporality = temporality,
                                 .monotonic = true};
    points[i] = (struct point){.metric = &metrics[i],
                               .start_ns = T0 + (minute - 1) * MIN,
                               .time_ns = T0 + minute * MIN,
                               .d = value};
    return &points[i];
}

static void label(struct point *point, const char *key, const char *value)
{
    struct attr *at = attrs[point - points];

    at[point->attrs.count++] = (struct attr){.key = key,
                                             .key_len = (uint16_t)strlen(key),
                                             .str = value,
                                             .len = (uint32_t)strlen(value),
                                             .type = VALUE_STRING};
    point->attrs.at = at;
}

static enum status read_points(void *arg, const struct series_query *query,
                               point_visit *visit, void *visit_arg)
{
    (void)arg;
    asked = *query;
    for (uint32_t i = 0; i < point_count; i++)
        for (uint32_t k = 0; k < query->name_count; k++)
            if (!slice_equal(query->names[k], metrics[i].name)) {
                continue;
            } else if (query->wants_series &&
                       !query->wants_series(visit_arg, &points[i])) {
                left_out++;
            } else {
                query->series(visit_arg);
                visit(visit_arg, &points[i]);
            }
    return OK;
}

static void fill(struct metric_table *table)
{
    const struct metric_source source = {.read = read_points, .arena = &arena};

    CHECK_EQ(metric_read(&table, 1, &source), OK);
}

static bool is(double value, double want)
{
    bool good = fabs(value - want) < 1e-9;

    if (!good)
        printf("# %g, not %g\n", value, want);
    return good;
}

static const struct metric_group *group_of(const struct metric_table *table,
                                           const char *text)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (slice_equal(metric_label(table->groups[i], 0), slice_of(text)))
            return table->groups[i];
    return NULL;
}

static const char *const by_route[] = {"route", NULL};

/* Requests less what was retracted of them, a minute each. */
TEST(derived_series_are_grouped_and_retracted)
{
    const struct slice names[] = {SLICE(DERIVED_ERRORS),
                                  SLICE(DERIVED_RETRACTED_ERRORS)};
    const struct metric_expr errors = {
        EXPR_INCREASE, .select = {.names = names, .name_count = 2}};
    const struct metric_expr rate = {EXPR_PER_SECOND, .args = {&errors}};
    struct metric_table table;

    begin(3);
    for (uint32_t m = 1; m <= 2; m++) {
        label(put(DERIVED_ERRORS, METRIC_SUM, DELTA, m, 6 * m), "route", "a");
        label(put(DERIVED_ERRORS, METRIC_SUM, DELTA, m, 60), "route", "b");
    }
    label(put(DERIVED_RETRACTED_ERRORS, METRIC_SUM, DELTA, 2, 30), "route",
          "b");
    metric_table_init(&table, &arena, &grid, by_route);
    CHECK(metric_table_add(&table, &rate));
    fill(&table);
    CHECK_EQ(table.count, 2);
    CHECK(is(metric_value(&table, group_of(&table, "a"), &errors, 1), 12));
    CHECK(is(metric_value(&table, group_of(&table, "b"), &rate, 0), 1));
    CHECK(is(metric_value(&table, group_of(&table, "b"), &rate, 1), 0.5));
    CHECK(isnan(metric_value(&table, group_of(&table, "b"), &rate, 2)));
    CHECK_EQ(asked.start_ns, T0);
    CHECK_EQ(asked.end_ns, T0 + 4 * MIN);
    CHECK(asked.counts_only);
    arena_release(&arena);
}

/* Series without the attribute that all leaves select are not decoded. */
TEST(derived_series_are_selected_by_label)
{
    const struct slice name = SLICE(DERIVED_ERRORS);
    struct metric_expr errors[3],
        sum = {EXPR_ADD, .args = {&errors[0], &errors[1]}};
    struct metric_table table;

    begin(2);
    for (uint32_t i = 0; i < 3; i++) {
        static const char *const routes[] = {"a", "b", "c"};

        errors[i] = (struct metric_expr){
            EXPR_INCREASE, .select = {.names = &name, .name_count = 1}};
        errors[i].select.label = SLICE("route");
        errors[i].select.value = slice_of(routes[i]);
        label(put(DERIVED_ERRORS, METRIC_SUM, DELTA, 1, 1 + i), "route",
              routes[i]);
    }
    put(DERIVED_ERRORS, METRIC_SUM, DELTA, 1, 100);
    metric_table_init(&table, &arena, &grid, NULL);
    CHECK(metric_table_add(&table, &sum));
    fill(&table);
    CHECK(is(metric_value(&table, metric_total(&table), &sum, 0), 3));
    CHECK_EQ(left_out, 2);
    errors[2].select.label = (struct slice){NULL, 0};
    metric_table_init(&table, &arena, &grid, NULL);
    CHECK(metric_table_add(&table, &errors[0]));
    CHECK(metric_table_add(&table, &errors[2]));
    left_out = 0;
    fill(&table);
    CHECK(is(metric_value(&table, metric_total(&table), &errors[0], 0), 1));
    CHECK(is(metric_value(&table, metric_total(&table), &errors[2], 0), 106));
    CHECK_EQ(left_out, 0);
    arena_release(&arena);
}

/* Counters, deltas and gauges of one name are summed by label. */
TEST(series_of_any_temporality_are_grouped)
{
    const struct slice names[] = {SLICE("jobs")};
    const struct metric_expr jobs = {
        EXPR_INCREASE, .select = {.names = names, .name_count = 1}};
    struct metric_table table;

    begin(4);
    for (uint32_t m = 0; m <= 4; m++) {
        struct point *p = put("jobs", METRIC_SUM, CUMULATIVE, m, 10 * m);

        p->start_ns = T0 - MIN;
        label(p, "route", "a");
        if (m > 0)
            label(put("jobs", METRIC_SUM, DELTA, m, 3), "route",
                  m % 2 ? "a" : "b");
    }
    metric_table_init(&table, &arena, &grid, by_route);
    CHECK(metric_table_add(&table, &jobs));
    fill(&table);
    CHECK_EQ(table.count, 2);
    CHECK(is(metric_value(&table, group_of(&table, "a"), &jobs, 0), 13));
    CHECK(is(metric_value(&table, group_of(&table, "a"), &jobs, 1), 10));
    CHECK(is(metric_value(&table, group_of(&table, "b"), &jobs, 1), 3));
    CHECK(isnan(metric_value(&table, group_of(&table, "b"), &jobs, 0)));
    arena_release(&arena);
}

/* A name that stands for two meanings is read for each; of two sources that
 * say the same about a pod one counts. */
TEST(meanings_of_one_name_are_distinguished)
{
    const struct metric_expr in = {EXPR_AVERAGE,
                                   .select = {.first = METRIC_NETWORK_RECEIVE,
                                              .last = METRIC_NETWORK_RECEIVE}};
    const struct metric_expr out = {
        EXPR_AVERAGE, .select = {.first = METRIC_NETWORK_TRANSMIT,
                                 .last = METRIC_NETWORK_TRANSMIT}};
    struct metric_table table;

    begin(2);
    for (uint32_t m = 0; m <= 2; m++) {
        label(put("k8s.pod.network.io", METRIC_SUM, CUMULATIVE, m, 60 * m),
              "direction", "receive");
        label(put("k8s.pod.network.io", METRIC_SUM, CUMULATIVE, m, 600 * m),
              "direction", "transmit");
        put("container_network_transmit_bytes_total", METRIC_SUM, CUMULATIVE, m,
            660 * m);
    }
    for (uint32_t i = 0; i < point_count; i++)
        points[i].start_ns = T0 - MIN;
    metric_table_init(&table, &arena, &grid, NULL);
    CHECK(metric_table_add(&table, &in) && metric_table_add(&table, &out));
    fill(&table);
    CHECK(is(metric_value(&table, metric_total(&table), &in, 1), 1));
    CHECK(is(metric_value(&table, metric_total(&table), &out, 1), 10));
    arena_release(&arena);
}

static const uint64_t four[] = {4};

static void put_latency(const char *route, uint32_t minute, int32_t bucket)
{
    struct point *p =
        put(DERIVED_DURATION, METRIC_EXP_HISTOGRAM, DELTA, minute, 0);
    struct histogram *h = &hists[p - points];

    *h = (struct histogram){.count = 4, .positive = {four, 1, bucket}};
    p->histogram = h;
    label(p, "route", route);
}

static uint64_t same_key(void *arg, const struct metric_group *group)
{
    (void)group;
    return *(const uint64_t *)arg;
}

/* Buckets of scale 0 are powers of two. */
TEST(histograms_merge_and_have_quantiles)
{
    const struct slice names[] = {SLICE(DERIVED_DURATION)};
    const struct metric_expr latency = {
        EXPR_HISTOGRAM, .select = {.names = names, .name_count = 1}};
    const struct metric_expr p50 = {EXPR_QUANTILE, .number = 0.5,
                                    .args = {&latency}};
    const struct metric_expr mean = {EXPR_MEAN, .args = {&latency}};
    const uint64_t key = METRIC_TOTAL_KEY;
    struct metric_table table, total;
    struct metric_group **sorted;

    begin(1);
    put_latency("a", 1, 0);
    put_latency("b", 1, 3);
    put_latency("b", 1, 3);
    metric_table_init(&table, &arena, &grid, by_route);
    metric_table_init(&total, &arena, &grid, NULL);
    CHECK(metric_table_add(&table, &p50) && metric_table_add(&total, &p50));
    CHECK_EQ(table.leaf_count, 1);
    fill(&table);
    CHECK(!asked.counts_only);
    sorted = metric_sorted(&table, &latency);
    CHECK_TEXT(metric_label(sorted[0], 0), "b");
    CHECK(is(metric_first(&table, sorted[0], &latency), 8));
    CHECK(is(metric_first(&table, NULL, &latency), 0));
    CHECK(metric_value(&table, sorted[1], &p50, 0) > 1 &&
          metric_value(&table, sorted[1], &p50, 0) < 2);
    CHECK(isnan(metric_value(&table, sorted[1], &mean, 0))); /* no sums */
    CHECK(metric_regroup(&total, &table, same_key, (void *)(uintptr_t)&key));
    CHECK(is(metric_first(&total, metric_total(&total), &latency), 12));
    CHECK(metric_value(&total, metric_total(&total), &p50, 0) > 8);
    sorted[0]->next = sorted[1];
    CHECK_TEXT(metric_top_label(&table, sorted[0], 0, &latency), "b");
    arena_release(&arena);
}

TEST(unknown_values)
{
    const struct slice names[2][1] = {{SLICE(DERIVED_ERRORS)},
                                      {SLICE(DERIVED_CLIENT_ERRORS)}};
    const struct metric_expr a = {
        EXPR_INCREASE, .select = {.names = names[0], .name_count = 1}};
    const struct metric_expr b = {
        EXPR_INCREASE, .select = {.names = names[1], .name_count = 1}};
    const struct metric_expr add = {EXPR_ADD, .args = {&a, &b}};
    const struct metric_expr less = {EXPR_SUBTRACT, .args = {&a, &b}};
    const struct metric_expr share = {EXPR_DIVIDE, .args = {&a, &b}};
    const struct metric_expr zero = {EXPR_OR_ZERO, .args = {&a, &b}};
    const struct metric_group *all;
    struct metric_table table;

    begin(3);
    put(DERIVED_ERRORS, METRIC_SUM, DELTA, 1, 5);
    put(DERIVED_CLIENT_ERRORS, METRIC_SUM, DELTA, 1, 8);
    put(DERIVED_CLIENT_ERRORS, METRIC_SUM, DELTA, 2, 2);
    metric_table_init(&table, &arena, &grid, NULL);
    CHECK(metric_table_add(&table, &add));
    fill(&table);
    all = metric_total(&table);
    CHECK(is(metric_value(&table, all, &add, 0), 13));
    CHECK(is(metric_value(&table, all, &add, 1), 2));
    CHECK(isnan(metric_value(&table, all, &add, 2)));
    CHECK(is(metric_value(&table, all, &less, 0), 0));
    CHECK(isnan(metric_value(&table, all, &less, 1)));
    CHECK(is(metric_value(&table, all, &share, 0), 0.625));
    CHECK(isnan(metric_value(&table, all, &share, 1)));
    CHECK(is(metric_value(&table, all, &zero, 0), 5));
    CHECK(is(metric_value(&table, all, &zero, 1), 0));
    CHECK(isnan(metric_value(&table, all, &zero, 2)));
    arena_release(&arena);
}

/* Memory that ends anywhere is an error, never a wrong answer. */
TEST(memory_that_ends)
{
    const struct slice names[] = {SLICE(DERIVED_DURATION)};
    const struct metric_expr latency = {
        EXPR_HISTOGRAM, .select = {.names = names, .name_count = 1}};
    const struct metric_source source = {.read = read_points, .arena = &arena};
    struct metric_table table, *tables[] = {&table};
    size_t cap = 0;
    enum status s;

    do {
        begin(1);
        put_latency("a", 1, 0);
        put_latency("b", 1, 3);
        arena.cap = cap;
        metric_table_init(&table, &arena, &grid, by_route);
        CHECK(metric_table_add(&table, &latency));
        s = metric_read(tables, 1, &source);
        CHECK(s == ERR_TOO_BIG || table.count == 2);
        arena_release(&arena);
        cap += 4096;
    } while (s != OK && cap < 1 << 24);
    CHECK_EQ(s, OK);
}

/* ---- groups that are summed in those of another table ---- */

struct sums_of {
    struct metric_table table, sums;
    uint32_t asked;
};

/* a and b together; c is left out. */
static struct metric_group *target_of(void *arg,
                                      const struct metric_group *group)
{
    struct sums_of *of = arg;

    of->asked++;
    return slice_equal(metric_label(group, 0), SLICE("c"))
               ? NULL
               : metric_group_at(&of->sums, 7);
}

static void init_sums(struct sums_of *of, const struct metric_expr *expr)
{
    *of = (struct sums_of){.asked = 0};
    metric_table_init(&of->table, &arena, &grid, by_route);
    metric_table_init(&of->sums, &arena, &grid, NULL);
    CHECK(metric_table_add(&of->table, expr));
    CHECK(metric_table_add(&of->sums, expr));
    of->table.sums = &of->sums;
    of->table.target = target_of;
    of->table.target_arg = of;
}

/* The same as grouping again, with cells of what is shown only. */
TEST(points_are_summed_in_the_groups_of_another_table)
{
    const struct slice names[] = {SLICE(DERIVED_DURATION)};
    const struct metric_expr latency = {
        EXPR_HISTOGRAM, .select = {.names = names, .name_count = 1}};
    const struct metric_expr p90 = {EXPR_QUANTILE, .number = .9,
                                    .args = {&latency}};
    struct sums_of of;
    struct metric_table plain, regrouped;
    struct metric_group *all;

    begin(3);
    for (uint32_t m = 1; m <= 2; m++) {
        put_latency("a", m, (int32_t)m);
        put_latency("b", m, 3);
    }
    init_sums(&of, &p90);
    fill(&of.table);
    metric_table_init(&plain, &arena, &grid, by_route);
    metric_table_init(&regrouped, &arena, &grid, NULL);
    CHECK(metric_table_add(&plain, &p90));
    CHECK(metric_table_add(&regrouped, &p90));
    fill(&plain);
    CHECK(metric_regroup(&regrouped, &plain, NULL, NULL));
    all = metric_total(&regrouped);
    CHECK_EQ(of.asked, 2); /* once for each group, not for each point */
    CHECK_EQ(of.sums.count, 1);
    CHECK(!of.table.groups[0]->cells);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(is(metric_value(&of.sums, of.sums.groups[0], &latency, i),
                 metric_value(&regrouped, all, &latency, i)));
        CHECK(is(metric_value(&of.sums, of.sums.groups[0], &p90, i),
                 metric_value(&regrouped, all, &p90, i)));
    }
    CHECK(!asked.counts_only);
    arena_release(&arena);
}

/* Derived ones and those that were sent. */
TEST(groups_without_a_target_are_left_out)
{
    const struct slice names[] = {SLICE("jobs"), SLICE(DERIVED_ERRORS)};
    const struct metric_expr jobs = {
        EXPR_INCREASE, .select = {.names = names, .name_count = 2}};
    struct sums_of of;

    begin(2);
    for (uint32_t m = 1; m <= 2; m++) {
        label(put("jobs", METRIC_SUM, DELTA, m, 5), "route", "a");
        label(put("jobs", METRIC_SUM, DELTA, m, 50), "route", "c");
        label(put(DERIVED_ERRORS, METRIC_SUM, DELTA, m, 3), "route", "b");
        label(put(DERIVED_ERRORS, METRIC_SUM, DELTA, m, 30), "route", "c");
    }
    init_sums(&of, &jobs);
    fill(&of.table);
    CHECK_EQ(of.sums.count, 1);
    CHECK(is(metric_value(&of.sums, of.sums.groups[0], &jobs, 1), 8));
    CHECK(!asked.counts_only); /* of what was sent the store knows no rule */
    arena_release(&arena);
}

/* Rates of derived series need no buckets, which are most of the bytes. */
TEST(rates_of_derived_series_ask_for_counts_only)
{
    const struct slice names[] = {SLICE(DERIVED_DURATION)};
    const struct metric_expr requests = {
        EXPR_INCREASE, .select = {.names = names, .name_count = 1}};
    const struct metric_expr latency = {
        EXPR_HISTOGRAM, .select = {.names = names, .name_count = 1}};
    struct metric_table table;

    begin(1);
    put_latency("a", 1, 0);
    metric_table_init(&table, &arena, &grid, NULL);
    CHECK(metric_table_add(&table, &requests));
    fill(&table);
    CHECK(asked.counts_only);
    CHECK(metric_value(&table, metric_total(&table), &requests, 0) > 0);
    metric_table_init(&table, &arena, &grid, NULL);
    CHECK(metric_table_add(&table, &requests));
    CHECK(metric_table_add(&table, &latency));
    fill(&table);
    CHECK(!asked.counts_only);
    arena_release(&arena);
}

/* Also where only the arena of the table is full, not that of reading. */
TEST(a_full_table_is_an_error)
{
    const struct slice names[] = {SLICE(DERIVED_DURATION)};
    const struct metric_expr latency = {
        EXPR_HISTOGRAM, .select = {.names = names, .name_count = 1}};
    const struct metric_source source = {.read = read_points, .arena = &arena};
    struct arena full;
    struct metric_table table, *tables[] = {&table};

    begin(1);
    arena_init(&full, NULL, 0);
    put_latency("a", 1, 0);
    metric_table_init(&table, &full, &grid, NULL);
    CHECK(metric_table_add(&table, &latency));
    CHECK_EQ(metric_read(tables, 1, &source), ERR_TOO_BIG);
    CHECK_EQ(arena_status(&arena), OK);
    arena_release(&full);
    arena_release(&arena);
}
