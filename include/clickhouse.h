/*
 * clickhouse - the engine of store.h that keeps everything in ClickHouse, which
 * several instances share.
 *
 * Purpose:   opens it, and tells what others changed. What is read and written
 *            goes through store.h, metadata.h and store_block.h.
 * Ownership: options are copied; store_close() ends what was opened here.
 * Threads:   main thread, but for clickhouse_note(). One of its own watches the
 *            database.
 * Errors:    ERR_INVALID (the URL, a file), ERR_UNSUPPORTED (tables of a newer
 *            version, or of somebody else), ERR_IO (away); all are logged.
 */
#ifndef CLICKHOUSE_H
#define CLICKHOUSE_H

#include "buf.h"
#include "resource_log.h"
#include "store.h"

struct clickhouse_options {
    const char *url; /* http[s]://[user[:password]@]host[:port]/database */
    const char *password_file; /* "": none */
    const char *ca_file;       /* "": those of the system */
    const char *cluster;       /* "": one server */
    uint64_t retention_ns[SIGNAL_COUNT];
    uint64_t retention_bytes;
    uint64_t query_bytes; /* what all readers together may take */
};

/* Waits some time for a ClickHouse that does not answer yet; makes the database
 * and its tables, or adds what they do not have. */
MUST_CHECK enum status clickhouse_open(
    struct store **store, const struct clickhouse_options *options);

/* What others may change; bits of `changed`. */
enum clickhouse_change {
    CLICKHOUSE_CATALOG = 1,
    CLICKHOUSE_REPORTS = 2,
    CLICKHOUSE_TOKENS = 4
};

/* Called on a thread of the engine. `changed` within a second after another
 * instance, or this one, has saved; it loads anew. `is_leader`: whether this
 * instance does what one alone should do. Either may be NULL. */
struct clickhouse_watch {
    void (*changed)(void *arg, unsigned changes);
    bool (*is_leader)(void *arg);
    void *arg;
};
MUST_CHECK enum status clickhouse_watch(struct store *store,
                                        const struct clickhouse_watch *watch);
/* Ends the thread: before what `changed` uses is freed. NULL is fine. */
void clickhouse_stop_watch(struct store *store);

/* For the options of the registry; as long as the store is open. */
const struct resource_log *clickhouse_resource_log(struct store *store);

/* "host:8123/database", as long as the store is open. Any thread. */
const char *clickhouse_place(struct store *store);

/* For /health: why ClickHouse cannot be used now; false: it can. Any thread. */
bool clickhouse_note(struct store *store, struct buf *out);

#endif
