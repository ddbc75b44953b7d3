/*
 * Opens and closes the store. Where to read next: store_append.c takes batches,
 * store_writer.c commits them, reader.c makes views of both, repair.c copies
 * what can be read of a damaged database.
 */
#include "store.h"

#include <errno.h>
#include <sys/stat.h>

#include "clock.h"
#include "log.h"
#include "path.h"
#include "repair.h"
#include "store_int.h"

/* ---- the database ---- */

static enum status load_streams(struct store *store)
{
    struct db_stmt s = db_query_all(store->writer.db, SQL_STREAMS);

    while (stmt_row(&s)) {
        uint64_t id = stmt_int(&s, 0);

        if (id >= STREAM_COUNT)
            continue;
        store->memtables.streams[id].watermark = stmt_int(&s, 1);
        store->memtables.streams[id].next_serial = stmt_int(&s, 2) + 1;
    }
    return stmt_end(&s);
}

static void close_db(struct store *store)
{
    db_close(store->writer.db);
    store->writer.db = NULL;
}

static enum status try_open(struct store *store)
{
    enum status status = db_open(&store->writer.db, store->path, true);

    if (status == OK)
        status = metadata_check(store->writer.db);
    if (status == OK)
        status = load_streams(store);
    if (status != OK)
        close_db(store);
    return status;
}

/* The damage was met before the last stop, so the database can be used with it
 * if it cannot be copied. */
static enum status run_scheduled_repair(struct store *store)
{
    close_db(store);

    enum status status = repair(store->path);
    if (status != OK)
        log_error("store",
                  "repair failed; continuing with the damaged database",
                  log_text("path", store->path),
                  log_text("reason", status_text(status)));
    /* The old one may be renamed already: an empty one must not replace it. */
    status = repair_resume(store->path);
    return status == OK ? try_open(store) : status;
}

/* Earlier versions created files that all users could read. */
static void restrict_modes(const struct store *store)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".reserve"};

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char *name = path_with(store->path, suffixes[i]);

        if (chmod(name, 0600) != 0 && errno != ENOENT)
            log_debug("store", "cannot change the mode",
                      log_text("path", name));
        free(name);
    }
}

static enum status open_db(struct store *store)
{
    enum status status = repair_resume(store->path);

    if (status == OK)
        status = try_open(store);
    if (status == ERR_IO && disk_reserve_remove(store))
        status = try_open(store);
    if (status == OK && repair_is_pending(store->path))
        status = run_scheduled_repair(store);
    /* ERR_INTERNAL: a table or column of ours is missing in the schema. */
    if (status == ERR_CORRUPT || status == ERR_INTERNAL) {
        status = repair(store->path);
        if (status == OK)
            status = try_open(store);
    }
    if (status == OK)
        disk_reserve_make(store);
    else if (status == ERR_UNSUPPORTED)
        log_error("store", "written by a newer version of this program",
                  log_text("path", store->path));
    else
        log_error("store", "cannot be opened", log_text("path", store->path),
                  log_text("reason", status_text(status)));
    return status;
}

void store_note_damage(struct store *store, const struct db *db)
{
    if (db_damaged(db) && !atomic_exchange(&store->readers.damaged, true))
        repair_schedule(store->path);
}

/* ---- open and close ---- */

static void init_commits(struct commit_state *commits)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&commits->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&commits->work, &attr);
    pthread_cond_init(&commits->done, &attr);
    pthread_condattr_destroy(&attr);
}

static void set_defaults(struct store_options *o)
{
    o->dir = NULL; /* the caller's */
    if (o->block_spans == 0)
        o->block_spans = 16384;
    if (o->block_logs == 0)
        o->block_logs = 16384;
    if (o->memtable_bytes == 0)
        o->memtable_bytes = UINT64_C(16) << 20;
    if (o->memtable_age_ns == 0)
        o->memtable_age_ns = 10 * NS_PER_S;
    if (o->query_bytes == 0)
        o->query_bytes = UINT64_C(96) << 20;
}

enum status embedded_open(struct store **out,
                          const struct store_options *options)
{
    struct store *store = mem_zero(1, sizeof(*store));
    enum status status = OK;

    store->options = *options;
    store->path = path_with(options->dir, "/callboard.db");
    set_defaults(&store->options);
    init_commits(&store->commits);
    metadata_init(&store->metadata, &store->commits, store->path);
    memtables_init(&store->memtables, &store->commits, &store->options);
    budget_init(&store->readers.memory, store->options.query_bytes);
    if (mkdir(options->dir, 0700) != 0 && errno != EEXIST)
        status = ERR_IO;
    restrict_modes(store);
    if (status == OK)
        status = open_db(store);
    if (status == OK)
        status = metadata_open(&store->metadata, store->writer.db);
    if (status == OK)
        status = retention_load_clock(store, clock_wall_ns());
    if (status == OK && !store->options.cold)
        status = store_writer_start(store);
    if (status != OK) {
        embedded_close(store);
        return status;
    }
    *out = store;
    return OK;
}

void embedded_close(struct store *store)
{
    if (!store)
        return;
    store_writer_stop(store);
    memtables_release(&store->memtables);
    metadata_release(&store->metadata);
    db_close(store->writer.db);
    pthread_cond_destroy(&store->commits.work);
    pthread_cond_destroy(&store->commits.done);
    pthread_mutex_destroy(&store->commits.lock);
    free(store->path);
    free(store);
}

struct metadata *embedded_metadata(struct store *store)
{
    return &store->metadata;
}

/* ---- state ---- */

uint64_t embedded_watermark(struct store *store, enum stream stream)
{
    pthread_mutex_lock(&store->commits.lock);
    uint64_t lsn = store->memtables.streams[stream].watermark;
    pthread_mutex_unlock(&store->commits.lock);
    return lsn;
}

uint64_t embedded_oldest_ns(struct store *store)
{
    pthread_mutex_lock(&store->commits.lock);
    uint64_t oldest_ns = store->progress.oldest_ns;
    for (int i = 0; i < STREAM_COUNT; i++)
        for (const struct memtable *m = store->memtables.streams[i].first; m;
             m = m->next)
            if (m->received_ns < oldest_ns)
                oldest_ns = m->received_ns;
    pthread_mutex_unlock(&store->commits.lock);
    return oldest_ns;
}

enum status embedded_health(struct store *store)
{
    pthread_mutex_lock(&store->commits.lock);
    enum status health = store->commits.health;
    for (int i = 0; i < STREAM_COUNT && health == OK; i++)
        if (store->memtables.streams[i].closed > MEMTABLES_WAITING)
            health = ERR_BUSY;
    pthread_mutex_unlock(&store->commits.lock);
    return health;
}
