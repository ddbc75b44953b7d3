/*
 * Reading spans; the format is in block_spans_write.c. The index of traces is
 * read first: parents and starts are relative to the rows of their trace.
 */
#include <string.h>

#include "attrs_block.h"
#include "block_file.h"
#include "block_spans.h"

enum { SMALL_TRACE = 64 };

/* ---- traces ---- */

static bool check_traces(struct block *block, struct trace_index *table)
{
    struct column_reader in = block_column(block, COL_TRACE_COUNT);
    struct ints counts;
    uint64_t row = 0;

    column_ints_any(&in, &counts);
    block_check(block, &in.bytes);
    if (counts.count > block->count)
        return block_fail(block, ERR_CORRUPT);
    table->count = counts.count;
    table->first =
        block_alloc(block, (size_t)counts.count + 1, sizeof(*table->first));
    if (!table->first)
        return false;
    for (uint32_t i = 0; i < counts.count; i++) {
        uint64_t rows = ints_at(&counts, i);

        table->first[i] = (uint32_t)row;
        if (rows == 0 || rows > block->count - row)
            return block_fail(block, ERR_CORRUPT);
        row += rows;
    }
    table->first[counts.count] = (uint32_t)row;
    return row == block->count || block_fail(block, ERR_CORRUPT);
}

struct trace_index *block_trace_table(struct block *block)
{
    struct trace_index *table;
    struct column_reader in;
    struct slice ids;

    if (block->traces)
        return block->traces;
    if (block->kind != BLOCK_SPANS)
        block_fail(block, ERR_INVALID);
    table = block_alloc(block, 1, sizeof(*table));
    if (!table || block->status != OK || !check_traces(block, table))
        return NULL;
    in = block_column(block, COL_TRACE_ID);
    ids = column_blob(&in);
    block_check(block, &in.bytes);
    if (ids.len != (size_t)table->count * 16)
        block_fail(block, ERR_CORRUPT);
    table->ids = (const uint8_t *)ids.ptr;
    table->start = block_ints(block, COL_TRACE_START, table->count);
    table->length = block_ints(block, COL_TRACE_LENGTH, table->count);
    table->root = block_ints(block, COL_TRACE_ROOT, table->count);
    if (block->status == OK)
        block->traces = table;
    return block->traces;
}

enum status block_find_trace(struct block *block, const uint8_t trace_id[16],
                             uint32_t *first, uint32_t *count)
{
    struct trace_index *table = block_trace_table(block);
    uint32_t low = 0, high = table ? table->count : 0;

    *first = *count = 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (memcmp(table->ids + (size_t)middle * 16, trace_id, 16) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (table && low < table->count &&
        memcmp(table->ids + (size_t)low * 16, trace_id, 16) == 0) {
        *first = table->first[low];
        *count = table->first[low + 1] - *first;
    }
    return block->status;
}

/* The trace of a row. */
static uint32_t trace_of(const struct trace_index *table, uint32_t row)
{
    uint32_t low = 0, high = table->count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (table->first[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

const uint64_t *block_starts(struct block *block)
{
    struct trace_index *table = block_trace_table(block);
    struct ints *delta = block_ints(block, COL_START, block->count);
    uint64_t *times;

    if (block->times || block->status != OK)
        return block->times;
    times = block_alloc(block, block->count, sizeof(*times));
    if (!times)
        return NULL;
    for (uint32_t trace = 0; trace < table->count; trace++) {
        uint64_t at = ints_at(table->start, trace);

        for (uint32_t row = table->first[trace]; row < table->first[trace + 1];
             row++)
            times[row] = at += ints_at(delta, row);
    }
    return block->times = times;
}

/* The start of one row, without decoding all if the trace is small. */
static uint64_t start_of(struct block *block, uint32_t row)
{
    struct trace_index *table = block_trace_table(block);
    const uint64_t *starts;
    struct ints *delta;
    uint32_t trace;
    uint64_t at;

    if (!table)
        return 0;
    trace = trace_of(table, row);
    if (block->times || row - table->first[trace] > SMALL_TRACE) {
        starts = block_starts(block);
        return starts ? starts[row] : 0;
    }
    delta = block_ints(block, COL_START, block->count);
    at = ints_at(table->start, trace);
    for (uint32_t i = table->first[trace]; i <= row; i++)
        at += ints_at(delta, i);
    return at;
}

/* ---- events and links ---- */

/* Opens a table of events or links, once: where the entries of each row begin,
 * from their counts, and their attributes. */
static bool open_table(struct block *block, struct span_table *table,
                       uint32_t count_id, uint32_t attrs_id)
{
    struct ints *counts = block_ints(block, count_id, block->count);
    uint32_t *first;
    uint64_t at = 0;

    if (table->attrs)
        return true;
    first = block_alloc(block, (size_t)block->count + 1, sizeof(*first));
    for (uint32_t row = 0; block->status == OK && row < block->count; row++) {
        uint64_t count = ints_at(counts, row);

        first[row] = (uint32_t)at;
        if (count > COLUMN_MAX_COUNT - at)
            return block_fail(block, ERR_CORRUPT);
        at += count;
    }
    if (block->status != OK)
        return false;
    first[block->count] = (uint32_t)at;
    table->first = first;
    table->attrs = attrs_reader_open(block, attrs_id, (uint32_t)at);
    return table->attrs != NULL;
}

/* The entries of a row: the first, how many, and those of the whole table. */
struct span_entries {
    uint32_t first, count, all;
};

static struct span_entries entries_of(struct block *block, uint32_t row,
                                      struct span_table *table,
                                      uint32_t count_id, uint32_t attrs_id)
{
    struct span_entries entries = {0};

    if (block_int(block, count_id, row) == 0 ||
        !open_table(block, table, count_id, attrs_id))
        return entries;
    entries.first = table->first[row];
    entries.count = table->first[row + 1] - entries.first;
    entries.all = table->first[block->count];
    return entries;
}

static void read_events(struct block *block, uint32_t row, struct span *span)
{
    struct span_entries entries = entries_of(block, row, &block->events,
                                             COL_EVENT_COUNT, COL_EVENT_ATTRS);
    struct span_event *events =
        entries.count ? block_alloc(block, entries.count, sizeof(*events))
                      : NULL;

    for (uint32_t i = 0; events && i < entries.count; i++) {
        uint32_t at = entries.first + i;

        events[i].time_ns =
            span->start_ns +
            (uint64_t)unzigzag(
                ints_at(block_ints(block, COL_EVENT_TIME, entries.all), at));
        events[i].name =
            texts_at(block_texts(block, COL_EVENT_NAME, entries.all), at);
        attrs_reader_get(block->events.attrs, at, &events[i].attrs);
    }
    span->events = events;
    span->event_count = events ? entries.count : 0;
}

static void copy_id(uint8_t *id, size_t len, struct slice text)
{
    if (text.len == len)
        memcpy(id, text.ptr, len);
}

static void read_links(struct block *block, uint32_t row, struct span *span)
{
    struct span_entries entries =
        entries_of(block, row, &block->links, COL_LINK_COUNT, COL_LINK_ATTRS);
    struct span_link *links =
        entries.count ? block_alloc(block, entries.count, sizeof(*links))
                      : NULL;
    uint32_t all = entries.all;

    for (uint32_t i = 0; links && i < entries.count; i++) {
        uint32_t at = entries.first + i;

        copy_id(links[i].trace_id, 16,
                texts_at(block_texts(block, COL_LINK_TRACE_ID, all), at));
        copy_id(links[i].span_id, 8,
                texts_at(block_texts(block, COL_LINK_SPAN_ID, all), at));
        links[i].trace_state =
            texts_at(block_texts(block, COL_LINK_TRACE_STATE, all), at);
        links[i].flags =
            (uint32_t)ints_at(block_ints(block, COL_LINK_FLAGS, all), at);
        attrs_reader_get(block->links.attrs, at, &links[i].attrs);
    }
    span->links = links;
    span->link_count = links ? entries.count : 0;
}

/* ---- spans ---- */

/* The blob of ids in this column, read once. */
static const uint8_t *ids_of(struct block *block, struct slice *ids,
                             uint32_t id)
{
    if (!ids->ptr) {
        struct column_reader in = block_column(block, id);

        *ids = column_blob(&in);
        block_check(block, &in.bytes);
    }
    return (const uint8_t *)ids->ptr;
}

enum status block_span_ids(struct block *block, const uint8_t **ids)
{
    struct trace_index *table = block_trace_table(block);

    *ids = NULL;
    if (!table)
        return block->status;
    *ids = ids_of(block, &table->span_ids, COL_SPAN_ID);
    if (table->span_ids.len != (size_t)block->count * 8)
        block_fail(block, ERR_CORRUPT);
    return block->status;
}

/* The rank of each row among those whose parent is not in the block. */
static uint32_t *external_ranks(struct block *block)
{
    struct ints *parents = block_ints(block, COL_PARENT, block->count);
    uint32_t rank = 0;

    if (block->external)
        return block->external;
    block->external =
        block_alloc(block, block->count, sizeof(*block->external));
    for (uint32_t row = 0; block->external && row < block->count; row++) {
        block->external[row] = rank;
        rank += ints_at(parents, row) == 1;
    }
    return block->external;
}

static void read_ids(struct block *block, uint32_t row, uint32_t trace,
                     struct span *span)
{
    struct trace_index *table = block->traces;
    uint32_t first = table->first[trace];
    uint64_t parent = block_int(block, COL_PARENT, row);
    const uint8_t *ids = ids_of(block, &table->span_ids, COL_SPAN_ID);

    memcpy(span->trace_id, table->ids + (size_t)trace * 16, 16);
    if (table->span_ids.len != (size_t)block->count * 8) {
        block_fail(block, ERR_CORRUPT);
        return;
    }
    memcpy(span->span_id, ids + (size_t)row * 8, 8);
    if (parent == 1) {
        const uint8_t *outside =
            ids_of(block, &table->parent_ids, COL_PARENT_ID);
        const uint32_t *rank = external_ranks(block);

        if (!rank || rank[row] >= table->parent_ids.len / 8)
            block_fail(block, ERR_CORRUPT);
        else
            memcpy(span->parent_span_id, outside + (size_t)rank[row] * 8, 8);
    } else if (parent > 1) {
        if (parent - 2 >= table->first[trace + 1] - first)
            block_fail(block, ERR_CORRUPT);
        else
            memcpy(span->parent_span_id, ids + (first + parent - 2) * 8, 8);
    }
}

/* What a span of a sample has. */
static void read_brief(struct block *block, uint32_t row, uint32_t trace,
                       uint64_t start_ns, struct span *span)
{
    uint8_t marks = (uint8_t)block_int(block, COL_CORRECTED, row);

    read_ids(block, row, trace, span);
    span->start_ns = start_ns;
    span->end_ns = start_ns + block_int(block, COL_DURATION, row);
    span->name = block_text(block, COL_NAME, row);
    span->operation = block_text(block, COL_OPERATION, row);
    span->endpoint = block_text(block, COL_ENDPOINT, row);
    span->kind = (uint8_t)block_int(block, COL_KIND, row);
    span->status = (uint8_t)block_int(block, COL_STATUS, row);
    span->corrected = marks & (MARK_FAILED - 1);
    span->failed = marks & MARK_FAILED;
    span->resource_id = block_resource(block, row);
}

enum status block_read_span(struct block *block, uint32_t row, bool whole,
                            struct span *span)
{
    struct trace_index *table = block_trace_table(block);

    *span = (struct span){0};
    if (!table || row >= block->count)
        return block->status != OK ? block->status : ERR_INVALID;
    read_brief(block, row, trace_of(table, row), start_of(block, row), span);
    span->status_message = block_text(block, COL_STATUS_MESSAGE, row);
    if (whole) {
        span->trace_state = block_text(block, COL_TRACE_STATE, row);
        span->flags = (uint32_t)block_int(block, COL_FLAGS, row);
        span->dropped_events =
            (uint32_t)block_int(block, COL_DROPPED_EVENTS, row);
        span->dropped_links =
            (uint32_t)block_int(block, COL_DROPPED_LINKS, row);
        block_read_scope(block, block_text(block, COL_SCOPE, row),
                         &span->scope);
        if (block_attrs(block))
            attrs_reader_get(block->attrs, row, &span->attrs);
        read_events(block, row, span);
        read_links(block, row, span);
    }
    return block->status;
}

/* Rows of a trace lie side by side: what a row is relative to is known from the
 * one before. */
enum status block_visit_sample(struct block *block,
                               const struct sample_query *query,
                               const struct block_trace *trace,
                               span_visit *visit, void *arg)
{
    struct trace_index *table = block_trace_table(block);
    struct ints *delta = block_ints(block, COL_START, block->count);
    uint32_t number = table ? trace_of(table, trace->first) : 0;
    uint32_t hash = sample_hash(trace->trace_id);
    uint64_t at = trace->start_ns;

    for (uint32_t row = trace->first;
         block->status == OK && row < trace->first + trace->count; row++) {
        struct span span = {0};

        at += ints_at(delta, row);
        if (!sample_has(query, hash, at) ||
            !sample_wants(query, (uint8_t)block_int(block, COL_KIND, row),
                          block_resource(block, row)))
            continue;
        read_brief(block, row, number, at, &span);
        if (query->attrs && block_attrs(block))
            attrs_reader_get(block->attrs, row, &span.attrs);
        if (block->status == OK)
            visit(arg, &span);
    }
    return block->status;
}
