/*
 * Opens and closes the engine over ClickHouse: its table of functions, those of
 * them that are about the store as a whole, and the wait for a ClickHouse that
 * starts later than we do. See clickhouse.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "ch_migrate.h"
#include "ch_read.h"
#include "clickhouse_int.h"
#include "log.h"
#include "mem.h"
#include "secret_file.h"

enum { PASSWORD_MAX = 4096 };
#define START_WAIT_NS  (30 * NS_PER_S)
#define START_PAUSE_US 500000

/* ---- functions of store.h ---- */

/* Batches come in blocks (store_block.h). */
static void append(struct store *store, struct batch *batch)
{
    (void)store;
    assert(!batch);
}

static void begin_shutdown(struct store *store)
{
    atomic_store(&clickhouse_of(store)->stopping, true);
}

static bool derived_flush_due(struct store *store, uint64_t last_lsn)
{
    (void)store, (void)last_lsn;
    return false;
}

static void flush(struct store *store)
{
    (void)store;
}

/* It has no journal. */
static void replayed(struct store *store, uint64_t lsn)
{
    (void)store, (void)lsn;
}

static enum status health(struct store *store)
{
    struct ch_error error;

    ch_client_health(clickhouse_of(store)->client, &error);
    return error.status;
}

static const char *health_reason(struct store *store)
{
    struct ch_error error;

    ch_client_health(clickhouse_of(store)->client, &error);
    return error.status == OK ? NULL : error.reason;
}

static uint64_t last_log_lsn(struct store *store)
{
    return ch_last_log_lsn(clickhouse_of(store));
}

static uint64_t oldest_ns(struct store *store)
{
    (void)store;
    return 0;
}

static uint64_t retention(const struct store *store, enum signal signal)
{
    return clickhouse_of(store)->retention.schema.retention_ns[signal];
}

static void set_open_series(struct store *store, struct open_series source)
{
    (void)store, (void)source;
}

static uint64_t watermark(struct store *store, enum stream stream)
{
    (void)store, (void)stream;
    return 0;
}

static struct metadata *metadata_of(struct store *store)
{
    return (struct metadata *)(void *)&clickhouse_of(store)->metadata;
}

static void set_resources(struct store *store,
                          const struct store_resources *resources)
{
    clickhouse_of(store)->resources = resources;
    clickhouse_of(store)->blocks.resources = resources;
}

static void close_engine(struct store *store)
{
    struct clickhouse *engine = clickhouse_of(store);

    clickhouse_stop_watch(store);
    ch_resources_close(engine->log);
    ch_metadata_close(&engine->metadata);
    ch_client_close(engine->client);
    free(engine->cluster);
    free(engine->database);
    pthread_mutex_destroy(&engine->sizes.mutex);
    free(engine);
}

static const struct store_ops ch_store_ops = {
    .append = append,
    .begin_shutdown = begin_shutdown,
    .close = close_engine,
    .derived_flush_due = derived_flush_due,
    .flush = flush,
    .replayed = replayed,
    .health = health,
    .health_reason = health_reason,
    .last_log_lsn = last_log_lsn,
    .oldest_ns = oldest_ns,
    .retention = retention,
    .set_open_series = set_open_series,
    .watermark = watermark,
    .metadata = metadata_of,
    .set_resources = set_resources,
};

/* ---- opening ---- */

static void complain(const char *url, const char *reason)
{
    (void)url; /* it may contain a password */
    log_error("clickhouse", "cannot be opened", log_text("reason", reason));
}

static enum status read_password(const char *path, struct secret *secret)
{
    const char *why;
    enum status status;

    *secret = (struct secret){.ptr = NULL};
    if (!path || !path[0])
        return OK;
    status = secret_file_read(path, PASSWORD_MAX, secret, &why);
    if (status != OK) {
        log_error("clickhouse", "the password cannot be read",
                  log_text("file", path), log_text("reason", why));
        return ERR_INVALID;
    }
    while (secret->len > 0 && (secret->ptr[secret->len - 1] == '\n' ||
                               secret->ptr[secret->len - 1] == '\r'))
        secret->ptr[--secret->len] = '\0';
    return OK;
}

static enum status open_client(struct clickhouse *engine,
                               const struct clickhouse_options *options)
{
    struct secret secret;
    const char *why;
    enum status status = read_password(options->password_file, &secret);

    if (status != OK)
        return status;
    const struct ch_options client = {
        .url = options->url,
        .password = {secret.ptr, secret.len},
        .ca_file =
            options->ca_file && options->ca_file[0] ? options->ca_file : NULL,
    };
    status = ch_client_open(&engine->client, &client, &why);
    secret_release(&secret);
    if (status != OK)
        complain(options->url, why);
    return status == OK ? OK : ERR_INVALID;
}

/* A ClickHouse that is started beside us may need a while. */
static enum status make_tables(struct clickhouse *engine)
{
    uint64_t end = clock_monotonic_ns() + START_WAIT_NS;
    struct ch_error error;
    bool said = false;

    while (ch_migrate(engine->client, &engine->retention.schema, &error) !=
           OK) {
        if (!error.retry || clock_monotonic_ns() >= end) {
            complain("", error.text);
            return error.status == ERR_UNSUPPORTED ? ERR_UNSUPPORTED : ERR_IO;
        }
        if (!said)
            log_warn("clickhouse", "waiting for it",
                     log_text("place", ch_client_place(engine->client)),
                     log_text("reason", error.text));
        said = true;
        (void)usleep(START_PAUSE_US);
    }
    return OK;
}

enum status clickhouse_open(struct store **out,
                            const struct clickhouse_options *options)
{
    struct clickhouse *engine = mem_zero(1, sizeof(*engine));
    enum status status;

    *out = (struct store *)(void *)engine;
    engine->head = (struct store_head){.ops = &ch_store_ops,
                                       .readers = &ch_reader_ops,
                                       .blocks = &ch_block_ops};
    budget_init(&engine->queries, options->query_bytes);
    pthread_mutex_init(&engine->sizes.mutex, NULL);
    status = open_client(engine, options);
    engine->blocks = (struct ch_block_engine){.ops = &ch_block_ops,
                                              .client = engine->client};
    ch_metadata_open(&engine->metadata, engine->client, &engine->stopping);
    if (status == OK) {
        const char *database = ch_client_database(engine->client);

        engine->cluster =
            mem_copy(options->cluster ? options->cluster : "",
                     options->cluster ? strlen(options->cluster) : 0);
        engine->database = mem_copy(database, strlen(database));
        engine->retention =
            (struct ch_retention){.schema = {.database = engine->database,
                                             .cluster = engine->cluster},
                                  .max_bytes = options->retention_bytes};
        memcpy(engine->retention.schema.retention_ns, options->retention_ns,
               sizeof(options->retention_ns));
        status = make_tables(engine);
    }
    if (status == OK) {
        engine->log = ch_resources_open(engine->client, 0);
        engine->blocks.log = engine->log;
        log_info("clickhouse", "opened",
                 log_text("place", ch_client_place(engine->client)));
        return OK;
    }
    close_engine(*out);
    *out = NULL;
    return status;
}

const struct resource_log *clickhouse_resource_log(struct store *store)
{
    return ch_resources_log(clickhouse_of(store)->log);
}

const char *clickhouse_place(struct store *store)
{
    return ch_client_place(clickhouse_of(store)->client);
}

bool clickhouse_note(struct store *store, struct buf *out)
{
    struct ch_error error;

    ch_client_health(clickhouse_of(store)->client, &error);
    if (error.status == OK)
        return false;
    buf_format(out, "%s", error.reason);
    return true;
}
