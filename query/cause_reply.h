/*
 * cause_reply - a cause report as JSON.
 *
 * Purpose: the answer of /api/v1/cause, for its routes and for reports.
 * Ownership: the view is in the arena, and borrows from the report.
 * Threads: pure.
 * Errors: NULL: the arena is full.
 */
#ifndef CAUSE_REPLY_H
#define CAUSE_REPLY_H

#include "cause.h"
#include "query_request.h"

extern const struct reply_table cause_table;

struct cause_view;

const struct cause_view *cause_view_make(const struct cause_report *report,
                                         struct arena *arena);

/* ---- query_cause.c ---- */

/* What POST takes; flags of params_scope(). */
enum status cause_read(struct query_request *request, int flags,
                       struct cause_query *query);
/* cause_find() for a request; query->viewer NULL: its own. */
enum status cause_run(struct query_request *request, struct cause_query *query,
                      struct cause_report **report);

#endif
