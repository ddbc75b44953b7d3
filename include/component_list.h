/*
 * component_list - the components of a scope by their names, seen or declared,
 * and the figures of each now and in the time before.
 *
 * Purpose: one list of components for every answer that shows it.
 * Ownership: a struct component_list is the handler's and must not move; what
 *   it gathers is in the request's arena, and borrows from the snapshot.
 * Threads: one request, one thread.
 * Errors: what is wrong is answered with query_fail.
 */
#ifndef COMPONENT_LIST_H
#define COMPONENT_LIST_H

#include "component_extras.h"

enum { COMPONENT_LIST_MAX = 1000 };

struct list_entry {
    const struct component_info *info; /* NULL: declared only */
    const struct catalog_component *declared;
    struct identity id;
};

struct component_list {
    /* What is asked for. */
    struct query_request *request;
    struct scope_filter scope;
    struct window window; /* its start and end */
    uint64_t limit;
    struct identity cursor; /* only components after these names */
    bool has_cursor;
    struct component_extras *extras; /* NULL: none */
    /* What there is. */
    struct red red;
    struct metric_table now, before; /* by key_identity() */
    const struct component_info *infos;
    uint32_t info_count;
    struct list_entry *page;
    uint32_t count, total, unassigned; /* resources of no component */
    bool more;
};

MUST_CHECK enum status component_list_read(
    struct component_list *list, const struct catalog_snapshot *snapshot);

/* Entry i of the page. It points into itself and must not move. */
struct list_item {
    struct component_view component;
    struct figures now;
    struct list_previous {
        struct figures figures;
        const double *log_errors; /* NULL: not asked for */
    } previous;
    struct details_view details;    /* all NULL: not asked for */
    const struct usage_view *usage; /* NULL: not asked for */
    const struct spark_view *spark;
    struct usage_view of_usage;
    struct spark_view of_spark;
};
void component_list_item(struct component_list *list, uint32_t i,
                         struct list_item *item);

#endif
