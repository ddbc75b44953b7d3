/*
 * origins - how far the logs of others were read: for each partition the
 * offset behind the last batch that was appended; and the dead letters that
 * are not in their table yet.
 *
 * Both are written in the same transaction as the data of the batches around
 * them. Before the journal is cut, everything that lies before the cut must
 * have been: origins_owed() says from which lsn on that is not so.
 *
 * Threads  under the store's lock, but origins_write(), which works on what
 *          origins_choose() took.
 */
#ifndef STORE_ORIGINS_H
#define STORE_ORIGINS_H

#include "batch.h"
#include "db.h"

struct origins;

/* Letters that may wait for a commit before store_append does. */
enum { LETTERS_WAITING = 256 };

struct origins *origins_new(void);
void origins_free(struct origins *origins);

MUST_CHECK enum status origins_load(struct origins *origins, struct db *db);

/* Notes where a batch comes from. */
void origins_note(struct origins *origins, const struct batch *batch);

/* Takes over a dead letter. */
void origins_add_letter(struct origins *origins, struct batch *batch);
uint32_t origins_letters(const struct origins *origins);

bool origins_next(const struct origins *origins, struct slice topic,
                  uint32_t partition, uint64_t *next);

/* The lsn of the oldest batch that is noted, but not committed; UINT64_MAX if
 * all are. */
uint64_t origins_owed(const struct origins *origins);

/* What one commit writes: all that is owed at the time. */
struct origins_commit {
    struct origin_row *rows;
    size_t row_count;
    struct batch *letters; /* the first of letter_count */
    uint32_t letter_count;
    bool chosen;
};

void origins_choose(struct origins *origins, struct origins_commit *commit);
MUST_CHECK enum status origins_write(const struct origins_commit *commit,
                                     struct db *db);
/* After the commit, or after it failed; releases commit. */
void origins_chosen(struct origins *origins, struct origins_commit *commit,
                    bool committed);

#endif
