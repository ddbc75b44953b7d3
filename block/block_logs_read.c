/*
 * Reading and matching log records: cheap tests run first, column by column on
 * bitmaps of rows; bodies are searched only in the rows that remain.
 */
#include <string.h>

#include "attrs_block.h"
#include "block_spans.h"
#include "log_body.h"

static bool is_logs(struct block *block)
{
    if (block->kind != BLOCK_LOGS)
        block_fail(block, ERR_INVALID);
    return block->status == OK;
}

enum status block_times(struct block *block, const uint64_t **times)
{
    *times = NULL;
    if (block->kind == BLOCK_SPANS) {
        *times = block_starts(block);
    } else {
        struct ints *ints = block_ints(block, COL_TIME, block->count);

        if (block->status == OK)
            *times = ints_all(ints, block->arena);
        if (!*times && block->status == OK)
            block_fail(block, arena_status(block->arena));
    }
    return block->status;
}

void block_set_first_arrival(struct block *block, uint64_t first)
{
    block->first_arrival = first;
}

/* NULL if the block has none. */
static struct ints *arrival_ints(struct block *block)
{
    return block_has_column(block, COL_ARRIVAL)
               ? block_ints(block, COL_ARRIVAL, block->count)
               : NULL;
}

enum status block_arrivals(struct block *block, const uint64_t **arrivals)
{
    struct ints *ints = is_logs(block) ? arrival_ints(block) : NULL;
    uint64_t *all = NULL;

    *arrivals = NULL;
    if (ints)
        *arrivals = ints_all(ints, block->arena);
    else if (block->status == OK)
        *arrivals = all = block_alloc(block, block->count, sizeof(*all));
    for (uint32_t row = 0; all && row < block->count; row++)
        all[row] = block->first_arrival + row;
    if (!*arrivals && block->status == OK)
        block_fail(block, arena_status(block->arena));
    return block->status;
}

static uint64_t arrival_of(struct block *block, uint32_t row)
{
    struct ints *ints = arrival_ints(block);

    return ints ? ints_at(ints, row) : block->first_arrival + row;
}

/* ---- matching ---- */

static void match_levels(struct block *block, uint32_t levels, uint64_t *rows)
{
    uint8_t wanted[LEVEL_COUNT];

    for (uint32_t level = 0; level < LEVEL_COUNT; level++)
        wanted[level] = levels >> level & 1;
    block_keep_codes(block_ints(block, COL_LEVEL, block->count), wanted,
                     LEVEL_COUNT, block->count, rows);
}

static void match_events(struct block *block, bool events, uint64_t *rows)
{
    struct ints *is_event = block_ints(block, COL_IS_EVENT, block->count);

    if (ints_same(is_event) && (is_event->base != 0) == events)
        return;
    for (uint32_t row = 0; row < block->count; row++)
        if ((ints_at(is_event, row) != 0) != events)
            rows_clear(rows, row);
}

static void match_id(struct block *block, uint32_t column, const uint8_t *id,
                     size_t len, uint64_t *rows)
{
    struct slice wanted = {(const char *)id, id_is_zero(id, len) ? 0 : len};

    block_match_texts(block, block_texts(block, column, block->count), wanted,
                      rows);
}

static bool any(const struct block *block, const uint64_t *rows)
{
    for (uint32_t i = 0; i < rows_words(block); i++)
        if (rows[i])
            return true;
    return false;
}

/* Clears the rows that have none of these attributes. */
static void match_any(struct block *block, const struct log_query *query,
                      uint64_t *rows)
{
    size_t words = rows_words(block);
    uint64_t *one = block_alloc(block, words, sizeof(*one));
    uint64_t *sum = block_alloc(block, words, sizeof(*sum));

    if (!one || !sum || !block_attrs(block))
        return;
    for (uint32_t i = 0; i < query->any_count; i++) {
        memcpy(one, rows, words * sizeof(*one));
        attrs_reader_match(block->attrs, &query->any[i], one);
        for (size_t k = 0; k < words; k++)
            sum[k] |= one[k];
    }
    memcpy(rows, sum, words * sizeof(*rows));
}

static void match_columns(struct block *block, const struct log_query *query,
                          uint64_t *rows)
{
    const uint64_t *times;

    block_match_resources(block, query->resources, rows);
    match_events(block, query->events, rows);
    if (query->levels)
        match_levels(block, query->levels, rows);
    if ((query->start_ns > 0 || query->end_ns < UINT64_MAX) &&
        block_times(block, &times) == OK)
        block_match_times(block, times, query->start_ns, query->end_ns, rows);
    if (query->trace_id)
        match_id(block, COL_LOG_TRACE_ID, query->trace_id, 16, rows);
    if (query->span_id)
        match_id(block, COL_LOG_SPAN_ID, query->span_id, 8, rows);
    for (uint32_t i = 0; i < query->attr_count; i++)
        if (any(block, rows) && block_attrs(block))
            attrs_reader_match(block->attrs, &query->attrs[i], rows);
    if (query->any_count > 0 && any(block, rows))
        match_any(block, query, rows);
}

enum status block_match_logs(struct block *block, const struct log_query *query,
                             uint64_t **result, uint64_t *matches)
{
    uint64_t *rows = is_logs(block) ? block_all_rows(block) : NULL;

    *matches = 0;
    if (!rows)
        return block->status;
    match_columns(block, query, rows);
    if ((query->phrase.len > 0 || query->word_count > 0) && any(block, rows) &&
        body_reader_open(block))
        body_reader_match(block->body, query, rows);
    if (block->status != OK)
        return block->status;
    for (uint32_t i = 0; i < rows_words(block); i++)
        *matches += (uint64_t)__builtin_popcountll(rows[i]);
    *result = rows;
    return OK;
}

/* ---- records ---- */

static void read_id(struct block *block, uint32_t column, uint32_t row,
                    uint8_t *id, size_t len)
{
    struct slice text = texts_at(block_texts(block, column, block->count), row);

    if (text.len == len)
        memcpy(id, text.ptr, len);
    else if (text.len > 0)
        block_fail(block, ERR_CORRUPT);
}

enum status block_log_trace_id(struct block *block, uint32_t row,
                               uint8_t trace_id[16])
{
    memset(trace_id, 0, 16);
    if (!is_logs(block) || row >= block->count)
        return block->status != OK ? block->status : ERR_INVALID;
    read_id(block, COL_LOG_TRACE_ID, row, trace_id, 16);
    return block->status;
}

enum status block_read_log_brief(struct block *block, uint32_t row,
                                 struct log_record *log)
{
    *log = (struct log_record){0};
    if (!is_logs(block) || row >= block->count)
        return block->status != OK ? block->status : ERR_INVALID;
    log->time_ns = block_int(block, COL_TIME, row);
    read_id(block, COL_LOG_TRACE_ID, row, log->trace_id, 16);
    read_id(block, COL_LOG_SPAN_ID, row, log->span_id, 8);
    log->level = (uint8_t)block_int(block, COL_LEVEL, row);
    log->resource_id = block_resource(block, row);
    log->body.key = "";
    if (body_reader_open(block))
        body_reader_get(block->body, row, &log->body);
    return block->status;
}

enum status block_read_log(struct block *block, uint32_t row,
                           struct log_record *log)
{
    enum status status = block_read_log_brief(block, row, log);

    if (status != OK)
        return status;
    log->arrival = arrival_of(block, row);
    log->observed_ns =
        log->time_ns + (uint64_t)unzigzag(block_int(block, COL_OBSERVED, row));
    log->severity = (uint8_t)block_int(block, COL_SEVERITY, row);
    log->severity_text = block_text(block, COL_SEVERITY_TEXT, row);
    log->event_name = block_text(block, COL_EVENT, row);
    log->flags = (uint32_t)block_int(block, COL_FLAGS, row);
    log->corrected = (uint8_t)block_int(block, COL_CORRECTED, row);
    log->is_event = block_int(block, COL_IS_EVENT, row) != 0;
    block_read_scope(block, block_text(block, COL_SCOPE, row), &log->scope);
    if (block_attrs(block))
        attrs_reader_get(block->attrs, row, &log->attrs);
    return block->status;
}
