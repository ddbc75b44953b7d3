/*
 * journal - what was acknowledged and is not in a block yet.
 *
 * Batches are appended in the order of their log sequence numbers (lsn, from
 * 1, never used twice in the life of a data directory) and handed on, in that
 * order, once they are on disk; many share one sync. At start the entries that
 * are left are read back. The store cuts the journal as blocks are committed.
 *
 * Threads  journal_submit and journal_ready from any; one thread inside writes
 *          and calls the next sink; journal_truncate from any.
 * Format   docs/format.md; head of journal.c.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "batch.h"
#include "status.h"

struct journal;

struct journal_options {
    const char *dir;        /* made if missing; files journal-<lsn>.log */
    uint64_t max_bytes;     /* of all its files; beyond it: ERR_BUSY */
    uint64_t segment_bytes; /* size of one file; 0: max_bytes / 8 */
    struct budget *budget;  /* for the bodies of replayed batches */
};

/*
 * Opens and checks what is there. A torn tail (crash during a write) is cut
 * off; damage elsewhere is passed over if whole entries are behind it, and else
 * moved aside, in both cases copied to *.damaged, counted and logged; a
 * newer version than ours is ERR_UNSUPPORTED; ERR_IN_USE: another process has
 * the folder open. All are logged.
 */
MUST_CHECK enum status journal_open(struct journal **journal,
                                    const struct journal_options *options);

/* Takes nothing more (ERR_STOPPING), writes and hands on what was submitted,
 * ends the thread. NULL is fine. */
void journal_stop(struct journal *journal);

/* journal_stop, if that was not called, and frees. journal_truncate works until
 * then. NULL is fine. */
void journal_close(struct journal *journal);

/* Every entry with lsn > after, oldest first, as a batch that is not decoded
 * (body, signal, encoding, received_ns, lsn, origin). The callee takes it over.
 * Stops early at the first status that is not OK, which it returns. Before
 * journal_start only. */
MUST_CHECK enum status journal_replay(struct journal *journal, uint64_t after,
                                      enum status (*entry)(void *arg,
                                                           struct batch *batch),
                                      void *arg);

/* Starts the writing thread; synced batches go to next.submit. */
MUST_CHECK enum status journal_start(struct journal *journal, struct sink next);

/* The sink for receivers. A batch that cannot be written is done() with
 * ERR_BUSY (journal full), ERR_IO (disk) or ERR_STOPPING. Once that happened
 * to a batch with an origin after submit has returned, all with an origin of
 * its epoch (from 1) or an earlier one are refused, so none overtakes it: the
 * sender goes on in a new epoch, from what failed. */
struct sink journal_sink(struct journal *journal);

/* Entries up to and including this lsn are no longer needed. */
void journal_truncate(struct journal *journal, uint64_t lsn);

/* No lsn up to and including this one is handed out any more. For a store
 * that knows of later ones than a journal that was lost or damaged. Before
 * journal_start only. */
void journal_skip_lsns(struct journal *journal, uint64_t lsn);

/*
 * What was there at the start, to be compared with what the store knows.
 * Before journal_start only.
 */
struct journal_recovered {
    bool any;               /* there is a file of it */
    uint64_t id;            /* 0: it has none (written by an earlier version) */
    uint64_t after;         /* last lsn before its first file; 0: not known */
    uint64_t last_lsn;      /* of its last entry */
    uint64_t damaged_after; /* entries are missing behind this lsn, and perhaps
                               later; UINT64_MAX: none are */
};
struct journal_recovered journal_recovered(const struct journal *journal);

/* A random number that tells journals apart, to be kept by the store, and not
 * to be shown. Setting another one, before journal_start, puts a journal that
 * has its own aside as *.foreign, and begins anew. */
uint64_t journal_id(const struct journal *journal);
MUST_CHECK enum status journal_set_id(struct journal *journal, uint64_t id);

/* The lsn handed out last (0: none ever), and the bytes not cut yet. Some lsns
 * were of entries that could not be written. */
uint64_t journal_last_lsn(struct journal *journal);
/* The lsn of the entry written last. Once the journal is stopped. */
uint64_t journal_last_written_lsn(const struct journal *journal);
uint64_t journal_bytes(struct journal *journal);
uint64_t journal_max_bytes(struct journal *journal);

#endif
