/*
 * metric_expr - the engine for series: typed expressions over metrics.
 *
 *   select ─► increase or value ─► group ─► grid ─► sum, merge ─► quantile
 *
 * An expression is a tree of struct metric_expr. Its leaves select series and
 * say what is taken of them; OTLP's rules for temporality, resets, unknown
 * start times, attribute sets and units apply below the leaves
 * (counter_increase.h, series_set.h, units.h). A struct metric_table evaluates
 * expressions like GROUP BY: it has one group for each distinct set of values
 * of the attributes `by`, and each expression has one value per group and cell
 * of the grid. Many tables are filled in one pass over the store.
 *
 * The 99th percentile of each endpoint, minute by minute:
 *
 *   static const struct slice durations[] = {...};
 *   static const char *const by[] = {"endpoint", NULL};
 *   const struct metric_expr latency = {
 *       EXPR_HISTOGRAM, .select = {.names = durations, .name_count = 2}};
 *   const struct metric_expr p99 = {
 *       EXPR_QUANTILE, .number = .99, .args = {&latency}};
 *   struct metric_table table, *tables[] = {&table};
 *
 *   metric_table_init(&table, arena, &grid, by);
 *   metric_table_add(&table, &p99);
 *   s = metric_read(tables, 1, &source);
 *   for each group: metric_value(&table, table.groups[i], &p99, cell)
 *
 * docs/query-api.md shows the expressions of the component page. A query
 * language or an alert rule compiles to the same tree.
 *
 * Purpose:   One place for select, rate, group, grid, merge and quantile.
 * Ownership: Expressions, grids and keys are the caller's and outlive the
 *            table; groups are in the arena of the table.
 * Threads:   One at a time per table.
 * Errors:    metric_read() returns the status of the store or of the arena;
 *            functions that return bool or a pointer fail when the arena is
 *            full.
 */
#ifndef METRIC_EXPR_H
#define METRIC_EXPR_H

#include "grid.h"
#include "hist.h"
#include "map.h"
#include "metric_names.h"
#include "series_set.h"
#include "status.h"
#include "store_query.h"

/* Which series: those of some names, or the well-known metrics of some
 * meanings (metric_names.h), in base units. */
struct metric_selector {
    const struct slice *names;
    uint32_t name_count; /* 0: by meaning */
    enum metric_meaning first, last;
    /* Of several sources that measure the same about one entity (a pod, a
     * component) only the best is used; true: the pod that Prometheus labels
     * name is the entity, false: the entity of the resource alone. */
    bool pod_labels;
    struct slice label, value; /* an attribute they must have; or empty */
    uint32_t outcomes;         /* bits 1 << enum metric_outcome; 0: any */
};

enum metric_op {
    /* Leaves. */
    EXPR_INCREASE,  /* how much counters grew; of histograms the count */
    EXPR_AVERAGE,   /* gauges: the mean value; counters: per second */
    EXPR_INTEGRAL,  /* gauges: value times seconds; counters: the increase */
    EXPR_HISTOGRAM, /* how much the buckets grew; its value is the count */
    /* Of args[0], a EXPR_HISTOGRAM. */
    EXPR_QUANTILE, /* number: 0 to 1 */
    EXPR_MEAN,
    /* Of the values of args. Unknown values stay unknown, but count as 0 where
     * they are added to or subtracted from a known one. */
    EXPR_PER_SECOND, /* args[0] over the part of the cell that has passed */
    EXPR_ADD,
    EXPR_SUBTRACT, /* not below 0 */
    EXPR_DIVIDE,
    EXPR_OR_ZERO, /* args[0], or 0 where only args[1] is known */
};

struct metric_expr {
    enum metric_op op;
    struct metric_selector select; /* leaves */
    /* Leaves: no points between two known cells mean 0, not unknown. */
    bool fill_gaps;
    double number;
    const struct metric_expr *args[2];
};

struct metric_group {
    uint64_t key;
    const struct attr *labels;   /* the values of `by`, in its order */
    uint32_t resource_id;        /* by_resource */
    void *item;                  /* the caller's */
    struct metric_group *target; /* of table.sums */
    struct metric_group *next;   /* the caller's: lists of groups */
    struct series_cells *cells;  /* by leaf */
};

/* The key of the only group of a table without keys. */
#define METRIC_TOTAL_KEY UINT64_C(1)

enum { METRIC_MAX_LEAVES = 16, METRIC_MAX_BY = 16 };

struct metric_table {
    struct arena *arena;
    struct grid grid;
    const char *const *by; /* keys of attributes, NULL at the end */
    uint32_t by_count;     /* METRIC_MAX_BY at most */
    bool by_resource;      /* and by resource; set after metric_table_init() */
    /* Groups may be summed in those of another table with the same leaves and
     * grid, so that memory goes by what is shown: `target` is asked once for
     * the target of each group (which has labels and resource_id, no cells);
     * NULL: its points are left out, or the arena is full. */
    struct metric_table *sums; /* NULL: the groups have cells themselves */
    struct metric_group *(*target)(void *arg, const struct metric_group *group);
    void *target_arg;
    const struct metric_expr *leaves[METRIC_MAX_LEAVES];
    uint32_t leaf_count;
    struct metric_group **groups; /* in order of their first point */
    uint32_t count, room;
    struct map index;       /* of keys */
    struct series_set *set; /* of what is no derived series */
    /* Called for each point of a derived series that is in the grid. */
    void (*visit)(void *arg, struct metric_group *group,
                  const struct point *point);
    void *visit_arg;
};

/* by: NULL for no keys: all points are in one group. */
void metric_table_init(struct metric_table *table, struct arena *arena,
                       const struct grid *grid, const char *const *by);

/* The table will evaluate this expression; before the table has groups. False:
 * it has too many leaves. */
bool metric_table_add(struct metric_table *table,
                      const struct metric_expr *expr);

/* Where points come from. */
struct metric_source {
    enum status (*read)(void *arg, const struct series_query *query,
                        point_visit *visit, void *visit_arg);
    /* What the metrics of a resource are about (a pod, a component), as a
     * number; called after all points were read. NULL: the resource. */
    series_entity *entity;
    void *arg; /* of both */
    const struct bitmap *resources;
    struct arena *arena; /* for what is needed while reading */
    point_visit *also;   /* sees each point that was read; NULL: none does */
    void *also_arg;
};

/* Fills the tables in one pass. */
MUST_CHECK enum status metric_read(struct metric_table *const *tables,
                                   uint32_t count,
                                   const struct metric_source *source);

/* NAN: unknown. */
double metric_value(const struct metric_table *table,
                    const struct metric_group *group,
                    const struct metric_expr *expr, uint32_t cell);

/* The value of the first cell, 0 if it is unknown or there is no group (NULL).
 */
double metric_first(const struct metric_table *table,
                    const struct metric_group *group,
                    const struct metric_expr *expr);

/* What a EXPR_HISTOGRAM has in a cell; NULL: nothing was seen. */
const struct hist *metric_hist(const struct metric_table *table,
                               const struct metric_group *group,
                               const struct metric_expr *leaf, uint32_t cell);

/* Was anything selected by this leaf seen, of any group? */
bool metric_seen(const struct metric_table *table,
                 const struct metric_expr *leaf);

/* The one group of a table without keys; NULL: the arena is full. */
struct metric_group *metric_total(struct metric_table *table);

/* ---- grouping again, by what is no attribute of the points ---- */

/* The group with this key; NULL: there is none. */
const struct metric_group *metric_group_find(const struct metric_table *table,
                                             uint64_t key);

/* The group with this key, empty at first; NULL: the arena is full. */
struct metric_group *metric_group_at(struct metric_table *table, uint64_t key);

/* The same with an item of that size, zeroed where the group is new. */
struct metric_group *metric_group_with(struct metric_table *table, uint64_t key,
                                       size_t item_size);

/* Adds a group of a table whose leaves have the same operations in the same
 * order, on the same grid. The first one gives the labels. */
bool metric_group_add(struct metric_table *table, struct metric_group *to,
                      const struct metric_group *from);

/* Adds all groups of a table under other keys; 0: it is left out. key NULL:
 * all to the total. */
typedef uint64_t metric_group_key(void *arg, const struct metric_group *group);
bool metric_regroup(struct metric_table *to, const struct metric_table *from,
                    metric_group_key *key, void *arg);

/* The text of a label; empty if the points had none or no text. */
struct slice metric_label(const struct metric_group *group, uint32_t by);

/* Of the groups in the list that begins with `group` (metric_group.next): the
 * text of this label that has most by the expression, in the first cell; texts
 * that are empty do not count. */
struct slice metric_top_label(const struct metric_table *table,
                              const struct metric_group *group, uint32_t by,
                              const struct metric_expr *expr);

/* For qsort(): the group with the larger value first, then by key. */
static inline int metric_group_order(const struct metric_group *a, double of_a,
                                     const struct metric_group *b, double of_b)
{
    if (of_a != of_b)
        return of_a > of_b ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

/* The groups by the value of the first cell, largest first, then by key, so
 * that the order is the same each time; NULL at the end. NULL: the arena is
 * full. */
struct metric_group **metric_sorted(const struct metric_table *table,
                                    const struct metric_expr *expr);

#endif
