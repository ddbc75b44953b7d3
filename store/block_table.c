#include "block_table.h"

#include "stats.h"

enum status totals_add(struct db *db, enum stream stream, int64_t blocks,
                       int64_t records, int64_t bytes)
{
    return db_exec(db, SQL_STREAM_ADD, db_int(stream), db_int((uint64_t)blocks),
                   db_int((uint64_t)records), db_int((uint64_t)bytes));
}

enum status block_insert(struct db *db, enum block_kind kind, uint64_t serial,
                         const struct block_meta *meta, struct slice data,
                         struct slice summary)
{
    size_t bytes = data.len + summary.len;
    enum status status = db_exec(
        db, SQL_BLOCK_ADD, db_int(kind), db_int(serial), db_int(meta->count),
        db_int(db_time(meta->min_ns)), db_int(db_time(meta->max_ns)),
        db_int(db_time(meta->max_end_ns)),
        db_int(db_time(meta->max_duration_ns)), db_int(meta->levels),
        db_int(bytes));
    uint64_t id = db_last_id(db);

    if (status == OK)
        status = db_exec(db, SQL_SUMMARY_ADD, db_int(id), db_bytes(summary));
    if (status == OK)
        status = db_exec(db, SQL_DATA_ADD, db_int(id), db_bytes(data));
    if (status != OK)
        return status;
    stats_add(kind == KIND_SPANS ? STATS_BLOCKS_SPANS : STATS_BLOCKS_LOGS, 1);
    stats_add(STATS_BLOCK_BYTES, bytes);
    return totals_add(db, block_stream(kind), 1, meta->count, (int64_t)bytes);
}

enum status block_remove(struct db *db, enum block_kind kind, uint64_t id,
                         uint64_t count, uint64_t bytes)
{
    enum status status = db_exec(db, SQL_BLOCK_DELETE, db_int(id));

    if (status == OK)
        status = db_exec(db, SQL_SUMMARY_DELETE, db_int(id));
    if (status == OK)
        status = db_exec(db, SQL_DATA_DELETE, db_int(id));
    return status == OK ? totals_add(db, block_stream(kind), -1,
                                     -(int64_t)count, -(int64_t)bytes)
                        : status;
}

enum status chunk_insert(struct db *db, const struct chunk_state *state,
                         const struct chunk *chunk)
{
    enum status status = db_exec(
        db, SQL_CHUNK_ADD, db_int(state->stream), db_int(chunk->resource),
        db_int(chunk->hour), db_int(chunk->count), db_int(state->merged),
        db_int(state->final), db_int(state->now_s), db_bytes(chunk->bytes));

    if (status == OK && chunk->tails.len > 0)
        status = db_exec(db, SQL_TAIL_ADD, db_int(db_last_id(db)),
                         db_bytes(chunk->tails));
    return status;
}

enum status chunk_remove(struct db *db, uint64_t id)
{
    enum status status = db_exec(db, SQL_CHUNK_DELETE, db_int(id));

    return status == OK ? db_exec(db, SQL_TAIL_DELETE, db_int(id)) : status;
}
