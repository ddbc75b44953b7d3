/*
 * Binary operators on samples, on scalars, and on a vector and a scalar.
 */
#include <math.h>

#include "promql_histogram.h"
#include "promql_operator.h"

static bool compare(enum promql_binary_op op, double a, double b)
{
    switch (op) {
    case PROMQL_EQ:
        return a == b;
    case PROMQL_NE:
        return a != b;
    case PROMQL_LT:
        return a < b;
    case PROMQL_LE:
        return a <= b;
    case PROMQL_GT:
        return a > b;
    case PROMQL_GE:
        return a >= b;
    default:
        return false;
    }
}

static double arithmetic(enum promql_binary_op op, double a, double b)
{
    switch (op) {
    case PROMQL_ADD:
        return a + b;
    case PROMQL_SUB:
        return a - b;
    case PROMQL_MUL:
        return a * b;
    case PROMQL_DIV:
        return a / b;
    case PROMQL_MOD:
        return fmod(a, b);
    case PROMQL_POW:
        return pow(a, b);
    case PROMQL_ATAN2:
        return atan2(a, b);
    default:
        return compare(op, a, b);
    }
}

/* ---- with histograms ---- */

static const char *kind(struct promql_operand operand)
{
    return operand.h ? "histogram" : "float";
}

static bool incompatible(const struct promql_operator *apply,
                         struct promql_operand left,
                         struct promql_operand right)
{
    const char *op = promql_binary_text(apply->op);

    promql_info(apply->eval, apply->node,
                "incompatible sample types encountered for binary operator "
                "\"%s\": %s %s %s",
                op, kind(left), op, kind(right));
    return false;
}

static bool two_histograms(const struct promql_operator *apply,
                           struct promql_operand left,
                           struct promql_operand right,
                           struct promql_operand *result)
{
    struct arena *arena = apply->eval->run->arena;
    bool equal;

    switch (apply->op) {
    case PROMQL_ADD:
    case PROMQL_SUB:
        result->v = 0;
        result->h = promql_histogram_sum(arena, left.h, right.h,
                                         apply->op == PROMQL_ADD ? 1 : -1);
        if (!result->h && arena_status(arena) == OK)
            promql_warn(apply->eval, apply->node,
                        "incompatible bucket layout encountered for binary "
                        "operator %s",
                        promql_binary_text(apply->op));
        return result->h;
    case PROMQL_EQ:
    case PROMQL_NE:
        equal = promql_histogram_equal(left.h, right.h);
        *result = left;
        if (apply->returns_bool)
            *result = (struct promql_operand){equal == (apply->op == PROMQL_EQ),
                                              NULL};
        return apply->returns_bool || equal == (apply->op == PROMQL_EQ);
    default:
        return incompatible(apply, left, right);
    }
}

static bool with_histogram(const struct promql_operator *apply,
                           struct promql_operand left,
                           struct promql_operand right,
                           struct promql_operand *result)
{
    struct arena *arena = apply->eval->run->arena;

    if (left.h && right.h)
        return two_histograms(apply, left, right, result);
    result->v = 0;
    if (apply->op == PROMQL_MUL)
        result->h = promql_histogram_times(arena, left.h ? left.h : right.h,
                                           left.h ? right.v : left.v);
    else if (apply->op == PROMQL_DIV && left.h)
        result->h = promql_histogram_over(arena, left.h, right.v);
    else
        return incompatible(apply, left, right);
    return result->h;
}

bool promql_operate(const struct promql_operator *apply,
                    struct promql_operand left, struct promql_operand right,
                    struct promql_operand *result)
{
    if (left.h || right.h)
        return with_histogram(apply, left, right, result);
    if (promql_is_comparison(apply->op) && !apply->returns_bool) {
        *result = left;
        return compare(apply->op, left.v, right.v);
    }
    *result =
        (struct promql_operand){arithmetic(apply->op, left.v, right.v), NULL};
    return true;
}

/* ---- output ---- */

enum status promql_output_init(struct promql_output *output,
                               struct promql_eval *eval)
{
    *output = (struct promql_output){.room = promql_new_values(eval)};
    return output->room ? OK : promql_full(eval);
}

void promql_output_begin(struct promql_output *output, struct promql_eval *eval,
                         const struct promql_result_series *series, bool once)
{
    struct promql_run *run = eval->run;

    output->values =
        once && series->values == run->staying && !run->staying_histograms
            ? run->staying
            : output->room;
    if (output->any_histogram)
        memset(output->histograms, 0,
               eval->steps.count * sizeof(*output->histograms));
    output->any = output->any_histogram = false;
}

void promql_output_set(struct promql_output *output, struct promql_eval *eval,
                       uint32_t i, const struct promql_operand *sample)
{
    output->values[i] = sample && !sample->h ? sample->v : promql_absent();
    output->any |= sample != NULL;
    if (!sample || !sample->h)
        return;
    if (!output->histograms)
        output->histograms = arena_zero(eval->run->arena, eval->steps.count,
                                        sizeof(*output->histograms));
    if (!output->histograms)
        return;
    output->histograms[i] = sample->h;
    output->any_histogram = true;
}

/* ---- two scalars ---- */

static enum status two_scalars(struct promql_eval *eval,
                               const struct promql_binary *binary,
                               promql_push *push, void *arg)
{
    enum status s = OK;
    const double *left = promql_eval_scalar(eval, binary->left, &s), *right;
    double *values = promql_new_values(eval);
    struct promql_result_series out = {.values = values};

    if (s != OK)
        return s;
    right = promql_eval_scalar(eval, binary->right, &s);
    if (s != OK || !values)
        return s != OK ? s : promql_full(eval);
    for (uint32_t i = 0; i < eval->steps.count; i++)
        values[i] = arithmetic(binary->op, left[i], right[i]);
    return push(arg, &out);
}

/* ---- a vector and a scalar ---- */

struct scaler {
    struct promql_operator apply;
    const double *scalar;
    bool scalar_is_left;
    bool drops_name;
    struct promql_output output;
    struct promql_merge *merge; /* NULL: none is needed */
    promql_push *push;
    void *arg;
};

/* A comparison keeps the sample of the vector, whichever side it is on. */
static bool scale_one(const struct scaler *scaler, struct promql_operand sample,
                      double scalar, struct promql_operand *result)
{
    const struct promql_operand number = {scalar, NULL};
    const struct promql_operator *apply = &scaler->apply;

    if (!scaler->scalar_is_left)
        return promql_operate(apply, sample, number, result);
    if (!promql_operate(apply, number, sample, result))
        return false;
    if (promql_is_comparison(apply->op) && !apply->returns_bool)
        *result = sample;
    return true;
}

static enum status scaler_take(void *arg,
                               const struct promql_result_series *series)
{
    struct scaler *scaler = arg;
    struct promql_eval *eval = scaler->apply.eval;
    struct promql_output *output = &scaler->output;
    struct promql_result_series out = {.labels = series->labels};

    promql_output_begin(output, eval, series, true);
    for (uint32_t i = 0; i < eval->steps.count; i++) {
        struct promql_operand result;
        bool has = promql_has(series, i) &&
                   scale_one(scaler, promql_operand_at(series, i),
                             scaler->scalar[i], &result);

        promql_output_set(output, eval, i, has ? &result : NULL);
    }
    out.values = output->values;
    if (output->any_histogram)
        out.histograms = output->histograms;
    if (scaler->drops_name)
        out.labels = promql_labels_nameless(eval->run->arena, &series->labels);
    if (arena_status(eval->run->arena) != OK)
        return promql_full(eval);
    if (!output->any)
        return OK;
    return scaler->merge
               ? promql_merge_add(scaler->merge, &out, PROMQL_SAME_LABELS)
               : scaler->push(scaler->arg, &out);
}

static enum status vector_and_scalar(struct promql_eval *eval,
                                     const struct promql_node *node,
                                     promql_push *push, void *arg)
{
    const struct promql_binary *binary = &node->u.binary;
    bool left = binary->left->type == PROMQL_SCALAR;
    const struct promql_node *vector = left ? binary->right : binary->left;
    struct scaler scaler = {
        .apply = {eval, node, binary->op, binary->returns_bool},
        .scalar_is_left = left,
        .drops_name = promql_drops_name(binary),
        .push = push,
        .arg = arg,
    };
    struct promql_merge merge;
    enum status s;

    scaler.scalar =
        promql_eval_scalar(eval, left ? binary->left : binary->right, &s);
    if (!scaler.scalar)
        return s;
    s = promql_output_init(&scaler.output, eval);
    if (s != OK)
        return s;
    if (scaler.drops_name && promql_may_differ_by_name(vector)) {
        promql_merge_init(&merge, eval);
        scaler.merge = &merge;
    }
    s = promql_eval_node(eval, vector, scaler_take, &scaler);
    return s == OK && scaler.merge ? promql_merge_push(&merge, push, arg) : s;
}

enum status promql_eval_binary(struct promql_eval *eval,
                               const struct promql_node *node,
                               promql_push *push, void *arg)
{
    const struct promql_binary *binary = &node->u.binary;

    if (node->type == PROMQL_SCALAR)
        return two_scalars(eval, binary, push, arg);
    return vector_and_scalar(eval, node, push, arg);
}
