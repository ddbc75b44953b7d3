/*
 * A whole query: its result collected and sorted.
 */
#include <stdlib.h>

#include "array.h"
#include "promql_eval.h"

/* ---- collecting ---- */

struct collect {
    struct promql_eval *eval;
    struct promql_result_series *at;
    uint32_t count, room;
};

static enum status collect_take(void *arg,
                                const struct promql_result_series *series)
{
    struct collect *collect = arg;
    struct promql_eval *eval = collect->eval;
    struct promql_result_series *to;
    struct promql_kept kept;

    if (!promql_any(eval, series))
        return OK;
    to = arena_append(eval->run->arena, &collect->at, collect->count,
                      &collect->room);
    if (!to || !promql_keep(eval, series, &kept))
        return promql_full(eval);
    *to = (struct promql_result_series){kept.labels, kept.values,
                                        kept.histograms};
    collect->count++;
    return OK;
}

static int by_labels(const void *a, const void *b)
{
    const struct promql_result_series *x = a, *y = b;

    return promql_labels_compare(&x->labels, &y->labels);
}

/* Series are by labels, except at an instant where the expression orders them
 * itself. */
static bool is_ordered(const struct promql_node *root)
{
    if (root->kind == PROMQL_AGGREGATE)
        return root->u.aggregate.op == PROMQL_TOPK ||
               root->u.aggregate.op == PROMQL_BOTTOMK;
    return root->kind == PROMQL_CALL &&
           strncmp(root->u.call.function->name, "sort", 4) == 0;
}

static enum status evaluate_series(struct promql_eval *eval,
                                   const struct promql_node *root,
                                   struct promql_result *result)
{
    struct collect collect = {.eval = eval};
    enum status s = promql_eval_node(eval, root, collect_take, &collect);

    if (s != OK)
        return s;
    if (collect.count > 1 && (eval->run->time.step_ms > 0 || !is_ordered(root)))
        qsort(collect.at, collect.count, sizeof(*collect.at), by_labels);
    result->series = collect.at;
    result->count = collect.count;
    return OK;
}

/* ---- queries ---- */

/* More steps than any client shows. */
enum { MAX_STEPS = 1 << 22 };

static bool time_is_valid(const struct promql_time *time)
{
    const int64_t far = INT64_C(1) << 53; /* no sum of these overflows */

    if (time->start_ms < -far || time->end_ms > far ||
        time->end_ms < time->start_ms || time->step_ms < 0 ||
        time->step_ms > far)
        return false;
    return time->step_ms == 0 ||
           (time->end_ms - time->start_ms) / time->step_ms < MAX_STEPS;
}

static enum status evaluate(struct promql_eval *eval,
                            const struct promql_node *root,
                            struct promql_result *result)
{
    bool is_range = eval->run->time.step_ms > 0;

    if (is_range &&
        (root->type == PROMQL_MATRIX || root->type == PROMQL_STRING)) {
        enum status s = promql_fail(eval,
                                    "invalid expression type \"%s\" for range "
                                    "query, must be Scalar or instant Vector",
                                    promql_type_text(root->type));

        eval->run->error->execution = false;
        return s;
    }
    result->type = root->type;
    if (root->type == PROMQL_STRING) {
        result->string = root->u.text;
        return OK;
    }
    if (root->type == PROMQL_MATRIX)
        return promql_eval_matrix(eval, root, result);
    return evaluate_series(eval, root, result);
}

enum status promql_evaluate(const struct promql_query *query,
                            const struct promql_time *time,
                            const struct promql_source *source,
                            struct arena *arena, struct promql_result *result,
                            struct promql_error *error)
{
    struct promql_run run = {
        .query = query,
        .source = source,
        .time = *time,
        .arena = arena,
        .error = error,
    };
    struct promql_eval eval = {.run = &run,
                               .steps = {time->start_ms, time->step_ms, 0}};
    enum status s;

    *result = (struct promql_result){0};
    *error = (struct promql_error){{0}, false};
    if (!time_is_valid(time))
        return promql_fail(&eval, "times or number of steps out of bounds");
    eval.steps.count = promql_steps(time);
    if (run.time.lookback_ms <= 0)
        run.time.lookback_ms = INT64_C(5) * 60 * 1000;
    s = evaluate(&eval, promql_unparen(query->root), result);
    result->infos = run.notes[false];
    result->info_count = run.note_count[false];
    result->warnings = run.notes[true];
    result->warning_count = run.note_count[true];
    return s;
}
