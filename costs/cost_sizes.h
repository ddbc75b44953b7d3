/*
 * cost_sizes - what right-sizing needs of a slice, and the tables of pods that
 * it shares with costs.
 *
 * Purpose:   from series to the distribution of usage, the present requests and
 *            limits, and what went wrong.
 * Ownership: all is in the memory of the slice; results are in the components.
 * Threads:   one request, one thread.
 * Errors:    a full arena.
 */
#ifndef COST_SIZES_H
#define COST_SIZES_H

#include "cost_read.h"

/* A reading of tables whose groups are pods. */
struct cost_tables {
    struct cost_report *report;
    struct arena *scratch;
    struct metric_table *pods;
};

/* A pod in a slice; item of a group of pods. */
struct cost_pod {
    uint32_t component, node;
    const struct price_row *row;
    bool named, known;
};

/* The group of a pod in reading->pods (struct metric_table.target). */
struct metric_group *cost_pod_of(void *arg, const struct metric_group *group);

enum { COST_SIZE_TABLES = 3 };
struct cost_sizes {
    struct cost_report *report;
    struct grid fine; /* of five minutes */
    struct metric_table raw[COST_SIZE_TABLES], to[COST_SIZE_TABLES];
    struct cost_tables reading[COST_SIZE_TABLES];
};

/* by: as cost_pod_of() needs them. */
void cost_sizes_init(struct cost_sizes *sizes, struct cost_report *report,
                     struct arena *scratch, const struct grid *grid,
                     const char *const *by, struct metric_table **tables);

/* After the tables were read, and what pods pay was added. */
void cost_sizes_add(struct cost_sizes *sizes);

#endif
