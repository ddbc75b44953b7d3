/*
 * Range functions: a window moves over a series, and the function is called at
 * each step. Both ends of the window only move forward, so all steps together
 * cost as much as the series has samples, besides what the function does.
 *
 *   samples   . . x x x x x . .        floats, histograms and their resets
 *   window      (          ]           each have two indices
 */
#include "promql_eval.h"

#include "promql_histogram.h"
#include "promql_walk.h"

/* All windows of a query together may hold so many samples: seconds of work. */
#define MAX_WORK (UINT64_C(1) << 31)

struct mover {
    struct promql_eval *eval;
    const struct promql_node *call, *range;
    const struct promql_range_function *function;
    struct promql_reference reference;
    int64_t range_ms;
    const double *args[PROMQL_MAX_SCALARS];
    uint32_t arg_count;
    double *values;
    const struct promql_histogram **histograms; /* once there is one */
    struct arena scratch;                       /* of one series */
    struct promql_window window;
    struct sample_line floats, others;
    bool any, any_histogram;
    struct promql_seen seen;
    promql_push *push;
    void *arg;
};

/* ---- a series, without staleness markers, floats and histograms apart ---- */

static bool is_reset_bit(const struct promql_series *series, uint32_t at)
{
    return series->resets[at / 64] >> (at % 64) & 1;
}

static bool has_marker(const struct promql_series *series)
{
    if (series->histograms)
        return true;
    for (uint32_t i = 0; i < series->count; i++)
        if (promql_is_stale(series->values[i]))
            return true;
    return false;
}

static void list_reset_bits(const struct promql_series *series,
                            struct sample_line *floats)
{
    for (uint32_t word = 0; word < (series->count + 63) / 64; word++)
        for (uint64_t bits = series->resets[word]; bits; bits &= bits - 1) {
            uint32_t at = 64 * word + (uint32_t)__builtin_ctzll(bits);

            if (at > 0 && at < series->count)
                floats->resets[floats->reset_count++] = at;
        }
}

/* Floats only, no markers: the arrays of the source are used as they are. */
static enum status use_series(struct mover *mover,
                              const struct promql_series *series)
{
    struct promql_window *w = &mover->window;
    struct sample_line *floats = &mover->floats;

    floats->times = w->times = series->times;
    w->values = series->values;
    floats->count = series->count;
    if (!mover->function->resets)
        return OK;
    floats->resets =
        arena_alloc(&mover->scratch, series->count * sizeof(*floats->resets));
    if (!floats->resets)
        return arena_status(&mover->scratch);
    if (series->resets) {
        list_reset_bits(series, floats);
        return OK;
    }
    for (uint32_t i = 1; i < series->count; i++)
        if (series->values[i] < series->values[i - 1])
            floats->resets[floats->reset_count++] = i;
    return OK;
}

struct split {
    int64_t *times, *histogram_times;
    double *values;
    const struct promql_histogram **histograms;
    bool pending; /* a reset was marked at a sample that was left out */
};

static bool split_alloc(struct split *split, struct mover *mover,
                        uint32_t count)
{
    struct arena *arena = &mover->scratch;

    split->times = arena_zero(arena, count, sizeof(int64_t));
    split->histogram_times = arena_zero(arena, count, sizeof(int64_t));
    split->values = arena_zero(arena, count, sizeof(double));
    split->histograms = arena_zero(arena, count, sizeof(*split->histograms));
    mover->floats.resets = arena_zero(arena, count, sizeof(uint32_t));
    mover->others.resets = arena_zero(arena, count, sizeof(uint32_t));
    return arena_status(arena) == OK;
}

static void split_float(struct split *split, struct sample_line *floats,
                        int64_t time_ms, double v, bool *marked)
{
    uint32_t at = floats->count++;

    split->times[at] = time_ms;
    split->values[at] = v;
    if (at > 0 && (marked ? *marked : v < split->values[at - 1]))
        floats->resets[floats->reset_count++] = at;
    if (marked)
        *marked = false;
}

static void split_histogram(struct split *split, struct sample_line *others,
                            int64_t time_ms, const struct promql_histogram *h,
                            bool *marked)
{
    uint32_t at = others->count++;

    split->histogram_times[at] = time_ms;
    split->histograms[at] = h;
    if (at > 0 &&
        (marked ? *marked
                : promql_histogram_is_reset(split->histograms[at - 1], h)))
        others->resets[others->reset_count++] = at;
    if (marked)
        *marked = false;
}

static enum status split_series(struct mover *mover,
                                const struct promql_series *series)
{
    struct split split;
    bool marked = false, *mark = series->resets ? &marked : NULL;

    if (!split_alloc(&split, mover, series->count))
        return arena_status(&mover->scratch);
    for (uint32_t i = 0; i < series->count; i++) {
        const struct promql_histogram *h =
            series->histograms ? series->histograms[i] : NULL;

        if (mark && is_reset_bit(series, i))
            marked = true;
        if (h)
            split_histogram(&split, &mover->others, series->times[i], h, mark);
        else if (!promql_is_stale(series->values[i]))
            split_float(&split, &mover->floats, series->times[i],
                        series->values[i], mark);
    }
    mover->floats.times = mover->window.times = split.times;
    mover->window.values = split.values;
    mover->others.times = mover->window.histogram_times = split.histogram_times;
    mover->window.histograms = split.histograms;
    return OK;
}

/* ---- moving ---- */

static void set_window(struct mover *mover, int64_t end_ms)
{
    struct promql_window *w = &mover->window;
    struct sample_line *line = &mover->floats;

    w->end_ms = end_ms;
    w->start_ms = end_ms - mover->range_ms;
    move(line, w->start_ms, end_ms);
    w->first = line->first;
    w->end = line->end;
    w->resets = window_resets(line);
    w->reset_count = line->reset_end - line->reset_first;
    if (mover->others.count == 0)
        return;
    line = &mover->others;
    move(line, w->start_ms, end_ms);
    w->histogram_first = line->first;
    w->histogram_end = line->end;
    w->histogram_resets = window_resets(line);
    w->histogram_reset_count = line->reset_end - line->reset_first;
}

static enum status set_result(struct mover *mover, uint32_t step)
{
    struct promql_window *w = &mover->window;
    struct promql_eval *eval = mover->eval;

    mover->values[step] = w->value;
    mover->any |= !promql_is_absent(w->value);
    if (!w->histogram)
        return OK;
    if (!mover->histograms)
        mover->histograms = arena_zero(eval->run->arena, eval->steps.count,
                                       sizeof(*mover->histograms));
    if (!mover->histograms)
        return promql_full(eval);
    mover->histograms[step] = w->histogram;
    mover->any = mover->any_histogram = true;
    return OK;
}

static enum status too_much(struct promql_eval *eval)
{
    return promql_fail(eval, "query processing would look at too many samples: "
                             "shorten the range or lengthen the step");
}

/* The usual case: a function that only looks at floats and the window. */
static void compute_floats(struct mover *mover)
{
    const struct promql_range_function *function = mover->function;
    struct promql_walk walk = {.line = mover->floats,
                               .window = &mover->window,
                               .steps = mover->eval->steps,
                               .first_ms = mover->reference.first_ms,
                               .step_ms = mover->reference.step_ms,
                               .range_ms = mover->range_ms,
                               .values = mover->values};

    mover->any = function->walk ? function->walk(&walk)
                                : promql_walk(&walk, function->at);
}

static enum status compute(struct mover *mover)
{
    struct promql_window *w = &mover->window;
    struct promql_eval *eval = mover->eval;
    uint32_t steps = eval->steps.count;
    bool constant = mover->reference.step_ms == 0 && mover->arg_count == 0;
    double args[PROMQL_MAX_SCALARS], absent = promql_absent();
    enum status s = OK;

    w->args = args;
    for (uint32_t i = 0; s == OK && i < steps; i++) {
        if (constant && i > 0) { /* as at the first step */
            s = set_result(mover, i);
            continue;
        }
        w->now_ms = eval->steps.start_ms + i * eval->steps.step_ms;
        set_window(mover,
                   mover->reference.first_ms + i * mover->reference.step_ms);
        for (uint32_t a = 0; a < mover->arg_count; a++)
            args[a] = mover->args[a][i];
        w->value = absent;
        w->histogram = NULL;
        s = promql_spend(eval, 1 + w->end - w->first);
        if (s != OK)
            break;
        mover->function->at(w);
        if (!mover->function->quick)
            eval->run->work += w->end - w->first;
        s = eval->run->work > MAX_WORK ? too_much(eval) : set_result(mover, i);
    }
    return s == OK ? arena_status(&mover->scratch) : s;
}

/* ---- one series ---- */

static bool is_plain(const struct mover *mover)
{
    return mover->others.count == 0 && mover->arg_count == 0 &&
           mover->function->quick && mover->reference.step_ms != 0;
}

static void annotate(struct mover *mover, const struct promql_labels *labels)
{
    struct promql_window *w = &mover->window;
    struct promql_eval *eval = mover->eval;
    struct slice name = promql_label_value(labels, PROMQL_NAME);
    char number[PROMQL_NUMBER_TEXT];

    if (w->notes & PROMQL_NOTE_MIXED)
        promql_warn(eval, mover->range,
                    "encountered a mix of histograms and floats for metric "
                    "name \"%.*s\"",
                    SLICE_ARGS(name));
    if (w->notes & PROMQL_NOTE_IGNORED)
        promql_info(eval, mover->range,
                    "ignored histograms in a range containing both floats and "
                    "histograms for metric name \"%.*s\"",
                    SLICE_ARGS(name));
    if (w->notes & PROMQL_NOTE_LAYOUTS)
        promql_warn(eval, mover->range,
                    "vector contains a mix of histograms with exponential and "
                    "custom buckets schemas for metric name \"%.*s\"",
                    SLICE_ARGS(name));
    if (w->notes & PROMQL_NOTE_QUANTILE)
        promql_warn(eval, mover->call->u.call.args[0],
                    "quantile value should be between 0 and 1, got %s",
                    promql_number_text(w->quantile, number));
    if (mover->function->counter && (w->notes & PROMQL_NOTE_FLOATS) &&
        name.len > 0 && !slice_ends(name, SLICE("_total")) &&
        !slice_ends(name, SLICE("_sum")) &&
        !slice_ends(name, SLICE("_count")) &&
        !slice_ends(name, SLICE("_bucket")))
        promql_info(eval, mover->range,
                    "metric might not be a counter, name does not end in "
                    "_total/_sum/_count/_bucket: \"%.*s\"",
                    SLICE_ARGS(name));
}

static enum status push_series(struct mover *mover,
                               const struct promql_labels *labels)
{
    struct promql_eval *eval = mover->eval;
    struct promql_result_series out = {*labels, mover->values,
                                       mover->any_histogram ? mover->histograms
                                                            : NULL};
    enum status s = OK;

    if (!mover->function->keeps_name)
        out.labels = promql_labels_nameless(&mover->scratch, labels);
    s = arena_status(&mover->scratch);
    if (s == OK)
        s = promql_seen_add(eval, &mover->seen, &out.labels);
    if (s == OK)
        s = mover->push(mover->arg, &out);
    if (mover->any_histogram) /* they were those of this series */
        memset(mover->histograms, 0,
               eval->steps.count * sizeof(*mover->histograms));
    return s;
}

static enum status mover_visit(void *arg, const struct promql_series *series)
{
    struct mover *mover = arg;
    struct promql_eval *eval = mover->eval;
    struct promql_window *w = &mover->window;
    enum status s;

    mover->floats = mover->others = (struct sample_line){0};
    mover->any = mover->any_histogram = false;
    *w = (struct promql_window){.range_s = (double)mover->range_ms / 1000,
                                .arena = &mover->scratch};
    if (mover->function->room) {
        w->room =
            arena_alloc(&mover->scratch, series->count * sizeof(*w->room));
        if (!w->room)
            return arena_status(&mover->scratch);
    }
    s = has_marker(series) ? split_series(mover, series)
                           : use_series(mover, series);
    if (s == OK && is_plain(mover))
        compute_floats(mover);
    else if (s == OK)
        s = compute(mover);
    if (s == OK && w->error)
        s = promql_fail(eval, "%s, got: %f", w->error, w->error_value);
    if (s == OK)
        annotate(mover, &series->labels);
    if (s == OK && mover->any)
        s = push_series(mover, &series->labels);
    arena_reset(&mover->scratch);
    return s;
}

/* ---- the node ---- */

static enum status run_mover(struct mover *mover)
{
    const struct promql_node *range = mover->range;
    struct promql_eval *eval = mover->eval;
    const struct promql_node *selector;

    if (range->kind == PROMQL_SUBQUERY) {
        mover->range_ms = range->u.subquery.range_ms;
        mover->reference = promql_reference_of(eval, &range->u.subquery.shift);
        return promql_eval_subquery(eval, range, mover_visit, mover);
    }
    selector = range->u.range.selector;
    mover->range_ms = range->u.range.range_ms;
    mover->reference = promql_reference_of(eval, &selector->u.selector.shift);
    return promql_read(eval, selector, mover->range_ms,
                       mover->call->u.call.function->name, mover_visit, mover);
}

enum status promql_eval_range(struct promql_eval *eval,
                              const struct promql_node *node, promql_push *push,
                              void *arg)
{
    const struct promql_call *call = &node->u.call;
    struct mover mover = {
        .eval = eval,
        .call = node,
        .function = call->function->range,
        .values = promql_new_values(eval),
        .push = push,
        .arg = arg,
    };
    enum status s = OK;

    mover.seen.index.arena = eval->run->arena;
    if (!mover.values)
        return promql_full(eval);
    for (uint32_t i = 0; i < call->arg_count; i++) {
        if (call->args[i]->type == PROMQL_MATRIX) {
            mover.range = promql_unparen(call->args[i]);
            continue;
        }
        mover.args[mover.arg_count] =
            promql_eval_scalar(eval, call->args[i], &s);
        if (!mover.args[mover.arg_count++])
            return s;
    }
    arena_begin(&mover.scratch, eval->run->arena);
    s = run_mover(&mover);
    arena_release(&mover.scratch);
    return s;
}
