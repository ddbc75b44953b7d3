/*
 * compact - many small blocks become one.
 */
#ifndef STORE_BLOCK_COMPACTION_H
#define STORE_BLOCK_COMPACTION_H

#include "block_encoder.h"

/* The writer's thread, between commits: one group at most. *more is set if
 * there may be more to do at once. */
MUST_CHECK enum status compact_step(struct store *store, bool *more);

/* Records of a block, as they were before it was written. */
struct record_list {
    struct arena memory;
    const void **at; /* spans or log records */
    uint32_t count, room;
};

/* Adds all of the block with this id, whose bytes may go afterwards. If it
 * fails, what was there before is there still. ERR_CORRUPT, ERR_UNSUPPORTED,
 * the arena's. */
MUST_CHECK enum status record_list_add(struct record_list *rows,
                                       enum block_kind kind, uint64_t id,
                                       struct slice bytes);
void record_list_release(struct record_list *rows);

#endif
