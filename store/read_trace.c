/*
 * The spans of one trace, a page at a time, and one span. The filters of all
 * blocks are tested, which are a few kilobytes each; the blocks that may have
 * the trace are opened in the order of the page until it is complete. In a
 * block the spans of a trace stand in a row, by start.
 *
 * The page is an array in order, of places: so a span that was sent twice is
 * found, and what is put into the answer is read at the end, block by block. It
 * is no larger than the limit, however large the trace is.
 */
#include <stdlib.h>

#include "array.h"
#include "block_cursor.h"
#include "record_copy.h"

struct span_hit {
    uint64_t start_ns;
    uint8_t id[POSITION_NUMBER];
    const struct span *span; /* in memory; NULL: row of a block */
    uint64_t block;
    uint32_t row;
};

struct trace_block {
    uint64_t id, min_ns, max_ns;
};

struct trace_page {
    struct reader *reader;
    const struct span_query *query;
    struct span_hit *hits; /* in order of the page */
    uint32_t count, room;
    uint64_t total;
    bool in_scope; /* a span of `resources` was met */
    struct trace_block *blocks;
    uint32_t block_count, block_room;
};

/* ---- the page ---- */

static int compare_hits(const struct trace_page *page,
                        const struct span_hit *left,
                        const struct span_hit *right)
{
    int order = left->start_ns < right->start_ns ? -1
                : left->start_ns > right->start_ns
                    ? 1
                    : memcmp(left->id, right->id, sizeof(left->id));

    return page->query->ascending ? order : -order;
}

static bool is_full(const struct trace_page *page)
{
    return page->count == page->query->limit;
}

/* Where the hit belongs; *same: one like it is there. */
static uint32_t find_place(const struct trace_page *page,
                           const struct span_hit *hit, bool *same)
{
    uint32_t low = 0, high = page->count;

    *same = false;
    if (high > 0 && compare_hits(page, &page->hits[high - 1], hit) < 0)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare_hits(page, &page->hits[middle], hit);

        if (order == 0) {
            *same = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Puts it on the page if it belongs there. */
static enum status offer(struct trace_page *page, const struct span_hit *hit)
{
    struct arena *work = &page->reader->work;
    bool same;

    if (!list_has(&page->query->range, hit->start_ns, hit->id))
        return OK;

    uint32_t at = find_place(page, hit, &same);
    page->total += !same;
    if (same || at == page->query->limit)
        return OK;
    if (is_full(page))
        page->count--;
    else if (!arena_append(work, &page->hits, page->count, &page->room))
        return arena_status(work);
    memmove(&page->hits[at + 1], &page->hits[at],
            (page->count - at) * sizeof(*hit));
    page->hits[at] = *hit;
    page->count++;
    return OK;
}

static enum status read_memory(struct trace_page *page)
{
    const struct span_query *q = page->query;
    struct memtables_cursor cursor =
        memtables_cursor(page->reader, STREAM_SPANS);
    const struct span *span;
    enum status status = OK;

    while (status == OK && (span = memtables_next_span(&cursor))) {
        struct span_hit hit = {.start_ns = span->start_ns, .span = span};

        if (memcmp(span->trace_id, q->trace_id, 16) != 0)
            continue;
        page->in_scope |=
            !q->resources || bitmap_has(q->resources, span->resource_id);
        if (q->visible && !bitmap_has(q->visible, span->resource_id))
            continue;
        memcpy(hit.id, span->span_id, sizeof(hit.id));
        status = offer(page, &hit);
    }
    return status;
}

/* ---- blocks ---- */

/* Those whose filter may have the trace. */
static enum status find_blocks(struct trace_page *page)
{
    struct reader *reader = page->reader;
    struct db_stmt s = db_query(reader->db, SQL_SUMMARIES, db_int(KIND_SPANS));
    enum status status = OK;

    while (status == OK && stmt_row(&s)) {
        status = reader_cancelled(reader);
        if (!summary_may_have_trace(stmt_bytes(&s, 1), page->query->trace_id))
            continue;
        struct trace_block *block = arena_append(
            &reader->work, &page->blocks, page->block_count, &page->block_room);

        if (!block)
            break;
        *block = (struct trace_block){stmt_int(&s, 0), stmt_int(&s, 2),
                                      stmt_int(&s, 3)};
        page->block_count++;
    }
    status = stmt_end_with(&s, status);
    return status == OK ? arena_status(&reader->work) : status;
}

static int oldest_first(const void *left, const void *right)
{
    const struct trace_block *a = left, *b = right;

    return (a->min_ns > b->min_ns) - (a->min_ns < b->min_ns);
}

static int newest_first(const void *left, const void *right)
{
    const struct trace_block *a = left, *b = right;

    return (b->max_ns > a->max_ns) - (b->max_ns < a->max_ns);
}

static bool is_visible(const struct trace_page *page, struct block *block,
                       uint32_t row)
{
    const struct bitmap *visible = page->query->visible;

    return !visible || block_any_resource(block, row, 1, visible);
}

static enum status offer_rows(struct trace_page *page, struct block *block,
                              uint64_t id, uint32_t first, uint32_t count)
{
    const uint64_t *starts;
    const uint8_t *ids;
    enum status status = block_times(block, &starts);

    if (status == OK)
        status = block_span_ids(block, &ids);
    for (uint32_t i = 0; i < count && status == OK; i++) {
        /* In the order of the page, so that most are put at its end. */
        uint32_t row =
            page->query->ascending ? first + i : first + count - 1 - i;

        if (!is_visible(page, block, row))
            continue;

        struct span_hit hit = {
            .start_ns = starts[row], .block = id, .row = row};

        memcpy(hit.id, ids + (size_t)row * sizeof(hit.id), sizeof(hit.id));
        status = offer(page, &hit);
    }
    return status;
}

static enum status read_block(struct trace_page *page, uint64_t id)
{
    const struct span_query *q = page->query;
    struct open_block open;
    uint32_t first, count;
    enum status status = block_cursor_open(page->reader, id, &open);

    if (status != OK)
        return status;
    status = block_find_trace(open.block, q->trace_id, &first, &count);
    if (status == OK && count > 0) {
        if (!page->in_scope)
            page->in_scope =
                block_any_resource(open.block, first, count, q->resources);
        status = offer_rows(page, open.block, id, first, count);
    }
    block_cursor_close(page->reader, &open);
    return status;
}

/* Can a block be left out, with all that come after it? */
static bool is_done(struct trace_page *page, const struct trace_block *b)
{
    const struct span_query *q = page->query;
    const struct span_hit *last =
        page->count > 0 ? &page->hits[page->count - 1] : NULL;
    bool beyond =
        is_full(page) && (!last || (q->ascending ? b->min_ns > last->start_ns
                                                 : b->max_ns < last->start_ns));

    if (!beyond || !page->in_scope || !q->counting || q->counting->most == 0 ||
        page->total < q->counting->most)
        return false;
    q->counting->stopped = true;
    return true;
}

static enum status read_blocks(struct trace_page *page)
{
    enum status status = find_blocks(page);

    if (page->block_count > 1)
        qsort(page->blocks, page->block_count, sizeof(*page->blocks),
              page->query->ascending ? oldest_first : newest_first);
    for (uint32_t i = 0; i < page->block_count && status == OK; i++) {
        if (is_done(page, &page->blocks[i]))
            break;
        status = read_block(page, page->blocks[i].id);
        if (block_is_damaged(status))
            status = OK;
    }
    return status;
}

/* ---- the spans of the page ---- */

struct page_visit {
    const struct span_visitor *visitor;
    bool whole;
};

static enum status visit_row(void *arg, struct block *block,
                             const struct row_place *row)
{
    const struct page_visit *to = arg;
    struct span span;
    enum status status = block_read_span(block, row->row, to->whole, &span);

    return status == OK
               ? to->visitor->visit(to->visitor->arg, row->place, &span, false)
               : status;
}

/* Until it is read, and if it cannot be read any more. */
static enum status visit_place(const struct trace_page *page, uint32_t place,
                               const struct span_visitor *visitor)
{
    const struct span_hit *hit = &page->hits[place];
    struct span span = {.resource_id = RESOURCE_NONE,
                        .start_ns = hit->start_ns,
                        .end_ns = hit->start_ns};

    if (hit->span)
        return visitor->visit(visitor->arg, place, hit->span, true);
    memcpy(span.span_id, hit->id, sizeof(hit->id));
    memcpy(span.trace_id, page->query->trace_id, sizeof(span.trace_id));
    return visitor->visit(visitor->arg, place, &span, false);
}

static enum status visit_page(struct trace_page *page,
                              const struct span_visitor *visitor)
{
    struct page_visit to = {visitor, page->query->whole};
    struct arena *work = &page->reader->work;
    struct row_place *rows = arena_zero(work, page->count, sizeof(*rows));
    enum status status = OK;
    uint32_t count = 0;

    if (!rows)
        return arena_status(work);
    for (uint32_t i = 0; i < page->count && status == OK; i++) {
        const struct span_hit *hit = &page->hits[i];

        status = visit_place(page, i, visitor);
        if (!hit->span)
            rows[count++] = (struct row_place){hit->block, hit->row, i};
    }
    return status == OK
               ? block_rows_each(page->reader, rows, count, visit_row, &to)
               : status;
}

enum status embedded_visit_spans(struct reader *reader,
                                 const struct span_query *query,
                                 const struct span_visitor *visitor,
                                 uint64_t *total)
{
    struct trace_page page = {
        .reader = reader, .query = query, .in_scope = !query->resources};

    arena_reset(&reader->work);
    enum status status = read_memory(&page);
    if (status == OK)
        status = read_blocks(&page);
    if (status == OK && !page.in_scope)
        page.count = 0, page.total = 0;
    if (status == OK)
        status = visitor->begin(visitor->arg, page.count);
    if (status == OK && page.count > 0)
        status = visit_page(&page, visitor);
    *total = page.total;
    return reader_status(reader, status);
}

/* ---- as a list ---- */

struct span_copies {
    struct arena *arena;
    struct span *spans;
    uint32_t count;
    bool whole;
};

static enum status begin_copies(void *arg, uint32_t count)
{
    struct span_copies *copies = arg;

    copies->count = count;
    copies->spans =
        count > 0 ? arena_zero(copies->arena, count, sizeof(*copies->spans))
                  : NULL;
    return count > 0 ? arena_status(copies->arena) : OK;
}

static enum status copy_one(void *arg, uint32_t place, const struct span *span,
                            bool stays)
{
    struct span_copies *copies = arg;

    if (stays) {
        copies->spans[place] = *span;
        return OK;
    }
    copy_span(copies->arena, span, copies->whole, &copies->spans[place]);
    return arena_status(copies->arena);
}

enum status embedded_query_spans(struct reader *reader,
                                 const struct span_query *query,
                                 struct arena *arena, struct span **spans,
                                 uint32_t *count, uint64_t *total)
{
    struct span_copies copies = {.arena = arena, .whole = query->whole};
    const struct span_visitor visitor = {begin_copies, copy_one, &copies};
    enum status status = embedded_visit_spans(reader, query, &visitor, total);

    if (status != OK)
        return status;
    *spans = copies.spans;
    *count = copies.count;
    return OK;
}

/* ---- one span ---- */

static const struct span *find_in_memory(const struct reader *reader,
                                         const struct span_query *query,
                                         const uint8_t span_id[8])
{
    struct memtables_cursor cursor = memtables_cursor(reader, STREAM_SPANS);
    const struct span *span;

    while ((span = memtables_next_span(&cursor)))
        if (memcmp(span->trace_id, query->trace_id, 16) == 0 &&
            memcmp(span->span_id, span_id, 8) == 0 &&
            (!query->visible || bitmap_has(query->visible, span->resource_id)))
            return span;
    return NULL;
}

/* ERR_NOT_FOUND if the block does not have it. */
static enum status find_in_block(struct trace_page *page, uint64_t id,
                                 const uint8_t span_id[8], struct arena *arena,
                                 struct span *found)
{
    const struct span_query *q = page->query;
    struct open_block open;
    uint32_t first, count, row = 0;
    const uint8_t *ids = NULL;
    struct span span;
    enum status status = block_cursor_open(page->reader, id, &open);

    if (status != OK)
        return status;
    status = block_find_trace(open.block, q->trace_id, &first, &count);
    if (status == OK && count > 0)
        status = block_span_ids(open.block, &ids);
    if (status == OK && ids)
        while (row < count &&
               (memcmp(ids + ((size_t)first + row) * 8, span_id, 8) != 0 ||
                !is_visible(page, open.block, first + row)))
            row++;
    if (status == OK && row == count)
        status = ERR_NOT_FOUND;
    if (status == OK)
        status = block_read_span(open.block, first + row, true, &span);
    if (status == OK) {
        copy_span(arena, &span, true, found);
        status = arena_status(arena);
    }
    block_cursor_close(page->reader, &open);
    return status;
}

enum status embedded_find_span(struct reader *reader,
                               const uint8_t trace_id[16],
                               const uint8_t span_id[8],
                               const struct bitmap *visible,
                               struct arena *arena, struct span *span)
{
    const struct span_query query = {.trace_id = trace_id, .visible = visible};
    struct trace_page page = {.reader = reader, .query = &query};
    const struct span *found = find_in_memory(reader, &query, span_id);

    if (found) {
        *span = *found;
        return OK;
    }
    arena_reset(&reader->work);
    enum status status = find_blocks(&page);
    for (uint32_t i = 0; i < page.block_count && status == OK; i++) {
        status = find_in_block(&page, page.blocks[i].id, span_id, arena, span);
        if (status == OK)
            return OK;
        if (status == ERR_NOT_FOUND || block_is_damaged(status))
            status = OK;
    }
    return status == OK ? ERR_NOT_FOUND : reader_status(reader, status);
}
