/*
 * find_traces - traces of a scope, summed up; for find_*.c only.
 *
 *   find_traces.c    the request, what is read, in which order it is listed
 *   find_failures.c  where failed traces failed
 *   find_groups.c    equal traces together, and those that are unlike theirs
 *   find_reply.c     the answer
 */
#ifndef FIND_TRACES_H
#define FIND_TRACES_H

#include "query_request.h"
#include "slowest_traces.h"

/* Traces that are read for the summary. */
enum { FIND_EXAMINED = SLOWEST_KNOWN };

struct found_trace {
    struct trace_summary summary;
    uint64_t duration_ns;
    const struct identity *root; /* of the root's resource; may be empty */
    const struct identity *failing;
    struct slice failing_name, failing_message; /* empty: it did not fail, or
                                                   was not looked into */
    uint8_t failing_id[8];
};

/* Traces with one root operation that ended in one way. */
struct trace_group {
    const struct found_trace *first; /* the newest of them */
    const struct found_trace *slowest;
    uint32_t count;
    uint64_t p50_ns, p99_ns, oldest_ns, newest_ns;
    struct slice exception_type; /* of `first` */
};

/* Much slower than the median of its operation. */
struct trace_outlier {
    const struct found_trace *trace;
    uint64_t median_ns;
    uint32_t of; /* traces of this operation */
};

enum { FIND_GROUPS = 20, FIND_OUTLIERS = 10 };

struct found_traces {
    struct query_request *request;
    struct scope_filter scope;
    struct trace_query query;
    bool by_duration, filtered;
    uint32_t limit;

    struct trace_summary *summaries; /* the newest ones */
    struct found_trace *examined;    /* the same */
    uint32_t examined_count;
    uint64_t total;
    bool is_lower_bound;
    uint32_t failures, failures_examined;

    struct found_trace *listed;
    uint32_t listed_count;
    bool more, exact; /* exact: none of the window belongs before one listed */

    struct trace_group *groups; /* failed ones first, then by number */
    uint32_t group_count, group_total;
    struct trace_outlier outliers[FIND_OUTLIERS];
    uint32_t outlier_count;
};

/* ---- find_failures.c ---- */

/* Fills in where the first of them failed. ERR_... are answered. */
MUST_CHECK enum status find_trace_failures(struct found_traces *found,
                                           struct found_trace *traces,
                                           uint32_t count);
/* The exception of a group's example. */
MUST_CHECK enum status find_trace_exception(struct found_traces *found,
                                            struct trace_group *group);

/* ---- find_groups.c ---- */

MUST_CHECK enum status find_trace_groups(struct found_traces *found);

/* ---- find_reply.c ---- */

extern const struct reply_table found_traces_table;

void find_traces_reply(struct found_traces *found);

#endif
