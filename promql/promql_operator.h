/*
 * promql_operator - binary operators on two samples.
 */
#ifndef PROMQL_OPERATOR_H
#define PROMQL_OPERATOR_H

#include "promql_eval.h"

/* A float, or a histogram. */
struct promql_operand {
    double v;
    const struct promql_histogram *h;
};

/* An apply, and what it noticed. */
struct promql_operator {
    struct promql_eval *eval;
    const struct promql_node *node;
    enum promql_binary_op op;
    bool returns_bool;
};

static inline struct promql_operand promql_operand_at(
    const struct promql_result_series *series, uint32_t i)
{
    return (struct promql_operand){
        series->values[i], series->histograms ? series->histograms[i] : NULL};
}

/* False: there is no result. A comparison without bool yields the left operand;
 * a full arena is seen by its status. */
bool promql_operate(const struct promql_operator *apply,
                    struct promql_operand left, struct promql_operand right,
                    struct promql_operand *result);

/* Operators whose result has no __name__. */
static inline bool promql_drops_name(const struct promql_binary *binary)
{
    return binary->returns_bool ||
           !(promql_is_comparison(binary->op) || promql_is_set_op(binary->op));
}

/* The result of an operation on a series. Where that stays in the arena and has
 * no histograms, the values are written in its place. */
struct promql_output {
    double *room, *values;
    const struct promql_histogram **histograms; /* once there is one */
    bool any, any_histogram;
};
enum status promql_output_init(struct promql_output *output,
                               struct promql_eval *eval);
/* For the next series; `once`: each of its steps is set once. */
void promql_output_begin(struct promql_output *output, struct promql_eval *eval,
                         const struct promql_result_series *series, bool once);
/* NULL: nothing. */
void promql_output_set(struct promql_output *output, struct promql_eval *eval,
                       uint32_t i, const struct promql_operand *sample);

#endif
