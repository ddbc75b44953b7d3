/*
 * log_params - the filters of logs/query as parameters of the query string.
 *
 * Purpose: logLevels, searchWords: separated by commas; searchPhrase, traceId,
 *   spanId; attr=KEY=VALUE, repeated. For routes with the flag TAKES_FORM.
 * Ownership: borrowed from the request, lists are in its arena.
 * Threads: one request, one thread.
 * Errors: query_invalid().
 */
#ifndef ANALYSIS_LOG_PARAMS_H
#define ANALYSIS_LOG_PARAMS_H

#include "log_reply.h"

enum status log_params(struct query_request *request, struct log_query *query,
                       struct log_ids *ids);

/* attr=KEY=VALUE, repeated. */
enum status attr_params(struct query_request *request,
                        const struct attr_match **attrs, uint32_t *count);

/* Parts of a parameter between commas, without blanks around them. */
enum status list_param(struct query_request *request, const char *name,
                       const struct slice **items, uint32_t *count);

/* true or false; absent: it stays. */
enum status bool_param(struct query_request *request, const char *name,
                       bool *value);
/* 250ms, 15s, 1m30s; absent: it stays. */
enum status duration_param(struct query_request *request, const char *name,
                           uint64_t *ns);

#endif
