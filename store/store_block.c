/*
 * Blocks, by the table of the engine that has them.
 */
#include "store_block.h"

#include "store_ops.h"

static const struct block_ops *ops_of(const struct store_block *block)
{
    return ((const struct store_block_head *)(const void *)block)->ops;
}

static const struct block_ops *ops_of_store(const struct store *store)
{
    return ((const struct store_head *)(const void *)store)->blocks;
}

struct store_block *store_block_new(struct store *store, struct slice topic,
                                    uint32_t partition, struct budget *budget)
{
    return ops_of_store(store)->open(store, topic, partition, budget);
}

void store_block_free(struct store_block *block)
{
    if (block)
        ops_of(block)->free(block);
}

void store_block_add(struct store_block *block, const struct batch *batch)
{
    ops_of(block)->add(block, batch);
}

void store_block_set_checkpoint(struct store_block *block, uint64_t offset,
                                struct slice state)
{
    ops_of(block)->set_checkpoint(block, offset, state);
}

uint64_t store_block_rows(const struct store_block *block)
{
    return ops_of(block)->rows(block);
}

uint64_t store_block_bytes(const struct store_block *block)
{
    return ops_of(block)->bytes(block);
}

enum status store_block_write(struct store_block *block, struct slice token,
                              const atomic_bool *cancelled)
{
    return ops_of(block)->write(block, token, cancelled);
}

enum status store_load_checkpoint(struct store *store, struct slice topic,
                                  uint32_t partition, uint64_t offset,
                                  struct arena *arena, struct slice *state)
{
    return ops_of_store(store)->load_checkpoint(store, topic, partition, offset,
                                                arena, state);
}
