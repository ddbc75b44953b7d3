/*
 * The records of a section are collected as pointers, cut into blocks of
 * about the configured size (a section is larger than that if its last batch
 * was) and encoded one block at a time, so that one buffer serves for all.
 * Logs make up to two series of blocks: log records and events.
 *
 * A block that does not fit under the encoder's cap is cut in two. What does
 * not even fit alone is left out with an error in the log: trying it again
 * for ever would stop everything behind it.
 */
#include "seal.h"

#include <stdlib.h>

#include "block.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "packed.h"
#include "series.h"
#include "stats.h"

enum { BLOCK_CAP = 512 << 20, SUMMARY_CAP = 64 << 20 };

struct sealer {
    struct block_writer *blocks;
    struct series_writer *series;
    struct buf data, summary;
    const void **rows;
    uint64_t room;
    uint64_t now_s;
};

struct sealer *sealer_new(void)
{
    struct sealer *sealer = mem_zero(1, sizeof(*sealer));

    buf_init(&sealer->data, BLOCK_CAP);
    buf_init(&sealer->summary, SUMMARY_CAP);
    return sealer;
}

void sealer_trim(struct sealer *sealer)
{
    block_writer_free(sealer->blocks);
    series_writer_free(sealer->series);
    buf_release(&sealer->data);
    buf_release(&sealer->summary);
    buf_init(&sealer->data, BLOCK_CAP);
    buf_init(&sealer->summary, SUMMARY_CAP);
    free(sealer->rows);
    sealer->blocks = NULL;
    sealer->series = NULL;
    sealer->rows = NULL;
    sealer->room = 0;
}

void sealer_free(struct sealer *sealer)
{
    if (!sealer)
        return;
    sealer_trim(sealer);
    free(sealer);
}

struct series_writer *sealer_series(struct sealer *sealer)
{
    if (!sealer->series)
        sealer->series = series_writer_new();
    return sealer->series;
}

/* What is being written: the part that all levels below need. */
struct job {
    struct sealer *sealer;
    struct db *db;
    const struct section *section;
    enum block_kind kind;
    uint32_t block_rows;
};

static enum status insert_block(const struct job *job,
                                const struct block_meta *meta)
{
    struct slice data = buf_slice(&job->sealer->data);
    struct slice summary = buf_slice(&job->sealer->summary);
    struct stmt s = stmt_start(job->db, SQL_BLOCK_ADD);

    stmt_int(&s, job->kind);
    stmt_int(&s, job->section->serial);
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
    return totals_add(job->db, job->section->stream, 1, meta->count,
                      (int64_t)(data.len + summary.len));
}

/* For one more block. */
static void make_writer(struct sealer *sealer)
{
    if (!sealer->blocks)
        sealer->blocks = block_writer_new();
    buf_reset(&sealer->data);
    buf_reset(&sealer->summary);
}

static enum status encode(const struct job *job, const void **rows,
                          uint32_t count, struct block_meta *meta)
{
    struct sealer *sealer = job->sealer;

    make_writer(sealer);
    if (job->kind == KIND_SPANS)
        return block_write_spans(sealer->blocks, (const struct span **)rows,
                                 count, &sealer->data, &sealer->summary, meta);
    return block_write_logs(sealer->blocks, (const struct log_record **)rows,
                            count, &sealer->data, &sealer->summary, meta);
}

static enum status write_block(const struct job *job, const void **rows,
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
    log_error("store", "record cannot be stored, left out", "status=\"%s\"",
              status_text(status));
    stats_add(STATS_STORE_ERRORS, 1);
    return OK;
}

static enum status write_blocks(const struct job *job, const void **rows,
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

/* The section as one block, of rows that were coded as they came; false if
 * that is not possible. */
static bool write_coded(const struct job *job, enum status *status)
{
    struct sealer *sealer = job->sealer;
    struct block_meta meta;

    if (!job->section->rows)
        return false;
    make_writer(sealer);
    if (block_write_rows(sealer->blocks, job->section->rows, &sealer->data,
                         &sealer->summary, &meta) != OK)
        return false;
    *status = insert_block(job, &meta);
    return true;
}

static void make_room(struct sealer *sealer, uint64_t count)
{
    if (count <= sealer->room)
        return;
    free(sealer->rows);
    sealer->rows = mem_alloc(count * sizeof(*sealer->rows));
    sealer->room = count;
}

/* Pointers to the section's records, for logs only those that are (not)
 * events; how many. */
static uint64_t collect(const struct job *job)
{
    struct section_view all = {(struct section *)(uintptr_t)job->section,
                               job->section->batch_count};
    struct section_walk walk = section_walk(&all);
    const struct batch *batch;
    const void **rows = job->sealer->rows;
    uint64_t count = 0;

    while ((batch = section_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++)
            switch (job->section->stream) {
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
    const struct job *job = arg;
    struct stmt s = stmt_start(job->db, SQL_CHUNK_ADD);

    stmt_int(&s, job->section->stream);
    stmt_int(&s, chunk->resource);
    stmt_int(&s, chunk->hour);
    stmt_int(&s, chunk->count);
    stmt_int(&s, 0);
    stmt_int(&s, 0);
    stmt_int(&s, job->sealer->now_s);
    stmt_bytes(&s, chunk->bytes);
    stats_add(STATS_BLOCKS_METRICS, 1);
    stats_add(STATS_BLOCK_BYTES, chunk->bytes.len);
    return stmt_run(&s);
}

/* Totals once per section: there may be a thousand chunks. */
struct points_job {
    struct job job;
    int64_t chunks, bytes;
};

static enum status count_chunk(void *arg, const struct chunk *chunk)
{
    struct points_job *points = arg;

    points->chunks++;
    points->bytes += (int64_t)chunk->bytes.len;
    return insert_chunk(&points->job, chunk);
}

static enum status write_points(const struct job *job, uint64_t count)
{
    struct points_job points = {.job = *job};
    enum status status = series_write(
        sealer_series(job->sealer),
        (const struct point *const *)job->sealer->rows, (uint32_t)count,
        job->section->stream == STREAM_DERIVED, count_chunk, &points);

    return status == OK
               ? totals_add(job->db, job->section->stream, points.chunks,
                            (int64_t)count, points.bytes)
               : status;
}

enum status totals_add(struct db *db, enum stream stream, int64_t blocks,
                       int64_t records, int64_t bytes)
{
    struct stmt s = stmt_start(db, SQL_STREAM_ADD);

    stmt_int(&s, stream);
    stmt_int(&s, (uint64_t)blocks);
    stmt_int(&s, (uint64_t)records);
    stmt_int(&s, (uint64_t)bytes);
    return stmt_run(&s);
}

/* Every derived batch is a section; see section_full() of store.c. */
static enum status write_state(const struct job *job)
{
    const struct batch *batch = job->section->first_run.at[0];
    struct stmt s = stmt_start(job->db, SQL_STATE_SAVE);
    struct buf packed;
    enum status status;

    buf_init(&packed, SIZE_MAX);
    packed_write(&packed, batch->state);
    stmt_int(&s, STATE_DERIVED);
    stmt_bytes(&s, buf_slice(&packed));
    status = stmt_run(&s);
    buf_release(&packed);
    return status;
}

static enum status write_watermark(const struct job *job)
{
    enum status status =
        job->section->stream == STREAM_DERIVED ? write_state(job) : OK;
    if (status != OK)
        return status;

    struct stmt s = stmt_start(job->db, SQL_STREAM_SET);
    stmt_int(&s, job->section->stream);
    stmt_int(&s, job->section->last_lsn);
    stmt_int(&s, job->section->serial);
    return stmt_run(&s);
}

static enum status write_records(const struct job *job)
{
    enum status status;
    uint64_t count;

    if (write_coded(job, &status))
        return status;
    count = collect(job);
    return job->section->stream == STREAM_SPANS ||
                   job->section->stream == STREAM_LOGS
               ? write_blocks(job, job->sealer->rows, count)
               : write_points(job, count);
}

enum status sealer_write(struct sealer *sealer, struct db *db,
                         const struct store_options *options,
                         const struct section *section)
{
    struct job job = {sealer, db, section, KIND_SPANS, options->block_spans};
    enum status status = OK;

    sealer->now_s = clock_wall_ns() / NS_PER_S;
    make_room(sealer, section->records);
    if (section->stream == STREAM_LOGS) {
        job.block_rows = options->block_logs;
        job.kind = KIND_EVENTS;
        status = write_blocks(&job, sealer->rows, collect(&job));
        job.kind = KIND_LOGS;
    }
    if (status == OK)
        status = write_records(&job);
    return status == OK ? write_watermark(&job) : status;
}

enum status sealer_rewrite(struct sealer *sealer, struct db *db,
                           enum block_kind kind, uint64_t serial,
                           const void **rows, uint32_t count)
{
    const struct section section = {.stream = kind == KIND_SPANS ? STREAM_SPANS
                                                                 : STREAM_LOGS,
                                    .serial = serial};
    struct job job = {sealer, db, &section, kind, count};

    return write_block(&job, rows, count);
}
