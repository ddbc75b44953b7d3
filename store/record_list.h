/*
 * record_list - the records of blocks, as they were before they were encoded.
 *
 * Ownership: the list's arena holds a copy of the block and its records.
 */
#ifndef STORE_RECORD_LIST_H
#define STORE_RECORD_LIST_H

#include "arena.h"
#include "block.h"
#include "db.h"

struct record_list {
    struct arena memory; /* initialised by the caller */
    const void **at;     /* spans or log records */
    uint32_t count, room;
};

/* Adds all records of the block with this id, whose bytes may go afterwards. On
 * failure the list is as it was. ERR_CORRUPT, ERR_UNSUPPORTED, the arena's. */
MUST_CHECK enum status record_list_add(struct record_list *list,
                                       enum block_kind kind, uint64_t id,
                                       struct slice bytes);
void record_list_release(struct record_list *list);

#endif
