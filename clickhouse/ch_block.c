#include "ch_block.h"

#include <stdlib.h>

#include "ch_reader.h"
#include "ch_write.h"
#include "dead_letter.h"
#include "mem.h"

struct store_block {
    struct store_block_head head;
    const struct ch_block_engine *engine;
    char *topic;
    struct ch_writer writer;
    struct budget *budget;
    size_t charged; /* for what the writer keeps beside rows */
    bool ended;     /* no batch may be added any more */
    uint32_t table; /* the first that is not written whole */
};

/* ---- rows that are not of records ---- */

enum {
    LETTER_ID,
    LETTER_TOPIC,
    LETTER_PARTITION,
    LETTER_OFFSET,
    LETTER_RECEIVED,
    LETTER_TIME,
    LETTER_REASON,
    LETTER_SIZE,
    LETTER_BYTES,
    LETTER_COLUMNS
};

static const struct ch_column_def letter_columns[LETTER_COLUMNS] = {
    {"Id", "UInt64"},
    {"Topic", "LowCardinality(String)"},
    {"Partition", "UInt32"},
    {"Offset", "UInt64"},
    {"ReceivedAt", "DateTime64(9)"},
    {"MessageTime", "DateTime64(3)"},
    {"Reason", "String"},
    {"Size", "UInt64"},
    {"Bytes", "String"},
};

const struct ch_insert_def ch_dead_letters_def = {
    "callboard_dead_letters", letter_columns, LETTER_COLUMNS};

enum { STATE_TOPIC, STATE_PARTITION, STATE_OFFSET, STATE_STATE, STATE_COLUMNS };

static const struct ch_column_def state_columns[STATE_COLUMNS] = {
    {"Topic", "LowCardinality(String)"},
    {"Partition", "UInt32"},
    {"Offset", "UInt64"},
    {"State", "String"},
};

const struct ch_insert_def ch_checkpoints_def = {"callboard_checkpoints",
                                                 state_columns, STATE_COLUMNS};

/* By time, then by place: milliseconds, 12 bits of the offset, 10 of the
 * partition. */
static uint64_t letter_id(const struct batch *batch)
{
    const struct source_offset *source = batch->source;

    return batch->received_ns / NS_PER_MS << 22 |
           (source
                ? (source->offset & 0xfff) << 10 | (source->partition & 0x3ff)
                : 0);
}

void ch_write_dead_letter(struct ch_writer *writer, const struct batch *batch)
{
    struct ch_insert *insert = &writer->inserts[CH_WRITE_DEAD_LETTERS];
    struct ch_column **c = ch_insert_columns(insert);
    struct dead_letter letter = dead_letter_read(batch);

    ch_put_uint(c[LETTER_ID], letter_id(batch));
    ch_put_ns(c[LETTER_RECEIVED], batch->received_ns);
    ch_put_string(c[LETTER_REASON], letter.reason);
    ch_put_uint(c[LETTER_SIZE], letter.size);
    ch_put_string(c[LETTER_BYTES], letter.bytes);
    if (batch->source) {
        ch_put_string(c[LETTER_TOPIC], batch->source->topic);
        ch_put_uint(c[LETTER_PARTITION], batch->source->partition);
        ch_put_uint(c[LETTER_OFFSET], batch->source->offset);
        ch_put_uint(c[LETTER_TIME], batch->source->time_ms);
    }
    ch_insert_row(insert, letter.bytes.len);
}

/* ---- collecting ---- */

struct store_block *ch_block_new(const struct ch_block_engine *engine,
                                 struct slice topic, uint32_t partition,
                                 struct budget *budget)
{
    struct store_block *block = mem_zero(1, sizeof(*block));

    block->head.ops = engine->ops;
    block->engine = engine;
    block->topic = mem_copy(topic.ptr, topic.len);
    block->budget = budget;
    ch_writer_init(&block->writer, engine->resources, partition, budget);
    return block;
}

/* Names of resources, times of traces: taken even above the limit, as rows. */
static void charge(struct store_block *block, size_t size)
{
    if (!block->budget)
        return;
    if (size > block->charged)
        budget_force(block->budget, size - block->charged);
    else
        budget_give(block->budget, block->charged - size);
    block->charged = size;
}

void ch_block_free(struct store_block *block)
{
    if (!block)
        return;
    ch_writer_release(&block->writer);
    charge(block, 0);
    free(block->topic);
    free(block);
}

void ch_block_add(struct store_block *block, const struct batch *batch)
{
    ch_write_batch(&block->writer, batch);
    charge(block, ch_writer_kept(&block->writer));
}

void ch_block_set_checkpoint(struct store_block *block, uint64_t offset,
                             struct slice state)
{
    struct ch_insert *insert = &block->writer.inserts[CH_WRITE_CHECKPOINTS];
    struct ch_column **c = ch_insert_columns(insert);

    ch_put_string(c[STATE_TOPIC], slice_of(block->topic));
    ch_put_uint(c[STATE_PARTITION], block->writer.partition);
    ch_put_uint(c[STATE_OFFSET], offset);
    ch_put_string(c[STATE_STATE], state);
    ch_insert_row(insert, state.len);
}

uint64_t ch_block_rows(const struct store_block *block)
{
    uint64_t rows = 0;

    for (int i = 0; i < CH_WRITE_TABLES; i++)
        rows += block->writer.inserts[i].rows;
    return rows;
}

uint64_t ch_block_bytes(const struct store_block *block)
{
    return ch_writer_bytes(&block->writer);
}

/* ---- writing ---- */

/* What becomes of the same call later. */
static enum status outcome(enum status status, const struct ch_error *error)
{
    if (status == OK || status == ERR_CANCELLED || error->status == OK)
        return status;
    if (!error->retry)
        return ERR_INVALID;
    return status == ERR_BUSY ? ERR_BUSY : ERR_IO;
}

enum status ch_block_write(struct store_block *block, struct slice token,
                           const atomic_bool *cancelled)
{
    const struct ch_block_engine *engine = block->engine;
    struct ch_error error = {.status = OK};
    struct ch_insert_call call = {.client = engine->client,
                                  .token = token,
                                  .cancelled = cancelled,
                                  .error = &error,
                                  .answered = engine->answered,
                                  .arg = engine->arg};

    if (!block->ended)
        ch_write_end(&block->writer);
    block->ended = true;
    if (engine->log) {
        enum status status = ch_resources_flush(engine->log, cancelled, &error);

        if (status != OK)
            return outcome(status, &error);
    }
    for (; block->table < CH_WRITE_TABLES; block->table++) {
        enum status status =
            ch_insert_write(&block->writer.inserts[block->table], &call);

        if (status != OK)
            return outcome(status, &error);
    }
    return OK;
}

/* ---- checkpoints ---- */

struct state_row {
    struct slice state;
    struct arena *arena;
    struct slice *out;
    bool found;
};

static void decode_state(void *arg, struct byte_reader *in)
{
    struct state_row *row = arg;

    row->state = ch_read_string(in);
}

static enum status take_state(void *arg)
{
    struct state_row *row = arg;

    *row->out = arena_copy(row->arena, row->state);
    row->found = true;
    return arena_status(row->arena);
}

enum status ch_block_load_checkpoint(const struct ch_block_engine *engine,
                                     struct slice topic, uint32_t partition,
                                     uint64_t offset, struct arena *arena,
                                     struct slice *state)
{
    struct state_row row = {.arena = arena, .out = state};
    struct ch_rows rows = {
        .decode = decode_state, .take = take_state, .arg = &row};
    struct ch_reader reader = {.client = engine->client};
    struct ch_sql sql;
    enum status status;

    ch_sql_init(&sql);
    CH_SQL_WITH(&sql,
                "SELECT State FROM callboard_checkpoints WHERE Topic = ? AND "
                "Partition = ? AND Offset = ? ORDER BY InsertedAt DESC LIMIT 1",
                CH_STR(topic), CH_UINT(partition), CH_UINT(offset));
    status = ch_select(&reader, &sql, &rows);
    ch_sql_release(&sql);
    return status == OK && !row.found ? ERR_NOT_FOUND : status;
}
