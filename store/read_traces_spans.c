/*
 * The spans of many traces, in one pass over the blocks: each that may have one
 * of them is opened once, whereas embedded_query_spans() opens those of a
 * trace.
 */
#include "block_cursor.h"
#include "map.h"

struct spans_walk {
    struct reader *reader;
    const struct traces_query *query;
    trace_span_visit *visit;
    void *arg;
    struct map ids;
};

static uint32_t trace_hash(const uint8_t id[16])
{
    return map_hash(hash_bytes(id, 16, 0));
}

static bool index_traces(struct spans_walk *walk)
{
    const struct traces_query *q = walk->query;

    for (uint32_t i = 0; i < q->count; i++)
        if (!map_add(&walk->ids, trace_hash(q->trace_ids[i]), i))
            return false;
    return true;
}

static bool is_visible(const struct spans_walk *walk, const struct span *span)
{
    const struct bitmap *visible = walk->query->visible;

    return !visible || bitmap_has(visible, span->resource_id);
}

static enum status visit_memory(struct spans_walk *walk)
{
    const struct traces_query *q = walk->query;
    struct memtables_cursor cursor =
        memtables_cursor(walk->reader, STREAM_SPANS);
    const struct span *span;
    enum status status = OK;

    while (status == OK && (span = memtables_next_span(&cursor)))
        map_each(&walk->ids, trace_hash(span->trace_id), i)
            if (status == OK &&
                memcmp(q->trace_ids[i], span->trace_id, 16) == 0 &&
                is_visible(walk, span))
                status = walk->visit(walk->arg, i, span);
    return status;
}

/* ---- blocks ---- */

static enum status visit_trace(struct spans_walk *walk, struct block *block,
                               uint32_t trace)
{
    uint32_t first, count;
    enum status status =
        block_find_trace(block, walk->query->trace_ids[trace], &first, &count);

    for (uint32_t i = 0; status == OK && i < count; i++) {
        struct span span;

        status = block_read_span(block, first + i, false, &span);
        if (status == OK && is_visible(walk, &span))
            status = walk->visit(walk->arg, trace, &span);
    }
    return status;
}

static enum status visit_block(struct spans_walk *walk, uint64_t id,
                               const uint32_t *may, uint32_t may_count)
{
    struct open_block open;
    enum status status = block_cursor_open(walk->reader, id, &open);

    if (status != OK)
        return status;
    for (uint32_t i = 0; i < may_count && status == OK; i++)
        status = visit_trace(walk, open.block, may[i]);
    block_cursor_close(walk->reader, &open);
    return block_is_damaged(status) ? OK : status;
}

static enum status visit_blocks(struct spans_walk *walk)
{
    const struct traces_query *q = walk->query;
    struct reader *reader = walk->reader;
    uint32_t *may = arena_alloc(&reader->work, (q->count + 1) * sizeof(*may));
    struct db_stmt s = db_query(reader->db, SQL_SUMMARIES, db_int(KIND_SPANS));
    enum status status = may ? OK : arena_status(&reader->work);

    while (status == OK && stmt_row(&s)) {
        struct slice summary = stmt_bytes(&s, 1);
        uint32_t count = 0;

        status = reader_cancelled(reader);
        for (uint32_t i = 0; i < q->count; i++)
            if (summary_may_have_trace(summary, q->trace_ids[i]))
                may[count++] = i;
        if (status == OK && count > 0)
            status = visit_block(walk, stmt_int(&s, 0), may, count);
    }
    return stmt_end_with(&s, status);
}

enum status embedded_visit_traces(struct reader *reader,
                                  const struct traces_query *query,
                                  trace_span_visit *visit, void *arg)
{
    struct spans_walk walk = {.reader = reader,
                              .query = query,
                              .visit = visit,
                              .arg = arg,
                              .ids.arena = &reader->work};
    enum status status;

    arena_reset(&reader->work);
    if (!index_traces(&walk))
        return reader_status(reader, arena_status(&reader->work));
    status = visit_memory(&walk);
    if (status == OK)
        status = visit_blocks(&walk);
    return status == OK ? OK : reader_status(reader, status);
}
