/*
 * A batch that is appended joins the open memtable of its stream. A memtable is
 * closed when it is large or old enough, waits for the writer's thread
 * (store_writer.c), is sealed, committed together with the stream's new
 * watermark, and leaves the list:
 *
 *   append -> open -> closed -> committed, left out
 *                     at most MEMTABLES_WAITING, then append waits
 *
 * What a reader sees of a memtable it decides by serial number: the number of
 * the last committed memtable of a stream is stored in the commit itself.
 *
 * The journal may be cut up to the oldest entry that something still needs:
 * for spans, logs and metrics the first entry of their first memtable (or
 * everything appended, if they have none), for the derived series their
 * watermark, because what was counted is only kept once it was flushed.
 */
#include "store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "repair.h"
#include "stats.h"
#include "store_int.h"

/* Between flushes that are only for the journal. */
#define PRESS_AGE_NS NS_PER_S

/* Points are smaller than spans: a memtable of metrics holds more of them. */
enum { POINTS_PER_SPAN = 4 };

static enum stream stream_of(const struct batch *batch)
{
    switch (batch->signal) {
    case SIGNAL_SPANS:
        return STREAM_SPANS;
    case SIGNAL_LOGS:
        return STREAM_LOGS;
    default:
        return batch->derived ? STREAM_DERIVED : STREAM_METRICS;
    }
}

static enum status load_streams(struct store *store)
{
    struct db_stmt s = stmt_start(store->db, SQL_STREAMS);

    while (stmt_row(&s)) {
        uint64_t id = stmt_get_int(&s, 0);

        if (id >= STREAM_COUNT)
            continue;
        struct stream_state *stream = &store->streams[id];
        stream->watermark = stmt_get_int(&s, 1);
        stream->next_serial = stmt_get_int(&s, 2) + 1;
    }
    return stmt_end(&s);
}

static enum status try_open(struct store *store)
{
    enum status status = db_open(&store->db, store->path, true);

    if (status == OK)
        status = load_check(store->db);
    if (status == OK)
        status = load_streams(store);
    if (status != OK) {
        db_close(store->db);
        store->db = NULL;
    }
    return status;
}

/* Damage that was met in an earlier life. The database can be used with it, if
 * it cannot be copied. */
static enum status repair_scheduled(struct store *store)
{
    db_close(store->db);
    store->db = NULL;

    enum status status = repair(store->path);
    if (status != OK)
        log_error("store", "damaged database could not be copied, going on",
                  log_text("path", store->path),
                  log_text("reason", status_text(status)));
    /* It may be aside already: never make an empty one in its place. */
    status = repair_resume(store->path);
    return status == OK ? try_open(store) : status;
}

/* Earlier versions let others read the files. */
static void close_to_others(const struct store *store)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".reserve"};
    size_t len = strlen(store->path) + sizeof(".reserve");
    char *name = mem_alloc(len);

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(name, len, "%s%s", store->path, suffixes[i]);
        if (chmod(name, 0600) != 0 && errno != ENOENT)
            log_debug("store", "cannot change the mode",
                      log_text("path", name));
    }
    free(name);
}

static enum status open_db(struct store *store)
{
    enum status status = repair_resume(store->path);

    if (status == OK)
        status = try_open(store);
    if (status == ERR_IO && reserve_give(store))
        status = try_open(store);
    if (status == OK && repair_is_pending(store->path))
        status = repair_scheduled(store);
    /* What we ask for is there, if the schema can be read. */
    if (status == ERR_CORRUPT || status == ERR_INTERNAL) {
        status = repair(store->path);
        if (status == OK)
            status = try_open(store);
    }
    if (status == OK)
        reserve_make(store);
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
    if (db_damaged(db) && !atomic_exchange(&store->damaged, true))
        repair_schedule(store->path);
}

static void init_locks(struct store *store)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&store->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&store->work, &attr);
    pthread_cond_init(&store->done, &attr);
    pthread_condattr_destroy(&attr);
}

static void set_defaults(struct store_options *o)
{
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

enum status store_open(struct store **out, const struct store_options *options)
{
    struct store *store = mem_zero(1, sizeof(*store));
    size_t len = strlen(options->dir) + sizeof("/callboard.db");

    store->options = *options;
    store->options.dir = NULL; /* the caller's */
    set_defaults(&store->options);
    store->path = mem_alloc(len);
    snprintf(store->path, len, "%s/callboard.db", options->dir);
    init_locks(store);
    budget_init(&store->queries, store->options.query_bytes);
    store->pending_writes = store->saves_open = pending_writes_new();
    store->kafka_offsets = kafka_offsets_new();
    store->requests = stored_requests_new();
    store->derived_ns = clock_monotonic_ns();
    for (int i = 0; i < STREAM_COUNT; i++)
        store->streams[i].next_serial = 1;

    enum status status = OK;
    if (mkdir(options->dir, 0700) != 0 && errno != EEXIST)
        status = ERR_IO;
    close_to_others(store);
    if (status == OK)
        status = open_db(store);
    if (status == OK)
        status = kafka_offsets_load(store->kafka_offsets, store->db);
    if (status == OK)
        status = stored_requests_load(store->requests, store->db);
    if (status == OK)
        status = retention_load_clock(store, clock_wall_ns());
    if (status == OK)
        status = store_writer_start(store);
    if (status != OK) {
        store_close(store);
        return status;
    }
    *out = store;
    return OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store_writer_stop(store);
    for (int i = 0; i < STREAM_COUNT; i++)
        for (struct memtable *s = store->streams[i].first; s;) {
            struct memtable *next = s->next;

            memtable_free(s);
            s = next;
        }
    store_trim_rows(store);
    pending_writes_free(store->pending_writes);
    kafka_offsets_free(store->kafka_offsets);
    stored_requests_free(store->requests);
    db_close(store->db);
    pthread_cond_destroy(&store->work);
    pthread_cond_destroy(&store->done);
    pthread_mutex_destroy(&store->lock);
    free(store->path);
    free(store);
}

uint64_t store_watermark(struct store *store, enum stream stream)
{
    pthread_mutex_lock(&store->lock);
    uint64_t lsn = store->streams[stream].watermark;
    pthread_mutex_unlock(&store->lock);
    return lsn;
}

uint64_t store_oldest_ns(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    uint64_t oldest_ns = store->oldest_ns;
    for (int i = 0; i < STREAM_COUNT; i++)
        for (const struct memtable *s = store->streams[i].first; s; s = s->next)
            if (s->received_ns < oldest_ns)
                oldest_ns = s->received_ns;
    pthread_mutex_unlock(&store->lock);
    return oldest_ns;
}

enum status store_health(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    enum status health = store->health;
    for (int i = 0; i < STREAM_COUNT && health == OK; i++)
        if (store->streams[i].closed > MEMTABLES_WAITING)
            health = ERR_BUSY;
    pthread_mutex_unlock(&store->lock);
    return health;
}

void store_close_memtable(struct store *store, enum stream stream)
{
    struct stream_state *state = &store->streams[stream];

    if (!state->last || state->last->closed)
        return;
    if (state->appending) {
        state->close_wanted = true;
        return;
    }
    /* Nobody waits for the others to go: this one takes what comes. */
    if (store->draining && state->closed >= MEMTABLES_WAITING)
        return;
    state->last->closed = true;
    state->last->order = store->next_order++;
    state->closed++;
    pthread_cond_signal(&store->work);
}

static bool memtable_full(const struct store *store,
                          const struct memtable *memtable)
{
    const struct store_options *o = &store->options;
    uint64_t most = o->block_spans;

    if (memtable->stream == STREAM_LOGS)
        most = o->block_logs;
    if (memtable->stream == STREAM_METRICS)
        most *= POINTS_PER_SPAN;
    return memtable->stream == STREAM_DERIVED || memtable->records >= most ||
           memtable->bytes >= o->memtable_bytes;
}

/* The stream's open memtable, a new one if there is none. */
static struct memtable *open_memtable(struct store *store, enum stream stream)
{
    struct stream_state *state = &store->streams[stream];

    if (state->last && !state->last->closed)
        return state->last;
    struct memtable *memtable = memtable_new(stream, state->next_serial++);
    if (state->last)
        state->last->next = memtable;
    else
        state->first = memtable;
    state->last = memtable;
    /* So that the writer looks when this one will be old enough. */
    pthread_cond_signal(&store->work);
    return memtable;
}

/* ---- coding spans as they come ---- */

void store_trim_rows(struct store *store)
{
    while (store->spare_count > 0)
        span_rows_free(store->spare[--store->spare_count]);
}

void store_spare_rows(struct store *store, struct memtable *memtable)
{
    struct span_rows *rows = memtable->rows;

    memtable->rows = NULL;
    if (!rows)
        return;
    span_rows_reset(rows);
    pthread_mutex_lock(&store->lock);
    if (store->spare_count < MEMTABLES_WAITING + 1) {
        store->spare[store->spare_count++] = rows;
        rows = NULL;
    }
    pthread_mutex_unlock(&store->lock);
    span_rows_free(rows);
}

/* True if the memtable will be one block, as far as can be seen. Under the
 * lock. */
static bool begin_coding(struct store *store, struct memtable *memtable,
                         const struct batch *batch)
{
    uint64_t most = store->options.block_spans + store->options.block_spans / 2;

    if (memtable->stream != STREAM_SPANS || store->options.code_late ||
        memtable->records + batch->count > most)
        return false;
    if (memtable->records == 0 && !memtable->rows)
        memtable->rows = store->spare_count > 0
                             ? store->spare[--store->spare_count]
                             : span_rows_new();
    return memtable->rows != NULL;
}

/* Codes the batch's spans while they are in the cache. Gives up the lock; the
 * memtable stays open meanwhile. */
static void code(struct store *store, struct memtable *memtable,
                 const struct batch *batch)
{
    struct stream_state *state = &store->streams[memtable->stream];
    bool coding = begin_coding(store, memtable, batch);

    if (!coding && !memtable->rows)
        return;
    state->appending = true;
    pthread_mutex_unlock(&store->lock);
    for (uint32_t i = 0; coding && i < batch->count; i++)
        span_rows_add(memtable->rows, &batch->spans[i]);
    if (!coding)
        store_spare_rows(store, memtable);
    pthread_mutex_lock(&store->lock);
    state->appending = false;
}

/* The journal is full to one part in so many: what holds it back must go. */
static bool journal_presses(const struct store *store, unsigned part)
{
    struct journal *journal = store->options.journal;

    return journal &&
           journal_bytes(journal) > journal_max_bytes(journal) / part;
}

/* A batch without records: what is to be kept of it is its place, and the
 * message it could not be made of. Under the lock. */
static void take_empty(struct store *store, struct batch *batch)
{
    bool letter = batch->encoding == BATCH_DEAD_LETTER;

    /* Waits before it is noted: what is noted may be committed at once. */
    while (letter &&
           kafka_offsets_dead_letters(store->kafka_offsets) >=
               DEAD_LETTERS_WAITING &&
           !store->draining)
        pthread_cond_wait(&store->done, &store->lock);
    if (batch->lsn > store->last_lsn)
        store->last_lsn = batch->lsn;
    kafka_offsets_note(store->kafka_offsets, batch);
    if (letter) {
        kafka_offsets_add_dead_letter(store->kafka_offsets, batch);
        pthread_cond_signal(&store->work);
    } else {
        batch_free(batch);
    }
}

bool store_next_offset(struct store *store, struct slice topic,
                       uint32_t partition, uint64_t *next)
{
    pthread_mutex_lock(&store->lock);
    bool known =
        kafka_offsets_next(store->kafka_offsets, topic, partition, next);
    pthread_mutex_unlock(&store->lock);
    return known;
}

/* So that records of one time have an order that stays. */
static void number_logs(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        batch->logs[i].arrival = log_arrival(batch->lsn, i);
}

void store_append(struct store *store, struct batch *batch)
{
    enum stream stream = stream_of(batch);
    struct stream_state *state = &store->streams[stream];
    bool press = journal_presses(store, 2);

    if (stream == STREAM_LOGS)
        number_logs(batch);

    pthread_mutex_lock(&store->lock);
    if (stream != STREAM_DERIVED && batch->count == 0) {
        take_empty(store, batch);
        pthread_mutex_unlock(&store->lock);
        return;
    }
    while ((state->closed >= MEMTABLES_WAITING || store_pending_full(store)) &&
           !store->draining)
        pthread_cond_wait(&store->done, &store->lock);
    if (stream != STREAM_DERIVED && batch->lsn > store->last_lsn)
        store->last_lsn = batch->lsn;

    struct memtable *memtable = open_memtable(store, stream);
    uint64_t before = memtable->bytes;
    code(store, memtable, batch);
    memtable_add(memtable, batch);
    store->memtable_bytes += memtable->bytes - before;
    stats_set(STATS_MEMTABLE_BYTES, store->memtable_bytes);
    state->last_lsn = batch->lsn;
    kafka_offsets_note(store->kafka_offsets, batch);
    stored_requests_note(store->requests, batch);
    if (stream == STREAM_DERIVED)
        store->derived_ns = clock_monotonic_ns();
    if (memtable_full(store, memtable) || state->close_wanted)
        store_close_memtable(store, stream);
    state->close_wanted = false;
    if (press && store->cut >= store->press_lsn) {
        store->press_lsn = store->last_lsn;
        for (int i = 0; i < STREAM_COUNT; i++)
            store_close_memtable(store, (enum stream)i);
    }
    pthread_mutex_unlock(&store->lock);
}

void store_flush(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    for (int i = 0; i < STREAM_COUNT; i++)
        store_close_memtable(store, (enum stream)i);
    pthread_mutex_unlock(&store->lock);
}

void store_begin_shutdown(struct store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&store->lock);
    store->draining = true;
    pthread_cond_broadcast(&store->done);
    pthread_mutex_unlock(&store->lock);
}

uint64_t store_records_cut(const struct store *store, bool soon)
{
    uint64_t cut = store->last_lsn;

    for (int i = 0; i < STREAM_DERIVED; i++) {
        const struct memtable *first = store->streams[i].first;

        while (soon && first && first->closed)
            first = first->next;
        if (first && first->first_lsn <= cut)
            cut = first->first_lsn > 0 ? first->first_lsn - 1 : 0;
    }
    return cut;
}

/*
 * Pressed by the journal only while it is the derived stream that holds it
 * back, and not more often than PRESS_AGE_NS unless it gets tight: at full
 * speed the journal is never far from a quarter full, and a flush for every
 * batch would cost more than the batch.
 */
bool store_derived_flush_due(struct store *store, uint64_t last_lsn)
{
    const struct stream_state *state = &store->streams[STREAM_DERIVED];
    bool press = journal_presses(store, 4), tight = journal_presses(store, 2);

    pthread_mutex_lock(&store->lock);
    uint64_t flushed =
        state->last_lsn > state->watermark ? state->last_lsn : state->watermark;
    uint64_t age = clock_monotonic_ns() - store->derived_ns;
    bool holds = flushed < store_records_cut(store, true);
    pthread_mutex_unlock(&store->lock);
    if (last_lsn <= flushed)
        return false;
    return age >= store->options.memtable_age_ns ||
           (holds && (tight || (press && age >= PRESS_AGE_NS)));
}

bool store_pending_full(const struct store *store)
{
    return store->saved_bytes - store->saved_bytes_committed >
           PENDING_WRITES_BYTES;
}

static void save(struct store *store, struct pending_write *save)
{
    pthread_mutex_lock(&store->lock);
    bool was_full = store_pending_full(store);
    pending_writes_add(store->saves_open, save);
    store->saved++;
    store->saved_bytes += save_size(save);
    if (store->save_due_ns == 0) {
        store->save_due_ns = clock_monotonic_ns() + STORE_SAVE_DELAY_NS;
        pthread_cond_signal(&store->work);
    } else if (!was_full && store_pending_full(store)) {
        pthread_cond_signal(&store->work);
    }
    pthread_mutex_unlock(&store->lock);
}

void store_save_identity(struct store *store, const struct identity *identity)
{
    save(store, save_identity(identity));
}

void store_save_resource(struct store *store, uint32_t id, uint32_t identity,
                         uint64_t hash, const struct resource *resource)
{
    save(store, save_resource(id, identity, hash, resource));
}

void store_save_resource_identity(struct store *store, uint32_t id,
                                  uint32_t identity)
{
    save(store, save_tag(id, identity));
}

void store_save_text(struct store *store, const char *name, struct slice text)
{
    save(store, save_text(name, text));
}

enum status store_sync(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    uint64_t target = store->saved;
    uint64_t failures = store->failures;
    if (store->sync_to < target)
        store->sync_to = target;
    pthread_cond_signal(&store->work);
    while (store->saved_committed < target && store->failures == failures)
        pthread_cond_wait(&store->done, &store->lock);
    enum status status = store->saved_committed >= target ? OK : store->health;
    pthread_mutex_unlock(&store->lock);
    return status;
}

void store_set_open_series(struct store *store, struct open_series source)
{
    pthread_mutex_lock(&store->lock);
    store->open_series = source;
    store->open_base = store->streams[STREAM_DERIVED].next_serial - 1;
    pthread_mutex_unlock(&store->lock);
}
