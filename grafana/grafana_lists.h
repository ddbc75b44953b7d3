/*
 * grafana_lists - names to choose from: for variables, options and tags.
 *
 * Purpose:   one place that lists namespaces ... series names, narrowed to what
 *            the query selects and the viewer may see.
 * Ownership: texts are in the request's arena.
 * Threads:   one request, one thread.
 * Errors:    answered with query_fail().
 */
#ifndef GRAFANA_LISTS_H
#define GRAFANA_LISTS_H

#include "grafana_query.h"

enum { LIST_MAX_TEXTS = 5000 };
#define LIST_RANGE_NS (24 * UINT64_C(3600000000000)) /* where none is given */

struct text_list {
    struct slice *at; /* in order, each once */
    uint32_t count, room;
};

/* kind: "namespaces", "components", "endpoints", "pods", "levels", "series
 * names" ..., singular or plural; *known: false, there is no such list. The
 * scope of q is not selected yet. */
MUST_CHECK enum status list_names(struct grafana_query *q, struct slice kind,
                                  struct text_list *list, bool *known);

/* Values of an attribute of resources. */
MUST_CHECK enum status list_attribute(struct grafana_query *q, struct slice key,
                                      struct text_list *list);
/* Keys of attributes of resources. */
MUST_CHECK enum status list_attribute_keys(struct grafana_query *q,
                                           struct text_list *list);

/* Metrics are viewed by most who view anything; else what may be viewed. */
void list_choose_action(struct query_request *request);

#endif
