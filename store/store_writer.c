/*
 * The writer's thread. In a loop:
 *
 *   wait    until a memtable is closed, the oldest open one is old enough,
 *           metadata is due, or it is time for a step of maintenance
 *   commit  metadata and up to COMMIT_MEMTABLES closed memtables, in the order
 *           in which they were closed, with their watermarks, in one
 *           transaction
 *   finish  the memtables leave their lists (under the lock), waiting threads
 *           are woken, the journal is truncated
 *
 * A commit that fails changes nothing: memtables and metadata stay where they
 * are, readable, and all is tried again after a pause that doubles up to a
 * second. The first failure and the recovery are logged; in between
 * embedded_health() returns the status.
 *
 * Memtables of a stream are committed in their order: that is why the serial
 * number in table stream tells a view which of them are committed.
 */
#include <malloc.h>
#include <time.h>

#include "block_encoder.h"
#include "clock.h"
#include "log.h"
#include "stats.h"
#include "store_int.h"

enum { COMMIT_MEMTABLES = 4, STOP_TRIES = 4 };

#define PAUSE_MIN_NS (10 * NS_PER_MS)
#define PAUSE_MAX_NS NS_PER_S
#define MAINTAIN_NS  NS_PER_S
#define IDLE_NS      (5 * NS_PER_S) /* without a commit: memory is returned */

/* One attempt to commit. */
struct writer_commit {
    bool started;
    struct memtable *memtables[COMMIT_MEMTABLES];
    uint32_t count;
    struct metadata_commit metadata;
};

struct writer_loop {
    struct store *store;
    uint64_t maintain_ns, commit_ns, pause_ns, trim_ns;
    uint32_t tries; /* failed in a row */
    bool trimmed;
};

static void cond_wait_until(struct commit_state *commits, uint64_t until_ns)
{
    struct timespec at = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                          .tv_nsec = (long)(until_ns % NS_PER_S)};

    pthread_cond_timedwait(&commits->work, &commits->lock, &at);
}

/* ---- waiting ---- */

/* Closes memtables that are old enough; when the next will be. */
static uint64_t close_aged(struct store *store, uint64_t now)
{
    uint64_t next = UINT64_MAX;

    for (int i = 0; i < STREAM_COUNT; i++) {
        struct memtable *last = store->memtables.streams[i].last;

        if (!last || last->closed)
            continue;
        uint64_t due = last->opened_ns + store->options.memtable_age_ns;
        if (due < last->opened_ns)
            due = UINT64_MAX;
        if (due <= now || store->commits.stopping)
            memtables_close(&store->memtables, (enum stream)i);
        else if (due < next)
            next = due;
    }
    return next;
}

/* The closed memtables that are first in order, each stream's in a row. */
static void choose_memtables(const struct memtables *memtables,
                             struct writer_commit *commit)
{
    struct memtable *next[STREAM_COUNT];

    commit->count = 0;
    for (int i = 0; i < STREAM_COUNT; i++)
        next[i] = memtables->streams[i].first;
    while (commit->count < COMMIT_MEMTABLES) {
        struct memtable *oldest = NULL;

        for (int i = 0; i < STREAM_COUNT; i++)
            if (next[i] && next[i]->closed &&
                (!oldest || next[i]->order < oldest->order))
                oldest = next[i];
        if (!oldest)
            return;
        commit->memtables[commit->count++] = oldest;
        next[oldest->stream] = oldest->next;
    }
}

/* Waits for a commit or a step of maintenance; false when it is time to end. */
static bool next_commit(struct writer_loop *loop, struct writer_commit *commit)
{
    struct store *store = loop->store;
    bool go_on = true;

    commit->started = false;
    pthread_mutex_lock(&store->commits.lock);
    for (;;) {
        uint64_t now = clock_monotonic_ns();
        uint64_t until = close_aged(store, now);

        choose_memtables(&store->memtables, commit);
        if (commit->count > 0 || metadata_due(&store->metadata, now)) {
            metadata_begin(&store->metadata, &commit->metadata);
            commit->started = true;
            break;
        }
        go_on = !store->commits.stopping;
        if (!go_on || loop->maintain_ns <= now)
            break;
        if (loop->maintain_ns < until)
            until = loop->maintain_ns;
        if (store->metadata.due_ns > 0 && store->metadata.due_ns < until)
            until = store->metadata.due_ns;
        cond_wait_until(&store->commits, until);
    }
    if (store->commits.stopping && loop->tries >= STOP_TRIES)
        go_on = false;
    pthread_mutex_unlock(&store->commits.lock);
    return go_on;
}

/* ---- committing ---- */

static enum status write_all(struct store *store,
                             const struct writer_commit *commit)
{
    struct store_writer *writer = &store->writer;
    enum status status = metadata_write(&commit->metadata, writer->db);

    if (status == OK)
        status = retention_save_clock(store);
    for (uint32_t i = 0; i < commit->count && status == OK; i++) {
        status = block_encoder_write(writer->encoder, writer->db,
                                     &store->options, commit->memtables[i]);
        /* Encoded spans are used up, whether that succeeded or not. */
        memtables_return_rows(&store->memtables, commit->memtables[i]);
    }
    return status;
}

static enum status try_commit(struct store *store,
                              const struct writer_commit *commit,
                              const char **reason)
{
    struct db *db = store->writer.db;
    enum status status = db_run(db, SQL_BEGIN_WRITE);

    if (status == OK)
        status = write_all(store, commit);
    if (status == OK)
        status = db_run(db, SQL_COMMIT);
    if (status != OK) {
        *reason = db_message(db);
        log_debug("store", "commit failed", log_text("reason", *reason));
    }
    return status;
}

/* The journal's entries up to here are not needed any more. Under the lock. */
static uint64_t durable_lsn(const struct store *store)
{
    uint64_t records = memtables_durable_lsn(&store->memtables, false);
    uint64_t derived = store->memtables.streams[STREAM_DERIVED].watermark;
    uint64_t pending = kafka_offsets_pending_lsn(store->metadata.offsets);
    uint64_t lsn = records < derived ? records : derived;

    return pending <= lsn ? pending - (pending > 0) : lsn;
}

/* Under the lock; 0: there is nothing new to truncate. */
static uint64_t next_truncation(struct store *store)
{
    uint64_t lsn = durable_lsn(store);

    if (lsn <= store->progress.truncated_lsn)
        return 0;
    store->progress.truncated_lsn = lsn;
    return lsn;
}

static void truncate_journal(struct store *store, uint64_t truncation)
{
    if (truncation > 0 && store->options.journal)
        journal_truncate(store->options.journal, truncation);
}

void embedded_replayed(struct store *store, uint64_t lsn)
{
    uint64_t truncation;

    pthread_mutex_lock(&store->commits.lock);
    if (lsn > store->memtables.last_lsn)
        store->memtables.last_lsn = lsn;
    truncation = next_truncation(store);
    pthread_mutex_unlock(&store->commits.lock);
    truncate_journal(store, truncation);
}

static void committed(struct writer_loop *loop, struct writer_commit *commit)
{
    struct store *store = loop->store;

    pthread_mutex_lock(&store->commits.lock);
    for (uint32_t i = 0; i < commit->count; i++) {
        memtables_drop(&store->memtables, commit->memtables[i]);
        if (commit->memtables[i]->received_ns < store->progress.oldest_ns)
            store->progress.oldest_ns = commit->memtables[i]->received_ns;
    }
    metadata_end(&store->metadata, &commit->metadata, true);
    uint64_t truncation = next_truncation(store);
    bool recovered = store->commits.health != OK;
    store->commits.health = OK;
    pthread_cond_broadcast(&store->commits.done);
    pthread_mutex_unlock(&store->commits.lock);

    if (recovered) {
        log_info("store", "storage works again",
                 log_uint("tries", loop->tries));
        disk_reserve_make(store);
    }
    loop->tries = 0;
    loop->pause_ns = 0;
    loop->commit_ns = clock_monotonic_ns();
    loop->trimmed = false;
    truncate_journal(store, truncation);
    for (uint32_t i = 0; i < commit->count; i++)
        memtable_free(commit->memtables[i]);
}

static void failed(struct writer_loop *loop, struct writer_commit *commit,
                   enum status status, const char *reason)
{
    struct store *store = loop->store;

    stats_add(STATS_STORE_ERRORS, 1);
    if (loop->tries++ == 0)
        log_error("store", "commit failed; retrying",
                  log_text("status", status_text(status)),
                  log_text("reason", reason));
    /* Only now: a rollback that SQLite has done already would hide why. */
    if (db_run(store->writer.db, SQL_ROLLBACK) != OK)
        log_debug("store", "no transaction to roll back", LOG_NONE);
    store_note_damage(store, store->writer.db);
    loop->pause_ns = loop->pause_ns ? loop->pause_ns * 2 : PAUSE_MIN_NS;
    if (loop->pause_ns > PAUSE_MAX_NS)
        loop->pause_ns = PAUSE_MAX_NS;

    pthread_mutex_lock(&store->commits.lock);
    metadata_end(&store->metadata, &commit->metadata, false);
    store->commits.health = status;
    store->commits.failures++;
    pthread_cond_broadcast(&store->commits.done);
    uint64_t until = clock_monotonic_ns() + loop->pause_ns;
    while (clock_monotonic_ns() < until)
        cond_wait_until(&store->commits, until);
    pthread_mutex_unlock(&store->commits.lock);
}

/* ---- maintenance ---- */

/* Returns memory when there was no commit for a while. */
static void trim_memory(struct writer_loop *loop, uint64_t now, bool busy)
{
    struct store *store = loop->store;

    if (!busy && !loop->trimmed && now - loop->commit_ns > IDLE_NS) {
        block_encoder_trim(store->writer.encoder);
        pthread_mutex_lock(&store->commits.lock);
        memtables_free_rows(&store->memtables);
        pthread_mutex_unlock(&store->commits.lock);
        db_shrink(store->writer.db);
        loop->trimmed = true;
        atomic_store(&store->readers.freed_much, true);
    }
    if (now >= loop->trim_ns &&
        atomic_exchange(&store->readers.freed_much, false)) {
        malloc_trim(0);
        loop->trim_ns = now + IDLE_NS;
    }
}

static void maintain(struct writer_loop *loop, uint64_t now)
{
    struct store *store = loop->store;
    struct db *db = store->writer.db;
    bool more = false;
    enum status status = retention_step(store, &more);

    if (status == OK)
        status = chunk_compaction_step(store, &more);
    if (status == OK)
        status = block_compaction_step(store, &more);
    if (status != OK) {
        log_debug("store", "maintenance failed",
                  log_text("status", status_text(status)),
                  log_text("reason", db_message(db)));
        store_note_damage(store, db);
        if (db_run(db, SQL_ROLLBACK) != OK)
            more = false;
    }
    if (more)
        loop->trimmed = false;
    trim_memory(loop, now, more);
    loop->maintain_ns = now + (more ? MAINTAIN_NS / 20 : MAINTAIN_NS);
}

/* ---- the thread ---- */

static void *run(void *arg)
{
    struct store *store = arg;
    struct writer_loop loop = {
        .store = store, .maintain_ns = clock_monotonic_ns() + MAINTAIN_NS};
    struct writer_commit commit;
    const char *reason = "";

    while (next_commit(&loop, &commit)) {
        if (commit.started) {
            enum status status = try_commit(store, &commit, &reason);

            if (status == OK)
                committed(&loop, &commit);
            else
                failed(&loop, &commit, status, reason);
        }
        uint64_t now = clock_monotonic_ns();
        if (loop.maintain_ns <= now && loop.tries == 0)
            maintain(&loop, now);
        else if (loop.maintain_ns <= now)
            loop.maintain_ns = now + MAINTAIN_NS;
    }
    if (commit.started) { /* after too many failures */
        pthread_mutex_lock(&store->commits.lock);
        metadata_end(&store->metadata, &commit.metadata, false);
        pthread_mutex_unlock(&store->commits.lock);
    }
    if (loop.tries > 0)
        log_error("store",
                  "closed before all records were committed; the next start "
                  "replays the journal",
                  LOG_NONE);
    return NULL;
}

enum status store_writer_start(struct store *store)
{
    store->writer.encoder = block_encoder_new();
    if (pthread_create(&store->writer.thread, NULL, run, store) != 0)
        return ERR_BUSY;
    store->writer.started = true;
    return OK;
}

void store_writer_stop(struct store *store)
{
    struct commit_state *commits = &store->commits;

    if (store->writer.started) {
        pthread_mutex_lock(&commits->lock);
        commits->stopping = true;
        pthread_cond_broadcast(&commits->work);
        pthread_cond_broadcast(&commits->done);
        pthread_mutex_unlock(&commits->lock);
        pthread_join(store->writer.thread, NULL);
        store->writer.started = false;
    }
    block_encoder_free(store->writer.encoder);
    store->writer.encoder = NULL;
}
