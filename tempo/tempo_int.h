/*
 * tempo_int - what the files of tempo/ share.
 *
 * Purpose:   handlers of routes, and parameters of the query string as Tempo
 *            has them: times in seconds, Go durations, a limit.
 * Ownership: as in query_request.h.
 * Threads:   one request, one thread.
 * Errors:    the first one is answered with query_fail().
 */
#ifndef TEMPO_INT_H
#define TEMPO_INT_H

#include "query_request.h"

#define TEMPO_TEXT "text/plain; charset=utf-8"

/* ---- tempo_params.c ---- */

/* A name that may be absent: ptr NULL. */
enum status tempo_number(struct query_request *request, const char *name,
                         uint64_t most, uint64_t *value);
enum status tempo_duration(struct query_request *request, const char *name,
                           uint64_t *ns);
/* start and end, in seconds or finer; absent: the last hour. */
enum status tempo_range(struct query_request *request, uint64_t *start_ns,
                        uint64_t *end_ns);

/* ---- handlers ---- */

enum status tempo_trace(struct query_request *request);    /* tempo_trace.c */
enum status tempo_trace_v2(struct query_request *request); /* likewise */
enum status tempo_tags(struct query_request *request);     /* tempo_tags.c */
enum status tempo_tags_v2(struct query_request *request);
enum status tempo_tag_values(struct query_request *request);
enum status tempo_tag_values_v2(struct query_request *request);
enum status tempo_search(struct query_request *request); /* tempo_search.c */

#endif
