/* clickhouse_int - the engine, for its files. */
#ifndef CLICKHOUSE_INT_H
#define CLICKHOUSE_INT_H

#include <pthread.h>

#include "ch_block.h"
#include "ch_metadata.h"
#include "ch_reader.h"
#include "ch_resources.h"
#include "ch_retention.h"
#include "clickhouse.h"
#include "store_ops.h"

/* What was answered last. */
struct ch_sizes_known {
    pthread_mutex_t mutex;
    struct store_sizes sizes;
    bool any;
};

struct clickhouse {
    struct store_head head; /* first: it is a struct store */
    struct ch_client *client;
    struct ch_metadata metadata;
    struct ch_resources *log;
    const struct store_resources *resources; /* NULL: not set yet */
    struct ch_block_engine blocks;
    struct budget queries;
    struct ch_sizes_known sizes;
    struct ch_retention retention;
    char *cluster, *database; /* of retention.schema */
    atomic_bool stopping;
    /* ClickHouse's clock less ours, of the last tail of log records. */
    _Atomic int64_t clock_difference_ns;

    /* The thread that watches. */
    struct clickhouse_watch watch;
    pthread_t thread;
    bool watching;
    atomic_bool stop_watch;
};

static inline struct clickhouse *clickhouse_of(const struct store *store)
{
    return (struct clickhouse *)(uintptr_t)store;
}

/* ---- ch_reader_ops.c ---- */

extern const struct reader_ops ch_reader_ops;

/* ---- ch_block_ops.c ---- */

extern const struct block_ops ch_block_ops;

#endif
