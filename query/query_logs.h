/*
 * query_logs - what log records and events have in common: both are log
 * records, read page by page.
 *
 * Purpose: filters of both routes, and the walk over the records found. The
 *   routes are in query_logs.c and query_events.c.
 * Ownership: a search is the handler's; it points into itself and must not
 *   move. Texts are borrowed from the request.
 * Threads: one request, one thread.
 * Errors: what is wrong with a request is answered with query_fail.
 */
#ifndef QUERY_LOGS_H
#define QUERY_LOGS_H

#include "log_reply.h"
#include "paging.h"

struct log_search {
    struct log_query query;
    struct scope_filter scope;
    struct list_window window;
    bool attributes; /* in each entry */
    struct log_ids ids;
};

/* The records found, while they are written one at a time: `arg` of an item. */
struct log_list {
    struct query_request *request;
    const struct log_search *search;
    const struct log_record *logs;
    struct list_page page;
    void *entry; /* of the route, filled in by its item */
};

/* What both routes read, beside their filters: limit, sortOrder, the window.
 * The scope is read already. */
enum status log_search_read(struct query_request *request,
                            struct log_search *search);

/* Reads the records and writes the answer, each record as `item` shows it.
 * entry: the struct that `item` fills in. */
MUST_CHECK enum status log_search_answer(struct query_request *request,
                                         const struct log_search *search,
                                         reply_item *item, void *entry,
                                         const struct reply_table *table);

#endif
