/* Blocks of the engine, for store_block.h. */
#include "clickhouse_int.h"

static struct store_block *open_block(struct store *store, struct slice topic,
                                      uint32_t partition, struct budget *budget)
{
    return ch_block_new(&clickhouse_of(store)->blocks, topic, partition,
                        budget);
}

static enum status load_checkpoint(struct store *store, struct slice topic,
                                   uint32_t partition, uint64_t offset,
                                   struct arena *arena, struct slice *state)
{
    return ch_block_load_checkpoint(&clickhouse_of(store)->blocks, topic,
                                    partition, offset, arena, state);
}

const struct block_ops ch_block_ops = {
    .open = open_block,
    .free = ch_block_free,
    .add = ch_block_add,
    .set_checkpoint = ch_block_set_checkpoint,
    .rows = ch_block_rows,
    .bytes = ch_block_bytes,
    .write = ch_block_write,
    .load_checkpoint = load_checkpoint,
};
