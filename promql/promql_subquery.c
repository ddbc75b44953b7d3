/*
 * A subquery is its expression evaluated at steps of its own, which are
 * multiples of the step, whose results are then samples like those of a source.
 */
#include "promql_eval.h"

/* The step of a subquery that gives none: Prometheus' evaluation interval. */
enum { DEFAULT_STEP_MS = 60 * 1000 };
enum { MAX_STEPS = 1 << 22 };

struct inner {
    struct promql_eval eval;
    struct arena scratch; /* of one series */
    int64_t *times;       /* of the steps */
    promql_visit *visit;
    void *arg;
};

static enum status inner_take(void *arg,
                              const struct promql_result_series *series)
{
    struct inner *inner = arg;
    uint32_t room = inner->eval.steps.count;
    int64_t *times = arena_alloc(&inner->scratch, room * sizeof(*times));
    double *values = arena_alloc(&inner->scratch, room * sizeof(*values));
    const struct promql_histogram **histograms =
        series->histograms
            ? arena_alloc(&inner->scratch, room * sizeof(*histograms))
            : NULL;
    struct promql_series samples = {.labels = series->labels,
                                    .times = times,
                                    .values = values,
                                    .histograms = histograms};
    enum status s;

    if (!times || !values || (series->histograms && !histograms))
        return arena_status(&inner->scratch);
    for (uint32_t i = 0; i < room; i++) {
        if (!promql_has(series, i))
            continue;
        times[samples.count] = inner->times[i];
        values[samples.count] = series->values[i];
        if (histograms)
            histograms[samples.count] = series->histograms[i];
        samples.count++;
    }
    s = samples.count > 0 ? inner->visit(inner->arg, &samples) : OK;
    arena_reset(&inner->scratch);
    return s;
}

/* The steps: the first multiple of the step after the first window's start, up
 * to the end of the last window. */
static bool inner_steps(const struct promql_eval *eval,
                        const struct promql_subquery *subquery,
                        struct promql_steps *steps)
{
    struct promql_reference reference =
        promql_reference_of(eval, &subquery->shift);
    int64_t step = subquery->step_ms > 0 ? subquery->step_ms : DEFAULT_STEP_MS;
    int64_t start = reference.first_ms - subquery->range_ms;
    int64_t end = reference.first_ms +
                  reference.step_ms * (int64_t)(eval->steps.count - 1);

    steps->step_ms = step;
    steps->start_ms = start / step * step;
    if (steps->start_ms <= start)
        steps->start_ms += step;
    if (steps->start_ms > end)
        return false;
    if ((end - steps->start_ms) / step >= MAX_STEPS) {
        steps->count = 0;
        return true;
    }
    steps->count = (uint32_t)((end - steps->start_ms) / step) + 1;
    return true;
}

enum status promql_eval_subquery(struct promql_eval *eval,
                                 const struct promql_node *node,
                                 promql_visit *visit, void *arg)
{
    struct inner inner = {
        .eval = {.run = eval->run, .counts_only = eval->counts_only},
        .visit = visit,
        .arg = arg};
    struct promql_steps *steps = &inner.eval.steps;
    enum status s;

    if (!inner_steps(eval, &node->u.subquery, steps))
        return OK;
    if (steps->count == 0)
        return promql_fail(eval, "a subquery has more than %d steps",
                           MAX_STEPS);
    inner.times =
        arena_alloc(eval->run->arena, steps->count * sizeof(*inner.times));
    if (!inner.times)
        return promql_full(eval);
    for (uint32_t i = 0; i < steps->count; i++)
        inner.times[i] = steps->start_ms + i * steps->step_ms;
    arena_begin(&inner.scratch, eval->run->arena);
    s = promql_eval_node(&inner.eval, node->u.subquery.of, inner_take, &inner);
    arena_release(&inner.scratch);
    return s;
}
