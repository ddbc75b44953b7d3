/*
 * A PromQL expression, parsed and evaluated over a few series: counters, gauges
 * with gaps, classic and native histograms. The first byte picks an instant
 * query or a range query.
 */
#include <assert.h>
#include <math.h>
#include <stdint.h>

#include "arena.h"
#include "promql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAMPLES = 40, MEMORY = 4 << 20 };

#define LABEL(name, value)                  \
    {                                       \
        SLICE_INIT(name), SLICE_INIT(value) \
    }
static const struct promql_label labels[][3] = {
    {LABEL("__name__", "c_total"), LABEL("a", "1"), LABEL("b", "x")},
    {LABEL("__name__", "c_total"), LABEL("a", "2"), LABEL("b", "x")},
    {LABEL("__name__", "g"), LABEL("a", "1"), LABEL("b", "y")},
    {LABEL("__name__", "g"), LABEL("a", "2"), LABEL("b", "x")},
    {LABEL("__name__", "h_bucket"), LABEL("a", "1"), LABEL("le", "+Inf")},
    {LABEL("__name__", "h_bucket"), LABEL("a", "1"), LABEL("le", "0.5")},
    {LABEL("__name__", "h_bucket"), LABEL("a", "1"), LABEL("le", "x")},
    {LABEL("__name__", "h_bucket"), LABEL("a", "1"), LABEL("le", "1")},
    {LABEL("__name__", "n"), LABEL("a", "1"), LABEL("b", "x")},
};
enum { SERIES = sizeof(labels) / sizeof(*labels) };

static const double counts[] = {1, 0, 3, 5}, bounds[] = {0.5, 1, 2};
static const struct promql_histogram histograms[] = {
    {.schema = 1,
     .count = 12,
     .sum = 20,
     .zero_threshold = 0.001,
     .zero_count = 3,
     .positive = {counts, 4, -1}},
    {.schema = 0,
     .count = 21,
     .sum = 10,
     .zero_threshold = 0.01,
     .zero_count = 3,
     .positive = {counts, 4, 0},
     .negative = {counts, 4, 2}},
    {.schema = PROMQL_CUSTOM_BUCKETS,
     .count = 9,
     .sum = 7,
     .positive = {counts, 4, 0},
     .bounds = bounds,
     .bound_count = 3},
};

static int64_t times[SAMPLES];
static double values[SERIES][SAMPLES];
static const struct promql_histogram *native[SAMPLES];

static void fill(void)
{
    for (int i = 0; i < SAMPLES; i++) {
        times[i] = i * 15000;
        for (int s = 0; s < SERIES; s++)
            values[s][i] = (double)(i * (s + 1) % (7 * s + 11));
        native[i] = i % 5 == 4 ? NULL : &histograms[i / 16];
    }
    values[2][7] = (double)NAN;
    values[2][8] = promql_stale();
    values[3][9] = -(double)INFINITY;
}

static enum status select_all(void *arg, const struct promql_select *select,
                              promql_visit *visit, void *visit_arg)
{
    enum status s = OK;

    (void)arg;
    for (int i = 0; s == OK && i < SERIES; i++) {
        struct promql_series series = {.labels = {labels[i], 3},
                                       .times = times,
                                       .values = values[i],
                                       .histograms = i == 8 ? native : NULL};

        if (!promql_matches(select->matchers, select->matcher_count,
                            &series.labels))
            continue;
        while (series.count < SAMPLES && times[series.count] <= select->end_ms)
            series.count++;
        while (series.count > 0 && series.times[0] <= select->start_ms) {
            series.times++;
            series.values++;
            if (series.histograms)
                series.histograms++;
            series.count--;
        }
        if (series.count > 0)
            s = visit(visit_arg, &series);
    }
    return s;
}

static enum status see_selector(void *arg,
                                const struct promql_matcher *matchers,
                                uint32_t count)
{
    uint32_t *selectors = arg;

    assert(matchers && count > 0);
    ++*selectors;
    return OK;
}

static void check_result(const struct promql_result *result, uint32_t steps)
{
    for (uint32_t i = 0; i < result->count; i++) {
        const struct promql_labels *set = result->series
                                              ? &result->series[i].labels
                                              : &result->samples[i].labels;

        for (uint32_t k = 1; k < set->count; k++)
            assert(slice_compare(set->at[k - 1].name, set->at[k].name) < 0);
        for (uint32_t k = 0; result->series && k < steps; k++)
            (void)promql_is_absent(result->series[i].values[k]);
    }
    if (result->type == PROMQL_SCALAR)
        assert(result->count == 1 && result->series[0].labels.count == 0);
}

static void evaluate(const struct promql_query *query, bool range)
{
    const struct promql_source source = {.select = select_all};
    const struct promql_time time = {.start_ms = range ? 0 : 300000,
                                     .end_ms = 300000,
                                     .step_ms = range ? 60000 : 0};
    struct promql_result result;
    struct promql_error error;
    struct arena arena;
    enum status s;

    arena_init(&arena, NULL, MEMORY);
    s = promql_evaluate(query, &time, &source, &arena, &result, &error);
    assert(s == OK || s == ERR_INVALID || s == ERR_TOO_BIG);
    assert((s == ERR_INVALID) == (error.text[0] != '\0'));
    if (s == OK)
        check_result(&result, promql_steps(&time));
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct promql_query *query;
    struct promql_error error;
    struct arena arena;
    uint32_t selectors = 0;
    enum status s;

    if (size == 0 || size > 2000)
        return 0;
    if (times[1] == 0)
        fill();
    arena_init(&arena, NULL, MEMORY);
    s = promql_parse(&arena, (struct slice){(const char *)data + 1, size - 1},
                     &query, &error);
    assert(s == OK || s == ERR_INVALID || s == ERR_TOO_BIG);
    assert((s == ERR_INVALID) == (error.text[0] != '\0'));
    if (s == OK) {
        assert(promql_selectors(query, see_selector, &selectors) == OK);
        evaluate(query, data[0] & 1);
    }
    arena_release(&arena);
    return 0;
}
