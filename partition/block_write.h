/*
 * block_write - one closed block on its way: announce, write, commit.
 *
 *   ANNOUNCE  commits `from`, with `to` in the metadata: from here on the range
 *             is fixed, whoever stores it
 *   WRITE     all tables, under the token
 *   COMMIT    commits `to`
 *
 * A block without rows and without a state is committed only. Each step is
 * repeated until it succeeds, or until the partition is not ours any more: then
 * a block that was not announced is forgotten, and one that was is stored by
 * the next owner.
 *
 * Threads: of jobs, one at a time; `cancelled` is set by any.
 */
#ifndef BLOCK_WRITE_H
#define BLOCK_WRITE_H

#include <stdatomic.h>

#include "block_note.h"
#include "partition.h"
#include "partition_jobs.h"
#include "store_block.h"

enum block_step { BLOCK_ANNOUNCE, BLOCK_WRITE, BLOCK_COMMIT, BLOCK_DONE };

struct block_write {
    struct partition_job job; /* the first member */
    const struct partition_options *options;
    struct store_block *block; /* owned */
    char token[BLOCK_TOKEN_SIZE];
    uint64_t epoch, from, to;
    uint64_t idle_ns;    /* 0: it has messages */
    bool has_checkpoint; /* a state is stored before it */
    uint64_t checkpoint;
    bool saves;         /* a state is stored with it */
    uint64_t newest_ns; /* its last message was received */

    enum block_step step;
    atomic_bool cancelled;
};

/* The first step of a block that is complete. announced: by an earlier owner.
 * Then it is a job: OK once it is done, ERR_STOPPING: not ours any more. */
void block_write_begin(struct block_write *write, bool announced);

#endif
