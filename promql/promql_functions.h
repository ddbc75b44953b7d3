/*
 * promql_functions - the table of functions, and what their handlers get.
 *
 * The table has one row per function. The parser reads names and
 * types; the evaluator calls the one handler that the row has:
 *
 *   sample   a function of one float, and of scalars: abs, clamp, hour. The
 *            evaluator drops __name__ and histograms and calls it for each
 *            sample. If the first argument is optional and not given (hour()),
 *            it is called with the time of the step.
 *   range    a function of the samples in a window: rate, max_over_time.
 *            The evaluator moves the window and defines the type.
 *   call     a function of whole vectors: it evaluates its arguments itself,
 *            with promql_eval_node(), and pushes series.
 *
 * The rows with `range`, absent_over_time, and the functions that evaluate are
 * the evaluator's. The others, histogram_*() on instant vectors included, are
 * in files of their own, one per kind of function.
 */
#ifndef PROMQL_FUNCTIONS_H
#define PROMQL_FUNCTIONS_H

#include "promql_ast.h"

/* ---- the evaluation of a node ---- */

/* The steps that a node is evaluated at. A subquery has its own. */
struct promql_steps {
    int64_t start_ms, step_ms; /* of step i: start_ms + i * step_ms */
    uint32_t count;            /* at least 1 */
};

struct promql_eval;

struct arena *promql_eval_arena(struct promql_eval *eval);

/* Series by series; a series and its arrays are valid during the call only.
 * At a step where histograms[i] is not NULL the sample is that histogram,
 * else it is values[i], or nothing if promql_is_absent(values[i]). Labels are
 * those after the node: functions that drop the name push without __name__. */
typedef enum status promql_push(void *arg,
                                const struct promql_result_series *series);

/* Evaluates a vector or a scalar; a scalar is one series without labels that
 * has a value at every step. */
MUST_CHECK enum status promql_eval_node(struct promql_eval *eval,
                                        const struct promql_node *node,
                                        promql_push *push, void *push_arg);

/* A selector, but each value is the time of its sample, in seconds. */
MUST_CHECK enum status promql_eval_times(struct promql_eval *eval,
                                         const struct promql_node *selector,
                                         promql_push *push, void *push_arg);

/* The values of a scalar, one per step, in the arena; NULL if that failed:
 * *status says why. */
const double *promql_eval_scalar(struct promql_eval *eval,
                                 const struct promql_node *node,
                                 enum status *status);

/* A string argument: the text, without evaluation. */
static inline struct slice promql_string(const struct promql_node *node)
{
    return promql_unparen(node)->u.text;
}

/* An annotation: "PromQL warning: " or "PromQL info: ", the text, and the place
 * of the node. Each text is kept once. */
void promql_warn(struct promql_eval *eval, const struct promql_node *at,
                 const char *format, ...) __attribute__((format(printf, 3, 4)));
void promql_info(struct promql_eval *eval, const struct promql_node *at,
                 const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Ends the evaluation: sets the error's text, yields ERR_INVALID. */
MUST_CHECK enum status promql_fail(struct promql_eval *eval, const char *format,
                                   ...) __attribute__((format(printf, 2, 3)));

/* ---- the table ---- */

enum { PROMQL_MAX_TYPES = 5, PROMQL_MAX_SCALARS = 4 };
enum { PROMQL_ANY_NUMBER = -1 };

/* args: the scalars behind the first argument, at this step. */
typedef double promql_sample_function(double v, const double *args,
                                      uint32_t arg_count);
typedef enum status promql_call_function(struct promql_eval *eval,
                                         const struct promql_node *call,
                                         promql_push *push, void *push_arg);
struct promql_range_function; /* the evaluator's */

struct promql_function {
    const char *name;
    enum promql_type returns;
    uint8_t type_count;
    enum promql_type types[PROMQL_MAX_TYPES];
    /* 0: all arguments must be given. Else the last type may be left out, or be
     * repeated up to so many times, or PROMQL_ANY_NUMBER. */
    int8_t variadic;
    promql_sample_function *sample;
    const struct promql_range_function *range;
    promql_call_function *call;
};

/* NULL if there is none of this name. */
const struct promql_function *promql_function_find(struct slice name);

/* A function that Prometheus has and the table has not: "not enabled". */
bool promql_function_is_known(struct slice name);

#endif
