/*
 * The records of a memtable are collected as pointers, cut into blocks of
 * about the configured size (a memtable is larger than that if its last batch
 * was) and encoded one block at a time, so that one buffer serves for all.
 * Logs make up to two series of blocks: log records and events.
 *
 * A block that does not fit under the encoder's cap is cut in two. What does
 * not even fit alone is left out with an error in the log: trying it again
 * for ever would stop everything behind it.
 */
#include "block_encoder.h"

#include <stdlib.h>

#include "block.h"
#include "clock.h"
#include "compress.h"
#include "log.h"
#include "mem.h"
#include "series.h"
#include "stats.h"

enum { BLOCK_CAP = 512 << 20, SUMMARY_CAP = 64 << 20 };

struct block_encoder {
    struct block_writer *blocks;
    struct series_writer *series;
    struct buf data, summary;
    const void **rows;
    uint64_t room;
    uint64_t now_s;
};

struct block_encoder *block_encoder_new(void)
{
    struct block_encoder *encoder = mem_zero(1, sizeof(*encoder));

    buf_init(&encoder->data, BLOCK_CAP);
    buf_init(&encoder->summary, SUMMARY_CAP);
    return encoder;
}

void block_encoder_trim(struct block_encoder *encoder)
{
    block_writer_free(encoder->blocks);
    series_writer_free(encoder->series);
    buf_release(&encoder->data);
    buf_release(&encoder->summary);
    buf_init(&encoder->data, BLOCK_CAP);
    buf_init(&encoder->summary, SUMMARY_CAP);
    free(encoder->rows);
    encoder->blocks = NULL;
    encoder->series = NULL;
    encoder->rows = NULL;
    encoder->room = 0;
}

void block_encoder_free(struct block_encoder *encoder)
{
    if (!encoder)
        return;
    block_encoder_trim(encoder);
    free(encoder);
}

struct series_writer *block_encoder_series(struct block_encoder *encoder)
{
    if (!encoder->series)
        encoder->series = series_writer_new();
    return encoder->series;
}

/* What is being written: the part that all levels below need. */
struct encode_job {
    struct block_encoder *encoder;
    struct db *db;
    const struct memtable *memtable;
    enum block_kind kind;
    uint32_t block_rows;
};

static enum status insert_block(const struct encode_job *job,
                                const struct block_meta *meta)
{
    struct slice data = buf_slice(&job->encoder->data);
    struct slice summary = buf_slice(&job->encoder->summary);
    struct db_stmt s = stmt_start(job->db, SQL_BLOCK_ADD);

    stmt_int(&s, job->kind);
    stmt_int(&s, job->memtable->serial);
    stmt_int(&s, meta->count);
    stmt_int(&s, db_time(meta->min_ns));
    stmt_int(&s, db_time(meta->max_ns));
    stmt_int(&s, db_time(meta->max_end_ns));
    stmt_int(&s, db_time(meta->max_duration_ns));
    stmt_int(&s, meta->levels);
    stmt_int(&s, data.len + summary.len);
    enum status status = stmt_run(&s);
    if (status != OK)
        return status;

    uint64_t id = db_last_id(job->db);
    s = stmt_start(job->db, SQL_SUMMARY_ADD);
    stmt_int(&s, id);
    stmt_bytes(&s, summary);
    status = stmt_run(&s);
    if (status != OK)
        return status;
    s = stmt_start(job->db, SQL_DATA_ADD);
    stmt_int(&s, id);
    stmt_bytes(&s, data);
    status = stmt_run(&s);
    if (status != OK)
        return status;

    stats_add(job->kind == KIND_SPANS ? STATS_BLOCKS_SPANS : STATS_BLOCKS_LOGS,
              1);
    stats_add(STATS_BLOCK_BYTES, data.len + summary.len);
    return totals_add(job->db, job->memtable->stream, 1, meta->count,
                      (int64_t)(data.len + summary.len));
}

/* For one more block. */
static void make_writer(struct block_encoder *encoder)
{
    if (!encoder->blocks)
        encoder->blocks = block_writer_new();
    buf_reset(&encoder->data);
    buf_reset(&encoder->summary);
}

static enum status encode(const struct encode_job *job, const void **rows,
                          uint32_t count, struct block_meta *meta)
{
    struct block_encoder *encoder = job->encoder;

    make_writer(encoder);
    if (job->kind == KIND_SPANS)
        return block_write_spans(encoder->blocks, (const struct span **)rows,
                                 count, &encoder->data, &encoder->summary,
                                 meta);
    return block_write_logs(encoder->blocks, (const struct log_record **)rows,
                            count, &encoder->data, &encoder->summary, meta);
}

static enum status write_block(const struct encode_job *job, const void **rows,
                               uint32_t count)
{
    struct block_meta meta;
    enum status status = encode(job, rows, count, &meta);

    if (status == OK)
        return insert_block(job, &meta);
    if (count > 1) {
        status = write_block(job, rows, count / 2);
        return status == OK
                   ? write_block(job, rows + count / 2, count - count / 2)
                   : status;
    }
    log_error("store", "record cannot be stored, left out",
              log_text("status", status_text(status)));
    stats_add(STATS_STORE_ERRORS, 1);
    return OK;
}

static enum status write_blocks(const struct encode_job *job, const void **rows,
                                uint64_t count)
{
    uint64_t parts = (count + job->block_rows / 2) / job->block_rows;
    enum status status = OK;

    if (parts == 0)
        parts = 1;
    for (uint64_t i = 0; i < parts && status == OK && count > 0; i++) {
        uint64_t from = count * i / parts, to = count * (i + 1) / parts;

        status = write_block(job, rows + from, (uint32_t)(to - from));
    }
    return status;
}

/* The memtable as one block, of rows that were coded as they came; false if
 * that is not possible. */
static bool write_coded(const struct encode_job *job, enum status *status)
{
    struct block_encoder *encoder = job->encoder;
    struct block_meta meta;

    if (!job->memtable->rows)
        return false;
    make_writer(encoder);
    if (block_write_span_rows(encoder->blocks, job->memtable->rows,
                              &encoder->data, &encoder->summary, &meta) != OK)
        return false;
    *status = insert_block(job, &meta);
    return true;
}

static void make_room(struct block_encoder *encoder, uint64_t count)
{
    if (count <= encoder->room)
        return;
    free(encoder->rows);
    encoder->rows = mem_alloc(count * sizeof(*encoder->rows));
    encoder->room = count;
}

/* Pointers to the memtable's records, for logs only those that are (not)
 * events; how many. */
static uint64_t collect(const struct encode_job *job)
{
    struct memtable_view all = {(struct memtable *)(uintptr_t)job->memtable,
                                job->memtable->batch_count};
    struct memtable_cursor walk = memtable_cursor(&all);
    const struct batch *batch;
    const void **rows = job->encoder->rows;
    uint64_t count = 0;

    while ((batch = memtable_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++)
            switch (job->memtable->stream) {
            case STREAM_SPANS:
                rows[count++] = &batch->spans[i];
                break;
            case STREAM_LOGS:
                if (batch->logs[i].is_event == (job->kind == KIND_EVENTS))
                    rows[count++] = &batch->logs[i];
                break;
            default:
                rows[count++] = &batch->points[i];
            }
    return count;
}

static enum status insert_chunk(void *arg, const struct chunk *chunk)
{
    const struct encode_job *job = arg;
    struct db_stmt s = stmt_start(job->db, SQL_CHUNK_ADD);

    stmt_int(&s, job->memtable->stream);
    stmt_int(&s, chunk->resource);
    stmt_int(&s, chunk->hour);
    stmt_int(&s, chunk->count);
    stmt_int(&s, 0);
    stmt_int(&s, 0);
    stmt_int(&s, job->encoder->now_s);
    stmt_bytes(&s, chunk->bytes);
    stats_add(STATS_BLOCKS_METRICS, 1);
    stats_add(STATS_BLOCK_BYTES, chunk->bytes.len);
    return stmt_run(&s);
}

/* Totals once per memtable: there may be a thousand chunks. */
struct points_job {
    struct encode_job job;
    int64_t chunks, bytes;
};

static enum status count_chunk(void *arg, const struct chunk *chunk)
{
    struct points_job *points = arg;

    points->chunks++;
    points->bytes += (int64_t)chunk->bytes.len;
    return insert_chunk(&points->job, chunk);
}

static enum status write_points(const struct encode_job *job, uint64_t count)
{
    struct points_job points = {.job = *job};
    enum status status = series_write(
        block_encoder_series(job->encoder),
        (const struct point *const *)job->encoder->rows, (uint32_t)count,
        job->memtable->stream == STREAM_DERIVED, count_chunk, &points);

    return status == OK
               ? totals_add(job->db, job->memtable->stream, points.chunks,
                            (int64_t)count, points.bytes)
               : status;
}

enum status totals_add(struct db *db, enum stream stream, int64_t blocks,
                       int64_t records, int64_t bytes)
{
    struct db_stmt s = stmt_start(db, SQL_STREAM_ADD);

    stmt_int(&s, stream);
    stmt_int(&s, (uint64_t)blocks);
    stmt_int(&s, (uint64_t)records);
    stmt_int(&s, (uint64_t)bytes);
    return stmt_run(&s);
}

/* Every derived batch is a memtable; see memtable_full() of store.c. */
static enum status write_state(const struct encode_job *job)
{
    const struct batch *batch = job->memtable->first_run.at[0];
    struct db_stmt s = stmt_start(job->db, SQL_STATE_SAVE);
    struct buf packed;
    enum status status;

    buf_init(&packed, SIZE_MAX);
    compress_append(&packed, batch->state);
    stmt_int(&s, STATE_DERIVED);
    stmt_bytes(&s, buf_slice(&packed));
    status = stmt_run(&s);
    buf_release(&packed);
    return status;
}

static enum status write_watermark(const struct encode_job *job)
{
    enum status status =
        job->memtable->stream == STREAM_DERIVED ? write_state(job) : OK;
    if (status != OK)
        return status;

    struct db_stmt s = stmt_start(job->db, SQL_STREAM_SET);
    stmt_int(&s, job->memtable->stream);
    stmt_int(&s, job->memtable->last_lsn);
    stmt_int(&s, job->memtable->serial);
    return stmt_run(&s);
}

static enum status write_records(const struct encode_job *job)
{
    enum status status;
    uint64_t count;

    if (write_coded(job, &status))
        return status;
    count = collect(job);
    return job->memtable->stream == STREAM_SPANS ||
                   job->memtable->stream == STREAM_LOGS
               ? write_blocks(job, job->encoder->rows, count)
               : write_points(job, count);
}

enum status block_encoder_write(struct block_encoder *encoder, struct db *db,
                                const struct store_options *options,
                                const struct memtable *memtable)
{
    struct encode_job job = {encoder, db, memtable, KIND_SPANS,
                             options->block_spans};
    enum status status = OK;

    encoder->now_s = clock_wall_ns() / NS_PER_S;
    make_room(encoder, memtable->records);
    if (memtable->stream == STREAM_LOGS) {
        job.block_rows = options->block_logs;
        job.kind = KIND_EVENTS;
        status = write_blocks(&job, encoder->rows, collect(&job));
        job.kind = KIND_LOGS;
    }
    if (status == OK)
        status = write_records(&job);
    return status == OK ? write_watermark(&job) : status;
}

enum status block_encoder_rewrite(struct block_encoder *encoder, struct db *db,
                                  enum block_kind kind, uint64_t serial,
                                  const void **rows, uint32_t count)
{
    const struct memtable memtable = {
        .stream = kind == KIND_SPANS ? STREAM_SPANS : STREAM_LOGS,
        .serial = serial};
    struct encode_job job = {encoder, db, &memtable, kind, count};

    return write_block(&job, rows, count);
}
