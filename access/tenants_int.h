/*
 * tenants_int - the table of tenants.h, for its files: tenants.c finds them and
 * keeps their limits, tenant_charge.c decides about what comes in,
 * tenants_usage.c says who uses what.
 */
#ifndef TENANTS_INT_H
#define TENANTS_INT_H

#include <pthread.h>

#include "reread_file.h"
#include "tenant_limits.h"
#include "tenants.h"

struct tenant {
    struct tenants *tenants;
    char *name; /* owned */
    uint32_t number;
    bool is_namespace;
    _Atomic uint64_t limits[LIMIT_COUNT]; /* 0: not set */

    pthread_mutex_t lock; /* of the bucket and the day */
    double level;         /* of the bucket, in records; below 0: debt */
    uint64_t filled_ns;   /* monotonic; 0: the bucket was never used */
    uint64_t day, bytes_today;

    uint64_t written; /* lately, under the lock of the window */

    _Atomic uint64_t records[TENANT_OUTCOMES];
    _Atomic uint64_t queries_ok, queries_refused, queries_failed, query_ns;
    atomic_uint connections;
    struct budget memory[TENANT_MEMORIES];
};

/* What was written to the journal lately: about as much as it can hold. */
struct tenant_window {
    pthread_mutex_t lock;
    uint64_t max, total;
    uint32_t active; /* tenants that wrote some of it */
};

struct tenants {
    pthread_rwlock_t lock; /* of the table and the limits */
    struct tenant **at;    /* never freed before the table */
    uint32_t count, room;
    struct map by_name;
    struct limits limits;
    struct tenant_window window;

    struct reread_file file; /* of the limits */
};

#endif
