/*
 * metric_expr_int - what metric_expr.c and metric_read.c share.
 */
#ifndef METRIC_EXPR_INT_H
#define METRIC_EXPR_INT_H

#include "metric_expr.h"

/* The group of a point; NULL: the arena is full. */
struct metric_group *metric_group_of(struct metric_table *table,
                                     const struct point *point);

/* The cells of a leaf, allocated when they are first used. */
struct series_cells *metric_cells_at(struct metric_table *table,
                                     struct metric_group *group, uint32_t leaf);

#endif
