/*
 * metric_limits - metrics of limited resources.
 *
 * Purpose: says how much of a limited resource is used: a share of it, or usage
 * and limit side by side.
 * Ownership: the table is constant; names point into it.
 * Threads: any; there is no state.
 * Errors: metric_limit_names() returns NULL when the arena is full.
 */
#ifndef METRIC_LIMITS_H
#define METRIC_LIMITS_H

#include "arena.h"

enum limit_role {
    LIMIT_SHARE,
    LIMIT_USED,
    LIMIT_LEFT, /* what is not used */
    LIMIT_TOTAL
};

struct metric_limit {
    const char *name, *class, *title; /* class: cpu, memory, disk, pool */
    uint8_t role;                     /* enum limit_role */
    uint8_t group;  /* LIMIT_USED, _LEFT, _TOTAL of one group belong together */
    const char *of; /* what the total is; NULL: its limit */
};

/* NULL if it is none of these. */
const struct metric_limit *metric_limit_find(struct slice name);

/* All names, for a query. */
const struct slice *metric_limit_names(struct arena *arena, uint32_t *count);

#endif
