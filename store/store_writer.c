/*
 * The writer's thread. In a loop:
 *
 *   wait   until a memtable is closed, the oldest open one is old enough,
 *          something saved is due, or it is time for a step of maintenance
 *   commit all that was saved, how far the logs of others were read, dead
 *          letters, and up to COMMIT_SECTIONS closed memtables in the order in
 *          which they were closed, with their watermarks, in one transaction
 *   after  it the memtables leave their lists (under the lock), whoever waits
 *          is told, the journal is cut
 *
 * A commit that fails changes nothing: memtables and pending_writes stay where
 * they are, readable, and all is tried again after a pause that doubles up to a
 * second. The first failure and the recovery are logged, and store_health()
 * tells what is wrong in between.
 *
 * Sections of a stream are committed in their order; that is what makes the
 * serial number in table stream tell which of them a view holds.
 */
#include "block_encoder.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "block_compaction.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "series.h"
#include "stats.h"

enum { COMMIT_SECTIONS = 4, STOP_TRIES = 4 };

#define PAUSE_MIN_NS (10 * NS_PER_MS)
#define PAUSE_MAX_NS NS_PER_S
#define MAINTAIN_NS  NS_PER_S
#define IDLE_NS      (5 * NS_PER_S) /* without a commit: memory is given back */

/* One attempt to commit. */
struct writer_commit {
    struct memtable *memtables[COMMIT_SECTIONS];
    uint32_t count;
    struct pending_writes *pending_writes,
        *until; /* generations before `until` */
    struct kafka_offsets_commit kafka_offsets;
    struct stored_requests_commit requests;
    uint64_t saved, saved_bytes;
};

struct writer_loop {
    struct store *store;
    uint64_t maintain_ns, commit_ns, pause_ns, trim_ns;
    uint32_t tries; /* failed in a row */
    bool trimmed;
};

static void cond_wait_until(struct store *store, uint64_t until_ns)
{
    struct timespec at = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                          .tv_nsec = (long)(until_ns % NS_PER_S)};

    pthread_cond_timedwait(&store->work, &store->lock, &at);
}

/* Closes what is old; when the next will be. */
static uint64_t close_aged(struct store *store, uint64_t now)
{
    uint64_t next = UINT64_MAX;

    for (int i = 0; i < STREAM_COUNT; i++) {
        struct memtable *last = store->streams[i].last;

        if (!last || last->closed)
            continue;
        uint64_t due = last->opened_ns + store->options.memtable_age_ns;
        if (due < last->opened_ns)
            due = UINT64_MAX;
        if (due <= now || store->stopping)
            store_close_memtable(store, (enum stream)i);
        else if (due < next)
            next = due;
    }
    return next;
}

static bool anything_closed(const struct store *store)
{
    for (int i = 0; i < STREAM_COUNT; i++)
        if (store->streams[i].closed > 0)
            return true;
    return false;
}

static bool saves_due(const struct store *store, uint64_t now)
{
    return store->sync_to > store->saved_committed ||
           (store->saved > store->saved_committed &&
            (store->save_due_ns <= now || store->stopping ||
             store_pending_full(store)));
}

/* The closed memtables that are first in order, each stream's in a row. */
static void choose_sections(const struct store *store,
                            struct writer_commit *commit)
{
    struct memtable *next[STREAM_COUNT];

    for (int i = 0; i < STREAM_COUNT; i++)
        next[i] = store->streams[i].first;
    while (commit->count < COMMIT_SECTIONS) {
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

static void choose_saves(struct store *store, struct writer_commit *commit)
{
    if (pending_writes_count(store->saves_open) > 0)
        store->saves_open = pending_writes_start(store->saves_open);
    commit->pending_writes = store->pending_writes;
    commit->until = store->saves_open;
    commit->saved = store->saved;
    commit->saved_bytes = store->saved_bytes;
}

static enum status write_all(struct store *store,
                             const struct writer_commit *commit)
{
    struct db *db = store->db;
    enum status status = OK;

    for (struct pending_writes *g = commit->pending_writes;
         g != commit->until && status == OK; g = pending_writes_next(g))
        status = pending_writes_write(g, db);
    if (status == OK)
        status = kafka_offsets_write(&commit->kafka_offsets, db);
    if (status == OK)
        status = stored_requests_write(&commit->requests, db);
    if (status == OK)
        status = retention_save_clock(store);
    for (uint32_t i = 0; i < commit->count && status == OK; i++) {
        status = block_encoder_write(store->encoder, db, &store->options,
                                     commit->memtables[i]);
        store_spare_rows(store, commit->memtables[i]);
    }
    return status;
}

static enum status try_commit(struct store *store,
                              const struct writer_commit *commit,
                              const char **why)
{
    struct db *db = store->db;
    enum status status = db_run(db, SQL_BEGIN_WRITE);

    if (status == OK) {
        status = write_all(store, commit);
        if (status == OK)
            status = db_run(db, SQL_COMMIT);
    }
    if (status != OK) {
        *why = db_message(db);
        log_debug("store", "commit failed", log_text("reason", *why));
    }
    return status;
}

/* The journal's entries up to here are not needed any more. Under the lock. */
static uint64_t cut_position(const struct store *store)
{
    uint64_t records = store_records_cut(store, false);
    uint64_t derived = store->streams[STREAM_DERIVED].watermark;
    uint64_t owed = kafka_offsets_pending_lsn(store->kafka_offsets);
    uint64_t cut = records < derived ? records : derived;

    return owed <= cut ? owed - (owed > 0) : cut;
}

/* What was committed leaves the lists. Under the lock. */
static void leave_out(struct store *store, const struct writer_commit *commit)
{
    for (uint32_t i = 0; i < commit->count; i++) {
        struct memtable *memtable = commit->memtables[i];
        struct stream_state *stream = &store->streams[memtable->stream];

        stream->first = memtable->next;
        if (!stream->first)
            stream->last = NULL;
        stream->closed--;
        if (memtable->received_ns < store->oldest_ns)
            store->oldest_ns = memtable->received_ns;
        if (memtable->last_lsn > stream->watermark)
            stream->watermark = memtable->last_lsn;
        store->memtable_bytes -= memtable->bytes;
    }
    stats_set(STATS_MEMTABLE_BYTES, store->memtable_bytes);
    while (store->pending_writes != commit->until) {
        struct pending_writes *next =
            pending_writes_ref(pending_writes_next(store->pending_writes));

        pending_writes_free(store->pending_writes);
        store->pending_writes = next;
    }
    store->saved_committed = commit->saved;
    store->saved_bytes_committed = commit->saved_bytes;
    store->save_due_ns = store->saved > commit->saved
                             ? clock_monotonic_ns() + STORE_SAVE_DELAY_NS
                             : 0;
}

static void committed(struct writer_loop *loop, struct writer_commit *commit)
{
    struct store *store = loop->store;

    pthread_mutex_lock(&store->lock);
    leave_out(store, commit);
    kafka_offsets_end(store->kafka_offsets, &commit->kafka_offsets, true);
    stored_requests_end(store->requests, &commit->requests, true);
    uint64_t cut = cut_position(store);
    bool cut_more = cut > store->cut;
    if (cut_more)
        store->cut = cut;
    bool recovered = store->health != OK;
    store->health = OK;
    pthread_cond_broadcast(&store->done);
    pthread_mutex_unlock(&store->lock);

    if (recovered) {
        log_info("store", "storage works again",
                 log_uint("tries", loop->tries));
        reserve_make(store);
    }
    loop->tries = 0;
    loop->pause_ns = 0;
    loop->commit_ns = clock_monotonic_ns();
    loop->trimmed = false;
    if (cut_more && store->options.journal)
        journal_truncate(store->options.journal, cut);
    for (uint32_t i = 0; i < commit->count; i++)
        memtable_free(commit->memtables[i]);
}

static void failed(struct writer_loop *loop, struct writer_commit *commit,
                   enum status status, const char *why)
{
    struct store *store = loop->store;

    stats_add(STATS_STORE_ERRORS, 1);
    if (loop->tries++ == 0)
        log_error("store", "commit failed, trying again",
                  log_text("status", status_text(status)),
                  log_text("reason", why));
    /* Only now: a rollback that SQLite has done already would hide why. */
    if (db_run(store->db, SQL_ROLLBACK) != OK)
        log_debug("store", "nothing to roll back", LOG_NONE);
    store_note_damage(store, store->db);
    loop->pause_ns = loop->pause_ns ? loop->pause_ns * 2 : PAUSE_MIN_NS;
    if (loop->pause_ns > PAUSE_MAX_NS)
        loop->pause_ns = PAUSE_MAX_NS;

    pthread_mutex_lock(&store->lock);
    kafka_offsets_end(store->kafka_offsets, &commit->kafka_offsets, false);
    stored_requests_end(store->requests, &commit->requests, false);
    store->health = status;
    store->failures++;
    pthread_cond_broadcast(&store->done);
    uint64_t until = clock_monotonic_ns() + loop->pause_ns;
    while (clock_monotonic_ns() < until)
        cond_wait_until(store, until);
    pthread_mutex_unlock(&store->lock);
}

/* Retention, merging, and giving memory back when nothing goes on. */
static void maintain(struct writer_loop *loop, uint64_t now)
{
    struct store *store = loop->store;
    bool more = false;
    enum status status = retention_step(store, &more);

    if (status == OK)
        status = merge_step(store, block_encoder_series(store->encoder), &more);
    if (status == OK)
        status = compact_step(store, &more);
    if (status != OK) {
        log_debug("store", "maintenance failed",
                  log_text("status", status_text(status)),
                  log_text("reason", db_message(store->db)));
        store_note_damage(store, store->db);
        if (db_run(store->db, SQL_ROLLBACK) != OK)
            more = false;
    }
    if (more)
        loop->trimmed = false;
    if (!more && !loop->trimmed && now - loop->commit_ns > IDLE_NS) {
        block_encoder_trim(store->encoder);
        pthread_mutex_lock(&store->lock);
        store_trim_rows(store);
        pthread_mutex_unlock(&store->lock);
        db_shrink(store->db);
        loop->trimmed = true;
        atomic_store(&store->trim, true);
    }
    if (now >= loop->trim_ns && atomic_exchange(&store->trim, false)) {
        malloc_trim(0);
        loop->trim_ns = now + IDLE_NS;
    }
    loop->maintain_ns = now + (more ? MAINTAIN_NS / 20 : MAINTAIN_NS);
}

/* Waits for something to do; false when it is time to end. */
static bool next_commit(struct writer_loop *loop, struct writer_commit *commit)
{
    struct store *store = loop->store;
    bool go_on = true;

    *commit = (struct writer_commit){.count = 0};
    pthread_mutex_lock(&store->lock);
    for (;;) {
        uint64_t now = clock_monotonic_ns();
        uint64_t until = close_aged(store, now);

        if (anything_closed(store) || saves_due(store, now) ||
            kafka_offsets_dead_letters(store->kafka_offsets) > 0) {
            choose_sections(store, commit);
            choose_saves(store, commit);
            kafka_offsets_begin(store->kafka_offsets, &commit->kafka_offsets);
            stored_requests_begin(store->requests, &commit->requests);
            break;
        }
        if (store->stopping) {
            go_on = false;
            break;
        }
        if (loop->maintain_ns <= now)
            break;
        if (loop->maintain_ns < until)
            until = loop->maintain_ns;
        if (store->saved > store->saved_committed && store->save_due_ns < until)
            until = store->save_due_ns;
        cond_wait_until(store, until);
    }
    if (store->stopping && loop->tries >= STOP_TRIES)
        go_on = false;
    pthread_mutex_unlock(&store->lock);
    return go_on;
}

static void *run(void *arg)
{
    struct store *store = arg;
    struct writer_loop loop = {
        .store = store, .maintain_ns = clock_monotonic_ns() + MAINTAIN_NS};
    struct writer_commit commit;
    const char *why = "";

    while (next_commit(&loop, &commit)) {
        if (commit.kafka_offsets.chosen) {
            enum status status = try_commit(store, &commit, &why);

            if (status == OK)
                committed(&loop, &commit);
            else
                failed(&loop, &commit, status, why);
        }
        uint64_t now = clock_monotonic_ns();
        if (loop.maintain_ns <= now && loop.tries == 0)
            maintain(&loop, now);
        else if (loop.maintain_ns <= now)
            loop.maintain_ns = now + MAINTAIN_NS;
    }
    if (loop.tries > 0)
        log_error("store", "closed without a commit, the journal has the rest",
                  LOG_NONE);
    return NULL;
}

enum status store_writer_start(struct store *store)
{
    store->encoder = block_encoder_new();
    if (pthread_create(&store->thread, NULL, run, store) != 0)
        return ERR_BUSY;
    store->started = true;
    return OK;
}

void store_writer_stop(struct store *store)
{
    if (store->started) {
        pthread_mutex_lock(&store->lock);
        store->stopping = true;
        pthread_cond_broadcast(&store->work);
        pthread_cond_broadcast(&store->done);
        pthread_mutex_unlock(&store->lock);
        pthread_join(store->thread, NULL);
        store->started = false;
    }
    block_encoder_free(store->encoder);
    store->encoder = NULL;
}
