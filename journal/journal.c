/*
 * The journal is a folder of segments (format: journal_entry.c),
 *
 *   journal-<first lsn, 16 hex digits>.log    read in the order of the names
 *   journal-<...>.log.damaged                 damaged bytes, never read
 *   journal.lock                              held while a process has it open
 *
 * of which the last, the active one, is written by the journal's thread
 * (journal_thread.c). journal_dir.c checks the folder at start, and
 * journal_replay.c reads it back.
 *
 * Each segment knows how many bytes were written to it and how many of those
 * are truncated (all or none). The sum of the differences, plus what is queued,
 * stays below max_bytes. A file is removed when all its entries are truncated
 * and it is not the active one; an active one that is large and truncated is
 * closed before the next write, so that it can be removed. The last file
 * remains, so that its name preserves the lsn.
 *
 * Locks  one mutex: the list of segments, truncated_lsn and replaying.
 * next_lsn, live_bytes and queued_bytes are atomics, because receivers read
 * them for every request.
 */
#include "journal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal_int.h"
#include "log.h"
#include "mem.h"
#include "queue.h"
#include "stats.h"

enum { MAX_QUEUED = 4096 };

/* ---- bytes ---- */

void journal_count_bytes(struct journal *journal)
{
    uint64_t live = 0;

    for (size_t i = 0; i < journal->dir.count; i++)
        live += journal->dir.at[i].used - journal->dir.at[i].truncated;
    atomic_store(&journal->live_bytes, live);
    stats_set(STATS_JOURNAL_BYTES, live);
}

void journal_drop_segments(struct journal *journal)
{
    struct journal_dir *dir = &journal->dir;

    for (size_t i = 0; i < dir->count; i++)
        if (dir->at[i].last_lsn <= journal->truncated_lsn)
            dir->at[i].truncated = dir->at[i].used;
    while (!journal->replaying && dir->count > 1 &&
           dir->at[0].last_lsn <= journal->truncated_lsn &&
           journal_dir_remove_first(dir, journal->io))
        ;
    journal_count_bytes(journal);
}

void journal_truncate(struct journal *journal, uint64_t lsn)
{
    pthread_mutex_lock(&journal->lock);
    if (lsn > journal->truncated_lsn) {
        journal->truncated_lsn = lsn;
        journal_drop_segments(journal);
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
        .after = dir->count > 0 ? dir->at[0].previous_lsn : 0,
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
        journal_count_bytes(journal);
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
    return atomic_load(&journal->live_bytes);
}

uint64_t journal_max_bytes(struct journal *journal)
{
    return journal->options.max_bytes;
}

/* ---- the sink ---- */

void journal_refuse(struct batch *batch, enum status status)
{
    batch_done(batch, status);
    batch_free(batch);
}

static enum status sink_ready(void *arg)
{
    struct journal *journal = arg;

    if (atomic_load(&journal->stopping))
        return ERR_STOPPING;
    if (atomic_load(&journal->broken))
        return ERR_IO;
    if (atomic_load(&journal->live_bytes) +
            atomic_load(&journal->queued_bytes) >=
        journal->options.max_bytes)
        return ERR_BUSY;
    return journal->next.ready ? journal->next.ready(journal->next.arg) : OK;
}

/* Above three quarters. */
static bool sink_nearly_full(void *arg)
{
    struct journal *journal = arg;
    uint64_t max = journal->options.max_bytes;

    return atomic_load(&journal->live_bytes) +
               atomic_load(&journal->queued_bytes) >
           max - max / 4;
}

static void sink_submit(void *arg, struct batch *batch)
{
    struct journal *journal = arg;
    uint64_t size = segment_entry_size(batch);
    uint64_t before = atomic_fetch_add(&journal->queued_bytes, size) +
                      atomic_load(&journal->live_bytes);
    enum status status = OK;

    if (atomic_load(&journal->stopping))
        status = ERR_STOPPING;
    else if (atomic_load(&journal->broken))
        status = ERR_IO;
    else if (batch->body_len > ENTRY_MAX_BODY)
        status = ERR_TOO_BIG;
    /* One larger than max_bytes is accepted if the journal is empty. */
    else if (before > 0 && before + size > journal->options.max_bytes)
        status = ERR_BUSY;
    else if (!queue_push(journal->queue, batch))
        status = queue_closed(journal->queue) ? ERR_STOPPING : ERR_BUSY;
    if (status != OK) {
        atomic_fetch_sub(&journal->queued_bytes, size);
        journal_refuse(batch, status);
    }
}

struct sink journal_sink(struct journal *journal)
{
    return (struct sink){sink_submit, sink_ready, journal, sink_nearly_full};
}

/* ---- open, start, close ---- */

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
    journal->options.dir = NULL; /* belongs to the caller; dir has a copy */
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
    journal_count_bytes(journal);
    *out = journal;
    return OK;
}

enum status journal_open(struct journal **journal,
                         const struct journal_options *options)
{
    return journal_open_io(journal, options, &journal_io_system);
}

enum status journal_start(struct journal *journal, struct sink next)
{
    assert(!journal->started);
    journal->next = next;
    journal_try_next_segment(
        journal); /* a full disk does not prevent queries */
    if (pthread_create(&journal->thread, NULL, journal_thread, journal) != 0)
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
        journal_refuse(batch, ERR_STOPPING); /* never started */
    if (segment_finish(&journal->writer,
                       journal_active_segment(journal).used) != OK)
        log_warn("journal", "cannot truncate the last segment", LOG_NONE);
}

/* True if there are entries, and all of them are truncated. */
static bool all_truncated(struct journal *journal)
{
    const struct journal_dir *dir = &journal->dir;
    bool all;

    pthread_mutex_lock(&journal->lock);
    all = dir->count > 0 && journal->truncated_lsn > 0 &&
          dir->at[dir->count - 1].last_lsn <= journal->truncated_lsn &&
          dir->at[dir->count - 1].used > SEGMENT_HEAD;
    pthread_mutex_unlock(&journal->lock);
    return all;
}

/* After a clean stop everything is in the store: an empty segment replaces the
 * last one and preserves the lsn. */
static void replace_with_empty(struct journal *journal)
{
    if (!all_truncated(journal))
        return;
    journal->options.segment_bytes = SEGMENT_HEAD; /* no preallocation */
    if (journal_next_segment(journal) != OK ||
        segment_finish(&journal->writer, SEGMENT_HEAD) != OK)
        log_warn("journal", "cannot replace the last segment with an empty one",
                 log_text("error", strerror(errno)));
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    journal_stop(journal);
    replace_with_empty(journal);
    segment_writer_release(&journal->writer);
    queue_free(journal->queue);
    journal_dir_release(&journal->dir);
    pthread_mutex_destroy(&journal->lock);
    free(journal);
}
