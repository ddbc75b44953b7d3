/*
 * block_table - rows of blocks and chunks, and the totals of their streams,
 * which change with them. Inside a transaction of the writer.
 */
#ifndef STORE_BLOCK_TABLE_H
#define STORE_BLOCK_TABLE_H

#include "block.h"
#include "db.h"
#include "series.h"
#include "store.h"

static inline enum stream block_stream(enum block_kind kind)
{
    return kind == KIND_SPANS ? STREAM_SPANS : STREAM_LOGS;
}

/* serial: of the memtable it was made from. */
MUST_CHECK enum status block_insert(struct db *db, enum block_kind kind,
                                    uint64_t serial,
                                    const struct block_meta *meta,
                                    struct slice data, struct slice summary);
MUST_CHECK enum status block_remove(struct db *db, enum block_kind kind,
                                    uint64_t id, uint64_t count,
                                    uint64_t bytes);

/* How far the merging of a chunk went; see chunk_compaction.c. */
struct chunk_state {
    enum stream stream;
    bool merged, final;
    uint64_t now_s;
};
/* Without the totals: there may be a thousand chunks, and one totals_add(). */
MUST_CHECK enum status chunk_insert(struct db *db,
                                    const struct chunk_state *state,
                                    const struct chunk *chunk);
MUST_CHECK enum status chunk_remove(struct db *db, uint64_t id);

/* Adds these numbers, which may be negative. */
MUST_CHECK enum status totals_add(struct db *db, enum stream stream,
                                  int64_t blocks, int64_t records,
                                  int64_t bytes);

#endif
