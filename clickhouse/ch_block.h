/*
 * ch_block - include/store_block.h over ClickHouse: rows of batches, and the
 * INSERTs of them under the block's token.
 *
 *   ch_block_add()   rows into the columns of their tables (ch_write.h)
 *   ch_block_write() table by table: "TOKEN/table/number of the INSERT"; the
 *                    checkpoint is last, so where it is the rows are, too
 *
 * Each INSERT can be repeated: ClickHouse drops one whose token it knows, day
 * by day, so one that was stored for some days only is completed. So it does
 * not matter where a writer ended, or whether it had an answer.
 */
#ifndef CH_BLOCK_H
#define CH_BLOCK_H

#include "ch_client.h"
#include "ch_resources.h"
#include "store_ops.h"

/* What blocks need of the engine; it must outlive them. */
struct ch_block_engine {
    const struct block_ops *ops; /* of the head of each block */
    struct ch_client *client;
    const struct store_resources *resources; /* NULL: rows have no names */
    struct ch_resources *log;                /* inserted first; NULL: none */
    /* Called after each INSERT, for store_health(); NULL: not. */
    void (*answered)(void *arg, const struct ch_error *error);
    void *arg;
};

/* Functions of struct block_ops. */
struct store_block *ch_block_new(const struct ch_block_engine *engine,
                                 struct slice topic, uint32_t partition,
                                 struct budget *budget);
void ch_block_free(struct store_block *block);
void ch_block_add(struct store_block *block, const struct batch *batch);
void ch_block_set_checkpoint(struct store_block *block, uint64_t offset,
                             struct slice state);
uint64_t ch_block_rows(const struct store_block *block);
uint64_t ch_block_bytes(const struct store_block *block);
MUST_CHECK enum status ch_block_write(struct store_block *block,
                                      struct slice token,
                                      const atomic_bool *cancelled);
MUST_CHECK enum status ch_block_load_checkpoint(
    const struct ch_block_engine *engine, struct slice topic,
    uint32_t partition, uint64_t offset, struct arena *arena,
    struct slice *state);

#endif
