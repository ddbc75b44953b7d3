/*
 * query_wait - a query that waits for log records without a worker.
 *
 * Purpose:   a handler that found nothing asks to be run again when records
 *   have arrived, its time is over, or the client has left. Meanwhile it holds
 *   no worker, no reader and no memory but its connection and its request.
 * Ownership: the wait is part of the queued query, and outlives its runs.
 * Threads:   query_wait_logs: the worker. One thread looks whether there is
 *   something new; it runs while somebody waits.
 * Errors:    ERR_LIMITED: too many wait already. ERR_DEADLINE: the time is
 * over, or it is not possible here: the handler answers.
 *
 *   if (count == 0) {
 *       s = query_wait_logs(request, seen_lsn, seconds);
 *       if (s == OK)
 *           return OK; // the handler runs again, from its beginning
 *   }
 */
#ifndef QUERY_WAIT_H
#define QUERY_WAIT_H

#include <pthread.h>

#include "query_request.h"

enum {
    QUERY_WAITS = 256,       /* in all */
    QUERY_WAITS_HOLDER = 32, /* of one tenant, or address */
};

struct query_waits;

struct query_wait {
    struct query_waits *waits;
    struct access_waiter *waiter; /* its ready() runs the query again */
    struct query_wait *next;
    const struct http_request *http; /* suspended while it waits */
    uint64_t seen_lsn, until_ns;     /* until_ns: monotonic; 0: not begun */
};

struct query_waits {
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    struct query_wait *first;
    uint32_t count;
    bool running, stopping;
};

void query_waits_init(struct query_waits *waits, struct store *store);
/* All that wait run again, and none waits any more. */
void query_waits_stop(struct query_waits *waits);

/* From now on at most so many seconds after the first call, or until a batch of
 * log records after this lsn is stored. OK: return at once. */
MUST_CHECK enum status query_wait_logs(struct query_request *request,
                                       uint64_t seen_lsn, uint64_t seconds);

#endif
