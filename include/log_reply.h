/*
 * log_reply - a log record as answers show it, and the filters that select log
 * records.
 *
 * Purpose: what all routes over log records have in common: the members of the
 *   JSON body that select them, the table of an entry, and the struct it is
 *   written from.
 * Ownership: a view borrows from the record, the resource and the request's
 *   arena; a filter from the request.
 * Threads: one request, one thread.
 * Errors: what is wrong with a request is answered with query_fail; a full
 *   arena is seen after the handler.
 */
#ifndef LOG_REPLY_H
#define LOG_REPLY_H

#include "query_request.h"

/* DEBUG, INFO, WARN, ERROR or FATAL. */
const char *log_level_name(uint8_t level);
/* The bits of a filter word, 1 << enum level: FATAL is an error, TRACE is
 * debugging, and a record without any level is shown as INFO. 0: no such word.
 */
uint32_t log_level_filter(struct slice name);

/* Members of the body: logLevels, searchPhrase, searchWords, attributes,
 * traceId, spanId. */
struct log_ids {
    uint8_t trace_id[16], span_id[8];
};
enum status log_filters(struct query_request *request, struct log_query *query,
                        struct log_ids *ids);

struct log_metadata {
    const struct identity *identity;
    struct slice container, pod, pod_namespace;
};
struct log_entry {
    struct list_time time;
    struct slice text, event_name, endpoint;
    const char *level;
    const struct log_metadata *metadata; /* NULL: of a workflow run */
    uint8_t trace_id[16], span_id[8];
    const struct attrs *attrs;
};
struct log_view {
    struct log_entry entry;
    struct log_metadata metadata;
};
extern const struct reply_table log_entry_table; /* of struct log_entry */

/* attributes: they are shown. */
const struct log_entry *log_view_fill(struct log_view *view,
                                      struct query_request *request,
                                      const struct log_record *log,
                                      struct list_time time, bool attributes);

#endif
