/*
 * query_memory - whose memory a query uses, and how it waits for it.
 *
 * The panels of a dashboard are asked for at the same time: those that do not
 * fit beside each other run one after the other instead of being refused.
 *
 * Purpose:   the budget of a query, and when one that lacked memory runs again.
 * Ownership: all is the caller's; what the query allocated is freed.
 * Threads:   those of queries; one at a time has the turn.
 * Errors:    none: a query that waited too long stays refused.
 */
#ifndef QUERY_MEMORY_H
#define QUERY_MEMORY_H

#include <pthread.h>

#include "query_request.h"
#include "tenants.h"

/* That of a namespace is part of that of all. */
struct budget *query_budget(struct budget *all, struct tenant *tenant);

struct memory_wait {
    pthread_mutex_t *turn;
    const atomic_bool *disconnected; /* the client */
    int tries;
};

/* After a run. True: it lacked memory that others held, which is there now. */
bool memory_wait(struct memory_wait *wait, const struct query_request *request);

/* After the last run. */
void memory_wait_end(struct memory_wait *wait);

#endif
