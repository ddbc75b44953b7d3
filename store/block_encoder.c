/*
 * The records of a memtable are collected as pointers, cut into blocks of about
 * the configured size (a memtable is larger than that if its last batch was)
 * and encoded one block at a time, so that one buffer is enough. Logs make up
 * to two series of blocks: log records and events.
 *
 * A block that does not fit under the encoder's bound is cut in two. A record
 * that does not fit alone is dropped with an error in the log: to try it again
 * forever would stop everything after it.
 */
#include "block_encoder.h"

#include <stdlib.h>

#include "block_table.h"
#include "clock.h"
#include "compress.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

enum { BLOCK_MAX_BYTES = 512 << 20, SUMMARY_MAX_BYTES = 64 << 20 };

struct block_encoder {
    struct block_writer *blocks;
    struct series_writer *series;
    struct buf data, summary;
    const void **rows;
    uint64_t room;
};

static void init_buffers(struct block_encoder *encoder)
{
    buf_init(&encoder->data, BLOCK_MAX_BYTES);
    buf_init(&encoder->summary, SUMMARY_MAX_BYTES);
}

struct block_encoder *block_encoder_new(void)
{
    struct block_encoder *encoder = mem_zero(1, sizeof(*encoder));

    init_buffers(encoder);
    return encoder;
}

void block_encoder_trim(struct block_encoder *encoder)
{
    block_writer_free(encoder->blocks);
    series_writer_free(encoder->series);
    buf_release(&encoder->data);
    buf_release(&encoder->summary);
    free(encoder->rows);
    *encoder = (struct block_encoder){.blocks = NULL};
    init_buffers(encoder);
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

/* ---- blocks ---- */

/* What all levels below need. */
struct encode_job {
    struct block_encoder *encoder;
    struct db *db;
    const struct memtable *memtable;
    enum block_kind kind;
    uint32_t block_rows;
};

static void reset_buffers(struct block_encoder *encoder)
{
    if (!encoder->blocks)
        encoder->blocks = block_writer_new();
    buf_reset(&encoder->data);
    buf_reset(&encoder->summary);
}

static enum status insert(const struct encode_job *job,
                          const struct block_meta *meta)
{
    return block_insert(job->db, job->kind, job->memtable->serial, meta,
                        buf_slice(&job->encoder->data),
                        buf_slice(&job->encoder->summary));
}

static enum status encode(const struct encode_job *job, const void **rows,
                          uint32_t count, struct block_meta *meta)
{
    struct block_encoder *encoder = job->encoder;

    reset_buffers(encoder);
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
        return insert(job, &meta);
    if (count > 1) {
        status = write_block(job, rows, count / 2);
        return status == OK
                   ? write_block(job, rows + count / 2, count - count / 2)
                   : status;
    }
    log_error("store", "dropped a record that cannot be encoded",
              log_text("status", status_text(status)));
    stats_add(STATS_STORE_ERRORS, 1);
    return OK;
}

static enum status write_blocks(const struct encode_job *job, uint64_t count)
{
    uint64_t parts = (count + job->block_rows / 2) / job->block_rows;
    enum status status = OK;

    if (parts == 0)
        parts = 1;
    for (uint64_t i = 0; i < parts && status == OK && count > 0; i++) {
        uint64_t from = count * i / parts, to = count * (i + 1) / parts;

        status =
            write_block(job, job->encoder->rows + from, (uint32_t)(to - from));
    }
    return status;
}

/* The memtable as one block, of spans that were encoded as they were appended;
 * false if that is not possible. */
static bool write_encoded(const struct encode_job *job, enum status *status)
{
    struct block_encoder *encoder = job->encoder;
    struct block_meta meta;

    if (!job->memtable->rows)
        return false;
    reset_buffers(encoder);
    if (block_write_span_rows(encoder->blocks, job->memtable->rows,
                              &encoder->data, &encoder->summary, &meta) != OK)
        return false;
    *status = insert(job, &meta);
    return true;
}

/* Pointers to the memtable's records, of logs only those that are (not)
 * events; how many. */
static uint64_t collect(const struct encode_job *job)
{
    struct block_encoder *encoder = job->encoder;
    struct memtable_view all = {(struct memtable *)(uintptr_t)job->memtable,
                                job->memtable->batch_count};
    struct memtable_cursor walk = memtable_cursor(&all);
    const struct batch *batch;
    uint64_t count = 0;

    if (job->memtable->records > encoder->room) {
        free(encoder->rows);
        encoder->room = job->memtable->records;
        encoder->rows = mem_alloc(encoder->room * sizeof(*encoder->rows));
    }
    while ((batch = memtable_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++)
            if (batch->signal == SIGNAL_SPANS)
                encoder->rows[count++] = &batch->spans[i];
            else if (batch->signal == SIGNAL_METRICS)
                encoder->rows[count++] = &batch->points[i];
            else if (batch->logs[i].is_event == (job->kind == KIND_EVENTS))
                encoder->rows[count++] = &batch->logs[i];
    return count;
}

static enum status write_logs(struct encode_job *job)
{
    job->kind = KIND_EVENTS;
    enum status status = write_blocks(job, collect(job));

    job->kind = KIND_LOGS;
    return status == OK ? write_blocks(job, collect(job)) : status;
}

/* ---- chunks ---- */

struct points_job {
    struct db *db;
    struct chunk_state state;
    int64_t chunks, bytes;
};

static enum status write_chunk(void *arg, const struct chunk *chunk)
{
    struct points_job *points = arg;

    points->chunks++;
    size_t bytes = chunk->bytes.len + chunk->tails.len;

    points->bytes += (int64_t)bytes;
    stats_add(STATS_BLOCKS_METRICS, 1);
    stats_add(STATS_BLOCK_BYTES, bytes);
    return chunk_insert(points->db, &points->state, chunk);
}

static enum status write_points(const struct encode_job *job)
{
    enum stream stream = job->memtable->stream;
    struct points_job points = {
        .db = job->db,
        .state = {.stream = stream, .now_s = clock_wall_ns() / NS_PER_S}};
    uint64_t count = collect(job);
    enum status status = series_write(
        block_encoder_series(job->encoder),
        (const struct point *const *)job->encoder->rows, (uint32_t)count,
        stream == STREAM_DERIVED, write_chunk, &points);

    return status == OK ? totals_add(job->db, stream, points.chunks,
                                     (int64_t)count, points.bytes)
                        : status;
}

/* ---- memtables ---- */

static enum status write_records(struct encode_job *job)
{
    enum status status;

    if (write_encoded(job, &status))
        return status;
    switch (job->memtable->stream) {
    case STREAM_SPANS:
        return write_blocks(job, collect(job));
    case STREAM_LOGS:
        return write_logs(job);
    default:
        return write_points(job);
    }
}

/* Every derived batch is a memtable of its own; store_append.c:
 * is_full(). */
static enum status write_derived_state(const struct encode_job *job)
{
    const struct batch *batch = job->memtable->first_run.at[0];
    struct buf packed;

    buf_init(&packed, SIZE_MAX);
    compress_append(&packed, batch->state);
    enum status status = db_exec(job->db, SQL_STATE_SAVE, db_int(STATE_DERIVED),
                                 db_bytes(buf_slice(&packed)));
    buf_release(&packed);
    return status;
}

enum status block_encoder_write(struct block_encoder *encoder, struct db *db,
                                const struct store_options *options,
                                const struct memtable *memtable)
{
    struct encode_job job = {encoder, db, memtable, KIND_SPANS,
                             memtable->stream == STREAM_LOGS
                                 ? options->block_logs
                                 : options->block_spans};
    enum status status = write_records(&job);

    if (status == OK && memtable->stream == STREAM_DERIVED)
        status = write_derived_state(&job);
    return status == OK
               ? db_exec(db, SQL_STREAM_SET, db_int(memtable->stream),
                         db_int(memtable->last_lsn), db_int(memtable->serial))
               : status;
}

enum status block_encoder_rewrite(struct block_encoder *encoder, struct db *db,
                                  enum block_kind kind, uint64_t serial,
                                  const void **rows, uint32_t count)
{
    const struct memtable memtable = {.stream = block_stream(kind),
                                      .serial = serial};
    struct encode_job job = {encoder, db, &memtable, kind, count};

    return write_block(&job, rows, count);
}
