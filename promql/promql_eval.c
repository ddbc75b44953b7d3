/*
 * The evaluator: one function per kind of node, each of which evaluates the
 * nodes below it by giving them a function that takes their series.
 *
 *   sum by (a) (rate(x[5m]))      source ─► range ─► aggregate ─► result
 */
#include "promql_eval.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "promql_histogram.h"

enum { MAX_NOTES = 32, NOTE_MAX = 1024 };
enum {
    UNCHECKED = 1 << 16, /* samples */
    OF_SERIES = 1024,    /* what a series costs besides its samples */
    OF_HISTOGRAM = 64,
};

/* ---- what functions ask for ---- */

struct arena *promql_eval_arena(struct promql_eval *eval)
{
    return eval->run->arena;
}

enum status promql_full(const struct promql_eval *eval)
{
    return arena_status(eval->run->arena);
}

enum status promql_spend(struct promql_eval *eval, uint64_t samples)
{
    struct promql_run *run = eval->run;

    run->unchecked += samples;
    if (run->unchecked < UNCHECKED || !run->source->check)
        return OK;
    run->unchecked = 0;
    return run->source->check(run->source->arg);
}

double *promql_new_values(struct promql_eval *eval)
{
    return arena_alloc(eval->run->arena, eval->steps.count * sizeof(double));
}

double *promql_absent_values(struct promql_eval *eval)
{
    double *values = promql_new_values(eval), absent = promql_absent();

    for (uint32_t i = 0; values && i < eval->steps.count; i++)
        values[i] = absent;
    return values;
}

enum status promql_fail(struct promql_eval *eval, const char *format, ...)
{
    struct promql_error *error = eval->run->error;
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    error->execution = true;
    return ERR_INVALID;
}

/* Each text once; beyond a bound none. A full arena is noticed elsewhere. */
__attribute__((format(printf, 4, 0))) static void note(
    struct promql_eval *eval, bool is_warning, const struct promql_node *at,
    const char *format, va_list args)
{
    struct promql_run *run = eval->run;
    uint32_t *count = &run->note_count[is_warning];
    const char ***notes = &run->notes[is_warning];
    char text[NOTE_MAX], place[PROMQL_PLACE], *copy;
    int len;

    vsnprintf(text, sizeof(text) - PROMQL_PLACE - 32, format, args);
    promql_place(run->query->text, at->start, place);
    if (!*notes)
        *notes = arena_zero(run->arena, MAX_NOTES, sizeof(**notes));
    copy = arena_alloc(run->arena, NOTE_MAX + 1);
    if (!*notes || !copy || *count == MAX_NOTES)
        return;
    len = snprintf(copy, NOTE_MAX, "PromQL %s: %s (%s)",
                   is_warning ? "warning" : "info", text, place);
    assert(len > 0);
    for (uint32_t i = 0; i < *count; i++)
        if (strcmp((*notes)[i], copy) == 0)
            return;
    (*notes)[(*count)++] = copy;
}

void promql_warn(struct promql_eval *eval, const struct promql_node *at,
                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note(eval, true, at, format, args);
    va_end(args);
}

void promql_info(struct promql_eval *eval, const struct promql_node *at,
                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note(eval, false, at, format, args);
    va_end(args);
}

/* ---- scalars ---- */

static enum status push_number(struct promql_eval *eval, double number,
                               promql_push *push, void *arg)
{
    double *values = promql_new_values(eval);
    struct promql_result_series series = {.values = values};

    if (!values)
        return promql_full(eval);
    for (uint32_t i = 0; i < eval->steps.count; i++)
        values[i] = number;
    return push(arg, &series);
}

struct scalar_copy {
    struct promql_eval *eval;
    double *values;
};

static enum status scalar_take(void *arg,
                               const struct promql_result_series *series)
{
    struct scalar_copy *copy = arg;

    memcpy(copy->values, series->values,
           copy->eval->steps.count * sizeof(double));
    return OK;
}

const double *promql_eval_scalar(struct promql_eval *eval,
                                 const struct promql_node *node,
                                 enum status *status)
{
    struct scalar_copy copy = {eval, promql_new_values(eval)};

    if (!copy.values) {
        *status = promql_full(eval);
        return NULL;
    }
    for (uint32_t i = 0; i < eval->steps.count; i++)
        copy.values[i] = (double)NAN;
    *status = promql_eval_node(eval, node, scalar_take, &copy);
    return *status == OK ? copy.values : NULL;
}

/* ---- unary minus ---- */

struct minus {
    struct promql_eval *eval;
    double *values;
    const struct promql_histogram **histograms;
    bool is_scalar;
    struct promql_seen seen;
    promql_push *push;
    void *arg;
};

static enum status minus_take(void *arg,
                              const struct promql_result_series *series)
{
    struct minus *minus = arg;
    struct promql_eval *eval = minus->eval;
    struct arena *arena = eval->run->arena;
    struct promql_result_series out = {.values = minus->values};
    enum status s;

    for (uint32_t i = 0; i < eval->steps.count; i++) {
        double v = series->values[i];

        minus->values[i] = promql_is_absent(v) ? v : -v;
    }
    if (series->histograms) {
        out.histograms = minus->histograms =
            arena_zero(arena, eval->steps.count, sizeof(*minus->histograms));
        for (uint32_t i = 0; out.histograms && i < eval->steps.count; i++)
            if (series->histograms[i])
                minus->histograms[i] =
                    promql_histogram_times(arena, series->histograms[i], -1);
    }
    out.labels = promql_labels_nameless(arena, &series->labels);
    s = promql_full(eval);
    if (s == OK && !minus->is_scalar)
        s = promql_seen_add(eval, &minus->seen, &out.labels);
    return s == OK ? minus->push(minus->arg, &out) : s;
}

static enum status eval_minus(struct promql_eval *eval,
                              const struct promql_node *node, promql_push *push,
                              void *arg)
{
    struct minus minus = {.eval = eval,
                          .values = promql_new_values(eval),
                          .is_scalar = node->type == PROMQL_SCALAR,
                          .push = push,
                          .arg = arg};

    minus.seen.index.arena = eval->run->arena;
    if (!minus.values)
        return promql_full(eval);
    return promql_eval_node(eval, node->u.inner, minus_take, &minus);
}

/* ---- all nodes ---- */

/* Is the count of the result that of the histograms below, whatever their
 * buckets? A source may have the counts much cheaper. */
static bool counts_suffice(const struct promql_node *node)
{
    const struct promql_function *function;

    node = promql_unparen(node);
    switch (node->kind) {
    case PROMQL_SELECTOR:
    case PROMQL_RANGE:
        return true;
    case PROMQL_CALL:
        function = node->u.call.function;
        return function->range && node->u.call.arg_count == 1 &&
               counts_suffice(node->u.call.args[0]);
    case PROMQL_AGGREGATE:
        return (node->u.aggregate.op == PROMQL_SUM ||
                node->u.aggregate.op == PROMQL_AVG) &&
               counts_suffice(node->u.aggregate.of);
    default:
        return false;
    }
}

static enum status eval_call(struct promql_eval *eval,
                             const struct promql_node *node, promql_push *push,
                             void *arg)
{
    const struct promql_function *function = node->u.call.function;
    struct promql_eval counts = *eval;

    if (function->call && strcmp(function->name, "histogram_count") == 0) {
        counts.counts_only = counts_suffice(node->u.call.args[0]);
        return function->call(&counts, node, push, arg);
    }
    if (function->call)
        return function->call(eval, node, push, arg);
    if (function->range)
        return promql_eval_range(eval, node, push, arg);
    return promql_eval_sample(eval, node, push, arg);
}

static enum status eval_aggregate(struct promql_eval *eval,
                                  const struct promql_node *node,
                                  promql_push *push, void *arg)
{
    switch (node->u.aggregate.op) {
    case PROMQL_TOPK:
    case PROMQL_BOTTOMK:
    case PROMQL_QUANTILE:
    case PROMQL_COUNT_VALUES:
        return promql_eval_select(eval, node, push, arg);
    case PROMQL_LIMITK:
    case PROMQL_LIMIT_RATIO:
        return promql_eval_limit(eval, node, push, arg);
    default:
        return promql_eval_aggregate(eval, node, push, arg);
    }
}

static enum status eval_operator(struct promql_eval *eval,
                                 const struct promql_node *node,
                                 promql_push *push, void *arg)
{
    const struct promql_binary *binary = &node->u.binary;

    if (promql_is_set_op(binary->op))
        return promql_eval_set(eval, node, push, arg);
    if (binary->left->type == PROMQL_VECTOR &&
        binary->right->type == PROMQL_VECTOR)
        return promql_eval_match(eval, node, push, arg);
    return promql_eval_binary(eval, node, push, arg);
}

static enum status eval_node(struct promql_eval *eval,
                             const struct promql_node *node, promql_push *push,
                             void *push_arg)
{
    switch (node->kind) {
    case PROMQL_NUMBER:
        return push_number(eval, node->u.number, push, push_arg);
    case PROMQL_SELECTOR:
        return promql_eval_selector(eval, node, false, push, push_arg);
    case PROMQL_CALL:
        return eval_call(eval, node, push, push_arg);
    case PROMQL_AGGREGATE:
        return eval_aggregate(eval, node, push, push_arg);
    case PROMQL_BINARY:
        return eval_operator(eval, node, push, push_arg);
    case PROMQL_MINUS:
        return eval_minus(eval, node, push, push_arg);
    case PROMQL_TEXT:
    case PROMQL_RANGE:
    case PROMQL_SUBQUERY:
    case PROMQL_PAREN:
        break;
    }
    return promql_fail(eval, "a range or a text where a vector is needed");
}

/* A node's series on their way to the node above. */
struct passage {
    struct promql_eval *eval;
    promql_push *push;
    void *arg;
};

static enum status pass(void *arg, const struct promql_result_series *series)
{
    struct passage *passage = arg;
    struct promql_eval *eval = passage->eval;
    uint64_t each = series->histograms ? OF_HISTOGRAM : 1;
    enum status s = promql_spend(eval, OF_SERIES + each * eval->steps.count);

    return s == OK ? passage->push(passage->arg, series) : s;
}

enum status promql_eval_node(struct promql_eval *eval,
                             const struct promql_node *node, promql_push *push,
                             void *push_arg)
{
    struct passage passage = {eval, push, push_arg};

    return eval_node(eval, promql_unparen(node), pass, &passage);
}
