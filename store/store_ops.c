/*
 * Functions of store.h about the store as a whole, by the table of its engine.
 */
#include "store_ops.h"

static const struct store_head *store_head(const struct store *store)
{
    return (const struct store_head *)(const void *)store;
}

void store_append(struct store *store, struct batch *batch)
{
    store_head(store)->ops->append(store, batch);
}

void store_begin_shutdown(struct store *store)
{
    if (store)
        store_head(store)->ops->begin_shutdown(store);
}

void store_close(struct store *store)
{
    if (store)
        store_head(store)->ops->close(store);
}

bool store_derived_flush_due(struct store *store, uint64_t last_lsn)
{
    return store_head(store)->ops->derived_flush_due(store, last_lsn);
}

void store_flush(struct store *store)
{
    store_head(store)->ops->flush(store);
}

void store_replayed(struct store *store, uint64_t lsn)
{
    store_head(store)->ops->replayed(store, lsn);
}

enum status store_health(struct store *store)
{
    return store_head(store)->ops->health(store);
}

const char *store_health_reason(struct store *store)
{
    const struct store_ops *ops = store_head(store)->ops;

    return ops->health_reason ? ops->health_reason(store) : NULL;
}

uint64_t store_last_log_lsn(struct store *store)
{
    return store_head(store)->ops->last_log_lsn(store);
}

uint64_t store_oldest_ns(struct store *store)
{
    return store_head(store)->ops->oldest_ns(store);
}

uint64_t store_retention(const struct store *store, enum signal signal)
{
    return store_head(store)->ops->retention(store, signal);
}

void store_set_open_series(struct store *store, struct open_series source)
{
    store_head(store)->ops->set_open_series(store, source);
}

uint64_t store_watermark(struct store *store, enum stream stream)
{
    return store_head(store)->ops->watermark(store, stream);
}

struct metadata *store_metadata(struct store *store)
{
    return store_head(store)->ops->metadata(store);
}
