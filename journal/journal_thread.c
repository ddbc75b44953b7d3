/*
 * The journal's thread:
 *
 *   take all batches from the queue                  (waits here only)
 *   a group: as many as fit into the segment, at least one
 *     give each its lsn, append, one sync, pass each to the next sink
 *   repeat until all are passed on
 *
 * While a sync runs, requests collect in the queue and form the next group, so
 * groups grow under load and a single request never waits for company.
 *
 * After a failed write or sync the contents of the file are unknown, so the
 * segment is truncated to its last good entry, closed, and a new one is begun;
 * lsns already assigned are not assigned again. If that fails too, the journal
 * is broken: it refuses everything with ERR_IO, and this thread tries to begin
 * a segment once a second.
 */
#include <errno.h>
#include <string.h>

#include "journal_int.h"
#include "log.h"
#include "queue.h"
#include "stats.h"

enum { MAX_GROUP = 256 };

/* Other threads may shorten the list, but its last element belongs to this
 * one. */
struct segment journal_active_segment(struct journal *journal)
{
    struct segment active = {.used = SEGMENT_HEAD, .truncated = SEGMENT_HEAD};

    pthread_mutex_lock(&journal->lock);
    if (journal->dir.count > 0)
        active = journal->dir.at[journal->dir.count - 1];
    pthread_mutex_unlock(&journal->lock);
    return active;
}

enum status journal_next_segment(struct journal *journal)
{
    struct journal_dir *dir = &journal->dir;
    uint64_t lsn = atomic_load(&journal->next_lsn);
    struct segment segment = {.first_lsn = lsn,
                              .last_lsn = lsn - 1,
                              .used = SEGMENT_HEAD,
                              .truncated = SEGMENT_HEAD,
                              .previous_lsn = journal->last_lsn};
    char path[JOURNAL_PATH];
    enum status status = OK;

    if (journal->writer.fd >= 0)
        status = segment_finish(&journal->writer,
                                journal_active_segment(journal).used);
    if (status != OK)
        return status;
    journal_dir_path(dir, lsn, "", path);
    status = segment_create(&journal->writer, path, dir->fd, lsn,
                            journal->last_lsn, journal->options.segment_bytes);
    if (status != OK)
        return status;
    pthread_mutex_lock(&journal->lock);
    journal_dir_add(dir, segment);
    journal_drop_segments(journal);
    pthread_mutex_unlock(&journal->lock);
    return OK;
}

void journal_try_next_segment(struct journal *journal)
{
    bool broken = journal_next_segment(journal) != OK;

    if (broken && !atomic_load(&journal->broken))
        log_error("journal", "cannot write; rejecting new data",
                  log_text("dir", journal->dir.path),
                  log_text("error", strerror(errno)));
    if (!broken && atomic_load(&journal->broken))
        log_info("journal", "can write again",
                 log_text("dir", journal->dir.path));
    atomic_store(&journal->broken, broken);
}

static void handle_failure(struct journal *journal, const char *what)
{
    stats_add(STATS_JOURNAL_ERRORS, 1);
    if (!atomic_load(&journal->broken))
        log_error("journal", what, log_text("dir", journal->dir.path),
                  log_text("error", strerror(errno)));
    journal_try_next_segment(journal);
}

/*
 * After a batch with a source could not be written, later ones of its epoch
 * are refused too: the offset of a later one, once durable, would say that all
 * before it are durable.
 */
static bool is_stale(const struct journal *journal, const struct batch *batch)
{
    return batch->source && batch->source->epoch <= journal->failed_epoch;
}

static void note_failed(struct journal *journal, const struct batch *batch)
{
    if (batch->source && batch->source->epoch > journal->failed_epoch)
        journal->failed_epoch = batch->source->epoch;
}

/* Room for one more entry after `used` bytes? An empty segment takes any. */
static bool entry_fits(const struct journal *journal, uint64_t used,
                       uint64_t size)
{
    return used == SEGMENT_HEAD ||
           used + size <= journal->options.segment_bytes;
}

/* True if the active segment must be closed before `batch` is written: it is
 * full, or large and entirely truncated, so that its file can be removed. */
static bool segment_is_done(struct journal *journal, const struct batch *batch)
{
    struct segment active = journal_active_segment(journal);

    return !entry_fits(journal, active.used, segment_entry_size(batch)) ||
           (active.truncated == active.used &&
            active.used > journal->options.segment_bytes / 4);
}

/* Writes and syncs a group; the list changes only if that succeeded. */
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
    atomic_store(&journal->next_lsn, lsn); /* used up even on failure */
    if (status == OK)
        status = segment_sync(&journal->writer);
    if (status != OK)
        return status;
    pthread_mutex_lock(&journal->lock);
    active = &journal->dir.at[journal->dir.count - 1];
    active->used += size;
    active->last_lsn = journal->last_lsn = lsn - 1;
    journal_count_bytes(journal);
    pthread_mutex_unlock(&journal->lock);
    stats_add(STATS_JOURNAL_SYNCS, 1);
    stats_add(STATS_JOURNAL_ENTRIES, count);
    return OK;
}

/* Passes the group on, or refuses it. */
static void finish_group(struct journal *journal, struct batch **batches,
                         size_t count, enum status status)
{
    for (size_t i = 0; i < count; i++)
        if (status == OK) {
            journal->next.submit(journal->next.arg, batches[i]);
        } else {
            note_failed(journal, batches[i]);
            journal_refuse(batches[i], status);
        }
}

/* Handles one group from the front of batches; returns its length. */
static size_t handle_group(struct journal *journal, struct batch **batches,
                           size_t count)
{
    uint64_t used, size = 0;
    size_t n = 0;
    enum status status = ERR_IO;

    if (is_stale(journal, batches[0])) {
        atomic_fetch_sub(&journal->queued_bytes,
                         segment_entry_size(batches[0]));
        journal_refuse(batches[0], ERR_IO);
        return 1;
    }
    if (!atomic_load(&journal->broken) &&
        segment_is_done(journal, batches[0]) &&
        journal_next_segment(journal) != OK)
        handle_failure(journal, "cannot begin a segment");
    used = journal_active_segment(journal).used;
    while (n < count &&
           (n == 0 ||
            (entry_fits(journal, used + size, segment_entry_size(batches[n])) &&
             !is_stale(journal, batches[n]))))
        size += segment_entry_size(batches[n++]);
    if (!atomic_load(&journal->broken)) {
        status = write_group(journal, batches, n);
        if (status != OK)
            handle_failure(journal, "write failed");
    }
    atomic_fetch_sub(&journal->queued_bytes, size);
    finish_group(journal, batches, n, status);
    return n;
}

void *journal_thread(void *arg)
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
            journal_try_next_segment(journal);
        for (size_t done = 0; done < count;)
            done += handle_group(journal, batches + done, count - done);
    }
}
