/*
 * cost_read - what components cost in each step of a window, from their series.
 *
 * The window is divided into hours from its start on. Of each pod and hour the
 * larger of request and usage is paid, of CPU and of memory (docs/costs.md).
 * The series are read slice by slice (some hours), so that memory goes by
 * components and steps, not by series and hours.
 *
 * Purpose:   one reading for the routes of costs and of right-sizing.
 * Ownership: all is in the arena of the request.
 * Threads:   one request, one thread.
 * Errors:    what is wrong is answered with query_fail.
 */
#ifndef COST_READ_H
#define COST_READ_H

#include <math.h>

#include "map.h"
#include "metric_expr.h"
#include "prices.h"
#include "query_request.h"
#include "right_size.h"

#define COST_GIB 1073741824.0

#define COST_NONE UINT32_MAX
enum { COST_MAX_ITEMS = 100000 };

/* Of a component in a step, of CPU and of memory: in cores or GiB times hours,
 * and what that costs. */
struct cost_cell {
    double paid[PRICE_KINDS], used[PRICE_KINDS];
    double cost[PRICE_KINDS], used_cost[PRICE_KINDS];
    double pod_hours;            /* hours in which its pods were seen */
    uint32_t hours;              /* hours in which it was seen */
    uint8_t requested, measured; /* bits 1 << kind: known of a pod */
};

struct cost_component {
    struct identity identity; /* component empty: of none */
    struct cost_cell *steps;
    uint64_t *seen;               /* bits: hours with data */
    struct sizing *sizing;        /* NULL: not asked for */
    uint64_t *named[PRICE_KINDS]; /* bits: hours in which pods that are known
                                     by name had usage */
};

/* What is known of a resource, once looked up. */
struct cost_resource {
    uint32_t id, component;      /* COST_NONE: its series do not count */
    uint32_t node;               /* COST_NONE: not known */
    uint64_t pod;                /* metric_pod_entity(), or its own number */
    bool named;                  /* it says which pod it is */
    const struct price_row *row; /* by its own attributes; NULL: none */
};

struct cost_report {
    struct query_request *request;
    struct scope_filter scope;
    const struct bitmap *resources;
    struct price_table *prices;
    uint64_t start_ns, end_ns, step_ns; /* step: whole hours */
    uint32_t steps, hours;
    bool sizes;      /* for right-sizing: limits, quantiles, risks */
    bool unassigned; /* what is of no component counts as one */

    struct cost_component *components;
    uint32_t count, room;
    struct map index; /* of names */
    struct cost_resource *known;
    uint32_t known_count, known_room;
    struct map known_index;   /* of ids */
    struct cost_nodes *nodes; /* NULL: not asked for */
    bool too_many;            /* components for so many steps */
    uint64_t first_ns;        /* of the first hour with data; 0: none */
};

/* Fills the components. The members above the components are set. */
MUST_CHECK enum status cost_read(struct cost_report *report);

/* In the order of their names, rather than of the series that were read first.
 * At the end: cost_resource() knows components by number. */
void cost_sort_components(struct cost_report *report);

/* Of CPU or memory; NAN: nothing is known. Programs may send anything, and an
 * amount below 0 would lower what others pay. */
static inline double cost_amount(const struct metric_table *table,
                                 const struct metric_group *group,
                                 const struct metric_expr *expr, uint32_t cell)
{
    double value = metric_value(table, group, expr, cell);

    return isfinite(value) && value >= 0 ? value : (double)NAN;
}

/* The step of an hour. */
static inline uint32_t cost_step(const struct cost_report *report,
                                 uint64_t time_ns)
{
    return (uint32_t)((time_ns - report->start_ns) / report->step_ns);
}
/* Its end is that of the window at most. */
uint64_t cost_step_end(const struct cost_report *report, uint32_t step);

/* All steps together. */
struct cost_cell cost_total(const struct cost_report *report,
                            const struct cost_component *component);
void cost_cell_add(struct cost_cell *to, const struct cost_cell *from);
/* Used of what is paid, from 0 to 1. */
double cost_efficiency(const struct cost_cell *cell);

/* ---- cost_identity.c ---- */

/* NULL: the arena is full. `scratch`: memory that is freed after the slice. */
const struct cost_resource *cost_resource(struct cost_report *report,
                                          uint32_t id, struct arena *scratch);

/* ---- cost_slice.c ---- */

/* Adds the hours from start_ns to end_ns; memory of `scratch` is not needed
 * afterwards. Nothing was added unless it returns OK. */
MUST_CHECK enum status cost_read_slice(struct cost_report *report,
                                       struct arena *scratch, uint64_t start_ns,
                                       uint64_t end_ns);

/* ---- cost_events.c ---- */

/* Adds what Kubernetes' events say of OOM kills, after cost_read(). Has
 * answered with query_fail on failure. */
MUST_CHECK enum status cost_count_kills(struct cost_report *report);

/* From the store to metric tables. */
MUST_CHECK enum status cost_read_tables(struct cost_report *report,
                                        const struct bitmap *resources,
                                        struct arena *scratch,
                                        struct metric_table *const *tables,
                                        uint32_t count);

#endif
