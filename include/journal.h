/*
 * journal - the write-ahead log of accepted batches.
 *
 * Purpose:   batches are appended in the order of their log sequence numbers
 *            (lsn, from 1, never reused in a data directory), many per sync,
 *            and passed to the next sink, in that order, once they are durable.
 *            At start the remaining entries are replayed. The store truncates
 *            the journal as blocks are committed. Format: docs/format.md.
 * Ownership: submitted batches belong to the journal until it passes them on;
 *            replayed ones belong to the callee.
 * Threads:   the sink and journal_truncate() from any thread; one thread of the
 *            journal writes and calls the next sink; all else from the thread
 *            that opened it.
 * Errors:    a batch that cannot be written is completed with ERR_BUSY (journal
 *            full), ERR_IO (disk), ERR_TOO_BIG or ERR_STOPPING; failures are
 *            logged and counted.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "batch.h"
#include "status.h"

struct journal;

struct journal_options {
    const char *dir;        /* created if missing; files journal-<lsn>.log */
    uint64_t max_bytes;     /* of all files; above it: ERR_BUSY */
    uint64_t segment_bytes; /* size of one file; 0: max_bytes / 8 */
    struct budget *budget;  /* for the bodies of replayed batches */
};

/*
 * Opens the folder and checks every segment. A torn tail (a crash during a
 * write) is truncated; damage elsewhere is copied to *.damaged and skipped if
 * intact entries follow, else truncated. ERR_UNSUPPORTED: a newer version;
 * ERR_IN_USE: another process has the folder open.
 */
MUST_CHECK enum status journal_open(struct journal **journal,
                                    const struct journal_options *options);

/* Refuses new batches (ERR_STOPPING), writes and passes on the submitted ones,
 * ends the thread. NULL is allowed. */
void journal_stop(struct journal *journal);

/* journal_stop(), unless already called, and frees; journal_truncate() works
 * until then. NULL is allowed. */
void journal_close(struct journal *journal);

/* Calls entry for every entry with lsn > after, oldest first, with a batch that
 * is not decoded (body, signal, encoding, received_ns, lsn, source). Stops at
 * the first failure of the callee and returns it. Before journal_start(). */
MUST_CHECK enum status journal_replay(struct journal *journal, uint64_t after,
                                      enum status (*entry)(void *arg,
                                                           struct batch *batch),
                                      void *arg);

/* Starts the thread; durable batches go to next.submit. */
MUST_CHECK enum status journal_start(struct journal *journal, struct sink next);

/* The sink for receivers. After a batch with a source has failed in the
 * journal's thread, all later ones of its epoch (from 1) or an earlier one are
 * refused, so that none overtakes it: the sender starts a new epoch at the
 * batch that failed. */
struct sink journal_sink(struct journal *journal);

/* The store has committed all entries up to and including this lsn. */
void journal_truncate(struct journal *journal, uint64_t lsn);

/* Never assigns an lsn up to and including this one: for a store that knows
 * later ones than a lost or damaged journal. Before journal_start(). */
void journal_skip_lsns(struct journal *journal, uint64_t lsn);

/* What journal_open() found, to compare with what the store knows. Before
 * journal_start(). */
struct journal_recovered {
    bool any;               /* there are segments */
    uint64_t id;            /* 0: none (written by an earlier version) */
    uint64_t after;         /* last lsn before the first file; 0: not known */
    uint64_t last_lsn;      /* of its last entry */
    uint64_t damaged_after; /* lsn before the first missing entry; UINT64_MAX:
                               none is missing */
};
struct journal_recovered journal_recovered(const struct journal *journal);

/* A random number that identifies the journal; secret, stored by the store.
 * Setting another one, before journal_start(), renames the segments of a
 * journal that has its own to *.foreign and starts an empty one. */
uint64_t journal_id(const struct journal *journal);
MUST_CHECK enum status journal_set_id(struct journal *journal, uint64_t id);

/* The lsn assigned last (0: none), which may belong to an entry that could not
 * be written; the bytes not truncated. */
uint64_t journal_last_lsn(struct journal *journal);
/* The lsn of the last entry written. After journal_stop(). */
uint64_t journal_last_written_lsn(const struct journal *journal);
uint64_t journal_bytes(struct journal *journal);
uint64_t journal_max_bytes(struct journal *journal);

#endif
