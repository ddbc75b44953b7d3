/*
 * Vector selectors: at each step the last sample within the lookback.
 */
#include "promql_eval.h"

#include "array.h"
#include "promql_histogram.h"

static int64_t fixed_time(const struct promql_eval *eval,
                          const struct promql_shift *shift)
{
    switch (shift->at) {
    case PROMQL_AT_START:
        return eval->run->time.start_ms;
    case PROMQL_AT_END:
        return eval->run->time.end_ms;
    default:
        return shift->at_ms;
    }
}

struct promql_reference promql_reference_of(const struct promql_eval *eval,
                                            const struct promql_shift *shift)
{
    if (shift->at != PROMQL_AT_NONE)
        return (struct promql_reference){
            fixed_time(eval, shift) - shift->offset_ms, 0};
    return (struct promql_reference){eval->steps.start_ms - shift->offset_ms,
                                     eval->steps.step_ms};
}

enum status promql_read(struct promql_eval *eval,
                        const struct promql_node *selector, int64_t back_ms,
                        const char *function, promql_visit *visit, void *arg)
{
    const struct promql_selector *of = &selector->u.selector;
    struct promql_reference reference = promql_reference_of(eval, &of->shift);
    const struct promql_select select = {
        .matchers = of->matchers,
        .matcher_count = of->matcher_count,
        .start_ms = reference.first_ms - back_ms,
        .end_ms = reference.first_ms +
                  reference.step_ms * (int64_t)(eval->steps.count - 1),
        .step_ms = eval->steps.step_ms,
        .range_ms = function[0] ? back_ms : 0,
        .function = function,
        .counts_only = eval->counts_only,
    };
    const struct promql_source *source = eval->run->source;

    return source->select(source->arg, &select, visit, arg);
}

/* ---- instant vectors ---- */

struct lookback {
    struct promql_eval *eval;
    struct promql_reference reference;
    double *values;
    const struct promql_histogram **histograms; /* once there is one */
    bool times; /* wants the times of samples, not their values */
    promql_push *push;
    void *arg;
};

/* What sample `at` is at step i; false: nothing. */
static bool take_sample(struct lookback *back,
                        const struct promql_series *series, uint32_t at,
                        uint32_t i)
{
    const struct promql_histogram *h =
        series->histograms ? series->histograms[at] : NULL;

    if (!h && promql_is_stale(series->values[at]))
        return false;
    if (back->times)
        back->values[i] = (double)series->times[at] / 1000;
    else if (h)
        back->histograms[i] = h;
    else
        back->values[i] = series->values[at];
    return true;
}

static enum status lookback_visit(void *arg, const struct promql_series *series)
{
    struct lookback *back = arg;
    struct promql_eval *eval = back->eval;
    int64_t delta = eval->run->time.lookback_ms;
    int64_t now = back->reference.first_ms;
    double absent = promql_absent();
    struct promql_result_series out = {series->labels, back->values, NULL};
    uint32_t end = 0;
    bool any = false;

    if (series->histograms && !back->times) {
        if (!back->histograms)
            back->histograms =
                arena_alloc(eval->run->arena,
                            eval->steps.count * sizeof(*back->histograms));
        if (!back->histograms)
            return promql_full(eval);
        memset(back->histograms, 0,
               eval->steps.count * sizeof(*back->histograms));
        out.histograms = back->histograms;
    }
    for (uint32_t i = 0; i < eval->steps.count;
         i++, now += back->reference.step_ms) {
        back->values[i] = absent;
        while (end < series->count && series->times[end] <= now)
            end++;
        if (end > 0 && series->times[end - 1] > now - delta)
            any |= take_sample(back, series, end - 1, i);
    }
    return any ? back->push(back->arg, &out) : OK;
}

enum status promql_eval_selector(struct promql_eval *eval,
                                 const struct promql_node *node, bool times,
                                 promql_push *push, void *arg)
{
    struct lookback back = {
        .eval = eval,
        .reference = promql_reference_of(eval, &node->u.selector.shift),
        .values = promql_new_values(eval),
        .times = times,
        .push = push,
        .arg = arg,
    };

    if (!back.values)
        return promql_full(eval);
    return promql_read(eval, node, eval->run->time.lookback_ms, "",
                       lookback_visit, &back);
}

enum status promql_eval_times(struct promql_eval *eval,
                              const struct promql_node *selector,
                              promql_push *push, void *push_arg)
{
    return promql_eval_selector(eval, promql_unparen(selector), true, push,
                                push_arg);
}

/* ---- samples as the result ---- */

struct samples {
    struct promql_eval *eval;
    struct promql_series *at;
    uint32_t count, room;
    int64_t start_ms; /* exclusive */
};

static bool copy_samples(struct arena *arena, struct promql_series *to,
                         const struct promql_series *from, int64_t start_ms)
{
    int64_t *times = arena_zero(arena, from->count, sizeof(*times));
    double *values = arena_zero(arena, from->count, sizeof(*values));
    const struct promql_histogram **histograms =
        from->histograms ? arena_zero(arena, from->count, sizeof(*histograms))
                         : NULL;

    if (!times || !values || (from->histograms && !histograms))
        return false;
    *to = (struct promql_series){
        .labels = promql_labels_copy(arena, &from->labels),
        .times = times,
        .values = values,
        .histograms = histograms,
    };
    for (uint32_t i = 0; i < from->count; i++) {
        const struct promql_histogram *h =
            from->histograms ? from->histograms[i] : NULL;

        if (from->times[i] <= start_ms ||
            (!h && promql_is_stale(from->values[i])))
            continue;
        times[to->count] = from->times[i];
        values[to->count] = from->values[i];
        if (h)
            histograms[to->count] = promql_histogram_copy(arena, h);
        to->count++;
    }
    return arena_status(arena) == OK;
}

static enum status samples_visit(void *arg, const struct promql_series *series)
{
    struct samples *samples = arg;
    struct arena *arena = samples->eval->run->arena;
    struct promql_series *to;

    if (series->count == 0)
        return OK;
    to = arena_append(arena, &samples->at, samples->count, &samples->room);
    if (!to || !copy_samples(arena, to, series, samples->start_ms))
        return arena_status(arena);
    samples->count += to->count > 0;
    return OK;
}

enum status promql_eval_matrix(struct promql_eval *eval,
                               const struct promql_node *node,
                               struct promql_result *result)
{
    struct samples samples = {.eval = eval};
    const struct promql_node *of;
    enum status s;

    node = promql_unparen(node);
    if (node->kind == PROMQL_SUBQUERY) {
        samples.start_ms =
            promql_reference_of(eval, &node->u.subquery.shift).first_ms -
            node->u.subquery.range_ms;
        s = promql_eval_subquery(eval, node, samples_visit, &samples);
    } else {
        of = node->u.range.selector;
        samples.start_ms =
            promql_reference_of(eval, &of->u.selector.shift).first_ms -
            node->u.range.range_ms;
        s = promql_read(eval, of, node->u.range.range_ms, "", samples_visit,
                        &samples);
    }
    result->samples = samples.at;
    result->count = samples.count;
    return s;
}
