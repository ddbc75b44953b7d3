/*
 * What it costs to write the answer of a PromQL query: a matrix of 1000 series
 * over a day, a value each minute. Nanoseconds of CPU time a value.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api.h"
#include "clock.h"

enum { SERIES = 1000, STEPS = 1440, ROUNDS = 3 };

static double values[SERIES][STEPS];
static struct promql_result_series series[SERIES];

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static size_t write_answer(void)
{
    const struct promql_time time = {.start_ms = INT64_C(1795253940000),
                                     .end_ms = INT64_C(1795253940000) +
                                               (STEPS - 1) * 60000,
                                     .step_ms = 60000};
    const struct promql_result result = {
        .type = PROMQL_MATRIX, .series = series, .count = SERIES};
    static const struct api_stats none;
    struct arena arena;
    struct query_request request = {.arena = &arena};
    struct buf piece;
    size_t bytes = 0;
    bool more = true;

    arena_init(&arena, NULL, SIZE_MAX);
    buf_init(&piece, 1 << 20);
    if (api_answer_result(&request, &result, &time, &none) != OK)
        return 0;
    while (more) {
        buf_reset(&piece);
        more = request.produce(request.produce_arg, &piece);
        bytes += piece.len;
    }
    buf_release(&piece);
    arena_release(&arena);
    return bytes;
}

static void measure(const char *name)
{
    uint64_t best = UINT64_MAX;
    size_t bytes = 0;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t begin = cpu_ns();

        bytes = write_answer();
        begin = cpu_ns() - begin;
        best = begin < best ? begin : best;
    }
    printf("matrix of %s: %.1f ns a value, %.0f ms in all, %.1f MB\n", name,
           (double)best / SERIES / STEPS, (double)best / (double)NS_PER_MS,
           (double)bytes / 1e6);
}

int main(void)
{
    static const struct promql_label label = {SLICE_INIT("component"),
                                              SLICE_INIT("checkout")};

    for (int s = 0; s < SERIES; s++) {
        series[s] = (struct promql_result_series){{&label, 1}, values[s], NULL};
        for (int i = 0; i < STEPS; i++)
            values[s][i] = rand() % 100000 / 300.0;
    }
    measure("rates");
    for (int s = 0; s < SERIES; s++)
        for (int i = 0; i < STEPS; i++)
            values[s][i] = rand() % 100000;
    measure("counts");
    return 0;
}
