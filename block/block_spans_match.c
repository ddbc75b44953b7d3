/*
 * Matching traces: the tests on spans run column by column on bitmaps of rows,
 * and a trace matches if any of its rows remains.
 */
#include <string.h>

#include "attrs_block.h"
#include "block_spans.h"

static bool any_row(const uint64_t *rows, uint32_t first, uint32_t end)
{
    for (uint32_t row = first; row < end;) {
        uint64_t word = rows[row / 64] >> (row & 63);
        uint32_t step = 64 - (row & 63);

        if (step > end - row)
            word &= (UINT64_C(1) << (end - row)) - 1;
        if (word)
            return true;
        row += step;
    }
    return false;
}

/* The failed rows among those of the resources; NULL if no row failed. */
static uint64_t *failed_rows(struct block *block, const uint64_t *in_resources)
{
    struct ints *status = block_ints(block, COL_STATUS, block->count);
    struct ints *marks = block_ints(block, COL_CORRECTED, block->count);
    uint64_t *rows;

    if (ints_same(status) && status->base != SPAN_ERROR && ints_same(marks) &&
        !(marks->base & MARK_FAILED))
        return NULL;
    rows = block_alloc(block, rows_words(block), sizeof(*rows));
    for (uint32_t row = 0; rows && row < block->count; row++)
        rows[row / 64] |= (uint64_t)(ints_at(status, row) == SPAN_ERROR ||
                                     (ints_at(marks, row) & MARK_FAILED))
                          << (row & 63);
    for (uint32_t i = 0; rows && i < rows_words(block); i++)
        rows[i] &= in_resources[i];
    return rows;
}

/* True if every span is in the query's time, judged by traces only. */
static bool all_in_time(const struct trace_index *table,
                        const struct trace_query *query)
{
    for (uint32_t i = 0; i < table->count; i++) {
        uint64_t start = ints_at(table->start, i);

        if (start < query->start_ns ||
            start + ints_at(table->length, i) >= query->end_ns)
            return false;
    }
    return true;
}

/* Clears the spans that do not overlap the query's time. */
static void match_overlap(struct block *block, const struct trace_query *query,
                          uint64_t *rows)
{
    const uint64_t *starts = block_starts(block);
    struct ints *durations = block_ints(block, COL_DURATION, block->count);

    for (uint32_t row = 0; starts && row < block->count; row++)
        if (!span_overlaps(starts[row], starts[row] + ints_at(durations, row),
                           query))
            rows_clear(rows, row);
}

/* Clears the rows that do not match, but for the resources. */
static void match_rows(struct block *block, const struct trace_query *query,
                       uint64_t *rows)
{
    if (!all_in_time(block->traces, query))
        match_overlap(block, query, rows);
    if (query->operation.len > 0)
        block_match_texts(block,
                          block_texts(block, COL_OPERATION, block->count),
                          query->operation, rows);
    if (query->endpoint.len > 0)
        block_match_texts(block, block_texts(block, COL_ENDPOINT, block->count),
                          query->endpoint, rows);
    for (uint32_t i = 0; i < query->attr_count && block_attrs(block); i++)
        attrs_reader_match(block->attrs, &query->attrs[i], rows);
}

static void fill(const struct trace_index *table, uint32_t i,
                 struct block_trace *trace)
{
    uint64_t root = ints_at(table->root, i);

    memcpy(trace->trace_id, table->ids + (size_t)i * 16, 16);
    trace->first = table->first[i];
    trace->count = table->first[i + 1] - trace->first;
    trace->start_ns = ints_at(table->start, i);
    trace->end_ns = trace->start_ns + ints_at(table->length, i);
    trace->has_root = root > 0 && root <= trace->count;
    trace->root = trace->first + (trace->has_root ? (uint32_t)root - 1 : 0);
}

/* Restricts a trace, whose rows are ordered by start, to its visible spans. */
static void restrict_to_visible(struct block *block, const uint64_t *visible,
                                struct block_trace *trace)
{
    const uint64_t *starts = block_starts(block);
    struct ints *durations = block_ints(block, COL_DURATION, block->count);
    uint32_t end = trace->first + trace->count, count = 0;
    uint64_t end_ns = 0;

    for (uint32_t row = trace->first; starts && row < end; row++) {
        if (!rows_has(visible, row))
            continue;
        if (count++ == 0) {
            trace->start_ns = starts[row];
            trace->has_root &= rows_has(visible, trace->root);
            if (!trace->has_root)
                trace->root = row;
        }
        if (starts[row] + ints_at(durations, row) > end_ns)
            end_ns = starts[row] + ints_at(durations, row);
    }
    trace->end_ns = end_ns;
    trace->count = count;
}

/* The rows of visible resources; NULL: all. */
static uint64_t *visible_rows(struct block *block,
                              const struct trace_query *query)
{
    uint64_t *rows = query->visible ? block_all_rows(block) : NULL;

    if (rows)
        block_match_resources(block, query->visible, rows);
    return rows;
}

static bool all_rows(const uint64_t *rows, uint32_t first, uint32_t end)
{
    while (first < end && rows_has(rows, first))
        first++;
    return first == end;
}

enum status block_traces(struct block *block, const struct trace_query *query,
                         struct block_trace **traces, uint32_t *count)
{
    struct trace_index *table = block_trace_table(block);
    uint64_t *rows = block_all_rows(block), *failed, *matching, *visible;
    size_t size = rows_words(block) * sizeof(*rows);

    if (!table || !rows)
        return block->status;
    *traces = block_alloc(block, table->count, sizeof(**traces));
    matching = arena_alloc(block->arena, size + 1);
    if (!*traces || !matching)
        return arena_status(block->arena);
    block_match_resources(block, query->resources, rows);
    failed = failed_rows(block, rows);
    visible = visible_rows(block, query);
    memcpy(matching, rows, size);
    match_rows(block, query, matching);
    for (uint32_t i = 0; i < table->count; i++) {
        struct block_trace *trace = &(*traces)[i];
        uint32_t first = table->first[i], end = table->first[i + 1];

        fill(table, i, trace);
        if (visible && !all_rows(visible, first, end))
            restrict_to_visible(block, visible, trace);
        trace->matches = any_row(matching, first, end);
        trace->has_errors = failed && any_row(failed, first, end);
    }
    *count = table->count;
    return block->status;
}

enum status block_sample_traces(struct block *block,
                                const struct sample_query *query,
                                struct block_trace **traces, uint32_t *count)
{
    struct trace_index *table = block_trace_table(block);
    uint32_t n = 0;

    *count = 0;
    if (!table)
        return block->status;
    *traces = block_alloc(block, table->count, sizeof(**traces));
    for (uint32_t i = 0; *traces && i < table->count; i++) {
        struct block_trace *trace = &(*traces)[n];

        uint64_t start = ints_at(table->start, i);
        uint64_t end = start + ints_at(table->length, i);

        if (!sample_overlaps(query, 0, start, end) ||
            !sample_overlaps(query, sample_hash(table->ids + (size_t)i * 16),
                             start, end))
            continue;
        fill(table, i, trace);
        n += block_any_resource(block, trace->first, trace->count,
                                query->resources);
    }
    *count = n;
    return block->status;
}
