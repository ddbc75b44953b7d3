/*
 * A block of log records. Rows are sorted by resource, then time, then arrival
 * (which is stored: it orders records of the same time in queries too). So the
 * records of one process are together: times are small differences, similar
 * lines follow each other. Trace and span ids are dictionaries, since the
 * records of a span repeat them. Bodies: log_body_write.c; attributes:
 * attrs_block_write.c.
 */
#include <assert.h>
#include <string.h>

#include "block_columns.h"
#include "log_body.h"
#include "radix_sort.h"

enum { AHEAD = 8 };

static const uint8_t number_columns[] = {COL_FLAGS,    COL_CORRECTED, COL_TIME,
                                         COL_OBSERVED, COL_SEVERITY,  COL_LEVEL,
                                         COL_IS_EVENT, COL_ARRIVAL};

struct log_block_writer {
    struct block_builder *out;
    const struct log_record **logs;
    uint32_t count;
    uint64_t *rows[COL_SINGLE_END]; /* numbers of each row, by column */
    struct text_column trace_id, span_id, severity_text, event_name;
    struct body_writer body;
    struct attrs_writer attrs;
    struct owner_writer owners;
    struct summary_writer summary;
};

static void init(struct log_block_writer *logs, struct block_writer *writer,
                 const struct log_record **at, uint32_t count)
{
    struct block_builder *out = &writer->out;
    struct scratch *scratch = &out->scratch;

    *logs = (struct log_block_writer){.out = out, .logs = at, .count = count};
    for (size_t i = 0; i < sizeof(number_columns); i++)
        logs->rows[number_columns[i]] =
            scratch_alloc(scratch, count * sizeof(uint64_t));
    text_column_init(&logs->trace_id, scratch, count);
    text_column_init(&logs->span_id, scratch, count);
    text_column_init(&logs->severity_text, scratch, count);
    text_column_init(&logs->event_name, scratch, count);
    summary_init(&logs->summary, scratch, true);
    body_writer_init(&logs->body, out, &writer->split, &logs->summary, count);
    attrs_writer_init(&logs->attrs, scratch, &out->value);
    owner_writer_init(&logs->owners, scratch, &out->value, count);
}

static void sort_logs(const struct log_record **logs, uint32_t count,
                      struct scratch *scratch)
{
    size_t size = count * sizeof(struct sort_row);
    struct sort_row *a = scratch_alloc(scratch, size), *order = a;
    struct sort_row *b = scratch_alloc(scratch, size);
    const struct log_record **sorted =
        scratch_alloc(scratch, count * sizeof(const struct log_record *));

    for (uint32_t i = 0; i < count; i++)
        order[i] = (struct sort_row){logs[i]->time_ns, i};
    order = sort_rows(order, b, count);
    for (uint32_t i = 0; i < count; i++)
        order[i].key = logs[order[i].row]->resource_id;
    order = sort_rows(order, order == a ? b : a, count);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = logs[order[i].row];
    if (count > 0)
        memcpy(logs, sorted, count * sizeof(const struct log_record *));
}

/* Empty for an id that is zero. */
static struct slice id_text(const uint8_t *id, size_t len)
{
    return (struct slice){(const char *)id, id_is_zero(id, len) ? 0 : len};
}

static void add_trace_id(struct log_block_writer *logs, const uint8_t *trace_id)
{
    uint32_t known = logs->trace_id.dict.count;
    struct slice id = id_text(trace_id, 16);

    text_column_add(&logs->trace_id, id);
    if (id.len > 0 && logs->trace_id.dict.count > known)
        summary_add_trace(&logs->summary, trace_id);
}

static void add_log(struct log_block_writer *logs, uint32_t row)
{
    const struct log_record *log = logs->logs[row];

    logs->rows[COL_TIME][row] = log->time_ns;
    logs->rows[COL_ARRIVAL][row] = log->arrival;
    logs->rows[COL_OBSERVED][row] =
        zigzag((int64_t)(log->observed_ns - log->time_ns));
    logs->rows[COL_SEVERITY][row] = log->severity;
    logs->rows[COL_LEVEL][row] = log->level < LEVEL_COUNT ? log->level : 0;
    logs->rows[COL_FLAGS][row] = log->flags;
    logs->rows[COL_CORRECTED][row] = log->corrected;
    logs->rows[COL_IS_EVENT][row] = log->is_event;
    add_trace_id(logs, log->trace_id);
    text_column_add(&logs->span_id, id_text(log->span_id, 8));
    text_column_add(&logs->severity_text, log->severity_text);
    text_column_add(&logs->event_name, log->event_name);
    owner_writer_add(&logs->owners, log->resource_id, log->scope);
    attrs_writer_add(&logs->attrs, &log->attrs);
    body_writer_add(&logs->body, &log->body);
}

static void add_all(struct log_block_writer *logs)
{
    const struct log_record **at = logs->logs;

    for (uint32_t row = 0; row < logs->count; row++) {
        if (row + AHEAD < logs->count) { /* they are scattered in memory */
            __builtin_prefetch(at[row + AHEAD / 2]->attrs.at);
            if (at[row + AHEAD / 2]->body.type == VALUE_STRING)
                __builtin_prefetch(at[row + AHEAD / 2]->body.str);
            __builtin_prefetch(at[row + AHEAD]);
            __builtin_prefetch((const char *)at[row + AHEAD] + 64);
            __builtin_prefetch((const char *)at[row + AHEAD] + 128);
        }
        add_log(logs, row);
    }
}

static void fill_meta(const struct log_block_writer *logs,
                      struct block_meta *meta)
{
    *meta = (struct block_meta){.count = logs->count, .min_ns = UINT64_MAX};
    for (uint32_t row = 0; row < logs->count; row++) {
        uint64_t time = logs->rows[COL_TIME][row];

        meta->min_ns = time < meta->min_ns ? time : meta->min_ns;
        meta->max_ns = time > meta->max_ns ? time : meta->max_ns;
        meta->levels |= 1U << logs->rows[COL_LEVEL][row];
    }
    if (logs->count == 0)
        meta->min_ns = 0;
}

static void put_numbers(struct log_block_writer *logs, uint32_t id,
                        enum ints_hint hint)
{
    block_builder_ints(logs->out, id, logs->rows[id], logs->count, hint);
}

static void put_columns(struct log_block_writer *logs)
{
    struct block_builder *out = logs->out;

    owner_writer_put(&logs->owners, out);
    put_numbers(logs, COL_FLAGS, INTS_PLAIN);
    put_numbers(logs, COL_CORRECTED, INTS_PLAIN);
    put_numbers(logs, COL_TIME, INTS_AUTO);
    put_numbers(logs, COL_OBSERVED, INTS_AUTO);
    text_column_put(&logs->trace_id, out, COL_LOG_TRACE_ID);
    text_column_put(&logs->span_id, out, COL_LOG_SPAN_ID);
    put_numbers(logs, COL_SEVERITY, INTS_PLAIN);
    put_numbers(logs, COL_LEVEL, INTS_PLAIN);
    text_column_put(&logs->severity_text, out, COL_SEVERITY_TEXT);
    text_column_put(&logs->event_name, out, COL_EVENT);
    put_numbers(logs, COL_IS_EVENT, INTS_PLAIN);
    body_writer_put_rows(&logs->body);
    put_numbers(logs, COL_ARRIVAL, INTS_AUTO);
    attrs_writer_finish(&logs->attrs, out, COL_ATTRS, NULL);
    body_writer_put_variables(&logs->body);
}

enum status block_write_logs(struct block_writer *writer,
                             const struct log_record **logs, uint32_t count,
                             struct buf *block, struct buf *summary,
                             struct block_meta *meta)
{
    struct log_block_writer out;
    enum status status;

    assert(count <= BLOCK_MAX_ROWS);
    block_builder_reset(&writer->out);
    sort_logs(logs, count, &writer->out.scratch);
    init(&out, writer, logs, count);
    add_all(&out);
    fill_meta(&out, meta);
    owner_writer_count(&out.owners, out.rows[COL_LEVEL]);
    put_columns(&out);
    owner_writer_summary(&out.owners, BLOCK_LOGS, &out.summary, summary);
    status = block_builder_finish(&writer->out, BLOCK_LOGS, count, block);
    return status != OK ? status : summary->status;
}
