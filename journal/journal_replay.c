/*
 * Replay at start: entries become batches again, oldest first. The store
 * commits, and truncates the journal, while later segments are still read.
 *
 * Thread: the one that opens the journal, before journal_start().
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "journal_int.h"
#include "stats.h"

enum { BUDGET_WAIT_MS = 5000 };

struct replay {
    struct journal *journal;
    uint64_t after;
    enum status (*entry)(void *arg, struct batch *batch);
    void *arg;
    unsigned wait_ms; /* left to wait for the budget, in all */
};

/* Charges the body to the budget, waiting for others to return memory; after a
 * while without, since acknowledged data must be replayed. */
static struct budget *charge(struct replay *replay, size_t len)
{
    struct budget *budget = replay->journal->options.budget;

    if (!budget)
        return NULL;
    while (!budget_take(budget, len)) {
        if (replay->wait_ms == 0)
            return NULL;
        replay->wait_ms--;
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    }
    return budget;
}

static enum status replay_entry(struct replay *replay,
                                const struct segment_entry *entry)
{
    struct batch *batch = batch_new(entry->signal, entry->body, entry->body_len,
                                    charge(replay, entry->body_len));

    batch->encoding = entry->encoding;
    batch->received_ns = entry->received_ns;
    batch->lsn = entry->lsn;
    batch->writer = entry->writer;
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
            status = OK; /* journal_open() has reported it */
            continue;
        }
        if (status == OK && entry.lsn <= replay->after) {
            writer_free(entry.writer);
            free(entry.body);
        } else if (status == OK)
            status = replay_entry(replay, &entry);
    }
    segment_reader_close(&reader);
    return status;
}

/* While it is set, truncation removes no segment. */
static void set_replaying(struct journal *journal, bool replaying)
{
    pthread_mutex_lock(&journal->lock);
    journal->replaying = replaying;
    journal_drop_segments(journal);
    pthread_mutex_unlock(&journal->lock);
}

enum status journal_replay(struct journal *journal, uint64_t after,
                           enum status (*entry)(void *arg, struct batch *batch),
                           void *arg)
{
    struct replay replay = {journal, after, entry, arg, BUDGET_WAIT_MS};
    enum status status = OK;

    assert(!journal->started);
    set_replaying(journal, true);
    for (size_t i = 0; i < journal->dir.count && status == OK; i++)
        if (journal->dir.at[i].last_lsn > after)
            status = replay_segment(&replay, &journal->dir.at[i]);
    set_replaying(journal, false);
    return status;
}
