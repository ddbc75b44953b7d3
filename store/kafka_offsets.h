/*
 * kafka_offsets - for each partition the offset after that of the last batch
 * that was appended; and the dead letters that are not in their table yet.
 *
 * Both are written in the same transaction as the records of the batches around
 * them. Before the journal is truncated, all batches up to there must have
 * been: kafka_offsets_pending_lsn() is the first lsn for which that is not so.
 *
 * Threads: under the store's lock, except kafka_offsets_write(), which works on
 * what kafka_offsets_begin() took.
 */
#ifndef STORE_KAFKA_OFFSETS_H
#define STORE_KAFKA_OFFSETS_H

#include "batch.h"
#include "db.h"

struct kafka_offsets;

/* Letters that may wait for a commit before store_append does. */
enum { DEAD_LETTERS_WAITING = 256 };

struct kafka_offsets *kafka_offsets_new(void);
void kafka_offsets_free(struct kafka_offsets *offsets);

MUST_CHECK enum status kafka_offsets_load(struct kafka_offsets *offsets,
                                          struct db *db);

/* Notes where a batch comes from. */
void kafka_offsets_note(struct kafka_offsets *offsets,
                        const struct batch *batch);

/* Takes over a dead letter. */
void kafka_offsets_add_dead_letter(struct kafka_offsets *offsets,
                                   struct batch *batch);
uint32_t kafka_offsets_dead_letters(const struct kafka_offsets *offsets);

bool kafka_offsets_next(const struct kafka_offsets *offsets, struct slice topic,
                        uint32_t partition, uint64_t *next);

/* The lsn of the oldest batch that is noted, but not committed; UINT64_MAX if
 * all are. */
uint64_t kafka_offsets_pending_lsn(const struct kafka_offsets *offsets);

/* What one commit writes: all that is not committed at this time. */
struct kafka_offsets_commit {
    struct kafka_offset_row *rows;
    size_t row_count;
    struct batch *letters; /* the first of letter_count */
    uint32_t letter_count;
};

void kafka_offsets_begin(struct kafka_offsets *offsets,
                         struct kafka_offsets_commit *commit);
MUST_CHECK enum status kafka_offsets_write(
    const struct kafka_offsets_commit *commit, struct db *db);
/* After the commit, or after it failed; releases commit. */
void kafka_offsets_end(struct kafka_offsets *offsets,
                       struct kafka_offsets_commit *commit, bool committed);

#endif
