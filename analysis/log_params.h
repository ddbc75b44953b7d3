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

#endif
