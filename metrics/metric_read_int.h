/*
 * metric_read_int - one pass over the store: what is read
 * (metric_read_select.c), and what becomes of it (metric_read.c).
 */
#ifndef METRIC_READ_INT_H
#define METRIC_READ_INT_H

#include "metric_expr_int.h"

enum { MAX_MEANINGS = 4 }; /* rows of metric_names that fit one point */

/* A name that is read, and which leaves of each table want it. */
struct selected_name {
    struct slice name;
    const struct metric_name *known; /* NULL: no well-known metric */
    bool derived;
    uint32_t *leaves; /* bits, by table */
};

/* The series that the table's last point was of. */
struct last_series {
    uint64_t key;
    struct series_point at[MAX_MEANINGS];
    uint32_t count;
    bool any;
    struct metric_group *group; /* of a derived series; NULL: not looked up */
};

struct metric_reading {
    const struct metric_source *source;
    struct metric_table *const *tables;
    uint32_t table_count;
    struct selected_name *names;
    uint32_t name_count, name_room;
    uint32_t last_name;       /* of the last point: the next is like it */
    struct last_series *last; /* by table */
    uint64_t start_ns, end_ns;
    bool full;
};

/* The time and the series that a table needs. False: the arena is full. */
bool metric_prepare(struct metric_reading *r, uint32_t table);
/* Derived series alone, whose increases need no buckets. */
bool metric_counts_suffice(const struct metric_reading *r);
/* Does a table look at the points of derived series itself? */
bool metric_visits(const struct metric_reading *r);
/* NULL: not asked for. */
const struct selected_name *metric_name_of(struct metric_reading *r,
                                           struct slice text);
/* Whether a point has the attributes that a selector asks for. */
bool metric_has_attributes(const struct metric_selector *select,
                           const struct point *point);
/* Whether a derived series has the attributes that any leaf selects, so that
 * points of others are not decoded; for series_query.wants_series, where any
 * selects by a label. */
bool metric_wants_series(void *reading, const struct point *head);
bool metric_selects_by_label(const struct metric_reading *r);

#endif
