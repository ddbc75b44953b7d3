/*
 * The journal is a folder of segments (journal_segment.c has the format),
 *
 *   journal-<first lsn, 16 hex digits>.log    read in the order of the names
 *   journal-<...>.log.damaged                 kept for people, never read
 *   journal.lock                              held while a process has it open
 *
 * of which the last, the active one, is written by the journal's thread:
 *
 *   take all that is queued                             (waits here only)
 *   a group: as many as fit into the segment, at least one
 *     give each its lsn, append, one sync, hand each on
 *   again until all is handed on
 *
 * While a sync runs, requests pile up in the queue; they are the next group.
 * So groups grow under load by themselves, and a single request never waits
 * for company.
 *
 * Trouble. After a failed write or sync nobody knows what is on disk, so the
 * segment is cut back to its last good entry, closed, and a new one is begun;
 * lsns that were given out are not given out again. If that fails too, the
 * journal is broken: it refuses everything with ERR_IO, and its thread tries
 * to begin a segment once a second until it can.
 *
 * Bytes. Each segment knows what was written to it and how much of that had
 * been cut when it was last cut whole (dead). The sum of the differences, and
 * what is queued, is held under max_bytes. A file goes when all its entries
 * are cut and it is not the active one; an active one of which much is dead is
 * closed before the next write, so that it can go. The last file stays, so
 * that its name carries the lsns on.
 *
 * Locks  one mutex: the list of segments, and what is cut. next_lsn, uncut and
 *        queued are atomics, because receivers look at them for every request.
 */
#include "journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "journal_dir.h"
#include "journal_segment.h"
#include "log.h"
#include "mem.h"
#include "queue.h"
#include "stats.h"

enum { MAX_QUEUED = 4096, MAX_GROUP = 256 };

struct journal {
    struct journal_options options;
    const struct journal_io *io;
    struct journal_dir dir;
    pthread_mutex_t lock; /* dir's list, cut_lsn, replaying */
    uint64_t cut_lsn;
    bool replaying; /* the list is being walked: nothing leaves it */
    atomic_uint_fast64_t next_lsn, uncut, queued;
    atomic_bool broken, stopping;
    struct queue *queue;
    struct segment_writer writer; /* of the thread */
    uint64_t last_lsn;     /* of the thread: of the entry that is there last */
    uint64_t failed_epoch; /* of the thread; see stale() */
    struct sink next;
    pthread_t thread;
    bool started;
};

/* ---- bytes ---- */

/* With the lock held. */
static void count_bytes(struct journal *journal)
{
    uint64_t uncut = 0;

    for (size_t i = 0; i < journal->dir.count; i++)
        uncut += journal->dir.at[i].used - journal->dir.at[i].dead;
    atomic_store(&journal->uncut, uncut);
    stats_set(STATS_JOURNAL_BYTES, uncut);
}

/* With the lock held: marks what is cut, removes the files that can go. */
static void drop_segments(struct journal *journal)
{
    struct journal_dir *dir = &journal->dir;

    for (size_t i = 0; i < dir->count; i++)
        if (dir->at[i].last_lsn <= journal->cut_lsn)
            dir->at[i].dead = dir->at[i].used;
    while (!journal->replaying && dir->count > 1 &&
           dir->at[0].last_lsn <= journal->cut_lsn &&
           journal_dir_remove_first(dir, journal->io))
        ;
    count_bytes(journal);
}

void journal_truncate(struct journal *journal, uint64_t lsn)
{
    pthread_mutex_lock(&journal->lock);
    if (lsn > journal->cut_lsn) {
        journal->cut_lsn = lsn;
        drop_segments(journal);
    }
    pthread_mutex_unlock(&journal->lock);
}

void journal_skip_lsns(struct journal *journal, uint64_t lsn)
{
    assert(!journal->started);
    if (lsn >= atomic_load(&journal->next_lsn))
        atomic_store(&journal->next_lsn, lsn + 1);
    if (lsn > journal->last_lsn)
        journal->last_lsn = lsn;
}

uint64_t journal_last_written_lsn(const struct journal *journal)
{
    assert(!journal->started);
    return journal->last_lsn;
}

struct journal_recovered journal_recovered(const struct journal *journal)
{
    const struct journal_dir *dir = &journal->dir;

    return (struct journal_recovered){
        .id = journal->dir.id,
        .any = dir->count > 0,
        .after = dir->count > 0 ? dir->at[0].after : 0,
        .last_lsn = dir->last_lsn,
        .damaged_after = dir->damaged_after,
    };
}

uint64_t journal_id(const struct journal *journal)
{
    return journal->writer.id;
}

enum status journal_set_id(struct journal *journal, uint64_t id)
{
    enum status status = OK;

    assert(!journal->started && id != 0);
    if (journal->dir.count > 0 && journal->dir.id != 0 &&
        journal->dir.id != id) {
        status = journal_dir_set_aside(&journal->dir, journal->io, ".foreign");
        atomic_store(&journal->next_lsn, 1);
        journal->last_lsn = 0;
        count_bytes(journal);
    }
    journal->writer.id = id;
    return status;
}

uint64_t journal_last_lsn(struct journal *journal)
{
    return atomic_load(&journal->next_lsn) - 1;
}

uint64_t journal_bytes(struct journal *journal)
{
    return atomic_load(&journal->uncut);
}

uint64_t journal_max_bytes(struct journal *journal)
{
    return journal->options.max_bytes;
}

/* ---- the thread ---- */

/* The segment that is written to. The list may move under the thread, but its
 * last element is the thread's own. */
static struct segment active_segment(struct journal *journal)
{
    struct segment active = {.used = SEGMENT_HEAD, .dead = SEGMENT_HEAD};

    pthread_mutex_lock(&journal->lock);
    if (journal->dir.count > 0)
        active = journal->dir.at[journal->dir.count - 1];
    pthread_mutex_unlock(&journal->lock);
    return active;
}

/* Closes the active segment, if there is one, and begins the next. */
static enum status next_segment(struct journal *journal)
{
    struct journal_dir *dir = &journal->dir;
    uint64_t lsn = atomic_load(&journal->next_lsn);
    struct segment segment = {lsn, lsn - 1, SEGMENT_HEAD, SEGMENT_HEAD,
                              journal->last_lsn};
    char path[JOURNAL_PATH];
    enum status status = OK;

    if (journal->writer.fd >= 0)
        status = segment_finish(&journal->writer, active_segment(journal).used);
    if (status != OK)
        return status;
    journal_dir_path(dir, lsn, "", path);
    status = segment_create(&journal->writer, path, dir->fd, lsn,
                            journal->last_lsn, journal->options.segment_bytes);
    if (status != OK)
        return status;
    pthread_mutex_lock(&journal->lock);
    journal_dir_add(dir, segment);
    drop_segments(journal);
    pthread_mutex_unlock(&journal->lock);
    return OK;
}

static void repair(struct journal *journal)
{
    bool broken = next_segment(journal) != OK;

    if (broken && !atomic_load(&journal->broken))
        log_error("journal", "cannot write, refusing new data",
                  log_text("dir", journal->dir.path),
                  log_text("error", strerror(errno)));
    if (!broken && atomic_load(&journal->broken))
        log_info("journal", "can write again",
                 log_text("dir", journal->dir.path));
    atomic_store(&journal->broken, broken);
}

static void failed(struct journal *journal, const char *what)
{
    stats_add(STATS_JOURNAL_ERRORS, 1);
    if (!atomic_load(&journal->broken))
        log_error("journal", what, log_text("dir", journal->dir.path),
                  log_text("error", strerror(errno)));
    repair(journal);
}

static void refuse(struct batch *batch, enum status status)
{
    batch_done(batch, status);
    batch_free(batch);
}

/*
 * Of a batch with an source that could not be written, all of its epoch that
 * were submitted after it are refused too: the offset of a later one, once it
 * is durable, says that all before it are.
 */
static bool stale(const struct journal *journal, const struct batch *batch)
{
    return batch->source && batch->source->epoch <= journal->failed_epoch;
}

static void note_failed(struct journal *journal, const struct batch *batch)
{
    if (batch->source && batch->source->epoch > journal->failed_epoch)
        journal->failed_epoch = batch->source->epoch;
}

/* Room for one entry more behind `used` bytes? An empty segment takes any. */
static bool fits(const struct journal *journal, uint64_t used, uint64_t size)
{
    return used == SEGMENT_HEAD ||
           used + size <= journal->options.segment_bytes;
}

/* True if the active segment is to be closed before `batch` is written: it is
 * full, or a good part of it is only waiting to be removed. */
static bool segment_done(struct journal *journal, const struct batch *batch)
{
    struct segment active = active_segment(journal);

    return !fits(journal, active.used, segment_entry_size(batch)) ||
           (active.dead == active.used &&
            active.used > journal->options.segment_bytes / 4);
}

/* Writes and syncs a group; what it says about the segment is set only if all
 * went well. */
static enum status write_group(struct journal *journal, struct batch **batches,
                               size_t count)
{
    struct segment *active;
    uint64_t size = 0;
    uint64_t lsn = atomic_load(&journal->next_lsn);
    enum status status = OK;

    for (size_t i = 0; i < count && status == OK; i++) {
        batches[i]->lsn = lsn++;
        size += segment_entry_size(batches[i]);
        status = segment_append(&journal->writer, batches[i]);
    }
    atomic_store(&journal->next_lsn, lsn); /* spent, whatever comes */
    if (status == OK)
        status = segment_sync(&journal->writer);
    if (status != OK)
        return status;
    pthread_mutex_lock(&journal->lock);
    active = &journal->dir.at[journal->dir.count - 1];
    active->used += size;
    active->last_lsn = journal->last_lsn = lsn - 1;
    count_bytes(journal);
    pthread_mutex_unlock(&journal->lock);
    stats_add(STATS_JOURNAL_SYNCS, 1);
    stats_add(STATS_JOURNAL_ENTRIES, count);
    return OK;
}

/* One group from the front of batches; how many of them are dealt with. */
static size_t handle_group(struct journal *journal, struct batch **batches,
                           size_t count)
{
    uint64_t used, size = 0;
    size_t n = 0;
    enum status status = ERR_IO;

    if (stale(journal, batches[0])) {
        atomic_fetch_sub(&journal->queued, segment_entry_size(batches[0]));
        refuse(batches[0], ERR_IO);
        return 1;
    }
    if (!atomic_load(&journal->broken) && segment_done(journal, batches[0]) &&
        next_segment(journal) != OK)
        failed(journal, "cannot begin a segment");
    used = active_segment(journal).used;
    while (n < count && (n == 0 || (fits(journal, used + size,
                                         segment_entry_size(batches[n])) &&
                                    !stale(journal, batches[n]))))
        size += segment_entry_size(batches[n++]);
    if (!atomic_load(&journal->broken)) {
        status = write_group(journal, batches, n);
        if (status != OK)
            failed(journal, "write failed");
    }
    atomic_fetch_sub(&journal->queued, size);
    for (size_t i = 0; i < n; i++)
        if (status == OK) {
            journal->next.submit(journal->next.arg, batches[i]);
        } else {
            note_failed(journal, batches[i]);
            refuse(batches[i], status);
        }
    return n;
}

static void *run(void *arg)
{
    struct journal *journal = arg;
    struct batch *batches[MAX_GROUP];

    for (;;) {
        bool broken = atomic_load(&journal->broken);
        size_t count =
            queue_pop_many(journal->queue, (void **)batches, MAX_GROUP,
                           broken ? journal->io->retry_ns : UINT64_MAX);

        if (count == 0 && queue_closed(journal->queue))
            return NULL;
        if (count == 0)
            repair(journal);
        for (size_t done = 0; done < count;)
            done += handle_group(journal, batches + done, count - done);
    }
}

/* ---- the sink ---- */

static enum status sink_ready(void *arg)
{
    struct journal *journal = arg;

    if (atomic_load(&journal->stopping))
        return ERR_STOPPING;
    if (atomic_load(&journal->broken))
        return ERR_IO;
    if (atomic_load(&journal->uncut) + atomic_load(&journal->queued) >=
        journal->options.max_bytes)
        return ERR_BUSY;
    return journal->next.ready ? journal->next.ready(journal->next.arg) : OK;
}

static void sink_submit(void *arg, struct batch *batch)
{
    struct journal *journal = arg;
    uint64_t size = segment_entry_size(batch);
    uint64_t before =
        atomic_fetch_add(&journal->queued, size) + atomic_load(&journal->uncut);
    enum status status = OK;

    if (atomic_load(&journal->stopping))
        status = ERR_STOPPING;
    else if (atomic_load(&journal->broken))
        status = ERR_IO;
    else if (batch->body_len > ENTRY_MAX_BODY)
        status = ERR_TOO_BIG;
    /* One that is larger than all we may hold still goes in alone. */
    else if (before > 0 && before + size > journal->options.max_bytes)
        status = ERR_BUSY;
    else if (!queue_push(journal->queue, batch))
        status = queue_closed(journal->queue) ? ERR_STOPPING : ERR_BUSY;
    if (status != OK) {
        atomic_fetch_sub(&journal->queued, size);
        refuse(batch, status);
    }
}

struct sink journal_sink(struct journal *journal)
{
    return (struct sink){sink_submit, sink_ready, journal};
}

/* ---- open, replay, start, close ---- */

enum status journal_open_io(struct journal **out,
                            const struct journal_options *options,
                            const struct journal_io *io)
{
    struct journal *journal = mem_zero(1, sizeof(*journal));
    uint64_t next_lsn = 1;
    enum status status;

    journal->options = *options;
    if (journal->options.segment_bytes == 0)
        journal->options.segment_bytes = options->max_bytes / 8;
    journal->options.dir = NULL; /* the caller's; dir has a copy */
    journal->io = io;
    journal->queue = queue_new(MAX_QUEUED);
    pthread_mutex_init(&journal->lock, NULL);
    segment_writer_init(&journal->writer, io);
    status = journal_dir_open(&journal->dir, io, options->dir, &next_lsn);
    atomic_store(&journal->next_lsn, next_lsn);
    journal->last_lsn = journal->dir.last_lsn;
    journal->writer.id = journal->dir.id;
    while (status == OK && journal->writer.id == 0)
        if (getentropy(&journal->writer.id, sizeof(journal->writer.id)) != 0)
            status = ERR_IO;
    if (status != OK) {
        journal_close(journal);
        return status;
    }
    count_bytes(journal);
    *out = journal;
    return OK;
}

enum status journal_open(struct journal **journal,
                         const struct journal_options *options)
{
    return journal_open_io(journal, options, &journal_io_system);
}

/* Takes the body from the budget, waiting for those who are giving some back;
 * after a while without, because what was acknowledged has to come in. */
static struct budget *charge(struct journal *journal, size_t len,
                             unsigned *patience)
{
    struct budget *budget = journal->options.budget;

    if (!budget)
        return NULL;
    while (!budget_take(budget, len)) {
        if (*patience == 0)
            return NULL;
        --*patience;
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    }
    return budget;
}

struct replay {
    struct journal *journal;
    uint64_t after;
    enum status (*entry)(void *arg, struct batch *batch);
    void *arg;
    unsigned patience; /* ms left to wait for the budget, in all */
};

static enum status replay_entry(struct replay *replay,
                                const struct segment_entry *entry)
{
    struct batch *batch =
        batch_new(entry->signal, entry->body, entry->body_len,
                  charge(replay->journal, entry->body_len, &replay->patience));

    batch->encoding = entry->encoding;
    batch->received_ns = entry->received_ns;
    batch->lsn = entry->lsn;
    if (entry->has_source)
        batch_set_source_offset(batch, &entry->source);
    stats_add(STATS_REPLAYED_ENTRIES, 1);
    return replay->entry(replay->arg, batch);
}

static enum status replay_segment(struct replay *replay,
                                  const struct segment *segment)
{
    struct segment_reader reader;
    struct segment_entry entry;
    char path[JOURNAL_PATH];
    enum status status;

    journal_dir_path(&replay->journal->dir, segment->first_lsn, "", path);
    status = segment_reader_open(&reader, replay->journal->io, path, O_RDONLY,
                                 segment->first_lsn);
    while (status == OK && reader.last_lsn < segment->last_lsn) {
        status = segment_next(&reader, &entry, true);
        if (status == ERR_CORRUPT && segment_resync(&reader) == OK) {
            status = OK; /* was told of at the start */
            continue;
        }
        if (status == OK && entry.lsn <= replay->after)
            free(entry.body);
        else if (status == OK)
            status = replay_entry(replay, &entry);
    }
    segment_reader_close(&reader);
    return status;
}

/* What is read back is committed, and cut, while the rest is being read. */
static void set_replaying(struct journal *journal, bool replaying)
{
    pthread_mutex_lock(&journal->lock);
    journal->replaying = replaying;
    drop_segments(journal);
    pthread_mutex_unlock(&journal->lock);
}

enum status journal_replay(struct journal *journal, uint64_t after,
                           enum status (*entry)(void *arg, struct batch *batch),
                           void *arg)
{
    struct replay replay = {journal, after, entry, arg, 5000};
    enum status status = OK;

    assert(!journal->started);
    set_replaying(journal, true);
    for (size_t i = 0; i < journal->dir.count && status == OK; i++)
        if (journal->dir.at[i].last_lsn > after)
            status = replay_segment(&replay, &journal->dir.at[i]);
    set_replaying(journal, false);
    return status;
}

enum status journal_start(struct journal *journal, struct sink next)
{
    assert(!journal->started);
    journal->next = next;
    repair(journal); /* a full disk keeps nobody from reading */
    if (pthread_create(&journal->thread, NULL, run, journal) != 0)
        return ERR_INTERNAL;
    journal->started = true;
    return OK;
}

void journal_stop(struct journal *journal)
{
    struct batch *batch;

    if (!journal)
        return;
    atomic_store(&journal->stopping, true);
    queue_close(journal->queue);
    if (journal->started)
        pthread_join(journal->thread, NULL);
    journal->started = false;
    while ((batch = queue_pop(journal->queue, 0)) != NULL)
        refuse(batch, ERR_STOPPING); /* never started */
    if (segment_finish(&journal->writer, active_segment(journal).used) != OK)
        log_warn("journal", "cannot cut the last segment to size", LOG_NONE);
}

/* True if no entry is left that the store needs, but a file that holds some. */
static bool only_cut_entries(struct journal *journal)
{
    const struct journal_dir *dir = &journal->dir;
    bool only;

    pthread_mutex_lock(&journal->lock);
    only = dir->count > 0 && journal->cut_lsn > 0 &&
           dir->at[dir->count - 1].last_lsn <= journal->cut_lsn &&
           dir->at[dir->count - 1].used > SEGMENT_HEAD;
    pthread_mutex_unlock(&journal->lock);
    return only;
}

/* After a clean stop all is in the store: an empty segment takes the place of
 * the last one, and carries the lsns on. */
static void leave_empty(struct journal *journal)
{
    if (!only_cut_entries(journal))
        return;
    journal->options.segment_bytes = SEGMENT_HEAD; /* nothing set aside */
    if (next_segment(journal) != OK ||
        segment_finish(&journal->writer, SEGMENT_HEAD) != OK)
        log_warn("journal", "cannot empty the last segment",
                 log_text("error", strerror(errno)));
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    journal_stop(journal);
    leave_empty(journal);
    segment_writer_release(&journal->writer);
    queue_free(journal->queue);
    journal_dir_release(&journal->dir);
    pthread_mutex_destroy(&journal->lock);
    free(journal);
}
