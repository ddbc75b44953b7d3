/*
 * The PromQL engine alone, its series in memory: milliseconds of CPU time per
 * query, nanoseconds per sample that it is given, memory of the query.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "promql.h"

/* A day of one sample per minute. */
enum { COMPONENTS = 1000, ENDPOINTS = 4, SAMPLES = 1446, STEPS = 1440 };
enum { MINUTE_MS = 60 * 1000, ROUNDS = 5 };

static int64_t times[SAMPLES];
static double values[SAMPLES];

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static enum status select_all(void *arg, const struct promql_select *select,
                              promql_visit *visit, void *visit_arg)
{
    uint64_t *given = arg;
    struct promql_series series = {
        .times = times, .values = values, .count = SAMPLES};
    char component[16], endpoint[16];
    enum status s = OK;

    (void)select;
    for (int i = 0; s == OK && i < COMPONENTS * ENDPOINTS; i++) {
        struct promql_label labels[] = {
            {SLICE("__name__"), SLICE("callboard_requests_total")},
            {SLICE("component"), {component, 0}},
            {SLICE("endpoint"), {endpoint, 0}},
            {SLICE("environment"), SLICE("production")},
            {SLICE("namespace"), SLICE("acme")},
            {SLICE("project"), SLICE("shop")},
        };

        labels[1].value.len = (size_t)snprintf(component, sizeof(component),
                                               "c%d", i / ENDPOINTS);
        labels[2].value.len =
            (size_t)snprintf(endpoint, sizeof(endpoint), "e%d", i % ENDPOINTS);
        series.labels = (struct promql_labels){labels, 6};
        *given += SAMPLES;
        s = visit(visit_arg, &series);
    }
    return s;
}

static void measure(const char *text)
{
    const struct promql_time time = {.start_ms = 6 * MINUTE_MS,
                                     .end_ms = 1445 * MINUTE_MS,
                                     .step_ms = MINUTE_MS};
    uint64_t given = 0, best = UINT64_MAX;
    struct promql_source source = {.select = select_all, .arg = &given};
    size_t memory = 0;

    for (int i = 0; i < ROUNDS; i++) {
        const struct promql_query *query;
        struct promql_result result = {0};
        struct promql_error error;
        struct arena arena;
        uint64_t begin = cpu_ns(), took;

        given = 0;
        arena_init(&arena, NULL, SIZE_MAX);
        if (promql_parse(&arena, slice_of(text), &query, &error) != OK ||
            promql_evaluate(query, &time, &source, &arena, &result, &error) !=
                OK) {
            printf("%s: FAILED: %s\n", text, error.text);
            arena_release(&arena);
            return;
        }
        took = cpu_ns() - begin;
        best = took < best ? took : best;
        memory = arena_size(&arena);
        arena_release(&arena);
    }
    printf("%7.1f ms %6.1f ns/sample %6.1f MiB  %s\n", (double)best / 1e6,
           (double)best / (double)given, (double)memory / (1 << 20), text);
}

int main(void)
{
    static const char *const queries[] = {
        "sum by (component) (rate(callboard_requests_total[5m]))",
        "sum by (component) (callboard_requests_total)",
        "sum(rate(callboard_requests_total[1h]))",
        "max by (component) (max_over_time(callboard_requests_total[5m]))",
        "sum by (component) (rate(a_total[5m])) / sum by (component) "
        "(rate(b_total[5m]))",
        "topk(5, sum by (component) (rate(callboard_requests_total[5m])))",
        "topk(5, rate(callboard_requests_total[5m]))",
        "sum(rate(a_total[5m])) or vector(0)",
    };

    for (int i = 0; i < SAMPLES; i++) {
        times[i] = (int64_t)i * MINUTE_MS - 7;
        values[i] = i * 37 + 11 * sin(i) + (i > 700 ? -20000 : 0);
    }
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
        measure(queries[i]);
    return 0;
}
