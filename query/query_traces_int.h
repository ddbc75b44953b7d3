/* query_traces_int - what the files of the trace routes share. */
#ifndef QUERY_TRACES_INT_H
#define QUERY_TRACES_INT_H

#include "query_request.h"

/* Which spans of a trace in the scope are shown. Spans that other namespaces
 * sent in the same trace are hidden. */
enum status traces_select_visible(struct query_request *request,
                                  const struct scope_filter *scope,
                                  const struct bitmap **visible);

/* query_traces_list.c: the handler of the list. */
enum status traces_query_list(struct query_request *request);
extern const struct reply_table traces_list_table;

#endif
