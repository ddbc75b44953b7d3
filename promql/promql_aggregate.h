/*
 * promql_aggregate - groups of series by labels.
 */
#ifndef PROMQL_AGGREGATE_H
#define PROMQL_AGGREGATE_H

#include "promql_eval.h"

enum { PROMQL_GROUP_LABELS = 64 };

struct promql_groups {
    struct promql_eval *eval;
    struct promql_names names;
    bool without;
    struct promql_labels *labels; /* of each group */
    uint32_t count, room;
    struct map index;
};

void promql_groups_init(struct promql_groups *groups, struct promql_eval *eval,
                        const struct promql_aggregate *aggregate);

/* The number of the group of these labels, made if need be; MAP_NONE: the arena
 * is full. */
uint32_t promql_group_of(struct promql_groups *groups,
                         const struct promql_labels *labels);

/* The same, but MAP_NONE if there is none. */
uint32_t promql_group_find(struct promql_groups *groups,
                           const struct promql_labels *labels);

/* Fails if the parameter of an aggregation cannot be what it is, at a step. */
enum status promql_check_limits(struct promql_eval *eval,
                                enum promql_aggregate_op op,
                                const double *param);

#endif
