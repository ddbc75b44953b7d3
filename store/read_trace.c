/*
 * The spans of one trace, a page at a time, and one span. The filters of all
 * blocks are asked, which are a few kilobytes each; the blocks that may have
 * the trace are opened in the order of the page until it is complete. In a
 * block the spans of a trace stand in a row, by start.
 *
 * The page is an array in order, of places: so a span that was sent twice is
 * found, and what is put into the answer is read at the end, block by block. It
 * is no larger than the limit, however large the trace is.
 */
#include <stdlib.h>

#include "reader.h"
#include "record_copy.h"

struct span_hit {
    uint64_t start_ns;
    uint8_t id[POSITION_NUMBER];
    const struct span *span; /* in memory; NULL: row of a block */
    uint64_t block;
    uint32_t row, place;
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
    uint32_t block_count;
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

static bool make_room(struct trace_page *page)
{
    if (page->count < page->room)
        return true;

    uint32_t room = page->room ? 2 * page->room : 64;
    struct span_hit *hits =
        arena_zero(&page->reader->work, room, sizeof(*hits));
    if (!hits)
        return false;
    if (page->count > 0)
        memcpy(hits, page->hits, page->count * sizeof(*hits));
    page->hits = hits;
    page->room = room;
    return true;
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

/* Puts it on the page if it belongs there; false: no memory. */
static bool offer(struct trace_page *page, const struct span_hit *hit)
{
    bool same;

    if (!list_has(&page->query->range, hit->start_ns, hit->id))
        return true;

    uint32_t at = find_place(page, hit, &same);
    page->total += !same;
    if (same || at == page->query->limit)
        return true;
    if (is_full(page))
        page->count--;
    else if (!make_room(page))
        return false;
    memmove(&page->hits[at + 1], &page->hits[at],
            (page->count - at) * sizeof(*hit));
    page->hits[at] = *hit;
    page->count++;
    return true;
}

static enum status read_head(struct trace_page *page)
{
    const struct span_query *q = page->query;
    struct memtables_cursor walk = memtables_cursor(page->reader, STREAM_SPANS);
    const struct batch *batch;

    while ((batch = memtables_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct span *span = &batch->spans[i];
            struct span_hit hit = {.start_ns = span->start_ns, .span = span};

            if (memcmp(span->trace_id, q->trace_id, 16) != 0)
                continue;
            page->in_scope |=
                !q->resources || bitmap_has(q->resources, span->resource_id);
            if (q->visible && !bitmap_has(q->visible, span->resource_id))
                continue;
            memcpy(hit.id, span->span_id, sizeof(hit.id));
            if (!offer(page, &hit))
                return arena_status(&page->reader->work);
        }
    return OK;
}

/* ---- blocks ---- */

/* Those whose filter may know the trace. */
static enum status find_blocks(struct trace_page *page)
{
    struct reader *reader = page->reader;
    struct db_stmt s = stmt_start(reader->db, SQL_SUMMARIES);
    enum status status = OK;
    uint32_t room = 0;

    stmt_int(&s, KIND_SPANS);
    while (status == OK && stmt_row(&s)) {
        status = reader_cancelled(reader);
        if (!summary_may_have_trace(stmt_get_bytes(&s, 1),
                                    page->query->trace_id))
            continue;
        if (page->block_count == room) {
            room = room ? 2 * room : 16;
            struct trace_block *grown =
                arena_zero(&reader->work, room, sizeof(*grown));

            if (!grown)
                break;
            if (page->block_count > 0)
                memcpy(grown, page->blocks, page->block_count * sizeof(*grown));
            page->blocks = grown;
        }
        page->blocks[page->block_count++] = (struct trace_block){
            stmt_get_int(&s, 0), stmt_get_int(&s, 2), stmt_get_int(&s, 3)};
    }
    enum status end = stmt_end(&s);
    if (status == OK)
        status = end;
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
        if (!offer(page, &hit))
            status = arena_status(&page->reader->work);
    }
    return status;
}

static enum status read_block(struct trace_page *page, uint64_t id)
{
    const struct span_query *q = page->query;
    struct open_block open;
    uint32_t first, count;
    enum status status = reader_open_block(page->reader, id, &open);

    if (status != OK)
        return status;
    status = block_find_trace(open.block, q->trace_id, &first, &count);
    if (status == OK && count > 0) {
        if (!page->in_scope)
            page->in_scope =
                block_any_resource(open.block, first, count, q->resources);
        status = offer_rows(page, open.block, id, first, count);
    }
    reader_close_block(page->reader, &open);
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
        if (reader_pass_over(status))
            status = OK;
    }
    return status;
}

/* ---- the spans of the page ---- */

static int by_block(const void *left, const void *right)
{
    const struct span_hit *a = left, *b = right;

    if (a->block != b->block)
        return a->block < b->block ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static enum status decode_block(struct trace_page *page,
                                const struct span_hit *hits, uint32_t count,
                                struct arena *arena, struct span *spans)
{
    struct open_block open;
    enum status status = reader_open_block(page->reader, hits->block, &open);

    if (status != OK)
        return status;
    for (uint32_t i = 0; i < count && status == OK; i++) {
        struct span span;

        status =
            block_read_span(open.block, hits[i].row, page->query->whole, &span);
        if (status != OK)
            break;
        copy_span(arena, &span, page->query->whole, &spans[hits[i].place]);
        status = arena_status(arena);
    }
    reader_close_block(page->reader, &open);
    return status;
}

/* Those that cannot be read any more keep their start and id. */
static enum status decode(struct trace_page *page, struct arena *arena,
                          struct span *spans)
{
    enum status status = OK;

    for (uint32_t i = 0; i < page->count; i++) {
        struct span_hit *hit = &page->hits[i];

        hit->place = i;
        if (hit->span)
            spans[i] = *hit->span;
        else
            spans[i].resource_id = RESOURCE_NONE;
        spans[i].start_ns = hit->start_ns;
        if (!hit->span)
            spans[i].end_ns = hit->start_ns;
        memcpy(spans[i].span_id, hit->id, sizeof(hit->id));
        memcpy(spans[i].trace_id, page->query->trace_id, 16);
    }
    qsort(page->hits, page->count, sizeof(*page->hits), by_block);
    for (uint32_t i = 0, end; i < page->count && status == OK; i = end) {
        for (end = i + 1;
             end < page->count && page->hits[end].block == page->hits[i].block;
             end++)
            ;
        if (page->hits[i].span)
            continue; /* block 0: in memory */
        status = decode_block(page, page->hits + i, end - i, arena, spans);
        if (reader_pass_over(status))
            status = OK;
    }
    return status;
}

enum status reader_query_spans(struct reader *reader,
                               const struct span_query *query,
                               struct arena *arena, struct span **spans,
                               uint32_t *count, uint64_t *total)
{
    struct trace_page page = {
        .reader = reader, .query = query, .in_scope = !query->resources};
    struct span *found = NULL;

    arena_reset(&reader->work);
    enum status status = read_head(&page);
    if (status == OK)
        status = read_blocks(&page);
    if (status == OK && !page.in_scope)
        page.count = 0, page.total = 0;
    if (status == OK && page.count > 0) {
        found = arena_zero(arena, page.count, sizeof(*found));
        status = found ? decode(&page, arena, found) : arena_status(arena);
    }
    if (status != OK)
        return reader_status(reader, status);
    *spans = found;
    *count = page.count;
    *total = page.total;
    return OK;
}

enum status reader_query_trace(struct reader *reader,
                               const uint8_t trace_id[16], bool whole,
                               struct arena *arena, struct span **spans,
                               uint32_t *count)
{
    const struct span_query all = {.trace_id = trace_id,
                                   .whole = whole,
                                   .ascending = true,
                                   .limit = UINT32_MAX};
    uint64_t total;

    return reader_query_spans(reader, &all, arena, spans, count, &total);
}

/* ---- one span ---- */

static const struct span *find_in_head(const struct reader *reader,
                                       const uint8_t trace_id[16],
                                       const uint8_t span_id[8])
{
    struct memtables_cursor walk = memtables_cursor(reader, STREAM_SPANS);
    const struct batch *batch;

    while ((batch = memtables_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++)
            if (memcmp(batch->spans[i].trace_id, trace_id, 16) == 0 &&
                memcmp(batch->spans[i].span_id, span_id, 8) == 0)
                return &batch->spans[i];
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
    enum status status = reader_open_block(page->reader, id, &open);

    if (status != OK)
        return status;
    status = block_find_trace(open.block, q->trace_id, &first, &count);
    if (status == OK && count > 0)
        status = block_span_ids(open.block, &ids);
    if (status == OK && ids)
        while (row < count &&
               memcmp(ids + ((size_t)first + row) * 8, span_id, 8) != 0)
            row++;
    if (status == OK && row == count)
        status = ERR_NOT_FOUND;
    if (status == OK)
        status = block_read_span(open.block, first + row, true, &span);
    if (status == OK) {
        copy_span(arena, &span, true, found);
        status = arena_status(arena);
    }
    reader_close_block(page->reader, &open);
    return status;
}

enum status reader_find_span(struct reader *reader, const uint8_t trace_id[16],
                             const uint8_t span_id[8], struct arena *arena,
                             struct span *span)
{
    const struct span_query query = {.trace_id = trace_id};
    struct trace_page page = {.reader = reader, .query = &query};
    const struct span *head = find_in_head(reader, trace_id, span_id);

    if (head) {
        *span = *head;
        return OK;
    }
    arena_reset(&reader->work);
    enum status status = find_blocks(&page);
    for (uint32_t i = 0; i < page.block_count && status == OK; i++) {
        status = find_in_block(&page, page.blocks[i].id, span_id, arena, span);
        if (status == OK)
            return OK;
        if (status == ERR_NOT_FOUND || reader_pass_over(status))
            status = OK;
    }
    return status == OK ? ERR_NOT_FOUND : reader_status(reader, status);
}
